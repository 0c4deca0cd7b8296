"""uvicorn's HTTP protocol with httptools, without trailers."""

from uvicorn.protocols.http import httptools_impl


class HttpToolsProtocol(httptools_impl.HttpToolsProtocol):
    """A server's connection; trailers of its requests are dropped."""

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.headers = _Complete(self.headers)


class _Complete(list[tuple[bytes, bytes]]):
    """Complete headers, to which nothing can be appended."""

    def append(self, _header: tuple[bytes, bytes]) -> None:
        """Drop a trailer."""
