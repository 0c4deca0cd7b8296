"""What blobs are called: user and clip, so that the name alone says whose it is."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from voice_core.domain.clip import ClipName

_CLIP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def folder(user_id: str) -> str:
    """One path segment that stands for a user, whatever their id is made of."""
    return urlsafe_b64encode(user_id.encode()).decode().rstrip("=")


def blob_name(name: ClipName) -> str:
    return f"{folder(name.user_id)}/{name.clip_id}"


def clip_name(blob: str) -> ClipName | None:
    """Whose recording *blob* is; None when it is none of ours."""
    user, slash, clip_id = blob.partition("/")
    if not slash or not _CLIP_ID.fullmatch(clip_id):
        return None
    try:
        user_id = urlsafe_b64decode(user + "=" * (-len(user) % 4)).decode()
    except ValueError:
        return None
    return ClipName(user_id, clip_id) if user_id and folder(user_id) == user else None
