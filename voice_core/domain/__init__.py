"""Values and errors; the standard library alone."""
