"""How much of what was said was heard."""

import re
from collections.abc import Sequence


def words(text: str) -> list[str]:
    """The words of *text* as they sound: no case, no marks."""
    return re.findall(r"[a-z']+", text.lower().replace("’", "'"))


def errors(said: Sequence[str], heard: Sequence[str]) -> int:
    """Substitutions, deletions and insertions that make *heard* of *said*: the least there can be (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        diagonal, row[0] = row[0], number
        for column, other in enumerate(heard, 1):
            least = min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
            diagonal, row[column] = row[column], least
    return row[-1]
