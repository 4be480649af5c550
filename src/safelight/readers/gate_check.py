"""Make a reader from labelled images, and measure all that its card must say.

Everything is split by people. The head and the calibration of the finished reader come from
different people; the numbers inside come from five heads that each leave a fifth of the people out;
other sources are scored by a head that never saw them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import SettingsError
from safelight.readers import features, makers, probes, scoring
from safelight.readers.card import Card, External, Interval, Probe, Subgroup
from safelight.readers.conformal import Calibration, one_each
from safelight.readers.datasets import Case
from safelight.readers.head import Head, Recipe, solve
from safelight.readers.linear import Packed
from safelight.readers.recipes import ReaderRecipe

__all__ = [
    "Made",
    "Rows",
    "border_of",
    "check",
    "features_of",
    "learnt_from",
    "packed",
    "rows_of",
]

HELD: Final = 3  # of ten people are kept for calibration
HALF: Final = 5  # or up to so many, until
KEPT: Final = 20  # people of each class are kept: fewer never decide at 5 %
TENTHS: Final = 10
MOST_PROBED: Final = 200  # images of a class that the border probe looks at
FEWEST: Final = 20
REFERENCE: Final = 120
METHOD: Final = (
    "five heads, each without a fifth of the people; intervals from drawing people again; "
    "safelight readers check {name} --data DIR"
)

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A reader with its card.

    Attributes:
        card: What was measured.
        head: Solved from seven tenths of the people.
        calibration: Scores of the others.
        reference: Features of some of the others, one image a person, for the site test.
    """

    card: Card
    head: Head
    calibration: Calibration
    reference: NDArray[np.int16]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Labelled images with their features.

    Attributes:
        cases: The images.
        has: Truth of each.
        people: Code of each one's person.
        z: Features, shape (n, d).
    """

    cases: tuple[Case, ...]
    has: NDArray[np.bool_]
    people: tuple[str, ...]
    z: Array

    def part(self, chosen: Array) -> "Rows":
        """Return some of the rows, by index or mask."""
        places = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return Rows(
            tuple(self.cases[i] for i in places),
            self.has[places],
            tuple(self.people[i] for i in places),
            self.z[places],
        )

    @property
    def counts(self) -> tuple[int, int]:
        """People with and without."""
        with_it = {p for p, has in zip(self.people, self.has, strict=True) if has}
        without = {p for p, has in zip(self.people, self.has, strict=True) if not has}
        return len(with_it), len(without)


def rows_of(chosen: Sequence[tuple[Case, bool]], make: Callable[[Case], Array]) -> Rows:
    """Return rows with their features; people who share a picture count as one.

    Args:
        chosen: Images with their truth.
        make: Gives the features of an image.
    """
    cases = tuple(case for case, _has in chosen)
    has = np.array([one for _case, one in chosen], dtype=bool)
    # Groups are named apart: two data sets may use the same number.
    people = tuple(f"{case.dataset}:{case.group}" for case in cases)
    z = np.stack([make(case) for case in cases]) if cases else np.zeros((0, 0), np.int16)
    return Rows(cases, has, _joined(people, z), z)


def _joined(people: Sequence[str], z: Array) -> tuple[str, ...]:
    """Return each row's person, those who share a picture as one: it must not be on both sides."""
    first: dict[bytes, str] = {}
    one: dict[str, str] = {}

    def found(person: str) -> str:
        while (known := one.get(person, person)) != person:
            person = known
        return person

    for person, row in zip(people, z, strict=True):
        other, this = found(first.setdefault(row.tobytes(), person)), found(person)
        one[max(other, this)] = min(other, this)
    return tuple(map(found, people))


def features_of(case: Case, version: str = features.VERSION) -> Array:
    """Return the features of a labelled image, in a version of this package."""
    return makers.of(version).features(case.picture())


def check(
    recipe: ReaderRecipe,
    cases: Sequence[Case],
    make: Callable[[Case], Array] | None = None,
    solving: Recipe | None = None,
    border: Callable[[Case], Array] | None = None,
) -> Made:
    """Make a reader and measure it.

    Args:
        recipe: What it looks for, and in what.
        cases: All labelled images; those of its sources and of the other sources are taken.
        make: Gives the recipe's features of an image; a caller may keep them.
        solving: How heads are solved.
        border: Gives the features of an image's border; a caller may keep them.

    Raises:
        SettingsError: When the images are too few, or this package has no such features.
    """
    solving, version = solving or Recipe(), makers.named(recipe.features).version
    make, border = make or partial(features_of, version=version), border or _border(version)
    rows = _enough(rows_of(recipe.of(cases), make), recipe.name)
    learnt, held = _halves(rows)
    statistics = scoring.pile(learnt.z, learnt.has, version)
    head = solve(statistics, solving)
    # The strength is chosen once, from the people learnt from; other heads only take it over.
    solving = replace(solving, ridge=head.ridges[0])
    calibration = Calibration.of(head.score(held.z), held.has, held.people)
    scores = scoring.cross(rows.z, rows.has, rows.people, solving)
    covered, decided, brier = scoring.promise(scores, rows.has, rows.people, recipe.alpha)
    card = Card(
        reader=recipe.name,
        version=recipe.version,
        called=recipe.called,
        kind=recipe.kind,
        ages=recipe.ages,
        finding=recipe.finding,
        alpha=recipe.alpha,
        features=version,
        head=head.digest(),
        calibration=calibration.digest(),
        statistics=statistics.digest(),
        people=rows.counts,
        images=len(rows.cases),
        calibrated=(len(calibration.seen), len(calibration.not_seen)),
        inside=scoring.interval(scores, rows.has, rows.people),
        external=(*_left_out(rows, solving), *_outside(recipe, cases, (rows, head), make)),
        probes=_probes(rows, solving, border),
        covered=covered,
        decided=decided,
        brier=brier,
        subgroups=_subgroups(rows, scores),
        sources=_sources(rows),
        research_only=not all(case.open for case in rows.cases),
        cannot_see=recipe.cannot_see,
        next_step=recipe.next_step,
        method="; ".join(filter(None, (METHOD.format(name=recipe.name), recipe.chosen))),
    )
    reference = held.z[one_each(held.people)][:REFERENCE].astype(np.int16)
    return Made(card=card, head=head, calibration=calibration, reference=reference)


