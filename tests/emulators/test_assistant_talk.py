"""The offline assistant is polite, helps with the product, spells, counts and rolls dice."""

import pytest

from tests.emulators.dialogues import first_reply_to, reply_to


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("hello", "Hello! What can I do for you?"),
        ("Hello there.", "Hello there! What can I do for you?"),
        ("good morning", "Good morning! What can I do for you?"),
        ("hi how are you", "Hi! I am well, thank you."),
        ("how are you today", "I am well, thank you."),
        ("thanks", "You are welcome."),
        ("Thank you very much!", "You are welcome."),
        ("okay thanks a lot", "You are welcome."),
        ("goodbye", "Goodbye!"),
        ("ok bye", "Goodbye!"),
        ("Good night.", "Goodbye!"),
        ("Hey, what's up?", "I am well, thank you."),
        ("say good morning", "Good morning!"),
        ("nice to meet you", "Nice to meet you too."),
        ("well done", "Thank you."),
        ("sorry", "No problem."),
        ("okay", "All right."),
    ],
)
def test_courtesies_are_returned(words: str, reply: str) -> None:
    """A greeting, thanks and a goodbye get a reply in kind."""
    assert reply_to(words).startswith(reply)


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("Guten Morgen!", "Guten Morgen! Ich bin der Offline-Assistent"),
        ("danke schön", "Gern geschehen."),
        ("tschüss", "Tschüss!"),
        ("bonjour", "Bonjour ! Je suis l'assistant hors ligne"),
        ("Merci beaucoup.", "Je vous en prie."),
        ("Buenos días", "¡Buenos días! Soy el asistente sin conexión"),
        ("buenos dias", "¡Buenos días!"),
        ("gracias", "De nada."),
        ("Hallo, wie geht es dir?", "Hallo!"),
        ("Bonjour, comment ça va ?", "Bonjour !"),
    ],
)
def test_greetings_are_returned_in_their_language(words: str, reply: str) -> None:
    """German, French and Spanish greetings get a reply in their language, without English words after it."""
    assert reply_to(words).startswith(reply)
    assert first_reply_to(words) == reply_to(words)


@pytest.mark.parametrize(
    ("question", "contains"),
    [
        ("what can you do", "calculate, convert units"),
        ("What can I ask you?", "calculate, convert units"),
        ("help", "calculate, convert units"),
        ("can you help me please", "calculate, convert units"),
        ("how do i interrupt you", "Press the button while I speak"),
        ("How can I stop you?", "Press the button while I speak"),
        ("how do i stop you talking", "Press the button while I speak"),
        ("stop", "Press the button while I speak"),
        ("how do i change the voice", "in the page's menu"),
        ("can i change your voice", "in the page's menu"),
        ("Can you speak with another voice?", "in the page's menu"),
        ("which voices do you have", "in the page's menu"),
        ("how do i change the language", "in the page's menu"),
        ("how do i use a real model", "OPENAI_UPSTREAM"),
        ("How do I connect you to a real model?", "OPENAI_UPSTREAM"),
        ("how can i connect ollama", "OPENAI_UPSTREAM"),
        ("how do i get better answers", "OPENAI_UPSTREAM"),
        ("how does this work", "Hold the button"),
        ("how do I use this?", "Hold the button"),
        ("how can i upload a recording", "upload button"),
        ("how do i start a new conversation", "new conversation"),
        ("how do i delete this conversation", "new conversation"),
        ("where is the documentation", "docs/api.md"),
        ("can you hear me", "your words arrive"),
        ("testing one two three", "your words arrive"),
        ("do you speak german", "otherwise reply in English"),
    ],
)
def test_questions_about_the_product_get_help(question: str, contains: str) -> None:
    """Each question gets what to do."""
    assert contains in reply_to(question)


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        ("spell necessary", "Necessary is spelled N, E, C, E, S, S, A, R, Y."),
        ("How do you spell rhythm?", "Rhythm is spelled R, H, Y, T, H, M."),
        ("can you spell the word cat please", "Cat is spelled C, A, T."),
        ("how is cat spelled", "Cat is spelled C, A, T."),
        ("spell cat backwards", "Cat backwards is spelled T, A, C."),
        ("how many letters are in banana", "Banana has 6 letters."),
        ("how many letters does the word strawberry have", "Strawberry has 10 letters."),
        ("count the letters in banana", "Banana has 6 letters."),
        ("How many r's are in strawberry?", "Strawberry has the letter R 3 times."),
        ("how many times does the letter a occur in banana", "Banana has the letter A 3 times."),
        ("how many vowels are in banana", "Banana has 3 vowels."),
        ("how many words are in the quick brown fox", "That has 4 words."),
        ("spell " + "a" * 40, "That word is too long to spell aloud."),
    ],
)
def test_letters_and_words_are_counted(question: str, reply: str) -> None:
    """A word is spelled, and its letters and the words of a text are counted."""
    assert reply_to(question) == reply


@pytest.mark.parametrize("question", ["how many words are in that", "how many words did I just say"])
def test_words_of_the_last_message_are_counted(question: str) -> None:
    """The user's message before the question is counted."""
    assert reply_to(question, "I like green tea", "So do I.") == "Your last message had 4 words."


@pytest.mark.parametrize(
    ("request_words", "replies"),
    [
        ("toss a coin", {"The coin shows heads.", "The coin shows tails."}),
        ("Heads or tails?", {"The coin shows heads.", "The coin shows tails."}),
        ("roll a die", {f"You rolled {points}." for points in range(1, 7)}),
        ("throw the dice", {f"You rolled {points}." for points in range(1, 7)}),
        ("roll a twenty sided die", {f"You rolled {points}." for points in range(1, 21)}),
        ("roll a d20", {f"You rolled {points}." for points in range(1, 21)}),
        ("roll two dice", {f"You rolled {a} and {b}, which makes {a + b}." for a in range(1, 7) for b in range(1, 7)}),
        ("pick a number between five and eight", {f"{number} is my number." for number in range(5, 9)}),
        ("give me a random number", {f"{number} is my number." for number in range(1, 11)}),
        ("choose between tea and coffee", {"I choose tea.", "I choose coffee."}),
    ],
)
def test_luck_depends_on_the_conversation(request_words: str, replies: set[str]) -> None:
    """The same conversation has the same luck, and different ones have different luck."""
    talks = [(f"This is talk {number}.", "Yes.") for number in range(60)]
    found = [reply_to(request_words, *talk) for talk in talks]
    assert found == [reply_to(request_words, *talk) for talk in talks]
    assert len(set(found)) > 1
    assert set(found) <= replies


def test_dice_are_bounded() -> None:
    """More dice than can be read aloud are refused with what is possible."""
    assert reply_to("roll a million dice") == "I can roll up to 6 dice with 2 to 1000 sides."
    assert reply_to("roll a one sided die") == "I can roll up to 6 dice with 2 to 1000 sides."
