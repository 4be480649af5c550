"""Pictures to write on: real images without writing, where given, and anatomy-like made ones."""

import csv
import functools
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.data import get_testdata_file

from corpus.burned.clean import CLEAN, CROPS, FILES
from corpus.burned.forms import decode

__all__ = ["MADE", "Host", "Hosts"]

Floats = NDArray[np.float32]
Host = tuple[Floats, str]

# dataset → the modality it stands in for
_DATASETS = {
    "brain_mri": "MR",
    "spine_mri": "MR",
    "ct_slices": "CT",
    "head_ct": "CT",
    "tbx11k_tb": "CR",
    "nih_cxr": "DX",
    "mini_mias": "MG",
    "busi": "US",
    "dental": "DX",
    "retina": "SC",
}
# bundled files without writing: name, modality, (top, bottom, left, right) or None for all
_BUNDLED = (
    ("693_J2KI.dcm", "CT", None),
    ("CT_small.dcm", "CT", None),
    ("J2K_pixelrep_mismatch.dcm", "CT", None),
    ("MR_small.dcm", "MR", None),
    ("examples_overlay.dcm", "MR", None),
    ("JPEG2000.dcm", "NM", None),
    ("examples_rgb_color.dcm", "US", (72, 148, 48, 280)),
)


def _noise(g: np.random.Generator, rows: int, columns: int, cell: int, depth: float) -> Floats:
    small = g.normal(0, depth, (rows // cell + 2, columns // cell + 2)).astype(np.float32)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC), np.float32)


def _blob(
    picture: Floats,
    g: np.random.Generator,
    at: tuple[float, float],
    size: tuple[float, float],
    value: float,
    soft: float = 0.0,
) -> None:
    """Fill a wobbly ellipse; positions and sizes as shares of the picture."""
    rows, columns = picture.shape
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    wobble = 1 + sum(
        g.normal(0, 0.05 / k) * np.cos(k * turn + g.uniform(0, 6.3)) for k in (2, 3, 4)
    )
    x = (at[0] + size[0] * wobble * np.cos(turn)) * columns
    y = (at[1] + size[1] * wobble * np.sin(turn)) * rows
    mask = np.zeros(picture.shape, np.float32)
    cv2.fillPoly(mask, [np.stack([x, y], -1).round().astype(np.int32)], 1.0, lineType=cv2.LINE_AA)
    if soft:
        mask = cv2.GaussianBlur(mask, (0, 0), soft * columns)
    picture += mask * (value - picture)


def _ct(g: np.random.Generator, rows: int, columns: int) -> Floats:
    p = np.full((rows, columns), 0.02, np.float32)
    _blob(p, g, (0.5, 0.5), (0.40, 0.31), 0.28)
    _blob(p, g, (0.5, 0.5), (0.375, 0.285), 0.52)
    for _ in range(int(g.integers(6, 14))):
        at = (g.uniform(0.25, 0.75), g.uniform(0.32, 0.68))
        _blob(p, g, at, (g.uniform(0.02, 0.12), g.uniform(0.02, 0.1)), g.uniform(0.3, 0.75))
    _blob(p, g, (0.5, 0.68), (0.06, 0.05), 0.92)
    _blob(p, g, (0.5, 0.68), (0.03, 0.02), 0.6)
    for side in (-1, 1):
        for k in range(4):
            at = (0.5 + side * (0.24 + 0.035 * k), 0.35 + 0.08 * k)
            _blob(p, g, at, (0.012, 0.022), 0.95)
    cv2.ellipse(
        p, (columns // 2, int(rows * 0.72)), (int(columns * 0.46), int(rows * 0.15)), 0, 20, 160,
        0.35, max(1, columns // 200), cv2.LINE_AA,
    )  # fmt: skip
    return p + g.normal(0, 0.02, p.shape).astype(np.float32)


def _mr(g: np.random.Generator, rows: int, columns: int) -> Floats:
    p = np.full((rows, columns), 0.03, np.float32)
    _blob(p, g, (0.5, 0.5), (0.33, 0.40), 0.85)
    _blob(p, g, (0.5, 0.5), (0.30, 0.37), 0.12)
    _blob(p, g, (0.5, 0.5), (0.28, 0.35), 0.45)
    folds = np.abs(_noise(g, rows, columns, max(rows // 40, 2), 1.0))
    p = np.where((p > 0.4) & (p < 0.5), 0.35 + 0.25 * np.clip(folds, 0, 1), p).astype(np.float32)
    for side in (-1, 1):
        _blob(p, g, (0.5 + side * 0.05, 0.48), (0.03, 0.09), 0.1, 0.004)
    field = 1 + _noise(g, rows, columns, max(rows // 3, 2), 0.12)
    return p * field + np.abs(g.normal(0, 0.02, p.shape)).astype(np.float32)


def _chest(g: np.random.Generator, rows: int, columns: int) -> Floats:
    p = np.full((rows, columns), 0.06, np.float32)
    _blob(p, g, (0.5, 0.62), (0.44, 0.60), 0.72, 0.02)
    for side in (-1, 1):
        _blob(p, g, (0.5 + side * 0.20, 0.48), (0.13, 0.28), 0.22, 0.015)
    _blob(p, g, (0.5, 0.55), (0.05, 0.6), 0.8, 0.02)
    _blob(p, g, (0.56, 0.62), (0.13, 0.13), 0.8, 0.02)
    bones = np.zeros_like(p)
    for k in range(9):
        y = int((0.15 + 0.075 * k) * rows)
        for side in (-1, 1):
            axes = (int(0.2 * columns), int(0.09 * rows))
            centre = (int((0.5 + side * 0.2) * columns), y + int(0.06 * rows))
            cv2.ellipse(bones, centre, axes, side * 15, 190, 350, 1.0, max(2, columns // 60), 16)
    p += 0.10 * cv2.GaussianBlur(bones, (0, 0), columns / 200)
    p += _noise(g, rows, columns, max(rows // 30, 2), 0.02)
    return p + g.normal(0, 0.012, p.shape).astype(np.float32)


def _limb(g: np.random.Generator, rows: int, columns: int) -> Floats:
    p = np.full((rows, columns), 0.05, np.float32)
    lean, knee = g.uniform(-0.15, 0.15), g.uniform(0.4, 0.6)
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    x = np.linspace(0, 1, columns, dtype=np.float32)[None]
    axis = 0.5 + lean * (y - 0.5)
    flesh = 0.17 + 0.03 * np.cos(6 * y)
    p += 0.35 * np.clip((flesh - np.abs(x - axis)) * 40, 0, 1)
    width = 0.05 + 0.035 * np.exp(-(((y - knee) / 0.08) ** 2))
    bone = np.clip((width - np.abs(x - axis)) * 60, 0, 1)
    rim = np.exp(-(((np.abs(x - axis) - width) / 0.008) ** 2))
    gap = 1 - np.exp(-(((y - knee) / 0.008) ** 2))
    p += (0.25 * bone + 0.25 * rim) * gap
    p += _noise(g, rows, columns, max(rows // 100, 2), 0.015)
    return p + g.normal(0, 0.012, p.shape).astype(np.float32)


def _breast(g: np.random.Generator, rows: int, columns: int) -> Floats:
    p = np.full((rows, columns), 0.02, np.float32)
    _blob(p, g, (0.0, 0.5), (g.uniform(0.5, 0.75), 0.38), 0.45, 0.01)
    tissue = sum(
        _noise(g, rows, columns, max(rows // k, 2), 0.16 / k**0.5) for k in (5, 11, 23, 60)
    )
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    inner = np.exp(-(((x / columns - 0.2) / 0.28) ** 2 + ((y / rows - 0.5) / 0.24) ** 2))
    p += np.where(p > 0.2, tissue * (0.35 + inner), 0) * (p / 0.45)
    for _ in range(int(g.integers(3, 8))):
        at = (g.uniform(0.05, 0.4), g.uniform(0.3, 0.7))
        _blob(p, g, at, (g.uniform(0.03, 0.1),) * 2, g.uniform(0.5, 0.85), 0.02)
    if g.random() < 0.5:
        p = np.ascontiguousarray(p[:, ::-1])
    return p + np.abs(g.normal(0, 0.01, p.shape)).astype(np.float32)


def sector(g: np.random.Generator, rows: int, columns: int) -> Floats:
    """Return an ultrasound fan of speckle on black."""
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    x = np.linspace(-0.5, 0.5, columns, dtype=np.float32)[None] * columns / rows
    near, apex = g.uniform(0.04, 0.2), g.uniform(0.0, 0.3)
    radius = np.hypot(x, y + apex - 0.06)
    angle = np.abs(np.arctan2(x, y + apex - 0.06 + 1e-6))
    inside = (radius > apex + near) & (radius < 0.86 + apex) & (angle < g.uniform(0.5, 0.75))
    speckle = g.rayleigh(0.5, (rows, columns)).astype(np.float32)
    speckle = cv2.GaussianBlur(speckle, (0, 0), 1.1)
    field = np.clip(0.45 + _noise(g, rows, columns, max(rows // 6, 2), 0.18), 0.05, 1)
    for _ in range(int(g.integers(1, 4))):
        at = (g.uniform(0.35, 0.65), g.uniform(0.3, 0.7))
        _blob(field, g, at, (g.uniform(0.03, 0.1), g.uniform(0.03, 0.1)), 0.06, 0.004)
    return np.where(inside, speckle * field * 1.3, 0).astype(np.float32)


def _scan(g: np.random.Generator, rows: int, columns: int) -> Floats:
    p = np.full((rows, columns), 0.3, np.float32)
    for _ in range(int(g.integers(4, 9))):
        at = (g.uniform(0.3, 0.7), g.uniform(0.15, 0.85))
        _blob(p, g, at, (g.uniform(0.02, 0.15),) * 2, g.uniform(1, 12), 0.03)
    counts = g.poisson(p).astype(np.float32)
    soft = np.asarray(cv2.GaussianBlur(counts, (0, 0), 0.8), np.float32)
    return np.asarray(np.clip(soft / max(float(counts.max()), 1), 0, 1), np.float32)


def _vessels(g: np.random.Generator, rows: int, columns: int) -> Floats:
    p = 0.6 + _noise(g, rows, columns, max(rows // 4, 2), 0.08)
    for _ in range(int(g.integers(4, 9))):
        x, y, way = g.uniform(0.3, 0.7) * columns, g.uniform(0.1, 0.4) * rows, g.uniform(0.4, 2.7)
        width = g.uniform(3, 10) * columns / 512
        for _ in range(120):
            way += g.normal(0, 0.12)
            nx, ny = x + np.cos(way) * rows / 120, y + np.sin(way) * rows / 120
            cv2.line(p, (round(x), round(y)), (round(nx), round(ny)), 0.2, max(1, round(width)), 16)
            x, y, width = nx, ny, max(width * 0.985, 1)
    p = cv2.GaussianBlur(p, (0, 0), 1.0)
    if g.random() < 0.6:  # round field of the image intensifier
        mask = np.zeros_like(p)
        cv2.circle(mask, (columns // 2, rows // 2), min(rows, columns) // 2, 1.0, -1)
        p = np.where(mask > 0, p, 0.01).astype(np.float32)
    return p + g.normal(0, 0.02, p.shape).astype(np.float32)


def _screen(g: np.random.Generator, rows: int, columns: int) -> Floats:
    """Return a screen capture: a plain ground with frames, a bar and a pasted picture."""
    dark = g.random() < 0.6
    p = np.full((rows, columns), g.uniform(0, 0.15) if dark else g.uniform(0.8, 1), np.float32)
    bar = int(rows * g.uniform(0.03, 0.08))
    p[:bar] = g.uniform(0.2, 0.7)
    small = _ct(g, rows // 3, columns // 3) if g.random() < 0.5 else _mr(g, rows // 3, columns // 3)
    top, left = int(rows * g.uniform(0.5, 0.62)), int(columns * g.uniform(0.05, 0.6))
    p[top : top + small.shape[0], left : left + small.shape[1]] = small
    line = 0.4 if dark else 0.6
    for k in range(int(g.integers(0, 6))):
        y = int(rows * (0.12 + 0.07 * k))
        p[y, int(columns * 0.04) : int(columns * 0.9)] = line
    return p


MADE: dict[str, tuple[Callable[[np.random.Generator, int, int], Floats], ...]] = {
    "CT": (_ct,),
    "MR": (_mr,),
    "CR": (_chest, _limb),
    "DX": (_chest, _limb),
    "MG": (_breast,),
    "US": (sector,),
    "NM": (_scan,),
    "XA": (_vessels,),
    "SC": (_screen, _ct),
}


class Hosts:
    """Source of pictures without writing.

    Args:
        data: Folder with ``images/labels.csv`` and ``dicom/``; None for bundled and made ones only.
    """

    def __init__(self, data: Path | None) -> None:
        self._data = data
        self._real: dict[str, list[Path]] = {}
        if data is not None:
            with (data / "images" / "labels.csv").open(newline="") as file:
                for row in csv.DictReader(file):
                    self._add(row)

    def _add(self, row: dict[str, str]) -> None:
        name = row["dataset"]
        held = zlib.crc32(f"{name}|{row['group']}".encode()) % 5 == 0
        stem = row["image"].rsplit("/", 1)[-1].split(".")[0][:8]
        if held and name in _DATASETS and stem in CLEAN.get(name, ()) and self._data:
            folder = self._real.setdefault(_DATASETS[name], [])
            folder.append(self._data / "images" / row["image"])

    def names(self) -> dict[str, int]:
        """Return how many real images stand behind each modality, bundled ones aside."""
        return {modality: len(paths) for modality, paths in sorted(self._real.items())}

    def pick(self, rng: random.Random, modality: str, rows: int, columns: int) -> Host:
        """Return a picture (rows, columns[, 3]), 0 to 1, and where it came from."""
        g = np.random.default_rng(rng.getrandbits(64))
        real = self._real.get(modality, [])
        bundled = [one for one in (*_BUNDLED, *self._given()) if one[1] == modality]
        share = 0.3 if modality in {"SC", "DX"} else 0.7  # few of those: not the same ones forever
        if real and rng.random() < share:
            path = rng.choice(real)
            picture = _photo(path)
            source = f"{path.parent.name}/{path.stem}"
        elif bundled and rng.random() < 0.35:
            name, _, crop = rng.choice(bundled)
            picture, source = _object(name, crop, self._data), name
        else:
            maker = rng.choice(MADE[modality])
            return np.clip(maker(g, rows, columns), 0, 1), f"made:{maker.__name__.strip('_')}"
        picture = _fit(picture, rows, columns, g)
        return picture, source

    def _given(self) -> tuple[tuple[str, str, tuple[int, int, int, int] | None], ...]:
        return FILES if self._data is not None else ()


def _photo(path: Path) -> Floats:
    with Image.open(path) as image:
        rgb: Floats = np.asarray(image.convert("RGB"), np.float32) / np.float32(255)
    keep = path.parent.name == "retina"
    picture = rgb if keep else np.asarray(rgb.mean(-1), np.float32)
    top, bottom, left, right = CROPS.get(path.parent.name, (0.0, 1.0, 0.0, 1.0))
    rows, columns = picture.shape[:2]
    return picture[int(top * rows) : int(bottom * rows), int(left * columns) : int(right * columns)]


@functools.lru_cache(maxsize=16)
def _object(name: str, crop: tuple[int, int, int, int] | None, data: Path | None) -> Floats:
    path: Any = data / "dicom" / name if data and (data / "dicom" / name).exists() else None
    ds = pydicom.dcmread(path or get_testdata_file(name))
    array = next(iter(decode(ds))).astype(np.float32)
    if crop:
        array = array[crop[0] : crop[1], crop[2] : crop[3]]
    low, high = np.percentile(array, (0.5, 99.8))
    array = np.clip((array - low) / max(float(high - low), 1e-6), 0, 1)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        array = 1 - array
    return np.asarray(array, np.float32)


def _fit(picture: Floats, rows: int, columns: int, g: np.random.Generator) -> Floats:
    """Scale a real picture into the frame, on black where it does not fill it; varied a little."""
    if picture.ndim == 2 and g.random() < 0.3:
        picture = np.ascontiguousarray(picture[:, ::-1])
    scale = min(rows / picture.shape[0], columns / picture.shape[1])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    grown = cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    out = np.zeros((rows, columns, *picture.shape[2:]), np.float32)
    top, left = (rows - grown.shape[0]) // 2, (columns - grown.shape[1]) // 2
    out[top : top + grown.shape[0], left : left + grown.shape[1]] = grown
    out = out ** np.float32(g.uniform(0.85, 1.2)) if out.min() >= 0 else np.clip(out, 0, 1)
    return np.clip(out + g.normal(0, 0.006, out.shape), 0, 1).astype(np.float32)
