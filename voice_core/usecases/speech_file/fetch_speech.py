"""Speech that was kept, for players: whole, or while it is still being made."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from time import monotonic

from voice_core.domain.errors import NotFound, StageTimedOut
from voice_core.domain.speech import SpeechName, StoredSpeech
from voice_core.ports.clips import Speeches

LOOK_SECONDS = 0.1
"""Between two looks at speech that is being made."""

PATIENCE_SECONDS = 30.0
"""With speech of which no more comes: whoever makes it has died."""

Encode = Callable[[bytes], bytes]
"""Makes a whole file of mono 16-bit PCM at 24 kHz."""


async def find_speech(name: SpeechName, speeches: Speeches, *, keep_hours: float) -> StoredSpeech:
    """What there is of it.

    Raises:
        NotFound: ``speech-not-found``: none, none any more, or some that will never be complete.
    """
    speech = await speeches.find(name)
    age = datetime.now(UTC) - speech.made_at
    longest = timedelta(hours=keep_hours) if speech.complete else timedelta(seconds=PATIENCE_SECONDS)
    if age > longest or (speech.complete and not speech.pcm_bytes):
        raise NotFound("This speech is kept no more.", code="speech-not-found", stage="storage")
    return speech


async def follow_speech(name: SpeechName, speeches: Speeches) -> AsyncGenerator[bytes]:
    """Its PCM from the beginning, as it is made.

    Raises:
        StageTimedOut: no more comes.
    """
    told, heard = 0, monotonic()
    while True:
        speech = await speeches.find(name)
        if speech.pcm_bytes > told:
            yield await speeches.read(name, told, speech.pcm_bytes - told)
            told, heard = speech.pcm_bytes, monotonic()
        elif speech.complete:
            return
        elif monotonic() - heard > PATIENCE_SECONDS:
            raise StageTimedOut("The rest of this speech was never made.", stage="tts")
        else:
            await asyncio.sleep(LOOK_SECONDS)


async def encoded_bytes(speech: StoredSpeech, audio_format: str, encode: Encode, speeches: Speeches) -> int:
    """The size of complete *speech* in *audio_format*, which is made by *encode* when it is asked for first.

    It is kept: a player that fetches a file in parts needs them all of the same one.
    """
    try:
        return await speeches.encoded(speech.name, audio_format)
    except NotFound:
        pcm = await speeches.read(speech.name, 0, speech.pcm_bytes) if speech.pcm_bytes else b""
        await speeches.put_encoded(speech.name, audio_format, await asyncio.to_thread(encode, pcm))
        return await speeches.encoded(speech.name, audio_format)
