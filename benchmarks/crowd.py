"""A hundred people who talk for minutes at the pace of people, through the real SDKs and emulators with delays.

Each person has an own user id, speaks for three seconds while the recording is being sent, listens to the reply of
sixty words to its end, and speaks again: three turns a minute. All run on one machine: the product as a single worker,
the services, and all phones.
"""

import argparse
import asyncio
import base64
import json
import random
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

from benchmarks import delays
from benchmarks.figures import BenchmarkFailed, Figure, Target, command, percentile
from benchmarks.phone import CHUNK_SECONDS, RequestRefused, as_spoken, phone, recording
from benchmarks.processes import Child, child
from emulators.speech.scripted_recognition import SECONDS_PER_WORD

UTTERANCE_SECONDS = 3
REPLY_SECONDS = SECONDS_PER_WORD * len(delays.REPLY.split())
"""Length of the reply's speech; it is synthesised faster than that."""
LISTEN_SECONDS = 0.9 * REPLY_SECONDS, 1.1 * REPLY_SECONDS
"""Shortest and longest time from a reply's last event to the next press."""
SAMPLE_SECONDS = 10.0
WARM_SECONDS = 60.0
"""Time after which memory should be stable."""
MEGABYTE = 1 << 20
AS_DEPLOYED = {"AUTH_MODE": "easyauth", "TURNS_PER_MINUTE": "10"}
"""Each person has an own rate limit, which they can reach."""
PEOPLE, MINUTES = 100, 5.0


@dataclass(slots=True)
class Crowd:
    """The results of all people."""

    first_sound_ms: list[float] = field(default_factory=list)
    failed: int = 0
    refused: int = 0
    """Turns refused by a rate limit, with the time to wait; not failures."""
    resident: list[float] = field(default_factory=list)
    """Resident memory of the server in megabytes, every SAMPLE_SECONDS."""


async def talking(people: int, minutes: float) -> AsyncGenerator[Figure]:
    """Let *people* talk for *minutes*."""
    crowd = Crowd()
    async with (
        child("benchmarks.services", "delays") as services,
        child("benchmarks.server", "sdk", settings={**services.addresses, **AS_DEPLOYED}) as server,
    ):
        async with phone(server.addresses["url"]) as caller:
            await caller.get("/api/voice/health?warm=1")
        before = server.cpu_seconds
        ends = perf_counter() + minutes * 60
        await asyncio.gather(_watch(server, ends, crowd), *(_person(server, who, ends, crowd) for who in range(people)))
        cpu = server.cpu_seconds_since(before)
    yield _turns(people, minutes, crowd, cpu)
    if crowd.resident:
        yield _memory(crowd)


async def _person(server: Child, who: int, ends: float, crowd: Crowd) -> None:
    audio = as_spoken(recording(UTTERANCE_SECONDS))
    # People do not start at the same time.
    await asyncio.sleep(random.uniform(0, UTTERANCE_SECONDS + REPLY_SECONDS))
    while perf_counter() < ends:
        try:
            # A new connection each time: a host closes one that is idle for as long as a reply plays.
            async with phone(server.addresses["url"], signed_in(f"person-{who}")) as caller:
                received = await caller.turn(audio, CHUNK_SECONDS)
            crowd.first_sound_ms.append(received.first["speech.audio.delta"])
            await asyncio.sleep(random.uniform(*LISTEN_SECONDS))
        except RequestRefused as refusal:
            crowd.refused += 1
            await asyncio.sleep(refusal.retry_after)
        except (BenchmarkFailed, OSError, EOFError) as failure:
            print(f"failed: {failure}", file=sys.stderr)
            crowd.failed += 1
            await asyncio.sleep(1)


def signed_in(user: str) -> dict[str, str]:
    """The header that App Service Authentication adds for *user*."""
    claims = [
        {"typ": "http://schemas.microsoft.com/identity/claims/tenantid", "val": "benchmarks"},
        {"typ": "http://schemas.microsoft.com/identity/claims/objectidentifier", "val": user},
    ]
    principal = {"auth_typ": "aad", "claims": claims, "name_typ": "name", "role_typ": "roles"}
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(principal).encode()).decode()}


async def _watch(server: Child, ends: float, crowd: Crowd) -> None:
    while perf_counter() < ends and server.resident_bytes is not None:
        await asyncio.sleep(SAMPLE_SECONDS)
        if resident := server.resident_bytes:
            crowd.resident.append(resident / MEGABYTE)


def _turns(people: int, minutes: float, crowd: Crowd, cpu: float | None) -> Figure:
    done = len(crowd.first_sound_ms)
    succeeded = 100 * done / max(1, done + crowd.failed)
    return Figure(
        name=f"first sound, {people} people for {minutes:g} minutes",
        unit="ms",
        values=crowd.first_sound_ms,
        floor=delays.STREAMED_MS,
        targets=(Target("succeeded_percent", 99.9, least=True),),
        facts={
            "succeeded_percent": round(succeeded, 2),
            "failed": crowd.failed,
            "refused_by_limit": crowd.refused,
            "turns_a_second": round(done / minutes / 60, 1),
            **({} if cpu is None else {"cpu_seconds_a_turn": round(cpu / max(1, done), 4)}),
        },
    )


def _memory(crowd: Crowd) -> Figure:
    warm = crowd.resident[round(WARM_SECONDS / SAMPLE_SECONDS) :] or crowd.resident
    third = max(1, len(warm) // 3)
    growth = percentile(warm[-third:], 50) / percentile(warm[:third], 50) - 1
    return Figure(
        name="memory, after the first minute",
        unit="MB",
        values=warm,
        targets=(Target("growth_percent", 5),),
        facts={
            "growth_percent": round(100 * growth, 1),
            "megabytes": ", ".join(f"{megabytes:.0f}" for megabytes in crowd.resident[::3]),
        },
    )


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(add_help=False)
    arguments.add_argument("--people", type=int, default=PEOPLE)
    arguments.add_argument("--minutes", type=float, default=MINUTES)
    chosen, sys.argv[1:] = arguments.parse_known_args()
    command(partial(talking, chosen.people, chosen.minutes))
