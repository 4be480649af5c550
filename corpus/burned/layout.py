"""Where strings stand: vendor-like corners, bars and columns, lead markers, loose lines."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.burned.draw import Floats, Glyph, Mark, Style, extent, set_line
from corpus.burned.fonts import Face, usable
from corpus.burned.strings import IDENTIFYING, Subject, harmless, identifying

__all__ = ["FACTORS", "Page", "fill"]

FACTORS = ("blur", "rotated", "tiny", "large", "spaced", "faint", "jpeg")
_HELD = 0.65  # share of strings in fonts held out from training
_PLATES = 0.12  # share of blocks on a plain field
_MARKS = ("technique", "window", "zoom", "slice", "scale", "orientation", "measure", "position")


@dataclass(slots=True, kw_only=True)
class Page:
    """One picture being written on; ``factor`` is the image's stress, empty for none."""

    rng: random.Random
    faces: Sequence[Face]
    picture: Floats
    subject: Subject
    modality: str
    factor: str
    colour: bool
    hard: bool = False
    taken: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    marks: list[Mark] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Start with nothing taken."""
        self.taken = np.zeros(self.picture.shape[:2], np.bool_)


def _script(page: Page, kind: str) -> str:
    names = {"name", "name and age"}
    return page.subject.script if kind in names else "latin"


def face_for(page: Page, text: str, *, style: str = "") -> Face:
    """Return a font that has every character, held out from training more often than not."""
    rng = page.rng
    held = rng.random() < _HELD
    for want in ((held, style), (held, ""), (not held, ""), (None, "")):
        fits = [
            f
            for f in page.faces
            if (want[0] is None or f.trained != want[0])
            and (not want[1] or f.style == want[1])
            and usable(f, text)
        ]
        if fits:  # families weigh alike, however many files they have
            family = rng.choice(sorted({f.family for f in fits}))
            return rng.choice([f for f in fits if f.family == family])
    raise LookupError(f"no installed font draws a string of {len(text)} characters")


def say(page: Page, kind: str) -> tuple[str, bool, str]:
    """Return a string of that kind, whether it identifies, and its script."""
    if kind in IDENTIFYING:
        return identifying(page.rng, page.subject, kind), True, _script(page, kind)
    return harmless(page.rng, kind), False, "latin"


def _size(page: Page, factor: str, low: int = 8, high: int = 26) -> int:
    rng = page.rng
    if factor == "tiny":
        return rng.randint(6, 7)
    if factor == "large":
        return rng.randint(50, 90)
    share: float = rng.random() ** 1.3
    return min(48, max(8, round(low * math.pow(high / low, share))))


def _sized(face: Face, size: int, factor: str) -> int:
    """Return the size that the face draws; outlines are set by em, so 6-7 px capitals need more."""
    return max(size, face.strike) if face.strike and factor != "large" else size


def style_for(page: Page, text: str, factor: str, size: int, face: Face | None = None) -> Style:
    """Return how a string is drawn under one stress factor."""
    rng = page.rng
    face = face or face_for(page, text)
    if factor == "tiny" and face.strike > 8:
        small = [f for f in page.faces if f.strike in {6, 7, 8} and usable(f, text)]
        plain = [f for f in page.faces if not f.strike and usable(f, text)]
        face = rng.choice(small or plain)
    contrast = rng.uniform(0.35, 1.0) if rng.random() < 0.85 else rng.uniform(0.2, 0.35)
    if factor == "faint":
        contrast = rng.uniform(0.06, 0.15)
    colour = None
    if factor != "faint" and rng.random() < 0.5:
        level = rng.uniform(0.75, 1.0)
        colour = (level, level, level)
        if page.colour and rng.random() < 0.4:
            colour = rng.choice(
                ((1.0, 1.0, 0.1), (0.2, 1.0, 1.0), (0.3, 1.0, 0.3), (1.0, 0.6, 0.1), (0.7, 0.8, 1))
            )
    return Style(
        face=face,
        size=_sized(face, size, factor),
        angle=rng.choice((-1, 1)) * rng.uniform(30, 60) if factor == "rotated" else 0.0,
        blur=rng.uniform(0.8, 2.0) * max(1.0, size / 22) if factor == "blur" else 0.0,
        spacing=rng.uniform(0.3, 0.9) if factor == "spaced" else 0.0,
        colour=colour,
        contrast=contrast,
        halo=factor != "faint" and colour is not None and rng.random() < 0.2,
        hard=page.hard or (factor == "" and rng.random() < 0.12),
    )


def _moved(glyphs: list[Glyph], x: int, y: int) -> list[Glyph]:
    return [Glyph(g.char, g.y + y, g.x + x, g.alpha) for g in glyphs]


def _free(page: Page, glyphs: list[Glyph]) -> bool:
    rows, columns = page.taken.shape
    for g in glyphs:
        h, w = g.alpha.shape
        if g.y < 0 or g.x < 0 or g.y + h > rows or g.x + w > columns:
            return False
        if page.taken[g.y : g.y + h, g.x : g.x + w].any():
            return False
    return True


def _sign(page: Page, style: Style, box: tuple[int, int, int, int]) -> Style:
    """Turn the contrast away from the ground, so that it is not clipped."""
    left, top, right, bottom = box
    there = page.picture[max(top, 0) : bottom, max(left, 0) : right]
    ground = float(np.median(there)) if there.size else 0.0
    if style.colour is not None:
        level = sum(style.colour) / 3
        if abs(level - ground) < 0.3:
            dark = 0.02 if ground > 0.5 else 1.0
            return replace(style, colour=(dark, dark, dark), halo=False)
        return style
    room = 1 - ground
    sign = 1 if (room > abs(style.contrast) and page.rng.random() < 0.8) or ground < 0.3 else -1
    return replace(style, contrast=sign * abs(style.contrast))


def put(
    page: Page, kind: str, said: tuple[str, bool, str], style: Style, at: Any, factor: str = ""
) -> Mark | None:
    """Set one string at ``at(width, height) -> (left, top)``; None when there is no room."""
    text, tells, script = said
    glyphs = set_line(text, style, page.rng)
    if not glyphs:
        return None
    left, top, right, bottom = extent(glyphs)
    x, y = at(right - left, bottom - top)
    glyphs = _moved(glyphs, x - left, y - top)
    if not _free(page, glyphs):
        return None
    style = _sign(page, style, extent(glyphs))
    factor = "jpeg" if page.factor == "jpeg" else factor
    factors = [factor] if factor else []
    mark = Mark(
        text=text,
        kind=kind,
        identifying=tells,
        script=script,
        style=style,
        factors=factors,
        glyphs=glyphs,
    )
    for g in glyphs:
        h, w = g.alpha.shape
        page.taken[max(g.y - 2, 0) : g.y + h + 2, max(g.x - 3, 0) : g.x + w + 3] = True
    page.marks.append(mark)
    return mark


def block(page: Page, corner: str, kinds: list[str], factor: str, size: int) -> None:
    """Set lines into a corner (``tl``, ``tr``, ``bl``, ``br``), one below the other."""
    rng = page.rng
    rows, columns = page.taken.shape
    margin = rng.randint(2, max(3, columns // 60))
    said = [say(page, kind) for kind in kinds]
    latin = [text for text, _, script in said if script == "latin"] or ["A"]
    face = face_for(page, "".join(latin))
    base = style_for(page, latin[0], factor, size, face)
    step = round(max(base.size * rng.uniform(1.05, 1.35), base.face.strike + 2)) + 1
    lines = list(zip(kinds, said, strict=True))
    pen = margin if corner[0] == "t" else rows - margin - step
    before = len(page.marks)
    for kind, one in lines if corner[0] == "t" else lines[::-1]:
        own = base.face if usable(base.face, one[0]) else face_for(page, one[0])
        style = replace(base, face=own, size=max(base.size, own.strike), angle=0.0)

        def at(w: int, h: int, y: int = pen) -> tuple[int, int]:
            left = margin if corner[1] == "l" else columns - margin - w
            return left, y if corner[0] == "t" else min(y, rows - h - 2)

        put(page, kind, one, style, at, factor)
        pen += step if corner[0] == "t" else -step
    if not factor and not page.hard and rng.random() < _PLATES:
        light = rng.random() < 0.7
        plate(page, page.marks[before:], rng.uniform(0.85, 1.0) if light else rng.uniform(0, 0.1))


def plate(
    page: Page,
    marks: list[Mark],
    level: float,
    ink: tuple[float, float, float] | None = None,
) -> None:
    """Lay a plain field behind lines that are set, and turn their ink to stand out on it."""
    if not marks:
        return
    boxes = [extent(mark.glyphs) for mark in marks]
    left, top = min(b[0] for b in boxes) - 6, min(b[1] for b in boxes) - 4
    right, bottom = max(b[2] for b in boxes) + 6, max(b[3] for b in boxes) + 4
    field_ = (slice(max(top, 0), bottom), slice(max(left, 0), right))
    page.picture[field_] = level
    page.taken[field_] = True
    dark = (0.05, 0.05, 0.05) if level > 0.5 else (0.95, 0.95, 0.95)
    for mark in marks:
        mark.style = replace(mark.style, colour=ink or dark, halo=False)


def loose(page: Page, kind: str, factor: str, size: int, tries: int = 12) -> Mark | None:
    """Set one string anywhere, over anatomy too."""
    rows, columns = page.taken.shape
    said = say(page, kind)
    style = style_for(page, said[0], factor, size)
    if not factor and page.rng.random() < 0.06:
        style = replace(style, angle=page.rng.choice((90.0, -90.0)))
    for _ in range(tries):
        mark = put(
            page,
            kind,
            said,
            style,
            lambda w, h: (
                page.rng.randint(2, max(3, columns - w - 2)),
                page.rng.randint(2, max(3, rows - h - 2)),
            ),
            factor,
        )
        if mark is not None:
            return mark
    return None


def _some(rng: random.Random, kinds: tuple[str, ...], low: int, high: int) -> list[str]:
    return [rng.choice(kinds) for _ in range(rng.randint(low, high))]


_WHO = ("name", "number", "birth", "age and sex", "accession", "name and age")
_WHERE = ("clinic", "date", "time", "date and time", "physician", "address", "phone")


def _section(page: Page) -> None:
    """Corners of a CT, MR, NM or XA console."""
    rng, size = page.rng, _size(page, page.factor)
    first = ["name", *_some(rng, _WHO[1:5], 1, 3)]
    block(page, "tl", first, page.factor, size)
    if rng.random() < 0.8:
        block(page, "tr", _some(rng, _WHERE, 1, 3), page.factor, size)
    if rng.random() < 0.75:
        block(page, "bl", _some(rng, ("technique", "slice", "technique"), 1, 4), page.factor, size)
    if rng.random() < 0.75:
        block(page, "br", _some(rng, ("window", "zoom", "slice"), 1, 2), page.factor, size)
    _edges(page, size)


def _edges(page: Page, size: int) -> None:
    """Orientation letters in the middle of the sides, a scale beside the picture."""
    rng = page.rng
    rows, columns = page.taken.shape
    if rng.random() < 0.6:
        spots = ((columns // 2, 3), (3, rows // 2), (columns - size - 4, rows // 2))
        for (x, y), letter in zip(spots, ("A", "R", "L"), strict=True):
            if rng.random() < 0.7:
                style = style_for(page, letter, page.factor, size)
                if page.factor == "rotated":
                    continue
                kind = "laterality" if letter in "RL" else "orientation"
                said = (letter, False, "latin")
                put(page, kind, said, style, lambda *_, x=x, y=y: (x, y), page.factor)
    if rng.random() < 0.3:
        loose(page, "scale", page.factor, size)


def _ultrasound(page: Page) -> None:
    rng, size = page.rng, _size(page, page.factor, 9, 20)
    block(page, "tl", ["clinic" if rng.random() < 0.5 else "name", "number"], page.factor, size)
    block(page, "tr", _some(rng, ("date", "time", "date and time", "ultrasound"), 1, 3), "", size)
    block(page, "bl", _some(rng, ("ultrasound",), 3, 7), "", size)
    if rng.random() < 0.6:
        block(page, "br", _some(rng, ("measure",), 1, 3), page.factor, size)
    if rng.random() < 0.3:
        loose(page, rng.choice(("laterality", "name", "physician")), page.factor, size)


def _film(page: Page) -> None:
    """Lead markers and a name block of a radiograph."""
    rng = page.rng
    big = _size(page, page.factor, 22, 48)
    marker = loose(page, "laterality", page.factor, big)
    if rng.random() < 0.6:
        loose(page, "view", page.factor, _size(page, page.factor, 14, 40))
    if rng.random() < 0.35:
        _signed(page, marker, max(8, round(big * rng.uniform(0.3, 0.7))))
    if rng.random() < 0.4:
        loose(page, "position", page.factor, _size(page, page.factor, 10, 30))
    if rng.random() < 0.85:
        size = _size(page, page.factor, 10, 34)
        kinds = ["name", *_some(rng, (*_WHO[1:], *_WHERE), 0, 3)]
        block(page, rng.choice(("tl", "tr", "bl", "br")), kinds, page.factor, size)
    if rng.random() < 0.3:
        block(page, rng.choice(("bl", "br")), ["technique", "technique"], page.factor, 14)


def _signed(page: Page, marker: Mark | None, size: int) -> None:
    """Set the radiographer's initials, under the marker as often as not."""
    if marker is None or page.factor == "large" or page.rng.random() < 0.4:
        loose(page, "initials", page.factor, size)
        return
    left, _, _, bottom = extent(marker.glyphs)
    said = say(page, "initials")
    style = replace(style_for(page, said[0], page.factor, size), angle=0.0)
    put(page, "initials", said, style, lambda *_: (left, bottom + 3), page.factor)


