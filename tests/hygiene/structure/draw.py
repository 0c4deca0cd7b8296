"""Random choices of generated inputs: counts and numbers that are small, at a boundary, or huge."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")

LONGEST_BYTES = 400_000
"""Most bytes of a generated file: larger ones only take longer."""

BOUNDARIES = tuple(sorted({max(0, (1 << bits) + step) for bits in (0, 1, 3, 7, 8, 15, 16) for step in (-1, 0, 1)}))
HUGE = (*((1 << bits) + step for bits in (24, 27, 31, 32, 62, 63) for step in (-1, 0)), 10**6, 10**9)

LETTERS = (
    "abcdefghijklmnopqrstuvwxyz0123456789 .,;:!?'\"-_/\\*`~#[](){}<>|=&$%@^+",
    "äöüßéñçøåłžİıſ",
    "日本語中文한국어。、！？「」【】",
    "שלוםعربية؟،ہे॥។ไทย\u200c\u200d",
    "😀👨‍👩‍👧🇩🇪\ufe0f\u20e3",
    "\0\x01\x1f\x7f\x85\xa0\u2028\u2029\ufeff\ufffd\u202e",
)


class Draw(random.Random):
    """The random choices of one input; the same *seed* makes the same choices on every Python.

    Two inputs of five are right in every field, and only unusual; in the others some fields are wrong.
    """

    def __init__(self, seed: str) -> None:
        super().__init__(seed)
        self.wrongness = self.choice((0.0, 0.0, 0.2, 0.2, 1.0))
        """Factor of the probability that a field is wrong."""

    def likely(self, chance: float) -> bool:
        """True with probability *chance*."""
        return self.random() < chance

    def few(self, most: int = 4) -> int:
        """A number of parts: mostly one, at most *most*."""
        return self.choice((0, 1, 1, 1, 2, self.randint(0, most)))

    def count(self, most: int) -> int:
        """A number of real items: small, at a boundary, or as many as *most*."""
        kind = self.random()
        if kind < 0.7:
            return self.randint(0, min(5, most))
        if kind < 0.9:
            return min(most, self.choice(BOUNDARIES))
        return self.randint(0, most)

    def number(self, bits: int) -> int:
        """A value of a field of *bits* bits: small, at a boundary, huge, or any."""
        values: Sequence[Callable[[], int]] = (
            lambda: self.randint(0, 8),
            lambda: self.choice(BOUNDARIES),
            lambda: self.choice(HUGE),
            lambda: self.getrandbits(bits),
        )
        return self.choice(values)() % (1 << bits)

    def claim(self, true: int, bits: int = 32, chance: float = 0.1) -> int:
        """The *true* value of a field, sometimes another."""
        near = (max(0, true - 1), true + 1, 2 * true, true // 2)
        return (self.choice((*near, self.number(bits))) if self.likely(chance * self.wrongness) else true) % (1 << bits)

    def usually(self, usual: Item, *others: Item) -> Item:
        """The *usual* value of a field, or in wrong inputs one of *others*."""
        return self.choice(others) if self.likely(0.25 * self.wrongness) else usual

    def parts(self, total: int, most: int) -> list[int]:
        """*total* in at most *most* positive parts that add up to it."""
        cuts = sorted({self.randint(1, total) for _ in range(self.randint(0, most))}) if total > 0 else []
        return [end - start for start, end in zip([0, *cuts], [*cuts, total], strict=True) if end > start]

    def some(self, items: Sequence[Item], chance: float = 0.5) -> list[Item]:
        """Some of *items*, in their order."""
        return [item for item in items if self.likely(chance)]

    def text(self, longest: int = 40) -> str:
        """Text in one or several scripts, markup and control characters included."""
        alphabets = self.choices(LETTERS, (60, 10, 10, 8, 6, 6), k=self.randint(1, 3))
        letters = "".join(alphabets)
        return "".join(self.choices(letters, k=self.randint(0, longest)))

    def name(self, length: int = 4) -> bytes:
        """A name of a chunk or box that no format has."""
        return bytes(self.choices(b"abcdefghijklmnopqrstuvwxyz", k=length))

    def junk(self, most: int = 64) -> bytes:
        """Some random, empty or set bytes."""
        size = self.count(most)
        return self.choice((self.randbytes(size), bytes(size), b"\xff" * size))
