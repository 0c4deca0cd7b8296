"""The client's ICE candidates: those of its offer, and those that arrive after it (trickle ICE)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiortc import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp

from voice_core.domain.errors import InvalidInput, TooLarge

MAX_CANDIDATES = 32
"""Most addresses of a client that are checked: each is paired with each of ours, and gets up to seven checks."""

_FIELDS = 8
"""Fields of a candidate line up to its type; what follows is not needed (RFC 8839, 5.1)."""
_TYPES = ("host", "srflx", "relay")
_AZURE_PLATFORM = "168.63.129.16"
"""Azure's own services, at a public address that each of its virtual networks serves itself."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One candidate line; *candidate* is None where its address or transport is not used."""

    transport: str
    candidate: RTCIceCandidate | None


class RemoteCandidates:
    """Chooses the candidates of one client that are checked, at most `MAX_CANDIDATES`.

    Used are UDP candidates with an IP address, and with *private* those of special purposes too. The others are left
    out: a name cannot be resolved here, and ``.local`` names only on the client's own network. Whatever is left out, a
    client that reaches us is found by its own checks (peer-reflexive candidates).

    The end of candidates is not passed on. ICE would fail at once where no candidate is used, but has to wait for
    peer-reflexive ones (RFC 8863). A session that is not connected in time ends by itself.
    """

    def __init__(self, *, private: bool) -> None:
        self._private = private
        self._known: set[tuple[str, int]] = set()

    def offered(self, values: Iterable[str], *, complete: bool) -> Sequence[RTCIceCandidate]:
        """The candidates of an offer that are checked: those with the highest priorities.

        Raises:
            InvalidInput: ``offer-invalid``; ``offer-tcp-only``, where *complete* says that no others will come.
        """
        lines = [self._line(value, "offer-invalid") for value in _not_empty(values)]
        if complete and lines and all(line.transport == "tcp" for line in lines):
            raise InvalidInput(
                "This offer has only TCP candidates, and this server has no TCP address. Gather candidates over UDP,"
                " or from the relay in iceServers of POST /session {}.",
                code="offer-tcp-only",
            )
        used = sorted((line.candidate for line in lines if line.candidate), key=lambda each: -each.priority)
        return [each for each in used if self._is_new(each)]

    def trickled(self, fragment: str) -> Sequence[RTCIceCandidate]:
        """The candidates of an SDP fragment (RFC 8840, section 9) that are checked in addition.

        Their section does not matter, because all sections share one transport.

        Raises:
            InvalidInput: ``fragment-invalid``.
            TooLarge: ``candidates-too-many``; no candidate of the fragment is used.
        """
        lines = fragment.splitlines()
        if not any(line.startswith("a=") for line in lines):
            raise InvalidInput("This is not an SDP fragment.", code="fragment-invalid")
        values = [line.removeprefix("a=candidate:") for line in lines if line.startswith("a=candidate:")]
        used = [
            line.candidate for value in _not_empty(values) if (line := self._line(value, "fragment-invalid")).candidate
        ]
        new = {_address(each) for each in used} - self._known
        if len(self._known) + len(new) > MAX_CANDIDATES:
            raise TooLarge(
                f"A session uses at most {MAX_CANDIDATES} candidates, those of the offer included. The earlier ones"
                " stay in use; send no more.",
                code="candidates-too-many",
            )
        return [each for each in used if self._is_new(each)]

    def _is_new(self, candidate: RTCIceCandidate) -> bool:
        """Remember *candidate*, unless it is known or one too many."""
        if _address(candidate) in self._known or len(self._known) >= MAX_CANDIDATES:
            return False
        self._known.add(_address(candidate))
        return True

    def _line(self, value: str, code: str) -> _Line:
        try:
            candidate = candidate_from_sdp(" ".join(value.split(maxsplit=_FIELDS)[:_FIELDS]))
            valid = 0 <= candidate.priority < 1 << 32 and 0 <= candidate.port < 1 << 16
        except (AssertionError, ValueError, IndexError) as error:
            raise _unreadable(value, code) from error
        if not valid:
            raise _unreadable(value, code)
        candidate.protocol = candidate.protocol.lower()
        return _Line(candidate.protocol, candidate if self._is_usable(candidate) else None)

    def _is_usable(self, candidate: RTCIceCandidate) -> bool:
        """Whether *candidate* can be checked: by UDP, for RTP with its RTCP on one port, at an address."""
        if (
            (candidate.protocol, candidate.component) != ("udp", 1)
            or candidate.type not in _TYPES
            or not candidate.port
        ):
            return False
        try:
            address = ip_address(candidate.ip)
        except ValueError:
            return False
        return self._private or is_public(address)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether *address* is of one host in the public internet, and not of a special purpose (RFC 6890)."""
    if isinstance(address, IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if embedded:
            return is_public(embedded)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and str(address) != _AZURE_PLATFORM


def _not_empty(values: Iterable[str]) -> Iterable[str]:
    """The candidates without empty ones, by which a browser announces the end of candidates (W3C WebRTC 1.0, 4.8.1)."""
    return filter(str.strip, values)


def _address(candidate: RTCIceCandidate) -> tuple[str, int]:
    return str(ip_address(candidate.ip)), candidate.port


def _unreadable(value: str, code: str) -> InvalidInput:
    return InvalidInput(f"This candidate cannot be read: {value[:80]!r}.", code=code)
