"""What a worker does with one task: look at inputs (pass 1), or clean and write them (pass 2).

A ``Job`` is made before the workers are forked and is inherited by them whole; what changes in it
afterwards stays in the worker. Only the small results of ``survey`` and ``write`` travel back.
"""

import os
from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final

from safelight import __version__
from safelight.errors import (
    OutputError,
    QuarantineError,
    SafelightError,
    UnreadableInputError,
)
from safelight.intake.kinds import HEAD_BYTES, explain
from safelight.pipeline.album import Album
from safelight.pipeline.ledger import NO_STATE, Head, Shard, done_line, refused_line
from safelight.pipeline.names import Namer, is_counter
from safelight.pipeline.place import Place
from safelight.pipeline.plan import Plan, Sight
from safelight.pipeline.problem import Problem, name_of
from safelight.pipeline.store import Store
from safelight.pipeline.tally import Tally
from safelight.pipeline.workers import Mark, Task
from safelight.types import Kind, Original, Status

if TYPE_CHECKING:
    from safelight.deid.context import Subject
    from safelight.deid.engine import Engine
    from safelight.deid.evidence import Evidence
    from safelight.deid.looking import Seen
    from safelight.deid.pseudonyms import ProjectKey
    from safelight.deid.text import Identity
    from safelight.intake.sources import Item

__all__ = ["Job", "Problem", "Surveyed", "Written", "input_code", "unexpected"]

ARCHIVES: Final = frozenset({Kind.ZIP, Kind.TAR})
NOT_CLEANED: Final = ARCHIVES | {Kind.DICOMDIR}  # their members and files are
SURVEY_BYTES: Final = 1 << 15  # of each input: what tells its kind, and most headers whole
_SUBJECTS_KEPT: Final = 4  # of the persons a worker met last; tasks come person by person


def unexpected(error: BaseException) -> QuarantineError:
    """Return an unexpected exception as its type and our line; its message may hold values."""
    return QuarantineError(
        f"it could not be handled ({name_of(error)})",
        todo="report this with the kind of file; do not send the file itself",
    )


def input_code(key: "ProjectKey", relative: str) -> str:
    """Return the code that names an input everywhere in OUT."""
    return key.digest(b"input\0" + relative.encode("utf-8", "surrogateescape"))


@dataclass(slots=True)
class Surveyed:
    """Result of one task of pass 1, made to travel cheaply: most inputs of a task look alike.

    Attributes:
        sights: What inputs were seen to be, each once.
        which: Input, and the position of what it is.
        evidence: What they say of persons.
        problems: Inputs that cannot be handled, and why.
    """

    sights: list[Sight] = field(default_factory=list)
    which: list[tuple[int, int]] = field(default_factory=list)
    evidence: "list[Evidence]" = field(default_factory=list)
    problems: list[tuple[int, Problem]] = field(default_factory=list)


@dataclass(slots=True)
class Written:
    """Result of one task of pass 2: counts, and where in the worker's shard the lines lie.

    ``lines`` holds (input, code, offset, length); the offset is -1 where the line of an earlier run
    still holds. ``failed`` says why the rest of the task was not done: nothing more can be written.
    """

    shard: int
    tally: Tally = field(default_factory=Tally)
    lines: list[tuple[int, str, int, int]] = field(default_factory=list)
    failed: OutputError | None = None


