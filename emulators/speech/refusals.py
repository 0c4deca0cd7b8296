"""Requests that cannot be served."""


class RequestRefused(Exception):
    """The request is refused; the message is the reason that is sent to the client."""
