"""What a picture's pixels say it is: the nearest kind, or none that is near enough.

A picture becomes a place (``net``). Each kind is known by some middles: a head by its axial slices
and its sagittal ones, a limb by its hands and its knees. How far a picture may be from the nearest
of them, and how clearly its kind must be the nearest, is a threshold of that kind alone. What is
too far, or unclear, is no kind: that is a full answer.
"""

import functools
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from safelight.readers.kind.net import embed
from safelight.readers.kind.shrink import seen
from safelight.readers.reading import ViewKind

__all__ = ["LEAST_SIDE", "Look", "PixelReader", "barred", "coloured", "pixel_reader"]

Array = NDArray[Any]

LEAST_SIDE: Final = 32  # a smaller picture shows too little
WHITE_SHIFT: Final = 12
_FAR: Final = 99.0
_MOST: Final = 1 << 60  # a squared distance beyond all
_COLOUR: Final = 6  # mean difference of colour, of 128, of a picture that has any
# What a grey picture is never called: too many kinds of picture lie between these.
_SCENES: Final = frozenset((ViewKind.PHOTO, ViewKind.SCREENSHOT, ViewKind.FILM_PHOTO))
# What has no colours, ever: X-rays, CT and MR as scanners show them.
_GREY: Final = frozenset(
    (ViewKind.CHEST_XRAY_FRONTAL, ViewKind.LIMB_XRAY, ViewKind.DENTAL_PANORAMIC, ViewKind.MAMMOGRAM,
     ViewKind.HEAD_CT, ViewKind.BODY_CT, ViewKind.HEAD_MR, ViewKind.SPINE_MR, ViewKind.BREAST_MR)
)  # fmt: skip
# What a grey picture is not called, though it may be of one: a round on black is like it.
_COLOURED: Final = frozenset((ViewKind.FUNDUS,))
_FILE: Final = "kinds.npz"
_NUMBERS: Final = ("middles", "owners", "far", "clear", "told")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the pixels say.

    Attributes:
        kind: The kind; None when the picture is near enough to none, or unclear.
        nearest: The kind it is most like, accepted or not; None when it shows nothing.
        distance: To the nearest kind, in units of its threshold: accepted up to 1.
        why: Why there is no kind, in words; empty when there is one.
        near: How far the nearest kind's middle is, in units of its threshold; None when unknown.
        colour: Whether the picture has colours to speak of.
        rivals: How unclear it is that the picture is of the nearest kind and not of another, in
            units of what is asked where a header already names kinds; None is "none of them".
    """

    kind: ViewKind | None
    nearest: ViewKind | None
    distance: float
    why: str = ""
    near: float | None = None
    colour: bool = False
    rivals: dict[ViewKind | None, float] = field(default_factory=dict)

    def among(self, kinds: Iterable[ViewKind]) -> float:
        """Return the distance to the nearest kind when only these kinds are open, and none."""
        if self.near is None:
            return self.distance
        others = ({*kinds} - {self.nearest}) | {None}
        return max(self.near, *(self.rivals.get(kind, 0.0) for kind in others))


@dataclass(frozen=True, slots=True, eq=False)
class PixelReader:
    """The middles of each kind and its thresholds, in a space where distances count alike.

    Attributes:
        kinds: In the order of their thresholds.
        white: int16, shape (PLACE, n): brings places to that space.
        middles: int64, shape (m, n), in that space.
        owners: int64, shape (m,): whose middle each is, by number, ascending. After the kinds,
            each of which has one or more, come "none of them" and, for each kind in turn, what
            resembles that kind alone and is none.
        far: int64, shape (kinds,): squared distance that is the threshold of each kind.
        clear: int64, shape (kinds,): by how much its squared distance must be the least.
        told: The same, where a header leaves only some kinds open.
    """

    kinds: tuple[ViewKind, ...]
    white: Array
    middles: Array
    owners: Array
    far: Array
    clear: Array
    told: Array

    def look(self, pixels: Array) -> Look:
        """Return what a picture says.

        Args:
            pixels: As displayed: uint8, shape (rows, columns) or (rows, columns, 3).
        """
        if min(pixels.shape[:2]) < LEAST_SIDE:
            why = "the picture is too small to be recognised"
            return Look(kind=None, nearest=None, distance=_FAR, why=why)
        planes = seen(pixels)
        if planes is None:
            why = "the picture shows hardly a difference between light and dark"
            return Look(kind=None, nearest=None, distance=_FAR, why=why)
        return self.judge(planes[None])[0]

    def judge(self, planes: NDArray[np.int16]) -> list[Look]:
        """Return what pictures say, given their numbers, shape (n, 3, 64, 64)."""
        apart = self.apart(self.whitened(embed(planes)))
        return [
            self._judge(distances, bool(coloured(numbers)))
            for distances, numbers in zip(apart, planes, strict=True)
        ]

    def whitened(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return places in the space of the middles: whole numbers, sums exact in float64."""
        product = places.astype(np.float64) @ self.white.astype(np.float64)
        return np.asarray((product.astype(np.int64) + (1 << (WHITE_SHIFT - 1))) >> WHITE_SHIFT)

    def apart(self, spread: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return squared distances to the nearest middle of each, shape (n, 2 * kinds + 1)."""
        found = np.full((len(spread), 2 * len(self.kinds) + 1), _MOST, np.int64)
        for middle, owner in zip(self.middles, self.owners, strict=True):
            np.minimum(found[:, owner], ((spread - middle) ** 2).sum(1), out=found[:, owner])
        return found

    def measures(self, apart: NDArray[np.int64], colour: bool) -> tuple[int, int, int]:  # noqa: FBT001  # a fact, not a switch
        """Return the nearest kind's number, its squared distance and its lead over the next.

        A grey picture is not held against scenes, which it is never called.
        """
        count = len(self.kinds)
        held = apart[:count].copy()
        if not colour:
            held[[n for n, kind in enumerate(self.kinds) if kind in _SCENES]] = _MOST
        best = int(np.argmin(held))
        rival = min(int(np.delete(held, best).min()), self._none(apart, best))
        return best, int(held[best]), rival - int(held[best])

    def _none(self, apart: NDArray[np.int64], kind: int) -> int:
        """Return the squared distance to what is none of the kinds, this one above all."""
        count = len(self.kinds)
        return min(int(apart[count]), int(apart[count + 1 + kind]))

    def _judge(self, apart: NDArray[np.int64], colour: bool) -> Look:  # noqa: FBT001  # a fact, not a switch
        best, square, lead = self.measures(apart, colour)
        distance = float(np.sqrt(square / self.far[best]))
        unclear = float(self.clear[best] / lead) if lead > 0 else _FAR
        nearest = self.kinds[best]
        together = round(min(max(distance, unclear), _FAR), 6)
        if why := barred(nearest, colour=colour):
            together = max(together, 1.000001)
        elif distance > 1:
            why = "the pixels are unlike every kind known here"
        elif unclear > 1:
            why = "the pixels might be of more than one kind, or of none"
        kind = nearest if together <= 1 else None
        near = _FAR if nearest in _GREY and colour else round(min(distance, _FAR), 6)
        return Look(
            kind=kind, nearest=nearest, distance=together, why=why, near=near,
            colour=colour, rivals=self._rivals(apart, best),
        )  # fmt: skip

    def _rivals(self, apart: NDArray[np.int64], best: int) -> dict[ViewKind | None, float]:
        found: dict[ViewKind | None, float] = {}
        for n, kind in enumerate((*self.kinds, None)):
            rival = int(apart[n]) if kind else self._none(apart, best)
            lead = rival - int(apart[best])
            if n != best:
                unclear = float(self.told[best] / lead) if lead > 0 else _FAR
                found[kind] = round(min(unclear, _FAR), 6)
        return found

    def to_arrays(self) -> dict[str, Array]:
        """Return all of it as arrays with names."""
        return {
            "kinds": np.array([kind.name for kind in self.kinds]),
            "white": self.white.astype(np.int16),
            "middles": self.middles.astype(np.int32),
            "owners": self.owners.astype(np.int32),
            "far": self.far,
            "clear": self.clear,
            "told": self.told,
        }

    @classmethod
    def of_arrays(cls, arrays: Any) -> Self:
        """Return the reader that ``to_arrays`` gave."""
        return cls(
            tuple(ViewKind[str(name)] for name in arrays["kinds"]),
            arrays["white"],
            *(arrays[name].astype(np.int64) for name in _NUMBERS),
        )


def barred(kind: ViewKind, *, colour: bool) -> str:
    """Return why a picture with or without colours is not called a kind, in words, or nothing."""
    if colour and kind in _GREY:
        return "a picture of that kind has no colours, and this one has"
    if not colour and kind in _COLOURED:
        return "a picture of that kind has colours, and this one has none"
    return ""


def coloured(planes: NDArray[np.int16]) -> bool:
    """Tell whether a picture has colours to speak of, given its numbers, shape (3, 64, 64)."""
    differences = int(np.abs(planes[1:].astype(np.int64)).sum())
    return bool(differences > _COLOUR * planes[0].size)


@functools.cache
def pixel_reader() -> PixelReader:
    """Return the reader that is shipped, loaded once."""
    data = (files(__package__) / "data" / _FILE).read_bytes()
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return PixelReader.of_arrays({name: arrays[name] for name in arrays.files})
