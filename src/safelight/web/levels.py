"""How one frame is shown before anybody sets a window: the level of each stored value in it.

Whatever a header says (windows and tables of the frame itself, of functional groups, percentiles
where it says nothing) the picture is what the server draws, so its levels are read off it.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.pixels.header import Look

__all__ = ["Levels", "levels_of"]

_WHITE: Final = 255
_ABSENT: Final = -1

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """What a frame is shown through, in stored values.

    Attributes:
        centre: Of a linear window that comes near it: where a person starts from.
        width: Of that window.
        inverted: Higher values are darker.
        base: The lowest stored value.
        table: The level of each value from there on; 0 for values that are not in the frame.
    """

    centre: float
    width: float
    inverted: bool
    base: int
    table: bytes


def levels_of(stored: Array, grey: Array, look: Look | None) -> Levels:
    """Return what a frame is shown through.

    Args:
        stored: Integers of at most 16 bits, shape (rows, columns).
        grey: The levels they are shown as, uint8, of the same shape.
        look: What the header says of the frame; None without one.
    """
    base, last = int(stored.min()), int(stored.max())
    at = stored.astype(np.intp)
    at -= base
    told = np.full(last - base + 1, _ABSENT, np.int16)
    told[at.reshape(-1)] = grey.reshape(-1)
    there = np.flatnonzero(told != _ABSENT)
    inside = np.flatnonzero((told > 0) & (told < _WHITE))
    if not len(inside):
        inside = there
    table = np.maximum(told, 0).astype(np.uint8)
    low, high = int(inside[0]), int(inside[-1])
    inverted = bool(table[low] > table[high])
    window = _window(look)
    if window is None or not _fits(table, there, base, window, inverted=inverted):
        window = base + (low + high + 1) / 2, float(max(high - low + 1, 1))
    return Levels(
        centre=window[0], width=window[1], inverted=inverted, base=base, table=table.tobytes()
    )


def _window(look: Look | None) -> tuple[float, float] | None:
    """Return the header's window in stored values; None where it has none on a straight line."""
    if look is None or not look.windows or look.modality is not None or not look.slope:
        return None
    centre, width = look.windows[0]
    if look.function == "LINEAR_EXACT":
        centre, width = centre + 0.5, width + 1  # PS3.3 C.11.2.1.3.2
    return (centre - look.intercept) / look.slope, width / abs(look.slope)


def _fits(
    table: Array, there: Array, base: int, window: tuple[float, float], *, inverted: bool
) -> bool:
    """Tell whether a window shows the middle levels where the table has them."""
    centre, width = window
    values = there + float(base)
    shown = ((values - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5) * _WHITE
    level = table[there].astype(np.float64)
    level = _WHITE - level if inverted else level
    middle = (level > _WHITE * 0.35) & (level < _WHITE * 0.65)  # where a sigmoid is straight too
    if not middle.any():
        return True
    return bool(np.abs(np.clip(shown, 0, _WHITE) - level)[middle].mean() < _WHITE * 0.05)
