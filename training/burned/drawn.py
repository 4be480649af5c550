"""Backgrounds that are drawn: the looks of each modality, without any patient."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["MAKERS", "SHARES", "clouds", "spline"]

Map = NDArray[np.float32]
Rng = np.random.Generator


def clouds(rng: Rng, size: int, rough: float = 0.5) -> Map:
    """Return fractal noise (size, size) from 0 to 1; ``rough`` from 0 (smooth) to 1."""
    out = np.zeros((size, size), np.float32)
    step, weight = 3, 1.0
    while step < size:
        out += weight * cv2.resize(
            rng.random((step, step), dtype=np.float32), (size, size), interpolation=cv2.INTER_CUBIC
        )
        step, weight = step * 2, weight * (0.35 + 0.45 * rough)
    out -= out.min()
    return out / max(float(out.max()), 1e-6)


def spline(rng: Rng, size: int, knots: int, reach: float = 1.2) -> NDArray[np.int32]:
    """Return points of a smooth open curve across a square."""
    at = rng.uniform(-0.1 * size, reach * size, (knots, 2))
    t = np.linspace(0, knots - 1, knots * 12)
    smooth = [
        np.convolve(np.interp(t, np.arange(knots), at[:, i]), np.ones(13) / 13, "same")[7:-7]
        for i in range(2)
    ]
    return np.stack(smooth, axis=1).round().astype(np.int32)


def _blob(rng: Rng, size: int, low: float = 0.1, high: float = 0.9) -> Map:
    """Return a soft-edged organ-like shape from 0 to 1."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radius = np.ones(48)
    for k in range(2, 6):
        radius += rng.normal(0, 0.35 / k) * np.cos(k * angle + rng.uniform(0, 6.3))
    scale = size * rng.uniform(low, high) / 2
    squash, turn = rng.uniform(0.4, 1.0), rng.uniform(0, np.pi)
    x, y = radius * np.cos(angle) * scale, radius * np.sin(angle) * scale * squash
    points = np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], 1)
    points += rng.uniform(0, size, 2)
    mask = np.zeros((size, size), np.float32)
    cv2.fillPoly(mask, [points.round().astype(np.int32)], 1.0, lineType=cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 4.0)), np.float32)


def _kept(picture: NDArray[np.floating]) -> Map:
    """Return the picture within 0 to 255."""
    return np.asarray(picture.clip(0, 255), np.float32)


def flat(rng: Rng, size: int) -> Map:
    """Return an even field, at times with a slope, a frame or a second field."""
    level = rng.choice(
        [0.0, 255.0, rng.uniform(0, 40), rng.uniform(0, 255)], p=(0.35, 0.1, 0.3, 0.25)
    )
    out = np.full((size, size), level, np.float32)
    if rng.random() < 0.3:
        slope = np.linspace(0, rng.uniform(-120, 120), size, dtype=np.float32)
        out += slope if rng.random() < 0.5 else slope[:, None]
    for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.4 else 0):
        x, y = rng.integers(0, size, 2)
        w, h = rng.integers(8, size, 2)
        out[y : y + h, x : x + w] = rng.uniform(0, 255)
    return _kept(out)


