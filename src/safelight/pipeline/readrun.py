"""Many inputs, read: the identity comes off first, in memory, and only then is each looked at.

Nothing is kept of an input that did not come out. Of a series of slices one image is read, the one
in the middle, and the reading says so; ``every`` reads them all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from safelight.errors import QuarantineError, SafelightError, UnreadableInputError
from safelight.pipeline.job import ARCHIVES, NOT_CLEANED, input_code, unexpected
from safelight.pipeline.panel import Panel
from safelight.pipeline.plan import Plan, Sight, make_plan, make_tasks
from safelight.pipeline.problem import Problem
from safelight.pipeline.reading import Wanted, look, made
from safelight.pipeline.request import Silent, Watch
from safelight.pipeline.run import make_engine
from safelight.pipeline.workers import Mark, Task, run_tasks
from safelight.readers import tags
from safelight.readers.reading import Reading
from safelight.types import Deidentified, Kind, Original, Status

if TYPE_CHECKING:
    from safelight.deid.context import Subject
    from safelight.deid.engine import Engine
    from safelight.deid.looking import Seen
    from safelight.intake.sources import Item
    from safelight.settings import Settings

__all__ = ["Outcome", "Run", "Wanted", "run"]

_SLICES: Final = frozenset({"CT", "MR", "PT", "NM"})
_SUBJECTS_KEPT: Final = 4
_TILT: Final = 0.05  # of a direction cosine: slices of one stack are not turned further


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one input.

    Attributes:
        index: Position of the input.
        code: Its code, as in the manifest of a run under the same key.
        reading: What was read; None where it waits, or where another image stands for it.
        images: Images that the reading stands for.
        by: Position of the input whose reading stands for it.
        made: Reports as bytes: ``sr``, ``sc``, ``fhir``, and ``map NAME`` for each reader's map.
        failed: Why a report of it could not be made, by the report's name.
        problem: Why it was not read.
    """

    index: int
    code: str
    reading: Reading | None = None
    images: int = 1
    by: int | None = None
    made: Mapping[str, bytes] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)
    problem: Problem | None = None


@dataclass(slots=True)
class Run:
    """How it ended.

    Attributes:
        paths: Where each input lies, for the person's own terminal alone.
        outcomes: In the order of the inputs.
        finished: False when it was asked to stop.
    """

    paths: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    finished: bool = True

    @property
    def exit_code(self) -> int:
        """Return 0 all read, 1 review or a report that failed, 3 quarantine, 4 not finished."""
        waiting = {each.problem.status for each in self.outcomes if each.problem}
        if not self.finished:
            return 4
        if Status.QUARANTINE in waiting:
            return 3
        failed = any(each.failed for each in self.outcomes)
        return 1 if failed or Status.REVIEW in waiting else 0


def run(
    sources: Sequence[str],
    settings: "Settings",
    wanted: Wanted,
    watch: Watch | None = None,
    panel: Panel | None = None,
) -> Run:
    """De-identify every input in memory and read those that came out.

    Args:
        sources: Files and folders.
        settings: Of de-identification.
        wanted: What is made beside the readings.
        watch: Is told how far it is.
        panel: Which readers to ask; those who are installed unless given.

    Raises:
        KeyFileError: The project key cannot be used.
        SettingsError: A setting is wrong.
    """
    watch = watch or Silent()
    job = _Job(make_engine(settings), wanted, panel)
    done = Run()
    found: dict[int, Outcome] = {}
    watch.stage("list", 0)
    job.items.extend(job.walk(sources))
    watch.stage("survey", len(job.items))
    for at, problem in job.survey(watch):
        found[at] = job.refused(at, problem)
    job.plan = make_plan([item.relative for item in job.items], job.sights)
    watch.stage("read", len(job.plan.group_of))
    stopped = False

    def tick(begun: int) -> bool:
        nonlocal stopped
        stopped = watch.advance(begun) or stopped
        return stopped

    def lost(at: int, how: str) -> None:
        error = QuarantineError(f"the process that worked on it ended ({how})")
        found[at] = job.refused(at, Problem.of(job.sights[at].kind, error))

    run_tasks(
        make_tasks(job.plan, settings.processes, whole=True),
        job.work,
        workers=settings.processes,
        done=lambda _task, outcomes: found.update((each.index, each) for each in outcomes),
        lost=lost,
        tick=tick,
        seconds=settings.seconds_per_input,
    )
    wanted_all = {at for at in range(len(job.items)) if at not in job.opened}
    done.finished = not stopped and wanted_all <= set(found)
    done.paths = [job.path(at) for at in range(len(job.items))]
    done.outcomes = [found[at] for at in sorted(found)]
    return done


