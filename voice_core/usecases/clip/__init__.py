"""A clip: a long recording that is processed when it has been uploaded."""
