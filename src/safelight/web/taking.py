"""From a parcel to a submission: pieces are put together, archives opened, nothing in clear.

A parcel that was sent is taken by one worker at a time. Killed anywhere, the next one begins anew:
what had not become a submission is dropped first, what had is noticed.
"""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, BinaryIO, Final, cast

from sqlalchemy import Row, insert, select

from safelight.dicomio.limits import Limits
from safelight.errors import (
    ArchiveError,
    ConsentDeniedError,
    ErasedError,
    QuarantineError,
    SafelightError,
    StoreBusyError,
    StoreError,
    StoreFullError,
)
from safelight.intake.archives import Reader
from safelight.intake.kinds import HEAD_BYTES, sniff
from safelight.intake.sources import MEMBER_MARK
from safelight.intake.tars import TarReader
from safelight.intake.zips import ZipReader
from safelight.pipeline import submissions as rows
from safelight.pipeline.parcels import PIECE, drop_files, piece_name
from safelight.pipeline.submit import Incoming, Submitted, take_in
from safelight.store.faults import reach
from safelight.store.schema.vault import objects
from safelight.store.schema.web import looks, parcels
from safelight.types import Kind
from safelight.web.desk import Desk
from safelight.web.parcels import Parcels

__all__ = ["Sealed", "Taking"]

_ARCHIVES: Final = frozenset({Kind.ZIP, Kind.TAR})
_TRIES: Final = 5
_BUFFER: Final = 1 << 16


