"""A push-to-talk voice backend.

domain     what a voice conversation is
audio      sound as data
ports      what we need from the world
usecases   what the product does
adapters   who provides it
functions  how Azure calls us
settings, wiring, telemetry: read once, put together, seen from outside
"""
