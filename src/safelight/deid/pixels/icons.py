"""Overlay planes and icons follow the same boxes as the pixels (PS3.3 C.9.2, C.7.6.1.1.6)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.pixelcopy import Geometry, PixelCopier
from safelight.deid.pixels.header import Overlay, PixelHeader, gather
from safelight.deid.pixels.mask import mask_object
from safelight.deid.pixels.masks import Fill, Mask
from safelight.dicomio.codecs import open_pixels
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import PIXEL_DATA, Budget, Walker
from safelight.types import FileSlice

__all__ = ["mask_icon", "mask_overlays", "scaled"]

_NATIVE = "1.2.840.10008.1.2.1"
_MARGIN = 1  # pixels of an icon: it was made by a filter that nobody knows


def mask_overlays(
    header: PixelHeader, regions: Sequence[Region], shapes: Mapping[int, Mask] | None = None
) -> dict[int, bytes]:
    """Return Overlay Data (60xx,3000) that changes, by tag: nothing is drawn under a mask.

    Boxes are in pixels of the image; a plane may lie beside it. A plane that lies over all frames
    is emptied wherever one frame is masked.
    """
    found = {}
    for overlay in header.overlays:
        if not overlay.data:
            continue  # it lies in pixel data and is masked there
        size, raw = overlay.rows * overlay.columns, np.frombuffer(overlay.data, np.uint8)
        if overlay.big:
            raw = raw[: len(raw) // 2 * 2].reshape(-1, 2)[:, ::-1].reshape(-1)
        bits = np.unpackbits(raw, bitorder="little")
        planes = bits[: len(bits) // size * size].reshape(-1, overlay.rows, overlay.columns)
        for number, plane in enumerate(planes[: overlay.frames]):
            whole = overlay.frames == 1 and overlay.first_frame == 0
            frame = None if whole else overlay.first_frame + number
            plane[_over(overlay, frame, regions, shapes or {})] = 0
        new = np.packbits(bits, bitorder="little")
        if np.array_equal(new, raw):
            continue
        if overlay.big:
            new = new.reshape(-1, 2)[:, ::-1].reshape(-1)
        rest = overlay.data[len(new) :]
        found[overlay.group << 16 | 0x3000] = new.tobytes() + rest
    return found


def _over(
    overlay: Overlay, frame: int | None, regions: Sequence[Region], shapes: Mapping[int, Mask]
) -> Mask:
    """Return what is masked of one plane; over all frames when ``frame`` is None."""
    mask = np.zeros((overlay.rows, overlay.columns), np.bool_)
    top, left = overlay.origin[0] - 1, overlay.origin[1] - 1
    for region in regions:
        if region.verdict is not Verdict.MASK:
            continue
        if frame is not None and region.frames and frame not in region.frames:
            continue
        for box in region.boxes:
            moved = replace(box, x=box.x - left, y=box.y - top)
            part = moved.clipped(overlay.rows, overlay.columns)
            if part is not None:
                mask[part.y : part.y + part.h, part.x : part.x + part.w] = True
    for number, shape in shapes.items():
        if frame is None or number == frame:
            y, x = np.nonzero(shape)
            inside = (
                (y >= top) & (y < top + overlay.rows) & (x >= left) & (x < left + overlay.columns)
            )
            mask[y[inside] - top, x[inside] - left] = True
    return mask


def scaled(regions: Sequence[Region], size: tuple[int, int], to: tuple[int, int]) -> list[Region]:
    """Return what is masked in any frame as boxes on a smaller picture of it, a pixel wider.

    Args:
        regions: Boxes over the image; those that are not masked are left out.
        size: Rows and columns of the image.
        to: Rows and columns of the smaller picture.
    """
    rows, columns = size
    found = []
    for region in regions:
        if region.verdict is not Verdict.MASK:
            continue
        boxes = []
        for box in region.boxes:
            left, top = box.x * to[1] // columns - _MARGIN, box.y * to[0] // rows - _MARGIN
            right = -(-(box.x + box.w) * to[1] // columns) + _MARGIN
            bottom = -(-(box.y + box.h) * to[0] // rows) + _MARGIN
            boxes.append(Box(left, top, right - left, bottom - top))
        found.append(replace(region, boxes=boxes, frames=()))
    return found


def mask_icon(
    item: bytes,
    walker: Walker,
    regions: Sequence[Region],
    size: tuple[int, int],
    limits: Limits,
    *,
    shapes: Mapping[int, Mask] | None = None,
) -> bytes | None:
    """Return one item of an Icon Image Sequence masked like its image; None when it has to go.

    It goes when a mask is no box, when it is compressed, and when anything in it does not fit.

    Args:
        item: The item's elements, without the item's own head.
        walker: Of their encoding.
        regions: Boxes over the image.
        size: Rows and columns of the image.
        limits: Bounds on elements.
        shapes: Masks of any form over the image.

    Raises:
        UnreadableInputError: The item cannot be read.
        NeedsReviewError: Its pixels cannot be written back.
    """
    if shapes:
        return None
    elements = walker.elements(item, 0, len(item), Budget(limits), depth=1)
    pixels = next((one for one in elements if one[0] == PIXEL_DATA), None)
    if pixels is None or pixels[4] != pixels[5]:
        return None
    header = PixelHeader.read(
        gather(item, elements), walker, _NATIVE, limits, pixels=(PIXEL_DATA, pixels[1] or b"OW")
    )
    form = header.form
    geometry = Geometry(
        rows=form.rows,
        columns=form.columns,
        samples=form.samples,
        bits=form.bits_allocated,
        frames=form.frames,
        photometric=form.photometric,
    )
    source = open_pixels(
        item, value=pixels[3], stop=pixels[4], encapsulated=False, form=form, limits=limits
    )
    done = mask_object(
        source,
        header,
        scaled(regions, size, (form.rows, form.columns)),
        copier=PixelCopier(item, "", walker, _NATIVE, geometry, limits),
        element=pixels,
        fill=Fill.FLAT,
    )
    parts = [bytes(part) for part in done.parts if not isinstance(part, FileSlice)]
    return item[: pixels[2]] + b"".join(parts) + item[pixels[5] :]
