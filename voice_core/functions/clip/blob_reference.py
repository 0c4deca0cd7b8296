"""A blob trigger's blob by its name, so that neither the host nor the worker loads its content."""

import json
from dataclasses import dataclass
from typing import Any

from azurefunctions.extensions.base import Datum, InConverter, SdkType


@dataclass(frozen=True)
class BlobReference(SdkType):  # type: ignore[misc]
    """Container and name of a blob. For a parameter of this type the host passes no more (a "deferred binding")."""

    container: str
    name: str

    def get_sdk_type(self) -> "BlobReference":
        return self


class BlobReferenceConverter(InConverter, binding="blobTrigger"):  # type: ignore[misc, call-arg]
    """Converts the host's binding data to a `BlobReference`."""

    @classmethod
    def check_input_type_annotation(cls, pytype: type) -> bool:
        return issubclass(pytype, BlobReference)

    @classmethod
    def decode(cls, data: Datum, *, trigger_metadata: Any, pytype: Any = None) -> BlobReference:
        document = json.loads(data.value.content)
        return BlobReference(document["ContainerName"], document["BlobName"])

    @classmethod
    def has_implicit_output(cls) -> bool:
        return False
