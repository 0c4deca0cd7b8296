"""docs/security.md names what is there."""

import re

from emulators.page import page_headers
from tests.conftest import ROOT
from tests.hygiene.recordings import recordings
from voice_core.functions.http.security_headers import CAREFUL

PAGE = (ROOT / "docs" / "security.md").read_text()


def rows() -> list[list[str]]:
    """The table of threats, without its head."""
    table = PAGE.partition("## Threats")[2].partition("## Headers")[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]


def test_every_threat_has_a_test() -> None:
    """Each row names tests or commands that exist."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert len(rows()) >= 15
    for threat, _, shown in rows():
        named = re.findall(r"`([^`]+)`", shown)
        assert named, threat
        for name in named:
            known = name.removeprefix("make ") in targets if name.startswith("make ") else (ROOT / name).exists()
            assert known, f"{threat}: {name}"


def test_the_headers_are_those_that_are_sent() -> None:
    """Word for word."""
    for name, value in CAREFUL.items():
        assert f"\n{name}: {value}\n" in PAGE
    assert "unsafe" not in "".join(page_headers("").values())


def test_the_page_counts_the_recordings() -> None:
    """As many as there are."""
    assert f"recordings in {len(recordings())} combinations" in PAGE
