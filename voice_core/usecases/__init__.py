"""Use cases: what the product does, without HTTP and without vendors."""
