"""Mask a JPEG without decoding it: coefficients of touched MCUs are replaced, all others kept.

The bits of untouched MCUs are copied; only the first DC difference after a masked stretch is
written anew. No table changes, save that a code may be hung under the reserved code of ones.
A progressive stream, and one whose tables have no room, is written anew from its coefficients.

Source: ITU-T T.81 annexes A (order of blocks), F (sequential DCT), B (markers).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.huffman import ac_lookup, dc_lookup, extended
from safelight.deid.pixels.jpegparts import Jpeg, Scan, parse
from safelight.deid.pixels.jpegread import damaged, differences, plan_of, positions
from safelight.deid.pixels.jpegspared import in_pixels, in_units, spared
from safelight.errors import NeedsReviewError, UnreadableInputError

__all__ = ["covered", "mask_jpeg"]

_NEUTRAL: Final = 0
_COLOURS: Final = 3

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]


def mask_jpeg(
    data: bytes,
    mask: Mask,
    *,
    photometric: str = "",
    bright: bool = False,
    border: bool = False,
    anew: bool = False,
    tables: bytes = b"",
    keep: Mask | None = None,
) -> bytes:
    """Return the stream with every MCU that the mask touches made flat, but for kept marks.

    Args:
        data: A whole stream. What follows its end marker is left out.
        mask: True where something has to go, shape (rows, columns) of the stream.
        photometric: Photometric Interpretation, where the stream itself does not tell its colours.
        bright: Fill with the highest level (MONOCHROME1), not the lowest.
        border: Draw the edge of what is masked in mid-grey.
        anew: Write a sequential stream even where nothing is masked.
        tables: An abbreviated stream with tables alone (TIFF's JPEGTables).
        keep: Pixels of kept marks, which stay where the mask itself does not cover them.

    Raises:
        UnreadableInputError: It is malformed, truncated, or of another size than the mask.
        NeedsReviewError: It is of a process that nothing here masks.
    """
    jpeg = parse(data, tables)
    if mask.shape != (jpeg.rows, jpeg.columns):
        raise UnreadableInputError("a JPEG stream is of another size than its header says")
    units = in_units(jpeg, mask)
    if not units.any() and not (anew and jpeg.progressive):
        return data[: jpeg.end]
    fills = _fills(jpeg, photometric, bright=bright)
    levels = _levels(jpeg, units, fills, border=border)
    stays = spared(jpeg, units, mask, keep, fills)
    from safelight.deid.pixels.jpegcoder import write_anew  # noqa: PLC0415  # rarely needed

    if stays is not None:
        with suppress(NeedsReviewError, UnreadableInputError):  # it cannot be decoded whole
            return write_anew(jpeg, units, levels, stays)
    if not jpeg.progressive:
        done = _sequential(jpeg, units, levels)
        if done is not None:
            return done
    return write_anew(jpeg, units, levels)


def covered(data: bytes, mask: Mask, tables: bytes = b"") -> Mask:
    """Return the mask as ``mask_jpeg`` applies it: in whole MCUs, of the same shape.

    Decoders that smooth subsampled colour let one more pixel around it take on some of its hue.
    """
    jpeg = parse(data, tables)
    return in_pixels(jpeg, in_units(jpeg, mask))


def _fills(jpeg: Jpeg, photometric: str, *, bright: bool) -> list[int]:
    """Return for each component whether its fill is the lowest level (-1), the highest (1) or 0."""
    count = len(jpeg.components)
    differences = count >= _COLOURS and not _is_rgb(jpeg, photometric)
    way = 1 if bright else -1
    return [0 if differences and index in (1, 2) else way for index in range(count)]


def _levels(jpeg: Jpeg, units: Mask, fills: list[int], *, border: bool) -> list[Ints]:
    """Return for each component the DC value of each MCU if it is touched."""
    edge = np.zeros(units.shape, np.bool_)
    if border:
        inner = np.pad(units, 1)
        edge = units & ~(inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:])
    half = 1 << (jpeg.precision - 1)
    found = []
    for index, way in enumerate(fills):
        if index not in jpeg.quants:
            raise UnreadableInputError("a JPEG stream is damaged: a table is missing")
        step = jpeg.quants[index][0]
        # outwards, so that rounding never leaves the last level
        extreme = -((-8 * (half - 1)) // step) if way > 0 else (-8 * half) // step
        flat = np.full(units.shape, extreme if way else _NEUTRAL, np.int64)
        flat[edge] = _NEUTRAL
        found.append(flat)
    return found


def _is_rgb(jpeg: Jpeg, photometric: str) -> bool:
    """Tell whether the components are red, green and blue, as libjpeg guesses it."""
    if jpeg.adobe >= 0:
        return jpeg.adobe == 0
    if jpeg.jfif:
        return False
    idents = bytes(one.ident for one in jpeg.components[:3])
    return idents == b"RGB" or photometric == "RGB"


def _sequential(jpeg: Jpeg, units: Mask, levels: list[Ints]) -> bytes | None:
    """Return the masked stream; None when a table has no room for a code that is needed."""
    out: list[bytes] = []
    at = 0
    for scan in jpeg.scans:
        work = _ScanWork(jpeg, scan, units, levels)
        done = work.run()
        if done is None:
            return None
        new_tables, coded = done
        out += (jpeg.data[at : scan.head], new_tables, jpeg.data[scan.head : scan.start], coded)
        at = scan.stop
    out.append(jpeg.data[at : jpeg.end])
    return b"".join(out)


@dataclass(slots=True)
class _Interval:
    """Coded data between two restarts that a mask touches."""

    bits: NDArray[np.uint8]
    starts: Ints  # bit where each block starts, and the end
    heads: Ints  # bits of each block's DC difference and its code
    change: Mask  # blocks that are written anew
    blank: Mask  # ... of which nothing is kept
    differences: Ints  # new DC differences


class _ScanWork:
    """Rewrites the coded data of one sequential scan."""

    def __init__(self, jpeg: Jpeg, scan: Scan, units: Mask, levels: list[Ints]) -> None:
        self.jpeg, self.scan = jpeg, scan
        self.plan = plan_of(jpeg, scan)
        self.blank = units.reshape(-1)[self.plan.owner]
        self.places = np.tile(np.array(self.plan.order), self.plan.count)
        flat = np.stack([levels[index].reshape(-1) for index, _, _ in scan.components])
        self.fill = flat[self.places, self.plan.owner]
        try:
            self.tables = [
                (scan.tables[0, dc], scan.tables[1, ac]) for _, dc, ac in scan.components
            ]
        except KeyError:
            raise damaged("a table is missing") from None
        self.lookups = [(dc_lookup(dc), ac_lookup(ac)) for dc, ac in self.tables]
        # components that share a table share what it needs
        slots: dict[tuple[int, int], set[int]] = {}
        self.needed = [
            (slots.setdefault((0, dc), set()), slots.setdefault((1, ac), set()))
            for _, dc, ac in scan.components
        ]

    def run(self) -> tuple[bytes, bytes] | None:
        """Return new tables and coded data; None when a table has no room."""
        pieces: list[bytes | _Interval] = []
        each, restart = self.plan.each, self.scan.restart or self.plan.count
        spans = list(self.jpeg.intervals(self.scan))
        if len(spans) != -(-self.plan.count // restart):
            raise damaged("restarts are missing")
        for number, (start, stop) in enumerate(spans):
            blocks = slice(number * restart * each, (number + 1) * restart * each)
            if self.blank[blocks].any():
                pieces.append(self._interval(start, stop, blocks))
            else:
                pieces.append(self.jpeg.data[start:stop])
        tables = [
            (extended(dc, self.needed[n][0]), extended(ac, self.needed[n][1]))
            for n, (dc, ac) in enumerate(self.tables)
        ]
        segments = self._segments(tables)
        if segments is None:
            return None
        codes = [(dc.codes(), ac.codes()) for dc, ac in tables if dc is not None and ac is not None]
        out = []
        for number, piece in enumerate(pieces):
            out.append(piece if isinstance(piece, bytes) else self._write(piece, number, codes))
            if number < len(pieces) - 1:
                out.append(bytes((0xFF, 0xD0 + number % 8)))
        return segments, b"".join(out)

    def _segments(self, tables: Sequence[tuple[Any, Any]]) -> bytes | None:
        """Return DHT segments of the tables that grew; None when one could not."""
        found: dict[tuple[int, int], bytes] = {}
        for (_, *slots), new in zip(self.scan.components, tables, strict=True):
            for kind in (0, 1):
                table, slot = new[kind], (kind, slots[kind])
                if table is None:
                    return None
                if table != self.scan.tables[slot]:
                    found[slot] = table.segment(*slot)
        return b"".join(found.values())

    def _interval(self, start: int, stop: int, blocks: slice) -> _Interval:
        coded = self.jpeg.data[start:stop].replace(b"\xff\x00", b"\xff")
        blank, places = self.blank[blocks], self.places[blocks]
        starts = positions(coded, self.lookups, self.plan.order, len(blank) // self.plan.each)
        heads, old = differences(coded, starts[:-1], places, self.lookups)
        new = np.empty_like(old)
        for place in range(len(self.lookups)):
            mine = np.flatnonzero(places == place)
            values = np.where(blank[mine], self.fill[blocks][mine], np.cumsum(old[mine]))
            new[mine] = np.diff(values, prepend=0)
        change = blank | (new != old)
        sizes = np.frexp(np.abs(new[change]).astype(np.float64))[1]
        for place, (dc_needed, ac_needed) in enumerate(self.needed):
            dc_needed.update(sizes[places[change] == place].tolist())
            if (blank & (places == place)).any():
                ac_needed.add(0)
        if any(max(dc_needed, default=0) > 15 for dc_needed, _ in self.needed):  # noqa: PLR2004 - F.1.2.1.1
            raise damaged("a DC value is out of range")
        bits = np.unpackbits(np.frombuffer(coded, np.uint8))
        return _Interval(bits, starts, heads, change, blank, new)

    def _write(
        self, piece: _Interval, number: int, codes: list[tuple[dict[int, str], dict[int, str]]]
    ) -> bytes:
        """Return the coded data of one interval, stuffed and padded with ones (F.1.2.3)."""
        base = number * (self.scan.restart or self.plan.count) * self.plan.each
        changed = np.flatnonzero(piece.change)
        where, differences = changed.tolist(), piece.differences[changed].tolist()
        places = self.places[base + changed].tolist()
        blank = piece.blank[changed].tolist()
        heads, starts = piece.heads[changed].tolist(), piece.starts
        out: list[NDArray[np.uint8]] = []
        text: list[str] = []
        kept = 0  # everything before this bit is written
        for block, difference, place, empty, head in zip(
            where, differences, places, blank, heads, strict=True
        ):
            dc, ac = codes[place]
            start, stop = int(starts[block]), int(starts[block + 1])
            if start > kept:
                _flush(text, out)
                out.append(piece.bits[kept:start])
            text.append(_spelled(difference, dc))
            kept = start + head
            if empty:
                text.append(ac[0])
                kept = stop
        _flush(text, out)
        out.append(piece.bits[kept : int(starts[-1])])
        size = sum(len(one) for one in out)
        out.append(np.ones(-size % 8, np.uint8))
        return np.packbits(np.concatenate(out)).tobytes().replace(b"\xff", b"\xff\x00")


def _flush(text: list[str], out: list[NDArray[np.uint8]]) -> None:
    if text:
        out.append(np.frombuffer("".join(text).encode(), np.uint8) - ord("0"))
        text.clear()


def _spelled(difference: int, codes: dict[int, str]) -> str:
    """Return a DC difference in bits (F.1.2.1)."""
    size = abs(difference).bit_length()
    if not size:
        return codes[0]
    value = difference if difference > 0 else difference + (1 << size) - 1
    return codes[size] + f"{value:0{size}b}"
