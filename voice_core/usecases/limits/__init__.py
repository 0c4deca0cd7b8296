"""Rate limits and the quota of sound."""
