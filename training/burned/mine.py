"""Keep the crops an early model gets wrong: ink it invents, ink it misses; train on them too."""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.deid.burned.segment import Segmenter
from training.burned.compose import BACKGROUND, WRITTEN, compose, compose_halved
from training.burned.crops import SIZE
from training.burned.hosts import Hosts, load_plain, load_real

__all__ = ["is_hard", "mine"]


def is_hard(found: NDArray[np.float32], target: NDArray[np.uint8]) -> bool:
    """Tell whether the model claims 12 pixels of background or misses a tenth of the ink."""
    ink = target == WRITTEN
    missed = float((found[ink] < 0.4).mean()) if ink.sum() > 20 else 0.0
    return int((found[target == BACKGROUND] > 0.4).sum()) >= 12 or missed > 0.1


def mine(
    out: Path, hosts: Hosts, model: Segmenter, *, tries: int, most: int, seed: int, written: float
) -> None:
    """Fill ``out`` with up to ``most`` hard crops of ``tries``; goes on where it stopped."""
    out.mkdir(parents=True, exist_ok=True)
    fresh = not (out / "grey.npy").exists()
    mode, shape = ("w+", (most, SIZE, SIZE)) if fresh else ("r+", None)
    grey = np.lib.format.open_memmap(out / "grey.npy", mode, np.uint8, shape)
    target = np.lib.format.open_memmap(out / "target.npy", mode, np.uint8, shape)
    kept = 0 if fresh else int((out / "made.txt").read_text())
    for i in range(tries):
        if kept >= len(grey):
            break
        maker = compose_halved if i % 10 == 9 else compose
        crop = maker(np.random.default_rng((seed, i)), hosts, SIZE, written=written)
        if not is_hard(model.probability(crop.grey), crop.target):
            continue
        grey[kept], target[kept] = crop.grey, crop.target
        kept += 1
        (out / "made.new").write_text(str(kept))
        (out / "made.new").replace(out / "made.txt")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--volumes", type=Path, help="folder of .npy volumes (k, j, i)")
    parser.add_argument("--plain", type=Path, help="folder of further .png without writing")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--tries", type=int, default=40000)
    parser.add_argument("--most", type=int, default=12000)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--written", type=float, default=0.3)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    real = load_real(given.data, written=Path(__file__).with_name("written.csv"))
    real += load_plain(given.plain) if given.plain else []
    mine(
        given.out,
        Hosts(real, given.volumes),
        Segmenter.load(given.model.read_bytes()),
        tries=given.tries,
        most=given.most,
        seed=given.seed,
        written=given.written,
    )


if __name__ == "__main__":
    main()
