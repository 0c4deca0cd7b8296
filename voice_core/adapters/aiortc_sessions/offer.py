"""An offer, reduced to what this product serves: one audio section with Opus and one data channel, on one transport.

aiortc receives that reduced offer only. It refuses offers with sections that it cannot serve, follows a BUNDLE group
only if its own section comes first, and takes quadratic time for some attributes that occur often.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from voice_core.adapters.aiortc_sessions.sdp_sections import Description, Section, description
from voice_core.domain.errors import InvalidInput

MAX_FINGERPRINTS = 8
"""Most fingerprints of certificates that are compared."""

_OPUS = ("opus/48000/2", "opus/48000")
_KNOWN_CODECS = {"g722/8000", "pcmu/8000", "pcma/8000", "vp8/90000", *_OPUS}
"""Codecs for which a section is kept, although nothing is sent or received."""
_BASELINE = re.compile(r"profile-level-id=42", re.IGNORECASE)
_EXTENSIONS = ("urn:ietf:params:rtp-hdrext:sdes:mid", "urn:ietf:params:rtp-hdrext:ssrc-audio-level")
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_DYNAMIC = range(96, 128)
"""The payload types that aiortc takes over from an offer."""
_ICE_PART = re.compile(r"[\x21-\x7e]{1,256}")
_FINGERPRINT = re.compile(r"[\w-]{1,16} [0-9A-Fa-f:]{2,300}")


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer whose sections have been chosen."""

    description: Description
    audio: Section
    channel: Section | None
    """The data channel's section."""
    bundle: Sequence[Section]
    """The sections of the BUNDLE group of *audio* that stay in it, the one whose transport counts first."""

    @property
    def primary(self) -> Section:
        """The section whose attributes describe the transport of all (the tagged one, RFC 9143, 7.2.1)."""
        return self.bundle[0] if self.bundle else self.audio

    @property
    def ufrag(self) -> str:
        """The user fragment of the client's ICE session."""
        return self._of_transport("ice-ufrag")

    @property
    def served(self) -> Sequence[Section]:
        """The sections of the reduced offer, in its order."""
        return (self.audio,) if self.channel is None else (self.audio, self.channel)

    def candidates(self) -> Iterator[str]:
        """The values of all candidate lines for our transport."""
        for section in self.bundle or self.served:
            yield from section.attributes.get("candidate", ())

    @property
    def complete(self) -> bool:
        """Whether no more candidates will come: the offer says so, or the client does not trickle (RFC 8840, 4.1)."""
        places = [self.description.attributes, *(each.attributes for each in (*self.served, self.primary))]
        trickles = any("trickle" in value.split() for place in places for value in place.get("ice-options", ()))
        return not trickles or any("end-of-candidates" in place for place in places)

    def reduced(self) -> str:
        """The SDP for aiortc, without candidates.

        Raises:
            InvalidInput: ``offer-invalid``; the transport is incomplete.
        """
        lite = ["a=ice-lite"] if "ice-lite" in self.description.attributes else []
        lines = ["v=0", "o=- 0 0 IN IP4 0.0.0.0", "s=-", "t=0 0", *lite, *self._audio_lines()]
        if self.channel is not None:
            lines += _channel_lines(self.channel)
            lines += self._transport_lines()
        return "".join(f"{line}\r\n" for line in lines)

    def _audio_lines(self) -> Iterator[str]:
        audio = self.audio
        payload_type = _opus(audio)
        yield f"m=audio 9 UDP/TLS/RTP/SAVPF {payload_type}"
        yield f"a={_direction(audio, self.description)}"
        yield from _mid_line(audio)
        if "rtcp-mux" not in audio.attributes and not self.bundle:
            raise _incomplete(audio, "a=rtcp-mux")
        yield "a=rtcp-mux"
        yield f"a=rtpmap:{payload_type} opus/48000/2"
        yield from _extension_lines(audio)
        if (source := re.match(r"\d{1,10}(?= )", audio.first("ssrc") or "")) and int(source[0]) < 1 << 32:
            yield f"a=ssrc:{source[0]} cname:-"
        yield from self._transport_lines()

    def _transport_lines(self) -> Iterator[str]:
        for name in ("ice-ufrag", "ice-pwd"):
            value = self._of_transport(name)
            if not _ICE_PART.fullmatch(value):
                raise _incomplete(self.primary, f"a={name}")
            yield f"a={name}:{value}"
        fingerprints = self.primary.attributes.get("fingerprint") or self.description.attributes.get("fingerprint", ())
        valid = [value for value in fingerprints[:MAX_FINGERPRINTS] if _FINGERPRINT.fullmatch(value)]
        if not valid:
            raise _incomplete(self.primary, "a=fingerprint")
        yield from (f"a=fingerprint:{value}" for value in valid)
        # A client that offers actpass gets the DTLS client role, as RFC 9725 specifies. As DTLS client, aiortc would
        # not support RSA, which GStreamer's certificates use.
        yield f"a=setup:{'passive' if self._of_transport('setup') == 'passive' else 'active'}"

    def _of_transport(self, name: str) -> str:
        """The transport's attribute *name*, of the section or of the session (RFC 8839, 5.4)."""
        return self.primary.first(name) or next(iter(self.description.attributes.get(name, ())), "")


