"""Public images of open terms, cropped, turned and mirrored: what fixed parts are made from."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

OPEN = frozenset({"A", "A-SA"})  # CC0, CC BY, CC BY-SA and the like; nothing for research only

Picture = NDArray[np.uint8]


def table(data: Path) -> list[dict[str, str]]:
    """Return the rows of the image folder's table."""
    with (data / "images" / "labels.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def grey(path: Path) -> Picture:
    """Return an image file as grey levels."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def _varied(picture: Picture, rng: np.random.Generator) -> Picture:
    """Return a part of a picture, turned and mirrored by chance."""
    share = rng.uniform(0.5, 1.0)
    rows, columns = (max(8, int(size * share)) for size in picture.shape)
    top = int(rng.integers(0, picture.shape[0] - rows + 1)) if picture.shape[0] > rows else 0
    left = int(rng.integers(0, picture.shape[1] - columns + 1)) if picture.shape[1] > columns else 0
    part: Any = picture[top : top + rows, left : left + columns]
    part = np.rot90(part, int(rng.integers(0, 4)))
    return np.ascontiguousarray(part[:, ::-1] if rng.random() < 0.5 else part)


def pictures(data: Path, rng: np.random.Generator, count: int) -> Iterator[Picture]:
    """Yield pictures of open terms, as many of each source as of any other; half of them varied.

    Args:
        data: Folder that holds ``images`` and ``pneumoniamnist``.
        rng: Draws them.
        count: How many.
    """
    by_source: dict[str, list[Path]] = defaultdict(list)
    for row in table(data):
        if row["tier"] in OPEN:
            by_source[f"{row['dataset']} {row['body_part']}"].append(data / "images" / row["image"])
    with np.load(data / "pneumoniamnist" / "pneumoniamnist.npz", allow_pickle=False) as held:
        small = held["train_images"]
    sources = sorted(by_source)
    for number in range(count):
        place = int(rng.integers(0, len(sources) + 1))
        if place == len(sources):
            picture = small[int(rng.integers(0, len(small)))]
        else:
            paths = by_source[sources[place]]
            picture = grey(paths[int(rng.integers(0, len(paths)))])
        yield _varied(picture, rng) if number % 2 else picture
