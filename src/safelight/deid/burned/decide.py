"""Decide what becomes of what was found: masked, unless it is proven to be a harmless mark."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.burned.again import no_neighbour, part, turns
from safelight.deid.burned.beyond import explained
from safelight.deid.burned.grammar import Mark, parse
from safelight.deid.burned.near import near
from safelight.deid.burned.sight import NO_HINTS, Candidate, Hints, Sight, Sort
from safelight.deid.burned.spacing import NEXT, PAD, PIXELS, padded, pitch
from safelight.deid.burned.strip import Strip
from safelight.deid.text import Needles

__all__ = ["DEFAULT", "Policy", "decide"]

_GUARD: Final = 1.3
_CLOSE: Final = 0.5
_WIDE: Final = 2.5
_BRIDGE: Final = 2.0
_COMMON: Final = 0.3
_SAME: Final = 0.5
_TURNED: Final = 8
_FEW: Final = 3
_HALFWAY: Final = 0.15
_OUTSIDE: Final = 0.25
_LIKE: Final = 0.6
_MOST: Final = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How what was found is treated.

    Attributes:
        keep: Whether proven harmless marks stay.
        sure: Least mean confidence of a reading that proves something.
        least: Least confidence of every single character in it.
        sure_long: The same for marks of more than three characters, whose parse says more.
        least_long: The same for every character of theirs.
        review: Whether weak finds, which are taken for anatomy, are shown to a person.
    """

    keep: bool = True
    sure: float = 0.9
    least: float = 0.6
    sure_long: float = 0.8
    least_long: float = 0.4
    review: bool = False


DEFAULT: Final = Policy()


@dataclass(frozen=True, slots=True)
class _Judged:
    sight: Sight
    candidate: Candidate
    mark: Mark | None


def decide(
    sights: Sequence[Sight],
    needles: Needles | None,
    hints: Hints = NO_HINTS,
    policy: Policy = DEFAULT,
) -> list[Region]:
    """Return what becomes of everything found in the frames of one object or series.

    Args:
        sights: One for each frame or slice looked at, and one without a frame number for what the
            projections of the series show.
        needles: The subject's values; None when nothing is known of the subject.
        hints: What the header says.
        policy: How what was found is treated.
    """
    judged = [each for sight in _together(sights) for each in _judge(sight, needles, hints, policy)]
    judged = _agreed(judged)
    masks = [each for each in judged if not each.candidate.weak and each.mark is None]
    kept = [each for each in judged if each.mark is not None and not each.candidate.weak]
    out: list[Region] = []
    for each in judged:
        if each.candidate.weak and policy.review:
            out.append(_region(each, Verdict.REVIEW, "perhaps text"))
        elif not each.candidate.weak and each.mark is not None:
            out += _kept(each, each.mark, kept)
    return out + _masks(masks, kept, sights) + _bridges(masks, kept)


def _together(sights: Sequence[Sight]) -> list[Sight]:
    """Return one sight a frame: a mark that one view shows whole may be in pieces in another.

    So its pieces are known for what they are, and what any view shows beside it counts.
    """
    found: dict[tuple[int | None, int, int], Sight] = {}
    for sight in sights:
        key = (sight.frame, sight.rows, sight.columns)
        before = found.get(key)
        found[key] = (
            sight if before is None else replace(before, found=(*before.found, *sight.found))
        )
    return list(found.values())


def _judge(sight: Sight, needles: Needles | None, hints: Hints, policy: Policy) -> list[_Judged]:
    """Return the candidates of one picture, those that are proven harmless with their mark."""
    marks = [_proven(c, needles, policy, sight) for c in sight.found]
    proven = [c for c, mark in zip(sight.found, marks, strict=True) if mark is not None]
    # A piece of a line that was read as a whole is a mark no less than the line.
    found = [
        c
        for c, mark in zip(sight.found, marks, strict=True)
        if mark is not None or not part(c, proven)
    ]
    marks = _paired(found, [_proven(c, needles, policy, sight) for c in found])
    while True:
        masked = [c for c, mark in zip(found, marks, strict=True) if mark is None]
        lost = [
            place
            for place, (candidate, mark) in enumerate(zip(found, marks, strict=True))
            if mark is not None and not _apart(candidate, mark, masked, hints)
        ]
        if not lost:
            break
        for place in lost:
            marks[place] = None
    return [_Judged(sight, c, mark) for c, mark in zip(found, marks, strict=True)]


def _proven(
    candidate: Candidate, needles: Needles | None, policy: Policy, sight: Sight
) -> Mark | None:
    reading = candidate.reading
    if not policy.keep or candidate.sort is not Sort.TEXT or reading is None:
        return None
    mark = parse(reading.text)
    if mark is None:
        return None
    brief = mark.short or mark.ambiguous
    sure, least = (policy.sure, policy.least) if brief else (policy.sure_long, policy.least_long)
    if reading.sure < sure or reading.least < least:
        return None
    if needles is not None and near(reading.text, needles):
        return None
    if reading.turn and mark.short and turns(reading.text):
        return None
    if mark.kind == "orientation" and not _at_an_edge(candidate.strip, sight.rows, sight.columns):
        return None
    return mark