class Sealed(io.RawIOBase):
    """A file whose pieces lie encrypted in the vault, readable at any place.

    Args:
        sizes: Length of each piece.
        piece: Returns one piece, decrypted.
    """

    def __init__(self, sizes: Sequence[int], piece: Callable[[int], bytes]) -> None:
        super().__init__()
        self._starts = [0]
        for size in sizes:
            self._starts.append(self._starts[-1] + size)
        self._piece = piece
        self._at = 0
        self._held: tuple[int, bytes] = (-1, b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read from one piece at the most."""
        if self._at >= self._starts[-1]:
            return 0
        number = self._number()
        if self._held[0] != number:
            self._held = (number, self._piece(number))
        start = self._at - self._starts[number]
        data = self._held[1][start : start + len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _number(self) -> int:
        """Return the piece that holds the place."""
        low, high = 0, len(self._starts) - 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._starts[middle] <= self._at else (low, middle)
        return low


class Taking:
    """Makes submissions of parcels.

    Args:
        desk: The house and its options.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.house.store
        self._vault = desk.house.vault
        self._custody = desk.house.custody
        self._parcels = Parcels(desk)

    def run(self) -> int:
        """Take every parcel that was sent and that nobody else is at; return how many."""
        found = select(parcels.c.id).where(parcels.c.state == "sent").order_by(parcels.c.id)
        with self._store.read() as conn:
            waiting = list(conn.execute(found).scalars())
        count = 0
        for parcel in waiting:
            try:
                with self._store.lock(f"parcel-{parcel}", wait=0):
                    count += self._one(parcel)
            except StoreBusyError:
                continue  # another worker is at it
        return count

    def _one(self, parcel: str) -> int:
        row = self._parcels.row(parcel)
        if row is None or row.state != "sent":
            return 0
        with self._store.read() as conn:
            state = rows.state_of(conn, parcel)
        if state in rows.OPEN:  # it was received, and then the power went
            self._done(row, None)
            return 1
        try:
            told = take_in(
                self._vault,
                self._incoming(row),
                submission=parcel,
                person=row.person,
                use=(row.purpose, row.policy),
                until=self._store.clock.now() + timedelta(hours=self._desk.options.keep_hours),
                witness=self._desk.house.witness,
            )
        except (StoreBusyError, StoreFullError):
            self._parcels.note(parcel, tries=row.tries + 1)
            return 0
        except (ConsentDeniedError, ErasedError, StoreError, QuarantineError) as error:
            self._failed(row, error)
            return 1
        reach("parcel.taken")
        self._done(row, told)
        return 1

    def _done(self, row: Row[Any], told: Submitted | None) -> None:
        """Note what became of a parcel; its pieces go."""
        submission = told.submission if told else row.id
        skipped = [
            {"label": label, "reason": p.reason, "what": p.what, "todo": p.todo}
            for label, p in (told.skipped if told else ())
        ]
        now = self._store.clock.now()
        with self._store.begin() as conn:
            if submission == row.id:
                known = select(looks.c.submission).where(looks.c.submission == row.id)
                if not conn.execute(known).first():
                    until = now + timedelta(hours=self._desk.options.keep_hours)
                    values = {"submission": row.id, "person": row.person, "approved_by": ""}
                    conn.execute(insert(looks).values(**values, before_until=until))
            conn.execute(
                parcels.update()
                .where(parcels.c.id == row.id)
                .values(
                    state="done",
                    submission=submission,
                    files=told.files if told else row.files,
                    known=told.known if told else 0,
                    skipped=self._parcels.seal_skipped(row.person, row.id, skipped),
                    changed=now,
                )
            )
            reach("parcel.done-writing")
        reach("parcel.done")
        self._drop(row)

    def _failed(self, row: Row[Any], error: SafelightError) -> None:
        self._parcels.note(
            row.id, state="failed", reason=error.code, what=error.what[:400], todo=error.todo[:400]
        )
        self._drop(row)

    def _drop(self, row: Row[Any]) -> None:
        drop_files(self._vault, row.id)
        with self._store.begin() as conn:
            self._custody.lineage.removed(conn, row.person, "parcel", row.id)

    def sweep(self) -> None:
        """Drop pieces of parcels that ended while nobody could drop them."""
        over = select(parcels).where(parcels.c.state.in_(("done", "failed")))
        with self._store.read() as conn:
            left = conn.execute(over).all()
        for row in left:
            if self._parcels.files(row.id):
                self._drop(row)
        for parcel in self._parcels.stale():
            self._parcels.cancel(parcel)

    # Files

    def _incoming(self, row: Row[Any]) -> Iterator[Incoming]:
        """Yield the files of a parcel by their names; archives are opened."""
        limits = Limits()
        named = [(self._parcels.label(upload), upload) for upload in self._parcels.files(row.id)]
        for label, upload in sorted(named, key=lambda each: (_natural(each[0]), each[1].id)):
            file = self.file(upload)
            head = file.read(HEAD_BYTES)
            file.seek(0)
            kind = sniff(head, name=label.rpartition("/")[2], size=upload.received)
            if kind in _ARCHIVES:
                yield from _members(label, file, kind, limits)
            else:
                yield Incoming(relative=label, open=partial(_whole, kind, file))

    def file(self, upload: Row[Any]) -> BinaryIO:
        """Return a file on its way in, readable at any place."""
        names = [piece_name(upload.id, number) for number in range(upload.pieces)]
        found = select(objects.c.object, objects.c.bytes).where(
            objects.c.person == upload.person,
            objects.c.kind == PIECE,
            objects.c.object.startswith(f"{upload.id}-"),
        )
        with self._store.read() as conn:
            sizes: dict[str, int] = {row[0]: row[1] for row in conn.execute(found)}

        def piece(number: int) -> bytes:
            return b"".join(self._vault.get(upload.person, PIECE, names[number]))

        raw = Sealed([sizes[name] for name in names], piece)
        return cast("BinaryIO", io.BufferedReader(raw, _BUFFER))


def _natural(label: str) -> list[tuple[int, str]]:
    """Return what puts IM2 before IM10."""
    return [
        (len(part.lstrip("0")), part.lstrip("0")) if at % 2 else (-1, part)
        for at, part in enumerate(re.split(r"([0-9]+)", label.casefold()))
    ]


def _whole(kind: Kind, file: BinaryIO) -> tuple[Kind, Iterator[bytes]]:
    return kind, iter(partial(file.read, 1 << 20), b"")


def _members(label: str, file: BinaryIO, kind: Kind, limits: Limits) -> Iterator[Incoming]:
    """Yield the members of an archive; one that cannot be read says so when it is opened."""
    reader: Reader
    try:
        reader = ZipReader(file, limits) if kind is Kind.ZIP else TarReader(file, limits)
    except QuarantineError as error:
        yield Incoming(relative=label, open=partial(_refuse, error))
        return
    for number, member in enumerate(reader.members):
        name = f"{label}{MEMBER_MARK}{member.name}"
        if member.error is not None:
            yield Incoming(relative=name, open=partial(_refuse, member.error))
        else:
            yield Incoming(relative=name, open=partial(_member, reader, number, name))


def _member(reader: Reader, number: int, name: str) -> tuple[Kind, Iterator[bytes]]:
    """Return one member of an archive.

    Raises:
        ArchiveError: It is an archive itself, damaged, or not safe.
    """
    data = reader.read(number)
    kind = sniff(data[:HEAD_BYTES], name=name.rpartition("/")[2], size=len(data))
    if kind in _ARCHIVES:
        raise ArchiveError("an archive inside an archive is not opened")
    return kind, iter((data,))


def _refuse(error: SafelightError) -> tuple[Kind, Iterator[bytes]]:
    raise error
