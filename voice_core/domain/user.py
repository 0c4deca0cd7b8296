"""Ids of users."""

from hashlib import sha256

THE_ONE_USER = "local"
"""The user of a local run, where callers do not sign in."""


def user_id_of(issuer: str, subject: str) -> str:
    """The id of the user whom *issuer* calls *subject*: 32 hex digits.

    Two issuers may use one subject for different people, so both count. It is a digest because issuers choose subjects
    freely: the name of a partition, of a folder and of a user in the log must be short, without special characters, and
    must not reveal a person.
    """
    return sha256(f"{issuer}\0{subject}".encode()).hexdigest()[:32]
