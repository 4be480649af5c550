"""What a picture looks like, in 1,024 bits, so that copies of one image are counted once.

A difference hash: the picture is averaged onto 32 rows of 33 cells, and each bit says whether a
cell is clearly brighter than its left neighbour. Copies that were scaled, compressed, brightened or
windowed a little differ in a few bits. Pictures turned or mirrored count as others.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

__all__ = ["NEAR", "groups", "look"]

ROWS: Final = 32
COLUMNS: Final = 33
BITS: Final = 1024
NEAR: Final = 24  # bits of difference, at most, between copies; see docs/feedback.md for the choice
_LEAST_CONTRAST: Final = 2.0  # grey levels, of the averaged cells
_STEP: Final = 0.05  # of the contrast: noise on an even ground sets no bit
# Each takes bits from all over the picture: black borders alone make no band equal.
_BANDS: Final = tuple(
    sum(1 << bit for bit in range(start, BITS, NEAR + 1)) for start in range(NEAR + 1)
)


def look(picture: "np.ndarray[Any, Any]") -> int | None:
    """Return the look of a picture.

    Args:
        picture: uint8 (rows, columns), as displayed; any size of at least 1 x 1.

    Returns:
        1,024 bits as a number; None for a picture too even to tell apart from others.
    """
    import numpy as np  # noqa: PLC0415  # start-up cost

    cells = _means(_means(picture.astype(np.int64), ROWS).T, COLUMNS).T
    if float(cells.std()) < _LEAST_CONTRAST:
        return None
    step = float(cells.std()) * _STEP
    bits = (cells[:, 1:] > cells[:, :-1] + step).ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _means(values: "np.ndarray[Any, Any]", count: int) -> "np.ndarray[Any, Any]":
    """Return the means of ``count`` equal stretches of rows, shared rows by their parts."""
    import numpy as np  # noqa: PLC0415  # start-up cost

    rows = values.shape[0]
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=float)])
    edges = np.arange(count + 1) * rows / count
    whole = np.minimum(edges.astype(int), rows - 1)
    upto = sums[whole] + (edges - whole)[:, None] * (sums[whole + 1] - sums[whole])
    means: np.ndarray[Any, Any] = np.diff(upto, axis=0) * (count / rows)
    return means


def groups(cases: Mapping[str, tuple[str, int | None]]) -> dict[str, str]:
    """Return the first case of each case's group: the cases that show one image.

    What is near to what is near belongs together. The answer depends on nothing but the cases
    given, so that what remains after a withdrawal is grouped as if the others had never been.

    Args:
        cases: Digest and look of each case, by id, the first one first.
    """
    first = {case: case for case in cases}

    def leader(case: str) -> str:
        while first[case] != case:
            first[case] = first[first[case]]
            case = first[case]
        return case

    order = {case: place for place, case in enumerate(cases)}
    for one, other in _pairs(cases):
        a, b = leader(one), leader(other)
        if a != b:
            first[max(a, b, key=order.__getitem__)] = min(a, b, key=order.__getitem__)
    return {case: leader(case) for case in cases}


def _pairs(cases: Mapping[str, tuple[str, int | None]]) -> Iterator[tuple[str, str]]:
    """Yield pairs of equal digest or near look.

    Looks of at most ``NEAR`` differing bits agree in one of ``NEAR + 1`` bands (pigeonhole).
    """
    same: dict[str, str] = {}
    bands: dict[tuple[int, int], list[str]] = {}
    for case, (digest, seen) in cases.items():
        if digest in same:
            yield same[digest], case
            continue
        same[digest] = case
        if seen is None:
            continue
        met: set[str] = set()
        for number, band in enumerate(_BANDS):
            there = bands.setdefault((number, seen & band), [])
            for other in there:
                theirs = cases[other][1]
                if other in met or theirs is None:
                    continue
                met.add(other)
                if (seen ^ theirs).bit_count() <= NEAR:
                    yield other, case
            there.append(case)
