"""Deadlines, circuit breakers, bulkheads, retries and fallbacks around a port."""