def tissue(rng: Rng, size: int) -> Map:
    """Return organs with texture, bright bones and noise: radiograph or slice."""
    out = clouds(rng, size, rng.random()) * rng.uniform(10, 120) + rng.uniform(0, 80)
    for _ in range(int(rng.integers(1, 9))):
        shape = _blob(rng, size, 0.08, 1.0)
        inner = clouds(rng, size, rng.random()) * rng.uniform(0, 60)
        out = out * (1 - shape) + shape * (rng.uniform(0, 230) + inner)
        if rng.random() < 0.4:  # a cortical rim
            rim = cv2.morphologyEx(shape, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
            out += rim * rng.uniform(20, 160)
    if rng.random() < 0.5:
        out += _trabeculae(rng, size) * rng.uniform(10, 70)
    noise = rng.normal(0, rng.uniform(0, 10), out.shape).astype(np.float32)
    return _kept(out + noise)


def _trabeculae(rng: Rng, size: int) -> Map:
    noise = rng.normal(0, 1, (size, size)).astype(np.float32)
    long, turn = int(rng.integers(5, 21)), rng.uniform(0, 180)
    kernel = np.zeros((long, long), np.float32)
    kernel[long // 2] = 1.0 / long
    spin = cv2.getRotationMatrix2D((long / 2, long / 2), turn, 1)
    streaks = cv2.filter2D(noise, -1, cv2.warpAffine(kernel, spin, (long, long)))
    where = _blob(rng, size, 0.3, 1.2)
    return np.asarray(
        cv2.GaussianBlur(streaks, (0, 0), rng.uniform(0.5, 1.5)) * where * 3, np.float32
    )


def ultrasound(rng: Rng, size: int) -> Map:
    """Return speckle inside a fan or box, with dark cysts, bright interfaces and shadows."""
    grain = rng.uniform(0.6, 2.5)
    speckle = rng.rayleigh(1.0, (size, size)).astype(np.float32)
    speckle = cv2.GaussianBlur(speckle, (0, 0), sigmaX=grain * rng.uniform(1, 3), sigmaY=grain)
    speckle = (speckle - speckle.min()) / max(float(np.ptp(speckle)), 1e-6)
    tone = clouds(rng, size, 0.4) ** rng.uniform(0.7, 2.5)
    out = tone * (0.25 + 1.3 * speckle) * rng.uniform(80, 230)
    for _ in range(int(rng.integers(0, 4))):
        shape = _blob(rng, size, 0.1, 0.5)
        out *= 1 - shape * rng.uniform(0.5, 1.0)
    for _ in range(int(rng.integers(0, 4))):
        layer = np.zeros_like(out)
        cv2.polylines(
            layer,
            [spline(rng, size, 4)],
            isClosed=False,
            color=1.0,
            thickness=int(rng.integers(1, 6)),
            lineType=cv2.LINE_AA,
        )
        out += cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.6, 2)) * speckle * rng.uniform(60, 300)
    if rng.random() < 0.7:
        mask = np.zeros((size, size), np.float32)
        top = (int(rng.uniform(-0.3, 1.3) * size), int(rng.uniform(-1.0, 0.2) * size))
        reach = int(size * rng.uniform(0.5, 1.8))
        middle, half = rng.uniform(60, 120), rng.uniform(20, 60)
        cv2.ellipse(mask, top, (reach, reach), 0, middle - half, middle + half, 1.0, -1)
        cv2.circle(mask, top, int(reach * rng.uniform(0, 0.4)), 0.0, -1)
        out = out * mask + (1 - mask) * rng.choice([0.0, 0.0, rng.uniform(0, 40)])
    return _kept(out)


def slice_of_head(rng: Rng, size: int) -> Map:
    """Return nested ellipses with folds, as in MR or CT of a head, on noise."""
    out = np.abs(rng.normal(0, rng.uniform(0, 8), (size, size))).astype(np.float32)
    centre = rng.uniform(0.1, 0.9, 2) * size
    big = size * rng.uniform(0.3, 1.1)
    axes, turn = np.array([big, big * rng.uniform(0.7, 1.0)]), rng.uniform(0, 180)
    layers = ((1.0, 120), (0.93, 20), (0.89, 200), (0.84, 30), (0.8, 110))
    middle = (int(centre[0]), int(centre[1]))
    for part, level in layers:
        mask = np.zeros_like(out)
        size_now = (max(1, int(axes[0] * part)), max(1, int(axes[1] * part)))
        cv2.ellipse(mask, middle, size_now, turn, 0, 360, 1.0, -1, cv2.LINE_AA)
        shade = level * rng.uniform(0.4, 1.6)
        texture = clouds(rng, size, 0.9) * rng.uniform(0, 90) if part <= 0.8 else 0.0
        out = out * (1 - mask) + mask * (shade + texture)
    folds = np.abs(clouds(rng, size, 0.8) - 0.5) < rng.uniform(0.01, 0.05)
    inner = np.zeros_like(out)
    cv2.ellipse(inner, middle, size_now, turn, 0, 360, 1.0, -1)
    out += cv2.GaussianBlur(folds.astype(np.float32) * inner, (0, 0), 0.8) * rng.uniform(-90, 90)
    out += rng.normal(0, rng.uniform(0, 6), out.shape)
    if rng.random() < 0.3:  # ringing
        out += 12 * np.sin(np.arange(size) * rng.uniform(0.5, 2.5)).astype(np.float32)
    return _kept(out)


