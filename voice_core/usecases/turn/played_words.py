"""The part of a reply that has been played."""

from dataclasses import dataclass

from voice_core.domain.audio import SPEECH_RATE, seconds

CHARACTERS_PER_SECOND = 15.0
"""The pace of ordinary speech, to estimate a sentence whose length is not known yet."""


@dataclass(slots=True)
class _Line:
    sentence: str
    seconds: float = 0.0


class PlayedWords:
    """The sentences of a reply, with the seconds of their speech."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._complete = False

    def add(self, sentence: str, pcm_bytes: int) -> None:
        """Add *pcm_bytes* of speech, mono 16-bit at 24 kHz; *sentence* is the one that begins here, or empty."""
        if sentence:
            self._lines.append(_Line(sentence))
        if self._lines:
            self._lines[-1].seconds += seconds(pcm_bytes, SPEECH_RATE)

    def finish(self) -> None:
        """Note that the speech is complete."""
        self._complete = True

    def until(self, played_seconds: float) -> str:
        """The words of the first *played_seconds*: complete sentences, and the played share of the last one's words."""
        words: list[str] = []
        for line in self._lines:
            length = self._seconds(line)
            share = min(1.0, played_seconds / length) if length else 0.0
            line_words = line.sentence.split()
            words += line_words[: int(share * len(line_words) + 1e-6)]
            if share < 1.0:
                break
            played_seconds -= length
        return " ".join(words)

    def _seconds(self, line: _Line) -> float:
        if self._complete or line is not self._lines[-1]:
            return line.seconds
        return max(line.seconds, len(line.sentence) / CHARACTERS_PER_SECOND)
