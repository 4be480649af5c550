"""Photos and scans: their pictures as shown, and their pixels masked in the format they came in.

What no mask covers decodes to the same pixels as before; JPEG is masked in whole MCUs, but for kept
marks in them. Metadata, thumbnails and passengers are the photo cleaners' to remove: they run on
what comes out here.
"""

import importlib
import io
import struct
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from safelight.deid.boxes import Region
from safelight.deid.pixels.masks import Fill, Mask, Masks
from safelight.deid.pixels.photoproof import prove_photo
from safelight.deid.pixels.picture import Picture, turned_by
from safelight.deid.pixels.render import HIGH_PERCENT, LOW_PERCENT
from safelight.deid.pixels.tifffile import Tiff, put_first
from safelight.dicomio.limits import Limits
from safelight.errors import LimitExceededError, NeedsReviewError, UnreadableInputError
from safelight.types import Kind

__all__ = ["MASKED", "mask_photo", "picture"]

# Formats whose pixels can be masked, and who does it.
MASKED: Final = {
    Kind.BMP: "photobmp",
    Kind.GIF: "photogif",
    Kind.JPEG: "photojpeg",
    Kind.PNG: "photopng",
    Kind.TIFF: "phototiff",
    Kind.WEBP: "photowebp",
}
_TOGETHER: Final = frozenset({Kind.GIF, Kind.PNG, Kind.WEBP})  # frames are masked alike
_JPEG_PACKED: Final = 7  # a TIFF's Compression
_WIDE: Final = ("I", "F")  # modes of more than 8 bits begin so
_UNTURN: Final = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
_ORIENTATION: Final = 0x0112
_BAND: Final = 1 << 20  # samples that are worked out at a time
# what decoders raise for damaged files
_DAMAGE: Final = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, KeyError, struct.error,
)  # fmt: skip

Array = NDArray[Any]


class Masker(Protocol):
    """What a module for one format offers."""

    def mask(self, data: bytes, masks: Masks, fill: Fill, limits: Limits) -> bytes: ...


def mask_photo(
    kind: Kind,
    data: bytes,
    regions: Sequence[Region],
    *,
    shapes: Mapping[int, Mask] | None = None,
    fill: Fill = Fill.FLAT,
    limits: Limits | None = None,
) -> bytes:
    """Return the photo with what regions and shapes cover drawn over.

    Args:
        kind: Its format.
        data: The whole file.
        regions: Those with verdict MASK, and marks with KEEP that stay beside them, in stored
            pixels; ``frames`` are pages of a TIFF, numbered as ``picture`` does. In an animation
            every frame is masked wherever one is, since frames show through each other.
        shapes: Masks of any form by page, shape (rows, columns).
        fill: What is drawn over.
        limits: Bounds on what is unpacked.

    Raises:
        NeedsReviewError: The format, or this variety of it, cannot be written back as it was, or
            something of what is covered is left when it is decoded.
        UnreadableInputError: It is malformed or truncated.
        LimitExceededError: It unpacks to more than the limits allow.
    """
    if kind not in MASKED:
        raise NeedsReviewError("nothing here masks pictures of this format")
    # size and number of pages are known to the format's own reader
    masks = Masks(rows=0, columns=0, frames=0, regions=regions, shapes=shapes or {})
    name = f"safelight.deid.pixels.{MASKED[kind]}"
    masker = cast("Masker", importlib.import_module(name))  # start-up cost: one format at a time
    limits = limits or Limits()
    done = masker.mask(data, masks, fill, limits)
    if kind is not Kind.JPEG:  # proven by the masker, beside the mask as well
        soft: set[int] = set()
        if kind is Kind.TIFF:
            pages = enumerate(Tiff(done, limits).pages)
            soft = {number for number, page in pages if page.packing == _JPEG_PACKED}
        pictures = picture(kind, done, limits)
        prove_photo(pictures, masks, together=kind in _TOGETHER, fill=fill, soft=soft)
    return done


def picture(kind: Kind, data: bytes, limits: Limits | None = None) -> list[Picture]:
    """Return all frames or pages as displayed, in stored orientation (see ``Picture.upright``).

    Pages of a TIFF are all folders that the photo cleaner keeps: the main chain, then SubIFDs.

    An alpha channel that hides or shows something is a picture of its own (``source`` is
    ``alpha``): what is written there is invisible in the colours.

    Raises:
        UnreadableInputError: It cannot be decoded.
        LimitExceededError: It decodes to more than the limits allow.
        NeedsReviewError: No decoder here for its format.
    """
    if kind not in MASKED:
        raise NeedsReviewError(
            "nothing here can look into pictures of this format",
            todo="save it as PNG or JPEG, or use --no-pixels if nothing is written in it",
        )
    from PIL import Image  # noqa: PLC0415  # start-up cost

    limits = limits or Limits()
    found: list[Picture] = []
    left = limits.decoded_bytes
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters is raised below
            for number, (image, whole) in enumerate(_frames(kind, data, limits)):
                if image.width * image.height * _bytes_a_pixel(image) > left:
                    raise LimitExceededError(
                        "its pictures are larger than the limit allows (decoded_bytes)"
                    )
                shown = _shown(image, number, kind, whole)
                left -= sum(
                    one.grey.nbytes + (0 if one.rgb is None else one.rgb.nbytes) for one in shown
                )
                found += shown
    except Image.DecompressionBombError as err:
        raise LimitExceededError("its pictures are larger than the limit allows") from err
    except _DAMAGE as err:
        raise UnreadableInputError("the picture cannot be decoded") from err
    return found


