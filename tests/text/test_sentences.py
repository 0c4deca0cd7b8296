"""Sentences are cut where people would cut them, as early as possible, in pieces of any size."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.growth.factor import MOST_GROWTH, cost, growth
from voice_core.text.sentences import LONGEST_SENTENCE, Sentences


def cut(*pieces: str) -> list[str]:
    """All sentences of a text that arrives in *pieces*."""
    splitter = Sentences()
    return [sentence for piece in pieces for sentence in splitter.feed(piece)] + splitter.finish()


def words(text: str) -> list[str]:
    """Pieces that end with the white space after a word, as tokens of a model do."""
    return re.findall(r"\s*\S+", text)


def joined(*texts: str) -> str:
    return re.sub(r"\s", "", "".join(texts))


CUTS = [
    ["Hello there.", "How are you?", "Fine!"],
    ["Ok.", "Sure."],
    ["Pi is 3.14 or so.", "Really."],
    ["It costs $3.50.", "Cheap."],
    ["He came in 2024.", "Then he left."],
    ["Use fruit, e.g. apples and pears, i.e. sweet ones."],
    ["For example, e.g. London is big."],
    ["Ask Dr. Smith.", "He knows Mrs. Jones and Prof. Li."],
    ["The U.S. economy grew.", "So did the U.K. one."],
    ["J. R. R. Tolkien wrote it.", "So it goes."],
    ["See www.x.com for more.", "It is good."],
    ["Visit example.com/a.b?c=d!e today.", "Now."],
    ["See https://example.com/?q=1.5 there.", "Yes."],
    ["Write to a.b@example.com now.", "Thanks."],
    ["Node.js and ASP.NET are fine.", "So is v1.2.3 of it."],
    ["This is v1.2.", "Next is v1.3."],
    ["Meet at 5 p.m. on Monday.", "Bring bread, milk, etc. to it."],
    ["We met at 5 p.m.", "Then we left."],
    ["Pens, paper, etc.", "All of it."],
    ["No.", "I cannot."],
    ["It is No. 5 of ten.", "See fig. 3 and Jan. 6 there."],
    ["1. Wash the rice.", "2. Cook it."],
    ["Well... let me think.", "Good."],
    ["I wonder…", "Maybe so."],
    ["What?!", "Really?!!", "Yes..."],
    ['"Stop!"', "she said."],
    ['He said "Stop!" and left.', "Then it was quiet."],
    ['He said "Go."', "Then he left."],
    ["“Is it you?”", "It was (really!) him."],
    ["(This is an aside.)", "And this is not."],
    ["**Important.**", "Read *this now.*", "And that."],
    ["**Note:** use `a.b()` here.", "Done."],
    ["It is 5 * 3 * 2.", "That is thirty."],
    ["Don't do it.", "It's 'fine' as it is."],
    ["'Stop!'", "he cried."],
    ["C# is fine.", "So is C++.", "And 50%.", "Yes!"],
    ["你好。", "你好吗？", "很好！"],
    ["“你好。”", "他走了。"],
    ["「行こう。」", "と彼は言った。"],
    ["他说：“你好吗？”然后走了。", "好。"],
    ["नमस्ते।", "आप कैसे हैं?"],
    ["هل أنت بخير؟", "نعم."],
    ["Это г. Москва.", "Да."],
    ["¿Qué tal?", "¡Bien!"],
    ["We have 3.", "No, 4 of them."],
    ["Is it A or B?", "It is plan B. We know."],
    ["Great!", "🎉 Next one."],
    ["Mr. and Mrs. Smith vs. the St. James Co. of old."],
]
"""The sentences into which their text, joined by spaces, is cut."""

GAPLESS = {"你好。", "「行こう。」", "“你好。”", "他说：“你好吗？”然后走了。"}


def text_of(sentences: list[str]) -> str:
    return ("" if sentences[0] in GAPLESS else " ").join(sentences)


@pytest.mark.parametrize("sentences", CUTS, ids=lambda sentences: sentences[0])
def test_text_is_cut_between_sentences(sentences: list[str]) -> None:
    """Periods in abbreviations, numbers, addresses, initials, ellipses and quotes are not taken for ends."""
    assert cut(text_of(sentences)) == sentences


@pytest.mark.parametrize("sentences", CUTS, ids=lambda sentences: sentences[0])
def test_words_make_the_same_sentences(sentences: list[str]) -> None:
    """The sentences are the same when the text arrives word by word."""
    assert cut(*words(text_of(sentences))) == sentences


MISLED = {"Well... let me think.", "What?!"}
"""Texts that are cut early by design when each character arrives alone, since a plain word and a mark came first."""


@pytest.mark.parametrize("sentences", [row for row in CUTS if row[0] not in MISLED], ids=lambda sentences: sentences[0])
def test_characters_make_the_same_sentences(sentences: list[str]) -> None:
    """The sentences are the same when the text arrives character by character."""
    assert cut(*text_of(sentences)) == sentences


@pytest.mark.parametrize(
    "text",
    [
        "Hello.",
        "Hello there!",
        "Is it so?",
        "It's well-known.",
        "That is 50%.",
        "I like C#.",
        "(So it is.)",
        '"So it is."',
        "**So it is.**",
        "你好。",
        "“你好。”",
        "Yes, that is all (I think).",
    ],
)
def test_a_certain_end_is_released_at_once(text: str) -> None:
    """A sentence is returned with its last character, not with the next piece."""
    splitter = Sentences()
    assert splitter.feed(text[:-1]) == []
    assert splitter.feed(text[-1]) == [text]
    assert splitter.finish() == []


@pytest.mark.parametrize(
    ("text", "following", "released"),
    [
        ("It is 3.", " T", "It is 3."),
        ("It is 3.", "1", None),
        ("It is NASA.", " ", "It is NASA."),
        ("Use Node.", "j", None),
        ("Ask Dr.", " S", None),
        ("Ask Dr.", "\n", "Ask Dr."),
        ("He said “no.”", " T", "He said “no.”"),
        ("He said “no.”", " t", None),
        ("Bread, etc.", " T", "Bread, etc."),
        ("Bread, etc.", " t", None),
        ("So it is No.", " 5", None),
        ("So it is No.", " t", "So it is No."),
        ("A.", " B", None),
    ],
)
def test_a_doubtful_end_waits_for_the_next_character(text: str, following: str, released: str | None) -> None:
    """A sentence waits for the next character only if its period may not be an end."""
    splitter = Sentences()
    assert splitter.feed(text) == []
    assert splitter.feed(following) == ([released] if released else [])


def test_a_closing_quote_that_comes_late_stays_with_its_sentence() -> None:
    """A closing quote in the next piece belongs to the sentence before it."""
    assert cut('She said: "Stop', ".", '"', " Then", " she left.") == ['She said: "Stop."', "Then she left."]
    assert cut('"One.', ' Two."', " Three.") == ['"One.', 'Two."', "Three."]


def test_lines_and_bullets_end_sentences() -> None:
    """A heading or a list item is a sentence without a period."""
    assert cut("# Menu\n\n- soup\n- fish & chips\n\nEnjoy") == ["# Menu", "- soup", "- fish & chips", "Enjoy"]
    assert cut("Items: • one • two") == ["Items:", "• one", "• two"]
    assert cut("# 1. Start here\n2. Go on. Then stop") == ["# 1. Start here", "2. Go on.", "Then stop"]


def test_fenced_code_stays_whole() -> None:
    """A block of code is one piece, whatever its contents and length, and so is a table's row."""
    code = "```python\nprint('a. B')\n\n" + "x = 1. # Hm?\n" * 50 + "```"
    assert cut(f"Run this: {code} It works. Yes") == ["Run this:", code, "It works.", "Yes"]
    assert cut(*f"Run this: {code} It works.") == ["Run this:", code, "It works."]
    assert cut("```\nnever closed. Ever") == ["```\nnever closed. Ever"]
    assert cut("| Dr. A. Go. | B! |\nText.") == ["| Dr. A. Go. | B! |", "Text."]


