"""Who belongs together: inputs are grouped by person.

A name found in one file of a study is then known in all of them.

Two DICOM objects are of one person when they share a patient or a study (union-find over both). A
file that names nobody (a photo, a report) belongs to the persons of the nearest folder above it
that has any: their values are searched for in it.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from safelight.pipeline.names import claim
from safelight.pipeline.workers import NOTHING, Task
from safelight.types import Kind

__all__ = ["Group", "Plan", "Sight", "UnionFind", "make_plan", "make_tasks", "survey_tasks"]

CHUNK: Final = 64  # inputs a task, of several persons
_PERSON_CHUNK: Final = 512  # inputs a task, of one person
_SERIES_CHUNK: Final = 2048  # inputs a task, of one series
_FEW: Final = 32  # inputs of a short series
_PEOPLE_MAX: Final = 64  # persons of one folder whose values are searched for in its loose files


@dataclass(frozen=True, slots=True)
class Sight:
    """What the survey told of one input.

    Attributes:
        kind: What it is.
        evidence: Position of its evidence in the list of all evidence; -1 for none.
        nodes: What it shares with other inputs of the same person; empty when it names nobody.
        series: Series Instance UID; empty when it has none.
    """

    kind: Kind
    evidence: int = -1
    nodes: tuple[Hashable, ...] = ()
    series: str = ""

    def moved(self, start: int) -> "Sight":
        """Return the sight for a list of evidence in which its own begins at ``start``."""
        if self.evidence < 0 or start == 0:
            return self
        return Sight(self.kind, self.evidence + start, self.nodes, self.series)


@dataclass(slots=True)
class Group:
    """Inputs that are cleaned as one person.

    Attributes:
        evidence: Positions of the evidence; the person's own first.
        inputs: Positions of the inputs, series by series.
        runs: How many inputs each series has, in that order; what has no series stands alone.
    """

    evidence: list[int] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Plan:
    """The work of the second pass.

    Attributes:
        groups: The groups, in the order of their first input.
        group_of: Group by input.
        copy: Inputs that claim a name already claimed: the number that tells them apart.
    """

    groups: Sequence[Group]
    group_of: Mapping[int, int]
    copy: Mapping[int, int]


class UnionFind:
    """Disjoint sets with path halving (Tarjan 1975)."""

    __slots__ = ("_parent",)

    def __init__(self) -> None:
        self._parent: dict[Hashable, Hashable] = {}

    def find(self, node: Hashable) -> Hashable:
        """Return the representative of the set that holds ``node``."""
        parent = self._parent
        above = parent.setdefault(node, node)
        while above != node:
            parent[node] = parent[above]
            node = parent[node]
            above = parent[node]
        return node

    def join(self, first: Hashable, second: Hashable) -> None:
        """Make one set of the two sets that hold the nodes."""
        one, other = self.find(first), self.find(second)
        if one != other:
            self._parent[other] = one


def make_plan(relatives: Sequence[str], sights: Mapping[int, Sight]) -> Plan:
    """Group the inputs.

    Args:
        relatives: Path of every input below its source.
        sights: What the survey told, for the inputs that can be handled.
    """
    sets = UnionFind()
    for sight in sights.values():
        for node in sight.nodes[1:]:
            sets.join(sight.nodes[0], node)
    groups: list[Group] = []
    number_of: dict[Hashable, int] = {}
    group_of: dict[int, int] = {}
    people: dict[str, set[int]] = defaultdict(set)  # folder → groups of the DICOM objects below it
    loose: list[int] = []
    for index, sight in sights.items():
        if not sight.nodes:
            loose.append(index)
            continue
        root = sets.find(sight.nodes[0])
        number = number_of.setdefault(root, len(groups))
        if number == len(groups):
            groups.append(Group())
        _add(groups[number], index, sight)
        group_of[index] = number
        people[relatives[index].rpartition("/")[0]].add(number)
    if loose:
        _place_loose(loose, relatives, sights, groups, group_of, _upwards(people))
    for group in groups:
        _gather_series(group, sights)
    return Plan(groups=groups, group_of=group_of, copy=_copies(relatives, sights))


def _add(group: Group, index: int, sight: Sight) -> None:
    group.inputs.append(index)
    if sight.evidence >= 0 and sight.evidence not in group.evidence[-8:]:
        group.evidence.append(sight.evidence)


def _gather_series(group: Group, sights: Mapping[int, Sight]) -> None:
    """Put the inputs of one series side by side: they are looked at together.

    The longest comes first and the short ones after it: what is found in a whole head is then known
    where a few slices of it lie.
    """
    first: dict[str, int] = {}
    counts = Counter(sights[index].series for index in group.inputs)
    for index in group.inputs:
        first.setdefault(sights[index].series, index)
    if len(first) > 1:
        longest = max(counts, key=lambda series: (bool(series), counts[series], -first[series]))

        def place(index: int) -> tuple[bool, bool, int]:
            series = sights[index].series
            return series != longest, counts[series] > _FEW, first[series]

        group.inputs.sort(key=place)
    for series, run in groupby(group.inputs, key=lambda index: sights[index].series):
        count = len(list(run))
        group.runs += [count] if series else [1] * count


def _upwards(people: Mapping[str, set[int]]) -> dict[str, set[int]]:
    """Return the persons below every folder, the folder's own and those of the ones inside it."""
    below: dict[str, set[int]] = defaultdict(set)
    for folder, numbers in people.items():
        below[folder] |= numbers
        while folder:
            folder = folder.rpartition("/")[0]  # noqa: PLW2901  # climbs
            below[folder] |= numbers
    return below


