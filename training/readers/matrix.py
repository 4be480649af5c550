"""Make the matrix that takes raw numbers to features, from public images of open terms.

``python -m training.readers.matrix --data DIR`` writes ``grid-1-even.npz`` and
``grid-1-matrix-*.npz`` into the package: the directions in which such images differ most, rounded
to whole numbers. Labels play no part.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from safelight.readers import features
from training.readers.open_images import pictures

COUNT = 2400
WIDTH = 1024
SPREAD = 256  # of an evened number
LEAST = 50  # spread of the last feature; others go with the square root of theirs
PIECE = 2_400_000  # bytes of the matrix a file

Array = NDArray[Any]
DATA = Path(features.__file__).parent / "data"


def even(raws: Array) -> tuple[Array, Array]:
    """Return centre and gain (in 1/256) of raw numbers, shape (n, D)."""
    centre = np.rint(raws.mean(axis=0))
    spread = raws.std(axis=0)
    gain = np.where(spread > 0.5, SPREAD * 256 / np.maximum(spread, 0.5), 0)
    return centre.astype(np.int64), np.rint(np.minimum(gain, 1 << 17)).astype(np.int64)


def directions(rows: Array, width: int, weights: Array) -> Array:
    """Return the directions rows differ most in, shape (D, width), weighed by kind of number."""
    near = (rows - rows.mean(axis=0)) * weights
    values, vectors = linalg.eigh(near @ near.T, subset_by_index=(len(near) - width, len(near) - 1))
    found = near.T @ (vectors[:, ::-1] / np.sqrt(values[::-1]))
    return np.asarray(found * weights[:, None])


def block_weights() -> Array:
    """Return a weight for each raw number, so that each kind of number counts the same."""
    layout = features.layout()
    kinds = features.kinds()[layout.first]
    made = np.zeros(len(kinds))
    for kind in np.unique(kinds):
        made[kinds == kind] = 1 / np.sqrt((kinds == kind).sum())
    return np.asarray(made * np.sqrt(len(kinds) / len(np.unique(kinds))))


def main() -> None:
    """Make the matrix and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--count", type=int, default=COUNT)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    raws = np.stack([features.raw(one) for one in pictures(given.data, rng, given.count)])
    write(raws, WIDTH)


def write(raws: Array, width: int) -> None:
    """Write what raw numbers of many pictures give, shape (n, D)."""
    centre, gain = even(raws.astype(np.float64))
    rows = np.clip(((raws - centre) * gain + 128) >> 8, -features.LIMIT, features.LIMIT)
    found = directions(rows.astype(np.float64), width, block_weights())
    whole = np.rint(found / np.abs(found).max(axis=0) * 127).astype(np.int8)
    shown = rows.astype(np.float64) @ whole
    spread = (rows.astype(np.float64) @ found).std(axis=0)
    wanted = LEAST * np.sqrt(spread / spread[-1])
    scale = np.rint((1 << features.SCALE_BITS) * wanted / shown.std(axis=0)).astype(np.int64)
    step = PIECE // width
    pieces = [whole[start : start + step] for start in range(0, len(whole), step)]
    np.savez_compressed(
        DATA / f"{features.VERSION}-even.npz",
        centre=centre.astype(np.int32),
        gain=gain.astype(np.int32),
        scale=scale,
        parts=len(pieces),
    )
    for number, piece in enumerate(pieces):
        np.savez_compressed(DATA / f"{features.VERSION}-matrix-{number}.npz", matrix=piece)
    print(f"{whole.shape[0]} numbers to {whole.shape[1]} features, {len(pieces)} files")


if __name__ == "__main__":
    main()
