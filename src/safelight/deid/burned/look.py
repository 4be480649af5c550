"""Look at one picture: every scale that may pay, then second opinions only where something is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from safelight.deid.burned import barcodes, find, last, lines, verify
from safelight.deid.burned.anew import anew
from safelight.deid.burned.company import apart, distinct, in_company
from safelight.deid.burned.find import Grey, Levels, Segments
from safelight.deid.burned.grammar import parse
from safelight.deid.burned.lines import Line
from safelight.deid.burned.memory import Memory
from safelight.deid.burned.read import Reader, Reading
from safelight.deid.burned.sight import NO_HINTS, Candidate, Hints, Shown, Sight, Sort
from safelight.deid.burned.stack import layered, stacked
from safelight.deid.burned.strip import Floats, Strip
from safelight.deid.burned.trees import Trees
from safelight.deid.burned.verify import Opinion, Peaks
from safelight.deid.burned.views import SHRUNK, planes, sharpened, shrunk

__all__ = ["LEVELS", "Eyes", "Maps"]

#: The thresholds of the first look, chosen on generated pictures (``docs/burned-in.md``).
LEVELS: Final = Levels()

_SOME: Final = 12
_LOOKS: Final = 0.7
_SEEN: Final = 0.3
_SENSE: Final = 0.8
_UNDENIED: Final = 0.98
_LEGIBLE: Final = 0.8
_ZOOM: Final = 2.0
_ZOOM_PIXELS: Final = 400_000
_UNWRITTEN: Final = 800_000
_ZOOM_WRITTEN: Final = 1_000_000
_WHOLE: Final = 1_300_000
_CLEAR: Final = 0.97
_MORE: Final = 3.0
_READ_LONGEST: Final = 24.0
_AROUND: Final = (2.0, 8.0)  # of a line's lesser side, and in pixels at least
_HALO: Final = 0.4  # of a line's height: where its own blur is sharpened


@dataclass(frozen=True, slots=True)
class Maps:
    """What the segmenter gave at full size, at half and below, and at twice the size."""

    full: Floats
    half: Floats
    zoom: Floats | None

    def peaks(self, strip: Strip) -> Peaks:
        """Return the greatest probabilities in the upright rectangle around a strip."""
        window = _window(strip)
        full, half, zoom = (
            0.0 if plane is None else float(plane[window].max(initial=0.0))
            for plane in (self.full, self.half, self.zoom)
        )
        share, least = _AROUND
        room = max(least, share * min(strip.height, strip.length))
        outer = self.full[_window(strip, int(room))]
        inner = self.full[window]
        aside = max(outer.size - inner.size, 1)
        return Peaks(
            full,
            half,
            zoom,
            seen_aside=np.count_nonzero(outer > _SEEN) / aside
            - np.count_nonzero(inner > _SEEN) / aside,
            mean_aside=float(outer.sum() - inner.sum()) / aside,
        )


class Eyes:
    """All engines, each loaded when it is first needed."""

    def __init__(self) -> None:
        self._looks: Memory[last.Again] = Memory()

    @cached_property
    def segments(self) -> Segments:
        """The text-pixel network."""
        from safelight.deid.burned.segment import Segmenter  # noqa: PLC0415  # start-up cost

        return Segmenter.load()

    @cached_property
    def second(self) -> Segments:
        """The network that is asked once more about what could not be read."""
        from safelight.deid.burned.segment import Segmenter  # noqa: PLC0415  # start-up cost

        return Segmenter.load(name="text-again.onnx")

    @cached_property
    def trees(self) -> Trees:
        """What has the last word on a line that cannot be read for certain."""
        return Trees.load(last.TREES)

    @cached_property
    def reader(self) -> Reader:
        """The recogniser."""
        return Reader()

    def look(
        self,
        picture: Shown,
        hints: Hints = NO_HINTS,
        frame: int | None = 0,
        levels: Levels = LEVELS,
        others: Sequence[Shown] = (),
    ) -> Sight:
        """Return what is found in a picture.

        Args:
            picture: As a viewer shows it.
            hints: What the header says; it can only ask for more.
            frame: Its number, or None for a projection over all frames.
            levels: The thresholds.
            others: The same frame shown otherwise, such as without its window.
        """
        rows, columns = picture.grey.shape
        found: list[Candidate] = []
        for view in (picture, *others):
            grey = np.ascontiguousarray(view.grey)
            found += [
                Candidate(
                    sort=Sort.CODE if read else Sort.PATTERN,
                    strip=strip,
                    score=1.0 if read else _LOOKS,
                )
                for strip, read in barcodes.codes(grey)
            ]
            for plane, left, top in planes(view, grey):
                seen, maps = self.lines(plane, hints, levels)
                judged = self._judged(plane, seen, maps)
                judged += self._sharper(plane, judged, maps, levels)
                judged = anew(self.reader, plane, judged)
                found += [replace(one, strip=one.strip.scaled(1.0, left, top)) for one in judged]
        return Sight(rows=rows, columns=columns, frame=frame, found=distinct(found))

    def lines(self, grey: Grey, hints: Hints, levels: Levels) -> tuple[list[Line], Maps]:
        """Return the lines that the segmenter sees in one plane, and its maps.

        Args:
            grey: The plane, (rows, columns).
            hints: What the header says.
            levels: The thresholds.
        """
        full = self.segments.probability(grey, 1.0)
        coarse = [
            (scale, self.segments.probability(grey, scale))
            for scale in find.scales_for(*grey.shape, more=hints.closer)
        ]
        half = np.zeros_like(full) if not coarse else coarse[0][1]
        for _scale, plane in coarse[1:]:
            half = np.maximum(half, plane)
        if max(float(full.max(initial=0.0)), float(half.max(initial=0.0))) < find.SUSPECT:
            return [], Maps(full=full, half=half, zoom=None)
        zoom = self._closer(grey, full, half)
        fine = full if zoom is None else np.maximum(full, zoom)
        best = find.merged(fine, coarse)
        found = find.pieces(best, levels)
        if find.leaning(found):
            best = np.maximum(best, find.slanted(self.segments, grey))
            found = find.pieces(best, levels)
        joined = lines.join(found, levels)
        whole = [lines.completed(line, best, levels) for line in joined]
        return whole, Maps(full=full, half=half, zoom=zoom)

    def _closer(self, grey: Grey, full: Floats, half: Floats) -> Floats | None:
        """Look at twice the size where something small is suspected: tiny letters are seen there.

        Where there is writing, there is often more, and tiny and faint letters show at twice the
        size only: then all of the picture is looked at, of a large one what has weak signs.

        Returns:
            The probability, 0 where nothing was looked at; None when nothing was.
        """
        written = np.count_nonzero(full > _CLEAR) >= _SOME
        if grey.size <= (_WHOLE if written else _UNWRITTEN):
            return self.segments.probability(grey, _ZOOM)
        threshold, most = (
            (find.SUSPECT / 2, _ZOOM_WRITTEN) if written else (find.SUSPECT, _ZOOM_PIXELS)
        )
        out = None
        looked = 0
        for left, top, right, bottom in find.suspects(full, half, threshold):
            looked += (right - left) * (bottom - top)
            if looked > most:
                break
            crop = np.ascontiguousarray(grey[top:bottom, left:right])
            if out is None:
                out = np.zeros(grey.shape, np.float32)
            out[top:bottom, left:right] = self.segments.probability(crop, _ZOOM)
        return out

    def _sharper(
        self, grey: Grey, found: Sequence[Candidate], maps: Maps, levels: Levels
    ) -> list[Candidate]:
        """Look at the sharpened plane where something seems to be: blurred and faint letters show.

        What was read already is company there and not looked at again.
        """
        if float(maps.full.max(initial=0.0)) < find.SUSPECT:
            return []
        plain = [one for one in found if not one.weak and verify.plain(one.reading)]
        sharp = sharpened(grey)
        full = self.segments.probability(sharp)
        half = shrunk(self.segments, grey) if plain else np.zeros_like(full)
        for one in plain:
            room = _HALO * one.strip.height
            around = one.strip.padded(room, room).bounds()
            left, top, right, bottom = (max(round(side), 0) for side in around)
            full[top:bottom, left:right] = half[top:bottom, left:right] = 0
        best = find.merged(full, [(SHRUNK, half)])
        more = lines.join(find.pieces(best, levels), levels)
        seen = replace(maps, full=full, half=half if plain else maps.half)
        judged = self._judged(sharp, more, seen, plain, grey)
        return [one for one in judged if not one.weak]

    def _judged(
        self,
        grey: Grey,
        seen: Sequence[Line],
        maps: Maps,
        company: Sequence[Candidate] = (),
        before: Grey | None = None,
    ) -> list[Candidate]:
        """Weigh what speaks for each line, asking the dearer engines only where it is open.

        Args:
            grey: The plane.
            seen: The lines.
            maps: What the segmenter gave.
            company: What was found elsewhere.
            before: The plane that ``grey`` is a sharpened form of.
        """
        out: list[Candidate] = []
        unread: list[Opinion] = []
        written = company or np.count_nonzero(maps.full > _CLEAR) >= _SOME
        for line in seen:
            opinion = Opinion(line, maps.peaks(line.strip))
            score = verify.alone(opinion)
            low, high = verify.ALONE
            low -= _MORE if written else 0.0
            short = line.strip.length <= _READ_LONGEST * line.strip.height
            if score < low and opinion.peaks.full < _UNDENIED:
                out.append(_candidate(opinion, weak=True))
            elif score >= high and not short:
                out.append(_candidate(opinion, weak=False))
            else:
                unread.append(opinion)
        readings = self.reader.read(grey, [opinion.line.strip for opinion in unread])
        whole: list[Opinion] = []
        for opinion, reading in zip(unread, readings, strict=True):
            parts = self._parted(grey, opinion, reading)
            out += parts
            if not parts:
                whole.append(replace(opinion, reading=reading))
        return in_company(out + self._settled(grey, whole, [*company, *out], before))

    def _settled(
        self,
        grey: Grey,
        opinions: Sequence[Opinion],
        beside: Sequence[Candidate],
        before: Grey | None,
    ) -> list[Candidate]:
        """Have the last word on lines that were read, where they were not read for certain."""
        clear = [one.strip for one in beside if not one.weak and verify.plain(one.reading)]
        clear += [opinion.line.strip for opinion in opinions if verify.certain(opinion)]
        return [
            _candidate(opinion, weak=self._dismissed(grey, opinion, clear, before))
            for opinion in opinions
        ]

    def _dismissed(
        self, grey: Grey, opinion: Opinion, clear: Sequence[Strip], before: Grey | None
    ) -> bool:
        if verify.certain(opinion):
            return False
        # A letter alone names nobody, and sharpened a mark's broken stem looks like one.
        if verify.read(opinion) < verify.READ[0] or (before is not None and verify.lone(opinion)):
            return True
        least = last.least(opinion.line.strip, grey, sharpened=before is not None)
        return self._word(grey, opinion, clear, before) < least

    def _word(
        self, grey: Grey, opinion: Opinion, clear: Sequence[Strip], before: Grey | None
    ) -> float:
        """Return the last word: the logit of a line's being writing."""
        return self.trees.score(self._facts(grey, opinion, clear, before))

    def _facts(
        self, grey: Grey, opinion: Opinion, clear: Sequence[Strip], before: Grey | None
    ) -> list[float]:
        strip = opinion.line.strip
        return last.facts(
            opinion,
            self._again(grey, strip),
            None if before is None else self._again(before, strip),
            company=sum(apart(strip, other) for other in clear),
        )

    def _parted(self, grey: Grey, opinion: Opinion, reading: Reading) -> list[Candidate]:
        """Return the lines of a block that is read as none, or as a mark that is but one of them.

        Empty when there is one line. A mark with lines beside it that nobody can read is no mark:
        the block comes back unread.
        """
        strip = opinion.line.strip
        unread = [_candidate(opinion, weak=False)]
        mark = parse(reading.text) is not None and reading.sure >= _SENSE
        if reading.sure >= _SENSE and not mark:
            return []
        level = not strip.angle and not reading.turn % 180  # ``stacked`` parts rows of the picture
        apart = level or _rows(grey, strip, reading) if mark else strip.angle in {0.0, 90.0}
        strips = stacked(grey, strip) if apart else []
        if not strips:
            return unread if mark and layered(grey, _as_read(strip, reading)) else []
        readings = self.reader.read(grey, strips, thorough=False)
        if not readings or sum(one.sure for one in readings) < _LEGIBLE * len(readings):
            return unread if mark and readings else []
        out = []
        for part, one in zip(strips, readings, strict=True):
            # What is no mark is masked over the whole width: its faint ends may be trimmed here.
            whole = replace(
                part, x=strip.x, length=strip.length if not strip.angle else strip.height
            )
            line = replace(opinion.line, strip=part if parse(one.text) else whole, count=1)
            out.append(_candidate(Opinion(line, opinion.peaks, one), weak=False))
        return out

    def _again(self, grey: Grey, strip: Strip) -> last.Again:
        """Return what the second network sees in a strip."""
        known = self._looks.find(grey, strip)
        if known is None:
            known = last.again(self.second, grey, strip)
            self._looks.keep(grey, strip, known)
        return known


