"""Why a score is what it is, in ways that are true by construction.

A linear head over numbers that belong to places adds up: the score is a bias plus what each place
of the picture gave. Painting a place over and reading again shows what the score was without it.
Nearest cases come from people who agreed to be shown, and from nobody when nobody did.
"""

from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from safelight.readers import features, makers
from safelight.readers.head import SCALE_BITS, Head
from safelight.readers.reading import Neighbour

__all__ = ["NOBODY", "Cases", "Nobody", "contributions", "pulls", "reread"]

REREAD: Final = 4  # rows and columns of places that are painted over

Array = NDArray[Any]
Picture = NDArray[np.uint8]


def pulls(head: Head, row: int = 0) -> Array:
    """Return what one unit of each raw number of the head's features adds to a score, shape (D,).

    Raises:
        SettingsError: When the head's features are none of this package.
    """
    return makers.of(head.features).pulls(head, row)


def contributions(
    score: float, pulled: Array, numbers: Array, version: str = features.VERSION
) -> tuple[Array, float]:
    """Return what each place gave to the score, and the bias; together they are the score.

    Places give by how far they are from an average picture. What the map cannot place (rounding to
    whole features, numbers cut off at their limit) is in the bias.

    Args:
        score: Of the picture.
        pulled: From ``pulls``.
        numbers: By place, from ``parts`` of the features.
        version: Of the features.

    Returns:
        Shape (CELLS, CELLS), rows of the picture from the top; and the bias.

    Raises:
        SettingsError: When these features are none of this package.
    """
    return makers.of(version).contributions(score, pulled, numbers)


def reread(head: Head, picture: Picture, row: int = 0) -> Array:
    """Return by how much the score falls when a place is painted over with the picture's mean.

    Args:
        head: Over features of this package.
        picture: Shape (rows, columns).
        row: Which of the head's scores.

    Returns:
        Shape (4, 4): above 0, the place spoke for the finding.

    Raises:
        SettingsError: When the head's features are none of this package.
    """
    whole = _score(head, picture, row)
    rows, columns = picture.shape
    fall = np.zeros((REREAD, REREAD))
    for y in range(REREAD):
        for x in range(REREAD):
            painted = picture.copy()
            painted[
                y * rows // REREAD : (y + 1) * rows // REREAD,
                x * columns // REREAD : (x + 1) * columns // REREAD,
            ] = int(picture.mean())
            fall[y, x] = whole - _score(head, painted, row)
    return fall


def _score(head: Head, picture: Picture, row: int) -> float:
    exact = head.exact(makers.of(head.features).features(picture))
    return float(exact[0, row]) / float(1 << SCALE_BITS)


class Cases(Protocol):
    """Cases whose owners agreed that they are shown beside others."""

    def nearest(self, z: NDArray[np.int16], reader: str, count: int) -> tuple[Neighbour, ...]:
        """Return the nearest cases of a reader; fewer, or none, when fewer consented."""
        ...


class Nobody:
    """No case at all: nobody has agreed yet."""

    def nearest(self, z: NDArray[np.int16], reader: str, count: int) -> tuple[Neighbour, ...]:
        """Return nothing."""
        del z, reader, count
        return ()


NOBODY: Final = Nobody()
