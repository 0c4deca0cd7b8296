"""docs/settings.md lists every setting with its default, and no other names."""

import json
import re
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from emulators.speech.engine_choice import engines_from
from tests.conftest import ROOT
from voice_core.settings import Settings

PAGE = ROOT / "docs" / "settings.md"
LOCAL = ROOT / "local.settings.json"
ROW = re.compile(r"^\| `([A-Za-z_]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
"""A setting's name, default and meaning."""

PRODUCT, EMULATORS, HOST = "## The product", "## The emulators", "## The Functions host"
SHOWN_ELSEWHERE = "see below"
"""In place of a default that is too long for a table."""


def _section(heading: str, page: Path = PAGE) -> str:
    """The text under *heading*, up to the next of its level."""
    return page.read_text().partition(f"{heading}\n")[2].partition("\n## ")[0]


def _rows(heading: str) -> dict[str, str]:
    """The defaults in a section's table, by the settings' names."""
    return {name: default for name, default, _ in ROW.findall(_section(heading))}


def _written(field: Field[Any]) -> str:
    """A field's default as the page writes it."""
    if field.default is MISSING:
        return "required"
    if field.name in ("system_prompt", "clip_prompt"):
        return SHOWN_ELSEWHERE
    if field.default in ("", ()):
        return "none"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def test_every_setting_is_documented_with_its_default() -> None:
    """The table has a row for each field of Settings, and no other rows."""
    assert _rows(PRODUCT) == {field.name.upper(): _written(field) for field in fields(Settings)}


def test_prompts_are_shown_in_full() -> None:
    """The page quotes the prompts of the assistant word for word."""
    shown = " ".join(_section(PRODUCT).replace("\n> ", "\n").split())
    settings = Settings(speech_endpoint="", openai_endpoint="", cosmos_endpoint="")

    assert settings.system_prompt in shown
    assert settings.clip_prompt in shown


def test_every_engine_setting_is_documented() -> None:
    """The emulators' table has the variables that the speech emulator and the local host read."""
    files = [*(ROOT / "emulators").rglob("*.py"), *(ROOT / "local_host").rglob("*.py")]
    sources = "\n".join(path.read_text() for path in files)
    read = re.findall(r'environ\b[^"\n]*"([A-Z_]+)"', sources)

    assert set(read) == set(_rows(EMULATORS))
    assert engines_from({name: default.strip("`") for name, default in _rows(EMULATORS).items() if default != "none"})


def test_local_settings_are_documented() -> None:
    """Each name in local.settings.json is on the page, and the product can read the file."""
    values = json.loads(LOCAL.read_text())["Values"]

    assert set(values) <= {*_rows(PRODUCT), *_rows(HOST)}
    assert Settings.from_environ(values).cosmos_create
