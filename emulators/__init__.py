"""Small servers that speak the wire protocols of the services the product uses.

They import nothing from the product, and the product imports nothing from them: the wire is the only contract. They are
not the services: a request for what they do not implement is refused.
"""
