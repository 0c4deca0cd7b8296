"""Access control: the master-key signature of the Cosmos REST API, checked for real, and Entra tokens if enabled.

https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources
"""

import base64
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from emulators.cosmos.refusals import AAD_NOT_ALLOWED, Refusal

EMULATOR_KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
"""The published key of Microsoft's own emulator: a constant, not a secret."""

LOCAL_KEY = "bG9jYWw="
"""The base64 of ``local``: short enough to type."""


@dataclass(frozen=True, slots=True)
class Resource:
    """The resource of a request, as the signature names it."""

    kind: str
    """dbs, colls, docs, pkranges; empty for the account."""
    link: str
    """The resource itself, or the parent whose children are listed or added to."""

    @classmethod
    def of(cls, segments: list[str]) -> "Resource":
        """The resource at the decoded segments of a path: ``dbs/d/colls/c/docs`` is docs of dbs/d/colls/c."""
        if len(segments) % 2:
            return cls(segments[-1], "/".join(segments[:-1]))
        return cls(segments[-2] if segments else "", "/".join(segments))


class Authorizer:
    """Accepts requests that are signed with one of *keys* and, if *tokens*, those with any Entra token.

    A token is not inspected: its issuer and its audience cannot be checked without a network. As in Azure, tokens
    give access to data only: databases and containers are created with a key or a deployment.
    """

    def __init__(self, keys: Iterable[str], *, tokens: bool) -> None:
        self._keys = [base64.b64decode(key) for key in keys]
        self._tokens = tokens

    def check(self, method: str, resource: Resource, headers: Mapping[str, str]) -> None:
        """Return, or raise a Refusal of 401 or 403."""
        given = parse_qs(unquote(headers.get("authorization", "")).replace("+", "%2B"))
        kind, signature = given.get("type", [""])[0], given.get("sig", [""])[0]
        if kind == "aad" and self._tokens and signature:
            _check_token_reaches(method, resource)
        elif kind != "master" or not self._signed(signature, method, resource, headers):
            raise Refusal(401, "The input authorization token can't serve the request: wrong key or signature.")

    def _signed(self, signature: str, method: str, resource: Resource, headers: Mapping[str, str]) -> bool:
        dates = f"{headers.get('x-ms-date', '').lower()}\n{headers.get('date', '').lower()}\n"
        text = f"{method.lower()}\n{resource.kind.lower()}\n{resource.link}\n{dates}"
        digests = (hmac.digest(key, text.encode(), "sha256") for key in self._keys)
        return any(hmac.compare_digest(base64.b64encode(digest), signature.encode()) for digest in digests)


def _check_token_reaches(method: str, resource: Resource) -> None:
    if method != "GET" and resource.kind in ("dbs", "colls"):
        raise Refusal(
            403, f"An Entra token cannot {method} {resource.kind}: that is no data-plane action.", AAD_NOT_ALLOWED
        )
