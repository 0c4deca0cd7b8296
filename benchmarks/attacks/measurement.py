"""The measurement of one attack against a running product."""

import asyncio
import http.client
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.attacks.catalogue import Attack, Request
from benchmarks.crowd import signed_in
from benchmarks.figures import percentile
from benchmarks.phone import phone, recording
from benchmarks.processes import Child

BOBS_TURNS = 20
UTTERANCE = recording(2)
AFTER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """The consequences of some requests that were sent side by side."""

    blocked_ms: float
    """Longest time in which the event loop did nothing else."""
    grown_megabytes: float
    """Peak of the worker's resident memory above that before."""
    after_cpu_seconds: float
    """CPU time of the worker in the second after the last response."""
    statuses: Counter[int]


async def cost(server: Child, requests: Sequence[tuple[str, Request]]) -> Cost:
    """Send *requests*, each of a user, side by side."""
    await _loop_blocked_ms(server)
    _reset_peak(server.pid)
    before = server.resident_bytes or 0
    statuses = await asyncio.gather(*(asyncio.to_thread(_send, server, user, request) for user, request in requests))
    cpu = server.cpu_seconds
    peak = _peak_bytes(server.pid)
    blocked = await _loop_blocked_ms(server)
    await asyncio.sleep(AFTER_SECONDS)
    return Cost(blocked, max(0, peak - before) / (1 << 20), server.cpu_seconds_since(cpu) or 0.0, Counter(statuses))


async def turns_of_another(server: Child, user: str) -> float:
    """The median of `BOBS_TURNS` turns of *user*, milliseconds to the first sound."""
    values = []
    async with phone(server.addresses["url"], signed_in(user)) as caller:
        for _ in range(BOBS_TURNS):
            received = await caller.turn([UTTERANCE])
            values.append(received.first["speech.audio.delta"])
    return percentile(values, 50)


async def under_attack(server: Child, attack: Attack, users: Sequence[str], bob: str) -> float:
    """`turns_of_another`, while *users* repeat *attack* without a pause."""
    attacking = [
        asyncio.create_task(_repeat(server, user, attack.crafted)) for user in users for _ in range(attack.at_once)
    ]
    try:
        return await turns_of_another(server, bob)
    finally:
        for task in attacking:
            task.cancel()
        await asyncio.gather(*attacking, return_exceptions=True)


async def _repeat(server: Child, user: str, request: Request) -> None:
    while True:
        if await asyncio.to_thread(_send, server, user, request) == 429:
            await asyncio.sleep(0.5)


def _send(server: Child, user: str, request: Request) -> int:
    """The status of the response; 0 when the connection breaks."""
    address = urlsplit(server.addresses["url"])
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=120)
    headers = {**signed_in(user), **request.headers}
    if request.content_type:
        headers["Content-Type"] = request.content_type
    try:
        connection.request(request.method, f"/api/voice{request.path}", request.body or None, headers)
        response = connection.getresponse()
        response.read()
    except OSError:
        return 0
    finally:
        connection.close()
    return response.status


async def _loop_blocked_ms(server: Child) -> float:
    """Longest delay of the server's event loop since the last call."""
    async with phone(server.addresses["url"]) as caller:
        blocked: float = json.loads(await caller.get("/loop"))["blockedMs"]
    return blocked


def _reset_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _peak_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return 0
