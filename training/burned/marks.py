"""Things that look like writing and are none: what the model must learn to leave alone."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from training.burned.drawn import spline

__all__ = ["scatter"]

Map = NDArray[np.float32]
Rng = np.random.Generator


def scatter(rng: Rng, host: Map, most: int = 4) -> Map:
    """Return the background with up to ``most`` harmless things drawn on it."""
    out = host.copy()
    for _ in range(int(rng.integers(1, most + 1))):
        maker = _MAKERS[rng.integers(len(_MAKERS))]
        layer = np.zeros_like(out)
        maker(rng, layer)
        if rng.random() < 0.35:
            layer = cv2.GaussianBlur(layer, (0, 0), rng.uniform(0.4, 2.5))
        level = rng.choice([255.0, 0.0, rng.uniform(0, 255)], p=(0.5, 0.15, 0.35))
        alpha = layer * rng.choice([1.0, rng.uniform(0.1, 1.0)])
        out = out * (1 - alpha) + alpha * level
    return out.clip(0, 255).astype(np.float32)


def _at(rng: Rng, layer: Map) -> tuple[int, int]:
    x, y = rng.uniform(-0.05, 1.05, 2) * layer.shape[0]
    return int(x), int(y)


def _thick(rng: Rng) -> int:
    return int(rng.choice([1, 1, 1, 2, 3, 5]))


def _lines(rng: Rng, layer: Map) -> None:
    for _ in range(int(rng.integers(1, 5))):
        how = cv2.LINE_AA if rng.random() < 0.5 else cv2.LINE_8
        start, end = _at(rng, layer), _at(rng, layer)
        if rng.random() < 0.5:
            end = (start[0], end[1]) if rng.random() < 0.5 else (end[0], start[1])
        cv2.line(layer, start, end, 1.0, _thick(rng), how)


def _ruler(rng: Rng, layer: Map) -> None:
    size = layer.shape[0]
    gap, long = rng.uniform(3, 30), int(rng.integers(2, 14))
    every, along = int(rng.choice([5, 10, 2, 100])), int(rng.integers(0, size))
    start, stop = sorted(rng.integers(-20, size + 20, 2))
    upright, thick = rng.random() < 0.6, int(rng.choice([1, 1, 2]))
    for i in range(int((stop - start) / gap)):
        at, reach = int(start + i * gap), long * (2 if i % every == 0 else 1)
        ends = ((along, at), (along + reach, at)) if upright else ((at, along), (at, along + reach))
        cv2.line(layer, ends[0], ends[1], 1.0, thick)
    if rng.random() < 0.5:
        ends = ((along, start), (along, stop)) if upright else ((start, along), (stop, along))
        cv2.line(
            layer,
            (int(ends[0][0]), int(ends[0][1])),
            (int(ends[1][0]), int(ends[1][1])),
            1.0,
            thick,
        )


def _calipers(rng: Rng, layer: Map) -> None:
    points = [_at(rng, layer) for _ in range(int(rng.choice([2, 2, 4])))]
    arm, thick = int(rng.integers(2, 9)), int(rng.choice([1, 1, 2]))
    tilted = rng.random() < 0.3
    for x, y in points:
        pairs = [((-arm, 0), (arm, 0)), ((0, -arm), (0, arm))]
        if tilted:
            pairs = [((-arm, -arm), (arm, arm)), ((arm, -arm), (-arm, arm))]
        for (ax, ay), (bx, by) in pairs:
            cv2.line(layer, (x + ax, y + ay), (x + bx, y + by), 1.0, thick)
    for a, b in zip(points[::2], points[1::2], strict=False):
        steps = max(2, int(np.hypot(a[0] - b[0], a[1] - b[1]) / rng.uniform(3, 9)))
        for t in np.linspace(0, 1, steps):
            at = (int(a[0] + (b[0] - a[0]) * t), int(a[1] + (b[1] - a[1]) * t))
            cv2.circle(layer, at, 0 if thick == 1 else 1, 1.0, -1)


def _grid(rng: Rng, layer: Map) -> None:
    size = layer.shape[0]
    gap = rng.uniform(4, 60)
    across = gap if rng.random() < 0.6 else rng.uniform(4, 60)
    for i in range(int(size / gap) + 1):
        layer[:, min(int(i * gap), size - 1)] = 1.0
    for i in range(int(size / across) + 1):
        layer[min(int(i * across), size - 1), :] = 1.0
    if rng.random() < 0.5:  # only a part of the field
        layer[:, int(rng.integers(size // 4, size)) :] = 0
    if rng.random() < 0.4:  # crosses or dots where the lines meet
        layer[:] = (cv2.blur(layer, (5, 5)) > 0.3).astype(np.float32)


def _wires(rng: Rng, layer: Map) -> None:
    for _ in range(int(rng.integers(1, 5))):
        curve = spline(rng, layer.shape[0], int(rng.integers(3, 7)))
        thick = int(rng.integers(1, 8))
        cv2.polylines(layer, [curve], isClosed=False, color=1.0, thickness=thick, lineType=16)
        if thick > 3 and rng.random() < 0.6:  # a tube has two walls
            cv2.polylines(
                layer,
                [curve],
                isClosed=False,
                color=float(rng.uniform(0, 0.6)),
                thickness=thick - 2,
                lineType=16,
            )


def _sternal(rng: Rng, layer: Map) -> None:
    x, y = _at(rng, layer)
    size, pitch = rng.integers(3, 14), rng.uniform(14, 50)
    for i in range(int(rng.integers(1, 6))):
        cy = int(y + i * pitch)
        turn = rng.uniform(-30, 30)
        for side in (-1, 1):
            centre = (int(x + side * size), cy)
            cv2.ellipse(layer, centre, (int(size), int(size * 0.6) + 1), turn, 0, 350, 1.0, 1, 16)


def _staples(rng: Rng, layer: Map) -> None:
    at, turn = np.array(_at(rng, layer), np.float64), rng.uniform(0, 6.3)
    long, pitch = rng.uniform(2, 12), rng.uniform(4, 18)
    for _ in range(int(rng.integers(2, 16))):
        turn += rng.normal(0, 0.15)
        at += pitch * np.array([np.cos(turn), np.sin(turn)])
        lean = turn + np.pi / 2 + rng.normal(0, 0.3)
        end = at + long * np.array([np.cos(lean), np.sin(lean)])
        cv2.line(layer, (int(at[0]), int(at[1])), (int(end[0]), int(end[1])), 1.0, _thick(rng), 16)


def _screws(rng: Rng, layer: Map) -> None:
    for _ in range(int(rng.integers(1, 4))):
        at, turn = np.array(_at(rng, layer), np.float64), rng.uniform(0, 6.3)
        along = np.array([np.cos(turn), np.sin(turn)])
        over, wide = np.array([-along[1], along[0]]), rng.uniform(3, 9)
        turns = int(rng.integers(4, 16))
        saw = [
            at + along * i * wide * 0.5 + over * wide * (0.5 if i % 2 else -0.5)
            for i in range(turns)
        ]
        back = [at + along * i * wide * 0.5 - over * wide * 0.25 for i in reversed(range(turns))]
        cv2.fillPoly(layer, [np.array(saw + back).round().astype(np.int32)], 1.0, 16)


def _rings(rng: Rng, layer: Map) -> None:
    for _ in range(int(rng.integers(1, 6))):
        reach, thick = int(rng.gamma(3, 8)) + 2, _thick(rng)
        stop = 360 if rng.random() < 0.6 else rng.uniform(30, 300)
        axes = (reach, max(1, int(reach * rng.uniform(0.3, 1))))
        cv2.ellipse(layer, _at(rng, layer), axes, rng.uniform(0, 180), 0, stop, 1.0, thick, 16)


def _edge(rng: Rng, layer: Map) -> None:
    """A collimator: all beyond one or two straight edges is even."""
    size = layer.shape[0]
    for _ in range(int(rng.integers(1, 3))):
        turn = float(rng.choice([0, 90, 180, 270])) + rng.normal(0, 4) * (rng.random() < 0.6)
        y, x = np.indices(layer.shape, dtype=np.float32)
        away = (x - size / 2) * np.cos(np.radians(turn)) + (y - size / 2) * np.sin(np.radians(turn))
        np.maximum(layer, (away > rng.uniform(-0.1, 0.5) * size).astype(np.float32), out=layer)
    if rng.random() < 0.4:
        corner = int(rng.integers(4, 50))
        layer[:] = cv2.morphologyEx(layer, cv2.MORPH_CLOSE, np.ones((corner, corner), np.uint8))


def _boxes(rng: Rng, layer: Map) -> None:
    for _ in range(int(rng.integers(1, 4))):
        x, y = _at(rng, layer)
        w, h = rng.integers(3, 90, 2)
        cv2.rectangle(layer, (x, y), (x + int(w), y + int(h)), 1.0, int(rng.choice([-1, 1, 2])))


def _bar(rng: Rng, layer: Map) -> None:
    """A grey or colour bar, smooth or in steps, with a rim and ticks at times."""
    size = layer.shape[0]
    wide, long = int(rng.integers(5, 30)), int(rng.integers(30, size))
    ramp = np.linspace(0, 1, long, dtype=np.float32)
    if rng.random() < 0.4:
        steps = int(rng.integers(4, 20))
        ramp = np.asarray(np.floor(ramp * steps) / steps, np.float32)
    x, y = int(rng.integers(0, size - wide)), int(rng.integers(0, size - long + 1))
    layer[y : y + long, x : x + wide] = ramp[:, None]
    if rng.random() < 0.5:
        cv2.rectangle(layer, (x, y), (x + wide, y + long), 1.0, 1)
    for at in np.arange(y, y + long, rng.uniform(6, 30)) if rng.random() < 0.5 else ():
        cv2.line(layer, (x + wide, int(at)), (x + wide + int(rng.integers(2, 6)), int(at)), 1.0, 1)
    if rng.random() < 0.4:
        layer[:] = layer.T.copy()


def _trace(rng: Rng, layer: Map) -> None:
    """An ECG, a respiration curve, a Doppler envelope or a histogram."""
    size = layer.shape[0]
    x = np.arange(size)
    base, tall, period = rng.uniform(0.1, 0.9) * size, rng.uniform(5, 50), rng.uniform(15, 90)
    phase = (x / period + rng.random()) % 1
    shapes = (
        np.exp(-(((phase - 0.4) / 0.03) ** 2)) + 0.25 * np.exp(-(((phase - 0.65) / 0.08) ** 2)),
        np.sin(phase * 6.283),
        np.abs(np.cumsum(rng.normal(0, 0.15, size))) % 1,
        rng.random(size),
    )
    y = base - tall * shapes[rng.integers(len(shapes))]
    points = np.stack([x, y], 1).round().astype(np.int32)
    cv2.polylines(layer, [points], isClosed=False, color=1.0, thickness=int(rng.choice([1, 1, 2])))


def _specks(rng: Rng, layer: Map) -> None:
    """Highlights, dust, calcifications, beads on a chain."""
    reach = rng.uniform(0.5, 6)
    chain = spline(rng, layer.shape[0], 4) if rng.random() < 0.3 else None
    for i in range(int(rng.integers(3, 50))):
        at = _at(rng, layer)
        if chain is not None:
            at = (int(chain[i * 3 % len(chain)][0]), int(chain[i * 3 % len(chain)][1]))
        axes = rng.gamma(2, reach / 2, 2)
        size = (int(axes[0]), int(axes[1]))
        cv2.ellipse(
            layer, at, size, rng.uniform(0, 180), 0, 360, float(rng.uniform(0.4, 1)), -1, 16
        )


def _scratches(rng: Rng, layer: Map) -> None:
    """Short straight strokes in all directions: scratches, hairs, fibres, cracks."""
    for _ in range(int(rng.integers(3, 40))):
        x, y = _at(rng, layer)
        long, turn = rng.gamma(2, 8), rng.uniform(0, 6.3)
        end = (int(x + long * np.cos(turn)), int(y + long * np.sin(turn)))
        cv2.line(layer, (x, y), end, float(rng.uniform(0.2, 1)), 1, 16)


def _pointers(rng: Rng, layer: Map) -> None:
    """Arrows, triangles and diamonds: focus marks, pointers, biopsy guides."""
    for _ in range(int(rng.integers(1, 4))):
        x, y = _at(rng, layer)
        size, turn = rng.uniform(4, 22), rng.uniform(0, 6.3)
        if rng.random() < 0.5:
            end = (int(x + 2.5 * size * np.cos(turn)), int(y + 2.5 * size * np.sin(turn)))
            cv2.arrowedLine(layer, (x, y), end, 1.0, _thick(rng), 16, 0, rng.uniform(0.2, 0.5))
        else:
            corners = turn + np.linspace(0, 2 * np.pi, int(rng.integers(3, 5)), endpoint=False)
            points = np.stack([x + size * np.cos(corners), y + size * np.sin(corners)], 1)
            drawn = [points.round().astype(np.int32)]
            if rng.random() < 0.6:
                cv2.fillPoly(layer, drawn, 1.0, 16)
            else:
                cv2.polylines(layer, drawn, isClosed=True, color=1.0, thickness=1, lineType=16)


_MAKERS: tuple[Callable[[Rng, Map], None], ...] = (
    *(_lines, _ruler, _calipers, _grid, _wires, _sternal, _staples, _screws, _rings, _edge),
    *(_boxes, _bar, _trace, _specks, _scratches, _pointers),
)
