"""ICE candidates that arrive after the offer (trickle ICE)."""

from collections.abc import Iterator

from aiortc import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp

from voice_core.domain.errors import InvalidInput


def candidates(fragment: str) -> Iterator[RTCIceCandidate | None]:
    """The candidates of an SDP fragment (RFC 8840, section 9), None for the end of them.

    Raises:
        InvalidInput: ``fragment-invalid``.
    """
    lines = fragment.splitlines()
    if not any(line.startswith("a=") for line in lines):
        raise InvalidInput("This is not an SDP fragment.", code="fragment-invalid")
    mid = "0"
    for line in lines:
        name, _, value = line.partition(":")
        if name == "a=mid":
            mid = value
        elif name == "a=candidate":
            yield _candidate(value, mid)
        elif name == "a=end-of-candidates":
            yield None


def _candidate(value: str, mid: str) -> RTCIceCandidate:
    try:
        candidate = candidate_from_sdp(value)
    except (AssertionError, ValueError, IndexError) as error:
        raise InvalidInput("A candidate of this fragment cannot be read.", code="fragment-invalid") from error
    candidate.sdpMid = mid
    return candidate
