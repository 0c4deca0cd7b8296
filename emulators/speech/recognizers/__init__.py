"""Engines that recognise speech."""
