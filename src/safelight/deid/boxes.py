"""Boxes over pixels: what is masked, what stays, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Box", "Region", "Verdict"]


class Verdict(StrEnum):
    """What becomes of a region."""

    MASK = "mask"
    KEEP = "keep"
    REVIEW = "review"


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """A rectangle of pixels, half open.

    Attributes:
        x: First column, from 0 at the left.
        y: First row, from 0 at the top.
        w: Columns; at least 1.
        h: Rows; at least 1.
    """

    x: int
    y: int
    w: int
    h: int

    def clipped(self, rows: int, columns: int) -> "Box | None":
        """Return the part inside a frame of this size; None when nothing is."""
        left, top = max(self.x, 0), max(self.y, 0)
        right, bottom = min(self.x + self.w, columns), min(self.y + self.h, rows)
        if right <= left or bottom <= top:
            return None
        return Box(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Something found in the pixels, and what becomes of it.

    Attributes:
        boxes: What it covers, in pixels of the whole frame; a slanted line is a row of small boxes.
        verdict: Masked, kept or held for a person.
        rule: Why, in words without a value: ``text``, ``text: a laterality mark``, ``bar code``,
            ``by hand``, ``face``.
        confidence: From 0 to 1.
        frames: Frame numbers from 0; empty means every frame.
    """

    boxes: Sequence[Box]
    verdict: Verdict
    rule: str
    confidence: float = 1.0
    frames: Sequence[int] = ()
