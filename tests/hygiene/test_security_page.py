"""docs/security.md names tests, headers and figures that exist."""

import re

from local_host.page import page_headers
from tests.conftest import ROOT
from tests.hygiene.recordings import recordings
from voice_core.functions.http.security_headers import SECURITY_HEADERS

PAGE = (ROOT / "docs" / "security.md").read_text()


def rows() -> list[list[str]]:
    """The rows of the table of threats, without its header."""
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


def test_the_page_lists_the_security_headers() -> None:
    """The page quotes the security headers as they are sent, and no policy allows anything unsafe."""
    for name, value in SECURITY_HEADERS.items():
        assert f"\n{name}: {value}\n" in PAGE
    assert "unsafe" not in "".join(page_headers("").values())


def test_the_page_counts_the_recordings() -> None:
    """The number of recordings in the text is the actual one."""
    assert f"recordings in {len(recordings())} combinations" in PAGE
