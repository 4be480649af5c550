"""Pictures for the demo of learning: chests with lungs, ribs and a heart, some with an opacity."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Picture", "pictures"]

SIZE = 160


@dataclass(frozen=True)
class Picture:
    """One picture, and whether there is an opacity in it."""

    pixels: NDArray[np.uint8]
    has_it: bool


def _blob(x: float, y: float, width: float, height: float) -> NDArray[np.float64]:
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    return np.asarray(np.exp(-(((columns - x) / width) ** 2) - ((rows - y) / height) ** 2))


def _chest(chance: np.random.Generator) -> NDArray[np.float64]:
    """Return a chest, bright where much is in the way: 0 to about 1."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    tilt = chance.normal(0, 0.02)
    body = 0.75 * _blob(0.5 + tilt, 0.5, 0.55, 0.8)
    for side in (0.3, 0.7):
        body -= 0.5 * _blob(side + tilt, 0.47, 0.16, 0.3) * chance.normal(1, 0.08)
    body += 0.25 * _blob(0.55 + tilt, 0.6, 0.12, 0.15)
    gap = chance.uniform(0.075, 0.09)
    arcs = rows + 0.35 * (columns - 0.5 - tilt) ** 2
    ribs = np.sin(2 * np.pi * (arcs + chance.uniform(0, 1)) / gap) > 0.5
    return np.asarray(body + 0.06 * ribs * (np.abs(columns - 0.5) > 0.08))


def pictures(count: int, seed: int) -> list[Picture]:
    """Return that many pictures, about half of them with an opacity."""
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        chest, has_it = _chest(chance), bool(chance.random() < 0.5)
        if has_it:
            side, low = chance.choice([0.3, 0.7]), chance.uniform(0.35, 0.65)
            size = chance.uniform(0.05, 0.09)
            chest += chance.uniform(0.2, 0.35) * _blob(side, low, size, size * 1.2)
        chest += chance.normal(0, 0.03, chest.shape)
        made.append(Picture(np.clip(30 + 200 * chest, 0, 255).astype(np.uint8), has_it))
    return made
