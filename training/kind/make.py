"""Train the kind reader and write its file: ``python -m training.kind.make --data DIR``.

    python -m training.kind.make --data DIR            the reader that is shipped
    python -m training.kind.make --data DIR --fold A   one with sources and kinds held out

Torch runs here alone. One thread and one seed: the same machine and versions give the same file.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.readers.kind.shrink import reduced
from training.kind.fit import Pool, fit, seen_as
from training.kind.heads import reader_of
from training.kind.images import Item, read, squeezed
from training.kind.split import FOLDS, SHIPPED
from training.kind.whole import in_whole_numbers

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1] / "src" / "safelight" / "readers" / "kind" / "data"
STEPS = {"Z": 1000, "A": 550, "B": 550, "C": 550}
_SCALED_ON = 400  # pictures that activations are scaled on


def main() -> None:
    """Train, scale, find examples and thresholds, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with images/labels.csv")
    parser.add_argument("--fold", default=SHIPPED.name, choices=sorted(STEPS))
    given = parser.parse_args()
    fold = next(each for each in (SHIPPED, *FOLDS) if each.name == given.fold)
    cv2.setNumThreads(1)
    items = list(read(given.data))
    pictures = squeezed(given.data, items)
    chosen = [n for n, item in enumerate(items) if fold.learns(item)]
    pool = Pool.of(pictures, items, chosen)
    trained = fit(pool, steps=STEPS[fold.name], seed=1)
    some = np.random.default_rng(0).choice(chosen, _SCALED_ON, replace=False)
    planes = np.stack([seen_as(reduced(pictures[n])) for n in some])
    net = in_whole_numbers(trained, planes)
    reader = reader_of(net, Pool.of(pictures, items, chosen), seed=2)
    shipped = fold is SHIPPED
    out = PACKAGE / "kinds.npz" if shipped else HERE / "folds" / f"{fold.name}.npz"
    np.savez_compressed(out, allow_pickle=False, **reader.to_arrays())
    if shipped:
        (PACKAGE / "chest.bin").write_bytes(_chest_pattern(pictures, items))
    print(f"{out.name}: {out.stat().st_size} bytes")  # a command's output


def _chest_pattern(pictures: NDArray[np.uint8], items: list[Item]) -> bytes:
    """Return the mean of upright chest films, mirrored onto itself, int8, shape (32, 32)."""
    rng = np.random.default_rng(0)
    total = np.zeros((32, 32))
    for source in ("nih_cxr", "mednist CXR", "tbx11k_tb"):
        numbers = [n for n, item in enumerate(items) if item.source == source]
        for n in rng.choice(numbers, 150, replace=False):
            small = reduced(pictures[n][:, :, :1], 32)[:, :, 0].astype(np.float64)
            total += (small - small.mean()) / small.std()
    total += total[:, ::-1].copy()
    return bytes(np.rint(total / np.abs(total).max() * 127).astype(np.int8).tobytes())


if __name__ == "__main__":
    main()
