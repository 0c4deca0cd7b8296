"""Stored speech for players: complete, or while it is still being synthesised."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from voice_core.domain.errors import NotFound, StageTimedOut
from voice_core.domain.speech import SpeechName, StoredSpeech
from voice_core.ports.clips import Speeches

POLL_SECONDS = 0.1
"""Interval at which speech in progress is read."""

STALL_SECONDS = 30.0
"""Speech that has not grown for this long is given up: the worker that synthesises it has died."""

Encode = Callable[[bytes], bytes]
"""Encodes mono 16-bit PCM at 24 kHz as a complete file."""


async def find_speech(name: SpeechName, speeches: Speeches, *, keep_hours: float) -> StoredSpeech:
    """The stored speech, complete or in progress.

    Raises:
        NotFound: ``speech-not-found``: there is none, it has expired, it is empty, or it will never be complete.
    """
    speech = await speeches.find(name)
    age = datetime.now(UTC) - speech.made_at
    longest = timedelta(hours=keep_hours) if speech.complete else timedelta(seconds=STALL_SECONDS)
    if age > longest or (speech.complete and not speech.pcm_bytes):
        raise NotFound("This speech is no longer stored.", code="speech-not-found", stage="storage")
    return speech


async def follow_speech(name: SpeechName, speeches: Speeches) -> AsyncGenerator[bytes]:
    """The PCM of the speech from its beginning, as it is synthesised.

    Raises:
        StageTimedOut: it has not grown for `STALL_SECONDS`.
    """
    sent_bytes, progressed_at = 0, monotonic()
    while True:
        speech = await speeches.find(name)
        if speech.pcm_bytes > sent_bytes:
            yield await speeches.read(name, sent_bytes, speech.pcm_bytes - sent_bytes)
            sent_bytes, progressed_at = speech.pcm_bytes, monotonic()
        elif speech.complete:
            return
        elif monotonic() - progressed_at > STALL_SECONDS:
            raise StageTimedOut("The synthesis of this speech stopped before its end.", stage="tts")
        else:
            await asyncio.sleep(POLL_SECONDS)


async def encoded_bytes(speech: StoredSpeech, audio_format: str, encode: Encode, speeches: Speeches) -> int:
    """The size of complete *speech* in *audio_format*; the first request for a format encodes it with *encode*.

    The file is stored: a player that fetches it in ranges needs all of them from the same file.
    """
    try:
        return await speeches.encoded(speech.name, audio_format)
    except NotFound:
        pcm = await speeches.read(speech.name, 0, speech.pcm_bytes) if speech.pcm_bytes else b""
        await speeches.put_encoded(speech.name, audio_format, await asyncio.to_thread(encode, pcm))
        return await speeches.encoded(speech.name, audio_format)