def _frames(kind: Kind, data: bytes, limits: Limits) -> Iterator[tuple[Any, io.BytesIO]]:
    """Yield each frame, opened, and the file that it is the current or the first one of.

    A decoder of TIFF walks the main chain only: each folder is opened as if it were the first. Of
    a JPEG the pictures behind the first one (MPF: gain maps, previews, the other eye) never go out.
    """
    from PIL import Image  # noqa: PLC0415  # start-up cost

    file = io.BytesIO(data)
    if kind is Kind.TIFF:
        for page in Tiff(data, limits).pages:
            with Image.open(put_first(file, page), formats=["TIFF"]) as image:
                yield image, file
        return
    with Image.open(file) as image:
        count = 1 if kind is Kind.JPEG else getattr(image, "n_frames", 1)
        for number in range(min(count, limits.items)):
            image.seek(number)
            yield image, file


def _shown(image: Any, number: int, kind: Kind, whole: io.BytesIO) -> list[Picture]:
    """Return one frame, and its alpha channel where that says something."""
    turned = image.getexif().get(_ORIENTATION, 1)
    turned = turned if turned in _UNTURN else 1
    try:
        image.load()
    except OSError:
        if kind is not Kind.TIFF:
            raise
        return [_wide(_tiff_page(whole.getvalue()), number, turned)]
    undo = turned if kind is Kind.TIFF and image.getexif().get(_ORIENTATION, 1) == 1 else 1
    if image.mode.startswith(_WIDE):
        return [_wide(_unturned(np.asarray(image), undo), number, turned)]
    alpha: Array | None = None
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgb, alpha = _colours(image, "RGBA")
        alpha = _unturned(alpha, undo)
    elif image.mode in ("1", "L"):
        return [_of(_unturned(np.asarray(image.convert("L")), undo), None, number, turned)]
    else:
        rgb, _ = _colours(image, "RGB")
    rgb = _unturned(rgb, undo)
    found = [_of(_luma(rgb), rgb, number, turned)]
    if alpha is not None and alpha.min() != alpha.max():
        found.append(_of(alpha, None, number, turned, "alpha"))
    return found


def _colours(image: Any, mode: str) -> tuple[Array, Array]:
    """Return a frame's colours and its alpha channel, made a few rows at a time."""
    wide, high = image.size
    rgb = np.empty((high, wide, 3), np.uint8)
    alpha = np.empty((high, wide) if mode == "RGBA" else (0, 0), np.uint8)
    for band in _bands(high, wide * len(mode)):
        part = np.asarray(image.crop((0, band.start, wide, min(band.stop, high))).convert(mode))
        rgb[band] = part[:, :, :3]
        if mode == "RGBA":
            alpha[band] = part[:, :, 3]
    return rgb, alpha


def _of(
    grey: Array, rgb: Array | None, number: int, turned: int, source: str = "pixels"
) -> Picture:
    return Picture(
        grey=np.ascontiguousarray(grey),
        rgb=None if rgb is None else np.ascontiguousarray(rgb),
        frame=number,
        source=source,
        orientation=turned,
    )


def _bytes_a_pixel(image: Any) -> int:
    """Return what a pixel takes while a frame is decoded: as decoded, as shown, and in between.

    A frame with samples of more than 8 bits is sorted for its range, and stretched.
    """
    if image.mode in ("1", "L"):
        return 3
    return 16 if image.mode.startswith(_WIDE) else 9


def _bands(rows: int, row: int) -> Iterator[slice]:
    """Yield rows a few at a time: what is worked out for each takes little memory."""
    step = max(1, _BAND // max(row, 1))
    return (slice(at, at + step) for at in range(0, rows, step))


def _luma(rgb: Array) -> Array:
    found = np.empty(rgb.shape[:2], np.uint8)
    for band in _bands(len(rgb), rgb[:1].size):
        weighed = rgb[band].astype(np.uint32) @ np.array((19595, 38470, 7471), np.uint32)
        found[band] = weighed + 0x8000 >> 16
    return found


def _unturned(found: Array, orientation: int) -> Array:
    """Undo the turn that the decoder of TIFF makes by itself."""
    if orientation == 1:
        return found
    return np.ascontiguousarray(turned_by(found, _UNTURN[orientation]))


def _wide(values: Array, number: int, turned: int) -> Picture:
    """Return samples of more than 8 bits, stretched over what is there."""
    known = values
    if values.dtype.kind == "f":
        known = np.nan_to_num(values, posinf=0, neginf=0)
    low, high = np.percentile(known, (LOW_PERCENT, HIGH_PERCENT))
    if high <= low:
        low, high = known.min(), known.max()
    low, high = float(low), float(high)
    scale = 255 / (high - low) if high > low else 0
    levels: Array = np.empty(known.shape, np.uint8)
    for band in _bands(len(known), known[:1].size):
        stretched = (known[band].astype(np.float64) - low) * scale
        levels[band] = np.clip(np.rint(stretched), 0, 255)
    if levels.ndim == 3:  # noqa: PLR2004 - rows, columns, samples
        rgb = levels[:, :, :3] if levels.shape[2] > 2 else levels[:, :, :1].repeat(3, axis=2)  # noqa: PLR2004 - red, green, blue
        return _of(_luma(rgb), rgb, number, turned)
    return _of(levels, None, number, turned)


def _tiff_page(data: bytes) -> Array:
    """Return the first page, which Pillow has no mode for."""
    import imagecodecs  # noqa: PLC0415  # start-up cost

    try:
        return np.asarray(imagecodecs.tiff_decode(data, index=0))
    except imagecodecs.TiffError as err:
        raise UnreadableInputError("the picture cannot be decoded") from err
