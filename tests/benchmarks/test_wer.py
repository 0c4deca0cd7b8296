"""The count of word errors, and the product's recognition of its own speech."""

import shutil

import pytest

from benchmarks.wer import VOCABULARY, Trial, word_error_rate
from benchmarks.words import errors, words

FLITE = shutil.which("flite") is not None
SENTENCES = "Set a timer for ten minutes.", "Turn off the lights in the bedroom.", "How many people live in Australia?"


@pytest.mark.parametrize(
    ("recognised", "count"),
    [
        ("Turn off the lights!", 0),
        ("turn of the lights", 1),
        ("turn the lights", 1),
        ("please turn off all the lights", 2),
        ("", 4),
        ("off turn", 3),
    ],
)
def test_word_errors_are_the_least_edit_distance(recognised: str, count: int) -> None:
    """Substituted, missing and added words count one each; case and punctuation do not count."""
    assert errors(words("Turn off the lights."), words(recognised)) == count


async def test_the_product_understands_its_own_speech() -> None:
    """/process recognises three sentences spoken by /speak, with the engine that this machine has."""
    trial = Trial("flite", "flite") if FLITE else Trial("espeak-ng", "espeak-ng", VOCABULARY)
    figure = await word_error_rate(trial, SENTENCES)

    assert figure.members()["words"] == 19
    assert figure.members()["wer_percent"] <= 15
