"""Integer features from a body that was trained on ImageNet: the same bits on every machine.

A picture and its mirror image are drawn 192 by 192 and shown to the body of the kind reader, which
works in whole numbers (``kind.net``). Two of its blocks answer by place: the sums of the first over
quarters and of the second over the whole, of both pictures together, are the numbers of a picture
(``raw``). They are evened by whole numbers that were made once from public images of open terms
(``training.readers.even``). Body and table are part of the version.
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
from safelight.readers.head import SCALE_BITS, Head
from safelight.readers.kind import net
from safelight.readers.statistics import LIMIT

__all__ = [
    "SHIFT",
    "SIDE",
    "VERSION",
    "WIDTH",
    "contributions",
    "evened",
    "features",
    "folded",
    "parts",
    "pulls",
    "raw",
    "table",
    "tables_digest",
]

VERSION: Final = "body-1"
SIDE: Final = 192  # of what the body is shown
SHIFT: Final = 16  # gains are in units of 2**-SHIFT
CELLS: Final = 8  # rows and columns of the map that contributions are shown on
_MIDDLE: Final = 128  # of brightness
_PLANES: Final = 2
# picture and mirror image, channels, rows, columns
_FIRST: Final = (2, 112, SIDE // 16, SIDE // 16)
_SECOND: Final = (2, 192, SIDE // 32, SIDE // 32)
_QUARTERS: Final = 2  # rows and columns of sums of the first block
_SPLIT: Final = _FIRST[1] * _QUARTERS * _QUARTERS
WIDTH: Final = _SPLIT + _SECOND[1]

Ints = NDArray[np.int64]
Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """How raw numbers are evened, made once from public images.

    Attributes:
        centre: Of each raw number, shape (WIDTH,).
        gain: Of each raw number, in units of 2**-SHIFT.
    """

    centre: Ints
    gain: Ints


@cache
def table() -> Table:
    """Return the table of the package."""
    place = resources.files("safelight.readers").joinpath("data", f"{VERSION}-even.npz")
    with place.open("rb") as file, np.load(file, allow_pickle=False) as held:
        return Table(held["centre"].astype(np.int64), held["gain"].astype(np.int64))


def parts(picture: NDArray[np.uint8]) -> Ints:
    """Return what the two blocks answer, of the picture and of its mirror image, by place.

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
    drawn = (filters.canvas(picture, SIDE) - _MIDDLE).astype(np.float32)
    shown = np.stack([drawn, drawn[:, ::-1]])[:, None]
    found = net.blocks(np.repeat(shown, 3, axis=1))
    return np.concatenate([each.ravel() for each in found])


def _blocks(numbers: Ints) -> tuple[Ints, Ints]:
    split = int(np.prod(_FIRST))
    return numbers[:split].reshape(_FIRST), numbers[split:].reshape(_SECOND)


def folded(numbers: Ints) -> Ints:
    """Return what ``raw`` makes of ``parts``: sums over quarters, and over the whole."""
    first, second = _blocks(numbers)
    side = _FIRST[2] // _QUARTERS
    quarters = first.reshape(*_FIRST[:2], _QUARTERS, side, _QUARTERS, side).sum((0, 3, 5))
    return np.concatenate([quarters.ravel(), second.sum((0, 2, 3))])


def raw(picture: NDArray[np.uint8]) -> Ints:
    """Return the numbers of a picture before they are evened, shape (WIDTH,); see ``parts``."""
    return folded(parts(picture))


def evened(numbers: Array) -> NDArray[np.int16]:
    """Return the features of raw numbers.

    Args:
        numbers: Of ``raw``, shape (..., WIDTH).

    Returns:
        The same shape, within ±``LIMIT``.
    """
    held = table()
    moved = (numbers.astype(np.int64) - held.centre) * held.gain
    shown = (moved + (1 << (SHIFT - 1))) >> SHIFT
    return np.asarray(np.clip(shown, -LIMIT, LIMIT), dtype=np.int16)


def features(picture: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Return the integer features of a picture, shape (WIDTH,), within ±``LIMIT``.

    Args:
        picture: uint8, shape (rows, columns), as displayed.

    Raises:
        UnreadableInputError: When it is empty.
        SettingsError: When it is not such an array.
    """
    return evened(raw(picture))


def pulls(head: Head, row: int = 0) -> Array:
    """Return what one unit of each raw number adds to a score, shape (WIDTH,)."""
    unit = float(1 << (SCALE_BITS + SHIFT))
    return np.asarray(head.weights[row] * table().gain / unit)


@cache
def _spread(side: int) -> Array:
    """Return how ``side`` places share in the map's rows, by area: shape (CELLS, side)."""
    edges = np.arange(CELLS + 1)[:, None] * side
    starts = np.arange(side) * CELLS
    low, high = np.maximum(edges[:-1], starts), np.minimum(edges[1:], starts + CELLS)
    return np.asarray(np.maximum(high - low, 0) / CELLS)


def contributions(score: float, pulled: Array, numbers: Ints) -> tuple[Array, float]:
    """Return what each place gave to the score, and the bias; together they are the score.

    Places give by how far they are from an average picture; a place of a block that lies across
    cells of the map gives to each by the area in it. What the map cannot place (rounding to whole
    features, numbers cut off at their limit) is in the bias. A block sees beyond its places.

    Args:
        score: Of the picture.
        pulled: From ``pulls``.
        numbers: From ``parts``.

    Returns:
        Shape (CELLS, CELLS), rows of the picture from the top; and the bias.
    """
    held = table()
    cells = np.zeros((CELLS, CELLS))
    for block, which, quarters in zip(
        _blocks(numbers),
        (slice(None, _SPLIT), slice(_SPLIT, None)),
        (_QUARTERS, 1),
        strict=True,
    ):
        shape = (block.shape[1], quarters, quarters)
        side = block.shape[2] // quarters
        mean = held.centre[which].reshape(shape) / (2.0 * side * side)
        wide = [np.repeat(np.repeat(one.reshape(shape), side, 1), side, 2)
                for one in (pulled[which], mean)]  # fmt: skip
        straight, mirrored = (wide[0] * (block - wide[1])).sum(1)
        share = _spread(block.shape[2])
        cells += share @ (straight + mirrored[:, ::-1]) @ share.T
    return cells, score - float(cells.sum())


@cache
def tables_digest() -> str:
    """Return the SHA-256 of body and table, hex: one version has one."""
    whole = hashlib.sha256(f"{VERSION} {SHIFT} {net.digest()}".encode())
    for array in (table().centre, table().gain):
        whole.update(str(array.shape).encode() + array.astype("<i8").tobytes())
    return whole.hexdigest()