class _Job:
    """One run, as its workers see it."""

    def __init__(self, engine: "Engine", wanted: Wanted, panel: Panel | None) -> None:
        self.panel = panel
        self.engine = engine
        self.wanted = wanted
        self.items: list[Item] = []
        self.evidence: list[Any] = []
        self.sights: dict[int, Sight] = {}
        self.opened: set[int] = set()  # archives and directories: their members are inputs
        self.plan = Plan(groups=(), group_of={}, copy={})
        self._subjects: dict[int, Subject] = {}

    def walk(self, sources: Sequence[str]) -> "Iterator[Item]":
        """Yield the inputs; nothing is opened."""
        from safelight.intake.sources import walk  # noqa: PLC0415  # start-up cost

        yield from walk(sources, limits=self.engine.limits)

    def path(self, at: int) -> str:
        """Return where an input lies."""
        return self.items[at].shown

    def refused(self, at: int, problem: Problem) -> Outcome:
        """Return the outcome of an input that waits."""
        return Outcome(index=at, code=self.code(at), problem=problem)

    def code(self, at: int) -> str:
        """Return the code that names an input."""
        return input_code(self.engine.key, self.items[at].relative)

    def survey(self, watch: Watch) -> Iterator[tuple[int, Problem]]:
        """Tell what each input is; yield those that cannot be handled. Archives are opened."""
        from safelight.intake.sources import expand  # noqa: PLC0415  # start-up cost

        at = 0
        while at < len(self.items):
            if watch.advance(at):
                return
            kind = Kind.UNKNOWN
            try:
                kind = self._survey(at)
                if kind in ARCHIVES:
                    self.items.extend(expand(self.items[at], limits=self.engine.limits))
            except SafelightError as error:
                yield at, Problem.of(kind, error)
            except (KeyboardInterrupt, SystemExit, GeneratorExit):
                raise
            except BaseException as error:  # noqa: BLE001  # a panic of a decoder is one of these
                yield at, Problem.of(kind, unexpected(error))
            at += 1

    def _survey(self, at: int) -> Kind:
        item = self.items[at]
        kind = item.sniff(self.engine.limits)
        if kind is Kind.UNKNOWN:
            raise UnreadableInputError(item.explain(self.engine.limits))
        if kind in NOT_CLEANED:
            self.opened.add(at)
            return kind
        found = self.engine.survey(self._source(at), kind=kind)
        nodes = [f"p{found.patient_key}"] if found.patient_key else []
        nodes += [f"s{found.study_uid}"] if found.study_uid else []
        self.evidence.append(found)
        self.sights[at] = Sight(kind, len(self.evidence) - 1, tuple(nodes), found.series_uid)
        return kind

    def _source(self, at: int) -> str | Original:
        item = self.items[at]
        return item.path if item.path is not None else item.open(self.engine.limits)

    def work(self, task: Task, mark: Mark) -> list[Outcome]:
        """De-identify and read the inputs of one task, series by series."""
        outcomes: list[Outcome] = []
        inputs = [at for at in task.inputs if at not in task.skip]
        for series, group in groupby(inputs, key=lambda at: self.sights[at].series):
            positions = list(group)
            seen = self._see(positions, mark) if series and len(positions) > 1 else {}
            outcomes += self._series(positions, seen, mark)
        return outcomes

    def _see(self, positions: Sequence[int], mark: Mark) -> "dict[int, Seen | None]":
        """Look at the pictures of one series together; what cannot be read says so in its turn."""
        seen: dict[int, Seen | None] = {}
        stretch = self.engine.stretch()
        if stretch is None:
            return seen
        for at in positions:
            if mark.stopping():
                break
            mark.look(at)
            with suppress(Exception):
                seen[at] = self.engine.see(self._source(at), stretch, kind=self.sights[at].kind)
        return seen

    def _series(
        self, positions: Sequence[int], seen: "Mapping[int, Seen | None]", mark: Mark
    ) -> Iterator[Outcome]:
        """Yield what became of each input of one series; slices are read by their middle one."""
        stacks: list[tuple[_Place, list[tuple[tuple[float, int], int]]]] = []
        for at in positions:
            if mark.stopping():
                return
            mark.at(at)
            clean = self._clean(at, seen.get(at))
            if isinstance(clean, Problem):
                yield self.refused(at, clean)
                continue
            alone = len(positions) == 1 or self.wanted.every or not self.sights[at].series
            place = None if alone else _place(clean)
            if place is None:
                yield self._outcome(at, clean)
            else:
                beside = next((held for first, held in stacks if first.alike(place)), None)
                if beside is None:
                    stacks.append((place, beside := []))
                beside.append((place.order, at))
        for _, slices in stacks:
            whose = "its series" if len(stacks) == 1 else "those of its series that lie alike"
            yield from self._stack(sorted(slices), whose, seen)

    def _stack(
        self,
        slices: Sequence[tuple[tuple[float, int], int]],
        whose: str,
        seen: "Mapping[int, Seen | None]",
    ) -> Iterator[Outcome]:
        """Yield what became of slices that lie one on the other: one of them is read for all."""
        middle = len(slices) // 2
        chosen = slices[middle][1]
        again = self._clean(chosen, seen.get(chosen))  # the same output: it follows from the input
        if isinstance(again, Problem):
            yield self.refused(chosen, again)
        else:
            said = (
                f"image {middle + 1} of {len(slices)} of {whose} was read, the one in the "
                "middle; what only the others show was not looked at"
            )
            notes = (said,) if len(slices) > 1 else ()
            yield self._outcome(chosen, again, images=len(slices), notes=notes)
        for _, at in slices:
            if at != chosen:
                yield Outcome(index=at, code=self.code(at), by=chosen)

    def _clean(self, at: int, seen: "Seen | None") -> "Deidentified | Problem":
        sight = self.sights[at]
        try:
            subject = self._subject(self.plan.group_of[at])
            return self.engine.deidentify(self._source(at), subject, kind=sight.kind, seen=seen)
        except SafelightError as error:
            return Problem.of(sight.kind, error)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001  # a panic of a decoder is one of these
            return Problem.of(sight.kind, unexpected(error))

    def _subject(self, number: int) -> "Subject":
        subject = self._subjects.get(number)
        if subject is None:
            if len(self._subjects) >= _SUBJECTS_KEPT:
                del self._subjects[next(iter(self._subjects))]
            group = self.plan.groups[number]
            subject = self.engine.subject([self.evidence[each] for each in group.evidence])
            self._subjects[number] = subject
        return subject

    def _outcome(
        self, at: int, clean: Deidentified, *, images: int = 1, notes: Iterable[str] = ()
    ) -> Outcome:
        view, reading = look(clean, self.engine.limits, None, None, self.panel)
        reading = replace(reading, notes=(*notes, *reading.notes))
        reports, failed = made(view, reading, self.wanted, at + 1)
        return Outcome(
            index=at,
            code=self.code(at),
            reading=reading,
            images=images,
            made=reports,
            failed=failed,
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a slice stands: slices of one stack are of one person and study, and lie alike.

    A series may hold several stacks, and two people's series may have one UID.

    Attributes:
        stack: Person, study, kind and size of what the slice belongs to.
        lies: Image Orientation (0020,0037); empty when it is not known.
        order: Along the stack, mm, and Instance Number.
    """

    stack: tuple[Any, ...]
    lies: tuple[float, ...]
    order: tuple[float, int]

    def alike(self, other: "_Place") -> bool:
        """Tell whether two slices are of one stack."""
        near = (abs(a - b) < _TILT for a, b in zip(self.lies, other.lies, strict=False))
        return self.stack == other.stack and len(self.lies) == len(other.lies) and all(near)


def _place(clean: Deidentified) -> _Place | None:
    """Return where a slice stands in its series; None when the input is no slice of a volume."""
    from safelight.readers.view import View  # noqa: PLC0415  # start-up cost

    if clean.kind is not Kind.DICOM:
        return None
    try:
        view = View.of(clean)
    except SafelightError:
        return None
    data = view.dataset
    if data is None or view.modality not in _SLICES or view.frames != 1:
        return None
    along = 0.0
    lies, origin = (
        tags.numbers(data, each) for each in ("ImageOrientationPatient", "ImagePositionPatient")
    )
    if len(lies) == len("xyzxyz") and len(origin) == len("xyz"):
        (a, b, c, d, e, f), (x, y, z) = lies, origin
        along = x * (b * f - c * e) + y * (c * d - a * f) + z * (a * e - b * d)
    stack = (
        *(tags.text(data, each) for each in ("PatientID", "StudyInstanceUID", "SOPClassUID")),
        *(tags.text(data, each) for each in ("Modality", "Rows", "Columns")),
        "LOCALIZER" in tags.texts(data, "ImageType"),
    )
    number = int(tags.number(data, "InstanceNumber") or 0)
    return _Place(stack, lies, (along if isfinite(along) else 0.0, number))
