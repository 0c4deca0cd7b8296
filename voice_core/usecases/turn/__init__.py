"""A turn: an utterance, the reply to it, and the reply's speech."""