def breast(rng: Rng, size: int) -> Map:
    """Return a breast: fibres, calcifications and a skin edge on black."""
    mask = _blob(rng, size, 1.0, 2.2)
    out = clouds(rng, size, 0.7) ** 1.5 * rng.uniform(80, 200)
    layer = np.zeros_like(out)
    for _ in range(int(rng.integers(4, 25))):
        shade = float(rng.uniform(20, 120))
        curve = spline(rng, size, 4)
        cv2.polylines(
            layer, [curve], isClosed=False, color=shade, thickness=int(rng.integers(1, 4))
        )
    out = out + cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.7, 2.5))
    for _ in range(int(rng.integers(0, 40)) if rng.random() < 0.5 else 0):
        near = rng.normal(size / 2, size / 6, 2)
        at = (int(near[0]), int(near[1]))
        cv2.circle(out, at, int(rng.integers(0, 3)), float(rng.uniform(160, 255)), -1, cv2.LINE_AA)
    return _kept(out * mask + rng.normal(0, 2, out.shape))


def counts(rng: Rng, size: int) -> Map:
    """Return few counts in soft hot spots, as in nuclear medicine, at times as big pixels."""
    coarse = int(rng.choice([size, size // 2, size // 4]))
    mean = np.zeros((coarse, coarse), np.float32)
    for _ in range(int(rng.integers(1, 9))):
        mean += cv2.resize(_blob(rng, size, 0.1, 0.8), (coarse, coarse)) * rng.uniform(0.2, 12)
    drawn = rng.poisson(mean + rng.uniform(0, 0.6)).astype(np.float32)
    drawn *= 255 / max(float(np.percentile(drawn, 99.7)), 1.0)
    how = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_CUBIC
    out = cv2.resize(drawn.clip(0, 255), (size, size), interpolation=how)
    return _kept(255 - out if rng.random() < 0.4 else out)


def vessels(rng: Rng, size: int) -> Map:
    """Return branching vessels on a lit ground: angiography, fundus, endoscopy."""
    out = clouds(rng, size, 0.3) * rng.uniform(30, 110) + rng.uniform(40, 120)
    layer = np.zeros_like(out)
    for _ in range(int(rng.integers(2, 9))):
        at, turn = rng.uniform(0, size, 2), rng.uniform(0, 6.3)
        wide = rng.uniform(1.5, 9)
        for _step in range(int(rng.integers(20, 60))):
            turn += rng.normal(0, 0.25)
            to = at + 6 * np.array([np.cos(turn), np.sin(turn)])
            ends = [(int(p[0]), int(p[1])) for p in (at, to)]
            cv2.line(layer, ends[0], ends[1], 1.0, max(1, int(wide)), cv2.LINE_AA)
            at, wide = to, wide * 0.98
    out += cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.5, 1.5)) * rng.uniform(-110, 60)
    for _ in range(int(rng.integers(0, 30)) if rng.random() < 0.5 else 0):  # wet highlights
        spot = rng.integers(0, size, 2)
        axes = rng.integers(1, 8, 2)
        cv2.ellipse(
            out,
            (int(spot[0]), int(spot[1])),
            (int(axes[0]), int(axes[1])),
            rng.uniform(0, 180),
            0,
            360,
            float(rng.uniform(200, 255)),
            -1,
            cv2.LINE_AA,
        )
    if rng.random() < 0.4:
        mask = np.zeros_like(out)
        middle = rng.integers(0, size, 2)
        reach = int(size * rng.uniform(0.4, 1.0))
        cv2.circle(mask, (int(middle[0]), int(middle[1])), reach, 1.0, -1, cv2.LINE_AA)
        out *= mask
    return _kept(out)


def teeth(rng: Rng, size: int) -> Map:
    """Return rows of crowns and roots with pulp, fillings, screws: one tooth to a panorama."""
    out = clouds(rng, size, 0.5) * rng.uniform(40, 110) + rng.uniform(0, 60)
    pitch, base = float(np.exp(rng.uniform(np.log(7), np.log(60)))), rng.uniform(0.25, 0.75) * size
    bend, phase = rng.uniform(0, 0.25) * size, rng.uniform(0, 3.1)
    bright = rng.uniform(110, 235)
    for i in range(2 * int(size / pitch) + 4):
        side, x = (-1) ** i, (i // 2) * pitch + rng.normal(0, pitch * 0.05)
        start = base + bend * np.sin(x / size * 3.1 + phase) + side * rng.uniform(0, 0.2) * pitch
        tall = side * pitch * rng.uniform(1.4, 3.0)
        wide, lean = pitch * rng.uniform(0.36, 0.52), rng.normal(0, 0.15) * pitch
        tip = wide * rng.uniform(0.2, 0.6)
        points = [[x - wide, start], [x + wide, start], [x + wide, start + 0.35 * tall]]
        points += [[x + tip + lean, start + tall], [x - tip + lean, start + tall]]
        points += [[x - wide, start + 0.35 * tall]]
        shade = float(np.clip(bright + rng.normal(0, 15), 0, 255))
        cv2.fillPoly(out, [np.array(points).round().astype(np.int32)], shade, cv2.LINE_AA)
        root = (int(x + lean), int(start + 0.8 * tall))
        pulp = (int(x), int(start + 0.25 * tall))
        cv2.line(out, pulp, root, shade * 0.7, max(1, int(wide * 0.25)), cv2.LINE_AA)
        if rng.random() < 0.2:
            axes = (max(1, int(wide * 0.8)), max(1, int(wide * 0.5)))
            cv2.ellipse(out, (int(x), int(start)), axes, rng.uniform(0, 180), 0, 360, 255.0, -1, 16)
    out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 0.4 + pitch / 14))
    out += _trabeculae(rng, size) * rng.uniform(5, 40)
    return _kept(out + rng.normal(0, rng.uniform(0, 6), out.shape))


