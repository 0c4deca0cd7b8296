"""Idempotency keys: a request that is sent again is processed once."""
