"""TIFF files laid out by hand: pages with strips, tiles or both, and SubIFDs."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_LETTERS = {3: "H", 4: "I"}
_STRIPS, _TILES, _SUB_FOLDERS = (273, 279), (324, 325), 330


@dataclass(kw_only=True)
class Folder:
    """One folder: tags as (type, values), blocks, and the folders below it."""

    tags: dict[int, tuple[int, Sequence[int]]]
    strips: Sequence[bytes] = ()
    tiles: Sequence[bytes] = ()
    children: "Sequence[Folder]" = field(default=())


def page(
    pixels: NDArray[np.uint8],
    *,
    packing: int = 1,
    strips: Sequence[bytes] | None = None,
    tiles: Sequence[bytes] = (),
    tile: tuple[int, int] = (0, 0),
    rows: int = 0,
    children: Sequence[Folder] = (),
) -> Folder:
    """Return a folder of grey pixels: in strips unless tiles are given, or as both."""
    height, width = pixels.shape
    tags: dict[int, tuple[int, Sequence[int]]] = {
        256: (4, [width]),
        257: (4, [height]),
        258: (3, [8]),
        259: (3, [packing]),
        262: (3, [1]),
        277: (3, [1]),
    }
    if strips is None and not tiles:
        strips = [pixels.tobytes()]
    if strips:
        tags[278] = (4, [rows or height])
    if tiles:
        tags[322], tags[323] = (4, [tile[1]]), (4, [tile[0]])
    return Folder(tags=tags, strips=strips or (), tiles=tiles, children=children)


def tiff(*pages: Folder) -> bytes:
    """Return the file."""
    out = bytearray(b"II*\0" + bytes(4))
    link = 4
    for one in pages:
        at = _write(out, one)
        struct.pack_into("<I", out, link, at)
        link = at + 2 + 12 * struct.unpack_from("<H", out, at)[0]
    return bytes(out)


def _put(out: bytearray, data: bytes) -> int:
    out += bytes(len(out) % 2)
    out += data
    return len(out) - len(data)


def _write(out: bytearray, one: Folder) -> int:
    tags = dict(one.tags)
    for (starts, sizes), blocks in ((_STRIPS, one.strips), (_TILES, one.tiles)):
        if blocks:
            tags[starts] = (4, [_put(out, block) for block in blocks])
            tags[sizes] = (4, [len(block) for block in blocks])
    if one.children:
        tags[_SUB_FOLDERS] = (4, [_write(out, child) for child in one.children])
    entries = b""
    for tag, (kind, values) in sorted(tags.items()):
        raw = struct.pack(f"<{len(values)}{_LETTERS[kind]}", *values)
        place = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack("<I", _put(out, raw))
        entries += struct.pack("<HHI", tag, kind, len(values)) + place
    return _put(out, struct.pack("<H", len(tags)) + entries + bytes(4))
