"""Sound as data: formats, decoding, gates, encoding."""
