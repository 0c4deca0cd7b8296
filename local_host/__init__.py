"""The function app, its page and its triggers on this machine, with the emulators: what `make run` serves."""
