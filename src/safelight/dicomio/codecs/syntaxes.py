"""Transfer syntaxes by how their frames are coded (PS3.5 A.4, PS3.6 Table A-1)."""

from typing import Final

from safelight.dicomio.syntax import DEFLATED, EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE

__all__ = ["DEFLATED_FRAME", "JPEG_LS_LOSSLESS", "NATIVE", "RLE", "UNCOMPRESSED", "family"]

_JPEG: Final = "1.2.840.10008.1.2.4."
RLE: Final = "rle"
DEFLATED_FRAME: Final = "deflated"
UNCOMPRESSED: Final = "native"
JPEG_LS_LOSSLESS: Final = _JPEG + "80"
NATIVE: Final = frozenset({IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED})
_FAMILIES: Final = {
    "1.2.840.10008.1.2.5": RLE,
    "1.2.840.10008.1.2.8.1": DEFLATED_FRAME,
    "1.2.840.10008.1.2.1.98": UNCOMPRESSED,
    **dict.fromkeys([f"{_JPEG}{last}" for last in (*range(50, 67), 70)], "jpeg"),
    **dict.fromkeys([f"{_JPEG}{last}" for last in (80, 81)], "jpegls"),
    **dict.fromkeys([f"{_JPEG}{last}" for last in (90, 91, 92, 93, 201, 202, 203)], "j2k"),
    **dict.fromkeys([f"{_JPEG}{last}" for last in (110, 111, 112)], "jxl"),
}


def family(syntax: str) -> str | None:
    """Return how frames of an encapsulated syntax are coded; None for video and what is not known.

    One of ``jpeg``, ``jpegls``, ``j2k``, ``jxl``, ``rle``, ``deflated``, ``native``.
    """
    return _FAMILIES.get(syntax)
