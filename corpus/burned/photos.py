"""Photographs of films: a light box or a desk, perspective, glare, stickers, writing by hand."""

import random
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from corpus.burned.draw import Floats, compose, warp
from corpus.burned.layout import Page, face_for, plate, put, say, style_for

__all__ = ["save", "shoot", "sticker"]


def sticker(page: Page, *, by_hand: bool) -> None:
    """Stick a paper label on the film, printed or written by hand."""
    rng = page.rng
    size = rng.randint(13, 30)
    kinds = ["name", *[rng.choice(("number", "birth", "date", "age and sex", "clinic", "phone"))
                       for _ in range(rng.randint(0, 3))]]  # fmt: skip
    said = [say(page, kind) for kind in kinds]
    latin = "".join(text for text, _, script in said if script == "latin") or "A"
    face = face_for(page, latin, style="hand" if by_hand else "")
    ink = rng.choice(((0.08, 0.08, 0.1), (0.1, 0.12, 0.45), (0.45, 0.1, 0.1)))
    base = replace(
        style_for(page, "A", "", size, face),
        colour=ink if by_hand else (0.06, 0.06, 0.06),
        shaky=by_hand, halo=False, blur=0.0, angle=rng.gauss(0, 3), hard=False,
    )  # fmt: skip
    rows, columns = page.taken.shape
    x, y = rng.randint(10, columns // 2), rng.randint(10, rows * 3 // 4)
    before = len(page.marks)
    step = round(max(size, base.face.strike) * 1.35)
    for k, (kind, one) in enumerate(zip(kinds, said, strict=True)):
        own = base.face
        if len(one[0]) > 0 and one[2] != "latin":
            own = face_for(page, one[0])
        style = replace(base, face=own, size=max(size, own.strike))
        put(page, kind, one, style, lambda *_, k=k: (x, y + k * step))
    fresh = page.marks[before:]
    plate(page, fresh, rng.uniform(0.82, 0.98), base.colour)
    for mark in fresh:
        mark.factors.append("sticker")
        if by_hand:
            mark.factors.append("handwriting")


def scrawl(page: Page) -> None:
    """Write on the film itself with a wax pencil."""
    rng = page.rng
    kind = rng.choice(("name", "date", "number", "laterality"))
    said = say(page, kind)
    face = face_for(page, said[0], style="hand")
    size = rng.randint(20, 46)
    style = replace(
        style_for(page, said[0], "", size, face),
        colour=rng.choice(((0.95, 0.95, 0.9), (0.95, 0.9, 0.3), (0.9, 0.3, 0.25))),
        shaky=True, halo=False, angle=rng.gauss(0, 6), hard=False,
    )  # fmt: skip
    rows, columns = page.taken.shape
    for _ in range(8):
        mark = put(
            page, kind, said, style,
            lambda w, h: (rng.randint(2, max(3, columns - w)), rng.randint(2, max(3, rows - h))),
        )  # fmt: skip
        if mark is not None:
            mark.factors.append("handwriting")
            return


def _ground(g: np.random.Generator, rows: int, columns: int) -> Floats:
    """Return what lies around the film: a light box, a desk, a dark room."""
    kind = g.integers(0, 3)
    if kind == 0:
        p = np.full((rows, columns, 3), g.uniform(0.85, 0.98), np.float32)
        p *= np.array([0.97, 1.0, 1.0], np.float32)
    elif kind == 1:
        grain = g.normal(0, 1, (rows // 40 + 2, columns // 3 + 2)).astype(np.float32)
        wood = cv2.resize(grain, (columns, rows), interpolation=cv2.INTER_CUBIC)[..., None]
        p = np.array([0.5, 0.36, 0.24], np.float32) * (1 + 0.1 * wood)
    else:
        p = np.full((rows, columns, 3), g.uniform(0.02, 0.15), np.float32)
    light = g.normal(1, 0.12, (3, 3)).astype(np.float32)
    shade = cv2.resize(light, (columns, rows), interpolation=cv2.INTER_CUBIC)[..., None]
    return np.asarray(np.clip(p * shade, 0, 1), np.float32)


def shoot(page: Page) -> Floats:
    """Photograph the written film: marks move with it; returns the picture (rows, columns, 3)."""
    g = np.random.default_rng(page.rng.getrandbits(64))
    film = page.picture if page.picture.ndim == 3 else np.repeat(page.picture[..., None], 3, -1)
    film = film.copy()
    for mark in page.marks:
        compose(film, mark)
    h, w = film.shape[:2]
    rows, columns = int(h * g.uniform(1.05, 1.25)), int(w * g.uniform(1.05, 1.25))
    slack = 0.08 * min(h, w)
    corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    centre = np.array([(columns - w) / 2, (rows - h) / 2], np.float32)
    moved = corners + centre + g.uniform(-slack, slack, (4, 2)).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    picture = _ground(g, rows, columns)
    tint = np.array([g.uniform(0.85, 1), g.uniform(0.92, 1), 1.0], np.float32)
    shot = cv2.warpPerspective(film * tint * 0.95 + 0.02, matrix, (columns, rows))
    inside = cv2.warpPerspective(np.ones((h, w), np.float32), matrix, (columns, rows))[..., None]
    picture = picture * (1 - inside) + shot * inside
    picture = _light(picture, g)
    for mark in page.marks:
        mark.glyphs = [warp(glyph, matrix) for glyph in mark.glyphs]
    return picture


def _light(picture: Floats, g: np.random.Generator) -> Floats:
    rows, columns = picture.shape[:2]
    if g.random() < 0.5:  # glare
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        cy, cx = g.uniform(0, rows), g.uniform(0, columns)
        spot = np.exp(-(((x - cx) / columns * 5) ** 2 + ((y - cy) / rows * 5) ** 2))
        picture = picture + g.uniform(0.1, 0.35) * spot[..., None]
    if g.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), g.uniform(0.4, 0.9))
    noise = g.normal(0, g.uniform(0.005, 0.02), picture.shape)
    return np.clip(picture + noise, 0, 1).astype(np.float32)


def save(path: Path, picture: Floats, rng: random.Random) -> None:
    """Write the photograph as JPEG or PNG, by the name's suffix."""
    pixels: NDArray[np.uint8] = np.rint(picture * 255).astype(np.uint8)
    image = Image.fromarray(pixels)
    if path.suffix == ".png":
        image.save(path)
    else:
        image.save(path, quality=rng.choice((60, 75, 85, 92)), subsampling=rng.choice((0, 1, 2)))
