"""Stored values as a viewer shows them (PS3.3 C.7.6.3, C.11.1, C.11.2, C.9.2).

Levels are worked out once for each stored value, not once a pixel.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.header import Look, PixelHeader
from safelight.deid.pixels.picture import Bytes2D, Picture
from safelight.deid.pixels.tables import Table
from safelight.dicomio.codecs import fields
from safelight.dicomio.codecs.form import PixelFormat

__all__ = [
    "HIGH_PERCENT",
    "LOW_PERCENT",
    "Picture",
    "render",
    "render_bare",
    "render_beside",
    "render_fourth",
    "to_rgb",
]

LOW_PERCENT: Final = 0.5
HIGH_PERCENT: Final = 99.8
_WHITE: Final = 255
_MIDDLE: Final = 128
_ALIKE: Final = 2  # levels of each colour
_FAINT: Final = 8  # levels: what differs by less is too faint to be read
_SOME: Final = 12  # pixels: fewer are no letter
_AROUND: Final = 49  # pixels, in both directions
_WORD: Final = 2  # bytes: values of up to 16 bits are looked up
_SAMPLE: Final = 1 << 20  # pixels that the range of wider values is taken from
_LEAST_INSIDE: Final = 0.01

Array = NDArray[Any]


def render(
    frame: Array,
    header: PixelHeader,
    colour: str,
    *,
    index: int = 0,
    full: bool = False,
    look: Look | None = None,
) -> Picture:
    """Return one frame as displayed.

    Args:
        frame: Stored values, shape (rows, columns) or (rows, columns, samples).
        header: What the header says of them.
        colour: The colour space that ``frame`` is in, as its decoder tells it.
        index: Number of the frame.
        full: Stretch what is there (0.5 to 99.8 percentile) even where the header names a window,
            and show padding and what is no number as well: they may hide what is written.
        look: How grey values are shown, instead of the frame's own look.
    """
    if frame.ndim == 3:  # noqa: PLR2004 - rows, columns, samples
        rgb = to_rgb(frame, colour, header.form.bits_stored)
        return Picture(grey=_luma(rgb), rgb=rgb, header=header, frame=index)
    if header.palettes is not None and header.first_colour is None:
        rgb = _coloured(frame, header.palettes)
        return Picture(grey=_luma(rgb), rgb=rgb, header=header, frame=index)
    grey = _grey(frame, header, look or header.look(index), full=full)
    if header.palettes is not None and header.first_colour is not None:
        rgb = np.repeat(grey[:, :, None], 3, axis=2)
        where = frame >= header.first_colour
        rgb[where] = _coloured(frame, header.palettes)[where]
        return Picture(grey=_luma(rgb), rgb=rgb, header=header, frame=index)
    return Picture(grey=grey, header=header, frame=index)


def render_bare(frame: Array, header: PixelHeader, *, index: int = 0) -> Picture | None:
    """Return grey values as they are stored, from the least to the greatest, through no table.

    None where that shows nothing that ``render`` does not. Of an image that a palette colours only
    what the palette hides, and what is around it, is shown so.
    """
    look = header.look(index)
    if header.palettes is None and header.padding is None and look.modality is None:
        return None
    known = frame[np.isfinite(frame)] if frame.dtype.kind == "f" else frame
    if not known.size or known.min() == known.max():
        return None
    low, high = float(known.min()), float(known.max())
    bare = replace(header, palettes=None, padding=None, inverted=False)
    whole = Look(windows=((low / 2 + high / 2, high - low),), function="LINEAR_EXACT")
    found = render(frame, bare, "MONOCHROME2", index=index, look=whole)
    if header.palettes is None or header.first_colour is not None:
        return found
    rgb = _coloured(frame, header.palettes)
    near = _hidden(found.grey, rgb)
    return replace(found, grey=np.where(near, found.grey, _luma(rgb))) if near.any() else None


def _hidden(bare: Bytes2D, shown: Bytes2D) -> NDArray[np.bool_]:
    """Return where neighbours differ that are shown in one colour, and what is around."""
    import cv2  # noqa: PLC0415  # start-up cost: grey images do without

    edges = np.zeros(bare.shape, np.uint8)
    for axis in (0, 1):
        other = np.abs(np.diff(bare.astype(np.int16), axis=axis)) > _FAINT
        alike = (np.abs(np.diff(shown.astype(np.int16), axis=axis)) <= _ALIKE).all(axis=2)
        place = (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None))
        edges[place] |= other & alike
    if np.count_nonzero(edges) < _SOME:
        return np.zeros(bare.shape, np.bool_)
    return np.asarray(cv2.dilate(edges, np.ones((_AROUND, _AROUND), np.uint8)), np.bool_)


def render_beside(
    words: Array, frame: Array, form: PixelFormat, *, index: int = 0
) -> list[Picture]:
    """Return what lies in the words of a frame beside its values: old overlays, declared or not.

    Args:
        words: The bits outside the stored values (``PixelSource.overlay_bits``).
        frame: The stored values, whose sign may fill the bits above.
        form: Where in its word a value stands.
        index: Number of the frame.

    Returns:
        All bits together as grey levels, and each single bit, where that is another picture.
    """
    if form.signed:
        sign = fields.outside(fields.join(frame, form), form)
        words = words ^ np.where(words == 0, words, sign)
    if words.ndim > 2:  # noqa: PLR2004 - rows, columns, samples
        words = np.bitwise_or.reduce(words, axis=2)
    every = int(np.bitwise_or.reduce(words, axis=None))
    if not every:
        return []
    low = words >> words.dtype.type((every & -every).bit_length() - 1)
    found = [np.asarray(low / low.max() * _WHITE, np.uint8)]
    for bit in range(every.bit_length()):
        if not every >> bit & 1:
            continue
        plane = np.asarray(words >> words.dtype.type(bit) & 1, np.uint8) * np.uint8(_WHITE)
        if not any(np.array_equal(plane, one) for one in found):
            found.append(plane)
    return [Picture(grey=one, frame=index, source="beside the values") for one in found]


def render_fourth(frame: Array, colour: str, form: PixelFormat, *, index: int = 0) -> Picture:
    """Return the sample of four that is no colour, such as the alpha of ARGB."""
    alone = frame[:, :, :1] if colour == "ARGB" else frame[:, :, 3:]
    grey = to_rgb(np.repeat(alone, 3, axis=2), "RGB", form.bits_stored)[:, :, 0]
    return Picture(grey=np.ascontiguousarray(grey), frame=index, source="beside the colours")


def to_rgb(frame: Array, colour: str, bits: int) -> Bytes2D:
    """Return colours, uint8, shape (rows, columns, 3).

    Args:
        frame: Shape (rows, columns, 3 or 4).
        colour: Such as ``RGB``, ``YBR_FULL``, ``YBR_PARTIAL_422``, ``CMYK`` or ``ARGB``.
        bits: Bits of a sample.
    """
    if frame.dtype != np.uint8:
        if bits > 8:  # noqa: PLR2004 - a byte
            frame = frame >> (bits - 8)
        frame = np.clip(frame, 0, _WHITE).astype(np.uint8)
    if bits < 8:  # noqa: PLR2004 - a byte
        frame = (frame.astype(np.uint16) * _WHITE // ((1 << bits) - 1)).astype(np.uint8)
    if colour == "ARGB":
        frame = frame[:, :, 1:]
    elif colour == "CMYK":
        ink = _WHITE - frame.astype(np.uint16)
        return (ink[:, :, :3] * ink[:, :, 3:4] // _WHITE).astype(np.uint8)
    frame = np.ascontiguousarray(frame[:, :, :3])
    if not colour.startswith("YBR"):
        return frame
    if "PARTIAL" in colour:
        return _from_partial(frame)
    import cv2  # noqa: PLC0415  # start-up cost: grey images do without

    swapped = np.ascontiguousarray(frame[:, :, (0, 2, 1)])
    return np.asarray(cv2.cvtColor(swapped, cv2.COLOR_YCrCb2RGB), np.uint8)


def _from_partial(frame: Bytes2D) -> Bytes2D:
    """Return RGB of YBR_PARTIAL: levels 16 to 235 and 16 to 240 (PS3.3 C.7.6.3.1.2)."""
    luma, blue, red = (frame[:, :, n].astype(np.float32) for n in range(3))
    luma, blue, red = 1.1644 * (luma - 16), blue - 128, red - 128
    out = np.stack((luma + 1.596 * red, luma - 0.3917 * blue - 0.8129 * red, luma + 2.0172 * blue))
    levels = np.clip(np.rint(out), 0, _WHITE).astype(np.uint8)
    return np.ascontiguousarray(levels.transpose(1, 2, 0))


def _luma(rgb: Bytes2D) -> Bytes2D:
    import cv2  # noqa: PLC0415  # start-up cost: grey images do without

    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def _coloured(frame: Array, palettes: tuple[Table, Table, Table]) -> Bytes2D:
    red, green, blue = (table.scaled()[table.look_up(frame)] for table in palettes)
    return np.stack((red, green, blue), axis=2)


def _grey(frame: Array, header: PixelHeader, look: Look, *, full: bool) -> Bytes2D:
    if frame.dtype.kind == "f" or frame.dtype.itemsize > _WORD:
        return _wide(frame, header, look, full=full)
    low = int(frame.min())
    seen = frame.astype(np.int32) - low
    counts = np.bincount(seen.reshape(-1))
    stored = np.arange(low, low + len(counts))
    empty = _is_padding(stored, header)
    counts[empty] = 0
    levels = _levels(stored, counts, header, look, full=full)
    if not full:
        levels[empty] = 0
    return levels[seen]


def _wide(frame: Array, header: PixelHeader, look: Look, *, full: bool) -> Bytes2D:
    """Return levels of values too wide to be looked up: 32 bits and floating point."""
    values = np.nan_to_num(frame.astype(np.float64), posinf=0, neginf=0)
    nothing = ~np.isfinite(frame)
    empty = _is_padding(values, header)
    known = values[~(empty | nothing)].reshape(-1)
    chosen = np.sort(known[:: max(1, len(known) // _SAMPLE)])
    every = np.concatenate((chosen, values.reshape(-1)))
    counts = np.zeros(len(every))
    counts[: len(chosen)] = 1
    levels = _levels(every, counts, header, look, full=full)[len(chosen) :]
    levels = levels.reshape(values.shape).copy()
    if full:
        levels[nothing] = _MIDDLE  # apart from what is dark and from what is bright
    else:
        levels[empty] = 0
    return levels


def _is_padding(stored: Array, header: PixelHeader) -> NDArray[np.bool_]:
    if header.padding is None:
        return np.zeros(stored.shape, np.bool_)
    low, high = header.padding
    return (stored >= low) & (stored <= high)


def _levels(
    stored: Array, counts: Array, header: PixelHeader, look: Look, *, full: bool
) -> Bytes2D:
    """Return the level of each stored value, given how many pixels have it."""
    values = _rescaled(stored, look)
    shown = None if full else _windowed(values, counts, look)
    if shown is None:
        low, high = _range(values, counts)
        shown = (values - low) * (_WHITE / (high - low)) if high > low else np.zeros(len(values))
    levels = np.clip(np.rint(shown), 0, _WHITE).astype(np.uint8)
    return _WHITE - levels if header.inverted else levels


def _rescaled(stored: Array, look: Look) -> Array:
    if look.modality is not None:
        return look.modality.values()[look.modality.look_up(stored)].astype(np.float64)
    return stored * look.slope + look.intercept


def _range(values: Array, counts: Array) -> tuple[float, float]:
    """Return the values at the 0.5 and 99.8 percentile; all of them when that is one value."""
    there = counts > 0
    if not there.any():
        return 0.0, 0.0
    values, counts = values[there], counts[there]
    order = np.argsort(values, kind="stable")
    values, share = values[order], np.cumsum(counts[order])
    wanted = np.array((LOW_PERCENT, HIGH_PERCENT)) / 100 * share[-1]
    low, high = values[np.minimum(np.searchsorted(share, wanted), len(values) - 1)]
    if high <= low:
        low, high = values[0], values[-1]
    return float(low), float(high)


def _windowed(values: Array, counts: Array, look: Look) -> Array | None:
    """Return levels through the header's table or window; None when it has none that shows much."""
    if look.voi and not look.windows:
        table = look.voi[0]
        found = table.values().astype(np.float64)
        top = found.max() or 1.0
        return found[table.look_up(values)] * (_WHITE / top)
    if not look.windows:
        return None
    centre, width = look.windows[0]
    inside = counts[(values > centre - width / 2) & (values < centre + width / 2)].sum()
    if inside < _LEAST_INSIDE * counts.sum():
        return None
    if look.function == "SIGMOID":
        return _WHITE / (1 + np.exp(np.clip(-4 * (values - centre) / width, -500, 500)))
    if look.function != "LINEAR_EXACT" and width > 1:
        centre, width = centre - 0.5, width - 1  # PS3.3 C.11.2.1.2.1
    return ((values - centre) / width + 0.5) * _WHITE
