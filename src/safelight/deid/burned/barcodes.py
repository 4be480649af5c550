"""Find bar codes and their square relatives: a code on a film names its patient outright."""

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

from safelight.deid.burned.strip import Strip

__all__ = ["codes", "patches"]

_STEEP: Final = 32
_CLOSED: Final = 9
_LEAST: Final = 12
_SIDE: Final = 20
_FILL: Final = 0.65
_DENSE: Final = 0.2
_SPREAD: Final = 45.0
_MOST: Final = 8
_MARGIN: Final = 3.0
_CROP: Final = 640
# How far apart two tones are, what part of the variance is within them, how often they change at
# least, and how many pixels apart at most.
_LOOSE: Final = (45.0, 0.3, 5, 20.0)
_STRICT: Final = (110.0, 0.08, 7, math.inf)
_ENLARGED: Final = 3.0
_LARGE: Final = 1500
_SHRINKS: Final = (1, 2, 4)
_SAME: Final = 0.6
_WHOLE: Final = 1_300_000  # pixels: a larger picture is read at half its size
_NEAR: Final = 48
_CLOSE: Final = 0.08

Grey = npt.NDArray[np.uint8]


def patches(grey: Grey) -> list[Strip]:
    """Return the rectangles filled with steep edges: the cheap sign that a code may be there.

    A code is dark and light modules side by side, so that a good part of its pixels differ
    steeply from the next one. Anatomy is smoother; paragraphs of text and noise may pass.
    """
    out: list[Strip] = []
    larger = 2 if max(grey.shape) > _LARGE else 1
    for shrink in (larger * step for step in _SHRINKS):
        rows, columns = grey.shape[0] // shrink, grey.shape[1] // shrink
        if min(rows, columns) < _LEAST:
            break
        small = grey
        if shrink > 1:
            small = cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA)
        for strip in _filled(small):
            whole = strip.scaled(float(shrink))
            if not any(_same(whole, other) for other in out):
                out.append(whole)
    return out


def codes(grey: Grey) -> list[tuple[Strip, bool]]:
    """Return the places of codes, and whether each was read; damaged ones are found by their look.

    Args:
        grey: The picture, (rows, columns).
    """
    out = [(strip, True) for strip in _anywhere(grey)]
    for strip in patches(grey):
        if not _two_toned(_upright(grey, strip, 1.0), _LOOSE):
            continue
        crop = _upright(grey, strip, _ENLARGED)
        if _read(_quiet(crop)) or _read(_quiet(255 - crop)):  # readers turn square codes alone
            out.append((strip.padded(_MARGIN, _MARGIN), True))
        elif min(strip.length, strip.height) >= _SIDE and _two_toned(crop, _STRICT):
            out.append((strip.padded(_MARGIN, _MARGIN), False))
    return out


