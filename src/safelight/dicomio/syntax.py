"""How a data set is encoded: what each transfer syntax says (PS3.5 section 10, PS3.6 Table A-1)."""

import re
from dataclasses import dataclass
from typing import Final

__all__ = [
    "DEFLATED",
    "DICOMDIR_CLASS",
    "EXPLICIT_BIG",
    "EXPLICIT_LITTLE",
    "IMPLICIT_LITTLE",
    "Encoding",
    "encoding_of",
    "is_video",
]

IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_LITTLE: Final = "1.2.840.10008.1.2.1"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
DICOMDIR_CLASS: Final = "1.2.840.10008.1.3.10"
_VIDEO: Final = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.10[0-8](?:\.1)?")


_COMPRESSED: Final = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.[1-9][0-9]{1,2}(?:\.1)?")


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding of one data set.

    Attributes:
        implicit: Value representations are not written.
        big: Numbers are big endian.
        deflated: The data set after the file meta information is deflated (RFC 1951).
        encapsulated: Pixel data comes in fragments.
    """

    implicit: bool = False
    big: bool = False
    deflated: bool = False
    encapsulated: bool = False


_KNOWN: Final = {
    IMPLICIT_LITTLE: Encoding(implicit=True),
    EXPLICIT_LITTLE: Encoding(),
    EXPLICIT_BIG: Encoding(big=True),
    DEFLATED: Encoding(deflated=True),
    "1.2.840.10008.1.2.1.98": Encoding(encapsulated=True),  # Encapsulated Uncompressed
    "1.2.840.10008.1.2.5": Encoding(encapsulated=True),  # RLE Lossless
    "1.2.840.10008.1.2.8.1": Encoding(encapsulated=True),  # Deflated Image Frame
}


def encoding_of(uid: str) -> Encoding | None:
    """Return the encoding that a transfer syntax UID stands for; None when it is not known."""
    known = _KNOWN.get(uid)
    if known is None and _COMPRESSED.fullmatch(uid):
        return Encoding(encapsulated=True)
    return known


def is_video(uid: str) -> bool:
    """Tell whether the syntax holds MPEG-2, MPEG-4 or HEVC streams (PS3.5 A.4.5 to A.4.10)."""
    return _VIDEO.fullmatch(uid) is not None
