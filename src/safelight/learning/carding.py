"""The card of a learnt version: measured like that of any reader, and judged by the same gate.

All of it comes from people whom the version was not taught (one in five), and from heads that leave
a source out: the public start alone on those who gave here, and each site by a head that never saw
it. Who leaves is in none of its numbers, for it is made again with each version.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import SettingsError
from safelight.feedback.values import Facts, age_band
from safelight.learning.derive import Served
from safelight.learning.examples import Examples
from safelight.learning.ledgers import HeadOf
from safelight.readers import probes, scoring
from safelight.readers.card import Card, External, Interval, Probe, Subgroup
from safelight.readers.head import Recipe, solve
from safelight.readers.site import Comparison, judge_site

__all__ = ["FEWEST", "METHOD", "Known", "Measured", "measure"]

FEWEST: Final = 20  # people with, and without, in a part that is told by itself
MOST_PROBED: Final = 200  # rows of a class that a shortcut is looked for in
UNNAMED: Final = "those who gave here, no site named"
METHOD: Final = (
    "people whom it was not taught, one in five; intervals from drawing people again; other "
    "sources by heads that left them out; safelight model card {name}"
)
_PLAIN: Final = Recipe(name="probe", even=True)
_BAND: Final = 20  # years, of ages that are told apart

Rows = NDArray[np.int16]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Known:
    """What is known of contributed rows besides their features.

    Attributes:
        facts: Site, age, sex, device by row; what is missing was not given.
        sights: What shortcuts see, by row: name of the probe and its numbers.
    """

    facts: Mapping[str, Facts]
    sights: Mapping[str, Mapping[str, Rows]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A card, or why there is none; and whether the version works at this place.

    Attributes:
        card: What was measured; None where nothing could be.
        why_not: Why there is none; empty when there is one.
        here: Why the answers are not for people at this place; empty when they are.
    """

    card: Card | None
    why_not: str = ""
    here: str = "nobody from here was tested on"


def measure(
    head: HeadOf, served: Served, known: Known, *, parent: Card, version: int, rows: int
) -> Measured:
    """Return the card of a version.

    Args:
        head: The head.
        served: The version, with the samples that it is calibrated on and was taught.
        known: About rows of these samples.
        parent: Card of the reader that the head belongs to: what it looks for, and in what.
        version: Its number.
        rows: Contributed rows that it was taught.
    """
    scores = served.calibration
    if scores is None:
        return Measured(card=None, why_not="a reader has two classes")
    held = _Held.of(head, served)
    if min(held.people_of(held.has), held.people_of(~held.has)) < 1:
        return Measured(card=None, why_not="nobody of one of the classes was tested on")
    covered, decided, brier = scoring.promise(held.scores, held.has, held.people, parent.alpha)
    card = Card(
        reader=f"{head.name}@{version}",
        version=str(version),
        called=parent.called,
        kind=parent.kind,
        ages=parent.ages,
        finding=parent.finding,
        alpha=parent.alpha,
        features=served.head.features,
        head=served.head.digest(),
        calibration=scores.digest(),
        statistics=served.head.statistics,
        people=_people(head, served),
        images=rows + len(held.has),
        calibrated=(len(scores.seen), len(scores.not_seen)),
        inside=scoring.interval(held.scores, held.has, held.people),
        external=tuple(_sources(head, served, known)),
        probes=tuple(_probes(head, served, known)),
        covered=covered,
        decided=decided,
        brier=brier,
        subgroups=tuple(_subgroups(held, known)),
        sources=(*parent.sources, "images of people who gave them here, by consent to train"),
        research_only=parent.research_only,
        cannot_see=parent.cannot_see,
        next_step=parent.next_step,
        method=METHOD.format(name=head.name),
    )
    return Measured(card=card, here=_here(held))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Held:
    """Rows that the version was not taught: public ones, then contributed ones.

    Attributes:
        ids: Of each row; empty for a public one.
        people: Of each row.
        has: Truth of each.
        scores: The version's.
    """

    ids: tuple[str, ...]
    people: tuple[str, ...]
    has: Mask
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, head: HeadOf, served: Served) -> "_Held":
        public, tested = head.base.examples, served.tested
        features = np.concatenate([public.features, tested.features])
        return cls(
            ids=(*("" for _ in public.ids), *tested.ids),
            people=(*(f"public/{one}" for one in public.people), *tested.people),
            has=_truths(head, [public, tested]),
            scores=served.head.score(features) if len(features) else np.zeros(0),
        )

    def only(self, chosen: Mask) -> "_Held":
        """Return some of the rows."""
        at = np.flatnonzero(chosen)
        return _Held(
            ids=tuple(self.ids[one] for one in at),
            people=tuple(self.people[one] for one in at),
            has=self.has[at],
            scores=self.scores[at],
        )

    def people_of(self, chosen: Mask) -> int:
        """Return how many people stand in some of the rows."""
        return len({self.people[one] for one in np.flatnonzero(chosen)})

    @property
    def counts(self) -> tuple[int, int]:
        """People with and without."""
        return self.people_of(self.has), self.people_of(~self.has)


def _people(head: HeadOf, served: Served) -> tuple[int, int]:
    """Return people with and without, in the samples; those of the public start are not counted."""
    made = []
    for name in reversed(head.base.statistics.classes):
        some = {
            (kind, person)
            for kind, part in (("", served.known), ("", served.tested), ("p", head.base.examples))
            for person, label in zip(part.people, part.labels, strict=True)
            if label == name
        }
        made.append(len(some))
    return made[0], made[1]


