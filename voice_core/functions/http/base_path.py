"""The path below which all resources are."""

BASE = "/api/voice"
"""Where all paths begin."""
