"""Processes of engines: each engine computes outside the emulator's process, and imports its packages there only."""
