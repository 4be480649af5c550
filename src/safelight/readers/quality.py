"""What harms reading a picture: too small, clipped, turned, inverted, blurred, cropped, and grain.

Each is a plain measure with a threshold, worked out on the displayed picture; all of them are told.
Readers answer to no picture that is blurred, turned, inverted, faint, coarse, noisy or in blocks,
nor to a small one: of bleeds in such pictures one in ten to four in ten were told as not seen.
Sources: Crete et al., Proc. SPIE 6492 (2007), blur; Immerkaer, CVIU 64 (1996), operator of noise.
"""

import functools
from collections.abc import Iterable
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import SafelightError
from safelight.readers.kind.shrink import reduced
from safelight.readers.measures import hu
from safelight.readers.reading import KindAnswer, QualityIssue, ViewKind
from safelight.readers.view import View

__all__ = ["blur", "inside", "judge", "unfit"]

Array = NDArray[Any]

_FILMS: Final = frozenset(
    (ViewKind.CHEST_XRAY_FRONTAL, ViewKind.CHEST_XRAY_LATERAL, ViewKind.LIMB_XRAY,
     ViewKind.DENTAL_PANORAMIC, ViewKind.MAMMOGRAM)
)  # fmt: skip
_SECTIONS: Final = frozenset(
    (ViewKind.HEAD_CT, ViewKind.BODY_CT, ViewKind.HEAD_MR, ViewKind.BREAST_MR)
)  # fmt: skip
_DARK_AROUND: Final = _SECTIONS | {ViewKind.MAMMOGRAM}
# Kinds with readers that look closely; digitised films may show faint blocks of their own.
_CLOSE_READ: Final = _SECTIONS | {ViewKind.BREAST_ULTRASOUND}
_IN_AIR: Final = frozenset((ViewKind.MAMMOGRAM, ViewKind.LIMB_XRAY))
_MEDICAL: Final = frozenset(ViewKind) - {
    ViewKind.FILM_PHOTO, ViewKind.SCREENSHOT, ViewKind.DOCUMENT, ViewKind.PHOTO
}  # fmt: skip
_SMALL_FILM, _SMALL = 256, 128  # shorter side, pixels
_LEAST_BLUR: Final = 64  # the same, for telling blur
_FAINT: Final = 80  # levels between the first and the last hundredth
_COARSE: Final = 12  # levels in all
_NOISY: Final = 12.0  # levels: standard deviation of what changes from pixel to pixel
_BLOCKS: Final = 2.0  # steps between blocks of eight pixels to those inside them
_BLOCK: Final = 8
_CLIPPED: Final = 0.06  # of the middle, at the one brightest or darkest level
_MIDDLE: Final = 0.15  # of a side that is left out at each end
_BLURRED: Final = 0.63
_WORK: Final = 512
_TURNED: Final = 0.15  # how much better a turned pattern must fit
_FIT: Final = 0.3  # how well it must fit at all
_APART: Final = 40  # levels between margin and middle of a picture that is inverted
_LONG: Final = 1.8  # side to side: a chest is not so narrow, or wide
_EVEN: Final = 16  # levels in a line of a frame around a picture, which JPEG makes uneven
_AIR: Final = 0.25  # of the outermost pixels at one end: that end is what lies around a limb
_TOUCHED: Final = 0.35  # of a side
_SIDES: Final = 3
_INSIDE: Final = 0.5  # of a side: what is left of a picture without its frame
_PATTERN: Final = 32
_LEVELS: Final = 64  # fewer in the picture, and the ends say nothing
_UNFIT: Final = frozenset(
    ("small", "blurred", "rotated", "inverted", "faint", "coarse", "noisy", "blocks")
)
_SHRUNK: Final = 64


def judge(view: View, kind: KindAnswer) -> tuple[QualityIssue, ...]:
    """Return what harms reading the middle picture of an input.

    Args:
        view: The input.
        kind: What it is: turned, inverted and cropped are told of some kinds alone.
    """
    if not view.frames:
        return ()
    try:
        grey = view.picture(view.middle)
        stored = view.stored(view.middle)
    except SafelightError:
        return (QualityIssue(code="unreadable", text="The picture cannot be decoded."),)
    what, found = kind.kind, []
    rows, columns = grey.shape
    least = _SMALL_FILM if what in _FILMS else _SMALL
    if min(rows, columns) < least:
        text = f"The picture is small: {columns} by {rows} pixels; details are lost."
        found.append(QualityIssue(code="small", text=text))
    if what not in _MEDICAL or min(rows, columns) < _PATTERN:
        return tuple(found)
    where = inside(grey)
    values = stored[where] if stored.shape == grey.shape else grey[where]
    grey = grey[where]
    found += _clipped(values, what)
    turned = _turned(grey, what)
    found += turned
    found += _cropped(~grey if _inverted() in turned else grey, what)
    if min(rows, columns) >= _LEAST_BLUR and blur(grey) > _BLURRED:
        found.append(QualityIssue(code="blurred", text="The picture is blurred."))
    # of CT numbers the readers see their own window, whatever the header's
    windowed = what is ViewKind.HEAD_CT and not hu.refusal(view, view.middle)
    found += [] if windowed or what in _IN_AIR else _levels(grey)
    return (*found, *_grain(grey, what))


