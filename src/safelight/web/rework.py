"""What people decide about a submission: other masks, approval, sending back.

A file whose masks were edited is de-identified again from its original, by the same engine and with
the same checks; nothing is drawn over by the page itself.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from safelight.pipeline.submissions import object_name
from safelight.pipeline.work import DEIDENTIFIED
from safelight.store.ids import new_id
from safelight.store.schema.submissions import items, submissions
from safelight.store.schema.web import items_seen, looks, mask_edits
from safelight.vault.originals import Originals
from safelight.web.changes import around
from safelight.web.desk import Desk
from safelight.web.items import Items
from safelight.web.labs import LABS
from safelight.web.parcels import ConflictError
from safelight.web.turning import AFTER, BEFORE

__all__ = ["SENT_BACK", "EditedBox", "Rework"]

EditedBox = tuple[int, int, int, int, tuple[int, ...]]
SENT_BACK: Final = "sent-back"
_MOST_EDITS: Final = 1_000


class Rework:
    """Decisions on the submissions of one desk.

    Args:
        desk: The house and its options.
        seen: What is known of items.
    """

    def __init__(self, desk: Desk, seen: Items) -> None:
        self._store = desk.house.store
        self._vault = desk.house.vault
        self._custody = desk.house.custody
        self._witness = desk.house.witness
        self._items = seen
        self._originals = Originals(desk.house.vault)

    def edit(  # one edit, by name
        self,
        row: Row[Any],
        n: int,
        boxes: Sequence[EditedBox],
        remove: Sequence[str],
        *,
        series: bool,
        actor: str,
    ) -> None:
        """Add masks or take some off, and let the files concerned be worked on again.

        Args:
            row: Of the submission.
            n: The file that was looked at.
            boxes: x, y, w, h and frames of masks to add.
            remove: Ids of masks to take off, from the page of this file.
            series: Do the same to every file of its series.
            actor: Code of whoever does it.

        Raises:
            ConflictError: The submission is being worked on, a mask is not known, or the original
                is no longer there.
        """
        seen = self._items.seen(row.id)
        mine = seen.get(n)
        chosen = [n]
        if series and mine is not None and mine.series:
            chosen = sorted(at for at, each in seen.items() if each.series == mine.series)
        spared, dropped = self._named(row.id, n, mine, remove)
        kept = self._items.kept(row.id, row.person)
        if any(object_name(row.id, at) not in kept for at in chosen):
            raise ConflictError(
                "the original is no longer there, so it cannot be worked on again",
                todo="hand the file in again and mask it while you can still see how it was",
            )
        with self._store.begin() as conn:
            self._witness.allowed(conn, row.person, (row.purpose, row.policy))
            self._not_working(conn, row.id)
            conn.execute(delete(mask_edits).where(mask_edits.c.id.in_(dropped)))
            self._add(conn, row, chosen, [*((b, False) for b in boxes), *spared], actor)
            self._again(conn, row, chosen)
        self._vault.shelf.purge()

    def _named(
        self, submission: str, n: int, seen: Row[Any] | None, names: Sequence[str]
    ) -> tuple[list[tuple[EditedBox, bool]], list[str]]:
        """Return the masks that are taken off: found ones to spare, and edits to drop.

        Raises:
            ConflictError: One is not known.
        """
        found = self._items.regions(seen)
        edits = {row.id: row for row in self._items.edits(submission) if row.position == n}
        spared: list[tuple[EditedBox, bool]] = []
        dropped: list[str] = []
        for name in names:
            if name in edits:
                dropped.append(name)
            elif name[:1] == "r" and name[1:].isdecimal() and int(name[1:]) < len(found):
                one = found[int(name[1:])]
                spared.append(((*around(one["boxes"]), tuple(one["frames"])), True))
            else:
                raise ConflictError("there is no such mask here")
        return spared, dropped

    @staticmethod
    def _not_working(conn: Connection, submission: str) -> None:
        found = select(submissions.c.state).where(submissions.c.id == submission)
        if conn.execute(found).scalar() == "working":
            raise ConflictError("it is being worked on just now", todo="try again in a moment")

    def _add(
        self,
        conn: Connection,
        row: Row[Any],
        chosen: Sequence[int],
        boxes: Sequence[tuple[EditedBox, bool]],
        actor: str,
    ) -> None:
        now = self._store.clock.now()
        values = [
            {
                "id": new_id(),
                "submission": row.id,
                "position": at,
                "person": row.person,
                "spare": spare,
                **dict(zip("xywh", box[:4], strict=True)),
                "frames": json.dumps(list(box[4]))[:2000],
                "made_by": actor,
                "made": now,
            }
            for at in chosen
            for box, spare in boxes
        ]
        if len(values) > _MOST_EDITS * max(1, len(chosen)):
            raise ConflictError("these are too many masks at once")
        if values:
            conn.execute(insert(mask_edits), values)

    def _again(self, conn: Connection, row: Row[Any], chosen: Sequence[int]) -> None:
        """Let files be worked on again; what was made of them before goes now."""
        submission = row.id
        blank = dict.fromkeys(("reason", "what", "place", "todo"), "")
        for at in chosen:
            this = (items.c.submission == submission, items.c.position == at)
            conn.execute(update(items).where(*this).values(state="waiting", **blank))
            self._drop_made(conn, row, at)
        values = {"state": "waiting", "attempts": 0, "changed": self._store.clock.now()}
        conn.execute(update(submissions).where(submissions.c.id == submission).values(**values))

    def approve(self, row: Row[Any], actor: str) -> None:
        """Say that a submission is right; originals of what is through go now."""
        now = self._store.clock.now()
        with self._store.begin() as conn:
            self._not_working(conn, row.id)
            done = [
                object_name(row.id, each.position)
                for each in conn.execute(
                    select(items.c.position).where(
                        items.c.submission == row.id, items.c.state == "done"
                    )
                ).all()
            ]
            values = {"approved": now, "approved_by": actor, "before_until": None}
            change = update(looks).where(looks.c.submission == row.id).values(**values)
            if not conn.execute(change).rowcount:
                named = {"submission": row.id, "person": row.person}
                conn.execute(insert(looks).values(**named, **values))
            self._originals.release(conn, row.person, *done)
            self._vault.shelf.release(conn, row.person, BEFORE, *done)
            for name in done:
                for kind in ("original", BEFORE):
                    self._custody.lineage.removed(conn, row.person, kind, name)
        self._originals.purge()

    def send_back(self, row: Row[Any], chosen: Sequence[int], actor: str) -> None:
        """Send files to review: what was made of them goes, and nobody reads it.

        Raises:
            ConflictError: None of them is through.
        """
        del actor  # whoever does it stands in the log of accesses
        with self._store.begin() as conn:
            self._not_working(conn, row.id)
            found = select(items.c.position).where(
                items.c.submission == row.id, items.c.state == "done"
            )
            there = set(conn.execute(found).scalars())
            going = sorted(there.intersection(chosen) if chosen else there)
            if not going:
                raise ConflictError("there is no such file that is through")
            for at in going:
                self._take_back(conn, row, at)
        self._vault.shelf.purge()

    def _take_back(self, conn: Connection, row: Row[Any], at: int) -> None:
        this = (items.c.submission == row.id, items.c.position == at)
        conn.execute(
            update(items)
            .where(*this)
            .values(
                state="review",
                reason=SENT_BACK,
                what="the person says that something can still be seen in it",
                todo="look at it; mask it by hand, or leave it out",
            )
        )
        self._drop_made(conn, row, at)

    def _drop_made(self, conn: Connection, row: Row[Any], at: int) -> None:
        """Let go what was made of a file."""
        name = object_name(row.id, at)
        for kind in (DEIDENTIFIED, "reading", LABS, BEFORE, AFTER):
            self._vault.shelf.release(conn, row.person, kind, name)
            self._custody.lineage.removed(conn, row.person, kind, name)
        mine = (items_seen.c.submission == row.id, items_seen.c.position == at)
        conn.execute(update(items_seen).where(*mine).values(reading="none"))

    def reject(self, row: Row[Any], n: int) -> None:
        """Leave a file that waits for review out for good: its original goes.

        Raises:
            ConflictError: It does not wait for review, nor lie in quarantine.
        """
        with self._store.begin() as conn:
            self._not_working(conn, row.id)
            this = (items.c.submission == row.id, items.c.position == n)
            state = conn.execute(select(items.c.state).where(*this)).scalar()
            if state not in ("review", "quarantine"):
                raise ConflictError("it does not wait for a decision")
            values = {
                "state": "quarantine",
                "reason": "rejected",
                "what": "a steward looked at it and left it out",
                "todo": "",
            }
            conn.execute(update(items).where(*this).values(**values))
            name = object_name(row.id, n)
            self._originals.release(conn, row.person, name)
            self._custody.lineage.removed(conn, row.person, "original", name)
        self._originals.purge()
