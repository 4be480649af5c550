"""What a picture's pixels say it is: the nearest kind, or none that is near enough.

A picture becomes a place (``net``). Each kind is known by examples; how far a picture may be from
them, and how clearly its kind must stand out, is a threshold of that kind alone. What is too far,
or unclear, is no kind: that is a full answer.
"""

import functools
import io
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from safelight.readers.kind.net import Net
from safelight.readers.kind.shrink import seen
from safelight.readers.reading import ViewKind

__all__ = ["LEAST_SIDE", "Look", "PixelReader", "coloured", "pixel_reader"]

Array = NDArray[Any]

LEAST_SIDE: Final = 32  # a smaller picture shows too little
NEIGHBOURS: Final = 3  # the distance to a kind is that to the third nearest example
WHITE_SHIFT: Final = 12
_FAR: Final = 99.0
_COLOUR: Final = 6  # mean difference of colour, of 128, of a picture that has any
# What a grey picture is never called: too many kinds of picture lie between these.
_SCENES: Final = frozenset((ViewKind.PHOTO, ViewKind.SCREENSHOT, ViewKind.FILM_PHOTO))
# What has no colours, ever: X-rays, CT and MR as scanners show them.
_GREY: Final = frozenset(
    (ViewKind.CHEST_XRAY_FRONTAL, ViewKind.LIMB_XRAY, ViewKind.DENTAL_PANORAMIC, ViewKind.MAMMOGRAM,
     ViewKind.HEAD_CT, ViewKind.BODY_CT, ViewKind.HEAD_MR, ViewKind.SPINE_MR, ViewKind.BREAST_MR)
)  # fmt: skip
_FILE: Final = "kinds.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the pixels say.

    Attributes:
        kind: The kind; None when the picture is near enough to none, or unclear.
        nearest: The kind it is most like, accepted or not; None when it shows nothing.
        distance: To the nearest kind, in units of its threshold: accepted up to 1.
        why: Why there is no kind, in words; empty when there is one.
    """

    kind: ViewKind | None
    nearest: ViewKind | None
    distance: float
    why: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class PixelReader:
    """The net, the examples of each kind and its thresholds.

    Attributes:
        net: Gives a picture's place.
        kinds: In the order of the net's scores.
        white: int64, shape (place, place): brings places to a space where distances count alike.
        examples: int64, shape (n, place), in that space.
        owner: int64, shape (n,): number of each example's kind.
        far: int64, shape (kinds,): squared distance that is the threshold of each kind.
        clear: int64, shape (kinds,): least lead of its score over the next.
    """

    net: Net
    kinds: tuple[ViewKind, ...]
    white: Array
    examples: Array
    owner: Array
    far: Array
    clear: Array

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
        places = self.net.embed(planes)
        scores = self.net.scores(places)
        return [
            self._judge(place, score, bool(coloured(numbers)))
            for place, score, numbers in zip(self.whitened(places), scores, planes, strict=True)
        ]

    def whitened(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return places in the space of the examples: whole numbers, sums exact in float64."""
        product = places.astype(np.float64) @ self.white.astype(np.float64)
        return np.asarray((product.astype(np.int64) + (1 << (WHITE_SHIFT - 1))) >> WHITE_SHIFT)

    def measures(self, place: NDArray[np.int64], score: NDArray[np.int64]) -> tuple[int, int, int]:
        """Return the best kind's number, its squared distance and its lead over the next."""
        best = int(np.argmax(score[:-1]))
        lead = int(score[best]) - int(np.delete(score, best).max())
        own = self.examples[self.owner == best]
        apart = ((own - place) ** 2).sum(1)
        return best, int(np.partition(apart, NEIGHBOURS - 1)[NEIGHBOURS - 1]), lead

    def _judge(self, place: NDArray[np.int64], score: NDArray[np.int64], colour: bool) -> Look:  # noqa: FBT001  # a fact, not a switch
        best, apart, lead = self.measures(place, score)
        distance = float(np.sqrt(apart / self.far[best]))
        unclear = float(self.clear[best] / lead) if lead > 0 else _FAR
        nearest = self.kinds[best]
        together = round(min(max(distance, unclear), _FAR), 6)
        why = ""
        if nearest in _SCENES and not colour:
            together = max(together, 1.000001)
            why = "a photograph or a screen might look so, which is not certain without colour"
        elif nearest in _GREY and colour:
            together = max(together, 1.000001)
            why = "a picture of that kind has no colours, and this one has"
        elif distance > 1:
            why = "the pixels are unlike every kind known here"
        elif unclear > 1:
            why = "the pixels might be of more than one kind, or of none"
        kind = nearest if together <= 1 else None
        return Look(kind=kind, nearest=nearest, distance=together, why=why)

    def to_arrays(self) -> dict[str, Array]:
        """Return all of it as arrays with names."""
        return {
            **self.net.to_arrays(),
            "kinds": np.array([kind.name for kind in self.kinds]),
            "white": self.white.astype(np.int32),
            "examples": self.examples.astype(np.int32),
            "owner": self.owner.astype(np.int8),
            "far": self.far,
            "clear": self.clear,
        }

    @classmethod
    def of_arrays(cls, arrays: Any) -> Self:
        """Return the reader that ``to_arrays`` gave."""
        return cls(
            Net.of_arrays(arrays),
            tuple(ViewKind[str(name)] for name in arrays["kinds"]),
            *(arrays[name].astype(np.int64) for name in
              ("white", "examples", "owner", "far", "clear")),
        )  # fmt: skip


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
