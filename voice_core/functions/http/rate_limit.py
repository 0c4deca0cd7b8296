"""Rate limits: checked before anything is paid for, reported with every response.

The header fields are those of draft-ietf-httpapi-ratelimit-headers-11.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from math import ceil
from typing import TYPE_CHECKING

from voice_core import wiring
from voice_core.domain.limits import DailyQuota, Kind, Limit, LocalKind, Remainder
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.request import HttpRequest

if TYPE_CHECKING:
    from voice_core.usecases.limits.stream_slots import StreamSlot

READING = ("GET", "HEAD")
"""Methods of requests that only read (RFC 9110, 9.2.1)."""


async def enforce_limit(request: HttpRequest, kind: Kind, *, hears: bool = False) -> None:
    """Count one more request of *kind* for the user, and report what remains with the response, errors included.

    Args:
        hears: whether the request has audio, which counts towards the day's seconds.

    Raises:
        LimitReached: the limit is used up.
        Unreachable: with stage ``limits``; the counter is unavailable, and the settings say to refuse then.
    """
    app = await wiring.ready()
    status = await app.user_limits.rate_limiter.admit(user_id(request), kind, hears=hears)
    request.response_headers.update(rate_limit_fields(status.left))
    status.check()


async def count_request(request: HttpRequest) -> None:
    """Count a request that reads or changes something, and report what remains with the response, errors included.

    Only a POST is not counted here: its handler counts it with `enforce_limit`, once its body has been validated.

    Raises:
        LimitReached: the limit is used up.
    """
    if request.method == "POST":
        return
    app = await wiring.ready()
    kind: LocalKind = "reads" if request.method in READING else "changes"
    status = app.user_limits.request_counter.admit(user_id(request), kind)
    request.response_headers.update(rate_limit_fields(status.left))
    status.check()


async def limited_stream(slot: "StreamSlot", chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """*chunks*, with *slot* released at their end."""
    with slot.held():
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk


def rate_limit_fields(remainders: Sequence[Remainder]) -> dict[str, str]:
    """The limits and their *remainders* as header fields; none when no remainder is known."""
    if not remainders:
        return {}
    return {
        "RateLimit-Policy": ", ".join(_policy(each.limit) for each in remainders),
        "RateLimit": ", ".join(
            f'"{each.limit.name}";r={each.count};t={ceil(each.wait_seconds)}' for each in remainders
        ),
    }


def _policy(limit: Limit) -> str:
    # The draft's registry has no unit for seconds of audio yet. Without a unit, the quota would mean requests.
    unit = ';qu="seconds"' if isinstance(limit, DailyQuota) else ""
    return f'"{limit.name}";q={limit.most}{unit};w={limit.window_seconds}'
