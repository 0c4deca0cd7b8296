"""The offline assistant introduces itself once, keeps to two sentences, and says what it heard when it has no skill."""

import random
import re
import string

import pytest

from emulators.openai.assistant import INTRODUCTION, LONGEST_QUESTION
from emulators.openai.phrases import REFLECTED_WORDS
from tests.emulators.dialogues import first_reply_to, reply_to

PHRASES = (
    "what time is it",
    "how many kilometers are in two and a half miles",
    "what is twelve times seven",
    "which day is it in three days",
    "my name is anna",
    "how many letters are in banana",
    "roll two twenty sided dice",
    "what did i say about tea before that",
    "could you please tell me how to change your voice",
    "hallo",
    "100 - 20% = (3 + 4) ^ 2",
)


@pytest.mark.parametrize(
    ("message", "start"),
    [
        ("hello", "Hello!"),
        ("what time is it", "It is 3:05 PM"),
        ("what is 12 times 7", "12 times 7 is 84."),
        ("I like tea", "You said: I like tea."),
        ("...", "I heard no words."),
    ],
)
def test_the_first_reply_introduces_the_assistant(message: str, start: str) -> None:
    """The first reply of a conversation ends with what the assistant is, and no later one does."""
    first = first_reply_to(message)
    assert first.startswith(start)
    assert first.endswith(INTRODUCTION)
    assert INTRODUCTION not in reply_to(message)


@pytest.mark.parametrize(
    "question",
    [
        "who are you",
        "What are you?",
        "are you a robot",
        "what's your name",
        "are you chatgpt",
        "are you real",
        "what can you do",
    ],
)
def test_the_assistant_says_what_it_is(question: str) -> None:
    """A question about the assistant is replied to with what it is, once, also in the first reply."""
    for reply in (first_reply_to(question), reply_to(question)):
        assert reply.count("I am the offline assistant") == 1


@pytest.mark.parametrize(
    ("message", "reply"),
    [
        ("what is the weather like", "You said: what is the weather like. That needs a model; ask what I can do"),
        ("What is the weather like?", "You said: What is the weather like? That needs a model;"),
        ("tell me a joke", "You said: tell me a joke. That needs a model;"),
        ("I had a long day", "You said: I had a long day. I can recall that later;"),
        ("你好", "You said: 你好. I can recall that later;"),
        ("seven", "You said: seven."),
        ("time flies", "You said: time flies."),
        ("what a day", "You said: what a day."),
        ("roll out the barrel", "You said: roll out the barrel."),
        ("the date went well", "You said: the date went well."),
        ("how do you spell relief in french", "You said:"),
        ("what is love", "You said:"),
        ("what is in the box", "You said:"),
        ("he named it after me", "You said:"),
    ],
)
def test_other_messages_are_repeated(message: str, reply: str) -> None:
    """A message without a skill is repeated, with what the assistant can do about it."""
    assert reply_to(message).startswith(reply)


def test_a_sentence_of_a_message_is_understood() -> None:
    """A request among other sentences gets its reply, and the last request goes first."""
    assert reply_to("Thanks for that. It was good. What time is it?").startswith("It is 3:05 PM")
    assert reply_to("What is 2 plus 2? And what is 3 plus 3?") == "3 plus 3 is 6."
    assert reply_to("What's your name? Mine is a secret.").startswith("I have no name")


def test_a_long_message_is_cut() -> None:
    """The reply repeats only the beginning of a recording, whatever is in it."""
    reply = reply_to("word " * 100 + "What time is it?")
    assert reply.startswith(f"You said: {'word ' * REFLECTED_WORDS}".rstrip() + ", and so on.")
    assert len(reply.split()) < REFLECTED_WORDS + 20


@pytest.mark.parametrize("seed", range(10))
def test_any_words_get_a_short_reply(seed: int) -> None:
    """Mixed words of requests get the same reply twice, of a length that can be read aloud."""
    rng = random.Random(seed)
    words = " ".join(PHRASES).split()
    for _ in range(60):
        message = " ".join(rng.choices(words, k=rng.randint(1, 30)))
        reply = reply_to(message, "I like tea", "Noted.")
        assert reply == reply_to(message, "I like tea", "Noted.")
        assert 1 <= len(reply.split()) < 100


def test_long_words_and_repetitions_are_no_burden() -> None:
    """A message made to confuse patterns gets a reply like any other."""
    for piece in (
        "hm",
        "a",
        "is ",
        "what ",
        "in the ",
        "are there ",
        "okay ",
        "(",
        "-",
        "minus ",
        "1",
        "1 ",
        "the ",
        "x",
    ):
        message = piece * (LONGEST_QUESTION // len(piece))
        for confused in (message, f"{message[:-1]}!", f"how many {message[:-9]}", f"roll {message[:-5]}"):
            assert reply_to(confused)
    assert reply_to("".join(random.Random(1).choices(string.printable, k=LONGEST_QUESTION)))


@pytest.mark.parametrize("message", [*PHRASES, "help", "goodbye", "what have we talked about"])
def test_replies_have_two_sentences_at_most(message: str) -> None:
    """Each reply can be read aloud in a few seconds."""
    for reply in (first_reply_to(message), reply_to(message)):
        assert len(re.findall(r"[.!?](?:\s|$)", reply)) <= 2
