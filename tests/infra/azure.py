"""A checkout of the project in its own folder, and a simulated Azure."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from fakes.eventually import HANG_SECONDS
from tests.conftest import ROOT
from tests.infra.subscription import subscription

COPIED = ("infra", "samples", ".funcignore", "function_app.py", "host.json", "requirements.txt", "pyproject.toml")
FAKE_AZ = Path(__file__).with_name("fake_az.py")
READS = {"show", "list", "exists", "what-if", "list-deleted", "version"}

HANGS_SECONDS = 5 * HANG_SECONDS
"""Timeout of a script. A script starts dozens of programs, each of which may have to wait for a processor."""

FRONT_DOOR = {"/api/voice/health?deep=1": 200, "/api/voice/conversations": 401}
ORIGIN = {"/api/voice/health": 403, "/admin/host/status": 403}
"""Statuses of a healthy deployment for GET, by path: through Front Door, and at the origin directly."""


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request of another method than GET, as Front Door received it."""

    method: str
    path: str
    headers: Mapping[str, str]
    """Values by their names in lower case."""
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


FirewallRule = Callable[[ReceivedRequest], bool]


@dataclass
class Azure:
    """Runs scripts of infra/ against `fake_az`, which records its calls."""

    folder: Path
    responses: dict[str, Any]
    """Responses of az, by the beginning of the call."""
    environ: dict[str, str]
    outputs: dict[str, str]
    """Outputs of the deployment."""
    failing: str = ""
    """Beginning of the calls that fail."""
    front_door: dict[str, int] = field(default_factory=FRONT_DOOR.copy)
    """Statuses of GET, by path; any other path gets 404. Other methods get 401, as without a token."""
    received: list[ReceivedRequest] = field(default_factory=list)
    """Requests of other methods than GET that Front Door received."""
    firewall_rules: list[FirewallRule] = field(default_factory=list)
    """Rules of the firewall: a request that one of them matches gets 429."""
    origin: dict[str, int] = field(default_factory=ORIGIN.copy)

    def run(self, script: str, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run a script of infra/ to its end, with *typed* as its input."""
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        (state / "responses.json").write_text(json.dumps(self.responses))
        (state / "failing").write_text(self.failing)
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        quick = {"PATH": path, "AZ_STATE": str(state), "ATTEMPTS": "2", "PAUSE_SECONDS": "0"}
        return subprocess.run(  # noqa: S603 - our own script
            [str(self.checkout / "infra" / script), *arguments],
            env=quick | self.environ,
            input=typed,
            capture_output=True,
            text=True,
            timeout=HANGS_SECONDS,
            check=False,
        )

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def calls(self) -> list[list[str]]:
        """The calls of az, in order."""
        calls = self.folder / "state" / "calls"
        return [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []

    @property
    def changes(self) -> list[str]:
        """The commands that change something, without their options, in order."""
        commands = [_command(call) for call in self.calls]
        return [command for command in commands if not READS & set(command.split())]

    def call(self, command: str) -> list[str]:
        """The only call of a command."""
        (call,) = (call for call in self.calls if _command(call) == command)
        return call


def option(call: list[str], name: str) -> str:
    """The value of an option in a call."""
    return call[call.index(name) + 1]


@contextmanager
def azure(folder: Path) -> Iterator[Azure]:
    """The project as one commit in *folder*/checkout, az in *folder*/bin, and servers for Front Door and the origin."""
    _check_out(folder)
    through_front_door, direct = FRONT_DOOR.copy(), ORIGIN.copy()
    received: list[ReceivedRequest] = []
    firewall_rules: list[FirewallRule] = []

    def status_of(request: ReceivedRequest) -> int:
        received.append(request)
        return 429 if any(rule(request) for rule in firewall_rules) else 401

    with _serving(through_front_door, status_of) as front_door, _serving(direct, lambda _: 403) as origin:
        outputs = {
            "API_BASE_URL": f"{front_door}/api/voice",
            "AZURE_RESOURCE_GROUP": "rg-voice-dev",
            "FUNCTION_APP_NAME": "func-voice-dev",
            "FUNCTION_APP_URL": origin,
            "CLIPS_TOPIC": "evgt-voice-dev",
            "CLIPS_CONTAINER": "clips",
        }
        environ = {"ALERT_EMAIL": "operators@example.com"}
        responses = subscription(outputs)
        yield Azure(folder, responses, environ, outputs, "", through_front_door, received, firewall_rules, direct)


def _check_out(folder: Path) -> None:
    checkout, tools = folder / "checkout", folder / "bin"
    tools.mkdir()
    (tools / "az").write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{FAKE_AZ}" "$@"\n')
    (tools / "az").chmod(0o755)
    (checkout / "voice_core" / "functions").mkdir(parents=True)
    (checkout / "voice_core" / "functions" / "turns.py").touch()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, checkout / name)
        else:
            shutil.copy(ROOT / name, checkout / name)
    _git(checkout, "init", "--quiet")
    _commit(checkout)


def _commit(checkout: Path) -> None:
    _git(checkout, "add", "--all")
    _git(checkout, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", "All")


def _git(checkout: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=checkout, check=True)  # noqa: S603, S607


def _command(call: list[str]) -> str:
    options = next((place for place, word in enumerate(call) if word.startswith("-")), len(call))
    return " ".join(call[:options])


@contextmanager
def _serving(statuses: dict[str, int], otherwise: Callable[[ReceivedRequest], int]) -> Iterator[str]:
    """A server that responds to GET with a status by path, and to other methods with the status of *otherwise*."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._respond(statuses.get(self.path, 404))

        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            self._respond(otherwise(ReceivedRequest(self.command, self.path, headers, body)))

        def do_PATCH(self) -> None:
            self.do_POST()

        def do_DELETE(self) -> None:
            self.do_POST()

        def _respond(self, status: int) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing: the script prints the statuses that it received."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
