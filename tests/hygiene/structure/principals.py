"""Sign-in headers of App Service Authentication."""

import json
from base64 import b64encode
from typing import Any

from tests.hygiene.structure.draw import Draw
from tests.hygiene.structure.json_documents import value

CLAIMS = ("oid", "tid", "sub", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier", "groups")


def principals(draw: Draw) -> list[str]:
    """Mostly one header, of claims that name one person, or several, or none."""
    return [_principal(draw) for _ in range(draw.choice((1, 1, 1, 1, 0, 2)))]


def _principal(draw: Draw) -> str:
    claims: list[Any] = []
    for _ in range(draw.choice((1, 2, 3, 200))):
        claim: Any = {"typ": draw.choice(CLAIMS), "val": draw.choice(("ann", draw.text()))}
        claims.append(value(draw, 2) if draw.likely(0.1 * draw.wrongness) else claim)
    document: Any = {"auth_typ": draw.choice(("aad", "google", draw.text())), "claims": claims}
    if draw.likely(0.2 * draw.wrongness):
        document = draw.choice((value(draw, 3), document | {"claims": value(draw, 2)}))
    text = b64encode(json.dumps(document).encode("utf-8")).decode()
    return text[: draw.randrange(len(text))] + "é" if draw.likely(0.2 * draw.wrongness) else text
