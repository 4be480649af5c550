"""Maps of one picture in integers: gradients, local patterns, answers of a bank of small filters.

Every number is exact, so that batch size, threads, matrix kernels and processors change nothing:
products are made of whole numbers whose sums floating point holds exactly (below 2**24 in 32-bit,
2**53 in 64-bit products); single divisions and square roots of float64 are rounded as IEEE 754
demands, the same everywhere.
"""

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BINS", "answers", "canvas", "gradients", "halve", "patterns", "spread"]

BINS: Final = 9  # orientations, unsigned, 20 degrees apart
PATTERNS: Final = 10
UNIT: Final = 64  # of one standard deviation
MOST: Final = 255
_FLAT: Final = 2  # levels: less spread than this is noise, and is not blown up
_WORK: Final = 512  # a larger side is first averaged in whole blocks
_TURN: Final = 64
_WIDTH: Final = 60  # 64 cos 20 degrees: an orientation reaches to its neighbours
_PATCH_FLAT: Final = 6
_PATCH_CLIP: Final = 127

Ints = NDArray[np.int32]
Array = NDArray[Any]


@cache
def _weights(size: int, side: int) -> tuple[Array, int]:
    """Return how ``size`` pixels make ``side``: shape (side, size), each row adds up to the total.

    Areas when there are more pixels than wanted, straight lines between centres when fewer.
    """
    if size >= side:
        edges = np.arange(side + 1) * size
        starts = np.arange(size) * side
        low = np.maximum(edges[:-1, None], starts)
        high = np.minimum(edges[1:, None], starts + side)
        return np.maximum(high - low, 0).astype(np.float64), size
    made = np.zeros((side, size))
    for row in range(side):
        left, rest = divmod((2 * row + 1) * size - side, 2 * side)
        made[row, min(max(left, 0), size - 1)] += 2 * side - rest
        made[row, min(max(left + 1, 0), size - 1)] += rest
    return made, 2 * side


