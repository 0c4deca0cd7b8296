"""Text as data: sentences, what can be read aloud, captions."""
