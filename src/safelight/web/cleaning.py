"""De-identification for the page: what was found is kept to be shown, and each result is read.

The engine is the one of every other run. Masks that people edited are given to it as boxes, or
spared; its checks afterwards are the same.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from blake3 import blake3
from sqlalchemy import Connection, delete, insert, select

from safelight import __version__
from safelight.consent.custody import Custody
from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.looking import Seen
from safelight.feedback.book import Book
from safelight.feedback.values import Facts
from safelight.pipeline import reading as readings
from safelight.pipeline.panel import Panel, Panels
from safelight.pipeline.problem import Problem
from safelight.pipeline.submissions import Lease, object_name
from safelight.pipeline.witness import Witness
from safelight.pipeline.work import DEIDENTIFIED, Cleaned, EngineCleaner, Opener, Worker
from safelight.readers.reading import KindAnswer, Reading
from safelight.readers.reading_json import dumps
from safelight.store.schema.consent import artefacts
from safelight.store.schema.web import items_seen
from safelight.types import FileSlice, Kind, Original
from safelight.vault import Stored
from safelight.web import labs, turning
from safelight.web.desk import Desk
from safelight.web.items import Items, number_of
from safelight.web.keeping import Keeping
from safelight.web.labs import LABS
from safelight.web.reading import READING
from safelight.web.watching import SPARED, Watched

if TYPE_CHECKING:
    from safelight.deid.context import Subject
    from safelight.deid.faces.turning import Turned
    from safelight.readers.labs import LabReport
    from safelight.readers.view import View

__all__ = ["PageWorker"]

_MOST_REGIONS: Final = 2_000
EngineMaker = Callable[[str, Sequence[Region]], "Watched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _PageCleaned(Cleaned):
    """What came out for one file, with what the page shows of it.

    Attributes:
        regions: What was found in the pixels.
        reading: What can be said of it.
        view: How readers saw it; None when they could not.
        kind: What the file is.
        labs: The lab results that it holds.
        head: The head whose face was taken off, with the first file of its series.
    """

    regions: Sequence[Region]
    reading: Reading
    view: "View | None"
    kind: Kind
    labs: "LabReport | None" = None
    head: "Turned | None" = None


class _PageCleaner(EngineCleaner):
    """Cleans with one engine, and reads what comes out with the readers that may."""

    def __init__(self, engine: Watched, panel: Panel | None) -> None:
        super().__init__(engine)
        self._panel = panel
        self._watched = engine

    def _clean(
        self, original: Original, *, subject: "Subject", seen: Seen | None = None
    ) -> Cleaned:
        self._watched.forget()
        clean = self._watched.deidentify(original, subject, seen=seen)
        view, reading = readings.look(clean, self._watched.limits, None, None, self._panel)
        return _PageCleaned(
            parts=clean.parts,
            manifest=clean.manifest,
            regions=self._watched.found(),
            reading=reading,
            view=view,
            kind=clean.kind,
            head=self._watched.head(),
        )


class _EditedCleaner:
    """Cleans the files of one submission, each with the masks that people edited for it."""

    def __init__(self, make: EngineMaker, items: Items, submission: str, panel: Panel) -> None:
        self._make = make
        self._panel = panel
        self._edits: dict[int, tuple[list[str], list[Region]]] = {}
        for row in items.edits(submission):
            masks, spared = self._edits.setdefault(row.position, ([], []))
            frames = tuple(json.loads(row.frames))
            if row.spare:
                box = Box(row.x, row.y, row.w, row.h)
                spared.append(
                    Region(boxes=(box,), verdict=Verdict.KEEP, rule=SPARED, frames=frames)
                )
            else:
                mark = f"@{','.join(map(str, frames))}" if frames else ""
                masks.append(f"{row.x},{row.y},{row.w},{row.h}{mark}")

    def clean(
        self, files: Sequence[tuple[int, str, Opener]], wanted: frozenset[int]
    ) -> Iterator[tuple[int, Cleaned | Problem]]:
        """Yield (position, outcome) for each file that is wanted; see ``Cleaner``."""
        groups: dict[tuple[str, tuple[Region, ...]], set[int]] = {}
        for position in wanted:
            masks, spared = self._edits.get(position, ([], []))
            groups.setdefault((";".join(masks), tuple(spared)), set()).add(position)
        for (mask, spared_here), chosen in sorted(groups.items(), key=lambda each: min(each[1])):
            engine = self._make(mask, spared_here)
            yield from _PageCleaner(engine, self._panel).clean(files, frozenset(chosen))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extra:
    """What goes with one result into its transaction."""

    values: Mapping[str, Any]
    reading: Stored
    labs: Stored | None
    head: turning.Kept | None
    said: Reading
    picture: Any
    facts: Facts | None

    @property
    def stored(self) -> list[Stored]:
        """Return what was written of it."""
        more = self.head.stored if self.head is not None else []
        return [self.reading, *([self.labs] if self.labs is not None else []), *more]


class _PageWitness:
    """Keeps what the page shows of a result in the transaction that keeps the result."""

    def __init__(self, inner: Witness, custody: Custody, desk: Desk) -> None:
        self._inner = inner
        self._custody = custody
        self._vault = desk.house.vault
        self._items = Items(desk)
        self._book = Book(custody)
        self.extras: dict[str, _Extra] = {}
        self.features = Keeping(custody)

    def allowed(self, conn: Connection, person: str, use: tuple[str, str]) -> object:
        """Ask for consent; see ``Witness``."""
        return self._inner.allowed(conn, person, use)

    def received(
        self, conn: Connection, person: str, submission: str, names: Sequence[str]
    ) -> None:
        """Note what was taken in; see ``Witness``."""
        self._inner.received(conn, person, submission, names)

    def deidentified(
        self, conn: Connection, person: str, submission: str, names: Sequence[str]
    ) -> None:
        """Note results, and keep their readings; see ``Witness``."""
        self._inner.deidentified(conn, person, submission, names)
        for name in names:
            extra = self.extras.pop(name, None)
            if extra is not None:
                self._keep(conn, person, submission, name, extra)

    def _keep(
        self, conn: Connection, person: str, submission: str, name: str, extra: _Extra
    ) -> None:
        mine = select(artefacts).where(
            artefacts.c.person == person,
            artefacts.c.kind == DEIDENTIFIED,
            artefacts.c.object == name,
            artefacts.c.removed_at.is_(None),
        )
        parent = conn.execute(mine).one()
        extra = self._still(conn, person, name, extra)
        self._vault.record(conn, [one for one in (extra.reading, extra.labs) if one is not None])
        if extra.head is not None:
            turning.keep(self._vault, conn, extra.head)
        for kept in extra.stored:
            self._custody.lineage.record(
                conn,
                person=person,
                kind=kept.kind,
                name=name,
                purpose=parent.purpose,
                policy=parent.policy,
                parents=(parent.id,),
            )
        self.features.keep(conn, name, parent.id, parent.policy)
        case = ""
        if extra.labs is None:  # results are computed: there is no answer to be right or wrong
            case = self._book.register(
                person,
                extra.said,
                purpose=parent.purpose,
                policy=parent.policy,
                picture=extra.picture,
                facts=extra.facts,
                parents=(parent.id,),
                conn=conn,
            )
        position = int(name.rpartition("-")[2])
        this = (items_seen.c.submission == submission, items_seen.c.position == position)
        conn.execute(delete(items_seen).where(*this))
        named = {"submission": submission, "position": position, "person": person}
        conn.execute(insert(items_seen).values(**named, **extra.values, noted=case))

    def _still(self, conn: Connection, person: str, name: str, extra: _Extra) -> _Extra:
        """Return a result without answers of versions that somebody has left meanwhile."""
        said = Panels.left(conn, extra.said)
        if said is extra.said:
            return extra
        self._vault.discard(extra.reading)
        fresh = self._vault.write(person, READING, name, [dumps(said)])
        return replace(extra, said=said, reading=fresh)

    def finished(
        self, conn: Connection, person: str, submission: str, dropped: Sequence[str]
    ) -> None:
        """Note the end; see ``Witness``."""
        self._inner.finished(conn, person, submission, dropped)


class PageWorker(Worker):
    """A worker on submissions that keeps what the page shows.

    Args:
        desk: The house.
        make: Makes an engine for masks and spared regions.
        most: Bytes that one original may have.
    """

    def __init__(self, desk: Desk, make: EngineMaker, *, most: int) -> None:
        self._page = _PageWitness(desk.house.witness, desk.house.custody, desk)
        self._make = make
        self._items = Items(desk)
        self._secrets = desk.secrets
        self._panels = Panels(desk.house.custody)
        cleaner = _PageCleaner(make("", ()), None)
        super().__init__(desk.house.vault, cleaner, witness=self._page, most=most)

    def _work(self, lease: Lease) -> None:
        self._page.extras.clear()
        self._cleaner = _EditedCleaner(
            self._make, self._items, lease.submission, self._panels.now()
        )
        try:
            super()._work(lease)
        finally:
            for extra in self._page.extras.values():  # of results that were not kept
                for kept in extra.stored:
                    self._vault.discard(kept)
            self._page.extras.clear()
            self._page.features.clear()

    def _stored(
        self, lease: Lease, position: int, outcome: Cleaned | Problem
    ) -> tuple[int, Stored, bytes] | tuple[int, Problem]:
        outcome = self._with_labs(lease, position, outcome)
        told = super()._stored(lease, position, outcome)
        if isinstance(outcome, _PageCleaned):
            name = object_name(lease.submission, position)
            self._page.features.prepare(lease.person, name, outcome.view, outcome.reading)
            reading = self._vault.write(lease.person, READING, name, [dumps(outcome.reading)])
            found = None
            if outcome.labs is not None:
                found = self._vault.write(lease.person, LABS, name, [labs.dumps(outcome.labs)])
            head = None
            if outcome.head is not None:
                until = self._items.before_until(lease.submission)
                head = turning.write(self._vault, lease.person, name, outcome.head, until)
            self._page.extras[name] = _Extra(
                values=self._values(lease, position, outcome),
                reading=reading,
                labs=found,
                head=head,
                said=outcome.reading,
                picture=_picture(outcome),
                facts=Facts.of_view(outcome.view) if outcome.view is not None else None,
            )
        return told

    def _with_labs(
        self, lease: Lease, position: int, outcome: Cleaned | Problem
    ) -> Cleaned | Problem:
        """Return an outcome with the lab results of its file, where it holds any.

        A table, a message, or a scanned page of results that could not be cleaned as a whole comes
        out as what was read of it: numbers and our own words.
        """
        kind = outcome.kind if isinstance(outcome, (Problem, _PageCleaned)) else Kind.UNKNOWN
        if kind not in labs.HOLDING:
            return outcome
        clean = None
        if isinstance(outcome, _PageCleaned):
            if outcome.reading.kind.kind not in labs.PAPERLIKE:
                return outcome
            clean = b"".join(
                bytes(each) for each in outcome.parts if not isinstance(each, FileSlice)
            )

        def original() -> bytes:
            name = object_name(lease.submission, position)
            return b"".join(self._originals.get(lease.person, name))

        found = labs.look(outcome, kind, original, clean)
        if found is None:
            return outcome
        if found.report is None:
            return found.problem or outcome
        if isinstance(outcome, _PageCleaned):
            return replace(outcome, labs=found.report)
        return _PageCleaned(
            parts=(labs.bundle(found.report),),
            manifest=labs.manifest(found.report),
            regions=(),
            reading=_no_picture(found.report),
            view=None,
            kind=kind,
            labs=found.report,
        )

    def _values(self, lease: Lease, position: int, outcome: _PageCleaned) -> dict[str, Any]:
        """Return the row of an item."""
        view = outcome.view
        dataset = view.dataset if view is not None else None
        series = str(dataset.get("SeriesInstanceUID", "")) if dataset is not None else ""
        regions = [
            {
                "boxes": [[box.x, box.y, box.w, box.h] for box in one.boxes],
                "verdict": one.verdict.value,
                "rule": one.rule,
                "confidence": round(float(one.confidence), 3),
                "frames": [int(number) for number in one.frames],
            }
            for one in outcome.regions[:_MOST_REGIONS]
        ]
        removed, changed = self._items.counts(json.loads(outcome.manifest))
        modality = view.modality[:16] if view is not None else ""
        if outcome.labs is not None:
            modality = labs.MODALITY
        return {
            "series": self._secrets.code("series", lease.submission, series) if series else "",
            "modality": modality if modality.isalnum() else "",
            "frames": view.frames if view is not None else 0,
            "number": number_of(dataset),
            "masks": sum(one["verdict"] == Verdict.MASK.value for one in regions),
            "removed": removed,
            "changed": changed,
            "regions": self._items.seal_regions(lease.person, lease.submission, position, regions),
            "reading": "done",
        }


def _no_picture(report: "LabReport") -> Reading:
    """Return the reading of a file that is lab results: there is no picture in it."""
    digest = blake3(labs.bundle(report)).hexdigest()
    nothing = KindAnswer(
        kind=None, by_header=None, by_pixels=None, distance=float("inf"), why="lab results"
    )
    return Reading(source=digest, software=__version__, kind=nothing)


def _picture(outcome: _PageCleaned) -> Any:
    """Return the picture that was read, to know copies by; None when there is none."""
    from safelight.errors import SafelightError  # noqa: PLC0415  # beside its one use

    view = outcome.view
    try:
        return view.picture(0) if view is not None and view.frames else None
    except SafelightError:
        return None
