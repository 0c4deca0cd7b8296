"""Fails when a link in the documentation leads nowhere in the repository."""

import re
import sys
from pathlib import Path

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def dead_links(page: Path) -> list[str]:
    """The local targets that *page* links to and that are not there."""
    targets = (target.partition("#")[0] for target in LINK.findall(page.read_text()) if "://" not in target)
    return [target for target in targets if target and not (page.parent / target).exists()]


def main() -> None:
    pages = [*Path().glob("*.md"), *Path("docs").rglob("*.md")]
    dead = [f"{page}: {target}" for page in pages for target in dead_links(page)]
    sys.exit("\n".join(dead) if dead else 0)


if __name__ == "__main__":
    main()