def _anywhere(grey: Grey) -> list[Strip]:
    """Return the codes that are read in the whole picture, if edges lie close anywhere in it.

    On a busy ground a code is no rectangle of its own.
    """
    shrink = 2 if grey.size > _WHOLE else 1
    small = grey
    if shrink > 1:
        size = (grey.shape[1] // shrink, grey.shape[0] // shrink)
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    if min(small.shape) < _LEAST:
        return []
    near = cv2.boxFilter(_steep(small), -1, (_NEAR, _NEAR), borderType=cv2.BORDER_CONSTANT)
    if near.max() < _CLOSE * 255:
        return []
    return [_place(code).scaled(float(shrink)) for code in _read(small)]


def _read(grey: Grey) -> list[zxingcpp.Barcode]:
    return list(zxingcpp.read_barcodes(np.ascontiguousarray(grey)))


def _place(code: zxingcpp.Barcode) -> Strip:
    place = code.position
    corners = [place.top_left, place.top_right, place.bottom_right, place.bottom_left]
    strip = Strip.around(np.array([[point.x, point.y] for point in corners], np.int32))
    edge = _MARGIN + 0.04 * max(strip.length, strip.height)
    return strip.padded(edge, edge)


def _steep(grey: Grey) -> Grey:
    """Return 255 where a pixel differs steeply from the next one right or below."""
    across = cv2.absdiff(grey[:-1, 1:], grey[:-1, :-1])
    down = cv2.absdiff(grey[1:, :-1], grey[:-1, :-1])
    mask: Grey = cv2.threshold(cv2.max(across, down), _STEEP, 255, cv2.THRESH_BINARY)[1]
    return mask


def _filled(grey: Grey) -> list[Strip]:
    steep = _steep(grey)
    kernel = np.ones((_CLOSED, _CLOSED), np.uint8)
    closed = cv2.morphologyEx(steep, cv2.MORPH_CLOSE, kernel)
    closed = cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel)
    contours, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    contours = sorted(contours, key=cv2.contourArea, reverse=True)[:_MOST]
    out = []
    for contour in contours:
        strip = Strip.around(contour.reshape(-1, 2))
        area = strip.length * strip.height
        if min(strip.length, strip.height) < _LEAST or cv2.contourArea(contour) < _FILL * area:
            continue
        x, y, w, h = cv2.boundingRect(contour)
        inside = np.zeros((h, w), np.uint8)
        cv2.drawContours(inside, [contour], -1, 255, cv2.FILLED, offset=(-x, -y))
        _, spread = cv2.meanStdDev(grey[y : y + h, x : x + w], mask=inside)
        share = cv2.mean(steep[y : y + h, x : x + w], mask=inside[: steep.shape[0] - y])[0] / 255
        if spread[0, 0] >= _SPREAD and share >= _DENSE:
            out.append(strip)
    return out


def _same(one: Strip, other: Strip) -> bool:
    near = math.hypot(one.x - other.x, one.y - other.y) < 0.25 * min(one.length, other.length)
    ratio = one.length * one.height / (other.length * other.height)
    return near and _SAME < ratio < 1 / _SAME


def _upright(grey: Grey, strip: Strip, most: float) -> Grey:
    """Return a patch turned upright, enlarged up to so many times."""
    strip = strip.padded(2, 2)
    scale = min(most, _CROP / max(strip.length, strip.height))
    width, height = max(round(strip.length * scale), 1), max(round(strip.height * scale), 1)
    target = np.array([[0, 0], [width, 0], [width, height]], np.float32)
    matrix = cv2.getAffineTransform(strip.corners()[:3], target)
    crop = cv2.warpAffine(
        grey, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(crop)


def _quiet(crop: Grey) -> Grey:
    """Return the crop with the quiet margin that readers want, in the tone of its border."""
    edge = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
    tone = int(np.percentile(edge, 90))
    quiet = max(24, crop.shape[1] // 8)
    return np.asarray(
        cv2.copyMakeBorder(crop, quiet, quiet, quiet, quiet, cv2.BORDER_CONSTANT, value=tone)
    )


def _two_toned(crop: Grey, bounds: tuple[float, float, int, float]) -> bool:
    """Tell whether a patch is made of two tones far apart, as a code is and anatomy is not."""
    contrast, spread, least, spacing = bounds
    level, _ = cv2.threshold(crop, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    low, high = crop[crop <= level].astype(np.float32), crop[crop > level].astype(np.float32)
    if not low.size or not high.size or high.mean() - low.mean() < contrast:
        return False
    within = (low.var() * low.size + high.var() * high.size) / crop.size
    if within >= spread * float(crop.astype(np.float32).var()):
        return False
    dark = crop > level
    turns = max(
        float(np.median((dark[:, 1:] != dark[:, :-1]).sum(axis=1))),
        float(np.median((dark[1:] != dark[:-1]).sum(axis=0))),
    )
    return bool(turns >= max(least, max(crop.shape) / spacing))