def test_a_run_without_an_end_is_cut() -> None:
    """A long run is cut at a clause if there is one, else at a word, else anywhere."""
    clauses = "this goes on and on, " * 40
    assert {sentence[-1] for sentence in cut(clauses)} == {","}
    plain = "word " * 200
    assert {sentence[-4:] for sentence in cut(plain)} == {"word"}
    assert [len(sentence) for sentence in cut("x" * 600)] == [250, 250, 100]
    assert cut("，".join(["你好吗" * 20] * 8))[0].endswith("，")


def test_a_sentence_of_the_longest_length_is_not_cut() -> None:
    """A sentence of exactly the longest length is not cut."""
    sentence = "a, " * 83 + "."
    assert len(sentence) == LONGEST_SENTENCE
    assert cut(sentence) == [sentence]


def test_what_never_closes_does_no_harm() -> None:
    """An open quote delays sentences in its own line only."""
    assert cut("5'10\" tall. Next one. And.\nFresh line. Done.") == [
        "5'10\" tall.",
        "Next one.",
        "And.",
        "Fresh line.",
        "Done.",
    ]
    assert cut("(" * 5000 + "a. B.")[-1].endswith("B.")


def test_a_splitter_can_be_used_again() -> None:
    """After the end of one text a splitter is in its initial state."""
    splitter = Sentences()
    splitter.feed("```x (")
    splitter.finish()
    assert splitter.feed("Hello.") == ["Hello."]


