"""Pixel data to arrays and back: every frame checked, compressed ones decoded in a guarded child.

Importing this package imports numpy; import it where pixels are looked at, not before.
"""

from safelight.dicomio.codecs.encode import encode, lossless_target
from safelight.dicomio.codecs.form import PixelFormat
from safelight.dicomio.codecs.native import write_frame
from safelight.dicomio.codecs.source import PixelSource, open_pixels

__all__ = [
    "PixelFormat",
    "PixelSource",
    "encode",
    "lossless_target",
    "open_pixels",
    "write_frame",
]
