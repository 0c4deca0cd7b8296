"""Transcripts as plain text and as captions."""

from collections.abc import Sequence
from itertools import accumulate

from voice_core.domain.speech import TimedPhrase, TimedWord
from voice_core.text.captions import LINE_CHARACTERS, LONGEST_CUE_MS, Cue, cues, plain_text, webvtt


def phrase(text: str, start_ms: int, word_ms: int = 400, language: str = "en-US") -> TimedPhrase:
    """*text*, spoken from *start_ms* on, one word after another."""
    words = tuple(
        TimedWord(word.lower().strip("."), start_ms + number * word_ms, start_ms + (number + 1) * word_ms)
        for number, word in enumerate(text.split())
    )
    return TimedPhrase(text, start_ms, words[-1].end_ms, language, 0.9, words)


LONG = " ".join(f"word{number:02}" for number in range(40)) + "."


def test_a_short_phrase_is_a_cue() -> None:
    """A cue has the times of its phrase, beyond an hour too."""
    text = webvtt([phrase("Hello there.", 3_600_500)])

    assert text == "WEBVTT\n\n01:00:00.500 --> 01:00:01.300\nHello there.\n"


def test_a_long_phrase_is_cut_between_words() -> None:
    """The pieces of a long phrase are readable, and have the times of their words and the written punctuation."""
    found = list(cues([phrase(LONG, 1000)]))

    assert " ".join(cue.text for cue in found) == LONG
    assert all(len(cue.text) <= LINE_CHARACTERS for cue in found)
    assert all(cue.end_ms - cue.start_ms <= LONGEST_CUE_MS for cue in found)
    assert [cue.start_ms for cue in found][1:] == [cue.end_ms for cue in found][:-1]


def readable(found: Sequence[Cue]) -> bool:
    """Whether all cues are short and follow one another."""
    starts = [cue.start_ms for cue in found]
    short = all(len(cue.text) <= LINE_CHARACTERS and cue.end_ms - cue.start_ms <= LONGEST_CUE_MS for cue in found)
    return short and starts == sorted(starts)


def test_a_long_phrase_without_times_for_its_words_is_cut_by_its_letters() -> None:
    """Without times of words, each letter has its share of the time."""
    found = list(cues([TimedPhrase(LONG, 0, 16_000)]))

    assert readable(found)
    assert " ".join(cue.text for cue in found) == LONG
    assert all(abs(cue.start_ms - 16_000 * LONG.index(cue.text) / len(LONG)) < 100 for cue in found)


def test_what_is_written_otherwise_than_it_was_said_is_cut_where_it_was_said() -> None:
    """Numbers, dates and amounts are fewer words than were spoken; the words around them have their own times."""
    said = (
        "on may fifth twenty twenty six we paid one hundred twenty five dollars and fifty cents to the two men who came"
    )
    words = phrase(f"{said} {said}", 1000).words
    written = "On May 5th, 2026 we paid $125.50 to the two men who came"
    found = list(cues([TimedPhrase(f"{written} — {written.lower()}.", 1000, words[-1].end_ms, words=words)]))
    starts = {word.text: word.start_ms for word in words[23:]}

    assert readable(found)
    assert " ".join(cue.text for cue in found) == f"{written} — {written.lower()}."
    for cue in found[1:]:
        first = cue.text.split()[0].strip("—.,")
        assert first not in starts or min(abs(w.start_ms - cue.start_ms) for w in words if w.text == first) < 300


def test_a_language_without_spaces_is_cut_between_letters() -> None:
    """Text in a language without spaces is cut at the times of its words."""
    text = "今天天气很好我们去公园散步吧" * 10
    words = tuple(TimedWord(text[at : at + 2], at * 200, (at + 2) * 200) for at in range(0, len(text), 2))
    found = list(cues([TimedPhrase(f"{text}。", 0, len(text) * 200, "zh-CN", words=words)]))

    assert readable(found)
    assert "".join(cue.text for cue in found) == f"{text}。"
    assert all(
        cue.start_ms == 200 * at for cue, at in zip(found, accumulate([0] + [len(c.text) for c in found]), strict=False)
    )


def test_a_cue_ends_after_it_begins() -> None:
    """A cue ends after it begins, as the format requires, however short its phrase is."""
    assert "00:00:00.100 --> 00:00:00.101" in webvtt([TimedPhrase("Oh.", 100, 100)])


def test_marks_of_the_format_are_escaped() -> None:
    """Captions show text that looks like markup."""
    assert "a &lt;b&gt; &amp; c" in webvtt([phrase("a <b> & c", 0)])


def test_text_has_paragraphs_where_the_pauses_are() -> None:
    """Phrases follow one another; two seconds of silence begin a paragraph."""
    said = [phrase("One.", 0), phrase("Two.", 1000), phrase("Three.", 4000), phrase("四。", 4500, language="zh-CN")]

    assert plain_text(said) == "One. Two.\n\nThree. 四。"
    assert plain_text([phrase("一。", 0, language="zh-CN"), phrase("二。", 500, language="zh-CN")]) == "一。二。"
    assert plain_text([]) == ""
