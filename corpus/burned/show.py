"""Pictures as a viewer shows them, for other tools and for people: frames and contact sheets."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image as Picture
from PIL import ImageDraw
from pydicom.dataset import Dataset

from corpus.burned import truth
from corpus.burned.forms import decode

__all__ = ["display", "sheet"]

Bytes = NDArray[np.uint8]


def display(path: Path) -> Iterator[Bytes]:
    """Yield the frames of an object or photograph: uint8, (rows, columns) or with RGB."""
    if path.suffix != ".dcm":
        with Picture.open(path) as picture:
            yield np.asarray(picture.convert("RGB"))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ds = pydicom.dcmread(path)
        for frame in decode(ds):
            yield _shown(ds, frame)


def _shown(ds: Dataset, frame: NDArray[Any]) -> Bytes:
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        tables = [
            np.frombuffer(ds[f"{name}PaletteColorLookupTableData"].value, "<u2") >> 8
            for name in ("Red", "Green", "Blue")
        ]
        return np.asarray(np.stack(tables, -1)[frame], np.uint8)
    if frame.ndim == 3:
        return np.asarray(frame, np.uint8)
    values = frame.astype(np.float32)
    if "WindowCenter" in ds:
        middle = float(ds.WindowCenter) - float(ds.get("RescaleIntercept", 0))
        low, high = middle - float(ds.WindowWidth) / 2, middle + float(ds.WindowWidth) / 2
    elif ds.BitsStored == 8:
        low, high = 0.0, 255.0
    else:
        low, high = (float(v) for v in np.percentile(values, (0.5, 99.8)))
    shown = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        shown = 1 - shown
    return np.asarray(np.rint(shown * 255), np.uint8)


def sheet(
    folder: Path, out: Path, *, start: int = 0, count: int = 48, cell: int = 400, modality: str = ""
) -> None:
    """Write a contact sheet of a set, eight to a row; what is written on each stands above."""
    images = [one for one in truth.read(folder) if not modality or one.modality == modality]
    images = images[start : start + count]
    across = min(8, max(1, len(images)))
    rows = -(-len(images) // across)
    page = Picture.new("RGB", (across * cell, max(1, rows) * (cell + 14)), (60, 0, 60))
    draw = ImageDraw.Draw(page)
    for number, image in enumerate(images):
        small = Picture.fromarray(next(iter(display(folder / image.path)))).convert("RGB")
        small.thumbnail((cell - 4, cell - 4))
        x, y = number % across * cell, number // across * (cell + 14)
        page.paste(small, (x, y + 14))
        factors = sorted({factor for string in image.strings for factor in string.factors})
        label = f"{image.index} {image.modality} {image.form} {' '.join(factors)}"
        draw.text((x, y + 1), label.encode("ascii", "replace").decode(), fill=(255, 255, 0))
    page.save(out)
