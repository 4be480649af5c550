"""Pixel data for tests: opened from pydicom's files, or wrapped from made codestreams."""

import functools
import struct
from pathlib import Path
from typing import Any

from safelight.dicomio.codecs import PixelFormat, PixelSource, open_pixels
from safelight.dicomio.limits import Limits
from scripts import fuzz_codecs

LIMITS = Limits()
JPEG = "1.2.840.10008.1.2.4."
ITEM = b"\xfe\xff\x00\xe0"
DELIMITER = b"\xfe\xff\xdd\xe0\0\0\0\0"


@functools.cache
def bundled() -> dict[str, Path]:
    """Return the files inside pydicom's own wheel by name."""
    return {path.name: path for path in fuzz_codecs.bundled()}


def read(path: Path, **changes: Any) -> PixelSource:
    """Open the pixel data of one DICOM file, with changes to what its header says."""
    return fuzz_codecs.open_file(path.read_bytes(), changes=changes)


def items(*fragments: bytes, table: bytes = b"") -> bytes:
    """Return the value of encapsulated pixel data."""
    parts = (table, *(one + bytes(len(one) % 2) for one in fragments))
    return b"".join(ITEM + struct.pack("<L", len(part)) + part for part in parts) + DELIMITER


def encapsulated(
    form: PixelFormat, *fragments: bytes, table: bytes = b"", offsets: list[int] | None = None
) -> PixelSource:
    """Open made fragments."""
    value = items(*fragments, table=table)
    return open_pixels(
        value,
        value=0,
        stop=len(value),
        encapsulated=True,
        form=form,
        limits=LIMITS,
        offsets=offsets,
    )


def native(form: PixelFormat, value: bytes) -> PixelSource:
    """Open made native pixel data."""
    return open_pixels(
        value, value=0, stop=len(value), encapsulated=False, form=form, limits=LIMITS
    )
