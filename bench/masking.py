"""Time masking: JPEG in the compressed domain, native frames and lossless syntaxes.

Run: ``python bench/masking.py``. Prints a table of CPU seconds of this process; what the guarded
decoder takes in its own process is not in it, so wall time stands beside it.
"""

import io
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.pixels.jpegmask import mask_jpeg
from safelight.deid.pixels.photos import mask_photo
from safelight.types import Kind

SIDE = 2048
BOXES = (Box(30, 20, 470, 40), Box(1500, 1900, 500, 50))
REGIONS = [Region(boxes=BOXES, verdict=Verdict.MASK, rule="text")]


def picture(samples: int) -> NDArray[np.uint8]:
    """Return slopes with noise, like a radiograph or a photo of one."""
    random = np.random.default_rng(1)
    shape = (SIDE, SIDE) if samples == 1 else (SIDE, SIDE, samples)
    slopes = np.cumsum(np.cumsum(random.normal(size=shape), 0), 1)
    slopes = (slopes - slopes.min()) / np.ptp(slopes) * 255
    noisy = slopes + random.normal(size=shape) * 12
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def saved(form: str, samples: int, **options: Any) -> bytes:
    """Return the picture in a format."""
    out = io.BytesIO()
    Image.fromarray(picture(samples)).save(out, form, **options)
    return out.getvalue()


def timed(name: str, size: int, work: Callable[[], object]) -> None:
    """Run once and print what it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{name:34} {size / 1e6:6.1f} MB  {cpu:6.2f} s CPU  {wall:6.2f} s")


def main() -> None:
    """Print the table."""
    mask = np.zeros((SIDE, SIDE), np.bool_)
    for box in BOXES:
        mask[box.y : box.y + box.h, box.x : box.x + box.w] = True
    for name, samples, options in (
        ("JPEG grey, quality 90", 1, {"quality": 90}),
        ("JPEG colour 4:2:0, quality 90", 3, {"quality": 90}),
        ("JPEG colour, progressive", 3, {"quality": 90, "progressive": True}),
    ):
        data = saved("JPEG", samples, **options)
        timed(name, len(data), lambda data=data: mask_jpeg(data, mask))  # type: ignore[misc] # bound now
    for kind in (Kind.PNG, Kind.BMP, Kind.TIFF, Kind.GIF, Kind.WEBP):
        data = saved(kind.value.upper(), 3 if kind is not Kind.GIF else 1)
        work = lambda kind=kind, data=data: mask_photo(kind, data, REGIONS)  # noqa: E731  # bound now
        timed(f"{kind.value.upper()} photo", len(data), work)


if __name__ == "__main__":
    main()
