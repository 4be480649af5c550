"""Which value representation to treat a value by, whatever a file says it is (PS3.5 6.2)."""

import functools
from typing import Final

__all__ = ["TABLE_BYTES", "real_vr"]

TABLE_BYTES: Final = 64  # a longer value of ``US or OW`` is a table
_SIZED: Final = frozenset((b"US", b"SS", b"UL", b"SL", b"FL", b"FD", b"UV", b"SV", b"AT"))
_BULK_VRS: Final = frozenset((b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN"))


@functools.lru_cache(maxsize=1 << 14)
def real_vr(read: bytes, dictionary: str, *, table: bool) -> bytes:
    """Return the VR to treat a value by; empty when what was read cannot be what it claims.

    Args:
        read: As the file says; empty in implicit VR.
        dictionary: As the dictionary says, choices joined by ``or``.
        table: The value is longer than ``TABLE_BYTES``.
    """
    choices = [choice.encode("ascii") for choice in dictionary.split(" or ")]
    if read in choices:
        return read
    if not read or read == b"UN":
        if len(choices) == 1:
            return choices[0]
        return b"OW" if b"OW" in choices and table else choices[0]
    if b"SQ" in choices or read == b"SQ":
        return b""
    if read in _BULK_VRS:
        sized = [choice for choice in choices if choice in _SIZED]
        return sized[0] if sized else (read if choices[0] in _BULK_VRS else b"")
    if read in _SIZED and choices[0] not in _SIZED and choices[0] not in _BULK_VRS:
        return b""  # a date or a name that claims to be a number
    return read
