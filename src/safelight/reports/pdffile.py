"""A PDF file from drawn pages: two standard fonts, RGB pictures, the same bytes every time.

The fonts are those that every reader must have (ISO 32000-1, 9.6.2.2), in WinAnsi encoding (Annex
D.2). A letter that it lacks loses its marks; one without a base letter becomes a question mark.
"""

import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

__all__ = ["BOLD", "HEIGHT", "PLAIN", "WIDTH", "Image", "Sheet", "encoded", "width_of", "write"]

WIDTH: Final = 595.28  # A4 in points of 1/72 inch
HEIGHT: Final = 841.89
PLAIN: Final = 0
BOLD: Final = 1
_FIRST: Final = 32
_OTHER: Final = 600  # of what stands beyond ASCII, in 1/1000 of the size: wide enough for most
# Adobe's metrics of Helvetica and Helvetica-Bold, ASCII from the blank on.
_WIDTHS: Final = (
    (
        *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
        *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
        *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
        *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
        *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
        *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
    ),
    (
        *(278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278),
        *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611),
        *(975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778),
        *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556),
        *(333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611),
        *(611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584),
    ),
)
_CODING: Final = "cp1252"  # WinAnsi but for a few codes that no text here uses
_PLAIN: Final = {
    "\u2010": "-",
    "\u2011": "-",
    "\u2212": "-",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u202f": "\u00a0",
}


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: RGB bytes row by row, and how many columns and rows."""

    rgb: bytes
    columns: int
    rows: int


@dataclass(slots=True)
class Sheet:
    """One page while it is drawn; places in points from the lower left."""

    drawn: list[bytes] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)

    def text(
        self, place: tuple[float, float], text: str, *, font: int, size: float, grey: float = 0.1
    ) -> None:
        """Set one line of text at its baseline."""
        code = encoded(text).replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        head = f"BT {grey:.2f} g /F{font} {size:.2f} Tf {place[0]:.2f} {place[1]:.2f} Td ("
        self.drawn.append(head.encode("ascii") + code + b") Tj ET")

    def bar(self, box: tuple[float, float, float, float], colour: tuple[float, ...]) -> None:
        """Fill a box (left, bottom, width, height); one level is grey, three are RGB."""
        paint = " ".join(f"{part:.3f}" for part in colour) + (" g" if len(colour) == 1 else " rg")
        shape = " ".join(f"{part:.2f}" for part in box)
        self.drawn.append(f"{paint} {shape} re f".encode("ascii"))

    def image(self, box: tuple[float, float, float, float], image: Image) -> None:
        """Show a picture in a box (left, bottom, width, height)."""
        left, bottom, width, height = box
        place = f"q {width:.2f} 0 0 {height:.2f} {left:.2f} {bottom:.2f} cm"
        self.drawn.append(f"{place} /I{len(self.images)} Do Q".encode("ascii"))
        self.images.append(image)


def encoded(text: str) -> bytes:
    """Return text in the fonts' encoding."""
    return b"".join(map(_code, text))


def _code(char: str) -> bytes:
    plain = _PLAIN.get(char, char)
    try:
        return plain.encode(_CODING) if plain.isprintable() or plain == "\u00a0" else b" "
    except UnicodeEncodeError:
        base = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore")
        return base if base.isalnum() else b"?"


def width_of(text: str, *, font: int, size: float) -> float:
    """Return how wide a text is, in points."""
    table = _WIDTHS[font]
    codes = (code - _FIRST for code in encoded(text))
    return sum(table[at] if 0 <= at < len(table) else _OTHER for at in codes) * size / 1000


def write(sheets: Sequence[Sheet], *, title: str) -> bytes:
    """Return a PDF 1.5 file of these pages."""
    objects: list[bytes] = [b"", b"", b"", b"", b""]
    pages: list[int] = []
    for sheet in sheets:
        numbers = []
        for image in sheet.images:
            head = (
                f"/Type/XObject/Subtype/Image/Width {image.columns}/Height {image.rows}"
                "/ColorSpace/DeviceRGB/BitsPerComponent 8"
            )
            objects.append(_stream(head, image.rgb))
            numbers.append(len(objects))
        objects.append(_stream("", b"\n".join(sheet.drawn)))
        shown = "".join(f"/I{at} {number} 0 R" for at, number in enumerate(numbers))
        fonts = "/Font<</F0 3 0 R/F1 4 0 R>>"
        page = (
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {WIDTH} {HEIGHT}]"
            f"/Resources<<{fonts}/XObject<<{shown}>>>>/Contents {len(objects)} 0 R>>"
        )
        objects.append(page.encode("ascii"))
        pages.append(len(objects))
    kids = " ".join(f"{number} 0 R" for number in pages)
    objects[0] = (
        b"<</Type/Catalog/Pages 2 0 R/Lang(en)/ViewerPreferences<</DisplayDocTitle true>>>>"
    )
    objects[1] = f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode("ascii")
    for at, name in ((2, "Helvetica"), (3, "Helvetica-Bold")):
        font = f"<</Type/Font/Subtype/Type1/BaseFont/{name}/Encoding/WinAnsiEncoding>>"
        objects[at] = font.encode("ascii")
    objects[4] = b"<</Title<%s>/Producer(Safelight)>>" % title.encode("utf-16-be").hex().join(
        ("FEFF", "")
    ).encode("ascii")
    return _file(objects)


def _stream(head: str, data: bytes) -> bytes:
    packed = zlib.compress(data, 9)
    told = f"<<{head}/Filter/FlateDecode/Length {len(packed)}>>stream\n"
    return told.encode("ascii") + packed + b"\nendstream"


def _file(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    out += b"trailer\n<</Size %d/Root 1 0 R/Info 5 0 R>>\n" % (len(objects) + 1)
    out += b"startxref\n%d\n%%%%EOF\n" % start
    return bytes(out)
