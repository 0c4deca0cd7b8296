"""Stand-ins that tests and benchmarks share: scripted ports, stores in memory, callers, sounds, faults."""
