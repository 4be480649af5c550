"""Look at one picture: every scale that may pay, then second opinions only where something is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import cv2
import numpy as np

from safelight.deid.burned import barcodes, find, last, lines, verify
from safelight.deid.burned.company import apart, distinct, in_company
from safelight.deid.burned.detector import Detector
from safelight.deid.burned.find import Grey, Levels, Segments
from safelight.deid.burned.grammar import parse
from safelight.deid.burned.lines import Line
from safelight.deid.burned.memory import Memory
from safelight.deid.burned.read import Reader, Reading
from safelight.deid.burned.sight import NO_HINTS, Candidate, Hints, Shown, Sight, Sort
from safelight.deid.burned.stack import layered, stacked
from safelight.deid.burned.strip import Floats, Strip
from safelight.deid.burned.verify import Opinion, Peaks
from safelight.deid.burned.views import SHRUNK, crisp, planes, sharpened, shrunk, stands_out

__all__ = ["LEVELS", "Eyes", "Maps"]

#: The thresholds of the first look, chosen on generated pictures (``docs/burned-in.md``).
LEVELS: Final = Levels()

_SOME: Final = 12
_LOOKS: Final = 0.7
_SENSE: Final = 0.8
_UNDENIED: Final = 0.98
_LEGIBLE: Final = 0.8
_ZOOM: Final = 2.0
_SURROUNDINGS: Final = 24
_DETECTED: Final = 24.0
_ZOOM_PIXELS: Final = 400_000
_UNWRITTEN: Final = 800_000
_ZOOM_WRITTEN: Final = 1_000_000
_WHOLE: Final = 1_300_000
_CLEAR: Final = 0.97
_MORE: Final = 2.5
_READ_LONGEST: Final = 24.0
_AGAIN: Final = 0.7
_FLOOR: Final = -4.0
_HALO: Final = 0.4  # of a line's height: where its own blur is sharpened


@dataclass(frozen=True, slots=True)
class Maps:
    """What the segmenter gave at full size, at half and below, and at twice the size."""

    full: Floats
    half: Floats
    zoom: Floats | None

    def peaks(self, strip: Strip) -> Peaks:
        """Return the greatest probabilities in the upright rectangle around a strip."""
        left, top, right, bottom = strip.bounds()
        window = np.s_[
            max(int(top), 0) : max(int(bottom), 0) + 1, max(int(left), 0) : max(int(right), 0) + 1
        ]
        full, half, zoom = (
            0.0 if plane is None else float(plane[window].max(initial=0.0))
            for plane in (self.full, self.half, self.zoom)
        )
        return Peaks(full, half, zoom)


class Eyes:
    """All engines, each loaded when it is first needed."""

    def __init__(self) -> None:
        self._detections: Memory[float] = Memory()
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
        """Look at the sharpened plane where something seems to be and nothing crisp is read.

        What was read through blur is company there, not a reason to look no further. Beside crisp
        text only what was dismissed and has no steep edges is seen again.
        """
        plain = [one for one in found if not one.weak and verify.plain(one.reading)]
        if float(maps.full.max(initial=0.0)) < find.SUSPECT:
            return []
        clear = any(stands_out(grey, one.strip) and crisp(grey, one.strip) for one in plain)
        soft = [one.strip for one in found if one.weak and not crisp(grey, one.strip)]
        if clear and not soft:
            return []
        sharp = sharpened(grey)
        full = self.segments.probability(sharp)
        half = shrunk(self.segments, grey) if plain else np.zeros_like(full)
        for one in plain:
            room = _HALO * one.strip.height
            around = one.strip.padded(room, room).bounds()
            left, top, right, bottom = (max(round(side), 0) for side in around)
            full[top:bottom, left:right] = half[top:bottom, left:right] = 0
        best = find.merged(full, [(SHRUNK, half)])
        more = [
            line
            for line in lines.join(find.pieces(best, levels), levels)
            if not clear or not all(apart(line.strip, strip) for strip in soft)
        ]
        seen = replace(maps, full=full, half=half if plain else maps.half)
        least = last.BESIDE if plain else last.SHARP
        judged = self._judged(sharp, more, seen, least=least, company=plain)
        return [one for one in judged if not one.weak]

    def _judged(
        self,
        grey: Grey,
        seen: Sequence[Line],
        maps: Maps,
        least: float = last.LONE,
        company: Sequence[Candidate] = (),
    ) -> list[Candidate]:
        """Weigh what speaks for each line, asking the dearer engines only where it is open."""
        out: list[Candidate] = []
        unread: list[Opinion] = []
        written = np.count_nonzero(maps.full > _CLEAR) >= _SOME
        for line in seen:
            opinion = Opinion(line, maps.peaks(line.strip))
            score = verify.alone(opinion)
            low, high = verify.ACCEPT["alone"]
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
        return in_company(out + self._settled(grey, whole, [*company, *out], least))

    def _settled(
        self, grey: Grey, opinions: Sequence[Opinion], beside: Sequence[Candidate], least: float
    ) -> list[Candidate]:
        """Have the last word on lines that were read: plain ones stay, the others are seen again.

        What was dismissed is looked at once more only where something else can be read.
        """
        out = [self._weighed(grey, opinion) for opinion in opinions]
        for place, company in self._open(opinions, out, beside).items():
            opinion, one = opinions[place], out[place]
            seen = self._again(grey, one.strip)
            bar = max(last.RESCUED, least) if one.weak else least
            word = last.word(opinion, seen, company=company)
            out[place] = replace(one, weak=seen.peak < _AGAIN or word < bar)
        return out

    def _open(
        self, opinions: Sequence[Opinion], first: Sequence[Candidate], beside: Sequence[Candidate]
    ) -> dict[int, bool]:
        """Return the places of what is still open, with whether text was read elsewhere."""
        clear = [
            one.strip for one in (*beside, *first) if not one.weak and verify.plain(one.reading)
        ]
        out = {}
        for place, one in enumerate(first):
            company = any(apart(one.strip, strip) for strip in clear)
            likely = company and verify.read(opinions[place]) >= _FLOOR
            if likely if one.weak else not verify.plain(one.reading):
                out[place] = company
        return out

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

    def _weighed(self, grey: Grey, opinion: Opinion) -> Candidate:
        low, high = verify.ACCEPT["read"]
        score = verify.read(opinion)
        if low <= score < high:
            detected = self.detected(grey, opinion.line.strip)
            score = verify.seen(replace(opinion, detected=detected))
            low, high = verify.ACCEPT["seen"]
        clear = max(opinion.peaks.full, opinion.peaks.zoom) >= _UNDENIED or verify.wordy(opinion)
        weak = score < low and not clear
        if not weak and verify.lone_shape(opinion) and not verify.wordy(opinion):
            weak = not stacked(grey, opinion.line.strip)  # a block of small lines is none
        return _candidate(opinion, weak=weak)

    def _again(self, grey: Grey, strip: Strip) -> last.Again:
        """Return what the second network sees in a strip."""
        known = self._looks.find(grey, strip)
        if known is None:
            known = last.again(self.second, grey, strip)
            self._looks.keep(grey, strip, known)
        return known

    def detected(self, grey: Grey, strip: Strip) -> float:
        """Return how sure the second detector is of something in a strip.

        Args:
            grey: The plane, (rows, columns).
            strip: The line.
        """
        known = self._detections.find(grey, strip)
        if known is None:
            known = self._detected(grey, strip)
            self._detections.keep(grey, strip, known)
        return known

    def _detected(self, grey: Grey, strip: Strip) -> float:
        left, top, right, bottom = (round(side) for side in strip.bounds())
        edge = max(_SURROUNDINGS, round(min(strip.height, strip.length)))
        rows, columns = grey.shape
        x, y = max(left - edge, 0), max(top - edge, 0)
        crop = grey[y : min(bottom + edge, rows), x : min(right + edge, columns)]
        scale = min(max(_DETECTED / max(min(strip.height, strip.length), 1.0), 0.2), 2.0)
        size = (max(round(crop.shape[1] * scale), 1), max(round(crop.shape[0] * scale), 1))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        seen = self.detector.probability(cv2.resize(crop, size, interpolation=how))
        first, last = max(round((max(top, 0) - y) * scale), 0), round((bottom - y + 1) * scale)
        start, stop = max(round((max(left, 0) - x) * scale), 0), round((right - x + 1) * scale)
        return float(seen[first:last, start:stop].max(initial=0.0))


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