def parsed_offer(sdp: str) -> Offer:
    """The offer in the text *sdp*.

    Raises:
        InvalidInput: ``offer-invalid``; it is not SDP, or has no audio section with Opus.
    """
    offered = description(sdp)
    audio = _audio(offered.sections)
    group = _bundle(offered, audio)
    possible = set(group) or set(offered.sections)
    channel = next((section for section in offered.sections if section in possible and _carries_channel(section)), None)
    return Offer(offered, audio, channel, _kept(offered, group, audio, channel))


def _audio(sections: Sequence[Section]) -> Section:
    sounds = [section for section in sections if section.kind == "audio" and not section.stopped]
    if not sounds:
        raise InvalidInput("This offer has no audio section that is in use.", code="offer-invalid")
    found = next((section for section in sounds if _opus(section)), None)
    if found is None:
        example = "a=rtpmap:111 opus/48000/2, with a number from 96 to 127"
        detail = f"This offer cannot be answered: {sounds[0]} has no Opus ({example})."
        raise InvalidInput(detail, code="offer-invalid")
    return found


def _opus(section: Section) -> str:
    codecs = section.codecs()
    types = [codecs[name] for name in _OPUS if name in codecs]
    return next((each for each in types if each.isdecimal() and len(each) < 4 and int(each) in _DYNAMIC), "")


def _bundle(offered: Description, audio: Section) -> Sequence[Section]:
    """The sections of the BUNDLE group of *audio*, in the group's order; none when it is in no group."""
    by_mid: dict[str, Section] = {}
    for section in offered.sections:
        if section.mid:
            by_mid.setdefault(section.mid, section)
    for value in offered.attributes.get("group", ()):
        mids = value.removeprefix("BUNDLE ").split()
        if value.startswith("BUNDLE ") and audio.mid in mids and by_mid[audio.mid] is audio:
            return [by_mid[mid] for mid in dict.fromkeys(mids) if mid in by_mid and not by_mid[mid].stopped]
    return ()


def _kept(offered: Description, group: Sequence[Section], audio: Section, channel: Section | None) -> Sequence[Section]:
    """The sections of *group* that the answer keeps, the one that describes the transport first.

    A section without a codec that we know is rejected (RFC 9429, 5.3.1), but not the tagged one, because the others use
    its transport (RFC 9143, 7.3.3): with ``max-bundle``, Chromium cannot apply an answer that rejects it.
    """
    kept = [section for section in group if section is audio or section is channel or _known(section)]
    described = "ice-ufrag" in offered.attributes
    primary = next((s for s in group if described or "ice-ufrag" in s.attributes), None)
    return kept if primary is None else [primary, *(section for section in kept if section is not primary)]


def _known(section: Section) -> bool:
    """Whether the section could be served by its codec: then it is kept, as inactive."""
    if section.kind not in ("audio", "video"):
        return False
    codecs = section.codecs()
    baseline = any(_BASELINE.search(value) for value in section.attributes.get("fmtp", ()))
    return not _KNOWN_CODECS.isdisjoint(codecs) or ("h264/90000" in codecs and baseline)


def _carries_channel(section: Section) -> bool:
    legacy = section.profile == "DTLS/SCTP"
    port = section.formats if legacy else section.first("sctp-port") or ""
    served = legacy or (section.profile.endswith("/DTLS/SCTP") and section.formats == "webrtc-datachannel")
    return section.kind == "application" and not section.stopped and served and _is_port(port)


def _channel_lines(section: Section) -> Iterator[str]:
    if section.profile == "DTLS/SCTP":
        yield f"m=application 9 DTLS/SCTP {section.formats}"
    else:
        yield "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"
        yield f"a=sctp-port:{section.first('sctp-port')}"
    yield from _mid_line(section)
    size = section.first("max-message-size") or ""
    if size.isdecimal() and len(size) < 12:
        yield f"a=max-message-size:{size}"


def _mid_line(section: Section) -> Iterator[str]:
    if section.mid:
        yield f"a=mid:{section.mid}"


def _extension_lines(section: Section) -> Iterator[str]:
    numbers: dict[str, str] = {}
    for value in section.attributes.get("extmap", ()):
        number, _, uri = value.partition(" ")
        numbers.setdefault(uri, number.partition("/")[0])
    for uri in _EXTENSIONS:
        number = numbers.get(uri, "")
        if number.isdecimal() and len(number) < 4 and 0 < int(number) < 256:
            yield f"a=extmap:{number} {uri}"


def _direction(section: Section, offered: Description) -> str:
    """The section's direction; the default is the session's, and then sendrecv (RFC 8866, 6.7)."""
    names = (*section.attributes, *offered.attributes, "sendrecv")
    return next(name for name in names if name in _DIRECTIONS)


def _is_port(text: str) -> bool:
    return text.isdecimal() and len(text) < 6 and 0 < int(text) < 65_536


def _incomplete(section: Section, line: str) -> InvalidInput:
    return InvalidInput(f"This offer cannot be answered: {section} has no valid {line}.", code="offer-invalid")
