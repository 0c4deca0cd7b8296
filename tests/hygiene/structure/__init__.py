"""Generators of structure: each module makes inputs of one kind, whose parts agree with one another.

Counts, sizes and offsets are small, at a boundary, or huge, and mostly right, so that parsers read on to their depth.
"""
