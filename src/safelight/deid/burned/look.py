"""Look at one picture: every scale that may pay, then second opinions only where something is."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final

import cv2
import numpy as np

from safelight.deid.burned import barcodes, find, lines
from safelight.deid.burned.detector import Detector
from safelight.deid.burned.find import Grey, Levels, Piece, Segments
from safelight.deid.burned.lines import Line
from safelight.deid.burned.read import Reader
from safelight.deid.burned.sight import NO_HINTS, Candidate, Hints, Shown, Sight, Sort
from safelight.deid.burned.strip import Floats, Strip

__all__ = ["LEVELS", "Eyes", "distinct"]

#: The thresholds of the first look, chosen on generated pictures (``docs/burned-in.md``).
LEVELS: Final = Levels()

_COLOURED: Final = 24
_SOME: Final = 32
_LIKE: Final = 0.7
_SMALL: Final = 12.0
_ZOOM: Final = 2.0
_ZOOM_PAD: Final = 24
_ZOOM_PIXELS: Final = 400_000
_READ_LONGEST: Final = 24.0


class Eyes:
    """All engines, each loaded when it is first needed."""

    @cached_property
    def segments(self) -> Segments:
        """The text-pixel network."""
        from safelight.deid.burned.segment import Segmenter  # noqa: PLC0415  # start-up cost

        return Segmenter.load()

    @cached_property
    def reader(self) -> Reader:
        """The recogniser."""
        return Reader()

    @cached_property
    def detector(self) -> Detector:
        """The second text detector."""
        return Detector()

    def look(
        self,
        picture: Shown,
        hints: Hints = NO_HINTS,
        frame: int | None = 0,
        levels: Levels = LEVELS,
    ) -> Sight:
        """Return what is found in a picture.

        Args:
            picture: As a viewer shows it.
            hints: What the header says; it can only ask for more.
            frame: Its number, or None for a projection over all frames.
            levels: The thresholds.
        """
        grey = np.ascontiguousarray(picture.grey)
        rows, columns = grey.shape
        found: list[Candidate] = [
            Candidate(
                sort=Sort.CODE if read else Sort.PATTERN, strip=strip, score=1.0 if read else 0.7
            )
            for strip, read in barcodes.codes(grey)
        ]
        for plane in planes(picture, grey):
            seen = self._lines(plane, hints, levels)
            found += self._judged(plane, seen)
        return Sight(rows=rows, columns=columns, frame=frame, found=distinct(found))

    def _lines(self, grey: Grey, hints: Hints, levels: Levels) -> list[Line]:
        scales = find.scales_for(*grey.shape, more=hints.closer)
        probability = find.look_at(self.segments, grey, scales)
        found = find.pieces(probability, levels)
        if not found:
            return []
        if self._closer(grey, probability, found, scales):
            found = find.pieces(probability, levels)
        if find.leaning(found):
            np.maximum(probability, find.slanted(self.segments, grey), out=probability)
            found = find.pieces(probability, levels)
        joined = lines.join(found, levels)
        return [lines.completed(line, probability, levels) for line in joined]

    def _closer(
        self, grey: Grey, probability: Floats, found: Sequence[Piece], scales: Sequence[float]
    ) -> bool:
        """Look at twice the size where something small is; the map gains what is seen there."""
        if max(scales) >= _ZOOM:
            return False
        small = [piece for piece in found if min(piece.strip.height, piece.strip.length) <= _SMALL]
        looked = 0
        for left, top, right, bottom in _clusters([p.strip for p in small], *grey.shape):
            looked += (right - left) * (bottom - top)
            if looked > _ZOOM_PIXELS:
                break
            crop = np.ascontiguousarray(grey[top:bottom, left:right])
            seen = self.segments.probability(crop, _ZOOM)
            part = probability[top:bottom, left:right]
            np.maximum(part, seen, out=part)
        return bool(small)

    def _judged(self, grey: Grey, seen: Sequence[Line]) -> list[Candidate]:
        """Read what is short enough to be a mark, and tell the lines that nothing confirms."""
        short = [line for line in seen if line.strip.length <= _READ_LONGEST * line.strip.height]
        readings = dict(
            zip(map(id, short), self.reader.read(grey, [line.strip for line in short]), strict=True)
        )
        return [
            Candidate(
                sort=Sort.TEXT,
                strip=line.strip,
                score=min(line.peak, 1.0),
                reading=readings.get(id(line)),
            )
            for line in seen
        ]


def planes(picture: Shown, grey: Grey) -> list[Grey]:
    """Return what must be looked at: the grey, and the channels where colours hide writing."""
    rgb = picture.rgb
    if rgb is None:
        return [grey]
    high, low = rgb.max(axis=2), rgb.min(axis=2)
    out = [grey]
    if np.count_nonzero(cv2.absdiff(high, low) > _COLOURED) > _SOME:
        out += [np.ascontiguousarray(high), np.ascontiguousarray(low)]
    return out


def distinct(found: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Leave out what another candidate of its kind covers already, the surer reading kept."""
    out: list[Candidate] = []
    for one in sorted(found, key=lambda c: -(c.reading.sure if c.reading else c.score)):
        for place, other in enumerate(out):
            if one.sort is other.sort and _same(one.strip, other.strip):
                out[place] = replace(other, strip=_wider(other.strip, one.strip))
                break
        else:
            out.append(one)
    return tuple(out)


def _same(one: Strip, other: Strip) -> bool:
    near = abs(one.x - other.x) + abs(one.y - other.y) < _LIKE * min(one.height, other.height)
    return near and _LIKE < one.length / other.length < 1 / _LIKE


def _wider(one: Strip, other: Strip) -> Strip:
    """Return the first strip, as long and high as the larger of both."""
    return replace(one, length=max(one.length, other.length), height=max(one.height, other.height))


def _clusters(strips: Sequence[Strip], rows: int, columns: int) -> list[tuple[int, int, int, int]]:
    """Return rectangles (left, top, right, bottom) around strips that stand near each other."""
    mask = np.zeros((rows // 8 + 1, columns // 8 + 1), np.uint8)
    for strip in strips:
        left, top, right, bottom = (round(side / 8) for side in strip.bounds())
        mask[max(top - 3, 0) : bottom + 4, max(left - 3, 0) : right + 4] = 1
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    out = []
    for label in range(1, count):
        left, top, width, height = (8 * int(value) for value in stats[label][:4])
        out.append((left, top, min(left + width, columns), min(top + height, rows)))
    return sorted(out, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
