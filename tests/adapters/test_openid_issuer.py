"""Where the keys of an OpenID issuer may come from, and how many bytes they may take."""

import asyncio
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from emulators.openid import openid_app
from emulators.script import Script, Step
from tests.adapters.test_blob_identity import certificate
from tests.conftest import ROOT
from tests.issuers import Issuer, issuing, signer
from voice_core.adapters.openid.issuer import CONFIGURATION, LONGEST_DOCUMENT
from voice_core.adapters.openid.issuer import Issuer as Published
from voice_core.domain.errors import Unreachable

PATHS = {"configuration": CONFIGURATION, "keys": "/keys"}


async def told(issuer: Issuer) -> list[str]:
    """The ids of the keys that are read of *issuer*."""
    return [key_id for key_id, _ in await Published(issuer.url, seconds=3.0).keys()]


def document(issuer: Issuer, operation: str) -> str:
    """What *issuer* answers."""
    if operation == "keys":
        return json.dumps({"keys": [signer().public]})
    return json.dumps({"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"})


@pytest.mark.parametrize("operation", PATHS)
async def test_a_redirect_is_not_followed(issuer: Issuer, operation: str) -> None:
    """Even to where the very document is: it would be another's word for the issuer's keys."""
    async with issuing(*issuer.signers) as other:
        other.script.add("configuration", Step(body=document(issuer, "configuration")))
        issuer.script.add(operation, Step(status=302, headers={"Location": f"{other.url}{PATHS[operation]}"}))
        with pytest.raises(Unreachable):
            await told(issuer)
        assert not other.script.served

    assert await told(issuer) == [signer().key_id]


@pytest.mark.parametrize("operation", PATHS)
async def test_a_document_has_a_longest(issuer: Issuer, operation: str) -> None:
    """One byte more is refused, although it says what it should."""
    text = document(issuer, operation)
    issuer.script.add(operation, *(Step(body=text.ljust(LONGEST_DOCUMENT + more)) for more in (0, 1)))

    assert await told(issuer) == [signer().key_id]
    with pytest.raises(Unreachable):
        await told(issuer)


@asynccontextmanager
async def secured(app: web.Application, cert: Path, key: Path) -> AsyncIterator[str]:
    """Serve *app* on 127.0.0.1 over TLS, and give its base URL."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(cert, key)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", ssl_context=tls, port=0).start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


ASK = """
import asyncio, sys
from voice_core.adapters.openid.issuer import Issuer
print(*(key_id for key_id, _ in asyncio.run(Issuer(sys.argv[1], seconds=5).keys())))
"""


async def asked_by_who_trusts(cert: Path, url: str) -> tuple[str, str]:
    """What a process reads of the issuer at *url*, and what it complains of."""
    # A process of its own: whom aiohttp trusts is settled when it is imported.
    asking = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ASK, url),
        cwd=ROOT,
        env=os.environ | {"SSL_CERT_FILE": str(cert)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    read, complaint = await asking.communicate()
    return read.decode().strip(), complaint.decode()


async def test_keys_of_a_secure_issuer_come_securely(issuer: Issuer, tmp_path: Path) -> None:
    """Over plain http they could be changed on their way, whoever named that address."""
    cert, key = await asyncio.to_thread(certificate, tmp_path)
    script = Script()
    async with secured(openid_app(issuer.signers, script), cert, key) as url:
        for keys in (f"{url}/keys", f"{issuer.url}/keys"):
            script.add("configuration", Step(body=json.dumps({"issuer": url, "jwks_uri": keys})))
        securely, _ = await asked_by_who_trusts(cert, url)
        read, complaint = await asked_by_who_trusts(cert, url)

    assert securely == signer().key_id
    assert not read
    assert "Unreachable" in complaint
    assert not issuer.script.served
