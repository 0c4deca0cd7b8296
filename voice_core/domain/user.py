"""Whose things these are."""

from hashlib import sha256

THE_ONE_USER = "local"
"""Of a local run, where nobody signs in."""


def user_id_of(issuer: str, subject: str) -> str:
    """The user whom *issuer* calls *subject*: 32 hex digits.

    Two issuers may call different people the same, so both count. A digest, because issuers choose subjects freely:
    what names a partition, a folder and a user in the log must be short, hold no odd characters, and name nobody.
    """
    return sha256(f"{issuer}\0{subject}".encode()).hexdigest()[:32]
