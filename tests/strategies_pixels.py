"""Strategies for masks: regions over frames of any size, shapes, images in every syntax."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from safelight.deid.boxes import Box, Region, Verdict
from safelight.dicomio.codecs import PixelFormat

__all__ = ["NATIVE", "SYNTAXES", "forms", "frames_of", "regions", "shapes"]

J = "1.2.840.10008.1.2.4."
NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2")
SYNTAXES = (
    *NATIVE,
    "1.2.840.10008.1.2.1.98",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.8.1",
    *(J + last for last in ("57", "70", "80", "81", "90", "91", "201", "203", "110")),
)


@st.composite
def regions(draw: st.DrawFn, rows: int, columns: int, frames: int) -> list[Region]:
    """Draw up to three regions; boxes may reach over the edge."""
    found = []
    for _ in range(draw(st.integers(1, 3))):
        box = Box(
            draw(st.integers(-4, columns - 1)),
            draw(st.integers(-4, rows - 1)),
            draw(st.integers(1, columns + 4)),
            draw(st.integers(1, rows + 4)),
        )
        some = draw(st.lists(st.integers(0, frames - 1), unique=True, max_size=frames))
        verdict = draw(st.sampled_from((Verdict.MASK, Verdict.MASK, Verdict.MASK, Verdict.KEEP)))
        found.append(Region(boxes=(box,), verdict=verdict, rule="text", frames=some))
    return found


@st.composite
def shapes(draw: st.DrawFn, rows: int, columns: int, frames: int) -> dict[int, NDArray[Any]]:
    """Draw a mask of any form for some frames."""
    numbers = draw(st.lists(st.integers(0, frames - 1), unique=True, max_size=2))
    seed = draw(st.integers(0, 1 << 30))
    random = np.random.default_rng(seed)
    return {number: random.random((rows, columns)) < 0.2 for number in numbers}


@st.composite
def forms(draw: st.DrawFn, syntax: str) -> PixelFormat:
    """Draw what a header says of pixels that this syntax can hold."""
    native = syntax in NATIVE
    colour = draw(st.booleans())
    allocated = 8 if colour else draw(st.sampled_from((8, 16)))
    stored = allocated if colour else draw(st.integers(max(allocated - 6, 6), allocated))
    if native and not colour:
        allocated = draw(st.sampled_from((1, allocated, 32)))
        stored = allocated if allocated in (1, 32) else stored
    photometrics = ("RGB", "YBR_FULL") if colour else ("MONOCHROME1", "MONOCHROME2")
    if native and colour:
        photometrics += ("YBR_FULL_422",)
    photometric = draw(st.sampled_from(photometrics))
    half = photometric.endswith("_422")
    columns = draw(st.integers(1, 12)) * (2 if half else 1)
    planar = draw(st.integers(0, 1)) if native and colour and not half else 0
    big = syntax == "1.2.840.10008.1.2.2"
    return PixelFormat(
        rows=draw(st.integers(1, 24)),
        columns=columns,
        samples=3 if colour else 1,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=stored - 1,
        signed=allocated == 16 and draw(st.booleans()),
        planar=planar,
        photometric=photometric,
        frames=draw(st.integers(1, 3)),
        syntax=syntax,
        big_endian=big,
        vr=b"OW" if native and allocated != 32 else b"OB" if not native else b"OW",
    )


def frames_of(form: PixelFormat, seed: int) -> list[NDArray[Any]]:
    """Return frames of noise that use all of the bits."""
    random = np.random.default_rng(seed)
    low, high = 0, 1 << form.bits_stored
    if form.signed:
        low, high = -(high // 2), high // 2
    shape = (form.frames, *form.shape)
    found = random.integers(low, high, shape, dtype=np.int64).astype(form.dtype)
    if form.photometric.endswith("_422"):  # two pixels share their colour
        found[:, :, 1::2, 1:] = found[:, :, ::2, 1:]
    return list(found)
