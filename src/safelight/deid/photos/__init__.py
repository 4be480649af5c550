"""Photos and scans: everything that is not the picture goes, and the pixels stay as they are."""

import importlib
from typing import Final, Protocol, cast

from safelight.deid.context import Cleaned, Context
from safelight.errors import QuarantineError
from safelight.types import Kind, Original

__all__ = ["KINDS", "clean"]

KINDS: Final = frozenset({Kind.JPEG, Kind.PNG, Kind.GIF, Kind.TIFF, Kind.WEBP, Kind.BMP, Kind.HEIF})


class _Cleaner(Protocol):
    def clean(self, original: Original, ctx: Context) -> Cleaned: ...


def clean(original: Original, ctx: Context) -> Cleaned:
    """Return the picture without metadata, thumbnails, comments and passengers.

    Nothing is decoded and encoded again: pixels before and after are the same. Orientation and
    colour are kept, so that the picture still looks as it did.

    Raises:
        UnreadableInputError: It is malformed or truncated, and where.
        LimitExceededError: It holds more than the limits allow.
        NeedsReviewError: It holds something that can't be proven harmless, such as a movie.
        QuarantineError: It is not a picture.
    """
    if original.kind not in KINDS:
        raise QuarantineError("not a picture")
    name = f"safelight.deid.photos.{original.kind.value}"
    module = cast("_Cleaner", importlib.import_module(name))  # start-up cost: one format at a time
    return module.clean(original, ctx)
