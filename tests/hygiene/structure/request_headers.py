"""Values of request headers, as clients send them, or almost (RFC 9110)."""

from collections.abc import Callable, Mapping

from tests.hygiene.structure.draw import Draw

TYPES = (
    "application/json",
    "text/event-stream",
    "application/x-ndjson",
    "audio/wav",
    "audio/*",
    "*/*",
    "audio/mpeg",
    "x/y",
    "*",
)


def accept(draw: Draw) -> str:
    ranges = []
    for _ in range(draw.choice((1, 1, 2, 5, 99, 101, draw.count(2_000)))):
        weight = draw.choice(
            ("", "", ";q=0.5", ";q=1", "; q = 0", ";q=", ";q=nan", ";q=-1", ";q=inf", ";q=1e400", ';a="b,c";q=0.1')
        )
        ranges.append(draw.choice((*TYPES, draw.text(12))) + weight)
    return draw.choice((",", ", ", " ,\t")).join(ranges)


def content_type(draw: Draw) -> str:
    media = draw.choice(
        (*TYPES, "multipart/form-data", "audio/l16", "AUDIO/PCM", "application/problem+json", draw.text(10))
    )
    return media + parameters(draw)


def parameters(draw: Draw) -> str:
    """Parameters of a media type, quoted or not, continued (RFC 2231) or not."""
    names = ("charset", "boundary", "rate", "channels", "codecs", "name", "filename", "filename*", "filename*0", "q")
    values = ("utf-8", "punycode", "16000", "2", '"a;b,c"', '"\\"', "utf-8''%e2%82%ac", '"', "", "opus", "1" * 30)
    count = draw.usually(draw.choice((0, 1, 2, 3)), 99, 101, draw.count(500))
    return "".join(
        f"; {draw.choice((*names, draw.name().decode()))}={draw.choice((*values, draw.text(9)))}" for _ in range(count)
    )


def ranges(draw: Draw) -> str:
    unit = draw.choice(("bytes", "bytes", "Bytes", "items", ""))
    first = draw.choice(("", "0", str(draw.number(63)), "9" * draw.count(300), "-1", " 1"))
    last = draw.choice(("", str(draw.number(63)), str(draw.number(16)), draw.text(5)))
    more = ",".join(f"{draw.number(16)}-{draw.number(16)}" for _ in range(draw.count(300)))
    return f"{unit}={first}-{last}{',' if more else ''}{more}"


def etags(draw: Draw) -> str:
    tags = (
        f'{draw.choice(("", "W/"))}"{draw.choice(("1-done", draw.name().decode()))}"'
        for _ in range(draw.choice((1, 1, 3, 99, 102)))
    )
    return draw.choice(("*", ",".join(tags), draw.text()))


def length(draw: Draw) -> str:
    return draw.choice((str(draw.number(64)), "-1", "+5", "0x10", "1_000", "\u0665", " 7 ", "1" * draw.count(300), ""))


def key(draw: Draw) -> str:
    return draw.choice(("3d1c4b1e-6b1d-4d6a-9f53-0d0a3e1c7f11", "x" * draw.count(300), draw.text(), ""))


def headers(draw: Draw) -> list[tuple[bytes, bytes]]:
    """Header fields as an HTTP server passes them on."""
    made: Mapping[str, Callable[[Draw], str]] = {
        "accept": accept,
        "content-type": content_type,
        "range": ranges,
        "if-none-match": etags,
        "content-length": length,
        "idempotency-key": key,
        "content-encoding": lambda d: d.choice(("gzip", "identity", "br, gzip", "zstd", d.text())),
        "traceparent": lambda d: d.choice(
            ("00-" + "1" * 32 + "-" + "2" * 16 + "-01", d.text(), "00-" + "0" * 32 + "-0-0")
        ),
        "x-ms-client-principal": lambda d: d.text(),
    }
    return [
        (name.encode(), make(draw).encode("utf-8", "replace"))
        for name, make in draw.some(list(made.items()), 0.6)
        for _ in range(draw.choice((1, 1, 1, 1, 2)))
    ]
