"""The contribution map: what each field of a grid added to a linear head's score, over the picture.

Orange raised the score, blue lowered it, strength is the share of the largest field: colours that
people with any common colour blindness tell apart (after Okabe and Ito 2008).
"""

import io
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from safelight.readers.reading import Finding
from safelight.reports import words

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont
    from PIL.ImageFont import ImageFont as PlainFont

__all__ = ["has_map", "legend", "overlaid", "picture_png", "plain_picture", "with_legend"]

Grey = NDArray[np.uint8]
Colours = NDArray[np.uint8]

_RAISED: Final = np.array((230, 159, 0), np.float32)
_LOWERED: Final = np.array((0, 114, 178), np.float32)
_STRONGEST: Final = 0.6  # share of colour where a field is the largest
_LARGEST: Final = 1024  # pixels of the longer side of what is shown
_SMALLEST: Final = 384  # pixels a side that a legend can be read below
_LINE: Final = 1.35


def has_map(finding: Finding) -> bool:
    """Tell whether there is a map to show: a grid whose fields are numbers."""
    cells = finding.cells
    if not cells or not cells[0] or len({len(row) for row in cells}) != 1:
        return False
    return bool(np.isfinite(np.asarray(cells, np.float64)).all())


def legend(finding: Finding) -> tuple[str, ...]:
    """Return the lines that stand below a map."""
    cells = np.asarray(finding.cells, np.float64)
    total = float(cells.sum()) + finding.bias
    score = "none" if finding.score is None else words.amount(finding.score)
    lines = [
        (
            f"Contribution map of the reader {finding.reader} {finding.version} for "
            f"{words.name_of(finding.finding)}: {finding.answer.value}."
        ),
        (
            f"Orange raised the score, blue lowered it. Fields and bias add up to "
            f"{words.amount(total)}; score {score}."
        ),
        "Research, not for diagnosis.",
    ]
    if words.in_shadow(finding):
        lines.append(words.SHADOW)
    if finding.research_only:
        lines.append(words.RESEARCH)
    if finding.unverified:
        lines.append(f"UNVERIFIED. {words.UNVERIFIED}")
    return tuple(lines)


def overlaid(grey: Grey, finding: Finding) -> Colours:
    """Return the picture with the map over it.

    Args:
        grey: The picture as displayed, shape (rows, columns).
        finding: With a map (``has_map``); its grid spans the whole picture.

    Returns:
        Colours, shape (rows, columns, 3), the longer side 1,024 pixels at most.
    """
    grey = _fitted(grey)
    rows, columns = grey.shape
    cells = np.asarray(finding.cells, np.float32)
    most = float(np.abs(cells).max())
    down = np.minimum(np.arange(rows) * cells.shape[0] // rows, cells.shape[0] - 1)
    along = np.minimum(np.arange(columns) * cells.shape[1] // columns, cells.shape[1] - 1)
    share = cells[down][:, along] / most if most > 0 else np.zeros((rows, columns), np.float32)
    weight = (_STRONGEST * np.abs(share))[..., None]
    paint = np.where(share[..., None] > 0, _RAISED, _LOWERED)
    mixed = grey.astype(np.float32)[..., None] * (1 - weight) + paint * weight
    return np.asarray(np.rint(mixed), np.uint8)


def plain_picture(grey: Grey) -> Colours:
    """Return the picture alone, as colours, no larger than is shown."""
    return np.repeat(_fitted(grey)[..., None], 3, axis=2)


def with_legend(shown: Colours, lines: tuple[str, ...]) -> Colours:
    """Return the picture with lines of text set below it on white."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  # start-up cost

    width = max(shown.shape[1], _SMALLEST)
    font = ImageFont.load_default(size=max(14, width // 40))
    broken = [part for line in lines for part in _broken(line, font, width - 16)]
    step = int(max(14, width // 40) * _LINE)
    sheet = Image.new("RGB", (width, shown.shape[0] + step * len(broken) + 16), "white")
    sheet.paste(Image.fromarray(shown), (0, 0))
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(broken):
        draw.text((8, shown.shape[0] + 8 + number * step), line, fill="black", font=font)
    return np.asarray(sheet, np.uint8)


def picture_png(shown: Colours) -> bytes:
    """Return a PNG file."""
    from PIL import Image  # noqa: PLC0415  # start-up cost

    out = io.BytesIO()
    Image.fromarray(shown).save(out, "PNG", optimize=True)
    return out.getvalue()


def _fitted(grey: Grey) -> Grey:
    """Return the picture no larger than is shown."""
    import cv2  # noqa: PLC0415  # start-up cost

    rows, columns = grey.shape
    scale = _LARGEST / max(rows, columns)
    if scale >= 1:
        if max(rows, columns) * 2 > _SMALLEST:
            return grey
        scale = -(-_SMALLEST // max(rows, columns))
        size = (columns * int(scale), rows * int(scale))
        return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def _broken(line: str, font: "FreeTypeFont | PlainFont", room: int) -> list[str]:
    lines = [""]
    for word in line.split():
        joined = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(joined) > room:
            lines.append(word)
        else:
            lines[-1] = joined
    return lines
