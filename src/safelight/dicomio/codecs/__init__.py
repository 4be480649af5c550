"""Pixel data to arrays and back: every frame checked, compressed ones decoded in a guarded child.

Importing this package costs nothing; what works on arrays is loaded when it is first named.
"""

import importlib
from typing import TYPE_CHECKING, Any

from safelight.dicomio.codecs.form import PixelFormat

if TYPE_CHECKING:
    from safelight.dicomio.codecs.coder import encode, lossless_photometric, lossless_target
    from safelight.dicomio.codecs.native import write_frame
    from safelight.dicomio.codecs.source import PixelSource, open_pixels

__all__ = [
    "PixelFormat",
    "PixelSource",
    "encode",
    "lossless_photometric",
    "lossless_target",
    "open_pixels",
    "write_frame",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        facade = importlib.import_module("safelight.dicomio.codecs.facade")
        return getattr(facade, name)
    raise AttributeError(f"module 'safelight.dicomio.codecs' has no attribute {name!r}")
