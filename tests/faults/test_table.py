"""The table in docs/reliability.md matches the fault matrix."""

import re

from benchmarks.faults import BEGIN, END, HEAD, MARGIN_MS, PAGE, table
from fakes.fault_matrix import FAULTS, ROWS

MS = re.compile(r"\| (\d+) \| (\d+) \|$", re.MULTILINE)
"""The measured time and the deadline of a line."""


def kept_table() -> str:
    return PAGE.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def test_the_page_matches_the_matrix() -> None:
    """Every outcome that the tests expect is on the page, and no other."""
    cells = {(row.name, fault.name): 0 for row in ROWS for fault in FAULTS}
    assert len(cells) >= 60
    assert MS.sub(r"| 0 | \2 |", kept_table()) == table(cells).strip()


def test_every_deadline_on_the_page_was_met() -> None:
    """In the run whose times are on the page, every cell ended within its deadline and the margin."""
    times = [(int(took), int(deadline)) for took, deadline in MS.findall(kept_table())]
    assert len(times) == len(kept_table().splitlines()) - len(HEAD.strip().splitlines())
    assert all(took <= deadline + MARGIN_MS for took, deadline in times)
