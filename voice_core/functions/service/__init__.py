"""/voices, /health and the page of the last turns."""
