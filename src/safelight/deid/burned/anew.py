"""Read what may be a mark once more: upright, whole and with more around it.

The finder often takes a part of a short mark for all of it, such as the stem of an L, or takes it
for a line that runs upwards. Read anew it counts only where several extents say the same, and
what it stands beside guards it as ever (``decide``).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from safelight.deid.burned.again import part
from safelight.deid.burned.find import Grey
from safelight.deid.burned.grammar import parse
from safelight.deid.burned.read import MARGIN, Reader, Reading
from safelight.deid.burned.sight import Candidate, Sort
from safelight.deid.burned.stack import layered
from safelight.deid.burned.strip import Strip

__all__ = ["anew"]

_AROUND: Final = ((0.0, 0.0), (0.2, 0.1), (0.5, 0.25))  # of the height, at each end and side
_WIDE: Final = 0.45  # of its height: a letter is as wide
_SLIM: Final = 0.8  # of its height: a strip so narrow may be one stroke of a letter
_SURE: Final = 0.9
_LEAST: Final = 0.6
_AGREE: Final = 2
_NEARLY: Final = 0.75  # where all extents say the same
_SLENDER: Final = 4.5
_LEVEL: Final = 12
_LETTERS: Final = 3
_PLAIN: Final = 2
_REACH: Final = 1.5  # of a strip's longer side
_FURTHEST: Final = 64
_GROWN: Final = 3.0
_SHARE: Final = 0.3  # of the ink in a strip
_LEAST_PIXELS: Final = 4
_ROOM: Final = 0.35  # of a mark's height: no letter has room there
_ASIDE: Final = 0.6  # of it: no more than one has
_SILENT: Final = 0.5
_GAP: Final = 1.5  # of the height of letters that are spread
_SHARED: Final = 0.6
_UNLIKE: Final = 1.6
_LEGIBLE: Final = 0.8


def anew(reader: Reader, grey: Grey, found: Sequence[Candidate]) -> list[Candidate]:
    """Return the finds of a plane, short ones that are read as marks now with that reading.

    Args:
        reader: The recogniser.
        grey: The plane, (rows, columns).
        found: What was found in it.
    """
    out = [_reread(reader, grey, one) if _asked(one) else one for one in found]
    out = _spread(reader, grey, out)
    for place, mark in enumerate(out):
        if _proven(mark):
            out[place] = _alone(reader, grey, mark, out)
    return out


def _proven(one: Candidate) -> bool:
    reading = one.reading
    return (
        not one.weak
        and one.sort is Sort.TEXT
        and reading is not None
        and not reading.turn
        and _good(reading)
    )


def _good(reading: Reading) -> bool:
    """Tell whether a mark was read; two letters for an oblique axis may be initials."""
    mark = parse(reading.text) if reading.sure >= _SURE and reading.least >= _LEAST else None
    return mark is not None and (mark.kind != "orientation" or len(_said(reading)) == 1)


def _asked(one: Candidate) -> bool:
    """Tell whether a find may be a short mark that was not read as one, or is part of one."""
    strip, reading = one.strip, one.reading
    short, long = sorted((strip.length, strip.height))
    level = (strip.angle + 45) % 90 - 45
    if one.sort is not Sort.TEXT or one.weak or long > _SLENDER * short:
        return False
    if abs(level) > _LEVEL and long > 2 * short:
        return False
    if reading is None:
        return True
    letters = sum(map(str.isalnum, reading.text))
    other = bool(reading.turn) or parse(reading.text) is None
    if letters >= _PLAIN and reading.sure >= _LEGIBLE and other:
        return False
    return letters <= (_LETTERS if _proven(one) else 2 * _LETTERS)


def _reread(reader: Reader, grey: Grey, one: Candidate) -> Candidate:
    strip = _box(*one.strip.bounds())
    whole = _grown(grey, strip)
    extents = [whole] if whole != strip else []
    if not _proven(one):
        extents.append(strip)
    for each in extents:
        reading = _agreed(reader, grey, each)
        if reading is not None:
            return replace(one, strip=each, reading=reading)
    return one


def _agreed(reader: Reader, grey: Grey, strip: Strip) -> Reading | None:
    """Return what a strip says where readings of several extents agree that it is a mark."""
    slim = 0.5 * strip.height if strip.length < _SLIM * strip.height else 0.0
    extents = [
        strip.padded(along * strip.height + (slim if along else 0.0), across * strip.height)
        for along, across in _AROUND
    ]
    readings = reader.read(grey, extents, thorough=False)
    good = [place for place, one in enumerate(readings) if _good(one)]
    said = {_said(readings[place]) for place in good}
    if len(said) != 1:
        return None
    alike = [one for one in readings if _said(one) in said]
    others = [one for one in readings if _said(one) not in said]
    if any(one.sure >= _SURE for one in others) or layered(grey, strip):
        return None
    if len(good) < _AGREE and (others or min(one.least for one in alike) < _NEARLY):
        return None
    if strip.length < _WIDE * strip.height * len(said.pop()):
        return None  # letters are wider: a line that runs upwards can look like one of them
    return _seen_in(strip, extents[good[0]], readings[good[0]])


def _said(reading: Reading) -> str:
    return "".join(filter(str.isalnum, reading.text.upper()))


def _seen_in(strip: Strip, extent: Strip, reading: Reading) -> Reading:
    """Return a reading of an extent around a strip as one of the strip."""
    wide = extent.length + 2 * (MARGIN * extent.height + 1)
    whole = strip.length + 2 * (MARGIN * strip.height + 1)
    start, stop = (
        min(max((place * wide - (wide - whole) / 2) / whole, 0.0), 1.0)
        for place in (reading.start, reading.stop)
    )
    return replace(reading, start=start, stop=stop)


def _grown(grey: Grey, strip: Strip) -> Strip:
    """Return a strip drawn out to the ink that it is part of; as it is where that is unclear."""
    left, top, right, bottom = (round(side) for side in strip.bounds())
    side = max(right - left, bottom - top)
    pad = min(round(_REACH * side), _FURTHEST)
    x, y = max(left - pad, 0), max(top - pad, 0)
    crop = np.ascontiguousarray(grey[y : bottom + pad, x : right + pad])
    own = np.s_[max(top, 0) - y : bottom - y, max(left, 0) - x : right - x]
    if min(crop.shape) < _LEAST_PIXELS or not crop[own].size:
        return strip
    level, _ = cv2.threshold(crop, 0, 255, cv2.THRESH_OTSU)
    light = crop > level
    ink = light if light.mean() < 0.5 else ~light  # noqa: PLR2004 - most of it is ground
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    rows, columns = crop.shape
    box = [left - x, top - y, right - x, bottom - y]
    inside = np.bincount(labels[own].ravel(), minlength=count)
    for label in np.flatnonzero(inside):
        if not label:
            continue
        a, b, wide, high, _area = (int(value) for value in stats[label])
        beyond = min(a - box[0], b - box[1], box[2] - a - wide, box[3] - b - high) < 0
        if beyond and inside[label] < _SHARE * inside[1:].sum():
            return strip  # a letter beside it that it touches
        edge = (a == 0 and x > 0) or (b == 0 and y > 0) or a + wide == columns or b + high == rows
        if edge or max(wide, high) > _GROWN * side:
            return strip
        box = [min(box[0], a), min(box[1], b), max(box[2], a + wide), max(box[3], b + high)]
    return _box(*(float(at + corner) for at, corner in zip(box, (x, y, x, y), strict=True)))


def _alone(reader: Reader, grey: Grey, mark: Candidate, found: Sequence[Candidate]) -> Candidate:
    """Return a mark that is as large as what was seen of it elsewhere, askew or in pieces.

    Both are read together: where that is the mark again, and what the other has beyond it says
    nothing, nothing else stands there.
    """
    for other in found:
        if other is mark or other.weak or other.sort is not Sort.TEXT or _proven(other):
            continue
        union = _around(reader, grey, mark.strip, other.strip)
        if union is None or mark.reading is None or part(other, [mark]):
            continue
        reading = _agreed(reader, grey, union)
        if reading is not None and _said(reading) == _said(mark.reading):
            mark = replace(mark, strip=union, reading=reading)
    return mark


def _around(reader: Reader, grey: Grey, mark: Strip, other: Strip) -> Strip | None:
    """Return the rectangle around a mark and a find that lies on it; None where it goes far."""
    a, b = mark.bounds(), other.bounds()
    if min(a[2], b[2]) <= max(a[0], b[0]) or min(a[3], b[3]) <= max(a[1], b[1]):
        return None
    union = _box(min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
    left, top, right, bottom = union.bounds()
    room, most = _ROOM * mark.height, _ASIDE * mark.height
    before, after = a[0] - left, right - a[2]
    if max(a[1] - top, bottom - a[3]) > room or max(before, after) > most:
        return None
    beside = []
    if before > room:
        beside.append(_box(left, top, a[0], bottom))
    if after > room:
        beside.append(_box(a[2], top, right, bottom))
    if any(one.sure >= _SILENT for one in reader.read(grey, beside, thorough=False)):
        return None
    return union


def _spread(reader: Reader, grey: Grey, found: Sequence[Candidate]) -> list[Candidate]:
    """Return finds, those in one row that are one mark together as one: its letters are spread."""
    out = list(found)
    for first in found:
        row = [first]
        rest = [one for one in out if one is not first and _legible(one)]
        if first not in out or not _legible(first):
            continue
        while following := [one for one in rest if _follows(row[-1].strip, one.strip)]:
            row.append(min(following, key=lambda one: one.strip.x))
        if len(row) == 1 or any(_follows(one.strip, first.strip) for one in rest):
            continue
        bounds = np.array([one.strip.bounds() for one in row])
        whole = _box(*bounds[:, :2].min(axis=0), *bounds[:, 2:].max(axis=0))
        reading = _agreed(reader, grey, whole)
        said = "".join(_said(one.reading) for one in row if one.reading is not None)
        if reading is not None and _said(reading) == said:
            out = [one for one in out if one not in row]
            out.append(replace(first, strip=whole, reading=reading))
    return out


def _legible(one: Candidate) -> bool:
    reading = one.reading
    if one.weak or one.sort is not Sort.TEXT or reading is None or one.strip.angle:
        return False
    return reading.sure >= _LEGIBLE and 0 < len(_said(reading)) <= _LETTERS and not reading.turn


def _follows(one: Strip, other: Strip) -> bool:
    """Tell whether a strip comes next after another in a row of spread letters."""
    a, b = one.bounds(), other.bounds()
    tall, short = max(one.height, other.height), min(one.height, other.height)
    shared = min(a[3], b[3]) - max(a[1], b[1])
    return tall <= _UNLIKE * short and shared >= _SHARED * short and 0 < b[0] - a[2] <= _GAP * tall


def _box(left: float, top: float, right: float, bottom: float) -> Strip:
    return Strip(
        x=(left + right) / 2, y=(top + bottom) / 2, length=right - left, height=bottom - top
    )
