"""PNG and APNG: scanlines are unfiltered, drawn over and packed anew; other chunks stay.

Source: PNG third edition (W3C 2025): 5 (chunks), 7 (scanlines), 8 (interlace), 9 (filters).
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.masks import Fill, Mask, Masks, edge_of
from safelight.deid.pixels.photocommon import check_size
from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, UnreadableInputError

__all__ = ["mask"]

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PALETTE: Final = 3
# bytes a pixel: a colour type and depth with as many
_SAME_STRIDE: Final = {1: (0, 8), 2: (4, 8), 3: (2, 8), 4: (6, 8), 6: (2, 16), 8: (6, 16)}
_ADAM7: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)

Array = NDArray[Any]


@dataclass(slots=True)
class _Form:
    """What the header and palette say."""

    columns: int
    rows: int
    depth: int
    colour: int
    interlaced: bool
    palette: bytes = b""
    alpha: bytes = b""

    @property
    def bits(self) -> int:
        return self.depth * _CHANNELS[self.colour]

    @property
    def stride(self) -> int:
        """Bytes of a pixel, at least one, as filters count them (9.2)."""
        return max(1, self.bits // 8)

    def passes(self, columns: int, rows: int) -> Iterator[tuple[slice, slice, int, int]]:
        """Yield rows and columns of each pass, and their numbers."""
        for x, y, across, down in _ADAM7 if self.interlaced else ((0, 0, 1, 1),):
            wide, high = -(-(columns - x) // across), -(-(rows - y) // down)
            if wide > 0 and high > 0:
                yield slice(y, rows, down), slice(x, columns, across), wide, high

    def size(self, columns: int, rows: int) -> int:
        """Return the bytes of the scanlines of a picture, with their filter types."""
        lines = ((wide, high) for _, _, wide, high in self.passes(columns, rows))
        return sum(high * (1 + (wide * self.bits + 7) // 8) for wide, high in lines)


def mask(data: bytes, masks: Masks, fill: Fill, limits: Limits) -> bytes:
    """Return the PNG masked, all frames of an animation alike.

    Raises:
        UnreadableInputError: It is malformed or truncated.
        LimitExceededError: It unpacks to more than the limits allow.
    """
    if data[:8] != _SIGNATURE:
        raise UnreadableInputError("the file does not start as a PNG")
    chunks = list(_chunks(data))
    form = _form(chunks)
    check_size(form.rows, form.columns, limits)
    whole = masks.sized(form.rows, form.columns, 1, together=True).of(0)
    flat, middle = _levels(form)
    if fill is not Fill.BOX:
        middle = flat
    out: list[tuple[bytes, bytes]] = []
    for name, group in _pictures(chunks):
        if name not in (b"IDAT", b"fdAT"):
            out.append((name, group[0]))
            continue
        here, packed = whole, group
        if name == b"fdAT":
            here, packed = _window(out, whole), [body[4:] for body in group]
        done = _redrawn(packed, form, here, (flat, middle), limits)
        out.append((name, done if name == b"IDAT" else bytes(4) + done))
    return _SIGNATURE + b"".join(_numbered(out))


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, name = 8, b""
    while name != b"IEND":
        if at + 12 > len(data):
            raise UnreadableInputError("the picture is truncated")
        size = int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        if at + 12 + size > len(data):
            raise UnreadableInputError("the picture is truncated")
        yield name, data[at + 8 : at + 8 + size]
        at += 12 + size


def _form(chunks: list[tuple[bytes, bytes]]) -> _Form:
    name, body = chunks[0]
    if name != b"IHDR" or len(body) != 13:  # noqa: PLR2004 - its fields
        raise UnreadableInputError("the header chunk is malformed")
    columns, rows, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
    if colour not in _CHANNELS or depth not in (1, 2, 4, 8, 16):
        raise UnreadableInputError("the header chunk is malformed")
    form = _Form(columns, rows, depth, colour, bool(interlaced))
    named = dict(reversed(chunks))
    form.palette, form.alpha = named.get(b"PLTE", b""), named.get(b"tRNS", b"")
    return form


def _pictures(chunks: list[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, list[bytes]]]:
    """Yield chunks, the pixel chunks of one picture joined at the place of the first."""
    held: list[bytes] = []
    kind = b""
    for name, body in chunks:
        if held and name != kind:
            yield kind, held
            held = []
        if name in (b"IDAT", b"fdAT"):
            kind = name
            held.append(body)
        else:
            yield name, [body]


def _window(out: list[tuple[bytes, bytes]], whole: Mask) -> Mask:
    """Return the part of the mask that lies over the frame whose control chunk came last."""
    control = next((body for name, body in reversed(out) if name == b"fcTL"), b"")
    if len(control) != 26:  # noqa: PLR2004 - its fields
        raise UnreadableInputError("a frame's chunk is malformed")
    columns, rows, x, y = struct.unpack_from(">IIII", control, 4)
    if y + rows > whole.shape[0] or x + columns > whole.shape[1]:
        raise UnreadableInputError("a frame lies outside its picture")
    return whole[y : y + rows, x : x + columns]


def _numbered(out: list[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """Yield chunks with their checksums; those of an animation are counted anew."""
    number = 0
    for name, body in out:
        if name in (b"fcTL", b"fdAT"):
            body = number.to_bytes(4, "big") + body[4:]  # noqa: PLW2901 - the same chunk
            number += 1
        crc = zlib.crc32(name + body).to_bytes(4, "big")
        yield len(body).to_bytes(4, "big") + name + body + crc


def _levels(form: _Form) -> tuple[bytes, bytes]:
    """Return the darkest and a middle pixel in stored bytes; one value in a byte below 8 bits."""
    if form.colour == _PALETTE:
        entries = np.frombuffer(form.palette[: len(form.palette) // 3 * 3], np.uint8)
        light = entries.reshape(-1, 3).astype(int) @ (299, 587, 114)
        light = light[: 1 << form.depth]
        if not len(light):
            raise UnreadableInputError("a picture without its palette")
        hidden = np.array([n < len(form.alpha) and form.alpha[n] < 255 for n in range(len(light))])  # noqa: PLR2004 - opaque
        if not hidden.all():
            light = np.where(hidden, 1 << 20, light)
        return bytes((int(light.argmin()),)), bytes((int(np.abs(light - 128_000).argmin()),))
    width = 2 if form.depth == 16 else 1  # noqa: PLR2004 - two bytes a sample
    top, samples = (1 << form.depth) - 1, _CHANNELS[form.colour]
    has_alpha = form.colour in (4, 6)
    colours = samples - has_alpha
    dark = [0] * colours
    key = [int.from_bytes(form.alpha[n * 2 : n * 2 + 2], "big") for n in range(colours)]
    if form.alpha and not has_alpha and key == dark:  # the one colour that is transparent
        dark = [1] * colours
    parts = [*dark, *([top] * has_alpha)], [*([(top + 1) // 2] * colours), *([top] * has_alpha)]
    flat, middle = (b"".join(one.to_bytes(width, "big") for one in part) for part in parts)
    return flat, middle


def _redrawn(
    packed: list[bytes], form: _Form, here: Mask, levels: tuple[bytes, bytes], limits: Limits
) -> bytes:
    """Return the scanlines of one picture, masked and packed."""
    rows, columns = here.shape
    size = form.size(columns, rows)
    if size > limits.decoded_bytes:
        raise LimitExceededError("its pixels unpack to more than the limit allows")
    unpacker = zlib.decompressobj()
    try:
        lines = unpacker.decompress(b"".join(packed), size)
    except zlib.error as err:
        raise UnreadableInputError("the pixels of a picture do not unpack") from err
    if len(lines) < size:
        raise UnreadableInputError("the picture is truncated")
    edge = edge_of(here)
    out, at = [], 0
    for down, across, wide, high in form.passes(columns, rows):
        row = (wide * form.bits + 7) // 8
        raw = _unfiltered(lines[at : at + high * (row + 1)], row, high, form.stride)
        at += high * (row + 1)
        _draw(raw, form, wide, here[down, across], levels[0])
        _draw(raw, form, wide, edge[down, across], levels[1])
        out.append(_filtered(raw, form))
    return zlib.compress(b"".join(out), 6)


def _draw(raw: Array, form: _Form, wide: int, where: Mask, level: bytes) -> None:
    """Set pixels of scanlines, shape (rows, bytes), in place."""
    if form.bits >= 8:  # noqa: PLR2004 - whole bytes
        pixels = raw.reshape(len(raw), wide, form.stride)
        pixels[where] = np.frombuffer(level, np.uint8)
        return
    bits = np.unpackbits(raw, axis=1)
    each = bits[:, : wide * form.bits].reshape(len(raw), wide, form.bits)
    each[where] = [level[0] >> place & 1 for place in range(form.bits - 1, -1, -1)]
    bits[:, : wide * form.bits] = each.reshape(len(raw), -1)
    raw[:] = np.packbits(bits, axis=1)


def _unfiltered(lines: bytes, row: int, rows: int, stride: int) -> Array:
    """Return scanlines without filters, shape (rows, bytes).

    A decoder does it: the lines are handed over as a plain picture whose pixels are as wide, so
    that its filters work alike and no colour is touched.
    """
    import imagecodecs  # noqa: PLC0415  # start-up cost

    colour, depth = _SAME_STRIDE[stride]
    header = struct.pack(">IIBBBBB", row // stride, rows, depth, colour, 0, 0, 0)
    plain = [(b"IHDR", header), (b"IDAT", zlib.compress(lines, 1)), (b"IEND", b"")]
    try:
        found = imagecodecs.png_decode(_SIGNATURE + b"".join(_numbered(plain)))
    except (RuntimeError, ValueError) as err:
        raise UnreadableInputError("the pixels of a picture do not unpack") from err
    if depth > 8:  # noqa: PLR2004 - a byte
        found = found.astype(">u2").view(np.uint8)
    return np.ascontiguousarray(found).reshape(rows, row)


def _filtered(raw: Array, form: _Form) -> bytes:
    """Return scanlines with their filter types: Paeth for whole samples, none below 8 bits."""
    if form.bits < 8 or form.colour == _PALETTE:  # noqa: PLR2004 - whole bytes
        kind, lines = 0, raw
    else:
        stride = form.stride
        wide = np.pad(raw, ((1, 0), (stride, 0))).astype(np.int16)
        left, up, corner = wide[1:, :-stride], wide[:-1, stride:], wide[:-1, :-stride]
        ahead, above = np.abs(up - corner), np.abs(left - corner)
        both = np.abs(left + up - 2 * corner)
        best = np.where(above <= both, up, corner)
        best = np.where((ahead <= above) & (ahead <= both), left, best)
        kind, lines = 4, (raw - best).astype(np.uint8)
    return np.insert(lines, 0, kind, axis=1).tobytes()
