"""The names of this package that need numpy, in one place, loaded on first use."""

from safelight.dicomio.codecs.coder import encode, lossless_photometric, lossless_target
from safelight.dicomio.codecs.native import write_frame
from safelight.dicomio.codecs.source import PixelSource, open_pixels

__all__ = [
    "PixelSource",
    "encode",
    "lossless_photometric",
    "lossless_target",
    "open_pixels",
    "write_frame",
]