def _levels(grey: Array) -> list[QualityIssue]:
    """Tell of pictures with little contrast or few levels."""
    found = []
    step = max(1, min(grey.shape) // _WORK)
    grey = grey[::step, ::step]
    low, high = np.percentile(grey, (1, 99))
    if high - low < _FAINT:
        text = "The picture is faint: it uses a small part of the levels between black and white."
        found.append(QualityIssue(code="faint", text=text))
    if len(np.unique(grey)) < _COARSE:
        text = "The picture has so few levels of grey that details are lost."
        found.append(QualityIssue(code="coarse", text=text))
    return found


def _grain(grey: Array, kind: ViewKind) -> list[QualityIssue]:
    """Tell of pictures with much noise, or blocks of JPEG."""
    found = []
    middle = tuple(
        slice(max(0, n - _WORK) // 2, max(0, n - _WORK) // 2 + _WORK) for n in grey.shape
    )
    values = grey[middle].astype(np.float32)
    second = values[:-2] - 2 * values[1:-1] + values[2:]
    second = second[:, :-2] - 2 * second[:, 1:-1] + second[:, 2:]
    if float(np.median(np.abs(second))) / 0.6745 / 6 > _NOISY:  # of a normal deviate
        found.append(QualityIssue(code="noisy", text="The picture is noisy."))
    if kind in _CLOSE_READ and _blocks(values) > _BLOCKS:
        text = "The picture was compressed so strongly that it falls into blocks."
        found.append(QualityIssue(code="blocks", text=text))
    return found


def _blocks(values: Array) -> float:
    """Return how much more changes between columns and rows of JPEG's blocks than inside them."""
    between, inside_ = [], []
    for axis in (0, 1):
        steps = np.abs(np.diff(values, axis=axis)).mean(axis=1 - axis)
        by = [float(steps[at::_BLOCK].mean()) for at in range(min(_BLOCK, len(steps)))]
        most = int(np.argmax(by))  # a margin that was cut off moves the blocks
        between.append(by[most])
        inside_.append(sum(by[:most] + by[most + 1 :]) / max(len(by) - 1, 1))
    return sum(between) / (sum(inside_) + 0.2)


def unfit(issues: Iterable[QualityIssue], kind: ViewKind | None) -> str:
    """Return why a reader's promise cannot hold for a picture, in words; empty when it can.

    Readers are tested on sharp, clear pictures that stand upright, of films on small ones as well.
    """
    for issue in issues:
        if issue.code in _UNFIT and not (issue.code == "small" and kind in _FILMS):
            return f"{issue.text} The reader was not tested on such pictures."
    return ""


def inside(grey: Array) -> tuple[slice, slice]:
    """Return where a picture lies in a frame of one level, such as the white of a sheet.

    What lies around a head or a breast, as dark or as light as its picture's margin, is no frame.
    """
    bounds, levels = [], []
    for lines in (grey, grey.T):
        middles = np.median(lines, axis=1)
        even = np.ptp(lines, axis=1) <= _EVEN
        ends = []
        for step in (1, -1):
            same = even[::step] & (np.abs(middles[::step] - middles[::step][0]) <= _EVEN)
            ends.append(int(np.argmin(same)) if not same.all() else 0)
            levels += [middles[::step][0]] * bool(ends[-1])
        bounds.append(slice(ends[0], len(lines) - ends[1]))
    down, across = bounds
    inner = grey[down, across]
    least = (_INSIDE * side for side in grey.shape)
    if not levels or any(side < few for side, few in zip(inner.shape, least, strict=True)):
        return slice(None), slice(None)
    apart = abs(float(np.median(_edges(inner))) - float(np.median(levels)))
    return (down, across) if apart > _APART else (slice(None), slice(None))


def _edges(values: Array) -> Array:
    """Return the outermost pixels."""
    return np.concatenate((values[0], values[-1], values[:, 0], values[:, -1]))


def _clipped(values: Array, kind: ViewKind) -> list[QualityIssue]:
    """Tell of films whose middle is burnt out; the air around a limb or a breast is not."""
    if kind not in _FILMS:
        return []
    rows, columns = values.shape
    top, left = int(rows * _MIDDLE), int(columns * _MIDDLE)
    middle = values[top : rows - top, left : columns - left]
    low, high = middle.min(), middle.max()
    if len(np.unique(middle[::4, ::4])) < _LEVELS:
        return []
    edges = _edges(values)
    for end, words in ((high, "highest"), (low, "lowest")):
        if kind in _IN_AIR and float((edges == end).mean()) > _AIR:
            continue
        share = float((middle == end).mean())
        if share > _CLIPPED:
            text = f"{share:.0%} of the middle is at the {words} level: what was there is cut off."
            return [QualityIssue(code="clipped", text=text)]
    return []


def _turned(grey: Array, kind: ViewKind) -> list[QualityIssue]:
    """Tell of chest films that lie on their side or are inverted, and of other inverted kinds."""
    if kind is ViewKind.CHEST_XRAY_FRONTAL:
        small = reduced(grey, _PATTERN)[:, :, 0].astype(np.float64)
        small -= small.mean()
        size = float(np.linalg.norm(small)) or 1.0
        fits = [float((np.rot90(_chest(), n) * small).sum()) / size for n in range(4)]
        best = int(np.argmax(np.abs(fits)))
        found = []
        if best and abs(fits[best]) > max(_FIT, abs(fits[0]) + _TURNED):
            text = "The film seems to be turned: the chest does not stand upright."
            found.append(QualityIssue(code="rotated", text=text))
        if fits[best] < -_FIT:
            found.append(_inverted())
        return found
    if kind in _DARK_AROUND:
        coarse = reduced(grey)[:, :, 0].astype(np.int64)
        if np.median(_edges(coarse)) > np.median(coarse[16:48, 16:48]) + _APART:
            return [_inverted()]
    return []


def _inverted() -> QualityIssue:
    return QualityIssue(code="inverted", text="Light and dark seem to be exchanged.")


def _cropped(grey: Array, kind: ViewKind) -> list[QualityIssue]:
    rows, columns = grey.shape
    if kind is ViewKind.CHEST_XRAY_FRONTAL and max(rows, columns) > _LONG * min(rows, columns):
        text = "The picture is too narrow to show a whole chest."
        if columns > rows:
            text = "The picture is too wide for one chest: a part is cut off, or it shows more."
        return [QualityIssue(code="cropped", text=text)]
    if kind in _SECTIONS:
        coarse = reduced(grey)[:, :, 0]
        dark = int(coarse.max()) // 8
        sides = (coarse[0], coarse[-1], coarse[:, 0], coarse[:, -1])
        if sum(float((side > dark).mean()) > _TOUCHED for side in sides) >= _SIDES:
            text = "What is shown reaches over three edges of the picture: a part may be missing."
            return [QualityIssue(code="cropped", text=text)]
    return []


def blur(grey: Array) -> float:
    """Return how little a picture loses by being blurred: 0 is sharp, 1 is a blur (Crete 2007)."""
    step = max(1, min(grey.shape) // _WORK)
    values = grey[: grey.shape[0] // step * step, : grey.shape[1] // step * step]
    means = values.reshape(values.shape[0] // step, step, values.shape[1] // step, step)
    work = means.mean((1, 3))
    found = 0.0
    for axis in (0, 1):
        smooth = _smoothed(work, axis)
        sharp = np.abs(np.diff(work, axis=axis))
        lost = np.maximum(0, sharp - np.abs(np.diff(smooth, axis=axis)))
        total = float(sharp.sum())
        if total > 0:
            found = max(found, (total - float(lost.sum())) / total)
    return found


def _smoothed(values: Array, axis: int) -> Array:
    """Return means over nine pixels along an axis."""
    reach = 4
    edges = [(reach + 1, reach) if n == axis else (0, 0) for n in range(2)]
    sums = np.cumsum(np.pad(values, edges, mode="edge"), axis=axis)
    wide = 2 * reach + 1
    upper = np.take(sums, range(wide, sums.shape[axis]), axis=axis)
    lower = np.take(sums, range(sums.shape[axis] - wide), axis=axis)
    return np.asarray((upper - lower) / wide)


@functools.cache
def _chest() -> Array:
    """Return the pattern of an upright chest film, of length 1, shape (32, 32)."""
    raw = (files("safelight.readers.kind") / "data" / "chest.bin").read_bytes()
    pattern = np.frombuffer(raw, np.int8).reshape(_PATTERN, _PATTERN).astype(np.float64)
    pattern -= pattern.mean()
    return np.asarray(pattern / np.linalg.norm(pattern))
