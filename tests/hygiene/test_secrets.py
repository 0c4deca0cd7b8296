"""The repository contains no secret."""

import re
import subprocess

import pytest

from emulators.azurite import KEY
from emulators.cosmos.auth import EMULATOR_KEY
from tests.conftest import ROOT

SECRETS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a key of a storage or Cosmos account": r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==",
    "a shared access signature": r"[?&]sig=[A-Za-z0-9%+/]{40,}",
    "a key of a Cognitive Service": r"[0-9A-Za-z]{40,60}JQQJ99[0-9A-Za-z]{10,24}ACOG[0-9A-Za-z]{4}",
    "an OpenAI key": r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{20,}",
    "a GitHub token": r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,})",
    "a client secret of Entra": r"(?<![A-Za-z0-9])[A-Za-z0-9_~.-]{3}8Q~[A-Za-z0-9_~.-]{31,34}",
    "an Application Insights key": r"InstrumentationKey=(?!0{8}-)[0-9a-f]{8}-[0-9a-f]{4}",
    "a token": r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "a password in a URL": r"\w+://[^\s/:@\"'{}<>$]+:[^\s/:@\"'{}<>$]+@[\w.-]+\.\w",
}
"""Patterns of keys and tokens, by their kind."""

PUBLIC = (KEY, EMULATOR_KEY)
"""The public keys of Azurite and of the Cosmos emulator."""

EXAMPLES = {
    "a private key": "-----BEGIN RSA PRIVATE" + " KEY-----",
    "a key of a storage or Cosmos account": "A" * 86 + "==",
    "a shared access signature": "https://a.blob.core.windows.net/c?sv=1&sig=" + "a" * 43,
    "a key of a Cognitive Service": "a" * 52 + "JQQJ99" + "A" * 18 + "ACOG" + "abcd",
    "an OpenAI key": "sk-" + "a" * 24,
    "a GitHub token": "ghp_" + "a" * 36,
    "a client secret of Entra": "abc8Q~" + "a" * 34,
    "an Application Insights key": "InstrumentationKey=" + "1a2b3c4d-0000",
    "a token": "eyJ" + "a" * 20 + ".eyJ" + "a" * 20 + "." + "a" * 20,
    "a password in a URL": "https://me:secret" + "@example.com",
}


def files() -> list[str]:
    """All files that are committed or not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - whatever git is here
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def found(text: str) -> list[str]:
    """The kinds of secrets in *text*, without `PUBLIC` keys."""
    for known in PUBLIC:
        text = text.replace(known, "")
    return [secret for secret, pattern in SECRETS.items() if re.search(pattern, text)]


def test_no_file_holds_a_secret() -> None:
    """No file contains a key or token: they come from the environment, or are not needed at all."""
    secrets_of = {name: found((ROOT / name).read_text(errors="replace")) for name in files()}

    assert {name: secrets for name, secrets in secrets_of.items() if secrets} == {}


@pytest.mark.parametrize("secret", SECRETS)
def test_each_secret_would_be_found(secret: str) -> None:
    """Each pattern matches an example of its secret."""
    assert secret in found(f"key = {EXAMPLES[secret]}")


def test_local_settings_name_local_services_only() -> None:
    """All URLs in local.settings.json are of this machine, so its keys are those of the emulators."""
    settings = (ROOT / "local.settings.json").read_text()

    assert set(re.findall(r"https?://([\w.-]+)", settings)) == {"127.0.0.1"}
