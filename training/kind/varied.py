"""A picture as it might also have been: cropped, turned, brighter, written on, blurred.

All of it from one generator of random numbers, so that a seed gives the same pictures again.
"""

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.readers.kind.shrink import SIDE
from safelight.readers.reading import ViewKind

__all__ = ["altered", "strange", "varied"]

Rng = np.random.Generator
Picture = NDArray[np.uint8]

_FILMS: Final = frozenset((ViewKind.CHEST_XRAY_FRONTAL, ViewKind.LIMB_XRAY,
                           ViewKind.DENTAL_PANORAMIC, ViewKind.MAMMOGRAM))  # fmt: skip
_COLOURED: Final = frozenset((ViewKind.FUNDUS, ViewKind.PHOTO, ViewKind.FILM_PHOTO,
                              ViewKind.SCREENSHOT, ViewKind.DOCUMENT))  # fmt: skip
_WINDOWED: Final = frozenset((ViewKind.HEAD_CT, ViewKind.BODY_CT))
_SHADES: Final = np.arange(256) / 255
_TURNS: Final = 6  # of a tone curve: where it may turn


def varied(rng: Rng, picture: Picture, kind: ViewKind | None) -> Picture:
    """Return one variation, shape (SIDE, SIDE, 3).

    Args:
        rng: Where chance comes from.
        picture: uint8, shape (side, side, 3).
        kind: What it shows: only films are inverted, and few pictures lose their colour.
    """
    free = kind in (None, ViewKind.PHOTO)
    close = rng.random() < 0.25  # a closer crop than most
    found = _moved(rng, picture, least=0.5 if free else 0.6 if close else 0.78)
    if kind in _COLOURED and rng.random() < (0.5 if free else 0.25):
        found = np.repeat(cv2.cvtColor(found, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)
    if rng.random() < 0.7:
        found = _toned(rng, found, windowed=kind in _WINDOWED)
    if kind in _FILMS and rng.random() < 0.1:
        found = 255 - found
    if kind not in _COLOURED and rng.random() < 0.06:
        tint = rng.uniform(0.8, 1.0, 3)
        found = (found * tint).astype(np.uint8)
    if rng.random() < 0.35:
        _written(rng, found)
    if rng.random() < 0.35:
        found = _softened(rng, found)
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(1, 9), found.shape[:2])[:, :, None]
        found = (found + noise).clip(0, 255).astype(np.uint8)
    return np.ascontiguousarray(found)


def _moved(rng: Rng, picture: Picture, *, least: float) -> Picture:
    """Crop or pad, squeeze, turn a little and mirror."""
    side = picture.shape[0]
    margin = rng.random() < 0.3
    share = rng.uniform(1, 1.3, 2) if margin else rng.uniform(least, 1, 2)
    room = (1 - share) * side
    x, y = (float(rng.uniform(min(0, r), max(0, r))) for r in room)
    turn = float(rng.normal(0, 0.09)) if rng.random() < 0.6 else 0.0
    scale_x, scale_y = share * side / SIDE
    mirror = rng.random() < 0.4
    centre = SIDE / 2
    cos, sin = np.cos(turn), np.sin(turn)
    flip = -1.0 if mirror else 1.0
    matrix = np.array(
        [
            [scale_x * cos * flip, -scale_x * sin, 0],
            [scale_y * sin * flip, scale_y * cos, 0],
        ]
    )
    middle = np.array((x + scale_x * centre, y + scale_y * centre))
    matrix[:, 2] = middle - matrix[:, :2] @ (centre, centre)
    edge = rng.random()
    mode = cv2.BORDER_REPLICATE if edge < 0.25 else cv2.BORDER_CONSTANT
    level = 0 if edge < 0.75 else int(rng.integers(256))
    return np.asarray(
        cv2.warpAffine(
            picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=mode, borderValue=(level, level, level),
        )
    ).astype(np.uint8)  # fmt: skip


def _toned(rng: Rng, picture: Picture, *, windowed: bool) -> Picture:
    """Another gamma, another window, another level of black."""
    tone = _SHADES ** np.exp(rng.normal(0, 0.35))
    if rng.random() < 0.4:  # a narrower window
        low, high = rng.uniform(0, 0.25), rng.uniform(0.7, 1)
        if windowed and rng.random() < 0.7:
            low = rng.uniform(0, 0.42)
            high = low + rng.uniform(0.2, 0.58)
        tone = ((tone - low) / (high - low)).clip(0, 1)
    tone = tone * rng.uniform(0.6, 1) + rng.uniform(0, 0.4) * (rng.random() < 0.4)
    levels = (tone * 255).clip(0, 255).round().astype(np.uint8)
    return np.asarray(levels[picture])


