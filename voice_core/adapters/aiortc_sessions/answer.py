"""The SDP answer to an offer, from aiortc's answer to the reduced offer."""

import re
from collections.abc import Iterable, Iterator

from voice_core.adapters.aiortc_sessions.offer import Offer
from voice_core.adapters.aiortc_sessions.sdp_sections import Section

_TRANSPORT = ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:")
_CANDIDATES = ("a=candidate:", "a=end-of-candidates")
_FORMATS = ("rtpmap", "fmtp")


def answer(offer: Offer, reduced: str) -> str:
    """The answer with a section for each of the offer's, in their order (RFC 3264, 6).

    Sections that are not served have port 0, except those that stay in the BUNDLE group: they are inactive.
    """
    head, *media = re.split(r"^(?=m=)", reduced, flags=re.MULTILINE)
    served = dict(zip(offer.served, (part.splitlines() for part in media), strict=True))
    kept = set(offer.bundle)
    lines = [line for line in head.splitlines() if not line.startswith("a=group:")]
    if offer.bundle:
        lines.append("a=group:BUNDLE " + " ".join(section.mid for section in offer.bundle))
    for section in offer.description.sections:
        if section in served:
            lines += _served(section, served[section])
        elif section in kept:
            lines += _inactive(section, served[offer.audio], with_candidates=section is offer.primary)
        else:
            lines += _rejected(section)
    return "".join(f"{line}\r\n" for line in lines)


def _served(section: Section, lines: list[str]) -> Iterator[str]:
    kind, port, _, formats = lines[0].split(" ", 3)
    # The profile of an answer is the offer's (RFC 3264, 6.1).
    yield f"{kind} {port} {section.profile} {formats}"
    yield from lines[1:]


def _inactive(section: Section, transport: Iterable[str], *, with_candidates: bool) -> Iterator[str]:
    yield f"m={section.kind} 9 {section.profile} {section.formats}"
    yield "c=IN IP4 0.0.0.0"
    yield "a=inactive"
    yield f"a=mid:{section.mid}"
    yield "a=rtcp-mux"
    for name in _FORMATS:
        yield from (f"a={name}:{value}" for value in section.attributes.get(name, ()))
    copied = _TRANSPORT + _CANDIDATES if with_candidates else _TRANSPORT
    yield from (line for line in transport if line.startswith(copied))


def _rejected(section: Section) -> Iterator[str]:
    yield f"m={section.kind} 0 {section.profile} {section.formats}"
    yield "c=IN IP4 0.0.0.0"
    yield "a=inactive"
    if section.mid:
        yield f"a=mid:{section.mid}"
