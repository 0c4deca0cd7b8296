"""Azure Speech by its real SDK, against a server that speaks its protocol."""
