"""The Azure Speech adapters with the real SDK, against a server that speaks its protocol."""