def _paired(found: Sequence[Candidate], marks: Sequence[Mark | None]) -> list[Mark | None]:
    """Take the proof from two letters for an oblique axis that stand alone: they may be initials.

    Viewers name the ends of two axes or more.
    """
    ends = {
        c.reading.text
        for c, mark in zip(found, marks, strict=True)
        if mark is not None and mark.kind == "orientation" and c.reading is not None
    }
    return [
        None
        if mark is not None
        and mark.kind == "orientation"
        and c.reading is not None
        and len(c.reading.text) > 1
        and ends == {c.reading.text}
        else mark
        for c, mark in zip(found, marks, strict=True)
    ]


def _at_an_edge(strip: Strip, rows: int, columns: int) -> bool:
    """Tell whether a strip is where viewers put the ends of the axes: halfway along an edge."""
    x, y = abs(strip.x / columns - 0.5), abs(strip.y / rows - 0.5)
    return min(x, y) < _HALFWAY and max(x, y) > _OUTSIDE


def _apart(candidate: Candidate, mark: Mark, masked: Sequence[Candidate], hints: Hints) -> bool:
    """Tell whether nothing masked stands so near that the mark may be a piece of it."""
    strip = candidate.strip
    inside = mark.kind == "measurement" and any(_in(strip, area) for area in hints.areas)
    for other in masked:
        if other.weak and (not mark.short or no_neighbour(other, candidate)):
            continue
        # A weak find of about the mark's height beside it would be writing (``in_company``).
        most = strip.height if other.weak else 2 * strip.height
        tall = max(strip.height, min(other.strip.height, most))
        along, across = _between(strip, other.strip)
        lone = (mark.short or mark.ambiguous) and not inside
        reach = max(_GUARD * tall, NEXT * pitch(other)) if lone else _CLOSE * tall
        if across < 0 and along <= reach:
            return False
        if mark.ambiguous and max(along, across) <= _WIDE * tall and not other.weak:
            return False
    return True


def _between(strip: Strip, other: Strip) -> tuple[float, float]:
    """Return the gaps along and across the first strip's direction; below 0 where they overlap."""
    ux, uy = strip.along
    dx, dy = other.x - strip.x, other.y - strip.y
    turn = math.radians(other.angle - strip.angle)
    half_along = (abs(math.cos(turn)) * other.length + abs(math.sin(turn)) * other.height) / 2
    half_across = (abs(math.sin(turn)) * other.length + abs(math.cos(turn)) * other.height) / 2
    along = abs(dx * ux + dy * uy) - strip.length / 2 - half_along
    across = abs(-dx * uy + dy * ux) - strip.height / 2 - half_across
    return along, across + 0.3 * min(strip.height, 2 * half_across)


def _in(strip: Strip, area: Box) -> bool:
    return area.x <= strip.x < area.x + area.w and area.y <= strip.y < area.y + area.h


def _agreed(judged: Sequence[_Judged]) -> list[_Judged]:
    """Leave out what projections could not read but every frame that shows it proves harmless."""
    single = [each for each in judged if each.sight.frame is not None and not each.candidate.weak]
    out = []
    for each in judged:
        if each.sight.frame is None and each.mark is None and each.candidate.sort is Sort.TEXT:
            over = [one for one in single if _overlap(each.candidate.strip, one.candidate.strip)]
            if over and all(one.mark is not None for one in over):
                continue
        out.append(each)
    return out


def _overlap(one: Strip, other: Strip) -> bool:
    """Tell whether the upright rectangles around two strips cover each other by more than half."""
    a, b = one.bounds(), other.bounds()
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return False
    least = min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
    return width * height > _SAME * least


def _kept(each: _Judged, mark: Mark, marks: Sequence[_Judged]) -> list[Region]:
    """Return what stays of a mark, and masks over what its line holds beyond its letters."""
    candidate = each.candidate
    if candidate.reading is None:
        return []
    strip, beyond = explained(candidate.strip, candidate.reading)
    stays = replace(each, candidate=replace(candidate, strip=strip))
    frame = each.sight.frame
    beside = [o.candidate.strip for o in marks if o is not each and o.sight.frame == frame]
    rest = [replace(each, candidate=replace(candidate, strip=b, reading=None)) for b in beyond]
    return [
        _region(stays, Verdict.KEEP, f"text: a mark of {mark.kind}"),
        *(_region(one, Verdict.MASK, "text: beside a mark", beside) for one in rest),
    ]


