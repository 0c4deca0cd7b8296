"""The functions of the product that parse callers' input ("doors"), and what they need to run.

A door draws an input and passes it on. It returns how that ended, and raises the product's errors.
"""