class Job:
    """One run, as its workers see it.

    Attributes:
        items: The inputs, in order.
        evidence: What the survey gathered; in memory only.
        plan: The groups of inputs, once made.
    """

    def __init__(
        self, *, engine: "Engine", place: Place, force: bool, album: Album | None = None
    ) -> None:
        self.engine = engine
        self.key = engine.key
        self.place = place
        self.items: list[Item] = []
        self.evidence: list[Evidence] = []
        self.sights: dict[int, Sight] = {}
        self.plan = Plan(groups=(), group_of={}, copy={})
        self._told: dict[tuple[str, str], Identity] = {}
        self._settings_digest = settings_digest(engine)
        self._force = force
        self._album = album
        self._shards: dict[int, Shard] = {}
        self._stores: dict[int, Store] = {}
        self._persons: dict[int, tuple[Subject, Namer]] = {}

    # Pass 1

    def survey(self, task: Task, mark: Mark) -> Surveyed:
        """Tell what each input is and gather what names its person."""
        result = Surveyed()
        known: dict[Hashable, int] = {}
        alike: dict[Sight, int] = {}
        for index in task.inputs:
            if mark.stopping():
                break
            if index in task.skip:
                continue
            mark.at(index)
            kind = Kind.UNKNOWN
            try:
                item = self.items[index]
                source: str | Original
                if item.path is None:  # a member is read once, whole
                    source = item.open(self.engine.limits)
                    kind, head = source.kind, b""
                else:
                    source = item.path
                    kind, head = item.look(SURVEY_BYTES, self.engine.limits)
                sight = self._look(item, source, kind, head, result, known)
                place = alike.setdefault(sight, len(result.sights))
                if place == len(result.sights):
                    result.sights.append(sight)
                result.which.append((index, place))
            except SafelightError as error:
                result.problems.append((index, Problem.of(kind, error)))
            except (KeyboardInterrupt, SystemExit, GeneratorExit):
                raise
            except BaseException as error:  # noqa: BLE001  # a panic of a decoder is one of these
                result.problems.append((index, Problem.of(kind, unexpected(error))))
        result.evidence = [self._untold(each) for each in result.evidence]
        return result

    def _untold(self, evidence: "Evidence") -> "Evidence":
        """Return what this worker has not told the parent yet of a person and study.

        A study's headers repeat the same values; sending them once keeps the messages small.
        """
        told = self._told.get((evidence.patient_key, evidence.study_uid))
        if told is None:
            told = self._told[evidence.patient_key, evidence.study_uid] = type(evidence.identity)()
        fresh = evidence.identity.less(told)
        told.update(fresh)
        return type(evidence)(evidence.patient_key, evidence.study_uid, fresh, evidence.series_uid)

    def _look(
        self,
        item: "Item",
        source: str | Original,
        kind: Kind,
        head: bytes,
        result: Surveyed,
        known: dict[Hashable, int],
    ) -> Sight:
        if kind is Kind.UNKNOWN:
            raise UnreadableInputError(why_unknown(item))
        if kind in NOT_CLEANED:
            return Sight(kind)
        evidence = self.engine.survey(source, kind=kind, head=head)
        nodes: list[Hashable] = []
        if evidence.patient_key:
            nodes.append("p" + evidence.patient_key)
        if evidence.study_uid:
            nodes.append("s" + evidence.study_uid)
        same = (evidence.patient_key, evidence.study_uid)
        position = known.get(same, -1)
        if position >= 0:
            result.evidence[position] = result.evidence[position].merged(evidence)
        else:
            position = known[same] = len(result.evidence)
            result.evidence.append(evidence)
        return Sight(kind, position, tuple(nodes), evidence.series_uid)

    def _source(self, item: "Item") -> str | Original:
        """Return what the engine reads: a file's path, or the bytes of an archive's member."""
        return item.path if item.path is not None else item.open(self.engine.limits)

    # Pass 2

    def write(self, task: Task, mark: Mark) -> Written:
        """Clean each input, write its output and its manifest line."""
        shard = self._shards.get(mark.number)
        if shard is None:
            shard = self._shards[mark.number] = Shard(self.place.house, mark.number)
            self._stores[mark.number] = Store(self.place.out, worker=mark.number)
        store = self._stores[mark.number]
        result = Written(mark.number)
        fresh: list[tuple[int, str]] = []
        for index, seen in self._in_order(task, mark):
            if mark.stopping():
                break
            mark.at(index)
            code = input_code(self.key, self.items[index].relative)
            try:
                line = self._one(index, code, store, result, seen)
            except OutputError as error:
                result.failed = error
                break
            if line is None:
                result.lines.append((index, code, -1, 0))
            else:
                shard.add(line)
                fresh.append((index, code))
        try:
            places = shard.flush()
        except OutputError:
            store.take_back()  # an output that no line names must not stay
            raise
        store.unlisted.clear()
        result.lines += [(*who, *place) for who, place in zip(fresh, places, strict=True)]
        return result

    def _in_order(self, task: Task, mark: Mark) -> "Iterator[tuple[int, Seen | None]]":
        """Yield the inputs of a task, the pictures of one series looked at before its first."""
        inputs = [index for index in task.inputs if index not in task.skip]
        for series, group in groupby(inputs, key=lambda index: self.sights[index].series):
            indexes = list(group)
            seen = self._see(indexes, mark) if series and len(indexes) > 1 else {}
            for index in indexes:
                yield index, seen.pop(index, None)

    def _see(self, indexes: Sequence[int], mark: Mark) -> "dict[int, Seen | None]":
        """Look at the pictures of one series; what cannot be read says so when its turn comes."""
        seen: dict[int, Seen | None] = {}
        stretch = self.engine.stretch()
        if stretch is None:
            return seen
        for index in indexes:
            if mark.stopping():
                break
            mark.look(index)
            code = input_code(self.key, self.items[index].relative)
            if not self._force and self._done_before(index, code):
                continue
            with suppress(Exception):
                source = self._source(self.items[index])
                seen[index] = self.engine.see(source, stretch, kind=self.sights[index].kind)
        return seen

    def _one(
        self, index: int, code: str, store: Store, result: Written, seen: "Seen | None"
    ) -> bytes | None:
        """Do one input; return its line, or None if an earlier run has done it."""
        sight = self.sights[index]
        state = NO_STATE
        try:
            subject, namer = self._person(self.plan.group_of[index])
            copy = self.plan.copy.get(index, 0)
            item = self.items[index]
            state = self._state(index, subject)
            if not self._force and (head := self._good(code, state)) is not None:
                result.tally.again(head.kind, self.place.ledger.line(code), head.size)
                return None
            name = namer.name(item.relative, sight.kind, copy=copy)
            show = self._album.show(code) if self._album is not None else None
            clean = self.engine.deidentify(
                self._source(item), subject, kind=sight.kind, seen=seen, show=show
            )
            store.write(name, clean.parts, clean.digest)
        except OutputError:
            raise
        except SafelightError as error:
            problem = Problem.of(sight.kind, error)
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except BaseException as error:  # noqa: BLE001  # a panic of a decoder is one of these
            problem = Problem.of(sight.kind, unexpected(error))
        else:
            result.tally.done(sight.kind, clean.acts, clean.size, clean.manifest)
            return done_line(self.key, code, name, state, clean)
        result.tally.refused(problem)
        return refused_line(self.key, code, state, problem)

    def _state(self, index: int, subject: "Subject") -> str:
        """Return what changes when the output of an input may."""
        item, copy = self.items[index], self.plan.copy.get(index, 0)
        facts = f"{item.size} {item.mtime_ns} {copy} {subject.digest} {self._settings_digest}"
        return self.key.digest(facts.encode())

    def _done_before(self, index: int, code: str) -> bool:
        """Tell whether an earlier run has done an input, so that it is not looked at again."""
        try:
            subject, _namer = self._person(self.plan.group_of[index])
        except SafelightError:
            return False
        return self._good(code, self._state(index, subject)) is not None

    def _good(self, code: str, state: str) -> Head | None:
        """Return the line of an earlier run if its output still holds."""
        head = self.place.ledger.head(code)
        if head is None or head.state != state or head.status is not Status.DONE:
            return None
        return head if self.output_exists(head) else None

    def output_exists(self, head: Head) -> bool:
        """Tell whether an output lies where its line says, with the size it says."""
        try:
            return os.lstat(os.path.join(self.place.out, head.output)).st_size == head.size
        except OSError:
            return False

    def _person(self, number: int) -> "tuple[Subject, Namer]":
        person = self._persons.get(number)
        if person is None:
            if len(self._persons) >= _SUBJECTS_KEPT:
                del self._persons[next(iter(self._persons))]
            group = self.plan.groups[number]
            subject = self.engine.subject([self.evidence[each] for each in group.evidence])
            person = self._persons[number] = (subject, make_namer(subject, self.key))
        return person