def _here(held: _Held) -> str:
    """Return why the version is not for people at this place; empty when it is.

    It is calibrated on people of this place, so their images are alike by construction; what is
    asked is whether it works on those of them whom it was not taught.
    """
    ours = held.only(np.array([bool(one) for one in held.ids], dtype=bool))
    chance = Interval(value=0.5, low=0.5, high=0.5)
    alike = Comparison(auc=chance, images=len(ours.ids), alike=True)
    return judge_site(alike, ours.scores, ours.has, ours.people)[1]


def _site(known: Known, row: str) -> str:
    facts = known.facts.get(row)
    return facts.site if facts is not None and facts.site else UNNAMED


def _sources(head: HeadOf, served: Served, known: Known) -> list[External]:
    """Return each source beside the others: scored by a head that never saw it.

    Where a site gave more than the sample holds, the head without it is solved from the sample of
    the others: it has seen less of them, and nothing of the site.
    """
    taught = served.known
    # The strength was chosen once, with everybody; other heads only take it over.
    fixed = replace(head.recipe, ridge=max(served.head.ridges))
    sites = sorted({_site(known, one) for one in (*taught.ids, *served.tested.ids)})
    made = []
    for site in sites:
        there = [_chosen(part, known, site) for part in (taught, served.tested)]
        rest = taught.only([at for at, one in enumerate(taught.ids) if _site(known, one) != site])
        if found := _left_out(head, there, rest, fixed, site):
            made.append(found)
    public = head.base.examples
    empty = head.base.statistics - head.base.statistics
    nothing = replace(head, base=replace(head.base, statistics=empty))
    if found := _left_out(nothing, [public], taught, fixed, "the public start"):
        made.append(found)
    return made


def _chosen(part: Examples, known: Known, site: str) -> Examples:
    return part.only([at for at, one in enumerate(part.ids) if _site(known, one) == site])


def _left_out(
    head: HeadOf, there: Sequence[Examples], rest: Examples, fixed: Recipe, name: str
) -> External | None:
    """Return how a head of the public start and the rest does there; None with too few people."""
    features = np.concatenate([part.features for part in there])
    people = [person for part in there for person in part.people]
    has = _truths(head, there)
    counts = _counted(people, has)
    if min(counts) < FEWEST:
        return None
    try:
        sums = head.base.statistics
        if len(rest):
            sums = sums + sums.of(rest.features, list(rest.labels), list(rest.weights))
        scores = solve(sums, fixed).score(features)
    except SettingsError:  # nobody else says anything of one of the classes
        return None
    auc = scoring.interval(scores, has, people)
    return External(name=name, auc=auc, people=counts, left_out=True)


def _truths(head: HeadOf, parts: Iterable[Examples]) -> Mask:
    """Return whether each row of some parts has the finding."""
    name = head.base.statistics.classes[1]
    return np.array([one == name for part in parts for one in part.labels], dtype=bool)


def _counted(people: Sequence[str], has: Mask) -> tuple[int, int]:
    with_it = {one for one, truth in zip(people, has, strict=True) if truth}
    without = {one for one, truth in zip(people, has, strict=True) if not truth}
    return len(with_it), len(without)


def _probes(head: HeadOf, served: Served, known: Known) -> list[Probe]:
    """Return what shortcuts alone reach, on people who gave; those that nothing is known for not.

    Rows are the lowest ranks of each class, so that it does not depend on who came or left.
    """
    parts = (served.known, served.tested)
    rows = [one for part in parts for one in part.ids]
    people = [one for part in parts for one in part.people]
    has = _truths(head, parts)
    few = np.sort(
        np.concatenate([np.flatnonzero(has == side)[:MOST_PROBED] for side in (True, False)])
    ).astype(int)
    made = []
    told = [_told(known.facts.get(rows[at])) for at in few]
    if any(told):
        z = probes.metadata(told)
        if found := _probe("metadata", z, has[few], [people[at] for at in few], _PLAIN):
            made.append(found)
    fixed = replace(head.recipe, ridge=max(served.head.ridges))
    for name in sorted({name for one in known.sights.values() for name in one}):
        there = [at for at in few if name in known.sights.get(rows[at], {})]
        if not there:
            continue
        z = np.stack([known.sights[rows[at]][name] for at in there])
        one = fixed if name == "border" else _PLAIN
        if found := _probe(name, z, has[there], [people[at] for at in there], one):
            made.append(found)
    return made


def _told(facts: Facts | None) -> dict[str, str]:
    if facts is None:
        return {}
    told = {"site": facts.site, "sex": facts.sex, "device": facts.device}
    return {name: one for name, one in (told | {"age": _years(facts)}).items() if one}


def _years(facts: Facts) -> str:
    if not age_band(facts.age) or facts.age is None:
        return ""
    start = int(facts.age) // _BAND * _BAND
    return f"{start} to {start + _BAND - 1}"


def _probe(name: str, z: Rows, has: Mask, people: list[str], recipe: Recipe) -> Probe | None:
    if min(_counted(people, has)) < FEWEST:
        return None
    scores = scoring.cross(z, has, people, recipe)
    return Probe(name=name, auc=scoring.interval(scores, has, people))


def _subgroups(held: _Held, known: Known) -> list[Subgroup]:
    """Return how it does among some of those who gave, where there are enough."""
    told = [
        {name: one for name, one in _told(known.facts.get(row)).items() if name != "site"}
        for row in held.ids
    ]
    names = sorted({pair for one in told for pair in one.items()})
    made = []
    for name, value in names:
        part = held.only(np.array([one.get(name) == value for one in told], dtype=bool))
        if min(part.counts) < FEWEST:
            continue
        auc = scoring.interval(part.scores, part.has, part.people)
        made.append(Subgroup(name=f"{name}={value}", auc=auc, people=part.counts))
    return made
