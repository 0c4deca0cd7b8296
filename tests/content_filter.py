"""The annotations that Azure's asynchronous content filter adds to a streamed reply."""

from typing import Any

OFFSETS = {"check_offset": 44, "start_offset": 44, "end_offset": 198}
SAFE = {
    "hate": {"filtered": False, "severity": "safe"},
    "protected_material_text": {"detected": True, "filtered": False},
}


def verdict(**more: Any) -> dict[str, Any]:
    """A choice with the filter's verdict; it has no ``delta`` unless *more* has one."""
    annotations = {"content_filter_offsets": OFFSETS, "content_filter_results": SAFE}
    return {"index": 0, "finish_reason": None, **annotations, **more}
