"""The HTTP front of the Functions host, for tests and local runs (docs/functions-host.md)."""
