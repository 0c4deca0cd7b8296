"""Content negotiation (RFC 9110, 12.5.1)."""

from collections.abc import Sequence

import azurefunctions.extensions.http.fastapi  # noqa: F401 - makes the Functions worker stream requests and responses

from voice_core.functions.http.problems import NotAcceptable

MOST_SEPARATORS = 100
"""Most commas and semicolons in an ``Accept``. Browsers send fewer than 20. Each listed type costs time."""


def negotiate(accept: str, offers: Sequence[str]) -> str:
    """The media type of *offers* that *accept* prefers; of equals the first (RFC 9110, 12.5.1).

    Raises:
        NotAcceptable: *accept* allows none of them, or has more than `MOST_SEPARATORS`.
    """
    if accept.count(",") + accept.count(";") > MOST_SEPARATORS:
        raise NotAcceptable(f"The Accept header lists too many media types. Accept one of {', '.join(offers)}.")
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
    """How specifically *media* names *offer* (2 exactly, -1 not at all), and the *weight* if it does."""
    if media == offer:
        return 2, weight
    if media == f"{offer.partition('/')[0]}/*":
        return 1, weight
    return (0, weight) if media == "*/*" else (-1, 0.0)
