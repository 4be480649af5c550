"""What was read in an earlier frame and has not changed since: overlays of a series stand still."""

from collections import deque
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from safelight.deid.burned.strip import Strip

__all__ = ["Memory"]

_MOST: Final = 128
_NEAR: Final = 1.5  # pixels by which a strip may lie elsewhere and still be the same line
_SHARE: Final = 0.1  # the same, as a part of its height
_SAME: Final = 12  # grey levels; another letter differs by far more, the noise of JPEG by less
_FAINT: Final = 8  # the same, as a part of the patch's own range: faint letters differ by less
_TURN: Final = 2.0  # degrees
_AROUND: Final = 2

Grey = npt.NDArray[np.uint8]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept(Generic[Value]):
    strip: Strip
    place: tuple[int, int, int, int]
    size: tuple[int, ...]
    patch: Grey
    value: Value


class Memory(Generic[Value]):
    """Answers about strips, each with the pixels it was given for; the newest few are kept."""

    def __init__(self) -> None:
        self._kept: deque[_Kept[Value]] = deque(maxlen=_MOST)

    def find(self, grey: Grey, strip: Strip) -> Value | None:
        """Return the answer to a strip that lies where one lay, over pixels that look the same.

        Args:
            grey: The picture, (rows, columns).
            strip: The line.
        """
        for kept in reversed(self._kept):
            if kept.size == grey.shape and _alike(kept.strip, strip):
                left, top, right, bottom = kept.place
                now = grey[top:bottom, left:right].astype(np.int16)
                same = min(_SAME, int(np.ptp(kept.patch)) // _FAINT) if kept.patch.size else _SAME
                if int(np.abs(now - kept.patch).max(initial=0)) <= same:
                    return kept.value
        return None

    def keep(self, grey: Grey, strip: Strip, value: Value) -> None:
        """Remember an answer.

        Args:
            grey: The picture, (rows, columns).
            strip: The line.
            value: What is answered.
        """
        left, top, right, bottom = strip.bounds()
        place = (
            max(int(left) - _AROUND, 0),
            max(int(top) - _AROUND, 0),
            max(int(right) + _AROUND, 0),
            max(int(bottom) + _AROUND, 0),
        )
        patch = grey[place[1] : place[3], place[0] : place[2]].copy()
        self._kept.append(
            _Kept(strip=strip, place=place, size=grey.shape, patch=patch, value=value)
        )


def _alike(one: Strip, other: Strip) -> bool:
    if abs((one.angle - other.angle + 90) % 180 - 90) > _TURN:
        return False
    most = max(_NEAR, _SHARE * one.height)
    return all(abs(a - b) <= most for a, b in zip(one.bounds(), other.bounds(), strict=True))
