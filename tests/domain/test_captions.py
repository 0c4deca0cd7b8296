"""Transcripts as text and as captions."""

from voice_core.domain.captions import LINE_CHARACTERS, LONGEST_CUE_MS, cues, plain_text, webvtt
from voice_core.domain.speech import TimedPhrase, TimedWord


def phrase(text: str, start_ms: int, word_ms: int = 400, language: str = "en-US") -> TimedPhrase:
    """*text* said from *start_ms* on, a word after the other."""
    words = tuple(
        TimedWord(word.lower().strip("."), start_ms + number * word_ms, start_ms + (number + 1) * word_ms)
        for number, word in enumerate(text.split())
    )
    return TimedPhrase(text, start_ms, words[-1].end_ms, language, 0.9, words)


LONG = " ".join(f"word{number:02}" for number in range(40)) + "."


def test_a_short_phrase_is_a_cue() -> None:
    """With the times of the phrase, also past the hour."""
    text = webvtt([phrase("Hello there.", 3_600_500)])

    assert text == "WEBVTT\n\n01:00:00.500 --> 01:00:01.300\nHello there.\n"


def test_a_long_phrase_is_cut_between_words() -> None:
    """Into pieces that can be read, each with the times of its own words and the marks as they are written."""
    found = list(cues([phrase(LONG, 1000)]))

    assert " ".join(cue.text for cue in found) == LONG
    assert all(len(cue.text) <= LINE_CHARACTERS for cue in found)
    assert all(cue.end_ms - cue.start_ms <= LONGEST_CUE_MS for cue in found)
    assert [cue.start_ms for cue in found][1:] == [cue.end_ms for cue in found][:-1]


def test_a_long_phrase_without_times_for_its_words_stays_whole() -> None:
    """Better a long cue than one at the wrong time; so where numbers are written as one word and said as three."""
    wordless = TimedPhrase(LONG, 0, 16_000)
    other = TimedPhrase(f"{LONG} 1999", 0, 16_000, words=phrase(LONG, 0).words)

    assert [cue.text for cue in cues([wordless, other])] == [wordless.text, other.text]


def test_marks_of_the_format_are_escaped() -> None:
    """Captions show what was said, whatever it was."""
    assert "a &lt;b&gt; &amp; c" in webvtt([phrase("a <b> & c", 0)])


def test_text_has_paragraphs_where_the_pauses_are() -> None:
    """Phrases follow one another; two seconds of silence begin a paragraph."""
    said = [phrase("One.", 0), phrase("Two.", 1000), phrase("Three.", 4000), phrase("四。", 4500, language="zh-CN")]

    assert plain_text(said) == "One. Two.\n\nThree. 四。"
    assert plain_text([phrase("一。", 0, language="zh-CN"), phrase("二。", 500, language="zh-CN")]) == "一。二。"
    assert plain_text([]) == ""
