"""SDP offers and trickle fragments (RFC 8866, RFC 9429, RFC 8839, RFC 8840)."""

from collections.abc import Sequence

from tests.hygiene.structure.draw import Draw

FINGERPRINT = ":".join(f"{byte:02X}" for byte in range(32))
CODECS = {
    "audio": ("opus/48000/2", "OPUS/48000/2", "PCMU/8000", "red/48000/2", "telephone-event/8000", "G722/8000"),
    "video": ("VP8/90000", "H264/90000", "VP9/90000", "AV1/90000", "rtx/90000", "H265/90000"),
}
MEDIA = ("audio", "audio", "audio", "video", "application", "text", "image", "message")
ADDRESSES = ("127.0.0.1", "192.0.2.1", "::1", "fe80::1", "10.0.0.1")
HOSTS = ("a1b2.local", "host.example", "0.0.0.0", "999.1.1.1", "")  # noqa: S104 - text in an offer
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
EXTENSIONS = ("urn:ietf:params:rtp-hdrext:sdes:mid", "urn:ietf:params:rtp-hdrext:ssrc-audio-level", "http://a/b")


def offer(draw: Draw) -> str:
    """An offer of several sections, most of them bundled, as browsers and other clients write it, or almost."""
    sections = [draw.choice(MEDIA) for _ in range(draw.choice((1, 1, 2, 2, 3, draw.count(40))))]
    mids = [draw.choice((str(place), media, draw.name().decode())) for place, media in enumerate(sections)]
    lines = ["v=0", f"o=- {draw.number(63)} {draw.number(16)} IN IP4 127.0.0.1", "s=-", f"t={draw.number(32)} 0"]
    bundled = mids if draw.likely(0.8) else draw.some(mids)
    lines += [f"a=group:BUNDLE {' '.join(bundled)}"] if draw.likely(0.9) else []
    lines += draw.some(["a=extmap-allow-mixed", "a=msid-semantic: WMS *", "a=ice-lite", "a=group:LS 0 1"], 0.3)
    transport = _transport(draw)
    shared = draw.likely(0.1)
    lines += transport if shared else []
    for place, (media, mid) in enumerate(zip(sections, mids, strict=True)):
        lines += _section(draw, media, mid, [] if shared or (place and draw.likely(0.2)) else transport)
    return _written(draw, lines)


def fragment(draw: Draw) -> str:
    """Candidates that arrive after the offer, and their end."""
    lines = draw.some([f"a=ice-ufrag:{draw.choice(('abcd', 'other'))}", "a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa"], 0.7)
    for _ in range(draw.few()):
        lines += [f"m=audio {draw.number(16)} UDP/TLS/RTP/SAVPF 0"] if draw.likely(0.5) else []
        lines += [f"a=mid:{draw.choice(('0', '1', draw.text(8)))}"]
        lines += [_candidate(draw) for _ in range(draw.choice((1, 2, 32, 33, draw.count(300))))]
        lines += ["a=end-of-candidates"] if draw.likely(0.5) else []
    return _written(draw, lines)


def _written(draw: Draw, lines: Sequence[str]) -> str:
    """The lines, sometimes with one lost, repeated, moved or garbled."""
    made = list(lines)
    for _ in range(draw.choice((0, 0, 0, 1, 2)) if draw.wrongness else 0):
        at = draw.randrange(len(made) or 1)
        made[at : at + 1] = draw.choice(
            ([], made[at : at + 1] * draw.choice((2, 50)), [draw.text()], [made[at : at + 1][0][:9]] if made else [])
        )
    end = draw.choice(("\r\n", "\r\n", "\r\n", "\n", "\r"))
    return end.join(made) + draw.choice((end, end, ""))


