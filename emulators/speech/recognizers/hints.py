"""A decoder for the phrase list of a client."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pocketsphinx import Config, Decoder, NGramModel
from pocketsphinx.lm import ArpaBoLM

SENTENCE_WORDS = 3
"""Phrases with at least this many words on average are treated as sentences, shorter ones as vocabulary."""
WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
HEAD = re.compile(r"[^ (]+")

Pronunciations = Mapping[str, Sequence[str]]
"""Lines of a pronunciation dictionary, by word."""


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
    """A decoder that recognises only the words of *phrases*; None if none of them is in the dictionary.

    For vocabulary, the probabilities come from *model*, the general language model, restricted to these words: it has
    the probabilities of their sequences. Sentences get a language model built from them.
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