def _border(version: str) -> Callable[[Case], Array]:
    return partial(border_of, version=version)


def _enough(rows: Rows, name: str) -> Rows:
    if min(rows.counts) < FEWEST:
        raise SettingsError(
            f"a reader needs {FEWEST} people with and without; this folder holds "
            f"{rows.counts[0]} and {rows.counts[1]} for {name}"
        )
    return rows


def learnt_from(rows: Rows) -> Rows:
    """Return the rows that a head is solved from; the others calibrate it."""
    return _halves(rows)[0]


def _halves(rows: Rows) -> tuple[Rows, Rows]:
    """Return whom to learn from and whom to keep for calibration, by people."""
    fold = scoring.folds(rows.people, TENTHS, 7)
    share = next(
        (one for one in range(HELD, HALF) if min(rows.part(fold < one).counts) >= KEPT), HALF
    )
    return rows.part(fold >= share), rows.part(fold < share)


def _left_out(rows: Rows, solving: Recipe) -> list[External]:
    """Return each of the reader's own sources as another one: scored by a head without it."""
    made, sources = [], np.array([case.dataset for case in rows.cases])
    for name in sorted(set(sources)):
        there = rows.part(sources == name)
        rest = rows.part(sources != name)
        if min(there.counts) < FEWEST or min(rest.counts) < FEWEST:
            continue
        head = solve(scoring.pile(rest.z, rest.has, "left out"), solving)
        auc = scoring.interval(head.score(there.z), there.has, there.people)
        made.append(External(name=name, auc=auc, people=there.counts, left_out=True))
    return made


def _outside(
    recipe: ReaderRecipe,
    cases: Sequence[Case],
    own: tuple[Rows, Head],
    make: Callable[[Case], Array],
) -> list[External]:
    """Return what the head reaches elsewhere; a picture that is one of its own does not count."""
    (inside, head), made = own, []
    known = {z.tobytes() for z in inside.z}
    for place in recipe.outside:
        rows = rows_of(recipe.beyond(cases, place.name), make)
        rows = rows.part(np.array([z.tobytes() not in known for z in rows.z], dtype=bool))
        if min(rows.counts) < 1:
            continue
        auc = scoring.interval(head.score(rows.z), rows.has, rows.people)
        made.append(External(name=place.name, auc=auc, people=rows.counts))
    return made


def border_of(case: Case, version: str = features.VERSION) -> Array:
    """Return the features of a labelled image's border, in a version of this package."""
    return probes.border(case.picture(), version)


def _probes(rows: Rows, solving: Recipe, border: Callable[[Case], Array]) -> tuple[Probe, ...]:
    few = _thinned(rows)
    pictures = [case.picture() for case in few.cases]
    sights = {
        "border": np.stack([border(one) for one in few.cases]),
        "intensity": np.stack([probes.intensity(picture) for picture in pictures]),
        "size": np.stack([probes.size(_shape(picture)) for picture in pictures]),
        "metadata": probes.metadata([case.facts for case in few.cases]),
    }
    made = []
    for name, z in sights.items():
        one = solving if name == "border" else Recipe(name="probe", even=True)
        found = scoring.interval(scoring.cross(z, few.has, few.people, one), few.has, few.people)
        made.append(Probe(name=name, auc=found))
    return tuple(made)


def _shape(picture: Array) -> tuple[int, int]:
    rows, columns = picture.shape
    return int(rows), int(columns)


def _thinned(rows: Rows) -> Rows:
    """Return at most ``MOST_PROBED`` images of each class, drawn by people."""
    order = np.argsort(scoring.folds(rows.people, 1 << 30, 3), kind="stable")
    places = np.concatenate(
        [[i for i in order if rows.has[i] == side][:MOST_PROBED] for side in (True, False)]
    )
    return rows.part(np.sort(places.astype(np.int64)))


def _subgroups(rows: Rows, scores: Array) -> tuple[Subgroup, ...]:
    names = Counter((name, value) for case in rows.cases for name, value in case.facts.items())
    made = []
    for (name, value), count in sorted(names.items()):
        chosen = np.array([case.facts.get(name) == value for case in rows.cases])
        part = rows.part(chosen)
        if count == len(rows.cases) or min(part.counts) < FEWEST:
            continue
        auc: Interval = scoring.interval(scores[chosen], part.has, part.people)
        made.append(Subgroup(name=f"{name}={value}", auc=auc, people=part.counts))
    return tuple(made)


def _sources(rows: Rows) -> tuple[str, ...]:
    counts = Counter((case.dataset, case.licence) for case in rows.cases)
    return tuple(
        f"{name}, {count} images: {licence or 'no licence stated'}"
        for (name, licence), count in sorted(counts.items())
    )


def packed(made: Made) -> Packed:
    """Return the file of a reader."""
    return Packed(
        card=made.card, head=made.head, calibration=made.calibration, reference=made.reference
    )
