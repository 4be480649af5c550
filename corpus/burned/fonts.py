"""Fonts of the evaluation: which scripts they draw, and whether a model may have learnt on them."""

import functools
from dataclasses import dataclass
from pathlib import Path

from PIL import ImageFont

__all__ = ["FACES", "INSTALL", "Face", "available", "load", "usable"]

_ROOT = Path("/usr/share/fonts")
INSTALL = (
    "apt-get install -y fonts-liberation fonts-roboto-unhinted fonts-open-sans fonts-lato "
    "fonts-hack fonts-inconsolata fonts-cantarell fonts-comic-neue fonts-ocr-a fonts-ocr-b "
    "fonts-courier-prime fonts-jetbrains-mono fonts-ebgaramond xfonts-base fonts-wqy-zenhei "
    "fonts-ipafont-gothic fonts-unfonts-core fonts-dejavu fonts-freefont-ttf fonts-urw-base35 "
    "fonts-noto-cjk fonts-dancingscript xfonts-terminus"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """One font file.

    Attributes:
        family: Name of the family.
        path: Below the folder of fonts.
        trained: Whether the shipped model may have seen the family; False means held out.
        scripts: Of ``latin``, ``greek``, ``cyrillic``, ``han``, ``kana``, ``hangul``.
        strike: Height in pixels of a bitmap font; 0 for an outline, which has every size.
        style: ``plain``, ``mono``, ``ocr`` (machine), ``hand`` (like handwriting).
        index: Face inside a collection.
    """

    family: str
    path: str
    trained: bool
    scripts: tuple[str, ...] = ("latin",)
    strike: int = 0
    style: str = "plain"
    index: int = 0

    @property
    def file(self) -> Path:
        """Return where the file lies."""
        return _ROOT / self.path


_LGC = ("latin", "greek", "cyrillic")
_LIBERATION = "truetype/liberation/Liberation"
_ROBOTO = "truetype/roboto/unhinted/RobotoTTF/Roboto"


def _bitmaps() -> list[Face]:
    fixed = (
        ("4x6", 6), ("5x7", 7), ("5x8", 8), ("6x9", 9), ("6x10", 10), ("6x12", 12), ("6x13", 13),
        ("6x13B", 13), ("7x13", 13), ("7x13B", 13), ("7x14", 14), ("8x13", 13), ("8x13B", 13),
        ("9x15", 15), ("9x15B", 15), ("9x18", 18), ("10x20", 20),
    )  # fmt: skip
    terminus = (("12n", 12), ("14b", 14), ("16n", 16), ("18b", 18), ("20n", 20), ("24b", 24))
    return [
        *(
            Face(
                family="X11 fixed",
                path=f"X11/misc/{name}.pcf.gz",
                trained=False,
                scripts=_LGC,
                strike=size,
                style="mono",
            )
            for name, size in fixed
        ),
        *(
            Face(
                family="Terminus",
                path=f"X11/misc/ter-u{name}_unicode.pcf.gz",
                trained=True,
                scripts=_LGC,
                strike=size,
                style="mono",
            )
            for name, size in terminus
        ),
    ]


def _face(
    family: str,
    path: str,
    scripts: tuple[str, ...] = ("latin",),
    style: str = "plain",
    *,
    trained: bool = False,
    index: int = 0,
) -> Face:
    return Face(
        family=family, path=path, trained=trained, scripts=scripts, style=style, index=index
    )


_OT, _TT = "opentype", "truetype"
FACES: tuple[Face, ...] = (
    _face("Liberation Sans", f"{_LIBERATION}Sans-Regular.ttf", _LGC),
    _face("Liberation Sans", f"{_LIBERATION}Sans-Bold.ttf", _LGC),
    _face("Liberation Sans Narrow", f"{_LIBERATION}SansNarrow-Regular.ttf", _LGC),
    _face("Liberation Mono", f"{_LIBERATION}Mono-Regular.ttf", _LGC, "mono"),
    _face("Liberation Mono", f"{_LIBERATION}Mono-Bold.ttf", _LGC, "mono"),
    _face("Liberation Serif", f"{_LIBERATION}Serif-Regular.ttf", _LGC),
    _face("Roboto", f"{_ROBOTO}-Regular.ttf", _LGC),
    _face("Roboto", f"{_ROBOTO}-Medium.ttf", _LGC),
    _face("Open Sans", f"{_TT}/open-sans/OpenSans-Regular.ttf", _LGC),
    _face("Open Sans", f"{_TT}/open-sans/OpenSans-Semibold.ttf", _LGC),
    _face("Lato", f"{_TT}/lato/Lato-Regular.ttf"),
    _face("Lato", f"{_TT}/lato/Lato-Bold.ttf"),
    _face("Hack", f"{_TT}/hack/Hack-Regular.ttf", _LGC, "mono"),
    _face("Inconsolata", f"{_TT}/inconsolata/Inconsolata.otf", style="mono"),
    _face("Cantarell", f"{_OT}/cantarell/Cantarell-Regular.otf"),
    _face("Cantarell", f"{_OT}/cantarell/Cantarell-Bold.otf"),
    _face("Comic Neue", f"{_OT}/comic-neue/ComicNeue-Regular.otf", style="hand"),
    _face("Comic Neue", f"{_OT}/comic-neue/ComicNeue-BoldItalic.otf", style="hand"),
    _face("OCR-A", f"{_TT}/ocr-a/OCRA.ttf", style="ocr"),
    _face("OCR-B", f"{_OT}/ocr-b/OCRB.otf", style="ocr"),
    _face("Courier Prime", f"{_OT}/courier-prime/Courier Prime.otf", style="mono"),
    _face("Courier Prime", f"{_OT}/courier-prime/Courier Prime Bold.otf", style="mono"),
    _face("JetBrains Mono", f"{_TT}/jetbrains-mono/JetBrainsMono-Regular.ttf", _LGC, "mono"),
    _face("EB Garamond", f"{_OT}/ebgaramond/EBGaramond12-Regular.otf", _LGC),
    _face("EB Garamond", f"{_OT}/ebgaramond/EBGaramond12-Italic.otf", _LGC, "hand"),
    _face("WenQuanYi Zen Hei", f"{_TT}/wqy/wqy-zenhei.ttc", ("latin", "han", "kana")),
    _face("IPA Gothic", f"{_OT}/ipafont-gothic/ipag.ttf", ("latin", "han_ja", "kana")),
    _face("UnDotum", f"{_TT}/unfonts-core/UnDotum.ttf", ("latin", "hangul")),
    _face("DejaVu Sans", f"{_TT}/dejavu/DejaVuSans.ttf", _LGC, trained=True),
    _face("DejaVu Sans", f"{_TT}/dejavu/DejaVuSans-Bold.ttf", _LGC, trained=True),
    _face("DejaVu Sans Mono", f"{_TT}/dejavu/DejaVuSansMono.ttf", _LGC, "mono", trained=True),
    _face("FreeSans", f"{_TT}/freefont/FreeSans.ttf", _LGC, trained=True),
    _face("FreeMono", f"{_TT}/freefont/FreeMonoBold.ttf", _LGC, "mono", trained=True),
    _face("FreeSerif", f"{_TT}/freefont/FreeSerif.ttf", _LGC, trained=True),
    _face("Nimbus Sans", f"{_OT}/urw-base35/NimbusSans-Bold.otf", _LGC, trained=True),
    _face("C059", f"{_OT}/urw-base35/C059-Roman.otf", trained=True),
    _face(
        "Noto Sans CJK",
        f"{_OT}/noto/NotoSansCJK-Regular.ttc",
        ("latin", "han", "han_ja", "kana", "hangul"),
        trained=True,
    ),
    _face(
        "Dancing Script",
        f"{_OT}/dancingscript/DancingScript-Regular.otf",
        style="hand",
        trained=True,
    ),
    *_bitmaps(),
)


@functools.cache
def available() -> tuple[Face, ...]:
    """Return the faces whose files are installed."""
    return tuple(face for face in FACES if face.file.exists())


@functools.lru_cache(maxsize=256)
def load(face: Face, size: int) -> ImageFont.FreeTypeFont:
    """Return the face at a size in pixels; a bitmap font has its own size only."""
    return ImageFont.truetype(
        str(face.file), face.strike or size, index=face.index, layout_engine=ImageFont.Layout.BASIC
    )


@functools.lru_cache(maxsize=8192)
def _blank(face: Face) -> bytes:
    return bytes(load(face, 24).getmask("\U0010fffd"))


@functools.lru_cache(maxsize=65536)
def _draws(face: Face, char: str) -> bool:
    font = load(face, 24)
    mask = font.getmask(char)
    return bool(mask.getbbox()) and bytes(mask) != _blank(face)


def usable(face: Face, text: str) -> bool:
    """Return whether the face has a glyph of its own for each character of ``text``."""
    return all(char == " " or _draws(face, char) for char in text)
