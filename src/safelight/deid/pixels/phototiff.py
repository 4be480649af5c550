"""TIFF and BigTIFF: strips and tiles that a mask touches are drawn over and packed as they were.

Changed blocks are written at the end and their old bytes emptied; the photo cleaner lays the file
out anew. JPEG blocks are masked in whole MCUs; a CCITT page is written plain. Source: TIFF 6.0,
Technical Notes 2 (JPEG) and 3 (floating-point predictor), Adobe's BigTIFF design.
"""

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels import tiffpack
from safelight.deid.pixels.jpegmask import mask_jpeg
from safelight.deid.pixels.jpegparts import parse
from safelight.deid.pixels.jpegproof import prove
from safelight.deid.pixels.masks import Fill, Mask, Masks, edge_of
from safelight.deid.pixels.photocommon import check_size
from safelight.deid.pixels.tifffile import Page, Tiff
from safelight.dicomio.limits import Limits
from safelight.errors import NeedsReviewError, UnreadableInputError

__all__ = ["mask"]

_WHITE_IS_ZERO, _PALETTE, _CMYK, _YCBCR = 0, 3, 5, 6
_CCITT: Final = (2, 3, 4)
_JPEG: Final = 7

Array = NDArray[Any]


def mask(data: bytes, masks: Masks, fill: Fill, limits: Limits) -> bytes:
    """Return the TIFF with its pages masked.

    Raises:
        UnreadableInputError: It is malformed or truncated.
        LimitExceededError: It unpacks to more than the limits allow.
        NeedsReviewError: A page that is masked is packed in a way that cannot be written back.
    """
    try:
        tiff = Tiff(data, limits)
        pages = tiff.pages
        for number, page in enumerate(pages):
            here = masks.sized(page.rows, page.columns, len(pages))
            if number in here.numbers():
                _Work(tiff, page, limits, fill).run(here.of(number), here.kept(number))
        return tiff.finish()
    except (struct.error, IndexError):
        raise UnreadableInputError("the file is truncated, or a length in it is wrong") from None


class _Work:
    """One page being masked."""

    def __init__(self, tiff: Tiff, page: Page, limits: Limits, fill: Fill) -> None:
        self.tiff, self.page, self.fill, self.limits = tiff, page, fill, limits
        check_size(page.rows, page.columns, limits)
        if page.packing != _JPEG and page.colour == _YCBCR and page.subsampled:
            raise NeedsReviewError("pixels that share their colour cannot be written back")

    def run(self, here: Mask, kept: Mask) -> None:
        page = self.page
        if page.packing in _CCITT:
            self._plain(here)
            return
        blocks = page.blocks()
        for index, (y, x, high, wide, plane) in enumerate(blocks):
            part, stays = (_part(whole[y:, x:], high, wide) for whole in (here, kept))
            if part.any():
                start, size = page.starts[index], page.sizes[index]
                block = self.tiff.take(start, size)
                done = self._block(block, part, stays, plane)
                self.tiff.put(page, index, done)

    def _block(self, block: bytes, part: Mask, stays: Mask, plane: int) -> bytes:
        page = self.page
        if page.packing == _JPEG:
            return self._jpeg(block, part, stays)
        pixels = tiffpack.unpack(block, page, part.shape, self.limits)
        self._draw(pixels, part, plane)
        done = tiffpack.pack(pixels, page)
        back = tiffpack.unpack(done, page, part.shape, self.limits)
        if back.tobytes() != pixels.tobytes():  # as bytes: NaN is no equal of itself
            raise NeedsReviewError("a picture did not come back as it was written")
        return done

    def _jpeg(self, block: bytes, part: Mask, stays: Mask) -> bytes:
        tables = self.page.jpeg_tables
        jpeg = parse(block, tables)
        check_size(jpeg.rows, jpeg.columns, self.limits)
        here = _part(part, jpeg.rows, jpeg.columns)
        done = mask_jpeg(
            block,
            here,
            photometric="" if self.page.colour == _YCBCR else "RGB",
            bright=self.page.colour == _WHITE_IS_ZERO,
            border=self.fill is Fill.BOX,
            tables=tables,
            keep=_part(stays, jpeg.rows, jpeg.columns),
        )
        prove(block, done, here, tables=tables, flat=self.fill is Fill.FLAT)
        return done

    def _draw(self, pixels: Array, part: Mask, plane: int) -> None:
        """Set samples, shape (rows, columns, samples), in place."""
        dark, middle = self._levels(pixels.dtype)
        if self.page.apart:
            dark, middle = dark[plane : plane + 1], middle[plane : plane + 1]
        pixels[part] = dark
        if self.fill is Fill.BOX:
            pixels[edge_of(part)] = middle

    def _levels(self, kind: np.dtype[Any]) -> tuple[Array, Array]:
        """Return the darkest and a middle pixel."""
        page = self.page
        plain = page.format == 1
        top = (1 << page.bits) - 1 if plain else 0
        half = (top + 1) // 2
        colours = {2: 3, _CMYK: 4, _YCBCR: 3, 8: 3}.get(page.colour, 1)
        dark, middle = [0] * colours, [half] * colours
        if page.colour in (_WHITE_IS_ZERO, _CMYK):
            dark = [top] * colours
        elif page.colour == _YCBCR:
            dark = [0, half, half]
        elif page.colour == _PALETTE:
            dark, middle = self._palette()
        extra = page.samples - len(dark)
        dark, middle = dark + [top] * extra, middle + [top] * extra
        darkest, between = (np.array(one[: page.samples]) for one in (dark, middle))
        return darkest.astype(kind), between.astype(kind)

    def _palette(self) -> tuple[list[int], list[int]]:
        table = np.array(self.page.palette, np.int64)
        if not len(table) or len(table) % 3:
            raise UnreadableInputError("a picture without its palette")
        light = np.array((299, 587, 114)) @ table.reshape(3, -1)
        return [int(light.argmin())], [int(np.abs(light - 32_768_000).argmin())]

    def _plain(self, here: Mask) -> None:
        """Write a CCITT page as plain bits, block by block."""
        page = self.page
        white = tiffpack.ccitt(self.tiff.original, page)
        stored = white if page.colour != _WHITE_IS_ZERO else ~white
        dark, blocks = page.colour == _WHITE_IS_ZERO, page.blocks()
        stored = stored.copy()
        stored[here] = dark
        if len(blocks) != len(page.starts):
            raise UnreadableInputError("strips or tiles and their lengths do not match")
        for index, (y, x, high, wide, _) in enumerate(blocks):
            part = np.zeros((high, wide), np.uint8)
            cut = stored[y : y + high, x : x + wide]
            part[: cut.shape[0], : cut.shape[1]] = cut
            self.tiff.put(page, index, np.packbits(part, axis=1).tobytes())
        self.tiff.set_plain(page)


def _part(whole: Mask, rows: int, columns: int) -> Mask:
    """Return the upper left corner of a mask in this size, which may be larger."""
    found = np.zeros((rows, columns), np.bool_)
    cut = whole[:rows, :columns]
    found[: cut.shape[0], : cut.shape[1]] = cut
    return found
