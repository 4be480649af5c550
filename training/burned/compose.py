"""One training crop: a background, harmless marks, writing, and what a scanner did to it all."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from training.burned.hosts import Hosts
from training.burned.marks import scatter
from training.burned.writing import Ink, write

__all__ = ["BACKGROUND", "IGNORED", "WRITTEN", "Crop", "Lean", "Line", "compose", "compose_halved"]

Map = NDArray[np.float32]
Rng = np.random.Generator
BACKGROUND, WRITTEN, IGNORED = 0, 1, 255
# What a set of crops leans to: nothing, large lone letters, or lines off the axes, out of focus.
Lean = Literal["any", "marker", "askew"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is known of a line that was set.

    Attributes:
        height: Height of a capital in pixels of the crop.
        contrast: Difference to the ground, 0 to 1 of the full range.
        angle: Degrees from 0 to 360.
        style: As ``Ink.style``; family and script too.
        family: Font family.
        script: Script.
        extra: ``plain``, ``box``, ``outline`` or ``shadow``.
    """

    height: float
    contrast: float
    angle: float
    style: str
    family: str
    script: str
    extra: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A crop with its truth.

    Attributes:
        grey: Shape (size, size), 0 to 255, as displayed.
        target: BACKGROUND, WRITTEN or IGNORED at each pixel.
        owner: 0, or 1 + the index of the line whose ink covers the pixel.
        lines: The lines set.
    """

    grey: NDArray[np.uint8]
    target: NDArray[np.uint8]
    owner: NDArray[np.uint8]
    lines: tuple[Line, ...]


def compose(
    rng: Rng,
    hosts: Hosts,
    size: int = 192,
    *,
    written: float = 0.66,
    height: float = 0.0,
    lean: Lean = "any",
) -> Crop:
    """Return a crop; a share ``written`` of them carries writing, of this height when given."""
    canvas, known = hosts.deal(rng, size)
    if rng.random() < 0.4:
        canvas = scatter(rng, canvas)
    target = np.where(known > 0, IGNORED, BACKGROUND).astype(np.uint8)
    owner = np.zeros((size, size), np.uint8)
    lines: list[Line] = []
    if rng.random() < written:
        canvas = _stain(rng, canvas, 0.6 if lean == "marker" else 0.2)
        for _ in range(int(rng.choice([1, 2, 3, 4, 6], p=(0.35, 0.25, 0.2, 0.12, 0.08)))):
            canvas = _set_block(rng, canvas, (target, owner), lines, height, lean)
    if rng.random() < 0.25:
        before, canvas = canvas, scatter(rng, canvas, 1)
        target[(target == WRITTEN) & (np.abs(canvas - before) > 4)] = IGNORED
    grey = _scan(rng, canvas)
    _excuse(grey, target, owner, lines)
    return Crop(grey=grey, target=target, owner=owner, lines=tuple(lines))


def _excuse(
    grey: NDArray[np.uint8],
    target: NDArray[np.uint8],
    owner: NDArray[np.uint8],
    lines: list[Line],
) -> None:
    """Ignore letters that the crop as kept does not show: drowned in noise, or tone on its tone."""
    count, marks, facts, _ = cv2.connectedComponentsWithStats((owner > 0).astype(np.uint8))
    size = grey.shape[0]
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    for one in range(1, count):
        x, y, w, h, area = (int(v) for v in facts[one])
        pad = 3 if min(w, h) < 30 else 6
        rows, columns = slice(max(y - pad, 0), y + h + pad), slice(max(x - pad, 0), x + w + pad)
        cut, mine = grey[rows, columns].astype(np.float32), marks[rows, columns] == one
        free = owner[rows, columns] == 0
        if area < 2 or free.sum() < 4:
            continue
        step = abs(float(cut[mine].mean()) - float(cut[free].mean()))
        tall = lines[int(owner[rows, columns][mine][0]) - 1].height
        share = 0.5 if tall < 12 else 0.3
        if step >= max(1.0, share * float(cut[free].std())):
            continue
        steep = edges[rows, columns]  # a letter over a bone's edge has edges of its own
        if float(steep[mine].mean()) >= 1.4 * float(np.median(steep[free])) + 2.0:
            continue
        reach = 2 * pad + 1
        hidden = cv2.dilate(np.pad(mine.astype(np.uint8), pad), np.ones((reach, reach), np.uint8))
        top, left = rows.start - pad, columns.start - pad
        hidden = hidden[max(-top, 0) :, max(-left, 0) :]
        part = target[max(top, 0) : size, max(left, 0) : size]
        part = part[: hidden.shape[0], : hidden.shape[1]]
        hidden = hidden[: part.shape[0], : part.shape[1]]
        part[(hidden > 0) & (part == WRITTEN)] = IGNORED


def compose_halved(
    rng: Rng, hosts: Hosts, size: int = 192, *, written: float = 0.66, lean: Lean = "any"
) -> Crop:
    """Return a crop as the look at half scale sees it; letters below 4.5 pixels are ignored."""
    large = compose(rng, hosts, 2 * size, written=written, lean=lean)
    small = (size, size)
    grey = cv2.resize(large.grey, small, interpolation=cv2.INTER_AREA)
    low = [index for index, line in enumerate(large.lines, start=1) if line.height < 9]
    tiny = np.isin(large.owner, low).astype(np.uint8)
    target = np.where(cv2.dilate(tiny, np.ones((9, 9), np.uint8)) > 0, IGNORED, large.target)
    # A pixel is writing when half of it is; of the rest, any doubt is passed on as doubt.
    share = cv2.resize((target == WRITTEN).astype(np.float32), small, interpolation=cv2.INTER_AREA)
    doubt = cv2.resize((target == IGNORED).astype(np.float32), small, interpolation=cv2.INTER_AREA)
    halved = np.where(share >= 0.5, WRITTEN, np.where(share + doubt > 0, IGNORED, BACKGROUND))
    owner = cv2.resize(large.owner, small, interpolation=cv2.INTER_NEAREST)
    return Crop(
        grey=grey.astype(np.uint8),
        target=halved.astype(np.uint8),
        owner=owner.astype(np.uint8),
        lines=large.lines,
    )


def _stain(rng: Rng, canvas: Map, often: float) -> Map:
    """Return the ground, at times with a quiet field where annotation would stand."""
    if rng.random() < often:
        size = canvas.shape[0]
        y, x = rng.integers(0, size, 2)
        h, w = rng.integers(10, size, 2)
        canvas = canvas.copy()
        canvas[y : y + h, x : x + w] = rng.choice([0.0, 255.0, rng.uniform(0, 255)])
    return canvas


def _height(rng: Rng, lean: Lean) -> float:
    if lean == "marker":
        return float(np.exp(rng.uniform(np.log(22), np.log(130))))
    low, high = ((5.0, 12.0), (10.0, 32.0), (28.0, 120.0))[rng.choice(3, p=(0.45, 0.4, 0.15))]
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _angle(rng: Rng, lean: Lean) -> float:
    if lean == "askew":
        return float(rng.integers(4) * 90 + rng.uniform(12, 78))
    kind = rng.choice(4, p=(0.55, 0.15, 0.1, 0.2))
    if kind == 0:
        return 0.0
    if kind == 1:
        return float(rng.normal(0, 5))
    if kind == 2:
        return float(rng.choice([90, 180, 270]))
    return float(rng.uniform(0, 360))


def _turned(alpha: Map, angle: float) -> Map:
    """Return the ink turned about its middle, in the least frame that holds it."""
    if angle % 90 == 0:
        return np.ascontiguousarray(np.rot90(alpha, int(angle // 90)))
    rows, columns = alpha.shape
    spin = cv2.getRotationMatrix2D((columns / 2, rows / 2), angle, 1.0)
    c, s = abs(spin[0, 0]), abs(spin[0, 1])
    wide, tall = int(rows * s + columns * c) + 3, int(rows * c + columns * s) + 3
    spin[:, 2] += (wide / 2 - columns / 2, tall / 2 - rows / 2)
    return np.asarray(cv2.warpAffine(alpha, spin, (wide, tall), flags=cv2.INTER_LINEAR), np.float32)


def _set_block(
    rng: Rng,
    canvas: Map,
    truth: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    lines: list[Line],
    height: float,
    lean: Lean,
) -> Map:
    """Set one line, or a few below each other in one hand, at a free place."""
    target, owner = truth
    tall = height or _height(rng, lean)
    angle = _angle(rng, lean)
    rows = int(rng.choice([1, 1, 1, 2, 3, 5])) if tall < 30 else 1
    style = str(rng.choice(["type", "bitmap", "plotter"])) if rows > 1 else ""
    ink = write(rng, tall, style, lone=lean == "marker")
    alpha = ink.alpha
    for _ in range(rows - 1):
        lower = write(rng, tall, style).alpha
        gap = max(2, int(tall * rng.uniform(0.3, 0.9)))
        wide = max(alpha.shape[1], lower.shape[1])
        alpha = np.vstack(
            [
                np.pad(alpha, ((0, gap), (0, wide - alpha.shape[1]))),
                np.pad(lower, ((0, 0), (0, wide - lower.shape[1]))),
            ]
        )
    alpha = _turned(alpha, angle)
    if rng.random() < (0.4 if lean == "askew" else 0.2):
        # out of focus: by its own size, so that it can still be read
        soft = float(np.clip(tall * rng.uniform(0.03, 0.16), 0.5, 4.0))
        alpha = cv2.GaussianBlur(np.pad(alpha, int(2 * soft) + 1), (0, 0), soft)
    size = canvas.shape[0]
    for _ in range(4):
        y, x = _place(rng, alpha.shape[0], size), _place(rng, alpha.shape[1], size)
        top, left = max(0, -y), max(0, -x)
        cut = alpha[top : top + size - max(y, 0), left : left + size - max(x, 0)]
        spot = (
            slice(max(y, 0), max(y, 0) + cut.shape[0]),
            slice(max(x, 0), max(x, 0) + cut.shape[1]),
        )
        if cut.size and cut.max() > 0.3 and not (owner[spot].any() or (target[spot] == 255).any()):
            return _paint(rng, canvas, truth, spot, cut, ink, angle, lines)
    return canvas


def _place(rng: Rng, long: int, size: int) -> int:
    """Return where a thing of this length starts: mostly inside, at times cut by the edge."""
    free = size - long
    if free <= 0 or rng.random() < 0.1:
        start = int(rng.integers(min(free, 0) - long // 2, max(free, 0) + long // 2 + 1))
        return min(max(start, 1 - long), size - 1)
    return int(rng.integers(0, free + 1))


def _contrast(rng: Rng) -> float:
    low, high = ((0.06, 0.14), (0.12, 0.4), (0.35, 1.0))[rng.choice(3, p=(0.22, 0.33, 0.45))]
    return float(rng.uniform(low, high))


def _paint(
    rng: Rng,
    canvas: Map,
    truth: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    spot: tuple[slice, slice],
    alpha: Map,
    ink: Ink,
    angle: float,
    lines: list[Line],
) -> Map:
    target, owner = truth
    canvas = canvas.copy()
    ground = canvas[spot]
    extra = str(rng.choice(["plain", "box", "outline", "shadow"], p=(0.7, 0.14, 0.08, 0.08)))
    faint = rng.random() < 0.03
    if extra == "box" or faint:
        canvas = _backed(rng, canvas, spot, flat=faint)
        ground = canvas[spot]
    inside = ground[alpha > 0.3]
    mean = float(inside.mean()) if inside.size else 0.0
    contrast = rng.uniform(2, 14) / 255 if faint else _contrast(rng)
    if not faint and rng.random() < 0.25:
        level = 255.0 if mean < 128 else 0.0
    else:
        sign = 1 if rng.random() < (0.75 if mean < 150 else 0.3) else -1
        level = mean + sign * contrast * 255
        if not 0 <= level <= 255:
            level = mean - sign * contrast * 255
    level = float(np.clip(level, 0, 255))
    contrast = abs(level - mean) / 255
    if extra in {"outline", "shadow"}:
        ring = cv2.dilate(alpha, np.ones((3, 3), np.uint8))
        ring = np.roll(ring, (1, 1), (0, 1)) if extra == "shadow" else ring
        ground = ground * (1 - ring) + ring * (0.0 if level > mean else 255.0)
    see_through = rng.uniform(0.6, 1.0) if rng.random() < 0.15 else 1.0
    canvas[spot] = ground * (1 - alpha * see_through) + alpha * see_through * level
    drawn = (alpha > min(0.3, 0.5 * float(alpha.max()))).astype(np.uint8)
    reach = 1 + int(ink.height > 20) + int(ink.height > 45)
    full = np.zeros_like(target)
    full[spot] = drawn
    core = cv2.dilate(full, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2))
    rim = cv2.dilate(core, np.ones((5, 5), np.uint8))
    target[(rim > 0) & (target == BACKGROUND)] = IGNORED
    target[core > 0] = WRITTEN
    lines.append(
        Line(
            height=ink.height,
            contrast=contrast,
            angle=angle % 360,
            style=ink.style,
            family=ink.family,
            script=ink.script,
            extra="faint" if faint else extra,
        )
    )
    owner[spot][drawn > 0] = len(lines)
    return canvas


def _backed(rng: Rng, canvas: Map, spot: tuple[slice, slice], *, flat: bool) -> Map:
    """Return the ground with a label, a sticker or a wiped field below the line."""
    pad = int(rng.integers(1, 14)) + (6 if flat else 0)
    rows = slice(max(spot[0].start - pad, 0), spot[0].stop + pad)
    columns = slice(max(spot[1].start - pad, 0), spot[1].stop + pad)
    level = float(rng.choice([0.0, 255.0, rng.uniform(0, 255)]))
    strength = 1.0 if flat else rng.choice([1.0, rng.uniform(0.3, 0.9)])
    canvas[rows, columns] = canvas[rows, columns] * (1 - strength) + level * strength
    if rng.random() < 0.2 and not flat:
        cv2.rectangle(
            canvas,
            (columns.start, rows.start),
            (columns.stop, rows.stop),
            255.0 if level < 128 else 0.0,
            1,
        )
    return canvas


def _scan(rng: Rng, canvas: Map) -> NDArray[np.uint8]:
    """Return the crop as a device would have kept it: blur, grain, tone, JPEG."""
    if rng.random() < 0.3:
        canvas = cv2.GaussianBlur(canvas, (0, 0), float(rng.uniform(0.3, 1.2)))
    if rng.random() < 0.06:  # kept smaller once
        small = cv2.resize(canvas, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
        canvas = cv2.resize(small, canvas.shape[::-1], interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.3:
        canvas = canvas + rng.normal(0, rng.uniform(0.5, 7), canvas.shape).astype(np.float32)
    out: NDArray[np.uint8] = canvas.clip(0, 255).round().astype(np.uint8)
    if rng.random() < 0.35:
        quality = int(rng.integers(30, 96))
        kept = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        out = np.asarray(cv2.imdecode(kept, cv2.IMREAD_GRAYSCALE), np.uint8)
    return out
