"""The fonts of training; the fonts of evaluation are named here only to be kept out."""

import subprocess
from functools import cache
from pathlib import Path

from PIL import ImageFont

__all__ = ["HELD_OUT", "Font", "family_of", "font", "fonts_for"]

Font = ImageFont.FreeTypeFont

_LATIN = (
    *("DejaVu Sans", "DejaVu Sans Mono", "DejaVu Serif", "FreeSans", "FreeSerif", "FreeMono"),
    *("Noto Sans", "Noto Sans Mono", "Noto Mono", "Noto Serif", "Noto Sans Display", "C059"),
    *("Nimbus Sans", "Nimbus Sans Narrow", "Nimbus Roman", "Nimbus Mono PS", "URW Gothic", "P052"),
    *("URW Bookman",),
)
_PEN = ("Dancing Script", "Z003")
_BY_SCRIPT = {
    "latin": _LATIN,
    "pen": _PEN,
    "accented": ("DejaVu Sans", "DejaVu Serif", "FreeSans", "Noto Sans", "Noto Serif"),
    "greek": ("DejaVu Sans", "DejaVu Serif", "FreeSans", "FreeSerif", "Noto Sans", "Noto Serif"),
    "cyrillic": ("DejaVu Sans", "DejaVu Sans Mono", "FreeSans", "Noto Sans", "Noto Serif"),
    "cjk": ("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK TC"),
    "kana": ("Noto Sans CJK JP",),
    "hangul": ("Noto Sans CJK KR",),
    "arabic": ("Noto Naskh Arabic", "Noto Kufi Arabic", "DejaVu Sans"),
    "hebrew": ("Noto Sans Hebrew", "DejaVu Sans", "FreeSans"),
    "devanagari": ("Noto Sans Devanagari", "FreeSans"),
    "thai": ("Noto Looped Thai", "Noto Sans Thai"),
    "bitmap": ("Terminus",),
}
HELD_OUT = (
    *("Liberation", "Roboto", "Open Sans", "Lato", "Hack", "Inconsolata", "Cantarell", "Comic"),
    *("OCR", "Courier Prime", "JetBrains", "EB Garamond", "WenQuanYi", "IPA", "Un", "Fixed"),
)


@cache
def _installed() -> dict[str, tuple[str, ...]]:
    """Return the font files by family, sorted, so that a seed gives the same crop."""
    command = ["fc-list", "--format", "%{file}\t%{family}\n"]
    listed = subprocess.run(  # noqa: S603  # a fixed command
        command, capture_output=True, check=True, text=True
    ).stdout
    found: dict[str, set[str]] = {}
    for line in listed.splitlines():
        path, families = line.split("\t")
        if path.endswith((".ttf", ".otf", ".ttc")):
            found.setdefault(families.split(",")[0], set()).add(path)
    terminus = Path("/usr/share/fonts/X11/misc").glob("ter-u*_iso-8859-1.pcf.gz")
    found["Terminus"] = {str(path) for path in terminus}
    return {family: tuple(sorted(paths)) for family, paths in found.items()}


@cache
def fonts_for(script: str) -> tuple[str, ...]:
    """Return the font files that write a script; empty when none is installed."""
    families = _BY_SCRIPT[script]
    return tuple(path for family in families for path in _installed().get(family, ()))


@cache
def family_of(path: str) -> str:
    """Return the family of a font file."""
    return next(family for family, paths in _installed().items() if path in paths)


@cache
def font(path: str, size: int) -> Font:
    """Return an opened font at a pixel size."""
    return ImageFont.truetype(path, size)
