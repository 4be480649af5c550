"""The small good file from which the bad ones are made, and its pieces."""

import struct

from corpus.encode import element

__all__ = ["EXPLICIT", "HEAD", "body", "el", "end", "file", "meta", "pixels", "start"]

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
ROOT = "1.2.826.0.1.3680043.8.1055.66"
HEAD = bytes(128) + b"DICM"


def _text(value: str, pad: bytes = b" ") -> bytes:
    data = value.encode()
    return data + pad * (len(data) % 2)


def el(
    tag: int, vr: str, value: bytes | str, *, explicit: bool = True, length: int | None = None
) -> bytes:
    """Return one element; text is padded to even length."""
    data = _text(value, b"\0" if vr == "UI" else b" ") if isinstance(value, str) else value
    return element(tag, vr, data, explicit=explicit, length=length)


def meta(syntax: str = EXPLICIT, *, extra: bytes = b"", sop: str = f"{ROOT}.1.@@NUM@@") -> bytes:
    """Return a file meta group."""
    inner = (
        el(0x00020001, "OB", b"\0\1")
        + el(0x00020002, "UI", "1.2.840.10008.5.1.4.1.1.7")
        + el(0x00020003, "UI", sop)
        + el(0x00020010, "UI", syntax)
        + el(0x00020012, "UI", "1.2.826.0.1.3680043.8.1055.1")
        + extra
    )
    return el(0x00020000, "UL", struct.pack("<L", len(inner))) + inner


def start(*, explicit: bool = True, sop: str = f"{ROOT}.1.@@NUM@@") -> bytes:
    """Return the elements up to group 0020."""
    rows: tuple[tuple[int, str, str], ...] = (
        (0x00080005, "CS", "ISO_IR 100"),
        (0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7"),
        (0x00080018, "UI", sop),
        (0x00080020, "DA", "20190312"),
        (0x00080060, "CS", "OT"),
        (0x00081030, "LO", "CT CHEST W CONTRAST"),
        (0x00100010, "PN", "Vorquelath^Imbrasuna"),
        (0x00100020, "LO", "HX5519272Q"),
        (0x00100030, "DA", "19470811"),
        (0x0020000D, "UI", f"{ROOT}.2"),
        (0x0020000E, "UI", f"{ROOT}.3"),
        (0x00200013, "IS", "@@NUM@@"),
    )
    return b"".join(el(tag, vr, value, explicit=explicit) for tag, vr, value in rows)


def pixels(
    *, explicit: bool = True, data: bytes | None = None, rows: int = 8, columns: int = 8
) -> bytes:
    """Return the image module of an 8-bit image and its pixel data."""
    short = struct.Struct("<H").pack
    head = (
        el(0x00280002, "US", short(1), explicit=explicit)
        + el(0x00280004, "CS", "MONOCHROME2", explicit=explicit)
        + el(0x00280010, "US", short(rows), explicit=explicit)
        + el(0x00280011, "US", short(columns), explicit=explicit)
        + el(0x00280100, "US", short(8), explicit=explicit)
        + el(0x00280101, "US", short(8), explicit=explicit)
        + el(0x00280102, "US", short(7), explicit=explicit)
        + el(0x00280103, "US", short(0), explicit=explicit)
    )
    return head + el(
        0x7FE00010, "OW", bytes(range(64)) if data is None else data, explicit=explicit
    )


def end() -> bytes:
    """Return a sequence delimiter."""
    return struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)


def body(middle: bytes = b"", *, explicit: bool = True) -> bytes:
    """Return a whole data set; ``middle`` stands between groups 0020 and 0028."""
    return start(explicit=explicit) + middle + pixels(explicit=explicit)


def file(middle: bytes = b"", *, preamble: bytes = bytes(128), tail: bytes = b"") -> bytes:
    """Return a whole good file with something in its middle and behind it."""
    return preamble.ljust(128, b"\0") + b"DICM" + meta() + body(middle) + tail
