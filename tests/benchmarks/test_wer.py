"""How word errors are counted, and that the product hears itself."""

import shutil

import pytest

from benchmarks.wer import VOCABULARY, Trial, word_error_rate
from benchmarks.words import errors, words

FLITE = shutil.which("flite") is not None
SENTENCES = "Set a timer for ten minutes.", "Turn off the lights in the bedroom.", "How many people live in Australia?"


@pytest.mark.parametrize(
    ("heard", "count"),
    [
        ("Turn off the lights!", 0),
        ("turn of the lights", 1),
        ("turn the lights", 1),
        ("please turn off all the lights", 2),
        ("", 4),
        ("off turn", 3),
    ],
)
def test_errors_are_the_least_that_explain_what_was_heard(heard: str, count: int) -> None:
    """Substituted, missing and added words count one each; case and marks do not count."""
    assert errors(words("Turn off the lights."), words(heard)) == count


async def test_what_the_product_says_it_hears() -> None:
    """Three sentences, spoken by /speak and heard by /process, with the voice that this machine has."""
    trial = Trial("flite", "flite") if FLITE else Trial("espeak-ng", "espeak-ng", VOCABULARY)
    figure = await word_error_rate(trial, SENTENCES)

    assert figure.members()["words"] == 19
    assert figure.members()["wer_percent"] <= 15
