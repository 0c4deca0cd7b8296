"""Who may do how much: asked before anything is paid for, and told with every answer.

The fields are those of draft-ietf-httpapi-ratelimit-headers-11.
"""

from collections.abc import Sequence
from math import ceil

from voice_core import wiring
from voice_core.domain.limits import DailyQuota, Kind, Limit, Remaining
from voice_core.functions.http.identity import user_id
from voice_core.functions.http.request import HttpRequest


async def enforce_limit(request: HttpRequest, kind: Kind, *, hears: bool = False) -> None:
    """Count one more of *kind* for the user, and tell with the answer, whatever it will be, what is left.

    Args:
        hears: whether there is sound in it, which takes of the day's seconds.

    Raises:
        LimitReached: there is none left.
        Unreachable: with stage ``limits``; it cannot be known, and the settings say to refuse then.
    """
    app = await wiring.ready()
    status = await app.quotas.rate_limiter.admit(user_id(request), kind, hears=hears)
    request.response_headers.update(rate_limit_fields(status.left))
    status.check()


def rate_limit_fields(left: Sequence[Remaining]) -> dict[str, str]:
    """The limits and what is *left* of them, as header fields; none when nothing is known."""
    if not left:
        return {}
    return {
        "RateLimit-Policy": ", ".join(_policy(each.limit) for each in left),
        "RateLimit": ", ".join(f'"{each.limit.name}";r={each.count};t={ceil(each.wait_seconds)}' for each in left),
    }


def _policy(limit: Limit) -> str:
    # The draft's registry has no unit for this yet, and without one it would be requests.
    unit = ';qu="seconds"' if isinstance(limit, DailyQuota) else ""
    return f'"{limit.name}";q={limit.most}{unit};w={limit.window_seconds}'
