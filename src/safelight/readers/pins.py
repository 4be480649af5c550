"""Digests of the readers that the package carries; written by `training/readers`."""

from typing import Final

PINS: Final[dict[str, str]] = {}
