"""Make the bank of small filters from public images of open terms.

``python -m training.readers.bank --data DIR`` writes ``grid-1-bank.npz`` into the package. Filters
are centres of whitened patches (Coates, Lee, Ng 2011), rounded to whole numbers; each is there with
its mirror image.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.readers import features, filters
from training.readers.open_images import pictures

SIZE = 7
FILTERS = 64  # of each size, before mirroring
PATCHES = 60  # of each picture and size
ROUNDS = 15
QUIET = 0.7  # share of patches that a filter does not answer

Array = NDArray[Any]
DATA = Path(features.__file__).parent / "data"


def centres(rows: Array, count: int, rng: np.random.Generator) -> Array:
    """Return filters whose answers to the rows differ: whitened, by spherical k-means.

    Args:
        rows: Evened patches, shape (n, SIZE * SIZE).
        count: How many.
        rng: Draws the first centres.
    """
    values, vectors = np.linalg.eigh(np.cov(rows.T))
    white = vectors @ np.diag(1 / np.sqrt(values + 0.05 * values.mean())) @ vectors.T
    shown = rows @ white
    shown /= np.linalg.norm(shown, axis=1, keepdims=True) + 1e-9
    found = shown[rng.permutation(len(shown))[:count]]
    for _ in range(ROUNDS):
        near = shown @ found.T
        best = np.abs(near).argmax(axis=1)
        sign = np.sign(near[np.arange(len(shown)), best])
        sums = np.zeros_like(found)
        np.add.at(sums, best, shown * sign[:, None])
        length = np.linalg.norm(sums, axis=1)
        empty = length < 1e-6
        sums[empty] = shown[rng.permutation(len(shown))[: int(empty.sum())]]
        length[empty] = 1
        found = sums / length[:, None]
    made = found @ white.T
    return np.asarray(np.rint(made / np.abs(made).max(axis=1, keepdims=True) * 63))


def main() -> None:
    """Make the bank and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    patches: list[list[Array]] = [[], [], []]
    for picture in pictures(given.data, rng, 900):
        levels = filters.spread(filters.canvas(picture, features.SIDE))
        for size in range(3):
            levels = filters.halve(levels)
            rows, _side = filters.flattened(levels, SIZE)
            patches[size].append(rows[rng.permutation(len(rows))[:PATCHES]])
    banks, least = [], []
    for held in patches:
        rows = np.concatenate(held).astype(np.float64)
        rows = np.concatenate([rows, rows.reshape(-1, SIZE, SIZE)[:, :, ::-1].reshape(-1, SIZE**2)])
        one = centres(rows, FILTERS, rng)
        other = one.reshape(-1, SIZE, SIZE)[:, :, ::-1].reshape(-1, SIZE**2)
        both = np.concatenate([one, other])
        # Both of a pair get the same level, so that mirroring stays exact.
        quiet = np.rint(np.quantile(np.abs(rows @ one.T), QUIET, axis=0))
        banks.append(both.astype(np.int8))
        least.append(np.concatenate([quiet, quiet]).astype(np.int32))
    DATA.mkdir(exist_ok=True)
    np.savez_compressed(
        DATA / f"{features.VERSION}-bank.npz", banks=np.stack(banks), least=np.stack(least)
    )
    print(f"{len(banks)} sizes, {len(banks[0])} filters each")


if __name__ == "__main__":
    main()
