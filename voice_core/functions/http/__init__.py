"""HTTP for all resources: requests, bodies, problems, negotiation, limits, streams."""