def canvas(picture: NDArray[np.uint8], side: int) -> Ints:
    """Return a picture drawn ``side`` by ``side``, 0 to 255.

    Its shape goes: how wide an image is tells more of where it came from than of what it shows.

    Args:
        picture: Shape (rows, columns), as displayed.
        side: Of the canvas, in pixels.
    """
    found: Array = picture
    down, across = (max(1, size // _WORK) for size in found.shape)
    if down > 1 or across > 1:
        rows, columns = found.shape[0] // down, found.shape[1] // across
        sums = np.zeros((rows, columns), np.uint32)
        for y in range(down):
            for x in range(across):
                sums += found[y : rows * down : down, x : columns * across : across]
        found = (2 * sums + down * across) // (2 * down * across)
    (by_rows, tall), (by_columns, wide) = (_weights(size, side) for size in found.shape)
    sums = (by_rows @ found.astype(np.float64) @ by_columns.T).astype(np.int64)
    return ((2 * sums + tall * wide) // (2 * tall * wide)).astype(np.int32)


def spread(drawn: Ints) -> Ints:
    """Return a canvas in units of its own spread: mean 0, 64 is one standard deviation, ±255."""
    count, total = drawn.size, int(drawn.sum())
    squares = int((drawn.astype(np.int64) ** 2).sum())
    varied = count * squares - total * total + (_FLAT * count) ** 2
    # Whole numbers below 2**53: one division, one rounding.
    levels = (drawn.astype(np.float64) * count - total) * UNIT / np.sqrt(float(varied))
    return np.asarray(np.clip(np.rint(levels), -MOST, MOST), dtype=np.int32)


def halve(drawn: Ints) -> Ints:
    """Return a canvas at half its size."""
    sums = drawn[::2, ::2] + drawn[1::2, ::2] + drawn[::2, 1::2] + drawn[1::2, 1::2]
    return np.asarray((sums + 2) >> 2, dtype=np.int32)


def cells(maps: Array, grid: int) -> Array:
    """Return sums over a grid of cells: shape (maps, grid, grid) of (maps, side, side)."""
    count, side = maps.shape[0], maps.shape[1] // grid
    shaped = maps.reshape(count, grid, side, grid, side)
    return np.asarray(shaped.sum(axis=(2, 4), dtype=np.int64))


def gradients(levels: Ints, grid: int) -> Array:
    """Return histograms of oriented gradients, each over four cells normalised together.

    After Dalal and Triggs (2005), with orientation in whole numbers: a gradient counts for an
    orientation by how much it points there more than 20 degrees away.

    Returns:
        Shape (grid - 1, grid - 1, 4, BINS), 0 to 256: of blocks of two by two cells; the four are
        top left, bottom left, top right, bottom right.
    """
    side = levels.shape[0]
    across, down = np.zeros_like(levels), np.zeros_like(levels)
    across[:, 1:-1] = levels[:, 2:] - levels[:, :-2]
    down[1:-1] = levels[2:] - levels[:-2]
    length = np.sqrt((across * across + down * down).astype(np.float64))
    least = np.floor(length * _WIDTH).astype(np.int32)
    maps = np.empty((BINS, side, side), np.int32)
    for turn in range(BINS):
        angle = turn * np.pi / BINS
        towards = across * round(_TURN * np.cos(angle)) + down * round(_TURN * np.sin(angle))
        np.maximum(np.abs(towards) - least, 0, out=maps[turn])
    sums = cells(maps, grid)
    blocks = np.stack([sums[:, :-1, :-1], sums[:, 1:, :-1], sums[:, :-1, 1:], sums[:, 1:, 1:]])
    energy = (blocks * blocks).sum(axis=(0, 1))
    floor = ((side // grid) ** 2 * 32) ** 2
    shares = np.floor(blocks * 1024.0 / np.sqrt((energy + floor).astype(np.float64)))
    return np.asarray(np.minimum(shares, 256).astype(np.int32).transpose(2, 3, 0, 1))


def patterns(drawn: Ints, grid: int, least: int = 0) -> Array:
    """Return rotation-free uniform local binary patterns by cell (Ojala and others, 2002).

    Args:
        drawn: Shape (side, side).
        grid: Cells a side.
        least: By how much a neighbour must be brighter to count: above 0, noise falls away.

    Returns:
        Shape (grid, grid, PATTERNS), in 1/2048 of the cell.
    """
    rows, columns = drawn.shape
    middle = drawn[1:-1, 1:-1] + least
    around = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
    bits = np.stack(
        [drawn[1 + y : rows - 1 + y, 1 + x : columns - 1 + x] >= middle for y, x in around]
    )
    turns = (bits != np.roll(bits, 1, axis=0)).sum(axis=0)
    codes = np.where(turns <= 2, bits.sum(axis=0), PATTERNS - 1)  # noqa: PLR2004  # uniform
    tall, wide = codes.shape
    made = np.empty((grid, grid, PATTERNS), np.int32)
    for y in range(grid):
        for x in range(grid):
            part = codes[
                y * tall // grid : (y + 1) * tall // grid, x * wide // grid : (x + 1) * wide // grid
            ]
            made[y, x] = np.bincount(part.ravel(), minlength=PATTERNS) * 2048 // part.size
    return made


def flattened(levels: Ints, size: int) -> tuple[NDArray[np.float32], int]:
    """Return each pixel's surroundings, mean taken off and contrast evened: whole numbers to ±127.

    Returns:
        Shape (side * side, size * size), and the side.
    """
    half, count = size // 2, size * size
    padded = np.pad(levels, half, mode="reflect").astype(np.int32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    side = windows.shape[0]
    rows = windows.reshape(side * side, count).astype(np.float32)
    # Whole numbers below 2**24: 49 * 255**2 is.
    total, squares = rows.sum(axis=1), np.square(rows).sum(axis=1)
    varied = (
        count * squares.astype(np.float64)
        - np.square(total.astype(np.float64))
        + (count * _PATCH_FLAT) ** 2
    )
    scale = (UNIT / np.sqrt(varied)).astype(np.float32)
    rows *= count
    rows -= total[:, None]
    rows *= scale[:, None]
    np.rint(rows, out=rows)
    return np.clip(rows, -_PATCH_CLIP, _PATCH_CLIP, out=rows), side


def answers(levels: Ints, bank: NDArray[np.int8], least: NDArray[np.int32], grid: int) -> Array:
    """Return how strongly each small filter answers in each cell, for and against.

    Args:
        levels: Shape (side, side).
        bank: Filters, shape (filters, size * size).
        least: Of each filter: answers below are none.
        grid: Cells a side.

    Returns:
        Shape (2, filters, grid, grid): square roots of mean answers, in 1/4.
    """
    size = round(float(bank.shape[1]) ** 0.5)
    rows, side = flattened(levels, size)
    least_answer = least.astype(np.float32)[:, None]
    found = bank.astype(np.float32) @ rows.T  # below 49 * 127 * 127 < 2**24: exact
    step = side // grid
    sums = np.repeat(np.eye(grid, dtype=np.float32), step, axis=0)
    made = []
    for over in (found - least_answer, -found - least_answer):
        np.maximum(over, 0, out=over)
        # Rows first: sums of at most 16 answers stay below 2**24, then 64-bit.
        by_row = over.reshape(-1, side) @ sums
        totals = by_row.reshape(-1, grid, step, grid).sum(axis=2, dtype=np.float64)
        made.append(np.floor(np.sqrt(np.floor(totals / step**2)) * 4.0))
    return np.stack(made).astype(np.int32)
