"""The voices of the service."""

import asyncio
import json
from collections.abc import Sequence
from difflib import get_close_matches
from time import monotonic
from typing import Any

import aiohttp

from voice_core import timeouts
from voice_core.adapters.azure_speech.access import SpeechAccess
from voice_core.adapters.azure_speech.failures import our_errors, refused, timed_out
from voice_core.adapters.bounded_body import body
from voice_core.domain.errors import InvalidInput, StageFailed, Unreachable
from voice_core.domain.speech import Voice

PATH = "/tts/cognitiveservices/voices/list"
LIST_SECONDS = 5.0
"""How long the list may take."""
LONGEST_LIST_BYTES = 8 * 1024 * 1024
"""The complete list takes less than a quarter of this."""
KEEP_SECONDS = 24 * 60 * 60.0
SUGGESTIONS = 5


async def list_voices(access: SpeechAccess, stage: str) -> tuple[Voice, ...]:
    """Request the list of voices from the service.

    Uses plain HTTP because the SDK's ``get_voices_async`` drops scheme and port of an endpoint such as an emulator's,
    and makes some ten library calls for each of the hundreds of voices.

    Raises:
        StageFailed: with stage *stage*.
    """
    with our_errors(stage):
        headers = access.headers(await access.token())
    try:
        async with timeouts.timeout(LIST_SECONDS), aiohttp.ClientSession(headers=headers) as session:
            return await _fetch(session, access.endpoint + PATH, stage)
    except TimeoutError as error:
        raise timed_out(stage) from error
    except aiohttp.ClientConnectorError as error:
        raise Unreachable("The list of voices is not reachable.", stage=stage) from error
    except aiohttp.ClientError as error:
        raise StageFailed("The list of voices could not be read.", stage=stage) from error
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise StageFailed("The list of voices could not be parsed.", stage=stage) from error


async def _fetch(session: aiohttp.ClientSession, url: str, stage: str) -> tuple[Voice, ...]:
    async with session.get(url, allow_redirects=False) as response:
        if response.status != 200:
            wait = response.headers.get("Retry-After", "")
            raise refused(stage, response.status, float(wait) if wait.isdecimal() else None)
        entries = json.loads(await body(response, LONGEST_LIST_BYTES))
        if not entries or not isinstance(entries, list):
            raise ValueError("No voices.")
        return tuple(_voice(entry) for entry in entries)


def _voice(entry: dict[str, Any]) -> Voice:
    return Voice(entry["ShortName"], entry["Locale"], entry.get("Gender", ""), entry.get("DisplayName", ""))


class Voices:
    """The list of voices, requested once a day for all callers."""

    def __init__(self, access: SpeechAccess) -> None:
        self._access = access
        self._voices: tuple[Voice, ...] = ()
        self._stale_at = 0.0
        self._lock: asyncio.Lock = asyncio.Lock()

    async def all(self) -> Sequence[Voice]:
        """All voices. Concurrent callers share one request.

        Raises:
            StageFailed: with stage ``tts``.
        """
        # One caller requests the list; the others then find it.
        async with self._lock:
            if monotonic() >= self._stale_at or not self._voices:
                self._voices = await list_voices(self._access, "tts")
                self._stale_at = monotonic() + KEEP_SECONDS
            return self._voices

    async def require(self, name: str) -> None:
        """Check that the voice exists. If the list is unavailable, synthesis itself will refuse an unknown voice.

        Raises:
            InvalidInput: ``voice-unknown``, with up to `SUGGESTIONS` similar names.
        """
        try:
            names = [voice.name for voice in await self.all()]
        except StageFailed:
            return
        if name not in names:
            raise _unknown(name, names)


def _unknown(name: str, names: Sequence[str]) -> InvalidInput:
    language = name.partition("-")[0].lower()
    same_language = [other for other in names if other.partition("-")[0] == language]
    near = get_close_matches(name, same_language, SUGGESTIONS, cutoff=0.0)
    detail = f"There is no voice {name!r}." + (f" There is {', '.join(near)}." if near else "")
    return InvalidInput(detail, code="voice-unknown", stage="tts", extra={"voices": near})