def _capture(page: Page) -> None:
    """Lines of a screen or a dose page."""
    rng, size = page.rng, _size(page, page.factor, 10, 22)
    block(page, "tl", ["clinic", "name", "number", *_some(rng, (*_WHO, *_WHERE), 1, 5)], "", size)
    block(page, "tr", _some(rng, ("technique", "measure", "date", "physician"), 1, 5), "", size)
    if rng.random() < 0.5:
        block(page, "bl", _some(rng, (*_MARKS, "phone", "address"), 1, 4), page.factor, size)


_PAGES = {"US": _ultrasound, "CR": _film, "DX": _film, "MG": _film, "SC": _capture}


def fill(page: Page) -> None:
    """Write on a page as its modality would; a fifth hold a few loose strings only."""
    rng = page.rng
    kinds = tuple(IDENTIFYING)
    if page.factor == "rotated" or rng.random() < 0.2:
        for _ in range(rng.randint(1, 5)):
            loose(page, rng.choice(kinds), page.factor, _size(page, page.factor, 8, 48))
        for _ in range(rng.randint(0, 3)):
            kind = rng.choice(("laterality", "view", *_MARKS))
            loose(page, kind, page.factor, _size(page, page.factor, 10, 48))
        return
    _PAGES.get(page.modality, _section)(page)
    if rng.random() < 0.3:
        loose(page, rng.choice(kinds), page.factor, _size(page, page.factor))
