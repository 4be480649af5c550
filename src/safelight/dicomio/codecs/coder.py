"""Frames back to bytes without a loss, in the syntax they came in wherever that can be."""

from typing import Any, Final

import numpy as np

from safelight.dicomio.codecs import fields, native
from safelight.dicomio.codecs.fields import Array
from safelight.dicomio.codecs.form import YBR_HALF, PixelFormat
from safelight.dicomio.codecs.guard import guard
from safelight.dicomio.codecs.syntaxes import (
    DEFLATED_FRAME,
    JPEG_LS_LOSSLESS,
    NATIVE,
    RLE,
    UNCOMPRESSED,
    family,
)
from safelight.errors import NeedsReviewError

__all__ = ["encode", "lossless_photometric", "lossless_target"]

_JPEG: Final = "1.2.840.10008.1.2.4."
# JPEG processes that lose; what they coded is written as JPEG-LS instead.
_LOSSLESS_JPEG: Final = (_JPEG + "57", _JPEG + "70")
_JPIP: Final = (_JPEG + "94", _JPEG + "95")
_MOST_SEGMENTS: Final = 15  # of an RLE header (PS3.5 G.5)
_MOST_LEVELS: Final = 5
_MOST_DEPTH: Final = {"j2k": 24}  # what the libraries bring back whole; of all others: 16
_TURNED: Final = ("YBR_RCT", "YBR_ICT")
_RPCL: Final = _JPEG + "202"  # asks for the lengths of its tile-parts, one for each resolution
_LEAST_DEPTH: Final = 2  # of JPEG and JPEG-LS


def lossless_target(syntax: str) -> str:
    """Return the syntax that a changed object of this syntax is written in: its own if it can be.

    JPEG-LS Near-Lossless, JPEG 2000, HTJ2K and JPEG XL allow a lossless codestream under the UID
    that also allows a lossy one. JPEG processes that must lose go to JPEG-LS Lossless, and so does
    JPEG XL that is recompressed JPEG.

    Raises:
        NeedsReviewError: Video, or a syntax that is not known.
    """
    kind = family(syntax)
    if syntax in NATIVE:
        return syntax
    if kind is None:
        raise NeedsReviewError("no encoder for this transfer syntax", place="(0002,0010)")
    if kind == "jpeg" and syntax not in _LOSSLESS_JPEG:
        return JPEG_LS_LOSSLESS
    if syntax == _JPEG + "111":
        return _JPEG + "110"
    return syntax


def lossless_photometric(colour: str, photometric: str, syntax: str) -> str:
    """Return the Photometric Interpretation that an encoded object's header must state.

    Args:
        colour: What the frames are in: ``PixelSource.colour``.
        photometric: What the header said before.
        syntax: Transfer Syntax UID of the output.
    """
    if colour == "RGB" and photometric in _TURNED and family(syntax) == "j2k":
        return "YBR_RCT"  # the reversible transform, whichever it was (PS3.3 C.7.6.3.1.2)
    if photometric in YBR_HALF and syntax in NATIVE:
        return photometric
    return colour


def encode(
    frame: Array, form: PixelFormat, *, syntax: str = "", bits: Array | None = None
) -> bytes:
    """Return one frame coded without loss; it was decoded again and compared before it returns.

    Args:
        frame: Stored values of ``form.shape`` and ``form.dtype``.
        form: What the header of the output says; its colour is that of the frame.
        syntax: Transfer Syntax UID of the output; that of the form when empty.
        bits: What stands outside the values in their words (``PixelSource.overlay_bits``).

    Raises:
        NeedsReviewError: The syntax has no lossless form, or not for such samples.
        UnreadableInputError: The encoder failed, or the pixels did not come back the same.
        LimitExceededError: It took too much time or memory.
    """
    form.check()
    syntax = syntax or form.syntax
    words = _words(frame, form, bits)
    kind = family(syntax)
    if syntax in NATIVE or kind in (UNCOMPRESSED, DEFLATED_FRAME):
        return bytes(native.pack_words(words, form, whole=form.photometric not in YBR_HALF))
    if kind is None or lossless_target(syntax) != syntax or form.floating:
        raise NeedsReviewError(
            "this syntax cannot hold these pixels without loss", place="(0002,0010)"
        )
    if kind == RLE:
        return _even(_rle(words, form))
    return _even(_coded(words, form, kind, syntax, wide=bits is not None and bool(bits.any())))


def _words(frame: Array, form: PixelFormat, bits: Array | None) -> Array:
    if frame.shape != form.shape:
        raise NeedsReviewError("a frame of another size than its header says", place="(0028,0010)")
    if form.floating:
        return np.ascontiguousarray(frame, dtype=form.dtype).view(f"u{form.sample_bytes}")
    words = fields.join(frame, form, bits)
    if not (fields.stored(words, form) == frame).all():
        raise NeedsReviewError("values that do not fit into the bits stored", place="(0028,0101)")
    return words


def _even(coded: bytes) -> bytes:
    return coded + bytes(len(coded) % 2)


def _rle(words: Array, form: PixelFormat) -> bytes:
    if form.sample_bytes * form.samples > _MOST_SEGMENTS:
        raise NeedsReviewError("RLE has no place for such samples", place="(0028,0100)")
    width, samples, row, plane = form.sample_bytes, form.samples, form.columns, form.pixels
    shape = list(form.shape)
    if form.bits_allocated == 1:
        words = native.pack_words(words, form)
        samples, plane, shape = 1, len(words), [len(words)]
        row = plane
    job = {
        "codec": "rle",
        "shape": shape,
        "dtype": f"<u{width}",
        "plane": plane,
        "row": row,
        "segments": [samples, width],
    }
    return guard().encode(words.astype(f"<u{width}", copy=False).tobytes(), job)


def _coded(words: Array, form: PixelFormat, kind: str, syntax: str, *, wide: bool) -> bytes:
    """Encode words as samples: of Bits Stored, or of the whole word where more is in it."""
    whole = wide or form.shift > 0
    depth = form.bits_allocated if whole else max(form.bits_stored, _LEAST_DEPTH)
    odd = form.bits_allocated == 1 or (kind == "jpeg" and form.samples > 3)  # noqa: PLR2004 - CMYK
    if odd or depth > _MOST_DEPTH.get(kind, 16):
        raise NeedsReviewError("this syntax has no place for such samples", place="(0028,0100)")
    signed = form.signed and not whole and kind == "j2k"
    size = 1 if depth <= 8 else 2 if depth <= 16 else 4  # noqa: PLR2004 - bits of a byte
    if signed:
        samples = words.view(f"i{form.sample_bytes}").astype(f"<i{size}")
    else:
        mask = words.dtype.type((1 << depth) - 1)
        samples = (words & mask).astype(f"<u{size}")
    job: dict[str, Any] = {
        "codec": kind,
        "shape": form.shape,
        "dtype": samples.dtype.str,
        "samples": form.samples,
        "bits": depth,
        "rgb": form.photometric == "RGB",
        "turn": form.samples == 3 and form.photometric in _TURNED,  # noqa: PLR2004 - R, G and B
        "levels": min(_MOST_LEVELS, min(form.rows, form.columns).bit_length() - 1),
        "tlm": syntax == _RPCL,
    }
    if kind == "j2k" and syntax.startswith(_JPEG + "20"):
        job["codec"] = "htj2k"
    return guard().encode(samples.tobytes(), job)
