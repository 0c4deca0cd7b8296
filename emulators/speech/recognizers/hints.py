"""A decoder for the phrases that a client calls likely."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pocketsphinx import Config, Decoder, NGramModel
from pocketsphinx.lm import ArpaBoLM

SENTENCE_WORDS = 3
"""Phrases of so many words on average are taken for whole sentences, shorter ones for vocabulary."""
WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
HEAD = re.compile(r"[^ (]+")

Pronunciations = Mapping[str, Sequence[str]]
"""Lines of a pronouncing dictionary, by word."""


def pronunciations(dictionary: Path) -> Pronunciations:
    """Read a dictionary of lines such as ``read(2) R IY D``."""
    lines: dict[str, list[str]] = {}
    with dictionary.open(encoding="utf-8") as file:
        for line in file:
            if word := HEAD.match(line):
                lines.setdefault(word[0], []).append(line)
    return lines


def hinted_decoder(
    phrases: Sequence[str], known: Pronunciations, model: NGramModel, settings: Mapping[str, object]
) -> Decoder | None:
    """A decoder that hears nothing but the words of *phrases*; None when none of them is known.

    Single words get their probabilities from *model*, the general one, restricted to them: that knows which may follow
    which. Whole sentences make a model of their own.
    """
    sentences = [words for phrase in phrases if (words := [w for w in WORD.findall(phrase.lower()) if w in known])]
    if not sentences:
        return None
    vocabulary = sorted({word for words in sentences for word in words})
    with tempfile.TemporaryDirectory() as folder:
        dictionary = Path(folder, "words.dict")
        dictionary.write_text("".join(line for word in vocabulary for line in known[word]), encoding="utf-8")
        decoder = Decoder(Config(lm=None, dict=str(dictionary), **settings))
        if sum(map(len, sentences)) >= SENTENCE_WORDS * len(sentences):
            model = _model_of(sentences, Path(folder, "phrases.arpa"))
        decoder.add_lm("hints", model)
    decoder.activate_search("hints")
    return decoder


def _model_of(sentences: Sequence[Sequence[str]], file: Path) -> NGramModel:
    arpa = ArpaBoLM(text="".join(f"<s> {' '.join(words)} </s>\n" for words in sentences))
    arpa.compute()
    arpa.write_file(str(file))
    return NGramModel.readfile(str(file))