def _region(each: _Judged, verdict: Verdict, rule: str, kept: Sequence[Strip] = ()) -> Region:
    candidate = each.candidate
    strip = candidate.strip
    if verdict is Verdict.MASK and candidate.sort is Sort.TEXT:
        strip = padded(strip, kept, pitch(candidate))
    sure = candidate.reading.sure if verdict is Verdict.KEEP and candidate.reading else None
    return Region(
        boxes=strip.boxes(each.sight.rows, each.sight.columns),
        verdict=verdict,
        rule=rule,
        confidence=round(candidate.score if sure is None else sure, 3),
        frames=() if each.sight.frame is None else (each.sight.frame,),
    )


def _masks(
    masks: Sequence[_Judged], kept: Sequence[_Judged], sights: Sequence[Sight]
) -> list[Region]:
    """Return the masks; fixed overlays are masked in every frame."""
    frames = {sight.frame for sight in sights if sight.frame is not None}
    regions: dict[tuple[tuple[Box, ...], str], Region] = {}
    stay: dict[int | None, list[Strip]] = {}
    for each in kept:
        stay.setdefault(each.sight.frame, []).append(each.candidate.strip)
    for group in _fixed(masks, len(frames)):
        for each in group[1]:
            beside = stay.get(each.sight.frame, ())
            region = _region(each, Verdict.MASK, each.candidate.sort.value, beside)
            key = (tuple(region.boxes), region.rule)
            if group[0] or not region.frames:
                regions[key] = replace(region, frames=())
            elif key not in regions:
                regions[key] = region
            elif regions[key].frames:
                both = sorted({*regions[key].frames, *region.frames})
                regions[key] = replace(regions[key], frames=tuple(both))
    return list(regions.values())


def _fixed(masks: Sequence[_Judged], frames: int) -> list[tuple[bool, list[_Judged]]]:
    """Group masks that stand at the same place; True for those that are part of every frame."""
    groups: list[tuple[Strip, list[_Judged]]] = []
    for each in masks:
        strip = each.candidate.strip
        for first, members in groups:
            if members[0].candidate.sort is each.candidate.sort and _alike(first, strip):
                members.append(each)
                break
        else:
            groups.append((strip, [each]))
    out = []
    for _, members in groups:
        seen = {each.sight.frame for each in members}
        fixed = None in seen or (frames >= _FEW and len(seen) >= max(2, _COMMON * frames))
        # Members differ by a pixel or two: where the overlay is fixed, all of their extents count.
        out.append((fixed, members))
    return out


def _alike(one: Strip, other: Strip) -> bool:
    near_by = math.hypot(one.x - other.x, one.y - other.y) < _LIKE * min(one.height, other.height)
    return near_by and _LIKE < one.length / other.length < 1 / _LIKE


def _bridges(masks: Sequence[_Judged], kept: Sequence[_Judged]) -> list[Region]:
    """Mask the gap between two masked pieces of one line: a faint word may stand in it."""
    frames: dict[int | None, list[_Judged]] = {}
    for each in masks:
        if each.candidate.sort is Sort.TEXT:
            frames.setdefault(each.sight.frame, []).append(each)
    out = []
    for frame, text in frames.items():
        stay = [each.candidate.strip for each in kept if each.sight.frame == frame]
        for place, one in enumerate(text[:_MOST]):
            for other in text[place + 1 : _MOST]:
                gap = _gap(one.candidate, other.candidate)
                if gap is not None and not any(_overlap(gap, strip) for strip in stay):
                    out.append(
                        Region(
                            boxes=gap.boxes(one.sight.rows, one.sight.columns),
                            verdict=Verdict.MASK,
                            rule="text: the gap in a line",
                            frames=() if frame is None else (frame,),
                        )
                    )
    return out


def _gap(one: Candidate, other: Candidate) -> Strip | None:
    """Return the strip between two pieces of one line; None when they are none."""
    a, b = one.strip, other.strip
    if abs((a.angle - b.angle + 90) % 180 - 90) > _TURNED:
        return None
    along, across = _between(a, b)
    tall, short = max(a.height, b.height), min(a.height, b.height)
    reach = max(_BRIDGE * tall, NEXT * max(pitch(one), pitch(other)))
    if across > -0.4 * short or not 0 < along <= reach or tall > 1.8 * short:
        return None
    ux, uy = a.along
    way = 1 if (b.x - a.x) * ux + (b.y - a.y) * uy > 0 else -1
    reach_a, reach_b = way * (a.length + along) / 2, way * (b.length + along) / 2
    gap = replace(
        a,
        x=(a.x + ux * reach_a + b.x - ux * reach_b) / 2,
        y=(a.y + uy * reach_a + b.y - uy * reach_b) / 2,
        length=along,
        height=tall,
    )
    return gap.padded(PIXELS, PAD * tall + PIXELS)
