"""What the product promises in figures, measured: ``python -m benchmarks`` runs all, ``python -m benchmarks.turn`` one.

Each prints a table for people and, with ``--json``, one object a line. Targets are printed and judged, never enforced:
a busy machine misses them. Only a run that fails ends with a status of its own.
"""
