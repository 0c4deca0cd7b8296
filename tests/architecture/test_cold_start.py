"""The function app starts without loading what only a turn needs."""

import json
import subprocess
import sys

from tests.conftest import ROOT

HEAVY = (
    *("openai", "azure.cosmos", "azure.identity", "azure.cognitiveservices", "azure.storage", "aiortc", "av", "numpy"),
    *("aiohttp", "opentelemetry.sdk", "azure.monitor", "jwt", "cryptography"),
    *(
        "voice_core.adapters",
        "voice_core.domain.session",
        "voice_core.domain.clip",
        "voice_core.functions.openapi.document",
    ),
    *(
        "voice_core.functions.turn.event_schemas",
        "voice_core.functions.session.data_channel",
        "voice_core.usecases.session.request",
        "voice_core.usecases.clip.offer_clip",
    ),
)
"""Modules that must not load at start: vendors' packages, and modules for sessions, clips or the OpenAPI document."""


def test_importing_the_function_app_loads_no_sdk() -> None:
    """Importing the function app imports no vendor's SDK, codec or numpy, nor modules that few requests need."""
    program = "import json, sys, function_app; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)  # noqa: S603
    loaded = json.loads(done.stdout)

    assert [name for name in loaded if f"{name}.".startswith(tuple(f"{heavy}." for heavy in HEAVY))] == []


def test_importing_the_function_app_needs_no_settings() -> None:
    """Nothing is read or opened at import: an empty environment is enough."""
    done = subprocess.run(
        [sys.executable, "-c", "import function_app"], cwd=ROOT, env={}, capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")
