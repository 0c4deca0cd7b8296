"""/conversations."""
