"""Reads settings from the environment: the fields of a dataclass, each from the variable of its name."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from json import loads
from math import inf
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

if TYPE_CHECKING:
    from voice_core.domain.session import IceServer

LONGEST_LEEWAY_SECONDS = 600
"""A larger difference between two clocks means that one of them is wrong."""


class SettingsError(Exception):
    """A setting is missing or malformed; the message says which, and what to do."""


def read(settings: Any, environ: Mapping[str, str]) -> dict[str, Any]:
    """The values of those fields of the dataclass *settings* that *environ* sets.

    Raises:
        SettingsError: naming every variable that is missing or malformed.
    """
    values: dict[str, Any] = {}
    wrong = []
    for field in fields(settings):
        name, kind = field.name.upper(), field.name if field.name in _READ else field.type
        if text := environ.get(name, "").strip():
            try:
                values[field.name] = _value(kind, text)
            except ValueError:
                shown = name if kind in _SECRET else f"{name}={text!r}"
                wrong.append(f"{shown} is {_not(kind)}")
        elif field.default is MISSING:
            wrong.append(f"{name} is missing")
    if wrong:
        raise SettingsError(f"{'; '.join(wrong)}. See docs/settings.md, or copy local.settings.json.")
    return values


def _value(kind: Any, text: str) -> Any:
    if get_origin(kind) is not Literal:
        return _READ[kind](text)
    if text.lower() not in get_args(kind):
        raise ValueError(text)
    return text.lower()


def _not(kind: Any) -> str:
    return f"none of {', '.join(get_args(kind))}" if get_origin(kind) is Literal else f"not {_KIND[kind]}"


def _switch(text: str) -> bool:
    try:
        return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
    except KeyError as error:
        raise ValueError(text) from error


def _positive(read: Callable[[str], float]) -> Callable[[str], float]:
    def checked(text: str) -> float:
        if not 0 < (value := read(text)) < inf:
            raise ValueError(text)
        return value

    return checked


def _between(least: float, most: float) -> Callable[[str], float]:
    def checked(text: str) -> float:
        if not least <= (value := float(text)) <= most:
            raise ValueError(text)
        return value

    return checked


def read_ice_servers(text: str) -> "tuple[IceServer, ...]":
    """The servers in `Settings.ice_servers`; raises ValueError."""
    from voice_core.domain.session import IceServer

    try:
        return tuple(
            IceServer(
                (server["urls"],) if isinstance(server["urls"], str) else tuple(map(str, server["urls"])),
                str(server.get("username", "")),
                str(server.get("credential", "")),
            )
            for server in loads(text or "[]")
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(text) from error


def _ice_servers(text: str) -> str:
    read_ice_servers(text)
    return text


_READ: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: _positive(int),
    float: _positive(float),
    bool: _switch,
    "ice_servers": _ice_servers,
    "jwt_leeway_seconds": _between(0, LONGEST_LEEWAY_SECONDS),
    "otel_traces_sampler_arg": _between(0, 1),
}
_SECRET = {"ice_servers"}
"""Settings with credentials, which error messages must not show."""
_KIND: dict[Any, str] = {
    int: "a positive whole number",
    float: "a positive number",
    bool: "true or false",
    "ice_servers": "a list of ICE servers",
    "jwt_leeway_seconds": "a number of seconds from 0 to 600",
    "otel_traces_sampler_arg": "a number from 0 to 1",
}
