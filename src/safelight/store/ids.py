"""Opaque names: UUID version 7 (RFC 9562, 5.7), as 32 hex digits that sort by time."""

import secrets
import time
from typing import Final

__all__ = ["new_id"]

_RANDOM_BITS: Final = 74


def new_id() -> str:
    """Return a new id: 48 bits of milliseconds, then 74 random bits."""
    number = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80
    random = secrets.randbits(_RANDOM_BITS)
    number |= 7 << 76 | random >> 62 << 64 | 2 << 62 | random & (1 << 62) - 1
    return f"{number:032x}"
