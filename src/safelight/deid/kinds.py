"""Which cleaner takes which kind of input; each is imported when first asked for."""

import importlib
from collections.abc import Callable
from typing import Final, cast

from safelight.deid.context import Cleaned, Context
from safelight.errors import UnreadableInputError
from safelight.types import Kind, Original

__all__ = ["cleaner_of"]

_PHOTOS: Final = ("safelight.deid.photos", "clean")
_NIFTI: Final = ("safelight.deid.nifti", "clean")
_WHERE: Final = {
    Kind.PDF: ("safelight.deid.documents.pdf", "clean_pdf"),
    Kind.CDA: ("safelight.deid.documents.cda", "clean_cda"),
    Kind.NIFTI: _NIFTI,
    Kind.NIFTI_GZ: _NIFTI,
    Kind.SIDECAR: ("safelight.deid.nifti", "clean_sidecar"),
    Kind.JPEG: _PHOTOS,
    Kind.PNG: _PHOTOS,
    Kind.GIF: _PHOTOS,
    Kind.TIFF: _PHOTOS,
    Kind.WEBP: _PHOTOS,
    Kind.BMP: _PHOTOS,
    Kind.HEIF: _PHOTOS,
}


def cleaner_of(kind: Kind) -> Callable[[Original, Context], Cleaned]:
    """Return the cleaner for a kind other than DICOM.

    Raises:
        UnreadableInputError: There is none.
    """
    found = _WHERE.get(kind)
    if found is None:
        raise UnreadableInputError("it is of no kind that can be cleaned")
    module = importlib.import_module(found[0])
    return cast("Callable[[Original, Context], Cleaned]", getattr(module, found[1]))
