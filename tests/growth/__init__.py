"""Growth: the work for an input grows no faster than its size."""
