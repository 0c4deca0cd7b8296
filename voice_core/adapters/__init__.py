"""Adapters: the vendors' services behind the ports."""
