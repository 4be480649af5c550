"""Integer features of a picture: never learnt from anyone, the same bits on every machine.

What is made (``raw``): oriented gradients, local patterns (fine ones and
contrasty ones) at three sizes, and the answers of a bank
of small filters at three sizes, each by cell. Left and right are added up: no finding read here
depends on the side, and half the numbers say as much. How bright a picture is, and its shape, are
left out on purpose: they tell sources apart better than findings.

What is kept (``features``): ``raw`` evened and projected by a matrix of small integers. Bank and
matrix were made once from public images (``training/readers``) and are part of ``VERSION``.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import SettingsError, UnreadableInputError
from safelight.readers import filters
from safelight.readers.head import SCALE_BITS as HEAD_BITS
from safelight.readers.head import Head

__all__ = [
    "CELLS",
    "LIMIT",
    "SIDE",
    "VERSION",
    "bank",
    "contributions",
    "evened",
    "features",
    "folded",
    "kinds",
    "layout",
    "matrix",
    "parts",
    "project",
    "pulls",
    "raw",
    "tables_digest",
]

VERSION: Final = "grid-1"
SIDE: Final = 128  # of the canvas, in pixels
LIMIT: Final = 2047
CELLS: Final = 8  # rows and columns of the map that contributions are shown on
_COARSE: Final = 4  # cells of patterns and answers
_LEVELS: Final = 3  # sizes
_STEP: Final = 20  # of brightness, in 1/64 of the spread: what counts as an edge of a pattern
_PLANES: Final = 2
SCALE_BITS: Final = 24

Ints = NDArray[np.int64]
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Bank:
    """Small filters, made once from public images.

    Attributes:
        banks: For each size filters of 7 by 7, int8, shape (filters, 49): the second half mirrors
            the first, in the same order.
        least: For each size and filter the answer that counts as none.
    """

    banks: tuple[NDArray[np.int8], ...]
    least: tuple[NDArray[np.int32], ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """How raw numbers become features, made once from public images.

    Attributes:
        centre: Of each raw number, shape (D,).
        gain: Of each raw number, in 1/256.
        weights: Whole numbers, shape (D, d).
        scale: Of each feature, in 2**-24.
    """

    centre: Ints
    gain: Ints
    weights: NDArray[np.float64]
    scale: Ints


def _held(name: str) -> dict[str, Array]:
    place = resources.files("safelight.readers").joinpath("data", name)
    with place.open("rb") as file, np.load(file, allow_pickle=False) as held:
        return {key: held[key] for key in held.files}


@cache
def bank() -> Bank:
    """Return the bank of the package."""
    held = _held(f"{VERSION}-bank.npz")
    return Bank(tuple(held["banks"]), tuple(held["least"]))


@cache
def matrix() -> Matrix:
    """Return the matrix of the package."""
    held = _held(f"{VERSION}-even.npz")
    parts = [_held(f"{VERSION}-matrix-{part}.npz")["matrix"] for part in range(int(held["parts"]))]
    return Matrix(
        held["centre"].astype(np.int64),
        held["gain"].astype(np.int64),
        np.concatenate(parts).astype(np.float64),
        held["scale"].astype(np.int64),
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each number of a picture stands, and which two are added up.

    Attributes:
        first: Of each raw number the place of one of its two parts, shape (D,).
        second: Place of the other, its mirror image; the same when it is its own.
        cells: Of each part the cells of the map it comes from, shape (parts, 4): rows of ``CELLS``,
            counted row by row; a part that lies in one cell names it four times.
    """

    first: Ints
    second: Ints
    cells: Ints


