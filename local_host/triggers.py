"""Functions with a blob or a queue trigger, as their app declares them, and the arguments they are called with."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from azurefunctions.extensions.base import Datum, get_binding_registry

EVENT_GRID = "EventGrid"


@dataclass(frozen=True, slots=True)
class TriggeredFunction:
    """A function and its trigger's binding."""

    name: str
    binding: Mapping[str, Any]
    call: Callable[..., Awaitable[None]]

    @property
    def scans(self) -> bool:
        return self.binding["type"] == "blobTrigger" and self.binding.get("source") != EVENT_GRID

    @property
    def container(self) -> str:
        return str(self.binding.get("path", "")).partition("/")[0]


def triggered_function(function: Any) -> TriggeredFunction | None:
    """*function* if it has a blob or a queue trigger."""
    for binding in json.loads(str(function))["bindings"]:
        if binding["type"] in ("blobTrigger", "queueTrigger"):
            return TriggeredFunction(function.get_function_name(), binding, function.get_user_function())
    return None


def blob_argument(trigger: TriggeredFunction, event: Mapping[str, str]) -> Any:
    """The argument that the worker makes of a deferred binding: a reference to the blob, never its content."""
    annotation = get_type_hints(trigger.call)[trigger.binding["name"]]
    reference = {name: event[name] for name in ("ContainerName", "BlobName")}
    data = _BindingData(json.dumps({"Connection": trigger.binding["connection"]} | reference).encode())
    converter = get_binding_registry().get("blobTrigger")
    return converter.decode(Datum(data, "model_binding_data"), trigger_metadata={}, pytype=annotation)


@dataclass(frozen=True, slots=True)
class _BindingData:
    content: bytes
