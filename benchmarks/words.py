"""Word errors of a transcript."""

import re
from collections.abc import Sequence


def words(text: str) -> list[str]:
    """The words of *text* in lower case, without punctuation."""
    return re.findall(r"[a-z']+", text.lower().replace("’", "'"))


def errors(spoken: Sequence[str], recognised: Sequence[str]) -> int:
    """Least number of substitutions, deletions and insertions from *spoken* to *recognised* (Levenshtein)."""
    row = list(range(len(recognised) + 1))
    for number, word in enumerate(spoken, 1):
        diagonal, row[0] = row[0], number
        for column, other in enumerate(recognised, 1):
            least = min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
            diagonal, row[column] = row[column], least
    return row[-1]
