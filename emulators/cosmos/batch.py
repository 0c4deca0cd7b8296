"""Transactional batches: several operations on one partition, all or none of which are applied."""

import sqlite3
from collections.abc import Callable
from typing import Any

from emulators.cosmos.items import Items, Outcome, Place
from emulators.cosmos.refusals import Refusal
from emulators.cosmos.store import transaction

MAX_OPERATIONS = 100
"""Operations in a batch; the service's limit."""

Operation = dict[str, Any]


def run_batch(
    connection: sqlite3.Connection, items: Items, place: Place, operations: Any
) -> tuple[int, list[Operation]]:
    """The status and the results of *operations*: 200, or 207 when one was refused and none was applied.

    Raises:
        Refusal: 400, *operations* is not a batch.
    """
    if not isinstance(operations, list) or not 1 <= len(operations) <= MAX_OPERATIONS:
        raise Refusal(400, f"A batch holds 1 to {MAX_OPERATIONS} operations.")
    results: list[Operation] = []
    try:
        with transaction(connection):
            for operation in operations:
                results.append(_result(_perform(items, place, operation)))  # noqa: PERF401 — the length at a refusal matters
    except Refusal as refusal:
        return 207, _refused(len(operations), len(results), refusal)
    return 200, results


def _perform(items: Items, place: Place, operation: Any) -> Outcome:
    if not isinstance(operation, dict) or operation.get("operationType") not in _OPERATIONS:
        raise Refusal(400, f"Not an operation of a batch: {operation!r}"[:200])
    return _OPERATIONS[operation["operationType"]](items, place, operation)


def _result(outcome: Outcome) -> Operation:
    result: Operation = {"statusCode": outcome.status, "requestCharge": 1.0}
    if outcome.document:
        result |= {"eTag": outcome.document["_etag"], "resourceBody": outcome.document}
    return result


def _refused(count: int, failed: int, refusal: Refusal) -> list[Operation]:
    results: list[Operation] = [{"statusCode": 424, "requestCharge": 0.0} for _ in range(count)]
    results[failed] |= {"statusCode": refusal.status, "message": refusal.message}
    return results


def _name(operation: Operation) -> str:
    return str(operation.get("id", ""))


_OPERATIONS: dict[str, Callable[[Items, Place, Operation], Outcome]] = {
    "Create": lambda items, at, op: items.create(at, op.get("resourceBody")),
    "Upsert": lambda items, at, op: items.upsert(at, op.get("resourceBody"), op.get("ifMatch")),
    "Replace": lambda items, at, op: items.replace(at, _name(op), op.get("resourceBody"), op.get("ifMatch")),
    "Patch": lambda items, at, op: items.patch(at, _name(op), op.get("resourceBody"), op.get("ifMatch")),
    "Read": lambda items, at, op: items.read(at, _name(op), op.get("ifNoneMatch")),
    "Delete": lambda items, at, op: items.delete(at, _name(op), op.get("ifMatch")),
}
