"""How much of a reply has been heard."""

from hypothesis import given
from hypothesis import strategies as st

from voice_core.domain.audio import SPEECH_RATE
from voice_core.usecases.turn.played_words import PlayedWords

SENTENCES = st.lists(st.tuples(st.lists(st.sampled_from("abc"), min_size=1, max_size=6), st.floats(0.1, 3)), max_size=5)


def recital(lines: list[tuple[list[str], float]]) -> tuple[PlayedWords, list[str], float]:
    """What is recited, its words, and its seconds."""
    told, words, length = PlayedWords(), [], 0
    for spoken, seconds in lines:
        half = round(seconds * SPEECH_RATE)
        told.add(" ".join(spoken), half)
        told.add("", half)
        words += spoken
        length += 2 * half
    told.finish()
    return told, words, length / 2 / SPEECH_RATE


@given(SENTENCES, st.floats(0, 20), st.floats(0, 20))
def test_who_hears_longer_hears_more(lines: list[tuple[list[str], float]], one: float, other: float) -> None:
    """What was heard is always a beginning of the reply."""
    told, words, _ = recital(lines)
    shorter, longer = told.heard(min(one, other)).split(), told.heard(max(one, other)).split()

    assert longer[: len(shorter)] == shorter
    assert words[: len(longer)] == longer


@given(SENTENCES)
def test_who_hears_it_out_has_all_of_it(lines: list[tuple[list[str], float]]) -> None:
    """And who hears nothing has nothing."""
    told, words, seconds = recital(lines)

    assert told.heard(seconds + 1e-6).split() == words
    assert told.heard(0.0) == ""


def test_a_sentence_whose_end_is_not_made_yet_is_not_taken_for_heard() -> None:
    """A tenth of a second of a long sentence is not the sentence, though it is all there is."""
    told = PlayedWords()
    told.add("one two three four five six seven eight nine ten", 4800)

    assert told.heard(0.1) == ""
