"""The sort orders that an indexing policy allows. Like the service, the emulator refuses all others.

https://learn.microsoft.com/cosmos-db/index-policy
"""

from typing import Any

from emulators.cosmos.refusals import Refusal

DEFAULT_POLICY: dict[str, Any] = {
    "indexingMode": "consistent",
    "automatic": True,
    "includedPaths": [{"path": "/*"}],
    "excludedPaths": [{"path": '/"_etag"/?'}],
}


def check_sortable(policy: dict[str, Any], order: list[tuple[str, bool]]) -> None:
    """Return if the index can sort by *order*: paths such as ``/a/b``, with True for descending.

    As in the service, a single path must be in the index, and several need a composite index of exactly these.

    Raises:
        Refusal: 400, the index cannot sort by *order*.
    """
    if len(order) > 1:
        accepted = (order, [(path, not descending) for path, descending in order])
        if not any(_composite(index) in accepted for index in policy.get("compositeIndexes", ())):
            raise Refusal(400, "The order by query does not have a corresponding composite index.")
    elif order and not _indexed(policy, order[0][0]):
        raise Refusal(400, "The order-by item is excluded from the index: include its path.")


def _composite(index: list[dict[str, str]]) -> list[tuple[str, bool]]:
    return [(part["path"], part.get("order", "ascending") == "descending") for part in index]


def _indexed(policy: dict[str, Any], path: str) -> bool:
    """Whether the longest rule that covers *path* includes it."""
    included, excluded = (
        max((_coverage(rule["path"], path) for rule in policy.get(name, ())), default=-1)
        for name in ("includedPaths", "excludedPaths")
    )
    return included > excluded


def _coverage(rule: str, path: str) -> int:
    """The length of a rule such as ``/*`` or ``/a/?`` if it covers *path*, otherwise -1; the longest rule wins."""
    plain = rule.replace('"', "")
    if plain.endswith("/?"):
        return len(plain) if plain[:-2] == path else -1
    return len(plain) if path.startswith(plain.rstrip("*")) else -1
