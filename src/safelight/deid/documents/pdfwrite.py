"""Write a PDF from words and rules alone, the same bytes every time.

The pages use the fonts that every reader must have (ISO 32000-1, 9.6.2.2), hold no compressed
stream and no date, so that a search of the raw bytes finds whatever there is to find.
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from safelight.deid.documents.pdfread import Box, Page, Rule, Word

__all__ = ["NewPage", "drawable", "write_pdf"]

# Widths of Helvetica's ASCII characters in 1/1000 of the size (Adobe's font metrics); they only
# decide how much a word is stretched to fill the place of the original.
_WIDTHS: Final = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
_OTHERS: Final = {
    "\u2018": 222,
    "\u2019": 222,
    "\u2022": 350,
    "\u2014": 1000,
    "\u2026": 1000,
    **dict.fromkeys("\u00ec\u00ed\u00ee\u00ef", 278),  # an i with marks is wider than its dot
}
_WIDTH: Final = 556  # of all other characters, near enough
_SYMBOL: Final = {
    **dict(zip("ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ", b"ABGDEZHQIKLMNXOPRSTUFCYW", strict=True)),
    **dict(zip("αβγδεζηθικλμνξοπρςστυφχψω", b"abgdezhqiklmnxoprVstufcyw", strict=True)),
    **dict(zip("≤∞←↑→↓≥∝≠≡≈√", b"\xa3\xa5\xac\xad\xae\xaf\xb3\xb5\xb9\xba\xbb\xd6", strict=True)),
}
_PLAIN: Final = {
    "\u03bc": "\u00b5",
    "\u2212": "-",
    "\u2010": "-",
    "\u2011": "-",
    "\u2126": "Ω",
    "\u2206": "Δ",
}
_MARK: Final = "\u2022"  # stands for bullets and signs of private fonts
_LEVEL: Final = 1e-4
_GREY: Final = "0.25 g"
_FONTS: Final = ("Helvetica", "Helvetica-Bold", "Symbol")


@dataclass(frozen=True, slots=True)
class NewPage:
    """What is written of one page.

    Attributes:
        page: The page as it was read; its size and turn are taken over.
        rules: Lines and rectangles that stay.
        words: Words that stay.
        masks: Places of words that went: painted flat.
        frames: Places of pictures that were left out: an empty frame.
    """

    page: Page
    rules: Sequence[Rule]
    words: Sequence[Word]
    masks: Sequence[Box]
    frames: Sequence[Box]


def drawable(text: str) -> bool:
    """Tell whether the fonts of the output have every letter of this text."""
    return all(_font_of(char) is not None or not char.isalnum() for char in text)


def write_pdf(pages: Iterable[NewPage]) -> bytes:
    """Return a PDF 1.4 file; the same pages give the same bytes."""
    contents = [(new.page, _content(new)) for new in pages]
    objects: list[bytes] = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>"
        % (len(contents), b" ".join(b"%d 0 R" % (6 + 2 * i) for i in range(len(contents)))),
    ]
    for name in _FONTS:
        coding = "" if name == "Symbol" else "/Encoding/WinAnsiEncoding"
        objects.append(f"<</Type/Font/Subtype/Type1/BaseFont/{name}{coding}>>".encode("ascii"))
    for index, (page, content) in enumerate(contents):
        size = f"[0 0 {page.box[2] - page.box[0]:.2f} {page.box[3] - page.box[1]:.2f}]"
        head = f"<</Type/Page/Parent 2 0 R/MediaBox{size}/Rotate {page.turn}"
        fonts = "/Resources<</Font<</F0 3 0 R/F1 4 0 R/F2 5 0 R>>>>"
        objects.append(f"{head}{fonts}/Contents {7 + 2 * index} 0 R>>".encode("ascii"))
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(content), content))
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def _content(new: NewPage) -> bytes:
    """Return a page's drawing, moved so that the corner that shows is 0, 0."""
    left, bottom = new.page.box[:2]
    parts = [f"1 0 0 1 {-left:.2f} {-bottom:.2f} cm"]
    parts += [f"{_paint(rule.colour)} {_rectangle(rule.box)} f" for rule in new.rules]
    parts += [f"0.6 G 0.8 w {_rectangle(frame)} S" for frame in new.frames]
    parts += [f"{_GREY} {_rectangle(mask)} f" for mask in new.masks]
    drawn = [part.encode("ascii") for part in parts]
    colour = None
    for word in new.words:
        if word.colour != colour:
            colour = word.colour
            drawn.append(_paint(colour).encode("ascii"))
        drawn.append(_word(word))
    return b"\n".join(drawn)


def _rectangle(box: Box) -> str:
    width, height = max(box[2] - box[0], 0.4), max(box[3] - box[1], 0.4)
    return f"{box[0]:.2f} {box[1]:.2f} {width:.2f} {height:.2f} re"


def _paint(colour: tuple[int, int, int]) -> str:
    return " ".join(f"{part / 255:.3g}" for part in colour) + " rg"


def _font_of(char: str) -> int | None:
    """Return 0 for Helvetica, 2 for Symbol, None if neither has the character."""
    char = _PLAIN.get(char, char)
    if char in _SYMBOL and char != "μ":
        return 2
    try:
        char.encode("cp1252")
    except UnicodeEncodeError:
        return None
    return 0


def _coded(char: str) -> bytes:
    char = _PLAIN.get(char, char)
    char = "\u00b5" if char == "\u03bc" else char
    code = bytes((_SYMBOL[char],)) if _font_of(char) == 2 else char.encode("cp1252")  # noqa: PLR2004 - Symbol
    return b"\\" + code if code in b"()\\" else code


def _wide(char: str) -> int:
    """Return a character's width; a letter with marks is as wide as without them."""
    base = char if char in _OTHERS else unicodedata.normalize("NFD", char)[0]
    return _WIDTHS[ord(base) - 32] if " " <= base <= "~" else _OTHERS.get(char, _WIDTH)


def _word(word: Word) -> bytes:
    """Return one word, set at its place and stretched to the width it had."""
    chars = [
        char if _font_of(char) is not None else _MARK for char in word.text if char.isprintable()
    ]
    runs: list[tuple[int, bytes]] = []
    for char in chars:
        font = _font_of(char) or int(word.bold)
        if runs and runs[-1][0] == font:
            runs[-1] = (font, runs[-1][1] + _coded(char))
        else:
            runs.append((font, _coded(char)))
    natural = (1.05 if word.bold else 1) * sum(map(_wide, chars))
    stretch = min(max(word.width * 1000 / (natural * word.size or 1) * 100, 30), 300)
    cos, sin = math.cos(word.angle), math.sin(word.angle)
    turn = f"{cos:.4f} {sin:.4f} {-sin:.4f} {cos:.4f}" if abs(sin) > _LEVEL else "1 0 0 1"
    place = f"{turn} {word.origin[0]:.2f} {word.origin[1]:.2f} Tm"
    head = f"BT {stretch:.0f} Tz {place}".encode("ascii")
    shown = [b"/F%d %.4g Tf (%s) Tj" % (font, word.size, code) for font, code in runs]
    return b" ".join((head, *shown, b"ET"))