def make_namer(subject: "Subject", key: "ProjectKey") -> Namer:
    """Return the namer for one person's outputs."""
    from safelight.deid.text import Mode, patterns  # noqa: PLC0415  # start-up cost: not for --help

    clean = subject.cleaner.clean

    def unchanged(text: str) -> bool:
        if is_counter(text):
            return not subject.needles.names(text)
        spaced = text.replace("_", " ").replace("-", " ")
        return not any(clean(each, Mode.WORDS).rules for each in (text, spaced))

    def spans(path: str) -> list[tuple[int, int]]:
        own = [(each.start, each.stop) for each in subject.needles.spans(path)]
        dates = [found[:2] for found in patterns.find(path) if found[2] == patterns.DATE]
        return own + dates

    return Namer(
        unchanged=unchanged,
        spans=spans,
        code=lambda text, length: key.code("name", text, length),
        uid=key.uid,
    )


def why_unknown(item: "Item") -> str:
    """Return one sentence on why an input is of no kind that is handled."""
    head = b""
    if item.path is not None:
        with open(item.path, "rb") as file:
            head = file.read(HEAD_BYTES)
    return explain(head, name=item.name, size=item.size)


def refusals(job: Job, problems: Sequence[tuple[int, Problem]], number: int) -> Written:
    """Write the lines of inputs that the survey or a dead worker gave up; in the parent."""
    result = Written(number)
    if not problems:
        return result
    shard = Shard(job.place.house, number)
    codes = []
    for index, problem in problems:
        code = input_code(job.key, job.items[index].relative)
        result.tally.refused(problem)
        shard.add(refused_line(job.key, code, NO_STATE, problem))
        codes.append((index, code))
    result.lines = [(*who, *place) for who, place in zip(codes, shard.flush(), strict=True)]
    shard.close()
    return result


def settings_digest(engine: "Engine") -> str:
    """Return what changes when the outputs may: profile, edition of the table, version."""
    from safelight.deid.table import EDITION  # noqa: PLC0415  # start-up cost: not for --help

    chosen = engine.profile
    options = ",".join(sorted(chosen.options))
    overrides = ",".join(f"{tag:08x}={act}" for tag, act in sorted(chosen.overrides.items()))
    by_hand = engine.by_hand_digest()
    return f"{chosen.name} {options} {overrides} {by_hand} {EDITION} {__version__}"