def _written(rng: Rng, picture: Picture) -> None:
    """Write letters, cover a corner, draw a ruler."""
    for _ in range(int(rng.integers(1, 4))):
        x, y = (int(v) for v in rng.integers(0, SIDE, 2))
        level = int(rng.choice((0, 255, 255, int(rng.integers(256)))))
        shade = (level, level, level)
        if rng.random() < 0.5:
            w, h = int(rng.integers(3, 18)), int(rng.integers(2, 8))
            cv2.rectangle(picture, (x, y), (x + w, y + h), shade, -1)
        else:
            text = str(rng.choice(("R", "L", "AP", "12:30", "PA", "SUPINE", "1/24", "W400")))
            cv2.putText(picture, text, (x, y), 0, float(rng.uniform(0.2, 0.5)), shade, 1)


def _softened(rng: Rng, picture: Picture) -> Picture:
    """Blur, or lose detail on the way."""
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.4, 1.4)))).astype(
            np.uint8
        )
    small = int(rng.integers(28, SIDE))
    less = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(less, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)).astype(
        np.uint8
    )


def altered(rng: Rng, picture: Picture, kind: ViewKind) -> Picture:
    """Return a picture whose levels mean something else, shape (SIDE, SIDE, 3).

    What was lighter is darker here and lighter there, as the same part is by another scanner: its
    shapes are those of the kind, and it is none.
    """
    while True:
        points = rng.random(_TURNS)
        points[0] *= rng.random() < 0.3  # black stays black, mostly
        steps = np.diff(points)
        if steps.max() > 0.15 and steps.min() < -0.15:  # it turns
            break
    tone = np.interp(_SHADES, np.linspace(0, 1, _TURNS), points)
    return varied(rng, (tone * 255).round().astype(np.uint8)[picture], kind)


def strange(rng: Rng, first: Picture, second: Picture) -> Picture:
    """Return something that is no known picture, made of two that are; shape (SIDE, SIDE, 3)."""
    way = int(rng.integers(7))
    one, two = (cv2.resize(each, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
                for each in (first, second))  # fmt: skip
    if way == 0:  # two at once
        share = rng.uniform(0.35, 0.65)
        found: Any = one * share + two * (1 - share)
    elif way == 1:  # pieces in another order
        found = _shuffled(rng, one)
    elif way == 2:  # half of each, or one in a corner of the other
        found = one.copy()
        cut = int(rng.integers(20, 44))
        if rng.random() < 0.5:
            found[:, cut:] = two[:, cut:]
        else:
            found[cut:] = two[cut:]
    elif way == 3:  # a small part, enlarged
        size = int(rng.integers(14, 34))
        x, y = (int(v) for v in rng.integers(0, first.shape[0] - size, 2))
        found = cv2.resize(first[y : y + size, x : x + size], (SIDE, SIDE))
    elif way == 4:  # bent out of shape
        found = _bent(rng, one)
    elif way == 5:  # the shapes of one, the light of the other
        found = np.abs(one.astype(np.float64) - two)
    else:
        found = _nothing(rng)
    return varied(rng, np.asarray(found).clip(0, 255).astype(np.uint8), None)


def _shuffled(rng: Rng, picture: Picture) -> Picture:
    count = int(rng.choice((2, 4)))
    size = SIDE // count
    tiles = [
        np.rot90(picture[y : y + size, x : x + size], int(rng.integers(4)))
        for y in range(0, SIDE, size)
        for x in range(0, SIDE, size)
    ]
    order = rng.permutation(len(tiles))
    rows = [np.hstack([tiles[order[y * count + x]] for x in range(count)]) for y in range(count)]
    return np.vstack(rows)


def _bent(rng: Rng, picture: Picture) -> Picture:
    coarse = rng.normal(0, rng.uniform(8, 16), (2, 5, 5)).astype(np.float32)
    dx, dy = (cv2.resize(each, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for each in coarse)
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    return np.asarray(
        cv2.remap(picture, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    ).astype(np.uint8)


def _nothing(rng: Rng) -> Picture:
    """Noise of some grain, a ramp, shapes: with an edge or without."""
    way = int(rng.integers(3))
    if way == 0:
        grain = int(rng.integers(2, SIDE))
        noise = rng.integers(0, 256, (grain, grain, 1)).astype(np.uint8)
        found = cv2.resize(noise, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    elif way == 1:
        y, x = np.mgrid[0:SIDE, 0:SIDE]
        a, b = rng.normal(0, 1, 2)
        ramp = a * x + b * y + rng.uniform(0, 40) * np.sin((a * x - b * y) / rng.uniform(2, 12))
        found = (ramp - ramp.min()) / (np.ptp(ramp) + 1e-6) * 255
    else:
        found = np.full((SIDE, SIDE), float(rng.integers(60)), np.float32)
        for _ in range(int(rng.integers(1, 12))):
            x, y, w, h = (int(v) for v in rng.integers(2, SIDE, 4))
            level = float(rng.integers(256))
            cv2.ellipse(found, (x, y), (w // 2 + 1, h // 2 + 1), int(rng.integers(180)), 0, 360,
                        level, -1 if rng.random() < 0.7 else 1)  # fmt: skip
    return np.repeat(np.asarray(found).reshape(SIDE, SIDE, 1), 3, axis=2).astype(np.uint8)
