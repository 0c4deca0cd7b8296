"""Content negotiation (RFC 9110, 12.5.1)."""

from collections.abc import Sequence

import azurefunctions.extensions.http.fastapi  # noqa: F401 - makes the Functions worker stream requests and responses

from voice_core.functions.http.problems import NotAcceptable

MOST_SEPARATORS = 100
"""Commas and semicolons of an ``Accept``. Browsers send fewer than 20; each costs as much time as it names types."""


def negotiate(accept: str, offers: Sequence[str]) -> str:
    """The one of *offers*, media types in our order of preference, that *accept* likes best (RFC 9110, 12.5.1).

    Raises:
        NotAcceptable: it likes none, or lists more than `MOST_SEPARATORS` separate.
    """
    if accept.count(",") + accept.count(";") > MOST_SEPARATORS:
        raise NotAcceptable(f"Accept lists too much. Accept one of {', '.join(offers)}.")
    ranges = [_media_range(part) for part in (accept or "*/*").split(",")]
    quality = {offer: max((_match(offer, *media) for media in ranges), default=(0, 0.0))[1] for offer in offers}
    best = max(offers, key=lambda offer: quality[offer])
    if not quality[best]:
        raise NotAcceptable(f"Accept one of {', '.join(offers)}.")
    return best


def _media_range(text: str) -> tuple[str, float]:
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    weights = [value for name, _, value in (p.partition("=") for p in parameters) if name.strip() == "q"]
    try:
        return media, float(weights[0]) if weights else 1.0
    except ValueError:
        return media, 0.0


def _match(offer: str, media: str, weight: float) -> tuple[int, float]:
    """How specifically *media* names *offer*, and the weight it gives it."""
    if media == offer:
        return 2, weight
    if media == f"{offer.partition('/')[0]}/*":
        return 1, weight
    return (0, weight) if media == "*/*" else (-1, 0.0)
