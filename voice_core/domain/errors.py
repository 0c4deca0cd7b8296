"""Everything that can go wrong, as the caller will hear of it.

VoiceError
├── InvalidInput            the request cannot be served as it is: mend it
│   ├── InvalidAudio        the sound could not be read
│   │   └── TooLarge        too many bytes or seconds for one turn
│   ├── UnsupportedFormat   these bytes are no sound we know
│   ├── BodyStalled         the rest of the request did not come
│   └── KeyReused           its Idempotency-Key was another request's
├── Unauthenticated         the caller does not say who they are
│   └── InvalidToken        or not so that it can be believed
├── NoSpeech                nothing was said
├── NotFound                no such thing of yours
├── Conflict                somebody else was there first
├── Busy                    there is no room for this here now
├── LimitReached            you have had as much of this as you may for now
├── ReplyRefused            the assistant's content filter said no
└── StageFailed             a provider let us down
    ├── StageTimedOut       it took too long
    ├── Throttled           it asked us to slow down
    ├── Unreachable         it is not there
    │   └── Unavailable     it failed again and again, so it is not asked just now
    ├── Crowded             we ask as much of it as we may already
    └── Misconfigured       it does not accept us: an operator must mend it

``code`` is stable and kebab-case; clients branch on it. ``stage`` is stt, assistant, tts or identity, or a store's
name.
"""

from collections.abc import Mapping
from typing import Any

LONGEST_WAIT_SECONDS = 2 * 86_400
"""More than any limit of ours takes, or a provider's quota of a day. Who names more, or no number, has said nothing."""


class VoiceError(Exception):
    """Something went wrong that the caller should hear about."""

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
        # nan compares with nothing, so what is no number falls out as what is too long does.
        known = retry_after is not None and retry_after <= LONGEST_WAIT_SECONDS
        self.retry_after = retry_after if known else None
        """Seconds after which a retry makes sense, when known."""
        self.extra = dict(extra or {})
        """More members for the problem document; JSON types only."""


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
