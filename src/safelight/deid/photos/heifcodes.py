"""User data inside HEVC and AV1 pictures, replaced by filler of the same length.

Source: ITU-T H.265 7.3.1, 7.4.2 (units, filler data, SEI), ISO/IEC 14496-15 8.3.3.1 (hvcC), AV1
bitstream specification 5.3, 5.7, 5.8 (OBUs, padding, metadata).
"""

from typing import Final

from safelight.deid.photos.common import Bytes, Cursor

__all__ = ["av1", "hevc", "hevc_settings"]

_FILLER: Final = 38
_SEI: Final = (39, 40)
_UNSPECIFIED: Final = 41  # reserved and unspecified types start here
_METADATA, _PADDING, _RESERVED = 5, 15, range(9, 15)
_LIGHT_LEVELS: Final = (1, 2)  # metadata that is numbers alone, and that colours need
_UNIT_HEAD: Final = 2
_MAX_UNITS: Final = 100_000


def hevc(code: Bytes, length_size: int) -> tuple[bytes, bool]:
    """Return an HEVC picture (units, each behind its length) with user data made filler.

    Raises:
        UnreadableInputError: A unit's length is wrong.
    """
    out = bytearray(code)
    cursor = Cursor(code, place="coded picture, byte")
    found = False
    for _ in range(_MAX_UNITS):
        if not cursor.left:
            return bytes(out), found
        size = cursor.number(length_size)
        cursor.take(size)
        found |= _fill_unit(out, cursor.at - size, cursor.at)
    raise cursor.error("a picture has too many units")


def hevc_settings(body: bytes) -> tuple[bytes, bool]:
    """Return the decoder settings (hvcC) with user data among the parameter sets made filler.

    Raises:
        UnreadableInputError: A length in it is wrong.
    """
    out = bytearray(body)
    cursor = Cursor(body, place="hvcC, byte")
    cursor.take(22)
    found = False
    for _ in range(cursor.number(1)):
        cursor.number(1)
        for _ in range(cursor.number(2)):
            size = cursor.number(2)
            cursor.take(size)
            found |= _fill_unit(out, cursor.at - size, cursor.at)
    rest = cursor.rest()
    if any(rest):
        out[len(out) - len(rest) :] = bytes(len(rest))
        found = True
    return bytes(out), found


def _fill_unit(out: bytearray, start: int, stop: int) -> bool:
    """Make a unit filler data when it is SEI, or of a type that has no meaning."""
    if stop - start <= _UNIT_HEAD:
        return False
    kind = out[start] >> 1 & 0x3F
    filler = b"\xff" * (stop - start - _UNIT_HEAD - 1) + b"\x80"
    if kind not in (*_SEI, _FILLER) and kind < _UNSPECIFIED:
        return False
    if kind == _FILLER and out[start + _UNIT_HEAD : stop] == filler:
        return False
    out[start] = out[start] & 0x81 | _FILLER << 1
    out[start + _UNIT_HEAD : stop] = filler
    return True


def av1(code: Bytes) -> tuple[bytes, bool]:
    """Return an AV1 picture (OBUs one after another) with user data made padding.

    Raises:
        UnreadableInputError: An OBU's length is wrong.
    """
    out = bytearray(code)
    cursor = Cursor(code, place="coded picture, byte")
    found = False
    for _ in range(_MAX_UNITS):
        if not cursor.left:
            return bytes(out), found
        head_at = cursor.at
        head = cursor.number(1)
        if head & 4:
            cursor.number(1)
        size = _leb128(cursor) if head & 2 else cursor.left
        body = cursor.take(size)
        kind = head >> 3 & 15
        wanted = kind == _METADATA and size > 0 and body[0] in _LIGHT_LEVELS
        if (kind in (_METADATA, _PADDING, 0) or kind in _RESERVED) and size and not wanted:
            filler = bytes(size - 1) + b"\x80"
            if kind != _PADDING or bytes(body) != filler:
                out[head_at] = head & 0x87 | _PADDING << 3
                out[cursor.at - size : cursor.at] = filler
                found = True
    raise cursor.error("a picture has too many units")


def _leb128(cursor: Cursor) -> int:
    value = 0
    for shift in range(0, 56, 7):
        byte = cursor.number(1)
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value
    raise cursor.error("a length is malformed")
