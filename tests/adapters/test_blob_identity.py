"""Signing upload URLs with the app's identity instead of a key, against Azurite over TLS."""

import asyncio
import ipaddress
import json
import os
import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from emulators.azurite import AzuriteMissing, azurite, program
from tests.conftest import ROOT


def certificate(folder: Path) -> tuple[Path, Path]:
    """The files of a self-signed certificate for 127.0.0.1 and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "azurite")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_file, key_file


async def test_an_identity_signs_with_a_user_delegation_key(tmp_path: Path) -> None:
    """A user delegation SAS accepts one upload and refuses a second; its key is requested once for all of them."""
    try:
        installed = program(ROOT / ".local" / "azurite")
    except AzuriteMissing as missing:
        pytest.skip(str(missing))
    cert, key = await asyncio.to_thread(certificate, tmp_path)
    trust = await asyncio.to_thread(ssl.create_default_context, cafile=str(cert))
    async with azurite(installed, tls=(cert, key)) as running:
        signer = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.adapters.upload_permissions", running.url()),
            cwd=ROOT,
            env=os.environ | {"SSL_CERT_FILE": str(cert)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert signer.stdout
        url, other = json.loads(await signer.stdout.readline())
        async with aiohttp.ClientSession() as http:
            headers = {"x-ms-blob-type": "BlockBlob"}
            statuses = [(await http.put(url, data=b"abc", headers=headers, ssl=trust)).status for _ in range(2)]
        size, _ = await signer.communicate(b"\n")

    assert statuses == [201, 403]
    assert json.loads(size) == 3
    assert "skoid=" in url
    assert _member(url, "skt") == _member(other, "skt")


def _member(url: str, name: str) -> str:
    return url.partition(f"{name}=")[2].partition("&")[0]
