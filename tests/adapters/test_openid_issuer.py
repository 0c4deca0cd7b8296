"""Fetching the keys of an OpenID issuer: allowed addresses and sizes."""

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


async def key_ids(issuer: Issuer) -> list[str]:
    """The ids of the keys that the product reads from *issuer*."""
    return [key_id for key_id, _ in await Published(issuer.url, seconds=3.0).keys()]


def document(issuer: Issuer, operation: str) -> str:
    """The JSON document that *issuer* serves for *operation*."""
    if operation == "keys":
        return json.dumps({"keys": [signer().public]})
    return json.dumps({"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"})


@pytest.mark.parametrize("operation", PATHS)
async def test_a_redirect_is_not_followed(issuer: Issuer, operation: str) -> None:
    """A redirect is not followed even if its target serves the same document: the keys would be another server's."""
    async with issuing(*issuer.signers) as other:
        other.script.add("configuration", Step(body=document(issuer, "configuration")))
        issuer.script.add(operation, Step(status=302, headers={"Location": f"{other.url}{PATHS[operation]}"}))
        with pytest.raises(Unreachable):
            await key_ids(issuer)
        assert not other.script.served

    assert await key_ids(issuer) == [signer().key_id]


@pytest.mark.parametrize("operation", PATHS)
async def test_a_document_has_a_maximum_length(issuer: Issuer, operation: str) -> None:
    """A valid document of the maximum length is accepted, and one byte more is refused."""
    text = document(issuer, operation)
    issuer.script.add(operation, *(Step(body=text.ljust(LONGEST_DOCUMENT + more)) for more in (0, 1)))

    assert await key_ids(issuer) == [signer().key_id]
    with pytest.raises(Unreachable):
        await key_ids(issuer)


@asynccontextmanager
async def secured(app: web.Application, cert: Path, key: Path) -> AsyncIterator[str]:
    """Serve *app* on 127.0.0.1 over TLS, and yield its base URL."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(cert, key)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", ssl_context=tls, port=0).start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


PROGRAM = """
import asyncio, sys
from voice_core.adapters.openid.issuer import Issuer
print(*(key_id for key_id, _ in asyncio.run(Issuer(sys.argv[1], seconds=5).keys())))
"""


async def key_ids_in_process(cert: Path, url: str) -> tuple[str, str]:
    """The key ids that a process which trusts *cert* reads from the issuer at *url*, and its standard error."""
    # In a new process, because aiohttp reads the trusted certificates when it is imported.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, url),
        cwd=ROOT,
        env=os.environ | {"SSL_CERT_FILE": str(cert)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return output.decode().strip(), errors.decode()


async def test_keys_of_an_https_issuer_need_https(issuer: Issuer, tmp_path: Path) -> None:
    """Keys at an http address are refused even if an https issuer names it, since they could be changed in transit."""
    cert, key = await asyncio.to_thread(certificate, tmp_path)
    script = Script()
    async with secured(openid_app(issuer.signers, script), cert, key) as url:
        for keys in (f"{url}/keys", f"{issuer.url}/keys"):
            script.add("configuration", Step(body=json.dumps({"issuer": url, "jwks_uri": keys})))
        over_https, _ = await key_ids_in_process(cert, url)
        over_http, errors = await key_ids_in_process(cert, url)

    assert over_https == signer().key_id
    assert not over_http
    assert "Unreachable" in errors
    assert not issuer.script.served
