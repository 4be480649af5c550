"""Parcels: files on their way in, encrypted piece by piece, before they are a submission.

A file arrives in pieces of a fixed size. Each is encrypted under the person's key, stored, and
recorded in one transaction with how far the file is: what a sender was told is here, is here, also
after a power cut. No byte of a file is ever written in clear.
"""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from safelight.consent.decision import Said
from safelight.errors import LimitExceededError, SafelightError, StoreError
from safelight.pipeline.parcels import PIECE, drop_files, piece_name
from safelight.store.faults import reach
from safelight.store.ids import new_id
from safelight.store.schema.web import parcels, uploads
from safelight.web.desk import Desk

__all__ = ["ConflictError", "Parcels"]

_LABEL: Final = "upload-label"
_SKIPPED: Final = "parcel-skipped"
_MOST_FILES: Final = 100_000
_MOST_LABEL: Final = 1_000
_STALE: Final = timedelta(days=2)  # after which a parcel that nobody sent is thrown away


class ConflictError(SafelightError):
    """What is asked for does not fit what is there."""

    code = "conflict"
    default_kept = "nothing was changed"
    default_todo = "ask how far it is, and go on from there"


class Parcels:
    """The parcels of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.house.store
        self._vault = desk.house.vault
        self._custody = desk.house.custody

    # A parcel

    def open(  # the fields of one parcel, by name
        self,
        *,
        account: str,
        actor: str,
        person: str,
        policy: str,
        agreed: Iterable[str],
        purpose: str = "care",
    ) -> str:
        """Record what the person agrees to, and open a parcel for it; return its id.

        Args:
            account: Who sends.
            actor: Their code.
            person: Whose the files are; empty for somebody new.
            policy: Hash of the policy that was seen.
            agreed: Purposes that are agreed to, ``purpose`` among them unless it was before.
            purpose: What the files are handed in for.

        Raises:
            ConsentDeniedError: The person does not agree to the purpose.
            ConsentError: There is no such person, policy or purpose.
        """
        made = new_id()
        now = self._store.clock.now()
        consents = self._custody.consents
        with self._store.begin() as conn:
            fresh = not person
            person = person or self._vault.create_person(conn)
            for name in sorted(set(agreed)):
                if not consents.may(conn, person, name, policy).allowed:
                    consents.record(
                        conn,
                        person=person,
                        purpose=name,
                        said=Said.GRANT,
                        actor=actor,
                        policy=policy,
                        method="web",
                    )
            yes = consents.require(conn, person, purpose, policy)
            self._custody.lineage.record(
                conn,
                person=person,
                kind="parcel",
                name=made,
                purpose=yes.purpose,
                policy=policy,
                decision=yes,
            )
            values: dict[str, Any] = dict.fromkeys(("submission", "reason", "what", "todo"), "")
            values |= {"id": made, "account": account, "person": person, "state": "open"}
            values |= {"purpose": yes.purpose, "policy": policy, "fresh": fresh}
            numbers = dict.fromkeys(("files", "known", "tries"), 0)
            conn.execute(insert(parcels).values(**values, **numbers, made=now, changed=now))
            reach("parcel.opening")
        reach("parcel.opened")
        return made

    def row(self, parcel: str) -> Row[Any] | None:
        """Return a parcel; None when there is none."""
        with self._store.read() as conn:
            return conn.execute(select(parcels).where(parcels.c.id == parcel)).first()

    def listed(self, account: str, limit: int = 50) -> list[Row[Any]]:
        """Return the parcels of an account that are not done, the newest first."""
        mine = select(parcels).where(parcels.c.account == account, parcels.c.state != "done")
        with self._store.read() as conn:
            return list(conn.execute(mine.order_by(parcels.c.id.desc()).limit(limit)).all())

    def send(self, parcel: str) -> None:
        """Close a parcel: no more files; a worker makes a submission of it.

        Raises:
            ConflictError: A file is not whole yet, or there is none.
        """
        with self._store.begin() as conn:
            row = self._open_row(conn, parcel)
            if row.state != "open":
                return  # it was sent before
            mine = uploads.c.parcel == parcel
            counts = select(func.count(), func.count().filter(uploads.c.whole)).where(mine)
            count, whole = conn.execute(counts).one()
            if not count:
                raise ConflictError("there is no file in it yet", todo="add a file first")
            if whole != count:
                raise ConflictError("a file is not here in full yet")
            self._note(conn, parcel, state="sent", files=count)
            reach("parcel.sending")
        reach("parcel.sent")

    def _note(self, conn: Connection, parcel: str, **values: Any) -> None:
        change = update(parcels).where(parcels.c.id == parcel)
        conn.execute(change.values(changed=self._store.clock.now(), **values))

    def note(self, parcel: str, **values: Any) -> None:
        """Change a parcel's columns in a transaction of its own."""
        with self._store.begin() as conn:
            self._note(conn, parcel, **values)

    @staticmethod
    def _open_row(conn: Connection, parcel: str) -> Row[Any]:
        row = conn.execute(select(parcels).where(parcels.c.id == parcel)).first()
        if row is None:
            raise StoreError("there is no such parcel", kept="nothing was changed")
        return row

    # Files

    def begin_file(self, parcel: str, label: str, length: int | None) -> str:
        """Announce a file of a parcel; return the id of its upload.

        Raises:
            ConflictError: The parcel takes no more files.
            LimitExceededError: The file, or the parcel with it, would be too large.
        """
        options = self._desk.options
        if length is not None and not 0 <= length <= options.most_bytes:
            raise LimitExceededError(f"a file has at most {options.most_bytes} bytes")
        made = new_id()
        now = self._store.clock.now()
        with self._store.begin() as conn:
            row = self._open_row(conn, parcel)
            if row.state != "open":
                raise ConflictError("this parcel was sent, and takes no more files")
            mine = uploads.c.parcel == parcel
            sums = select(func.count(), func.coalesce(func.sum(uploads.c.received), 0))
            count, size = conn.execute(sums.where(mine)).one()
            if count >= _MOST_FILES or size + (length or 0) > options.most_parcel:
                raise LimitExceededError("there are too many files, or too large ones, in it")
            sealed = self._vault.seal_small(
                row.person, _LABEL, made, _labelled(label).encode("utf-8", "replace"), conn
            )
            values = {"id": made, "parcel": parcel, "person": row.person, "label": sealed}
            values |= {"length": length, "received": 0, "pieces": 0, "whole": length == 0}
            conn.execute(insert(uploads).values(**values, made=now, changed=now))
        return made

    def upload(self, upload: str) -> Row[Any] | None:
        """Return an upload; None when there is none."""
        with self._store.read() as conn:
            return conn.execute(select(uploads).where(uploads.c.id == upload)).first()

    def files(self, parcel: str) -> list[Row[Any]]:
        """Return the uploads of a parcel, oldest first."""
        found = select(uploads).where(uploads.c.parcel == parcel).order_by(uploads.c.id)
        with self._store.read() as conn:
            return list(conn.execute(found).all())

    def label(self, row: Row[Any]) -> str:
        """Return what the sender named a file."""
        return self._vault.open_small(row.person, _LABEL, row.id, row.label).decode()

    def add_piece(self, upload: str, offset: int, data: bytes, *, last: bool) -> int:
        """Store one piece of a file; return how far the file is then.

        Args:
            upload: Id of the upload.
            offset: Where the piece begins; must be how far the file is.
            data: The piece; all but the last one are of one size.
            last: The file ends with it.

        Raises:
            ConflictError: The file is elsewhere, or the parcel was sent.
            LimitExceededError: The file is too large.
        """
        row = self.upload(upload)
        if row is None:
            raise StoreError("there is no such upload", kept="nothing was changed")
        total = offset + len(data)
        if total > self._desk.options.most_bytes or (row.length or total) < total:
            raise LimitExceededError("the file is longer than announced, or than a file may be")
        stored = []
        if data:
            name = piece_name(upload, row.pieces)
            stored.append(self._vault.write(row.person, PIECE, name, [data]))
        reach("parcel.piece-stored")
        try:
            with self._store.begin() as conn:
                again = (
                    uploads.c.id == upload,
                    uploads.c.received == offset,
                    uploads.c.pieces == row.pieces,
                    uploads.c.whole.is_(False),
                )
                values = {"received": total, "pieces": row.pieces + len(stored)}
                values |= {"whole": last or total == row.length}
                if last:
                    values["length"] = total
                now = self._store.clock.now()
                change = update(uploads).where(*again).values(**values, changed=now)
                self._hold(conn.execute(change).rowcount == 1, row.parcel, conn)
                self._vault.record(conn, stored)
                reach("parcel.piece-recording")
        except BaseException:
            for each in stored:
                self._vault.discard(each)
            raise
        reach("parcel.piece-recorded")
        return total

    def _hold(self, changed: bool, parcel: str, conn: Connection) -> None:  # noqa: FBT001  # what a statement did
        """Refuse a piece that does not go on where the file stands, or comes too late.

        Raises:
            ConflictError: It does, or it did.
        """
        if not changed:
            raise ConflictError("the file is not that far, or further")
        if self._open_row(conn, parcel).state != "open":
            raise ConflictError("this parcel was sent, and takes no more files")

    # Away

    def skipped(self, row: Row[Any]) -> list[dict[str, str]]:
        """Return what was not taken in: label and problem of each."""
        if not row.skipped or self._vault.person_exists_or_erased(row.person) != "active":
            return []
        opened = self._vault.open_small(row.person, _SKIPPED, row.id, row.skipped)
        return list(json.loads(opened))

    def seal_skipped(self, person: str, parcel: str, told: list[dict[str, str]]) -> bytes:
        """Return what was not taken in, as it stands in the row."""
        return self._vault.seal_small(person, _SKIPPED, parcel, json.dumps(told).encode())

    def drop(self, parcel: str) -> None:
        """Throw the files of a parcel away; may be repeated."""
        drop_files(self._vault, parcel)

    def cancel(self, parcel: str) -> None:
        """Throw a parcel away that was not sent; a person made for it goes too."""
        row = self.row(parcel)
        if row is None or row.state not in ("open", "failed"):
            raise ConflictError("it was sent; withdraw instead")
        self.drop(parcel)
        with self._store.begin() as conn:
            self._custody.lineage.removed(conn, row.person, "parcel", parcel)
            conn.execute(delete(parcels).where(parcels.c.id == parcel))

    def stale(self) -> list[str]:
        """Return parcels that were opened long ago and never sent."""
        before = self._store.clock.now() - _STALE
        found = select(parcels.c.id).where(parcels.c.changed < before, parcels.c.state == "open")
        fresh = select(uploads.c.parcel).where(uploads.c.changed >= before)
        with self._store.read() as conn:
            return list(conn.execute(found.where(parcels.c.id.not_in(fresh))).scalars())


def _labelled(label: str) -> str:
    """Return a label as it is kept: short, and never empty."""
    return label.replace("\0", "").strip()[:_MOST_LABEL] or "unnamed"
