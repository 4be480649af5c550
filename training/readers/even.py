"""Make the table that evens what the pretrained body answers, from public images of open terms.

``python -m training.readers.even --data DIR`` writes ``body-1-even.npz`` into the package: middle
and spread of each number over such images. Labels play no part, and no image that a reader on these
features is measured on is among them.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.readers import body
from training.readers.open_images import pictures

COUNT = 1200
SPREAD = 256  # of an evened number

Array = NDArray[Any]
DATA = Path(body.__file__).parent / "data"


def even(raws: Array) -> tuple[Array, Array]:
    """Return centre and gain (in 2**-SHIFT) of raw numbers, shape (n, WIDTH)."""
    spread = raws.std(axis=0)
    gain = np.where(spread > 0.5, (SPREAD << body.SHIFT) / np.maximum(spread, 0.5), 0)
    return np.rint(raws.mean(axis=0)).astype(np.int64), np.rint(gain).astype(np.int64)


def main() -> None:
    """Make the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--count", type=int, default=COUNT)
    given = parser.parse_args()
    rng = np.random.default_rng(given.seed)
    raws = np.stack([body.raw(one) for one in pictures(given.data, rng, given.count)])
    centre, gain = even(raws.astype(np.float64))
    path = DATA / f"{body.VERSION}-even.npz"
    np.savez_compressed(path, centre=centre.astype(np.int32), gain=gain.astype(np.int32))
    print(f"{path.name}: {len(centre)} numbers from {len(raws)} pictures")


if __name__ == "__main__":
    main()