def spine(rng: Rng, size: int) -> Map:
    """Return a column of vertebrae with discs, canal and processes: lateral, or from the front."""
    out = clouds(rng, size, 0.7) * rng.uniform(30, 120) + rng.uniform(0, 60)
    pitch = rng.uniform(9, 60)
    wide, x0, sway = pitch * rng.uniform(0.8, 1.7), rng.uniform(0.2, 0.8) * size, rng.uniform(0, 30)
    body, rim, front = rng.uniform(60, 220), rng.uniform(-80, 90), rng.random() < 0.5
    phase = rng.uniform(0, 6.3)
    for i in range(int(size / pitch) + 2):
        y = i * pitch
        x = x0 + sway * np.sin(y / size * 4 + phase)
        box = ((float(x), float(y)), (float(wide), float(pitch * 0.72)), float(rng.normal(0, 6)))
        corners = cv2.boxPoints(box).round().astype(np.int32)
        cv2.fillPoly(out, [corners], float(np.clip(body + rng.normal(0, 12), 0, 255)), cv2.LINE_AA)
        edge = float(np.clip(body + rim, 0, 255))
        cv2.polylines(out, [corners], isClosed=True, color=edge, thickness=1, lineType=cv2.LINE_AA)
        marks = ((-0.3, 0), (0.3, 0), (0, 0.1)) if front else ((1.2, 0.2), (0.9, -0.1))
        for dx, dy in marks:  # pedicles and spinous processes
            at = (int(x + dx * wide), int(y + dy * pitch))
            axes = (max(1, int(wide * 0.13)), max(1, int(pitch * rng.uniform(0.1, 0.3))))
            shade = float(np.clip(body + rim * rng.uniform(0.3, 1.2), 0, 255))
            cv2.ellipse(out, at, axes, rng.uniform(0, 60), 0, 360, shade, rng.choice([-1, 1]), 16)
    out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 1.6)) + _trabeculae(rng, size) * 12
    out = np.rot90(out, int(rng.integers(4))) if rng.random() < 0.4 else out
    return _kept(out + rng.normal(0, rng.uniform(0, 6), out.shape))


