"""JPEG photos: masked in whole MCUs without being decoded (ITU-T T.81)."""

from safelight.deid.pixels.jpegmask import mask_jpeg
from safelight.deid.pixels.jpegparts import parse
from safelight.deid.pixels.jpegproof import prove
from safelight.deid.pixels.masks import Fill, Masks
from safelight.deid.pixels.photocommon import check_size
from safelight.dicomio.limits import Limits

__all__ = ["mask"]


def mask(data: bytes, masks: Masks, fill: Fill, limits: Limits) -> bytes:
    """Return the JPEG masked; further pictures behind its end marker are left out."""
    jpeg = parse(data)
    check_size(jpeg.rows, jpeg.columns, limits)
    here = masks.sized(jpeg.rows, jpeg.columns, 1)
    done = mask_jpeg(data, here.of(0), border=fill is Fill.BOX, keep=here.kept(0))
    prove(data, done, here.of(0), flat=fill is Fill.FLAT)
    return done
