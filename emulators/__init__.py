"""Small servers that speak the wire protocols of the services the product uses.

They import nothing of the product, nor it of them: the wire is the only contract. They are not the services: what they
do not implement they refuse.
"""