def _window(strip: Strip, room: int = 0) -> tuple[slice, slice]:
    """Return the rows and columns of the upright rectangle around a strip and its surroundings."""
    left, top, right, bottom = (int(side) for side in strip.bounds())
    rows = slice(max(top - room, 0), max(bottom + room, 0) + 1)
    return rows, slice(max(left - room, 0), max(right + room, 0) + 1)


def _as_read(strip: Strip, reading: Reading) -> Strip:
    """Return the strip with its length along the letters as they were read."""
    if not reading.turn % 180:
        return strip
    return replace(strip, length=strip.height, height=strip.length, angle=strip.angle + 90)


def _rows(grey: Grey, strip: Strip, reading: Reading) -> bool:
    """Tell whether an upright strip that was read up or down holds more rows than letters.

    Those are lines: initials below an L, say, that together looked like a letter on its side.
    """
    if strip.angle not in {0.0, 90.0}:
        return False
    return len(stacked(grey, strip)) > sum(not char.isspace() for char in reading.text)


def _candidate(opinion: Opinion, *, weak: bool) -> Candidate:
    return Candidate(
        sort=Sort.TEXT,
        strip=opinion.line.strip,
        score=min(opinion.line.peak, 1.0),
        reading=opinion.reading,
        weak=weak,
    )
