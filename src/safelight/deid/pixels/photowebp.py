"""WebP: a picture that is masked is written back without loss (VP8L), also a lossy one.

Its pixels outside the mask are those that the lossy picture decodes to. Source: RFC 9649.
"""

import io
import struct
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.masks import Fill, Mask, Masks, edge_of
from safelight.deid.pixels.photocommon import check_size
from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, NeedsReviewError, UnreadableInputError

__all__ = ["mask"]

_PICTURE: Final = (b"VP8 ", b"VP8L", b"ALPH")
_FRAME_FIELDS: Final = 16
_OPAQUE: Final = 255

Array = NDArray[Any]


def mask(data: bytes, masks: Masks, fill: Fill, limits: Limits) -> bytes:
    """Return the WebP masked, all frames of an animation alike.

    Raises:
        UnreadableInputError: It is malformed or truncated.
        LimitExceededError: It unpacks to more than the limits allow.
        NeedsReviewError: Its pixels did not come back as they were.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise UnreadableInputError("the file does not start as a WebP")
    chunks = list(_chunks(data, 12))
    named = dict(reversed(chunks))
    out: list[tuple[bytes, bytes]] = []
    still = [(name, body) for name, body in chunks if name in _PICTURE]
    canvas = _canvas(named.get(b"VP8X", b""))
    left = limits.decoded_bytes
    for name, body in chunks:
        if name == b"ANMF":
            inner = [one for one in _chunks(body, _FRAME_FIELDS) if one[0] in _PICTURE]
            pixels = _decoded(inner, limits)
            left -= pixels.size
            if left < 0 or canvas is None:
                raise LimitExceededError("its pictures are larger than the limit allows")
            x, y = (2 * int.from_bytes(body[at : at + 3], "little") for at in (0, 3))
            high, wide = pixels.shape[:2]
            whole = np.zeros((max(canvas[0], y + high), max(canvas[1], x + wide)), np.bool_)
            here = masks.sized(canvas[0], canvas[1], 1, together=True).of(0)
            whole[: canvas[0], : canvas[1]] = here
            coded = _drawn(pixels, whole[y : y + high, x : x + wide], fill)
            out.append((name, body[:_FRAME_FIELDS] + _chunk(b"VP8L", coded)))
        elif name in _PICTURE and still:
            pixels = _decoded(still, limits)
            here = masks.sized(len(pixels), len(pixels[0]), 1, together=True).of(0)
            out.append((b"VP8L", _drawn(pixels, here, fill)))
            still = []
        elif name not in _PICTURE:
            out.append((name, body))
    inside = b"WEBP" + b"".join(_chunk(name, body) for name, body in out)
    return b"RIFF" + len(inside).to_bytes(4, "little") + inside


def _chunks(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if at + 8 + size > len(data):
            raise UnreadableInputError("the picture is truncated")
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack("<4sI", name, len(body)) + body + bytes(len(body) % 2)


def _canvas(fields: bytes) -> tuple[int, int] | None:
    if len(fields) < 10:  # noqa: PLR2004 - its fields
        return None
    columns, rows = (1 + int.from_bytes(fields[at : at + 3], "little") for at in (4, 7))
    return rows, columns


def _decoded(parts: list[tuple[bytes, bytes]], limits: Limits) -> Array:
    """Return the pixels of one picture, shape (rows, columns, 3 or 4)."""
    from PIL import Image  # noqa: PLC0415  # start-up cost

    body = b"".join(_chunk(name, one) for name, one in parts)
    size = _picture_size(parts)
    check_size(*size, limits)
    if any(name == b"ALPH" for name, _ in parts):
        rows, columns = size
        fields = b"\x10\0\0\0" + (columns - 1).to_bytes(3, "little")
        body = _chunk(b"VP8X", fields + (rows - 1).to_bytes(3, "little")) + body
    whole = b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body
    try:
        with Image.open(io.BytesIO(whole)) as image:
            return np.array(image)
    except (OSError, SyntaxError, ValueError) as err:
        raise UnreadableInputError("the picture cannot be decoded") from err


def _picture_size(parts: list[tuple[bytes, bytes]]) -> tuple[int, int]:
    """Return rows and columns as VP8 and VP8L tell them (RFC 6386 9.1, RFC 9649 3.4)."""
    for name, body in parts:
        if name == b"VP8 " and len(body) >= 10:  # noqa: PLR2004 - its frame header
            columns, rows = struct.unpack_from("<HH", body, 6)
            return rows & 0x3FFF, columns & 0x3FFF
        if name == b"VP8L" and len(body) >= 5:  # noqa: PLR2004 - its header
            fields = int.from_bytes(body[1:5], "little")
            return (fields >> 14 & 0x3FFF) + 1, (fields & 0x3FFF) + 1
    raise UnreadableInputError("a picture without its pixels")


def _drawn(pixels: Array, here: Mask, fill: Fill) -> bytes:
    """Return the VP8L stream of a masked picture; it was decoded again and compared."""
    from PIL import Image  # noqa: PLC0415  # start-up cost

    samples = pixels.shape[2]
    pixels[here] = [0, 0, 0, _OPAQUE][:samples]
    if fill is Fill.BOX:
        pixels[edge_of(here)] = [128, 128, 128, _OPAQUE][:samples]
    out = io.BytesIO()
    # exact: colours under transparent pixels stay too
    Image.fromarray(pixels).save(out, "WEBP", lossless=True, exact=True, method=2)
    with Image.open(out) as image:
        # a picture that is opaque all over is written without its alpha channel
        back = np.asarray(image.convert("RGBA") if samples > len("RGB") else image)
    if not np.array_equal(back, pixels):
        raise NeedsReviewError("a picture did not come back as it was written")
    stream = dict(_chunks(out.getvalue(), 12)).get(b"VP8L")
    if stream is None:
        raise NeedsReviewError("a picture did not come back as it was written")
    return stream
