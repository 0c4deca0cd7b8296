"""Requests that cannot be served."""


class Refused(Exception):
    """The service does not do that; the message is the reason it gives the client."""
