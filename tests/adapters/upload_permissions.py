"""Opens two upload permissions with an identity and prints their URLs; then, for a line of input, the first one's size.

It runs in its own process, because aiohttp reads the trusted certificates when it is imported.
Usage: ``SSL_CERT_FILE=… python -m tests.adapters.upload_permissions URL``.
"""

import asyncio
import json
import sys
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from time import time
from typing import Any

from azure.core.credentials import AccessToken

from voice_core.adapters.blob_storage.account import BlobAccount
from voice_core.adapters.blob_storage.recordings import BlobRecordings
from voice_core.domain.clip import ClipName


class Identity:
    """A credential whose token Azurite accepts: it checks issuer, audience and expiry, but no signature."""

    async def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        now = int(time())
        claims = {
            "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
            "aud": "https://storage.azure.com",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3600,
            "oid": "11111111-1111-1111-1111-111111111111",
            "tid": "22222222-2222-2222-2222-222222222222",
        }
        parts = [{"alg": "RS256", "typ": "JWT"}, claims]
        token = ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        return AccessToken(f"{token}.c2ln", now + 3600)

    async def close(self) -> None:
        """Do nothing: nothing was opened."""


async def main(url: str) -> None:
    account = BlobAccount(url, credential=Identity(), create=True)
    recordings, until = BlobRecordings(account), datetime.now(UTC) + timedelta(minutes=5)
    names = [ClipName("ann", clip) for clip in ("clip1", "clip2")]
    permissions = [await recordings.allow_upload(name, until, in_blocks=False) for name in names]
    _write_line([upload.url for upload in permissions])
    await asyncio.to_thread(sys.stdin.readline)
    _write_line((await recordings.find(names[0])).size_bytes)
    await account.close()


def _write_line(value: object) -> None:
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
