"""Clients on bare sockets that send the complete request before they read the response."""

import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

MEGABYTE = 1_000_000
WAITS_SECONDS = 120.0
"""Timeout of a test's socket."""


@dataclass(frozen=True)
class Request:
    """A request whose body is *beginning* and then zeros, *size* bytes in all."""

    path: str = "/process"
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    beginning: bytes = b""
    size: int = 12 * MEGABYTE
    chunked: bool = False

    def head(self, path: str, *, closes: bool) -> bytes:
        framing = "Transfer-Encoding: chunked" if self.chunked else f"Content-Length: {self.size}"
        lines = [f"{self.method} {path} HTTP/1.1", "Host: localhost", framing]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += ["Connection: close"] if closes else []
        return "\r\n".join([*lines, "", ""]).encode()

    def parts(self, path: str, *, closes: bool) -> list[bytes]:
        """The head and the pieces of the body; the second item is the *beginning*."""
        return [self.head(path, closes=closes), *self.body()]

    def body(self) -> Iterator[bytes]:
        sent = 0
        while sent < self.size:
            piece = (self.beginning if not sent else b"") or bytes(min(MEGABYTE, self.size - sent))
            sent += len(piece)
            yield b"%x\r\n%b\r\n" % (len(piece), piece) if self.chunked else piece
        if self.chunked:
            yield b"0\r\n\r\n"


@dataclass(frozen=True)
class FullResponse:
    """A response that was read to its end."""

    status: int
    content_type: str
    body: bytes

    @property
    def problem(self) -> Any:
        assert self.content_type == "application/problem+json", self
        return json.loads(self.body)


class Writer:
    """One connection to *base*, the address of the product."""

    def __init__(self, base: str) -> None:
        url = urlsplit(base)
        self._path = url.path
        self.socket = socket.create_connection((url.hostname, url.port), WAITS_SECONDS)

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, request: Request, *, closes: bool = False) -> None:
        self.socket.sendall(request.head(f"{self._path}{request.path}", closes=closes))
        for piece in request.body():
            self.socket.sendall(piece)

    def until(self, marker: bytes) -> bytes:
        """The bytes that arrive until *marker* is among them."""
        arrived = b""
        while marker not in arrived:
            piece = self.socket.recv(65_536)
            assert piece, arrived
            arrived += piece
        return arrived

    def read(self, method: str = "POST") -> FullResponse:
        response = HTTPResponse(self.socket, method=method)
        response.begin()
        return FullResponse(response.status, response.headers.get("content-type", ""), response.read())


def refusal(base: str, request: Request, *, closes: bool) -> FullResponse:
    """The response to *request*; if the connection stays open, another request must be served on it."""
    with Writer(base) as writer:
        writer.send(request, closes=closes)
        answer = writer.read(request.method)
        if not closes:
            writer.send(Request("/health", "GET", size=0))
            assert writer.read("GET").status == 200
        return answer
