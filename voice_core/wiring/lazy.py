"""Parts of an object that are built when they are first used, and closed in the reverse order."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Generic, Protocol, Self, TypeVar, overload, runtime_checkable

Part = TypeVar("Part")


@runtime_checkable
class Closable(Protocol):
    async def close(self) -> None: ...


class Parts:
    """An object whose attributes may be `Lazy`."""

    def __init__(self) -> None:
        self.built: dict[Lazy[Any], Any] = {}
        """The parts in the order in which they were built: a part comes after those that it was built from."""

    async def close(self) -> None:
        """Close the parts that were built, each before those that it was built from; an error does not stop it."""
        async with AsyncExitStack() as stack:
            for part in self.built.values():
                if isinstance(part, Closable):
                    stack.push_async_callback(part.close)


class Lazy(Generic[Part]):
    """Decorator of a method of `Parts` that builds a part: the attribute is that part, built at most once."""

    def __init__(self, build: Callable[[Any], Part]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    @overload
    def __get__(self, parts: None, kind: type) -> Self: ...
    @overload
    def __get__(self, parts: Parts, kind: type) -> Part: ...
    def __get__(self, parts: Parts | None, kind: type) -> Self | Part:
        return self if parts is None else self.of(parts)

    def __set__(self, parts: Parts, part: Part) -> None:
        parts.built[self] = part

    def of(self, parts: Parts) -> Part:
        """The part of *parts*, built now unless it is built."""
        if self not in parts.built:
            parts.built[self] = self._build(parts)
        part: Part = parts.built[self]
        return part

    def is_built(self, parts: Parts) -> bool:
        return self in parts.built
