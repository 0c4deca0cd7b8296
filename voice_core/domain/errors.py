"""All errors, as they are reported to the caller.

VoiceError
├── InvalidInput            the request is wrong: the caller must fix it
│   ├── InvalidAudio        the sound could not be read
│   │   └── TooLarge        too many bytes or seconds for one turn
│   ├── UnsupportedFormat   the bytes are in no audio format that we read
│   ├── BodyStalled         the rest of the request did not arrive
│   └── KeyReused           the Idempotency-Key belongs to another request
├── Unauthenticated         the request has no credentials
│   └── InvalidToken        the credentials are not valid
├── NoSpeech                no words in the utterance
├── NotFound                the user has no such resource
├── Conflict                another request has changed the resource
├── Busy                    this worker has no capacity at present
├── LimitReached            the user's rate limit or quota is used up
├── ReplyRefused            the assistant's content filter refused
└── StageFailed             a provider or store failed
    ├── StageTimedOut       it took too long
    ├── Throttled           it requested fewer calls
    ├── Unreachable         it could not be reached
    │   └── Unavailable     it failed repeatedly, so calls are suspended
    ├── AtCapacity          as many of our calls as allowed are in progress
    └── Misconfigured       it rejects our settings or credentials: an operator must fix them

``code`` is stable and kebab-case; clients branch on it. ``stage`` is stt, assistant, tts or identity, or a store's
name.
"""

from collections.abc import Mapping
from typing import Any

LONGEST_WAIT_SECONDS = 2 * 86_400
"""Longer than any limit of ours, or a provider's daily quota. A longer `retry_after`, or no number, is ignored."""


class VoiceError(Exception):
    """An error that is reported to the caller."""

    code = "internal-error"
    retryable = False

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        stage: str | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.stage = stage
        self.retryable = self.retryable if retryable is None else retryable
        # Comparisons with NaN are false, so NaN is ignored just as a time that is too long.
        known = retry_after is not None and retry_after <= LONGEST_WAIT_SECONDS
        self.retry_after = retry_after if known else None
        """Seconds after which a retry makes sense, when known."""
        self.extra = dict(extra or {})
        """Additional members of the problem document; JSON types only."""


class InvalidInput(VoiceError):
    code = "request-invalid"


class InvalidAudio(InvalidInput):
    code = "audio-unreadable"


class TooLarge(InvalidAudio):
    code = "audio-too-large"


class UnsupportedFormat(InvalidInput):
    code = "audio-format-unknown"


class BodyStalled(InvalidInput):
    code = "body-stalled"
    retryable = True


class KeyReused(InvalidInput):
    code = "idempotency-key-reused"


class Unauthenticated(VoiceError):
    code = "unauthenticated"


class InvalidToken(Unauthenticated):
    code = "token-invalid"


class NoSpeech(VoiceError):
    code = "no-speech"


class NotFound(VoiceError):
    code = "not-found"


class Conflict(VoiceError):
    code = "conflict"
    retryable = True


class Busy(VoiceError):
    code = "busy"
    retryable = True


class LimitReached(VoiceError):
    code = "limit-reached"
    retryable = True


class ReplyRefused(VoiceError):
    code = "reply-refused"


class StageFailed(VoiceError):
    code = "stage-failed"
    retryable = True


class StageTimedOut(StageFailed):
    code = "stage-timed-out"


class Throttled(StageFailed):
    code = "stage-throttled"


class Unreachable(StageFailed):
    code = "stage-unreachable"


class Unavailable(Unreachable):
    code = "stage-unavailable"


class AtCapacity(StageFailed):
    code = "stage-busy"


class Misconfigured(StageFailed):
    code = "stage-misconfigured"
    retryable = False