def fabric(rng: Rng, size: int) -> Map:
    """Return a regular texture: cloth, line pairs, moiré, tiles, perforations."""
    y, x = np.indices((size, size), dtype=np.float32)
    turn, period = rng.uniform(0, np.pi), rng.uniform(2.5, 40)
    wave = np.sin((x * np.cos(turn) + y * np.sin(turn)) * 6.283 / period)
    if rng.random() < 0.5:
        wave = wave * np.sin((x * -np.sin(turn) + y * np.cos(turn)) * 6.283 / rng.uniform(2.5, 40))
    if rng.random() < 0.5:
        wave = np.sign(wave - rng.uniform(-0.6, 0.6))
    out = 128 + wave * rng.uniform(5, 120) + clouds(rng, size) * rng.uniform(0, 90) - 40
    return _kept(cv2.GaussianBlur(out.astype(np.float32), (0, 0), rng.uniform(0.3, 1.5)))


def pebbles(rng: Rng, size: int) -> Map:
    """Return many small shapes: cells, coins, follicles, polyps, gas."""
    out = clouds(rng, size) * rng.uniform(20, 90) + rng.uniform(0, 120)
    mean = rng.uniform(2, 20)
    for _ in range(int(rng.integers(10, 120))):
        at, axes = rng.integers(0, size, 2), rng.gamma(4, mean / 4, 2) + 1
        shade, turn = float(rng.uniform(0, 255)), rng.uniform(0, 180)
        line = -1 if rng.random() < 0.6 else int(rng.integers(1, 4))
        cv2.ellipse(
            out,
            (int(at[0]), int(at[1])),
            (int(axes[0]), int(axes[1])),
            turn,
            0,
            360,
            shade,
            line,
            cv2.LINE_AA,
        )
    return _kept(cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 2.0)))


def weave_of_noise(rng: Rng, size: int) -> Map:
    """Return noise of one grain between two tones."""
    noise = rng.normal(0, 1, (size, size)).astype(np.float32)
    grain = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.3, 6.0))
    grain /= max(float(grain.std()), 1e-6)
    if rng.random() < 0.3:
        grain = np.tanh(grain * 3)
    return _kept(rng.uniform(20, 200) + grain * rng.uniform(2, 50))


_COLOURS = (
    *(cv2.COLORMAP_JET, cv2.COLORMAP_HOT, cv2.COLORMAP_RAINBOW, cv2.COLORMAP_TURBO),
    *(cv2.COLORMAP_HSV, cv2.COLORMAP_PLASMA, cv2.COLORMAP_BONE, cv2.COLORMAP_COOL),
)


def false_colours(rng: Rng, size: int) -> Map:
    """Return the luminance of a map in false colours: perfusion with holes, flow over speckle."""
    values = clouds(rng, size, rng.random()) + rng.normal(0, rng.uniform(0, 0.12), (size, size))
    values = cv2.GaussianBlur(values, (0, 0), rng.uniform(0.4, 2.5))
    values = (values - values.mean()) / max(float(values.std()), 1e-6)
    values = values * 0.22 + rng.uniform(0.3, 0.7)
    levels = np.round(values.clip(0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.3:
        step = int(rng.integers(8, 48))
        levels = levels // step * step
    shown = cv2.applyColorMap(levels, int(rng.choice(_COLOURS)))
    out = cv2.cvtColor(shown, cv2.COLOR_BGR2GRAY).astype(np.float32)
    low, high = rng.uniform(-0.1, 0.35), rng.uniform(0.65, 1.1)
    out[values < low] = 0.0
    out[values > high] = rng.choice([0.0, 255.0])
    if rng.random() < 0.5:  # flow: only where something moves, over speckle or tissue
        ground = (ultrasound if rng.random() < 0.7 else tissue)(rng, size)
        moving = clouds(rng, size, rng.random()) > rng.uniform(0.4, 0.7)
        out = np.where(moving, out, ground)
    else:
        mask = _blob(rng, size, 0.7, 2.0) > 0.5
        out = np.where(mask, out, rng.choice([0.0, 0.0, 255.0]))
    return _kept(out)


MAKERS: tuple[Callable[[Rng, int], Map], ...] = (
    *(flat, tissue, ultrasound, slice_of_head, breast, counts, vessels, teeth, fabric, pebbles),
    *(weave_of_noise, spine, false_colours),
)
SHARES = (0.14, 0.14, 0.13, 0.1, 0.07, 0.06, 0.08, 0.08, 0.03, 0.05, 0.03, 0.05, 0.04)