def _transport(draw: Draw) -> list[str]:
    setup = draw.usually("actpass", "active", "passive", "holdconn")
    return [
        f"a=ice-ufrag:{draw.usually('abcd', 'a/+b', 'x' * draw.count(300))}",
        f"a=ice-pwd:{'p' * draw.claim(24, 9, 0.1)}",
        "a=ice-options:trickle",
        f"a=fingerprint:{draw.usually('sha-256', 'sha-512', 'md5')} {FINGERPRINT}",
        f"a=setup:{setup}",
    ]


def _section(draw: Draw, media: str, mid: str, transport: Sequence[str]) -> list[str]:
    port = draw.usually(9, 0, draw.number(17))
    lines = [f"a=mid:{mid}", *transport]
    if media == "application":
        head = f"m=application {port} UDP/DTLS/SCTP webrtc-datachannel"
        lines += [f"a=sctp-port:{draw.claim(5000, 17)}", f"a=max-message-size:{draw.claim(262_144)}"]
    else:
        codecs = draw.some(CODECS.get(media, ("t140/1000",)), 0.7) or ["opus/48000/2"]
        numbers = [draw.claim(96 + place, 8, 0.05) for place, _ in enumerate(codecs)]
        head = f"m={media} {port} UDP/TLS/RTP/SAVPF {' '.join(map(str, numbers))}"
        lines += _formats(draw, numbers, codecs)
    lines += draw.usually(["a=rtcp-mux"], [])
    lines += draw.some(["a=rtcp-rsize", "a=bundle-only", "a=rtcp:9 IN IP4 0.0.0.0", "b=AS:64", "i=x"], 0.2)
    lines += [_candidate(draw) for _ in range(draw.choice((0, 0, 1, 2, 20, draw.count(100))))]
    lines += ["a=end-of-candidates"] if draw.likely(0.2) else []
    return [head, "c=IN IP4 0.0.0.0", *lines]


def _formats(draw: Draw, numbers: Sequence[int], codecs: Sequence[str]) -> list[str]:
    lines = [f"a={draw.choice(DIRECTIONS)}"] if draw.likely(0.8) else []
    for number, codec in zip(numbers, codecs, strict=True):
        lines.append(f"a=rtpmap:{number} {codec}")
        lines += [f"a=fmtp:{number} minptime=10;useinbandfec=1;{draw.text(20)}"] if draw.likely(0.4) else []
        lines += (
            [f"a=rtcp-fb:{draw.choice((str(number), '*'))} nack {draw.choice(('', 'pli'))}"] if draw.likely(0.2) else []
        )
    lines += [f"a=extmap:{draw.claim(place + 1, 8)} {draw.choice(EXTENSIONS)}" for place in range(draw.few())]
    for place in range(draw.few(50)):
        source = draw.claim(1_000 + place)
        lines.append(f"a=ssrc:{source} cname:{draw.name().decode()}")
        lines += [f"a=ssrc-group:FID {source} {draw.number(32)}"] if draw.likely(0.2) else []
    lines += [f"a=simulcast:send {';'.join('abc')}", "a=rid:a send"] if draw.likely(0.05) else []
    return lines


def _candidate(draw: Draw) -> str:
    transport = draw.choice(("udp", "udp", "udp", "UDP", "tcp", "TCP", "ssltcp"))
    kind = draw.choice(("host", "host", "srflx", "prflx", "relay", "other"))
    related = (
        f" raddr {draw.usually(draw.choice(ADDRESSES), *HOSTS)} rport {draw.claim(9, 17)}" if kind != "host" else ""
    )
    active = f" tcptype {draw.choice(('active', 'passive', 'so'))}" if transport.lower() == "tcp" else ""
    more = " generation 0 network-cost 999 ufrag abcd" if draw.likely(0.3) else ""
    foundation = draw.choice(("1", "842163049", draw.name().decode()))
    address = f"{draw.usually(draw.choice(ADDRESSES), *HOSTS)} {draw.claim(50_000, 18, 0.05)}"
    head = f"{foundation} {draw.claim(1, 8, 0.1)} {transport} {draw.claim(2_130_706_431, 64, 0.1)}"
    return f"a=candidate:{head} {address} typ {kind}{related}{active}{more}"
