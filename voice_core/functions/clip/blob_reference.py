"""A blob trigger's blob by its name, so that neither host nor worker loads what is in it."""

import json
from dataclasses import dataclass
from typing import Any

from azurefunctions.extensions.base import Datum, InConverter, SdkType


@dataclass(frozen=True)
class BlobReference(SdkType):  # type: ignore[misc]
    """Where the blob is. The host hands over no more for a parameter of this type (a "deferred binding")."""

    container: str
    name: str

    def get_sdk_type(self) -> "BlobReference":
        return self


class BlobReferenceConverter(InConverter, binding="blobTrigger"):  # type: ignore[misc, call-arg]
    """Makes a `BlobReference` of what the host sends."""

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