MARKED = st.text(st.sampled_from("ab A1.!?…。”\"'()*_`|-•, \n3好é😀"), max_size=400)


@given(MARKED | st.text(max_size=400))
@settings(derandomize=True, deadline=None)
def test_nothing_is_lost(text: str) -> None:
    """The sentences are the text except for white space, and none is empty, padded or too long."""
    sentences = cut(text)
    assert joined(*sentences) == joined(text)
    assert all(sentence and sentence == sentence.strip() for sentence in sentences)
    assert all(len(sentence) <= LONGEST_SENTENCE or "```" in sentence for sentence in sentences)


@given(MARKED, st.lists(st.integers(0, 400)))
@settings(derandomize=True, deadline=None)
def test_nothing_is_lost_in_pieces(text: str, borders: list[int]) -> None:
    """Nothing is lost in pieces of any size."""
    cuts = sorted({0, len(text), *(border for border in borders if border < len(text))})
    assert joined(*cut(*(text[start:end] for start, end in pairwise(cuts)))) == joined(text)


@given(st.lists(st.sampled_from([row for row in CUTS if row[0] not in MISLED]), max_size=6), st.data())
@settings(derandomize=True, deadline=None)
def test_pieces_do_not_matter(rows: list[list[str]], data: st.DataObject) -> None:
    """A text of ordinary sentences is cut in the same places whatever its pieces are."""
    text = "\n".join(text_of(row) for row in rows)
    borders = data.draw(st.sets(st.integers(0, len(text)), max_size=40))
    cuts = sorted(borders | {0, len(text)})
    assert cut(*(text[start:end] for start, end in pairwise(cuts))) == [s for row in rows for s in row]


@pytest.mark.parametrize("text", ["```x", "```", "a b. ", "((((", "| a | b |", "``", "    ", "…”", "x"])
def test_the_work_grows_with_the_text(text: str) -> None:
    """Four times the text takes at most five times the calls and the memory, in one piece or in many."""
    assert max(growth(lambda size: lambda: cut(text * size), 300)) <= MOST_GROWTH
    assert max(growth(lambda size: lambda: cut(*[text] * size), 300)) <= MOST_GROWTH


def test_code_that_never_ends_is_read_once() -> None:
    """Each character of a long block of code is handled in one step, however it arrives."""
    assert cost(lambda: cut("```" + "x" * 100_000)).calls < 1_000
