"""The weights of models, by their checksums."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from emulators.speech.engines import EngineMissing


def verify(folder: Path, checksums: Mapping[str, str]) -> None:
    """Return if each file in *folder* has its SHA-256, in hexadecimal.

    Raises:
        EngineMissing: a file is missing or has another checksum.
    """
    for name, expected in checksums.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise EngineMissing(f"{folder / name} cannot be read: {error.strerror}") from error
        if found != expected:
            raise EngineMissing(f"{folder / name} has the SHA-256 {found[:16]}…, not {expected[:16]}…")
