"""The count of word errors, and the product's recognition of its own speech."""

import shutil

import pytest

from benchmarks.spoken_sentences import ESPEAK, FIRST, FLITE, SENTENCES, VOCABULARY, Trial, product, understanding
from benchmarks.words import errors, words

FLITE_INSTALLED = shutil.which("flite") is not None
THREE = "Set a timer for ten minutes.", "Turn off the lights in the bedroom.", "How many people live in Australia?"


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
    """/transcribe recognises three sentences spoken by /speak, with the light engine that this machine has."""
    trial = Trial("flite", FLITE, THREE) if FLITE_INSTALLED else Trial("espeak-ng", ESPEAK, THREE, VOCABULARY)
    async with product(trial.settings) as spoken:
        (figure,) = [figure async for figure in understanding(trial, spoken)]

    assert figure.members()["words"] == 19
    assert figure.members()["wer_percent"] <= 15


def test_no_two_sentences_are_alike() -> None:
    """There are more than fifty, and the light engines' own trials need no reading of numbers."""
    assert len(set(SENTENCES)) == len(SENTENCES) > 50
    assert not any(character.isdigit() for sentence in FIRST for character in sentence)
