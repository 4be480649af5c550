"""Photographs of paper in: the page found, seen from above again, and its lines made level.

What comes out is a page like a scan (``scan_in``), read with the same two readings. The corners of
the page are looked for; where none are seen the whole picture is the page. Lines that are bent or
not level any more are traced by the slope of their own letters. A page of which they do not become
level is not read: what stands on one line would be read on another.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.photos import MASKED, picture
from safelight.dicomio.limits import Limits
from safelight.errors import UnreadableInputError
from safelight.intake.kinds import HEAD_BYTES, sniff
from safelight.readers.labs.scan_in import ink

__all__ = ["page_of", "pages", "seems_paper", "ways"]


Grey = NDArray[np.uint8]
Points = NDArray[np.float32]

_LOOK: Final = 720  # pixels of the longer side, to find the page
_LETTERS: Final = 11  # pixels there: dark strokes thinner than this are writing
_LEVELS: Final = 9  # of brightness that are tried as the edge of the page
_AREA: Final = (0.2, 0.97)  # of the picture that a page takes
_FILLED: Final = 0.94  # of its four corners' area that is bright
_CORNER: Final = 0.02  # of the outline: how exactly four corners must tell it
_LONGER: Final = (1700, 2800)  # pixels of the page that is read
_DARK: Final = 110  # a page darker than this in the middle is light on dark
_PAPER: Final = 9  # of an eighth of the pixels: writing is smaller
_WHITE: Final = 240.0  # what paper is made
_GAP: Final = 0.9  # of the letter height: letters of one word are nearer
_WORD: Final = 3.5  # letter heights: shorter words do not tell a slope
_LETTERED: Final = 60  # letters of a word at most: more are a texture
_STEEP: Final = 0.2  # of slope: more is no line
_WORDS: Final = 8  # that must tell a slope
_ROUNDS: Final = 4
_TRACED: Final = 2
_SMALLEST: Final = 64  # pixels: less is no page
_ASKEW: Final = 0.01  # of slope, that half of the words may have in the end
_FALLEN: Final = 0.03  # more than this
_FEW: Final = 0.2  # of the words may have


def pages(data: bytes, limit: int) -> Iterator[tuple[int, Grey]]:
    """Yield the number and the grey levels of each page of a picture, the right way up.

    Raises:
        UnreadableInputError: It cannot be decoded.
        LimitExceededError: It takes too much.
    """
    kind = sniff(data[:HEAD_BYTES], size=len(data))
    if kind not in MASKED:
        raise UnreadableInputError(
            "pictures of this format are not decoded", todo="save it as JPEG or PNG"
        )
    found = (page for page in picture(kind, data, Limits()) if page.source == "pixels")
    for number, page in zip(range(1, limit + 1), found, strict=False):
        yield number, page.upright().grey


def seems_paper(data: bytes) -> bool:
    """Tell whether a picture shows as many words in level lines as a page has.

    Raises:
        UnreadableInputError: It cannot be decoded.
        LimitExceededError: It takes too much.
    """
    for _, grey in pages(data, 1):
        page = page_of(grey)
        return page is not None and len(_words(page)) >= _WORDS
    return False


def ways(grey: Grey) -> Iterator[Grey]:
    """Yield the page that a picture shows, as it probably stands, then upside down.

    Nothing where its lines do not become level.
    """
    page = page_of(grey)
    if page is not None:
        yield page
        yield np.ascontiguousarray(page[::-1, ::-1])


def page_of(grey: Grey) -> Grey | None:
    """Return the page that a picture shows, from above, its lines across, dark on light.

    Args:
        grey: The picture, shape (rows, columns).

    Returns:
        None where lines run in it that do not become level.
    """
    if min(grey.shape) < _SMALLEST:
        return None
    corners = _corners(grey)
    page = _whole(grey) if corners is None else _from_above(grey, corners)
    if np.median(page) < _DARK:
        page = np.asarray(255 - page, np.uint8)
    page = _evenly_lit(page)
    turned = np.ascontiguousarray(np.rot90(page))
    return _level(max((page, turned), key=lambda each: len(_words(each))))


def _evenly_lit(page: Grey) -> Grey:
    """Return the page as if no shadow lay on it: each place by the paper around it."""
    small = cv2.resize(page, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_PAPER, _PAPER))
    paper = cv2.GaussianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, around), (0, 0), 2)
    paper = cv2.resize(paper, (page.shape[1], page.shape[0]), interpolation=cv2.INTER_CUBIC)
    even = page.astype(np.float32) * (_WHITE / np.maximum(paper, 1))
    return np.asarray(np.clip(even, 0, 255), np.uint8)


def _whole(grey: Grey) -> Grey:
    longer = max(grey.shape)
    scale = min(max(longer, _LONGER[0]), _LONGER[1]) / longer
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=how), np.uint8)


def _corners(grey: Grey) -> Points | None:
    """Return the corners of the page, clockwise from the upper left; None where it has none."""
    scale = _LOOK / max(grey.shape)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    round_ = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_LETTERS, _LETTERS))
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, round_)
    best: tuple[float, Points] | None = None
    for seen in (cv2.medianBlur(paper, 7), _smooth(small)):
        edges = cv2.morphologyEx(seen, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        dark, light = np.percentile(seen, (5, 95))
        for level in np.linspace(dark, light, _LEVELS)[1:-1]:
            found = _outline(np.asarray(seen > level, np.uint8))
            if found is None:
                continue
            line = np.zeros_like(small)
            corners = [np.rint(found).astype(np.int32)]
            cv2.polylines(line, corners, isClosed=True, color=1, thickness=3)
            clear = float(edges[line > 0].mean()) / max(float(edges.mean()), 1.0)
            if best is None or clear > best[0]:
                best = clear, found
    return None if best is None else np.asarray(best[1] / scale, np.float32)


def _smooth(small: Grey) -> Grey:
    """Return how even each place is: paper has writing and white, a desk or a cloth its grain."""
    grain = np.abs(small.astype(np.float32) - cv2.GaussianBlur(small, (0, 0), 1.5))
    quiet = cv2.erode(grain, np.ones((3, 3), np.uint8))  # writing is thin
    rough = cv2.GaussianBlur(quiet, (0, 0), 4)
    return np.asarray(np.clip(255 - 24 * rough, 0, 255), np.uint8)


def _outline(bright: Grey) -> Points | None:
    """Return the four corners of the largest bright part, if four tell its form."""
    opened = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8))
    outlines, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    if not outlines:
        return None
    largest = max(outlines, key=cv2.contourArea)
    area = cv2.contourArea(largest)
    if not _AREA[0] < area / bright.size < _AREA[1]:
        return None
    hull = cv2.convexHull(largest)
    four = cv2.approxPolyDP(hull, _CORNER * cv2.arcLength(hull, closed=True), closed=True)
    fills = sorted((area, cv2.contourArea(hull), cv2.contourArea(four)))
    if len(four) != 4 or fills[0] < _FILLED * fills[2]:  # noqa: PLR2004  # corners
        return None
    points = four.reshape(4, 2).astype(np.float32)
    first = int(points.sum(1).argmin())
    points = np.roll(points, -first, axis=0)
    side, other = points[1] - points[0], points[3] - points[0]
    clockwise = side[0] * other[1] > side[1] * other[0]
    return np.asarray(points if clockwise else points[[0, 3, 2, 1]], np.float32)


def _from_above(grey: Grey, corners: Points) -> Grey:
    sides = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    width, height = max(sides[0], sides[2]), max(sides[1], sides[3])
    longer = max(width, height)
    scale = min(max(longer, _LONGER[0]), _LONGER[1]) / longer
    columns, rows = round(width * scale), round(height * scale)
    page = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    across = cv2.getPerspectiveTransform(corners, page)
    seen = cv2.warpPerspective(grey, across, (columns, rows), flags=cv2.INTER_CUBIC)
    edge = max(round(0.008 * max(rows, columns)), 1)  # of desk that is left along the sides
    return np.ascontiguousarray(seen[edge:-edge, edge:-edge])


def _level(grey: Grey) -> Grey | None:
    """Return the page with its lines level, by a field of slopes that its words tell.

    None where many words still slope afterwards.
    """
    for _ in range(_TRACED):
        words = _words(grey)
        field = _field(words, grey.shape)
        if field is None:
            return grey
        grey = _traced(grey, field)
    slopes = np.abs(_words(grey)[:, 2])
    return grey if np.median(slopes) <= _ASKEW and np.mean(slopes > _FALLEN) <= _FEW else None


def _words(grey: Grey) -> NDArray[np.float64]:
    """Return the words of a page that are long enough: middle x, y, and slope; shape (n, 3)."""
    count, _, stats, middles = cv2.connectedComponentsWithStats(ink(grey), connectivity=8)
    tall = stats[1:, 3]
    letters = [at for at in range(1, count) if 6 <= stats[at, 3] <= 0.04 * grey.shape[0]]  # noqa: PLR2004  # pixels
    if not letters:
        return np.zeros((0, 3))
    height = float(np.median(tall[[at - 1 for at in letters]]))
    small = [at for at in letters if stats[at, 3] <= 2.5 * height]
    mask = np.zeros(grey.shape, np.uint8)
    for at in small:
        left, top, width, rows = stats[at, :4]
        mask[top : top + rows, left : left + width] = 1
    reach = max(round(_GAP * height), 1)
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, 2 * reach + 1), np.uint8))
    total, labels = cv2.connectedComponents(joined, connectivity=8)
    of: list[list[int]] = [[] for _ in range(total)]
    for at in small:
        x, y = middles[at]
        of[labels[min(int(y), grey.shape[0] - 1), min(int(x), grey.shape[1] - 1)]].append(at)
    found = [_slope(stats[members], height) for members in of[1:] if len(members) >= 3]  # noqa: PLR2004  # letters
    return np.array([one for one in found if one is not None]).reshape(-1, 3)


def _slope(letters: NDArray[np.int32], height: float) -> tuple[float, float, float] | None:
    """Return the middle of a word and the slope of the line its letters stand on."""
    x = letters[:, 0] + letters[:, 2] / 2
    foot = letters[:, 1] + letters[:, 3].astype(float)
    if len(x) > _LETTERED or x.max() - x.min() < _WORD * height:
        return None
    slopes = [
        (foot[b] - foot[a]) / (x[b] - x[a])
        for a in range(len(x))
        for b in range(a + 1, len(x))
        if abs(x[b] - x[a]) > height
    ]
    if not slopes:
        return None
    slope = float(np.median(slopes))  # Theil (1950): letters that reach below do not turn it
    if abs(slope) > _STEEP:
        return None
    return float(x.mean()), float(np.median(foot)), slope


def _field(words: NDArray[np.float64], shape: Sequence[int]) -> NDArray[np.float64] | None:
    """Return how slope goes with place: by 1, x, y, xy, x², in parts of the page; least squares."""
    if len(words) < _WORDS:
        return None
    terms = _terms(words[:, 0] / shape[1], words[:, 1] / shape[0])
    slope, kept = words[:, 2], np.ones(len(words), bool)
    field: NDArray[np.float64] = np.zeros(terms.shape[1])
    for _ in range(_ROUNDS):
        weak = 0.02 * np.eye(terms.shape[1])  # holds what few words tell near nothing
        left = terms[kept]
        field = np.asarray(np.linalg.solve(left.T @ left + weak, left.T @ slope[kept]), np.float64)
        off = np.abs(slope - terms @ field)
        kept = off <= max(3 * float(np.median(off)), 0.004)
    return field


def _terms(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y = x - 0.5, y - 0.5
    return np.stack([np.ones_like(x), x, y, x * y, x * x], axis=-1)


def _traced(grey: Grey, field: NDArray[np.float64]) -> Grey:
    """Return the page with each line that follows the slopes drawn level."""
    rows, columns = grey.shape
    step = 16
    at = np.arange(0, columns + step, step) / columns
    start = len(at) // 2
    heights = np.zeros((rows, len(at)))
    heights[:, start] = np.arange(rows)
    for way, places in ((1, range(start + 1, len(at))), (-1, range(start - 1, -1, -1))):
        for place in places:
            before = heights[:, place - way]
            middle = np.full(rows, (at[place] + at[place - way]) / 2)
            heights[:, place] = before + way * step * (_terms(middle, before / rows) @ field)
    y = cv2.resize(heights.astype(np.float32), (len(at) * step, rows))
    shift = step // 2  # a cell of the coarse grid is drawn around its middle
    y = np.ascontiguousarray(y[:, shift : shift + columns])
    x = np.broadcast_to(np.arange(columns, dtype=np.float32), y.shape)
    level = cv2.remap(
        grey, np.ascontiguousarray(x), y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(level, np.uint8)
