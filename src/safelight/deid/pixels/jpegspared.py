"""MCUs that a mask touches and that hold a part of a kept mark: drawn anew, not made flat.

A block is made of the samples that stay, as decoders show them, and of the fill; nothing of what
is masked goes in. Rounding then moves both, so the fill is drawn deeper until it decodes to what is
meant; a block that does not come to it is made flat.

Source: ITU-T T.81 A.3.3 (DCT), A.3.4 (quantisation), A.3.6 (zigzag), F.1.2 (ranges).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.jpegparts import Jpeg

__all__ = ["Spared", "drawn", "grown", "in_pixels", "in_units", "redrawn", "spared"]

Floats = NDArray[np.float64]
Blocks = NDArray[np.int16]
Mask = NDArray[np.bool_]
_MARGIN: Final = 8  # pixels: what was read as a mark may lack the ends of its strokes
_ROUNDS: Final = 60
_LEVEL: Final = 0.4  # of 256, from the lowest or highest level: it is rounded to that
_HUE: Final = 1.2  # of 256, from the middle of a colour difference
_DEEPEST: Final = 3  # times half the range: decoders clip that, and turn over from four
_ZIGZAG: Final = sorted(
    range(64), key=lambda n: (n // 8 + n % 8, n // 8 if (n // 8 + n % 8) % 2 else n % 8)
)
_BASIS: Final = np.cos((2 * np.arange(8) + 1) * np.arange(8)[:, None] * np.pi / 16) / 2
_BASIS[0] = np.sqrt(1 / 8)


@dataclass(frozen=True, slots=True)
class Spared:
    """What stays inside touched MCUs.

    Attributes:
        goes: Pixels that are filled, shape (rows, columns): what is masked in MCUs that hold a
            part of a mark, the whole of the others.
        fills: For each component the way to its fill: -1 lowest level, 1 highest, 0 middle.
    """

    goes: Mask
    fills: Sequence[int]


def spared(
    jpeg: Jpeg, units: Mask, mask: Mask, keep: Mask | None, fills: Sequence[int]
) -> Spared | None:
    """Return what stays in the MCUs that a mask touches; None where they are flat throughout.

    Args:
        jpeg: The parts.
        units: MCUs that the mask touches, shape as ``jpeg.units``.
        mask: Pixels that have to go, shape (rows, columns).
        keep: Pixels of kept marks, of the same shape.
        fills: As in ``Spared``.
    """
    if keep is None or not keep.any():
        return None
    holds = units & in_units(jpeg, grown(keep, _MARGIN) & ~mask)
    goes = in_pixels(jpeg, units) & (mask | ~in_pixels(jpeg, holds))
    return Spared(goes, fills) if holds.any() else None


def in_units(jpeg: Jpeg, pixels: Mask) -> Mask:
    """Return which MCUs hold one of these pixels, shape as ``jpeg.units``."""
    h, v = jpeg.sampling
    rows, columns = jpeg.units
    return np.asarray(_cells(pixels, (rows, 8 * v, columns, 8 * h)).any(axis=(1, 3)))


def in_pixels(jpeg: Jpeg, units: Mask) -> Mask:
    """Return the pixels of these MCUs, shape (rows, columns)."""
    h, v = jpeg.sampling
    return np.kron(units, np.ones((8 * v, 8 * h), np.bool_))[: jpeg.rows, : jpeg.columns]


def redrawn(
    jpeg: Jpeg, index: int, blocks: Blocks, units: Mask, what: Spared
) -> tuple[Any, Blocks]:
    """Return which blocks of one component are not made flat, and what they hold then.

    Args:
        jpeg: The parts.
        index: The component.
        blocks: All it has, shape (rows, columns, 64), coefficients in zigzag order.
        units: MCUs that the mask touches.
        what: What stays.
    """
    one, (wide, high) = jpeg.components[index], jpeg.sampling
    h, v = (one.h, one.v) if len(jpeg.components) > 1 else (1, 1)
    touched = np.kron(units, np.ones((v, h), np.bool_))
    table = np.array(jpeg.quants[index], np.float64)
    if wide % h or high % v or not table.all():  # its samples cover no whole pixels
        touched[:] = False
    across, down = -(-wide // h), -(-high // v)
    # decoders smooth subsampled colour over one pixel more
    goes = grown(what.goes, 1) if across > 1 or down > 1 else what.goes
    cut, inside = (
        _in_blocks(plane, touched.shape, (down, across)) for plane in (goes, np.ones_like(goes))
    )
    where = np.nonzero(touched & (inside & ~cut).any(axis=(2, 3)))
    done, stands = drawn(
        blocks[where], cut[where], inside[where], table, (jpeg.precision, what.fills[index])
    )
    return tuple(axis[stands] for axis in where), done[stands]


def drawn(
    blocks: Blocks, cut: Mask, inside: Mask, table: Floats, kind: tuple[int, int]
) -> tuple[Blocks, Mask]:
    """Return blocks with the fill where they are cut, and which of them came out as they should.

    Args:
        blocks: Coefficients in zigzag order, shape (n, 64); those that nothing cuts come back.
        cut: Samples that are filled, shape (n, 8, 8).
        inside: Samples of the picture; its edge is drawn on past them.
        table: The quantisation table in zigzag order.
        kind: Precision in bits, and the way to the fill as in ``Spared``.
    """
    half, way = 1 << kind[0] - 1, kind[1]
    done = blocks.copy()
    stands: Mask = np.asarray(~cut.any(axis=(1, 2)))
    for place in np.flatnonzero(~stands).tolist():
        shown = np.clip(np.rint(_samples(blocks[place], table)), -half, half - 1)
        target = _filled(shown, cut[place], inside[place], _fill(half, way))
        fitted = _fitted(target, cut[place], table, half, way)
        if fitted is not None:
            done[place], stands[place] = fitted, True
    return done, stands


def _fill(half: int, way: int) -> int:
    return (0, half - 1, -half)[way]


def _filled(shown: Floats, cut: Mask, inside: Mask, fill: int) -> Floats:
    """Return samples with the fill where they go; past the picture its edge goes on."""
    rows, columns = int(inside.any(axis=1).sum()), int(inside.any(axis=0).sum())
    filled = np.where(cut, float(fill), shown)[:rows, :columns]
    return np.pad(filled, ((0, 8 - rows), (0, 8 - columns)), mode="edge")


def _fitted(target: Floats, cut: Mask, table: Floats, half: int, way: int) -> Blocks | None:
    """Return the block that decodes to the fill where it is cut, elsewhere about to the target.

    What goes beyond the lowest or the highest level is clipped, so there it may be overshot.
    """
    for _ in range(_ROUNDS):
        coded = _coded(target, table, half)
        decoded = _samples(coded, table)
        over = np.where(cut, decoded - _fill(half, way), 0.0)
        if way:
            over = np.minimum(over, 0) if way > 0 else np.maximum(over, 0)
        near = np.abs(over).max() <= (_LEVEL if way else _HUE) * half / 128
        if near and np.abs(decoded).max() < _DEEPEST * half:
            return coded
        target = target - over
    return None


def _samples(block: Blocks, table: Floats) -> Floats:
    """Return what a block decodes to, shape (8, 8), without the level shift."""
    plain = np.zeros(64)
    plain[_ZIGZAG] = block * table
    return np.asarray(_BASIS.T @ plain.reshape(8, 8) @ _BASIS)


def _coded(samples: Floats, table: Floats, half: int) -> Blocks:
    plain = (_BASIS @ samples @ _BASIS.T).reshape(64)[_ZIGZAG]
    most = 8 * half - 1
    return np.clip(np.rint(plain / table), -most, most).astype(np.int16)


def _in_blocks(pixels: Mask, blocks: tuple[int, ...], each: tuple[int, int]) -> Mask:
    """Return the samples that hold one of these pixels, by block: (rows, columns, 8, 8)."""
    rows, columns = blocks
    down, across = each
    whole = _cells(pixels, (rows * 8, down, columns * 8, across))
    samples: Mask = np.asarray(whole.any(axis=(1, 3)))
    return samples.reshape(rows, 8, columns, 8).transpose(0, 2, 1, 3)


def _cells(pixels: Mask, shape: tuple[int, int, int, int]) -> Mask:
    """Return pixels padded to rows and columns of cells: rows, in one, columns, in one."""
    whole = np.zeros((shape[0] * shape[1], shape[2] * shape[3]), np.bool_)
    whole[: pixels.shape[0], : pixels.shape[1]] = pixels
    return whole.reshape(shape)


def grown(mask: Mask, by: int) -> Mask:
    """Return a mask this many pixels larger on all sides."""
    for _ in range(by):
        wide = np.pad(mask, 1)
        tall = wide[:-2] | wide[1:-1] | wide[2:]
        mask = tall[:, :-2] | tall[:, 1:-1] | tall[:, 2:]
    return mask
