"""Azurite, Microsoft's emulator of Blob and Queue storage, as a child process; it needs Node.

Blobs and queues are stored in a folder or, for tests, in memory. Azurite does not check the API version of requests:
the newest SDK is a few months ahead of the newest Azurite, which would refuse all of its requests.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from emulators.child_process import stop

START_SECONDS = 60.0

BLOB_PORT, QUEUE_PORT = 10_000, 10_001
DEVELOPMENT = "UseDevelopmentStorage=true"
"""Short for the connection string of an Azurite on its default ports."""

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The published key of Azurite (https://learn.microsoft.com/azure/storage/common/storage-use-azurite)."""

_LISTENS = re.compile(r"Azurite (\w+) service is successfully listening at \S+:(\d+)")


class AzuriteMissing(Exception):
    """Azurite is not installed, or does not start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Storage:
    """A running Azurite."""

    blob_port: int
    queue_port: int
    scheme: str = "http"

    def url(self, account: str = ACCOUNT) -> str:
        """The blob service of an account."""
        return f"{self.scheme}://127.0.0.1:{self.blob_port}/{account}"

    def connection(self, account: str = ACCOUNT, key: str = KEY) -> str:
        """The account's connection string."""
        queue = f"{self.scheme}://127.0.0.1:{self.queue_port}/{account}"
        return (
            f"DefaultEndpointsProtocol={self.scheme};AccountName={account};AccountKey={key};"
            f"BlobEndpoint={self.url(account)};QueueEndpoint={queue};"
        )


def program(folder: Path) -> Path:
    """The path of Azurite's script, as npm has installed it into *folder*.

    Raises:
        AzuriteMissing: Node or Azurite is not installed.
    """
    installed = folder / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
    if shutil.which("node") is None or not installed.exists():
        raise AzuriteMissing(
            f"Storage needs Node (https://nodejs.org) and Azurite: npm install --prefix {folder} azurite"
        )
    return installed


@asynccontextmanager
async def azurite(
    installed: Path,
    data: Path | None = None,
    *,
    blob_port: int = 0,
    queue_port: int = 0,
    accounts: Sequence[str] = (ACCOUNT,),
    tls: tuple[Path, Path] | None = None,
) -> AsyncIterator[Storage]:
    """Run Azurite with its data in the folder *data* or in memory; port 0 takes a free one.

    With *tls*, the files of a certificate and its key, it also accepts identity tokens.

    Raises:
        AzuriteMissing: it did not start.
    """
    secure = ["--oauth", "basic", "--cert", str(tls[0]), "--key", str(tls[1])] if tls else []
    place = ["--location", str(data)] if data else ["--inMemoryPersistence"]
    known = {"AZURITE_ACCOUNTS": ";".join(f"{account}:{KEY}" for account in accounts)}
    process = await asyncio.create_subprocess_exec(
        "node",
        str(installed),
        *("--silent", "--disableTelemetry", "--skipApiVersionCheck", "--disableProductStyleUrl"),
        *("--blobPort", str(blob_port), "--queuePort", str(queue_port), "--tablePort", "0"),
        *place,
        *secure,
        env=os.environ | known,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        blob, queue = await _ports(process)
        yield Storage(blob, queue, "https" if tls else "http")
    finally:
        await stop(process)


async def _ports(process: asyncio.subprocess.Process) -> tuple[int, int]:
    """The blob and the queue port, which Azurite prints once it listens; with --silent it prints nothing else."""
    found: dict[str, int] = {}
    with suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while process.stdout is not None and (line := await process.stdout.readline()):
                if found_port := _LISTENS.search(line.decode()):
                    found[found_port[1]] = int(found_port[2])
                if {"Blob", "Queue"} <= found.keys():
                    return found["Blob"], found["Queue"]
    raise AzuriteMissing("Azurite did not start; see its output above.")
