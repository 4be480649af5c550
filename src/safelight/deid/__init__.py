"""Safelight."""
