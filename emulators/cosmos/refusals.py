"""Error responses of the service."""

CODES = {
    304: "NotModified",
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    408: "RequestTimeout",
    409: "Conflict",
    412: "PreconditionFailed",
    413: "RequestEntityTooLarge",
    424: "FailedDependency",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
}

PARTITION_KEY_MISMATCH = 1001
OWNER_NOT_FOUND = 1003
COLLECTION_RID_MISMATCH = 1024
AAD_NOT_ALLOWED = 5300


class Refusal(Exception):
    """The request is refused with an error status; *substatus* is sent as ``x-ms-substatus``."""

    def __init__(self, status: int, message: str, substatus: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.substatus = substatus


def error_document(status: int, message: str) -> dict[str, str]:
    """The body of a response with an error status."""
    return {"code": CODES.get(status, str(status)), "message": message}
