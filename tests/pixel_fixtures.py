"""Pixel data for tests: opened from files by the project's own reader, or made from arrays."""

import functools
from pathlib import Path
from typing import Any

import pydicom

from safelight.dicomio.codecs import PixelFormat, PixelSource, open_pixels
from safelight.dicomio.envelope import inflate, read_envelope
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import Budget, Walker

PIXELS = {0x7FE00008: b"OF", 0x7FE00009: b"OD", 0x7FE00010: b"OW"}
LIMITS = Limits()


@functools.cache
def bundled() -> tuple[Path, ...]:
    """Return the files inside pydicom's own wheel, in order."""
    folder = Path(pydicom.__file__).parent / "data"
    return tuple(sorted(path for path in folder.rglob("*") if path.is_file()))


def parse(data: bytes) -> tuple[bytes, dict[int, Any], str, bool]:
    """Return the data set's bytes, its top-level elements by tag, the syntax and the byte order."""
    envelope = read_envelope(data, LIMITS)
    start = envelope.start
    if envelope.encoding.deflated:
        data, start = inflate(data, start, LIMITS), 0
    walker = Walker(implicit=envelope.encoding.implicit, big=envelope.encoding.big)
    found = walker.elements(data, start, len(data), Budget(LIMITS))
    return data, {one[0]: one for one in found}, envelope.syntax, envelope.encoding.big


def read(data: bytes) -> PixelSource:
    """Open the pixel data of one DICOM file."""
    data, elements, syntax, big = parse(data)
    order = "big" if big else "little"

    def number(tag: int, default: int) -> int:
        if tag not in elements or elements[tag][4] - elements[tag][3] < 2:
            return default
        at = elements[tag][3]
        return int.from_bytes(data[at : at + 2], order)

    def text(tag: int, default: str) -> str:
        if tag not in elements:
            return default
        return data[elements[tag][3] : elements[tag][4]].decode("latin-1").strip(" \0") or default

    tag = next(one for one in PIXELS if one in elements)
    _tag, vr, _start, value, value_stop, stop = elements[tag]
    allocated = number(0x00280100, 8)
    table = None
    if 0x7FE00001 in elements:
        _, _, _, first, last, _ = elements[0x7FE00001]
        table = [int.from_bytes(data[at : at + 8], "little") for at in range(first, last - 7, 8)]
    stored = number(0x00280101, allocated)
    form = PixelFormat(
        rows=number(0x00280010, 0),
        columns=number(0x00280011, 0),
        samples=number(0x00280002, 1),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=number(0x00280102, stored - 1),
        signed=number(0x00280103, 0) == 1,
        planar=number(0x00280006, 0),
        photometric=text(0x00280004, "MONOCHROME2"),
        frames=int(text(0x00280008, "1")),
        syntax=syntax,
        big_endian=big,
        vr=PIXELS[tag] if tag != 0x7FE00010 else vr or b"OW",
    )
    return open_pixels(
        data,
        value=value,
        stop=value_stop,
        encapsulated=stop != value_stop,
        form=form,
        limits=LIMITS,
        offsets=table,
    )
