"""GIF: pictures, their timing and the loop count stay; comments, texts and applications go.

Source: CompuServe GIF89a specification; the loop count is Netscape's application extension.
"""

from typing import Final

from safelight.deid.context import Cleaned, Context
from safelight.deid.photos.common import Cursor, Trail
from safelight.errors import LimitExceededError
from safelight.types import Original

__all__ = ["clean"]

_IMAGE, _EXTENSION, _TRAILER = 0x2C, 0x21, 0x3B
_CONTROL, _COMMENT, _TEXT, _APPLICATION = 0xF9, 0xFE, 0x01, 0xFF
_LOOPS: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_LOOP: Final = 13  # the name, a one, and the count's two bytes end here
_TABLE_FLAG: Final = 0x80
_PLACES: Final = {
    _COMMENT: "comment",
    _TEXT: "plain text",
    _APPLICATION: "application extension",
}


def clean(original: Original, ctx: Context) -> Cleaned:
    """Return the GIF with its pictures, timing and loop count alone.

    Raises:
        UnreadableInputError: It is malformed or truncated.
        LimitExceededError: It has more parts than the limits allow.
    """
    cursor = Cursor(original.reveal())
    trail = Trail(ctx)
    head = cursor.take(13)
    if bytes(head[:6]) not in (b"GIF87a", b"GIF89a"):
        raise cursor.error("the file does not start as a GIF")
    trail.keep(head, cursor.take(_table(head[10])))
    pictures = 0
    for _ in range(ctx.limits.items):
        if not cursor.left and pictures:
            trail.note("The end mark was missing and has been put back.")
            break
        block = cursor.number(1)
        if block == _TRAILER:
            break
        if block == _IMAGE:
            pictures += 1
            _image(cursor, trail)
        elif block == _EXTENSION:
            _extension(cursor, trail)
        elif block:  # zeros between blocks are skipped, as all readers do
            raise cursor.error("a block is malformed")
    else:
        raise LimitExceededError(f"more than {ctx.limits.items} blocks (items)")
    if not pictures:
        raise cursor.error("the file holds no picture")
    trail.keep(b"\x3b")
    trail.remove("after the end", cursor.rest())
    return trail.done()


def _image(cursor: Cursor, trail: Trail) -> None:
    start = cursor.at - 1
    fields = cursor.take(9)
    cursor.take(_table(fields[8]))
    width = cursor.number(1)
    if not 1 <= width <= 11:  # noqa: PLR2004 - root size of LZW codes
        raise cursor.error("a picture's code size is out of range")
    data_at = cursor.at
    blocks = _blocks(cursor)
    end = _codes_end(blocks, width)
    if end < 0 or end >= len(blocks):
        trail.keep(cursor.data[start : cursor.at])
        return
    trail.remove("after a picture's last code", blocks[end:])
    pieces = [blocks[at : min(at + 255, end)] for at in range(0, end, 255)]
    packed = b"".join(bytes((len(piece),)) + piece for piece in pieces)
    trail.keep(cursor.data[start:data_at], packed + b"\x00")


def _extension(cursor: Cursor, trail: Trail) -> None:
    start = cursor.at - 1
    label = cursor.number(1)
    name_at = cursor.at
    data = _blocks(cursor)
    whole = cursor.data[start : cursor.at]
    name = bytes(cursor.data[name_at + 1 : name_at + 12])
    if label == _CONTROL and len(data) == 4:  # noqa: PLR2004 - flags, delay, transparent index
        trail.keep(bytes((_EXTENSION, _CONTROL, 4)) + data + b"\x00")
    elif label == _APPLICATION and name in _LOOPS and data[11:12] == b"\x01" and len(data) > _LOOP:
        trail.keep(b"\x21\xff\x0b" + name + b"\x03" + data[11:14] + b"\x00")
        trail.remove("slack of the loop count", data[14:])
    else:
        trail.remove(_PLACES.get(label, "unknown extension"), whole)


def _blocks(cursor: Cursor) -> bytes:
    """Return what a chain of sub-blocks holds (section 15)."""
    data, at, stop = cursor.data, cursor.at, cursor.stop
    out = bytearray()
    while at < stop:
        size = data[at]
        if not size:
            cursor.at = at + 1
            return bytes(out)
        out += data[at + 1 : at + 1 + size]
        at += 1 + size
    cursor.at = stop
    raise cursor.error("the file is truncated: a chain of blocks has no end")


def _table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & _TABLE_FLAG else 0


def _codes_end(data: bytes, root: int) -> int:
    """Return the byte after the end-of-information code; -1 when there is none (appendix F).

    Codes are counted, not decoded: their width depends on how many came since the last clear.
    """
    clear, stop = 1 << root, (1 << root) + 1
    width, table = root + 1, stop + 1
    held = bits = 0
    first = True
    for place, byte in enumerate(data):
        held |= byte << bits
        bits += 8
        while bits >= width:
            code = held & (1 << width) - 1
            held >>= width
            bits -= width
            if code == stop:
                return place + 1
            if code == clear:
                width, table, first = root + 1, stop + 1, True
                continue
            if first:
                first = False
            elif table < 4096:  # noqa: PLR2004 - the largest table
                table += 1
                if table == 1 << width and width < 12:  # noqa: PLR2004 - the widest code
                    width += 1
    return -1
