"""Every curl line in the documents is a request of the contract."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.conftest import ROOT
from voice_core.functions.openapi.document import contract

PREFIX = "/api/voice"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
COMMAND = re.compile(r"\bcurl ((?:'[^']*'|\"[^\"]*\"|[^|)\n'\"])+)")
PARAMETERS = {"$ID": "{conversationId}", "$TURN": "{turnId}", "$clip": "{clipId}", "transcript.vtt": "{part}"}
"""Path parameters as they are written in the documents."""

BODIES = ("-d", "--data-binary", "-F", "-T")
RECORDING = "audio"
"""The form's field that holds the recording; its name is free."""


@dataclass(frozen=True)
class Command:
    """A curl line, split into words."""

    text: str
    words: tuple[str, ...]

    @property
    def url(self) -> str:
        """The URL of the request; empty for an upload, whose URL is only known at run time."""
        return next((word for word in self.words if word.startswith("http")), "")

    @property
    def method(self) -> str:
        if named := self.after("-X"):
            return named[0].lower()
        return "post" if any(self.after(option) for option in BODIES) else "get"

    def after(self, option: str) -> list[str]:
        """The word after each *option*."""
        return [word for before, word in zip(self.words, self.words[1:], strict=False) if before == option]


def _commands(page: Path) -> Iterator[Command]:
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        for found in COMMAND.findall(block.replace("\\\n", "")):
            command = Command(found.strip(), tuple(shlex.split(found)))
            if urlsplit(command.url).path.startswith(PREFIX):
                yield command


COMMANDS = [command for page in PAGES for command in _commands(page)]


def _operation(command: Command) -> dict[str, Any]:
    path = urlsplit(command.url).path.removeprefix(PREFIX)
    for variable, parameter in PARAMETERS.items():
        path = path.replace(variable, parameter)
    operation: dict[str, Any] = contract()["paths"][path][command.method]
    return operation


def _members(operation: dict[str, Any]) -> set[str]:
    """The names of members that a JSON body may have."""
    reference: str = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return {*contract()["components"]["schemas"][reference.rpartition("/")[2]]["properties"]}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.text[:60])
def test_every_curl_matches_the_contract(command: Command) -> None:
    """Path, method, parameters, members, media type and sample clip of each command exist."""
    operation = _operation(command)
    options = {name for name, _ in parse_qsl(urlsplit(command.url).query)}
    fields = {field.partition("=")[0] for field in command.after("-F")}
    sent = [json.loads(body) for body in command.after("-d")]
    accepted = [value for name, _, value in (h.partition(": ") for h in command.after("-H")) if name == "Accept"]

    assert options <= {parameter["name"] for parameter in operation["parameters"]}
    assert not fields or fields - {RECORDING} <= _members(operation)
    assert all(set(body) <= _members(operation) for body in sent)
    assert set(accepted) <= set(operation["responses"].get("200", {}).get("content", ()))
    assert all((ROOT / file).exists() for file in re.findall(r"@([\w./]+\w)", command.text))


def test_the_documents_have_commands() -> None:
    """The documents have at least one command for each path of the contract."""
    used = {urlsplit(command.url).path.split("/")[3] for command in COMMANDS}

    assert used >= {path.split("/")[1] for path in contract()["paths"]}
