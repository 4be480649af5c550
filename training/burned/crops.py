"""Make the crops of training: ``grey.npy`` and ``target.npy``, memory-mapped, one seed a run."""

import argparse
from pathlib import Path
from typing import get_args

import cv2
import numpy as np

from training.burned.compose import Lean, compose, compose_halved
from training.burned.hosts import Hosts, load_plain, load_real

__all__ = ["make"]

SIZE = 192


def make(
    out: Path, hosts: Hosts, count: int, seed: int, *, written: float = 0.66, lean: Lean = "any"
) -> None:
    """Write ``count`` crops of 192 x 192; crop i depends on the seed and i alone.

    ``made.txt`` holds how many are ready, so that training can start on the first of them.
    """
    out.mkdir(parents=True, exist_ok=True)
    shape = (count, SIZE, SIZE)
    grey = np.lib.format.open_memmap(out / "grey.npy", "w+", np.uint8, shape)
    target = np.lib.format.open_memmap(out / "target.npy", "w+", np.uint8, shape)
    for i in range(count):
        maker = compose_halved if i % 8 == 7 else compose
        crop = maker(np.random.default_rng((seed, i)), hosts, SIZE, written=written, lean=lean)
        grey[i], target[i] = crop.grey, crop.target
        if i % 200 == 199 or i == count - 1:
            (out / "made.new").write_text(str(i + 1))
            (out / "made.new").replace(out / "made.txt")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--volumes", type=Path, help="folder of .npy volumes (k, j, i)")
    parser.add_argument("--plain", type=Path, help="folder of further .png without writing")
    parser.add_argument("--count", type=int, default=60000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--written", type=float, default=0.66)
    parser.add_argument("--lean", choices=get_args(Lean), default="any")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    real = load_real(given.data, written=Path(__file__).with_name("written.csv"))
    real += load_plain(given.plain) if given.plain else []
    hosts = Hosts(real, given.volumes)
    make(given.out, hosts, given.count, given.seed, written=given.written, lean=given.lean)


if __name__ == "__main__":
    main()
