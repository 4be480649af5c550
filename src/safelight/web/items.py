"""What the page knows of submissions and their files: rows, manifests, what was found in pixels."""

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row, func, select

from safelight.errors import SafelightError
from safelight.pipeline.submissions import object_name
from safelight.pipeline.work import DEIDENTIFIED
from safelight.store.schema.submissions import items, submissions
from safelight.store.schema.vault import objects
from safelight.store.schema.web import items_seen, looks, mask_edits
from safelight.types import Kind
from safelight.web.desk import Desk
from safelight.web.models import ItemRow, Problem, SubmissionRow

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

__all__ = ["Items", "number_of"]

_LARGEST: Final = 2**31 - 1  # of an Integer String (PS3.5 table 6.2-1), and of the column
_REGIONS: Final = "web-regions"
_GONE: Final = frozenset({"remove", "empty"})


class Items:
    """The submissions and items of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._store = desk.house.store
        self._vault = desk.house.vault

    # Submissions

    def listed(
        self, people: Sequence[str] | None, *, limit: int = 100, before: str = ""
    ) -> list[SubmissionRow]:
        """Return submissions, the newest first; of these people, or of all for None."""
        found = select(submissions).where(submissions.c.state != "arriving")
        if people is not None:
            found = found.where(submissions.c.person.in_(people))
        if before:
            found = found.where(submissions.c.id < before)
        with self._store.read() as conn:
            rows = conn.execute(found.order_by(submissions.c.id.desc()).limit(limit)).all()
            counted = select(items.c.submission, items.c.state, func.count())
            mine = counted.where(items.c.submission.in_([row.id for row in rows]))
            counts: dict[str, dict[str, int]] = {}
            for each in conn.execute(mine.group_by(items.c.submission, items.c.state)):
                counts.setdefault(each[0], {})[each[1]] = each[2]
        return [
            SubmissionRow(
                id=row.id,
                person=row.person,
                state=row.state,
                made=row.made,
                items=counts.get(row.id, {}),
            )
            for row in rows
        ]

    def look(self, submission: str) -> Row[Any] | None:
        """Return what was said of a submission as a whole; None when nothing was."""
        with self._store.read() as conn:
            return conn.execute(select(looks).where(looks.c.submission == submission)).first()

    def before_until(self, submission: str) -> datetime | None:
        """Return until when its owner can see how it was; None when they no longer can."""
        row = self.look(submission)
        if row is None or row.before_until is None:
            return None
        return row.before_until if row.before_until > self._store.clock.now() else None

    # Items

    def rows(self, submission: str) -> list[Row[Any]]:
        """Return the files of a submission, without manifests."""
        chosen = [column for column in items.c if column.name != "manifest"]
        found = select(*chosen).where(items.c.submission == submission).order_by(items.c.position)
        with self._store.read() as conn:
            return list(conn.execute(found).all())

    @staticmethod
    def ordered(files: Sequence[Row[Any]], seen: Mapping[int, Row[Any]]) -> list[Row[Any]]:
        """Return files as a person goes through them: a series in one piece, by its numbers.

        Args:
            files: From ``rows``.
            seen: From ``seen``.
        """
        first: dict[str, int] = {}
        for row in files:
            more = seen.get(row.position)
            if more is not None and more.series:
                first.setdefault(more.series, row.position)

        def place(row: Row[Any]) -> tuple[int, int, int]:
            more = seen.get(row.position)
            if more is None or not more.series:
                return row.position, 0, row.position
            number = _LARGEST if more.number is None else more.number
            return first[more.series], number, row.position

        return sorted(files, key=place)

    def row(self, submission: str, n: int) -> Row[Any] | None:
        """Return one file of a submission, with its manifest."""
        found = select(items).where(items.c.submission == submission, items.c.position == n)
        with self._store.read() as conn:
            return conn.execute(found).first()

    def seen(self, submission: str) -> dict[int, Row[Any]]:
        """Return what was gathered of the items, by position."""
        found = select(items_seen).where(items_seen.c.submission == submission)
        with self._store.read() as conn:
            return {row.position: row for row in conn.execute(found).all()}

    def edits(self, submission: str) -> list[Row[Any]]:
        """Return the masks that people added or took off, oldest first."""
        found = select(mask_edits).where(mask_edits.c.submission == submission)
        with self._store.read() as conn:
            return list(conn.execute(found.order_by(mask_edits.c.id)).all())

    def kept(self, submission: str, person: str) -> frozenset[str]:
        """Return the names of the originals of a submission that are still there."""
        found = select(objects.c.object).where(
            objects.c.person == person,
            objects.c.kind == "original",
            objects.c.object.startswith(f"{submission}-"),
            objects.c.state == "whole",
        )
        with self._store.read() as conn:
            return frozenset(conn.execute(found).scalars())

    def view(
        self,
        row: Row[Any],
        seen: Mapping[int, Row[Any]],
        *,
        mine: bool,
        kept: frozenset[str] = frozenset(),
    ) -> ItemRow:
        """Return one file as the page shows it.

        Args:
            row: Its row.
            seen: From ``seen``.
            mine: The one who looks is the owner: they see the path and how it was.
            kept: From ``kept``.
        """
        more = seen.get(row.position)
        label, problem = "", None
        if mine:
            label = self.label(row)
        if row.state in ("review", "quarantine"):
            problem = Problem(code=row.reason, what=row.what, place=row.place, todo=row.todo)
        numbers = {
            name: getattr(more, name) if more is not None else 0
            for name in ("frames", "masks", "removed", "changed")
        }
        return ItemRow(
            n=row.position,
            state=row.state,
            kind=row.kind,
            bytes=row.bytes,
            label=label,
            series=more.series if more is not None else "",
            modality=more.modality if more is not None else "",
            before=mine and object_name(row.submission, row.position) in kept,
            reading=more.reading if more is not None else "none",
            problem=problem,
            **numbers,
        )

    def label(self, row: Row[Any]) -> str:
        """Return the path a file was handed in under; empty when it cannot be opened."""
        name = object_name(row.submission, row.position)
        try:
            opened = self._vault.open_small(row.person, "label", name, row.label)
        except SafelightError:
            return ""
        return opened.decode("utf-8", "replace")

    # What was done

    def manifest(self, row: Row[Any]) -> dict[str, Any]:
        """Return what was done to a file; empty when it is not through."""
        if row.manifest is None:
            return {}
        name = object_name(row.submission, row.position)
        opened = self._vault.open_small(row.person, "manifest", name, row.manifest)
        return dict(json.loads(zlib.decompress(opened)))

    def counts(self, manifest: Mapping[str, Any]) -> tuple[int, int]:
        """Return how many places went, and how many were changed."""
        told = Counter(action in _GONE for _, _, action, _ in manifest.get("actions", ()))
        return told[True], told[False]

    def regions(self, seen: Row[Any] | None) -> list[dict[str, Any]]:
        """Return what was found in the pixels of a file."""
        if seen is None or seen.regions is None:
            return []
        name = object_name(seen.submission, seen.position)
        return list(json.loads(self._vault.open_small(seen.person, _REGIONS, name, seen.regions)))

    def seal_regions(
        self, person: str, submission: str, n: int, told: Sequence[Mapping[str, Any]]
    ) -> bytes:
        """Return what was found in the pixels, as it stands in the row."""
        name = object_name(submission, n)
        return self._vault.seal_small(person, _REGIONS, name, json.dumps(list(told)).encode())

    def data(self, row: Row[Any]) -> bytes:
        """Return the de-identified object of a file.

        Raises:
            StoreError: There is none.
        """
        return b"".join(self.stream(row))

    def stream(self, row: Row[Any]) -> Iterator[bytes]:
        """Yield the de-identified object of a file; see ``data``."""
        name = object_name(row.submission, row.position)
        return self._vault.get(row.person, DEIDENTIFIED, name)

    @staticmethod
    def kind(row: Row[Any]) -> Kind:
        """Return what a file is."""
        return Kind(row.kind)


def number_of(dataset: "Dataset | None") -> int | None:
    """Return the number of an image in its series (0020,0013); None where there is none."""
    try:
        number = int(dataset.get("InstanceNumber", "")) if dataset is not None else None
    except (TypeError, ValueError):
        return None
    return number if number is not None and abs(number) <= _LARGEST else None
