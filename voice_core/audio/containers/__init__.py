"""Containers: which parts of a file FFmpeg may read, and what must be refused before it does."""
