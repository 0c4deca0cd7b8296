"""Fails when a document links to, or names, a file or heading that is not in the repository."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:json|md|py|sh|wav))`")
"""A file that is named without a link."""

ROOTS = (Path(), Path("voice_core"))
"""Folders that such names are relative to."""


def dead(page: Path) -> Iterator[str]:
    """Links and file names in *page* whose targets do not exist."""
    text = FENCED.sub("", page.read_text())
    for link in LINK.findall(text):
        target, _, anchor = link.partition("#")
        if "://" not in link and not _there(page.parent / target if target else page, anchor):
            yield link
    for name in FILE.findall(text):
        if not any((root / name).exists() for root in ROOTS):
            yield name


def _there(target: Path, anchor: str) -> bool:
    if not anchor:
        return target.exists()
    return target.is_file() and anchor in map(_slug, HEADING.findall(FENCED.sub("", target.read_text())))


def _slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def main() -> None:
    pages = [*Path().glob("*.md"), *Path("docs").rglob("*.md")]
    found = [f"{page}: {target}" for page in pages for target in dead(page)]
    sys.exit("\n".join(found) if found else 0)


if __name__ == "__main__":
    main()
