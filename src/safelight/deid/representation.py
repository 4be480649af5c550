"""Which value representation to treat a value by, whatever a file says it is (PS3.5 6.2)."""

import functools
from typing import Final

__all__ = ["BULK", "TABLE_BYTES", "real_vr"]

TABLE_BYTES: Final = 64  # a longer value of ``US or OW`` is a table
# Bulk data of the standard that holds samples, look-up tables, coordinates or spectra, not text.
BULK: Final = frozenset(
    (0x00281201, 0x00281202, 0x00281203, 0x00281204, 0x00281221, 0x00281222, 0x00281223)
    + (0x00283006, 0x00281408, 0x0028140B, 0x0028140C, 0x54001010, 0x54001012, 0x5400100A)
    + (0x56000020, 0x7FE00001, 0x7FE00002, 0x7FE00003, 0x00640009, 0x00660016, 0x00660018)
    + (0x00660021, 0x00660023, 0x00660024, 0x00660025, 0x00660026, 0x00660027, 0x00660028)
    + (0x00660029, 0x00660040, 0x00660041, 0x00660042, 0x00660043, 0x006A0003, 0x00221437)
)
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
