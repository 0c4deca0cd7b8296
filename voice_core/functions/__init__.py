"""HTTP: a folder for each resource."""
