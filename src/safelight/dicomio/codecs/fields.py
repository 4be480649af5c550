"""Words and the values in them: Bits Stored, High Bit and sign (PS3.5 section 8.1.1)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.dicomio.codecs.form import PixelFormat

__all__ = ["Array", "join", "outside", "stored"]

Array = NDArray[Any]


def stored(words: Array, form: PixelFormat, *, sign_bit: int = 0) -> Array:
    """Return the values that words hold: shifted down, masked, the sign carried up.

    Args:
        words: Unsigned, of Bits Allocated.
        form: Says where in the word the value stands.
        sign_bit: Bits of a signed value, where a codestream has fewer than Bits Stored; else 0.
    """
    size = words.dtype.itemsize * 8
    bits = min(sign_bit or form.bits_stored, form.bits_stored)
    if form.shift:
        words = words >> form.shift
    if form.signed:
        up = size - bits
        values = words.view(words.dtype.str.replace("u", "i"))
        return (values << up) >> up if up else values
    if bits + form.shift == size:
        return words
    kept: Array = words & words.dtype.type((1 << form.bits_stored) - 1)
    return kept


def outside(words: Array, form: PixelFormat) -> Array:
    """Return the words without their values: bits above High Bit and below the lowest stored."""
    rest: Array = words & ~_mask(words.dtype, form)
    return rest


def join(values: Array, form: PixelFormat, bits: Array | None = None) -> Array:
    """Return the words that hold these values, and around them these bits.

    Without bits a negative value's sign fills the word above High Bit, as readers that do not mask
    expect it.
    """
    kind = np.dtype(f"u{form.sample_bytes}")
    words = np.ascontiguousarray(values).astype(form.dtype, copy=False).view(kind)
    if form.shift:
        words = words << form.shift
    if bits is None:
        return words if form.signed else words & _mask(kind, form)
    joined: Array = (words & _mask(kind, form)) | (bits & ~_mask(kind, form))
    return joined


def _mask(kind: Any, form: PixelFormat) -> Any:
    return np.dtype(kind).type(((1 << form.bits_stored) - 1) << form.shift)
