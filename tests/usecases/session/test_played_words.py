"""The words of a reply that have been played."""

from hypothesis import given
from hypothesis import strategies as st

from voice_core.domain.audio import SPEECH_RATE
from voice_core.usecases.turn.played_words import PlayedWords

SENTENCES = st.lists(st.tuples(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), st.floats(0.1, 3)), max_size=5)


def played(lines: list[tuple[list[str], float]]) -> tuple[PlayedWords, list[str], float]:
    """A reply of these lines, its words, and its seconds."""
    reply, words, length = PlayedWords(), [], 0
    for line, seconds in lines:
        half = round(seconds * SPEECH_RATE)
        reply.add(" ".join(line), half)
        reply.add("", half)
        words += line
        length += 2 * half
    reply.finish()
    return reply, words, length / 2 / SPEECH_RATE


@given(SENTENCES, st.floats(0, 20), st.floats(0, 20))
def test_longer_playing_has_more_words(lines: list[tuple[list[str], float]], one: float, other: float) -> None:
    """The played words are always the beginning of the reply, and never fewer after a longer time."""
    reply, words, _ = played(lines)
    shorter, longer = reply.until(min(one, other)).split(), reply.until(max(one, other)).split()

    assert longer[: len(shorter)] == shorter
    assert words[: len(longer)] == longer


@given(SENTENCES)
def test_a_reply_played_to_its_end_has_all_words(lines: list[tuple[list[str], float]]) -> None:
    """All words count as played after the length of the reply, and none at its start."""
    reply, words, seconds = played(lines)

    assert reply.until(seconds + 1e-6).split() == words
    assert reply.until(0.0) == ""


def test_an_unfinished_sentence_does_not_count_as_played() -> None:
    """A tenth of a second of a long sentence counts as no word, though it is all the speech there is yet."""
    reply = PlayedWords()
    reply.add("one two three four five six seven eight nine ten", 4800)

    assert reply.until(0.1) == ""
