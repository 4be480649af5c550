"""Pictures to learn from, by kind and source; drawn ones; and what is no known kind."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.readers.kind.shrink import planes
from safelight.readers.reading import ViewKind
from training.kind import drawn
from training.kind.images import WORK, Item
from training.kind.varied import strange, varied

__all__ = ["OTHER", "Pool", "seen_as"]

Rng = np.random.Generator
Picture = NDArray[np.uint8]

OTHER = "other"  # what is no known kind
_DRAWN = (ViewKind.DOCUMENT, ViewKind.SCREENSHOT, ViewKind.FILM_PHOTO)
_STRANGE = 0.16  # of each batch


@dataclass(slots=True)
class Pool:
    """Pictures to learn from, by kind and then by source.

    Attributes:
        pictures: uint8, shape (n, WORK, WORK, 3).
        by_kind: Numbers of pictures, by kind and source.
        drawn: Pictures that were drawn, by kind.
        others: Numbers of pictures that are no known kind.
    """

    pictures: Picture
    by_kind: dict[ViewKind, dict[str, list[int]]] = field(default_factory=dict)
    drawn: dict[ViewKind, list[Picture]] = field(default_factory=dict)
    others: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, pictures: Picture, items: list[Item], chosen: list[int]) -> "Pool":
        """Return the pool of the chosen items."""
        pool = cls(pictures)
        for n in chosen:
            item = items[n]
            if item.kind is None:
                pool.others.append(n)
            else:
                pool.by_kind.setdefault(item.kind, {}).setdefault(item.source, []).append(n)
        return pool

    @property
    def kinds(self) -> list[ViewKind]:
        """All kinds, in a fixed order."""
        return sorted({*self.by_kind, *_DRAWN}, key=list(ViewKind).index)

    def draw(self, rng: Rng, count: int) -> None:
        """Draw pictures of the kinds that nobody collected."""
        for kind in _DRAWN:
            self.drawn[kind] = [self._drawn(rng, kind) for _ in range(count)]

    def _drawn(self, rng: Rng, kind: ViewKind) -> Picture:
        if kind is ViewKind.DOCUMENT:
            found = drawn.document(rng)
        elif kind is ViewKind.SCREENSHOT:
            found = drawn.screenshot(rng, self.any(rng) if rng.random() < 0.6 else None)
        else:
            found = drawn.film_photo(
                rng, self.any(rng, medical=True), self.one(rng, ViewKind.PHOTO)
            )
        return np.asarray(cv2.resize(found, (WORK, WORK), interpolation=cv2.INTER_AREA)).astype(
            np.uint8
        )

    def one(self, rng: Rng, kind: ViewKind) -> Picture:
        """Return a picture of a kind: each source is as likely as another, nearly."""
        if kind in self.drawn:
            return self.drawn[kind][int(rng.integers(len(self.drawn[kind])))]
        sources = list(self.by_kind[kind].values())
        weights = np.sqrt([len(each) for each in sources])
        numbers = sources[int(rng.choice(len(sources), p=weights / weights.sum()))]
        return np.asarray(self.pictures[numbers[int(rng.integers(len(numbers)))]])

    def any(self, rng: Rng, *, medical: bool = False) -> Picture:
        """Return a picture of any collected kind."""
        kinds = [kind for kind in self.by_kind if not medical or kind is not ViewKind.PHOTO]
        return self.one(rng, kinds[int(rng.integers(len(kinds)))])

    def sample(self, rng: Rng) -> tuple[Picture, int]:
        """Return a varied picture and the number of its kind; the last number is none of them."""
        kinds = self.kinds
        if rng.random() < _STRANGE:
            if self.others and rng.random() < 0.03:
                return varied(rng, self.pictures[int(rng.choice(self.others))], None), len(kinds)
            return strange(rng, self.any(rng), self.any(rng)), len(kinds)
        more = rng.random() < 0.1  # scenes differ more than any other kind does
        kind = ViewKind.PHOTO if more else kinds[int(rng.integers(len(kinds)))]
        return varied(rng, self.one(rng, kind), kind), kinds.index(kind)


def seen_as(picture: Picture) -> NDArray[np.int16]:
    """Return the numbers of a picture; of one that shows nothing, zeros."""
    found = planes(picture)
    return np.zeros((3, *picture.shape[:2]), np.int16) if found is None else found
