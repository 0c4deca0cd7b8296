"""When a request is counted: before a large body is read, and otherwise once it has been validated."""

from collections.abc import Callable
from io import BytesIO

from voice_core import wiring
from voice_core.domain.limits import Kind
from voice_core.functions.http.body import OTHER_MEMBERS_BYTES
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.rate_limit import enforce_limit
from voice_core.functions.http.request import HttpRequest


class Admission:
    """Counts *request* once, as one of *kind*.

    What a caller sends before that is cheap: the first `OTHER_MEMBERS_BYTES` of a body. A larger body must have a
    recording in it, so it counts as one that has sound.
    """

    def __init__(self, request: HttpRequest, kind: Kind) -> None:
        self._request = request
        self._kind = kind
        self._counted = False

    async def count(self, *, hears: bool) -> None:
        """Count the request unless it has been counted; raises as `enforce_limit` does."""
        if not self._counted:
            self._counted = True
            await enforce_limit(self._request, self._kind, hears=hears)

    async def read(self, limit: int) -> bytes:
        """The complete body, of at most *limit* bytes.

        Beyond `OTHER_MEMBERS_BYTES` the request is counted first, and waits until its user's large bodies in this
        worker together have at most *limit* bytes.

        Raises:
            LimitReached: the limit is used up, or ``bodies-in-flight``.
            TooLarge, BodyStalled, ClientGone: as `HttpRequest.chunks`.
        """
        size, body, large = self._request.content_length, BytesIO(), False
        arrived = 0
        if OTHER_MEMBERS_BYTES < size <= limit:
            large = True
            await self._admit_large(size, limit)
        async for chunk in self._request.chunks(limit):
            if not large and arrived + len(chunk) > OTHER_MEMBERS_BYTES:
                large = True
                await self._admit_large(limit, limit)
            body.write(chunk)
            arrived += len(chunk)
        # Unlike b"".join, this does not copy the body.
        return body.getvalue()

    async def room(self) -> Callable[[], None]:
        """Reserve room for a body that is held completely although it is read in chunks.

        Returns:
            The function that frees it.

        Raises:
            LimitReached: ``bodies-in-flight``.
        """
        limit = wiring.app().limits.max_bytes
        size = self._request.content_length or limit
        if size <= OTHER_MEMBERS_BYTES:
            return lambda: None
        shares = wiring.app().user_limits.body_shares
        return await shares.take(user_id(self._request), min(size, limit), limit)

    async def _admit_large(self, size: int, limit: int) -> None:
        await self.count(hears=True)
        shares = wiring.app().user_limits.body_shares
        self._request.hold(await shares.take(user_id(self._request), size, limit))
