"""Measure attacks: all, or those whose names contain one of the arguments."""

import argparse
import asyncio
from collections import Counter

from benchmarks.attacks.catalogue import Attack, attacks
from benchmarks.attacks.measurement import Cost, cost, turns_of_another, under_attack
from benchmarks.machine import machine
from benchmarks.phone import phone
from benchmarks.processes import Child, child

AS_DEPLOYED = {"AUTH_MODE": "easyauth", "TURNS_PER_MINUTE": "20", "SPEECHES_PER_MINUTE": "20"}
HEAD = f"{'':44}{'honest':>8}{'crafted':>9}{'memory':>8}{'after':>7}{'bob':>6}  statuses"
UNITS = f"{'':44}{'ms':>8}{'ms':>9}{'MB':>8}{'s':>7}{'times':>6}"


async def main(names: list[str], accounts: int) -> None:
    print(", ".join(f"{name} {value}" for name, value in machine().items()), f"accounts {accounts}")
    print(HEAD, UNITS, sep="\n", flush=True)
    for number, attack in enumerate(attacks()):
        if not names or any(name.lower() in attack.name.lower() for name in names):
            await _measure(attack, number, accounts)


async def _measure(attack: Attack, number: int, accounts: int) -> None:
    async with (
        child("benchmarks.services", "delays") as services,
        child("benchmarks.server", "sdk", settings={**services.addresses, **AS_DEPLOYED}) as server,
    ):
        await _warm(server)
        alone = await turns_of_another(server, f"bob-{number}")
        honest = await cost(server, [(f"ann-{number}", attack.honest)] * attack.at_once)
        mallories = [f"mallory-{number}-{account}" for account in range(accounts)]
        crafted = await cost(server, [(user, attack.crafted) for user in mallories for _ in range(attack.at_once)])
        attacked = await under_attack(server, attack, [f"{user}-again" for user in mallories], f"bert-{number}")
    print(_row(attack.name, honest, crafted, attacked / alone), flush=True)


async def _warm(server: Child) -> None:
    async with phone(server.addresses["url"]) as caller:
        await caller.get("/api/voice/health?warm=1")


def _row(name: str, honest: Cost, crafted: Cost, times: float) -> str:
    return (
        f"{name:44}{honest.blocked_ms:8.0f}{crafted.blocked_ms:9.0f}{crafted.grown_megabytes:8.0f}"
        f"{crafted.after_cpu_seconds:7.2f}{times:6.2f}  {_statuses(honest.statuses)} | {_statuses(crafted.statuses)}"
    )


def _statuses(statuses: Counter[int]) -> str:
    return " ".join(f"{count}×{status}" for status, count in sorted(statuses.items()))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("names", nargs="*")
    arguments.add_argument("--accounts", type=int, default=1, help="accounts that attack at once")
    chosen = arguments.parse_args()
    asyncio.run(main(chosen.names, chosen.accounts))
