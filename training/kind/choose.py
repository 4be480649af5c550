"""Choose the kind reader's thresholds: ``python -m training.kind.choose``, some minutes.

What a fold may learn is taken apart in turn: a quarter of the further sources, then each kind that
has further sources, whole. Readers of the rest are asked about what was left out, and fold A's own
about what it holds out. For each kind that is answered, the two thresholds that give most right
answers are told, where a wrong one costs ``COST`` and leaving the common thresholds costs ``PULL``.
"""

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.readers.kind.net import embed
from safelight.readers.kind.pixels import LEAST_SIDE, PixelReader, barred, coloured
from safelight.readers.kind.shrink import seen
from safelight.readers.reading import ViewKind
from training.kind.heads import FAR, FARS, LEAD, UNIT, Learned, reader_of
from training.kind.images import picture, read, read_more
from training.kind.make import load
from training.kind.split import FOLDS, some_of

COST: Final = 2.0  # right answers that a wrong one outweighs
PULL: Final = 10.0  # right answers that a threshold must gain before it is e times the common one
_FARS: Final = (0.7, 0.85, 1.0, 1.25, 1.5, 1.8)
_LEADS: Final = (8, 10, 12, 14, 16, 18, 20, 22, 25, 30, 35, 40)
_QUARTERS: Final = 4
_MOST: Final = 30  # pictures of a source that is left out
_VIEWS: Final = 3  # of each picture in what is learned: itself and two variations
_COLOURED: Final = frozenset((ViewKind.PHOTO, ViewKind.FUNDUS))

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a reader would answer about one picture without thresholds.

    Attributes:
        kind: The nearest kind.
        right: Whether it is that.
        far: Squared distance, in units of what accepts 95 % of that kind.
        lead: How much nearer than the next, in half squared standard deviations.
    """

    kind: ViewKind
    right: bool
    far: float
    lead: float


def main() -> None:
    """Ask, choose, and print the thresholds and what they would have done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with images/labels.csv")
    parser.add_argument("--more", type=Path, required=True, help="folder of further sources")
    parser.add_argument("--kept", type=Path, required=True, help="folder that make kept places in")
    given = parser.parse_args()
    whole = load(given.kept / "A.npz")
    further = {item.source for item in read_more(given.more)} & {*whole.sources}
    answers = [*_held_out(given.data, whole)]
    for kept, left in _parts(whole, further):
        answers += _asked(reader_of(kept), *left)
    say = print  # a command's output
    say(f"{len(answers)} answers")
    for kind in dict.fromkeys(answer.kind for answer in answers):
        mine = [answer for answer in answers if answer.kind is kind]
        far, lead, right, wrong = chosen(mine)
        say(f"{kind.name}: far {far}, lead {lead}: {right} right, {wrong} wrong")


def _held_out(data: Path, whole: Learned) -> Iterator[Answer]:
    """Yield answers of fold A about the sources and kinds it holds out."""
    items = some_of([item for item in read(data) if FOLDS[0].asks(item)], 100)
    places, kinds, colours = [], [], []
    for item in items:
        pixels = picture(data, item)
        planes = seen(pixels) if min(pixels.shape[:2]) >= LEAST_SIDE else None
        if planes is not None:
            places.append(embed(planes[None])[0])
            kinds.append(item.kind)
            colours.append(coloured(planes))
    yield from _asked(reader_of(whole), np.stack(places), kinds, colours)


def _parts(
    whole: Learned, further: set[str]
) -> Iterator[tuple[Learned, tuple[Array, list[ViewKind | None], list[bool]]]]:
    """Yield what is learned from, and places, kinds and colour of what is left out."""
    sources = np.array(whole.sources)
    by_kind: dict[ViewKind | None, list[str]] = {}
    for source in dict.fromkeys(whole.sources):
        if source in further:
            kind = whole.kinds[int(np.flatnonzero(sources == source)[0])]
            by_kind.setdefault(kind, []).append(source)
    rng = np.random.default_rng(7)
    for names in by_kind.values():
        rng.shuffle(names)
    for quarter in range(_QUARTERS):
        left = [name for names in by_kind.values() for name in names[quarter::_QUARTERS]]
        yield _without(whole, np.isin(sources, left), None), _some_views(whole, left)
    for kind, names in by_kind.items():
        if kind is not None:
            gone = np.array([each is kind for each in whole.kinds])
            yield _without(whole, gone, kind), _some_views(whole, names)


def _without(whole: Learned, gone: Array, kind: ViewKind | None) -> Learned:
    rows = np.flatnonzero(~gone)
    unlike = [n for n, each in enumerate(whole.unlike) if each is not kind]
    return replace(
        whole,
        places=whole.places[rows],
        kinds=[whole.kinds[n] for n in rows],
        sources=[whole.sources[n] for n in rows],
        altered=whole.altered[unlike],
        unlike=[whole.unlike[n] for n in unlike],
    )


def _some_views(
    whole: Learned, names: list[str]
) -> tuple[Array, list[ViewKind | None], list[bool]]:
    """Return pictures of sources, without their variations, spread evenly over each."""
    sources, rows = np.array(whole.sources), []
    for name in names:
        own = np.flatnonzero(sources == name)[::_VIEWS]
        spread = np.linspace(0, len(own) - 1, min(_MOST, len(own))).astype(int)
        rows += own[np.unique(spread)].tolist()
    kinds = [whole.kinds[n] for n in rows]
    return whole.places[rows], kinds, [kind in _COLOURED for kind in kinds]


def _asked(
    reader: PixelReader, places: Array, kinds: list[ViewKind | None], colours: list[bool]
) -> Iterator[Answer]:
    """Yield answers about places, in units that do not depend on the thresholds in force."""
    apart = reader.apart(reader.whitened(places))
    for distances, kind, colour in zip(apart, kinds, colours, strict=True):
        best, square, lead = reader.measures(distances, colour)
        nearest = reader.kinds[best]
        if not barred(nearest, colour=colour):
            far = square / reader.far[best] * FARS.get(nearest, FAR)
            yield Answer(kind=nearest, right=nearest is kind, far=far, lead=lead / 2 / UNIT**2)


def chosen(answers: list[Answer]) -> tuple[float, float, int, int]:
    """Return the best thresholds of one kind, far and lead, and answers right and wrong by them."""
    right = np.array([answer.right for answer in answers])
    far = np.array([answer.far for answer in answers])
    lead = np.array([answer.lead for answer in answers])
    best, found = -np.inf, (FAR, LEAD, 0, 0)
    for most, least in itertools.product(_FARS, _LEADS):
        told = (far <= most) & (lead >= least)
        good, bad = int((told & right).sum()), int((told & ~right).sum())
        pull = PULL * (abs(np.log(most / FAR)) + abs(np.log(least / LEAD)))
        if good - COST * bad - pull > best:
            best, found = good - COST * bad - pull, (most, float(least), good, bad)
    return found


if __name__ == "__main__":
    main()
