"""Names of blobs: user and clip, so that the owner follows from the name alone."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from voice_core.domain.clip import ClipName

_CLIP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def folder(user_id: str) -> str:
    """The user's path segment: the id in URL-safe base64, because it may contain any character."""
    return urlsafe_b64encode(user_id.encode()).decode().rstrip("=")


def blob_name(name: ClipName) -> str:
    return f"{folder(name.user_id)}/{name.clip_id}"


def clip_name(blob: str) -> ClipName | None:
    """The clip whose recording *blob* is; None if the name is not one of ours."""
    user, slash, clip_id = blob.partition("/")
    if not slash or not _CLIP_ID.fullmatch(clip_id):
        return None
    try:
        user_id = urlsafe_b64decode(user + "=" * (-len(user) % 4)).decode()
    except ValueError:
        return None
    return ClipName(user_id, clip_id) if user_id and folder(user_id) == user else None
