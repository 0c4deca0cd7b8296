"""The functions that the app registers, as Azure would index them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.conftest import ROOT

# Azure's library can index an app only once per process, and other tests do so in this process.
_PRINT = """
import json, function_app
indexed = function_app.app.get_functions()
print(json.dumps([[each.get_function_name(), json.loads(each.get_function_json())["bindings"]] for each in indexed]))
"""


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    trigger: dict[str, Any]

    @property
    def path(self) -> str:
        """Path of an HTTP function, from the host's root."""
        prefix = json.loads((ROOT / "host.json").read_text())["extensions"]["http"]["routePrefix"]
        return f"/{prefix}/{self.trigger['route']}"


@cache
def functions() -> tuple[Function, ...]:
    # CLIP_SOURCE is set for local runs and would change which functions are indexed.
    environ = {name: value for name, value in os.environ.items() if name != "CLIP_SOURCE"}
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _PRINT], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    return tuple(Function(name, _trigger(bindings)) for name, bindings in json.loads(done.stdout))


def http_functions() -> list[Function]:
    return [function for function in functions() if function.trigger["type"] == "httpTrigger"]


def _trigger(bindings: list[dict[str, Any]]) -> dict[str, Any]:
    return next(binding for binding in bindings if binding["type"].endswith("Trigger"))
