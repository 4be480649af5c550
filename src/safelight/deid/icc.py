"""Rebuild a colour profile from its colour numbers alone.

A profile is a file within a file: descriptions, copyright lines, makers' and models' names, a
creation date and private tags can each tell of a person or a machine. What is written here is new:
the numbers that say how colours look are copied once their stated sizes have proved true; all text
is replaced by a constant, and what is not known is dropped.
"""

import struct
from typing import Final

__all__ = ["scrub_profile"]

_HEADER: Final = 128
_MOST_TAGS: Final = 100  # the number that Little CMS reads
_MOST_BYTES: Final = 16 << 20
_CLASSES: Final = frozenset({b"scnr", b"mntr", b"prtr", b"spac", b"abst", b"link"})
_SPACES: Final = frozenset(
    {b"XYZ ", b"Lab ", b"Luv ", b"YCbr", b"Yxy ", b"RGB ", b"GRAY", b"HSV ", b"HLS ", b"CMYK"}
    | {b"CMY "}
    | {b"%XCLR" % n for n in range(2, 16)}
)
_D50: Final = bytes.fromhex("0000f6d6000100000000d32d")  # the only illuminant allowed (7.2.16)
_DATE: Final = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # the same for all: it tells nothing
_NAME: Final = "colour profile"
_TAGS: Final = frozenset(
    {b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2", b"gamt", b"pre0", b"pre1", b"pre2"}
    | {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC", b"kTRC"}
    | {b"wtpt", b"bkpt", b"lumi", b"chad"}
)
_MATRIX: Final = frozenset({b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"})
_PARA: Final = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}  # parameters by function (10.18)


class _BadProfileError(Exception):
    """The profile, or one tag of it, is not what its lengths say."""


def scrub_profile(icc: bytes) -> bytes:
    """Return the profile with its colour meaning and nothing else; empty if it is malformed.

    Args:
        icc: An ICC profile, version 2 or 4, as in (0028,2000), an APP2 chain or an iCCP chunk.

    The result depends on the colour numbers only, and scrubbing it again changes nothing.
    Source: ICC.1:2022, 7.2 (header), 9.2 (tags), 10 (types).
    """
    try:
        return _rebuild(icc)
    except (_BadProfileError, struct.error):
        return b""


def _rebuild(icc: bytes) -> bytes:
    if not _HEADER + 4 <= len(icc) <= _MOST_BYTES or icc[36:40] != b"acsp":
        raise _BadProfileError
    kind, space, connection = icc[12:16], icc[16:20], icc[20:24]
    if kind not in _CLASSES or not {space, connection} <= _SPACES or icc[8] not in (2, 4):
        raise _BadProfileError
    tags = _tags(icc)
    if not ({b"A2B0", b"kTRC"} & tags.keys() or tags.keys() >= _MATRIX):
        raise _BadProfileError
    modern = icc[8] == 4  # noqa: PLR2004 - version 4 holds text as mluc, version 2 as desc and text
    tags[b"desc"] = _localised(_NAME) if modern else _description(_NAME)
    tags[b"cprt"] = _localised("-") if modern else b"text\0\0\0\0-\0"
    intent = min(int.from_bytes(icc[64:68], "big"), 3)
    body = _lay_out(tags)
    return b"".join(
        (
            struct.pack(">I4x", _HEADER + len(body)),
            bytes((icc[8], icc[9], 0, 0)),
            kind,
            space,
            connection,
            _DATE,
            b"acsp",
            bytes(4 + 4 + 4 + 4 + 7),
            bytes((icc[63] & 15,)),  # reflective, glossy, positive, colour (7.2.14)
            struct.pack(">I", intent),
            _D50,
            bytes(4 + 16 + 28),
            body,
        )
    )


def _tags(icc: bytes) -> dict[bytes, bytes]:
    """Return the known tags whose data proves to be of a known type, in the order of the file."""
    (count,) = struct.unpack_from(">I", icc, _HEADER)
    if count > _MOST_TAGS:
        raise _BadProfileError
    found: dict[bytes, bytes] = {}
    for at in range(_HEADER + 4, _HEADER + 4 + 12 * count, 12):
        name, start, size = struct.unpack_from(">4sII", icc, at)
        if name in _TAGS and name not in found:
            if start + size > len(icc) or start < _HEADER:
                raise _BadProfileError
            found[name] = _element(icc[start : start + size])
    return found


def _lay_out(tags: dict[bytes, bytes]) -> bytes:
    """Write the tag table and each distinct element once, as curves are often shared."""
    table, elements = struct.pack(">I", len(tags)), b""
    places: dict[bytes, int] = {}
    base = _HEADER + 4 + 12 * len(tags)
    for name in sorted(tags):
        data = tags[name]
        if data not in places:
            places[data] = base + len(elements)
            elements += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, places[data], len(data))
    return table + elements


def _localised(text: str) -> bytes:
    coded = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">4xII4sII", 1, 12, b"enUS", len(coded), 28) + coded


def _description(text: str) -> bytes:
    coded = text.encode("ascii") + b"\0"
    return b"desc" + struct.pack(">4xI", len(coded)) + coded + bytes(4 + 4 + 2 + 1 + 67)


# --- Types that hold numbers only ---------------------------------------------------------------


def _element(data: bytes) -> bytes:
    """Return the element cut to what its own counts account for."""
    kind = data[:4]
    if kind == b"XYZ ":
        size = 20
    elif kind == b"sf32":
        size = 8 + 9 * 4  # the one tag kept with this type is a 3 x 3 matrix
    elif kind in (b"curv", b"para"):
        size = _curve_size(data, 0)
    elif kind in (b"mft1", b"mft2"):
        size = _table_size(data)
    elif kind in (b"mAB ", b"mBA "):
        return _pipeline(data)
    else:
        raise _BadProfileError
    if size > len(data):
        raise _BadProfileError
    return kind + bytes(4) + data[8:size]


def _curve_size(data: bytes, at: int) -> int:
    kind = data[at : at + 4]
    if kind == b"curv":
        return 12 + 2 * int(struct.unpack_from(">I", data, at + 8)[0])
    parameters = _PARA.get(int(struct.unpack_from(">H", data, at + 8)[0]))
    if kind != b"para" or parameters is None:
        raise _BadProfileError
    return 12 + 4 * parameters


def _table_size(data: bytes) -> int:
    """Return the size of a lut8Type or lut16Type element (10.10, 10.11)."""
    inputs, outputs, grid = struct.unpack_from(">3B", data, 8)
    if data[:4] == b"mft1":
        return int(48 + 256 * inputs + grid**inputs * outputs + 256 * outputs)
    before, after = struct.unpack_from(">2H", data, 48)
    return int(52 + 2 * (before * inputs + grid**inputs * outputs + after * outputs))


def _pipeline(data: bytes) -> bytes:
    """Return a lutAToBType or lutBToAType element, zero wherever no stage lies (10.12, 10.13)."""
    inputs, outputs = struct.unpack_from(">2B", data, 8)
    b_at, matrix, m_at, table, a_at = struct.unpack_from(">5I", data, 12)
    out = bytearray(len(data))
    out[:4], out[8:10], out[12:32] = data[:4], data[8:10], data[12:32]
    spans = [(matrix, 48)] if matrix else []
    near, far = (outputs, inputs) if data[:4] == b"mAB " else (inputs, outputs)
    for at, count in ((b_at, near), (m_at, near), (a_at, far)):
        start = at
        for _ in range(count if at else 0):
            size = _curve_size(data, start)
            spans.append((start, size))
            start += size + -size % 4
    if table:
        cells = outputs * struct.unpack_from(">B", data, table + 16)[0]
        if cells not in (outputs, 2 * outputs):
            raise _BadProfileError
        for points in data[table : table + inputs]:
            cells *= points
            if cells > len(data):
                raise _BadProfileError
        spans += [(table, inputs), (table + 16, 1), (table + 20, cells)]
    for start, size in spans:
        if start < 32 or start + size > len(data):  # noqa: PLR2004 - the element's own header
            raise _BadProfileError
        out[start : start + size] = data[start : start + size]
        if data[start : start + 4] in (b"curv", b"para"):
            out[start + 4 : start + 8] = bytes(4)
    return bytes(out)
