"""Backgrounds to write on: real images by their split, and drawn ones of every modality."""

import csv
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.burned import drawn

__all__ = ["Host", "Hosts", "load_plain", "load_real"]

Map = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A real image and what is written in it already.

    Attributes:
        name: Path below the image folder.
        dataset: Where it is from.
        grey: Shape (rows, columns), 0 to 255.
        written: 255 where writing was there already, which is neither learnt nor unlearnt.
    """

    name: str
    dataset: str
    grey: NDArray[np.uint8]
    written: NDArray[np.uint8]


def load_real(
    data: Path, *, tiers: Sequence[str] = ("A",), written: Path | None = None, most: int = 10**6
) -> list[Host]:
    """Return the real hosts of the training side of the split (crc32 of dataset|group, % 5 != 0).

    Args:
        data: The folder that holds ``images/labels.csv``.
        tiers: Terms of use wanted; weights that ship are trained on ``A`` alone.
        written: Table ``image,x,y,w,h`` of writing that the images hold already.
        most: At most this many of each dataset.
    """
    boxes: dict[str, list[tuple[int, int, int, int]]] = {}
    if written is not None and written.exists():
        with written.open(encoding="utf-8", newline="") as opened:
            for row in csv.DictReader(opened):
                box = (int(row["x"]), int(row["y"]), int(row["w"]), int(row["h"]))
                boxes.setdefault(row["image"], []).append(box)
    hosts: list[Host] = []
    seen: dict[str, int] = {}
    with (data / "images" / "labels.csv").open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            place = zlib.crc32(f"{row['dataset']}|{row['group']}".encode())
            if place % 5 == 0 or row["tier"] not in tiers:
                continue
            if seen.get(row["dataset"], 0) >= most:
                continue
            grey = cv2.imread(str(data / "images" / row["image"]), cv2.IMREAD_GRAYSCALE)
            if grey is None:
                continue
            seen[row["dataset"]] = seen.get(row["dataset"], 0) + 1
            mask = np.zeros_like(grey)
            for x, y, w, h in boxes.get(row["image"], ()):
                mask[max(y, 0) : y + h, max(x, 0) : x + w] = 255
            hosts.append(Host(name=row["image"], dataset=row["dataset"], grey=grey, written=mask))
    return hosts


def load_plain(folder: Path) -> list[Host]:
    """Return the images (PNG) of a folder that hold no writing, as hosts of one dataset."""
    greys = ((path.name, cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)) for path in _pngs(folder))
    return [
        Host(name=name, dataset="plain", grey=grey, written=np.zeros_like(grey))
        for name, grey in greys
        if grey is not None
    ]


def _pngs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.png"))


class Hosts:
    """Deals out square backgrounds.

    Args:
        real: Real hosts; datasets are dealt evenly in the square root of their size.
        volumes: Folder with ``.npy`` volumes (k, j, i), optional.
    """

    def __init__(self, real: Sequence[Host], volumes: Path | None = None) -> None:
        self.real = list(real)
        count: dict[str, int] = {}
        for host in self.real:
            count[host.dataset] = count.get(host.dataset, 0) + 1
        weight = np.array([count[host.dataset] ** -0.5 for host in self.real], np.float64)
        self._weight = weight / weight.sum() if len(weight) else weight
        found = sorted(volumes.glob("*.npy")) if volumes else []
        self.volumes = [np.load(path) for path in found]

    def deal(self, rng: np.random.Generator, size: int) -> tuple[Map, NDArray[np.uint8]]:
        """Return a background (size, size) from 0 to 255 and what is written in it already."""
        kind = rng.random()
        empty = np.zeros((size, size), np.uint8)
        if self.volumes and kind < 0.08:
            return _slice(rng, self.volumes[rng.integers(len(self.volumes))], size), empty
        if self.real and kind < 0.5:
            grey, written = _piece(rng, self._one(rng), size)
            mixed = rng.random()
            if mixed < 0.2:
                return _drawn_out(rng, grey), written
            if mixed < 0.35:
                other, more = _piece(rng, self._one(rng), size)
                return _mixed(rng, grey, other), np.maximum(written, more)
            return grey, written
        makers: Sequence[Callable[[np.random.Generator, int], Map]] = drawn.MAKERS
        return makers[rng.choice(len(makers), p=drawn.SHARES)](rng, size), empty

    def _one(self, rng: np.random.Generator) -> Host:
        return self.real[rng.choice(len(self.real), p=self._weight)]


def _drawn_out(rng: np.random.Generator, grey: Map) -> Map:
    """Return the piece with its local contrast drawn out, as processed radiographs have it."""
    tiles = int(rng.choice([2, 4, 8, 16]))
    local = cv2.createCLAHE(float(rng.uniform(1.5, 8)), (tiles, tiles))
    return np.asarray(local.apply(grey.astype(np.uint8)), np.float32)


def _mixed(rng: np.random.Generator, one: Map, other: Map) -> Map:
    """Return a dense picture of two: laid over each other or one behind the other's structure."""
    other = np.rot90(other, int(rng.integers(4)))
    kind = int(rng.integers(4))
    if kind == 0:
        return np.maximum(one, other)
    if kind == 1:
        return np.minimum(one, other)
    if kind == 2:
        return np.asarray((one + other) / 2, np.float32)
    return np.asarray(one * (0.3 + 0.7 * other / 255), np.float32)