def _mirrored(blocks: list[Array]) -> list[Array]:
    """Return blocks as the mirrored picture would give them."""
    made = []
    for block in blocks:
        if block.shape[-1] == filters.BINS:
            turned = (-np.arange(filters.BINS)) % filters.BINS
            made.append(block[:, ::-1][:, :, [2, 3, 0, 1]][..., turned])
        elif block.shape[-1] == filters.PATTERNS:
            made.append(block[:, ::-1])
        else:
            swapped = np.roll(block, block.shape[1] // 2, axis=1)
            made.append(swapped[..., ::-1])
    return made


def _cells(block: Array) -> Array:
    """Return the four cells of each number of a block."""
    fine = np.arange(CELLS * CELLS).reshape(CELLS, CELLS)
    made = np.empty((*block.shape, 4), np.int64)
    if block.shape[-1] == filters.BINS:
        for part, (down, across) in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
            corner = fine[down : down + CELLS - 1, across : across + CELLS - 1]
            made[:, :, part] = corner[:, :, None, None]
        return made
    four = fine.reshape(_COARSE, 2, _COARSE, 2).transpose(0, 2, 1, 3).reshape(_COARSE, _COARSE, 4)
    made[:] = four[:, :, None] if block.shape[-1] == filters.PATTERNS else four
    return made


@cache
def layout() -> Layout:
    """Return the layout; it follows from the sizes alone."""
    blocks = _blocks(np.zeros((SIDE, SIDE), np.int32))
    places, start = [], 0
    for block in blocks:
        places.append(np.arange(start, start + block.size).reshape(block.shape))
        start += block.size
    other = np.concatenate([block.ravel() for block in _mirrored(places)])
    mine = np.arange(start)
    keep = mine[mine <= other]
    cells = np.concatenate([_cells(block).reshape(-1, 4) for block in blocks])
    return Layout(keep, other[keep], cells)


def _blocks(drawn: Array) -> list[Array]:
    """Return all numbers of a canvas, by block."""
    held = bank()
    levels = filters.spread(drawn)
    blocks = [filters.gradients(levels, CELLS)]
    for size in range(_LEVELS):
        blocks.append(filters.patterns(drawn, _COARSE))
        blocks.append(filters.patterns(levels, _COARSE, _STEP))
        drawn, levels = filters.halve(drawn), filters.halve(levels)
        blocks.append(filters.answers(levels, held.banks[size], held.least[size], _COARSE))
    return blocks


@cache
def kinds() -> Ints:
    """Return which block each part comes from, shape (parts,)."""
    blocks = _blocks(np.zeros((SIDE, SIDE), np.int32))
    return np.repeat(np.arange(len(blocks)), [block.size for block in blocks])


def parts(picture: NDArray[np.uint8]) -> Ints:
    """Return all numbers of a picture before left and right are added up, shape (parts,).

    Args:
        picture: uint8, shape (rows, columns), as displayed.

    Raises:
        UnreadableInputError: When it is empty.
        SettingsError: When it is not such an array.
    """
    if picture.ndim != _PLANES or picture.dtype != np.uint8:
        raise SettingsError("features are made of one plane of bytes")
    if not picture.size:
        raise UnreadableInputError("the picture is empty")
    drawn = filters.canvas(picture, SIDE)
    return np.concatenate([block.ravel() for block in _blocks(drawn)]).astype(np.int64)


def raw(picture: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the numbers of a picture, left and right added up, shape (D,).

    Args:
        picture: uint8, shape (rows, columns), as displayed.

    Raises:
        UnreadableInputError: When it is empty.
        SettingsError: When it is not such an array.
    """
    return folded(parts(picture))


def folded(numbers: Ints) -> NDArray[np.int16]:
    """Return what ``raw`` makes of ``parts``."""
    held = layout()
    return np.asarray(numbers[held.first] + numbers[held.second], dtype=np.int16)


def evened(numbers: Array) -> Ints:
    """Return raw numbers on one footing: about 256 for one standard deviation, within ±``LIMIT``.

    Args:
        numbers: Of ``raw``, shape (..., D).
    """
    held = matrix()
    moved = (numbers.astype(np.int64) - held.centre) * held.gain
    return np.asarray(np.clip((moved + 128) >> 8, -LIMIT, LIMIT), dtype=np.int64)


def project(numbers: Array) -> NDArray[np.int16]:
    """Return the features of raw numbers.

    Args:
        numbers: Of ``raw``, shape (..., D).

    Returns:
        Shape (..., d), within ±``LIMIT``.
    """
    held = matrix()
    # Whole numbers far below 2**53: this product is exact in any order of adding.
    sums = (evened(numbers).astype(np.float64) @ held.weights).astype(np.int64)
    shown = (sums * held.scale + (1 << (SCALE_BITS - 1))) >> SCALE_BITS
    return np.asarray(np.clip(shown, -LIMIT, LIMIT), dtype=np.int16)


def features(picture: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the integer features of a picture, shape (d,), within ±``LIMIT``.

    Args:
        picture: uint8, shape (rows, columns), as displayed.

    Raises:
        UnreadableInputError: When it is empty.
        SettingsError: When it is not such an array.
    """
    return project(raw(picture))


def pulls(head: Head, row: int = 0) -> Array:
    """Return what one unit of each raw number adds to a score, shape (D,)."""
    held = matrix()
    unit = float(1 << (SCALE_BITS + HEAD_BITS))
    down = held.scale * head.weights[row] / unit
    return np.asarray((held.weights @ down) * held.gain / 256.0)


def contributions(score: float, pulled: Array, numbers: Array) -> tuple[Array, float]:
    """Return what each place gave to the score, and the bias; together they are the score.

    Places give by how far they are from an average picture. What the map cannot place (rounding to
    whole features, numbers cut off at their limit) is in the bias.

    Args:
        score: Of the picture.
        pulled: From ``pulls``.
        numbers: From ``parts``.

    Returns:
        Shape (CELLS, CELLS), rows of the picture from the top; and the bias.
    """
    held, placed = matrix(), layout()
    places = np.zeros(CELLS * CELLS)
    # A number that is its own mirror image counts twice, as it does in ``raw``.
    for side in (placed.first, placed.second):
        given = pulled * (numbers[side] - held.centre / 2.0) / 4.0
        for corner in range(4):
            places += np.bincount(placed.cells[side, corner], weights=given, minlength=len(places))
    return places.reshape(CELLS, CELLS), score - float(places.sum())


@cache
def tables_digest() -> str:
    """Return the SHA-256 of bank and matrix, hex: one version has one."""
    held, rows = bank(), matrix()
    whole = hashlib.sha256(VERSION.encode())
    arrays: list[Array] = [*held.banks, *held.least]
    arrays += [rows.centre, rows.gain, rows.weights, rows.scale]
    for array in arrays:
        whole.update(str(array.shape).encode() + array.astype("<i8").tobytes())
    return whole.hexdigest()
