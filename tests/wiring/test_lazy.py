"""Parts of an object that are built when they are first used."""

import pytest

from voice_core.adapters.entra import EntraTokens
from voice_core.settings import Settings
from voice_core.wiring.app import App
from voice_core.wiring.lazy import Lazy, Parts


class Connection:
    """Records that it was closed."""

    def __init__(self, name: str, closed: list[str]) -> None:
        self.name = name
        self._closed = closed

    async def close(self) -> None:
        self._closed.append(self.name)
        if self.name == "broken":
            raise OSError(self.name)


class House(Parts):
    def __init__(self) -> None:
        super().__init__()
        self.closed: list[str] = []

    @Lazy
    def pool(self) -> Connection:
        return Connection("pool", self.closed)

    @Lazy
    def store(self) -> Connection:
        return Connection(f"store of {self.pool.name}", self.closed)

    @Lazy
    def broken(self) -> Connection:
        return Connection("broken", self.closed)

    @Lazy
    def number(self) -> int:
        return 1


async def test_a_part_is_built_once_and_when_it_is_used() -> None:
    """A part is built at its first use, and all users of a part get the same object."""
    house = House()
    assert not House.pool.is_built(house)
    assert house.pool is house.pool
    assert House.pool.is_built(house)
    assert not House.store.is_built(house)


async def test_parts_are_closed_before_those_they_were_built_from() -> None:
    """Parts are closed in the reverse order of building; parts that were not built are not built for that."""
    house = House()
    assert (house.number, house.store.name) == (1, "store of pool")
    await house.close()
    assert house.closed == ["store of pool", "pool"]


async def test_an_error_leaves_nothing_open() -> None:
    """When one part cannot be closed, the others are still closed."""
    house = House()
    assert house.pool
    assert house.broken
    with pytest.raises(OSError, match="broken"):
        await house.close()
    assert house.closed == ["broken", "pool"]


async def test_a_part_can_be_replaced() -> None:
    """A part that a test assigns is used and closed."""
    house = House()
    house.pool = Connection("other", house.closed)
    assert house.store.name == "store of other"
    await house.close()
    assert house.closed == ["store of other", "other"]


async def test_the_identity_is_closed_after_those_who_use_it() -> None:
    """An adapter without a key gets its tokens from the app's identity, so the identity is built before it."""
    app = App(
        Settings(speech_endpoint="https://speech.test", openai_endpoint="https://openai.test", cosmos_endpoint="")
    )
    assert app.assistant
    assert app.tts
    identity, *users = app.built.values()
    assert isinstance(identity, EntraTokens)
    assert app.assistant in users
    await app.close()
