"""Measurements of the product's promised figures: ``python -m benchmarks`` runs all, ``python -m benchmarks.turn`` one.

Each prints a table or, with ``--json``, one object a line. Targets are printed and compared, never enforced: a busy
machine misses them. Only a run that fails exits with a non-zero status.
"""
