"""How much of a reply has been heard."""

from dataclasses import dataclass

from voice_core.domain.audio import SPEECH_RATE, seconds

CHARACTERS_PER_SECOND = 15.0
"""The pace of ordinary speech, for a sentence whose length is not known yet."""


@dataclass(slots=True)
class _Line:
    sentence: str
    seconds: float = 0.0


class PlayedWords:
    """The sentences of a reply, and how long each of them sounds."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._complete = False

    def add(self, sentence: str, pcm_bytes: int) -> None:
        """Some speech follows, mono 16-bit at 24 kHz; *sentence* is what begins with it, if one does."""
        if sentence:
            self._lines.append(_Line(sentence))
        if self._lines:
            self._lines[-1].seconds += seconds(pcm_bytes, SPEECH_RATE)

    def finish(self) -> None:
        """There is no more."""
        self._complete = True

    def heard(self, heard_seconds: float) -> str:
        """The words of the first *heard_seconds*: whole sentences, and of the last as many words as its share."""
        words: list[str] = []
        for line in self._lines:
            length = self._seconds(line)
            share = min(1.0, heard_seconds / length) if length else 0.0
            spoken = line.sentence.split()
            words += spoken[: int(share * len(spoken) + 1e-6)]
            if share < 1.0:
                break
            heard_seconds -= length
        return " ".join(words)

    def _seconds(self, line: _Line) -> float:
        if self._complete or line is not self._lines[-1]:
            return line.seconds
        return max(line.seconds, len(line.sentence) / CHARACTERS_PER_SECOND)
