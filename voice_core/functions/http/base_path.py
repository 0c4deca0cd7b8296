"""The common path prefix of all resources."""

BASE = "/api/voice"
"""Every path of the API begins with this."""
