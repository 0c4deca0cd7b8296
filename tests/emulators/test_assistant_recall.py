"""The offline assistant recalls what was said in the conversation, and by whom."""

import pytest

from tests.emulators.dialogues import first_reply_to, reply_to

TALK = ("I like tea", "So do I.", "My cat is Tom.", "Noted, a cat.")


@pytest.mark.parametrize(
    "question",
    [
        "what did i say first",
        "What did I say at the beginning?",
        "what was the first thing i said",
        "what was my first message",
    ],
)
def test_the_first_message_is_recalled(question: str) -> None:
    """The first thing that the user said comes back in the user's words."""
    assert reply_to(question, *TALK) == "The first thing you said was: I like tea."


@pytest.mark.parametrize(
    "question",
    [
        "what did i say before",
        "What did I just say?",
        "what did i say before that",
        "what was the last thing I said",
        "what did I tell you",
        "do you remember what i said",
        "can you tell me what i just said please",
    ],
)
def test_the_message_before_is_recalled(question: str) -> None:
    """The user's last message comes back in the user's words."""
    assert reply_to(question, *TALK) == "Before that you said: My cat is Tom."


def test_recalling_goes_back_step_by_step() -> None:
    """Each "and before that" recalls one message more, until there is none."""
    once = (*TALK, "What did I say before?", "Before that you said: My cat is Tom.")
    assert reply_to("And before that?", *once) == "Before that you said: I like tea."
    twice = (*once, "And before that?", "Before that you said: I like tea.")
    assert reply_to("before that", *twice) == "Before that you had said nothing in our conversation."


def test_questions_about_the_past_are_not_recalled() -> None:
    """A repeated question gets the same reply, not the question itself."""
    talk = (*TALK, "What did I say before?", "Before that you said: My cat is Tom.")
    assert reply_to("What did I say before?", *talk) == "Before that you said: My cat is Tom."


@pytest.mark.parametrize(
    "question",
    [
        "repeat that",
        "Say that again, please.",
        "what did you say",
        "pardon",
        "could you repeat that",
        "I didn't catch that",
        "again",
    ],
)
def test_the_last_reply_is_repeated(question: str) -> None:
    """The assistant says its last words again."""
    assert reply_to(question, *TALK) == "I said: Noted, a cat."
    assert reply_to(question, "I like tea", "I said: So do I.") == "I said: So do I."


@pytest.mark.parametrize(
    "question",
    [
        "what have we talked about",
        "What did we talk about?",
        "summarize our conversation",
        "give me a summary",
        "what have i said so far",
        "Can you summarize what we talked about?",
        "what do you remember",
        "What was this conversation about?",
    ],
)
def test_the_conversation_is_summarised(question: str) -> None:
    """The summary names what the user said."""
    assert reply_to(question, *TALK) == "So far you said: “I like tea” and “My cat is Tom”."


def test_summaries_are_short() -> None:
    """Only the last messages of a long conversation are named, and only their beginnings."""
    talk = tuple(f"message {n} has a lot of words in it" if n % 2 else "Yes." for n in range(1, 21))
    reply = reply_to("what have we talked about", *talk)
    assert reply.startswith("So far you said 10 things, and at last: “message 13 has a lot of …”, ")
    assert len(reply.split()) < 50


def test_a_subject_is_looked_up() -> None:
    """A message about something is found by its words."""
    assert reply_to("what did i say about my cat", *TALK) == "You said: My cat is Tom."
    assert "nothing about dogs" in reply_to("what did I say about dogs?", *TALK)
    assert reply_to("how many things have i said", *TALK) == "You said 2 things before this."


def test_words_are_said_on_request() -> None:
    """Words to repeat come back as they were given."""
    assert reply_to("Repeat after me: The cat sat.") == "The cat sat."


@pytest.mark.parametrize("question", ["what did i say before", "what did i say first", "what have we talked about"])
def test_nothing_is_recalled_at_first(question: str) -> None:
    """At the beginning of a conversation there is nothing to recall."""
    assert "nothing before this" in first_reply_to(question)
    assert "I have said nothing yet" in first_reply_to("repeat that")


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("My name is Anna.", "Anna"),
        ("my name is anna", "Anna"),
        ("hi my name's anna and i like tea", "Anna"),
        ("Hello, my name is Anna-Marie O'Neill.", "Anna-Marie O'Neill"),
        ("my name is anna smith", "Anna Smith"),
        ("Hello, I'm Anna.", "Anna"),
        ("Call me Ishmael", "Ishmael"),
        ("please call me ishmael", "Ishmael"),
    ],
)
def test_names_are_remembered(statement: str, name: str) -> None:
    """A name is welcomed, known later, and part of a greeting."""
    welcome = reply_to(statement)
    assert welcome.startswith(f"Nice to meet you, {name}.")
    for question in ("what is my name", "What's my name?", "do you know my name", "who am I", "what was my name again"):
        assert reply_to(question, statement, welcome) == f"Your name is {name}."
    assert reply_to("hello", statement, welcome).startswith(f"Hello, {name}!")


def test_the_latest_name_counts() -> None:
    """A corrected name replaces the one before."""
    assert reply_to("what is my name", "my name is anna", "Yes.", "my name is ada", "Yes.") == "Your name is Ada."
    assert reply_to("my name is anna what is my name") == "Your name is Anna."


@pytest.mark.parametrize(
    "message",
    [
        "my name is not important",
        "he will call me tomorrow",
        "call me later",
        "my name is on it",
        "hi i am tired",
        "Hello, I'm tired.",
    ],
)
def test_other_words_are_no_names(message: str) -> None:
    """Words that only look like an introduction give no name."""
    assert reply_to(message).startswith("You said: ")
    assert "not said your name" in reply_to("what is my name", message, "Yes.")
