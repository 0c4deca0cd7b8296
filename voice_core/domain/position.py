"""How much of a turn a client has received, so that it can resume the turn elsewhere."""

import re
from dataclasses import dataclass, replace
from zlib import crc32

from voice_core.domain.audio import SAMPLE_BYTES
from voice_core.domain.events import Event, ReplyDelta, ReplyRestarted, SpeechDelta

_TEXT = re.compile(r"(\d{1,9})-([0-9a-f]{8})-(\d{1,9})-(\d{1,12})")


@dataclass(frozen=True, slots=True)
class Position:
    """The part of a reply, and of its speech, that has been received; by default nothing of it."""

    characters: int = 0
    """Length of the words that have been received."""
    checksum: int = 0
    """CRC-32 of these words: another reply has another one."""
    sentences: int = 0
    """Spoken sentences that have begun."""
    samples: int = 0
    """Samples of the last of them, at 24 kHz."""

    def __str__(self) -> str:
        return f"{self.characters}-{self.checksum:08x}-{self.sentences}-{self.samples}"

    @classmethod
    def parse(cls, text: str) -> "Position | None":
        """The position with this `str`; None for any other text."""
        if not (found := _TEXT.fullmatch(text)):
            return None
        characters, checksum, sentences, samples = found.groups()
        return cls(int(characters), int(checksum, 16), int(sentences), int(samples))

    def after(self, event: Event) -> "Position":
        """The position when *event* has been received too."""
        match event:
            case ReplyRestarted():
                return Position()
            case ReplyDelta(text):
                checksum = crc32(text.encode(), self.checksum)
                return replace(self, characters=self.characters + len(text), checksum=checksum)
            case SpeechDelta(pcm, _, sentence):
                samples = len(pcm) // SAMPLE_BYTES
                if sentence:
                    return replace(self, sentences=self.sentences + 1, samples=samples)
                return replace(self, samples=self.samples + samples)
            case _:
                return self

    def is_in(self, reply: str) -> bool:
        """Whether *reply*, complete or so far, begins with the words that have been received."""
        received = reply[: self.characters]
        return len(received) == self.characters and crc32(received.encode()) == self.checksum
