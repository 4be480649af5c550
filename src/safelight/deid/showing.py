"""Pictures with what was found drawn around, for the eyes of whoever may see the original."""

import io
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.pixels.picture import Bytes2D, Picture

__all__ = ["Show", "drawn"]

# Takes "before", "after" or "surface" (a head, before and after) and a PNG. What it is given may
# identify someone.
Show = Callable[[str, bytes], None]

_COLOURS: Final = {
    Verdict.MASK: (214, 39, 40),
    Verdict.KEEP: (44, 160, 44),
    Verdict.REVIEW: (255, 187, 40),
}
_LARGEST: Final = 1024  # pixels of the longer side
_SMALLEST: Final = 384


def drawn(picture: Picture, regions: Sequence[Region]) -> bytes:
    """Return a PNG of the picture: red is masked, green stays, yellow waits for a person.

    Args:
        picture: As displayed.
        regions: In its own pixels; those of other frames are left out.
    """
    from PIL import Image, ImageDraw  # noqa: PLC0415  # start-up cost

    rgb = picture.rgb if picture.rgb is not None else np.repeat(picture.grey[:, :, None], 3, 2)
    image = Image.fromarray(np.ascontiguousarray(rgb))
    longest = max(image.size)
    scale = min(_LARGEST / longest, max(1.0, _SMALLEST / longest))
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image = image.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(image)
    order = [Verdict.KEEP, Verdict.REVIEW, Verdict.MASK]
    for region in sorted(regions, key=lambda one: order.index(one.verdict)):
        if region.frames and picture.frame not in region.frames:
            continue
        for left, top, right, bottom in _outline(region.boxes, picture.grey, scale):
            draw.line((left, top, right, bottom), fill=_COLOURS[region.verdict], width=2)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _outline(
    boxes: Sequence[Box], grey: Bytes2D, scale: float
) -> list[tuple[float, float, float, float]]:
    """Return the border of the union of boxes as lines, in pixels of the drawing."""
    import cv2  # noqa: PLC0415  # start-up cost

    plane = np.zeros((grey.shape[0] + 2, grey.shape[1] + 2), np.uint8)
    for box in boxes:
        part = box.clipped(*grey.shape)
        if part is not None:
            plane[part.y + 1 : part.y + 1 + part.h, part.x + 1 : part.x + 1 + part.w] = 1
    contours, _ = cv2.findContours(plane, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    lines = []
    for contour in contours:
        points = (contour[:, 0].astype(float) - 0.5) * scale
        for one, other in zip(points, np.roll(points, -1, axis=0), strict=True):
            lines.append((one[0], one[1], other[0], other[1]))
    return lines
