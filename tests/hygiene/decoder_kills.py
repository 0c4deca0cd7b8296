"""Kills decoder processes at random moments while another user's recordings go through the same pool.

    python -m tests.hygiene.decoder_kills [--kills 1000] [--seed 1]

Processes that decode for one user are killed, and processes that wait for a recording of any user. The exit status is 1
when a recording of the other user is lost or differs by a byte, or when the first user gets any other error than the
advice to send the recording again.
"""

import argparse
import asyncio
import random
import shlex
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from tests.audio.decoder_process.recordings import FILES
from tests.audio.sounds import pieces, read
from tests.hygiene.fuzz_table import heading
from voice_core.audio.decoder_process.decoder_connection import DecoderConnection
from voice_core.audio.decoder_process.decoder_frames import Job
from voice_core.audio.decoder_process.exchange import Exchange
from voice_core.audio.decoder_process.pool import DecoderPool
from voice_core.audio.decoder_process.user_decoder import UserDecoder
from voice_core.audio.limits import Limits
from voice_core.audio.upload_decoder import Decoding
from voice_core.domain.errors import Busy, VoiceError

NAMES = ("m4a", "mp3", "ogg", "flac", "caf", "webm")
"""Recordings that both users send. WebM is decoded while it arrives, the others once they are complete."""

VICTIM, OTHER = "victim", "other"
RIGHT, WRONG = "right", "wrong"

PIECE_BYTES = 2_048
LATEST_SECONDS = 0.02
"""Latest moment of a kill after its recording began to arrive: most are decoded by then."""

_user: ContextVar[str] = ContextVar("user")


class ObservedPool(DecoderPool):
    """A pool that knows which process decodes for the victim."""

    in_use: Exchange | None = None
    """The victim's latest."""

    async def exchange(self, job: Job) -> Exchange:
        exchange = await super().exchange(job)
        if _user.get() == VICTIM:
            self.in_use = exchange
        return exchange

    def killable(self) -> list[DecoderConnection]:
        """The connections to processes that may be killed: the victim's, and those that wait."""
        used = [self.in_use._connection] if self.in_use else []
        return [*used, *self._spares]


@dataclass
class KillReport:
    """The ends of both users' recordings."""

    kills: int = 0
    """Processes that lived when they were killed."""
    victim: Counter[str] = field(default_factory=Counter)
    other: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)

    @property
    def harmless(self) -> bool:
        return set(self.other) == {RIGHT} and set(self.victim) <= {RIGHT, Busy.code}

    def table(self) -> str:
        rows = (
            ("processes killed", str(self.kills)),
            ("recordings of the other user", _counted(self.other)),
            ("recordings of the user whose processes are killed", _counted(self.victim)),
            ("events", _counted(self.events)),
        )
        return "\n".join(f"{name:50} {value}" for name, value in rows)


class KillRun:
    """One run: *kills* processes are killed; *seed* chooses files, moments and processes."""

    def __init__(self, kills: int, seed: int = 1) -> None:
        self._kills = kills
        self._chance = random.Random(f"{seed}:victim")
        self._other_chance = random.Random(f"{seed}:other")
        self._files = {name: FILES[name]() for name in NAMES}
        self._sounds = {name: read(data) for name, data in self._files.items()}
        self._report = KillReport()
        self._pool = ObservedPool(self._note)

    async def run(self) -> KillReport:
        try:
            await self._pool.warm()
            ended = asyncio.Event()
            others = asyncio.create_task(self._other_recordings(ended))
            while self._report.kills < self._kills:
                await self._victim_recording()
            ended.set()
            await others
        finally:
            await self._pool.close()
        return self._report

    def _note(self, name: str, attributes: Mapping[str, Any]) -> None:
        self._report.events[f"{name} {attributes.get('reason', '')}".strip()] += 1

    async def _other_recordings(self, ended: asyncio.Event) -> None:
        """Recordings of the other user, one after the other."""
        _user.set(OTHER)
        while not ended.is_set():
            name = self._other_chance.choice(NAMES)
            self._report.other[await self._ending(OTHER, name)] += 1

    async def _victim_recording(self) -> None:
        _user.set(VICTIM)
        name = self._chance.choice(NAMES)
        killing = asyncio.create_task(self._kill_soon(self._chance.random() * LATEST_SECONDS))
        self._report.victim[await self._ending(VICTIM, name)] += 1
        await killing

    async def _kill_soon(self, seconds: float) -> None:
        """Kill one of the processes, or all of them."""
        await asyncio.sleep(seconds)
        processes = self._pool.killable()
        if not processes:
            return
        for process in processes if self._chance.random() < 0.1 else [self._chance.choice(processes)]:
            self._report.kills += not process.exited.done()
            process.kill()

    async def _ending(self, user: str, name: str) -> str:
        """How the recording *name* of *user* ended: right, wrong, or the code of an error."""
        try:
            decoding = Decoding(None, Limits(), UserDecoder(self._pool, user))
            upload = _arriving(self._files[name])
            sound = b"".join([pcm async for pcm in decoding.pcm(upload)])
        except VoiceError as error:
            return error.code
        return RIGHT if sound == self._sounds[name] else WRONG


async def _arriving(data: bytes) -> AsyncGenerator[bytes]:
    async for piece in pieces(data, PIECE_BYTES):
        yield piece
        await asyncio.sleep(0)


def _counted(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common()) or "none"


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.hygiene.decoder_kills", description=__doc__)
    arguments.add_argument("--kills", type=int, default=1_000)
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    began = monotonic()
    report = asyncio.run(KillRun(options.kills, options.seed).run())
    command = shlex.join(["python", "-m", "tests.hygiene.decoder_kills", *(sys.argv[1:] or ("--seed", "1"))])
    lines = (heading(command, report.kills, monotonic() - began), report.table())
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(not report.harmless)


if __name__ == "__main__":
    main()