def _place_loose(
    loose: Sequence[int],
    relatives: Sequence[str],
    sights: Mapping[int, Sight],
    groups: list[Group],
    group_of: dict[int, int],
    below: Mapping[str, set[int]],
) -> None:
    """Give every file that names nobody to the person whose folder it lies in."""
    shared: dict[tuple[str, tuple[int, ...]], int] = {}
    persons = len(groups)
    for index in loose:
        folder = relatives[index].rpartition("/")[0]
        near = folder
        while near and near not in below:
            near = near.rpartition("/")[0]
        found = sorted(below.get(near, ()))
        if len(found) == 1 and found[0] < persons:
            number = found[0]
        else:
            found = found if len(found) <= _PEOPLE_MAX else []
            number = shared.setdefault((folder, tuple(found)), len(groups))
            if number == len(groups):
                groups.append(Group())
                for other in found:
                    groups[number].evidence += groups[other].evidence
        _add(groups[number], index, sights[index])
        group_of[index] = number


def _copies(relatives: Sequence[str], sights: Mapping[int, Sight]) -> dict[int, int]:
    """Return the inputs whose output name a folder or an input before has, with a number for each.

    A number makes no name that somebody else has.
    """
    folders: set[str] = set()
    for index in sights:
        folder = relatives[index].rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    owner = {claim(folder, None): NOTHING for folder in folders}
    again = [
        (index, name)
        for index, sight in sights.items()
        if owner.setdefault(name := claim(relatives[index], sight.kind), index) != index
    ]
    copies: dict[int, int] = {}
    last: dict[str, int] = {}
    for index, name in again:
        number, taken = last.get(name, 0), True
        while taken:
            number += 1
            new = claim(relatives[index], sights[index].kind, copy=number)
            taken = owner.setdefault(new, index) != index
        copies[index] = last[name] = number
    return copies


def survey_tasks(span: range, workers: int) -> list[Task]:
    """Cut the first pass into tasks."""
    size = _size(len(span), workers)
    starts = range(span.start, span.stop, size)
    return [Task(n, range(at, min(at + size, span.stop))) for n, at in enumerate(starts)]


def make_tasks(plan: Plan, workers: int, *, whole: bool = False) -> list[Task]:
    """Cut the second pass into tasks, the longest first.

    What is decided for a person is remembered by the worker that decided it, so a person's inputs
    stay in one task as far as the work still divides; persons with few inputs share a task. The
    last quarter of the work is cut small, so that no worker waits long for another at the end.

    Args:
        plan: The groups of inputs.
        workers: Processes.
        whole: Pictures are looked at, so a series stays in one task (up to 2,048 inputs of it).
    """
    total = sum(len(group.inputs) for group in plan.groups)
    small = _size(total, workers)
    large = max(small, min(_PERSON_CHUNK, total // (4 * workers)))
    cuts: list[list[int]] = []
    rest: list[int] = []
    begun = 0
    for group in plan.groups:
        begun += len(group.inputs)
        if len(group.inputs) < small:
            rest += group.inputs
            if len(rest) >= small:
                cuts.append(rest)
                rest = []
            continue
        most = small if workers > 1 and 4 * begun > 3 * total else large
        if whole:
            cuts += _by_series(group, most)
            continue
        pieces = -(-len(group.inputs) // most)
        size = -(-len(group.inputs) // pieces)
        cuts += [group.inputs[at : at + size] for at in range(0, len(group.inputs), size)]
    if rest:
        cuts.append(rest)
    cuts.sort(key=len, reverse=True)
    return [Task(number, inputs) for number, inputs in enumerate(cuts)]


def _by_series(group: Group, most: int) -> list[list[int]]:
    """Cut a person's inputs between series, into pieces of about ``most``.

    Short series stay with the long one before them, as ``_gather_series`` has it.
    """
    cuts: list[list[int]] = []
    piece: list[int] = []
    at = 0
    long = 0  # inputs of long series in the piece
    for count in group.runs:
        short = count <= _FEW
        if piece and len(piece) - (long if short else 0) + count > most:
            cuts.append(piece)
            piece, long = [], 0
        long += 0 if short else count
        for begin in range(at, at + count, _SERIES_CHUNK):
            piece += group.inputs[begin : min(begin + _SERIES_CHUNK, at + count)]
            if len(piece) >= _SERIES_CHUNK:
                cuts.append(piece)
                piece, long = [], 0
        at += count
    if piece:
        cuts.append(piece)
    return cuts


def _size(total: int, workers: int) -> int:
    """Return how many inputs make a task: enough tasks to keep every worker busy to the end."""
    return max(1, min(CHUNK, total // (8 * workers)))
