"""Look once more at what is about to go out, with other scales and thresholds than before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.burned import barcodes, find, lines
from safelight.deid.burned.find import Levels
from safelight.deid.burned.grammar import parse
from safelight.deid.burned.look import Eyes
from safelight.deid.burned.near import near
from safelight.deid.burned.sight import Shown
from safelight.deid.text import Needles

__all__ = ["Leftover", "check"]

_SCALES: Final = (0.75,)
_TINY_SCALES: Final = (1.5,)
_TINY: Final = 320
_LEVELS: Final = Levels(high=0.75, low=0.4, faint=0.5)
_READ: Final = 0.75
_READ_ALONE: Final = 0.9  # where the first look found nothing at all
_LETTERS: Final = 2
_COVERED: Final = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Something that is still legible in what should go out.

    Attributes:
        boxes: Where.
        rule: What it is, without a value: ``text``, ``bar code``, ``a value of the subject``.
        confidence: How sure, 0 to 1.
    """

    boxes: tuple[Box, ...]
    rule: str
    confidence: float


def check(
    eyes: Eyes, picture: Shown, regions: Sequence[Region], needles: Needles | None
) -> list[Leftover]:
    """Return what is still legible: text that no region accounts for, codes, the subject's values.

    Args:
        eyes: The engines.
        picture: The masked picture.
        regions: What was decided for this frame, masks and kept marks alike.
        needles: The subject's values; None when nothing is known of the subject.
    """
    grey = np.ascontiguousarray(picture.grey)
    rows, columns = grey.shape
    out = [
        Leftover(boxes=strip.boxes(rows, columns), rule="bar code", confidence=1.0)
        for strip, read in barcodes.codes(grey)
        if read
    ]
    scales = _TINY_SCALES if max(rows, columns) <= _TINY else _SCALES
    probability = find.look_at(eyes.segments, grey, scales)
    kept = np.zeros(grey.shape, bool)
    masked = np.zeros(grey.shape, bool)
    for region in regions:
        plane = kept if region.verdict is Verdict.KEEP else masked
        for box in region.boxes:
            plane[box.y : box.y + box.h, box.x : box.x + box.w] = True
    probability[masked] = 0
    least = _READ if regions else _READ_ALONE
    seen = lines.join(find.pieces(probability, _LEVELS), _LEVELS)
    readings = eyes.reader.read(grey, [line.strip for line in seen])
    for line, reading in zip(seen, readings, strict=True):
        boxes = line.strip.boxes(rows, columns)
        letters = sum(map(str.isalnum, reading.text))
        if needles is not None and letters and near(reading.text, needles):
            out.append(
                Leftover(boxes=boxes, rule="a value of the subject", confidence=reading.sure)
            )
        elif (
            letters >= _LETTERS
            and reading.sure >= least
            and not _covered(boxes, kept)
            and parse(reading.text) is None
        ):
            out.append(Leftover(boxes=boxes, rule="text", confidence=reading.sure))
    return out


def _covered(boxes: Sequence[Box], plane: npt.NDArray[np.bool_]) -> bool:
    parts = [plane[box.y : box.y + box.h, box.x : box.x + box.w] for box in boxes]
    area = sum(part.size for part in parts)
    return area > 0 and sum(int(part.sum()) for part in parts) >= _COVERED * area
