"""The function app in Microsoft's own runtime, which Azure runs."""

import asyncio
import json
import os
import sys
from dataclasses import fields

from fakes.eventually import HANG_SECONDS
from tests.conftest import HEARD, ROOT, Services
from tests.functions.turns import parse_sse, recording, types


async def test_the_runtime_indexes_and_streams(services: Services) -> None:
    """Every function is indexed; a turn's events are streamed, not buffered; the refusal of a large body arrives."""
    values = {field.name: getattr(services.settings, field.name) for field in fields(services.settings)}
    settings = {name.upper(): str(value) for name, value in values.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.functions.runtime_driver",
        str(ROOT),
        cwd=ROOT,
        env=os.environ | settings | {"PYTHON_ENABLE_INIT_INDEXING": "1"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, log = await asyncio.wait_for(process.communicate(recording()), HANG_SECONDS)
    assert process.returncode == 0, log.decode()
    done = json.loads(out.splitlines()[-1])

    assert {"get_health", "get_openapi", "post_process", "post_speak", "list_voices"} <= set(done["functions"])
    health, turn, refused = done["answers"]
    assert (health["status"], health["succeeded"]) == (200, True)
    events = parse_sse("".join(turn["chunks"]))
    assert types(events)[0] == "turn.created"
    assert types(events)[-1] == "turn.done"
    assert HEARD in events[-1]["transcription"].lower()
    assert turn["succeeded"]
    assert len(turn["chunks"]) > 2
    assert (refused["status"], json.loads("".join(refused["chunks"]))["code"]) == (413, "body-too-large")