def _piece(rng: np.random.Generator, host: Host, size: int) -> tuple[Map, NDArray[np.uint8]]:
    """Return a piece of a real image at a zoom from 0.7 to 5, with grain of its own."""
    zoom = float(np.exp(rng.uniform(np.log(0.7), np.log(5.0))))
    want = max(16, round(size / zoom))
    grey, written = host.grey, host.written
    rows, columns = grey.shape
    # A third of the pieces may reach beyond the edge of the image, where a frame's border lies.
    slack = want // 3 if rng.random() < 0.35 else 0
    pad = max(slack, want - min(rows, columns), 0)
    if pad:
        grey = cv2.copyMakeBorder(grey, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
        written = cv2.copyMakeBorder(written, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    y = int(rng.integers(0, grey.shape[0] - want + 1))
    x = int(rng.integers(0, grey.shape[1] - want + 1))
    how = cv2.INTER_AREA if zoom < 1 else (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(2)]
    cut = grey[y : y + want, x : x + want].astype(np.float32)
    out = cv2.resize(cut, (size, size), interpolation=how).clip(0, 255)
    inked = cv2.resize(written[y : y + want, x : x + want], (size, size))
    if rng.random() < 0.5:
        grain = rng.normal(0, rng.uniform(0.5, 6), out.shape).astype(np.float32)
        out = out + (cv2.GaussianBlur(grain, (0, 0), rng.uniform(0.4, 1.2)) * 2)
    if zoom > 1.5 and rng.random() < 0.4:
        soft = cv2.GaussianBlur(out, (0, 0), zoom)
        out = out + (out - soft) * rng.uniform(0.3, 1.5)
    return np.asarray(out.clip(0, 255), np.float32), (inked > 0).astype(np.uint8) * 255


def _slice(rng: np.random.Generator, volume: Map, size: int) -> Map:
    axis = int(rng.integers(3))
    index = int(volume.shape[axis] * rng.uniform(0.15, 0.85))
    plane = np.take(volume, index, axis=axis).astype(np.float32)
    plane = np.rot90(plane, int(rng.integers(4)))
    plane = plane * (255.0 / max(float(np.percentile(plane, 99.7)), 1.0))
    host = Host(
        name="",
        dataset="volume",
        grey=plane.clip(0, 255).astype(np.uint8),
        written=np.zeros(plane.shape, np.uint8),
    )
    return _piece(rng, host, size)[0]
