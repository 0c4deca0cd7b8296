"""Open quotes, brackets and emphasis in text that is read a character at a time."""

_PAIRS = dict(zip("([{“‘«「『（【《〈", ")]}”’»」』）】》〉", strict=True))
_WIDE = "*_~`"
"""Marks that open and close with the same character, or with several of it."""
_CHARACTERS = frozenset([*_PAIRS, *_PAIRS.values(), *_WIDE, '"', "'"])

DEEPEST = 8
"""Open marks that are tracked; further ones are ignored."""


class Nesting:
    """The open marks, innermost last."""

    def __init__(self) -> None:
        self._open: list[tuple[str, bool]] = []
        self._widening = False
        self.inside = False
        """True when the mark that closed last was opened within the sentence, not at its start."""

    def __bool__(self) -> bool:
        return bool(self._open)

    def take(self, character: str, *, first: bool) -> None:
        """Read *character*; *first* when no word of the sentence came before it."""
        widening, self._widening = self._widening, False
        if character not in _CHARACTERS:
            return
        for depth in reversed(range(len(self._open))):
            closer, began = self._open[depth]
            if closer[-1] != character:
                continue
            if widening and depth == len(self._open) - 1:
                self._open[depth], self._widening = (closer + character, began), True
            else:
                self._close(depth)
            return
        self._begin(character, first)

    def next_sentence(self) -> None:
        """Begin the next sentence: marks that are still open count as opened at its start."""
        self._open = [(closer, True) for closer, _ in self._open]
        self.inside = False

    def clear(self) -> None:
        """Drop all open marks."""
        self._open.clear()
        self.inside = False

    def _begin(self, character: str, first: bool) -> None:
        # An apostrophe counts as a quote only where no word can need one.
        opens = character in _PAIRS or character in _WIDE or character == '"' or (character == "'" and first)
        if opens and len(self._open) < DEEPEST:
            self._open.append((_PAIRS.get(character, character), first))
            self._widening = character in _WIDE

    def _close(self, depth: int) -> None:
        closer, began = self._open[depth]
        del self._open[depth:]
        if closer[:-1]:
            self._open.append((closer[:-1], began))
        else:
            self.inside = not began
