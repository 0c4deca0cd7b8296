"""Engines that synthesise speech."""
