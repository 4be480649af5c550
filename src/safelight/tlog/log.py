"""The transparency log: entries in, checkpoints and proofs out.

One sequencer: entries are added inside of the store's write transaction, and the store lets one
writer in at a time (``BEGIN IMMEDIATE`` on SQLite, an advisory lock on PostgreSQL).
"""

import base64
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, select

from safelight.errors import LogError
from safelight.store import Store, faults
from safelight.store.schema.tlog import checkpoints
from safelight.tlog import nodes
from safelight.tlog.check import Verified, check
from safelight.tlog.checkpoint import Checkpoint, check_key
from safelight.tlog.commitment import Leaf, document, salt_of
from safelight.tlog.note import Note, Signature, VerifierKey
from safelight.tlog.outside import Outside
from safelight.tlog.signer import Signer
from safelight.tlog.tree import (
    EMPTY_ROOT,
    Grower,
    consistency_spans,
    cover,
    inclusion_spans,
    leaf_hash,
)

__all__ = ["PROOF_FORMAT", "Log"]

PROOF_FORMAT: Final = "c2sp.org/tlog-proof@v1"
_FOLDER: Final = "log"
_BATCH: Final = 4096
_LOCK: Final = "tlog"
_FORKED: Final = "the log does not continue what was signed before"


class Log:
    """The log of one store. Threads may share it.

    When the database holds fewer entries than were signed (it came back from an old backup), the
    missing ones are taken from the copy outside, so that every receipt holds again.

    Args:
        store: Where entries and nodes lie.
        signer: The log's key; its name is the log's origin. A ``VerifierKey`` is enough to add
            entries, prove and verify, and cannot sign.
        outside: Folder for checkpoints and the copy of entries; default ``log`` in the store's
            home.
        witnesses: Keys whose cosignatures checkpoints may bear.
        recover: False: look only, take nothing back.

    Raises:
        LogError: The database lost entries that the copy outside cannot give back, or the key is
            another log's.
    """

    def __init__(
        self,
        store: Store,
        signer: Signer | VerifierKey,
        *,
        outside: str | os.PathLike[str] = "",
        witnesses: Sequence[VerifierKey] = (),
        recover: bool = True,
    ) -> None:
        self.store: Final = store
        self.key: Final = signer.vkey if isinstance(signer, Signer) else signer
        self.witnesses: Final = tuple(witnesses)
        self.outside: Final = Outside(outside or os.path.join(store.home, _FOLDER))
        self._signer: Final = signer if isinstance(signer, Signer) else None
        if recover:
            if note := self.outside.last() or self._last_note():
                check_key(note, self.key)
            self.recover()

    # ---- entries ----

    def append(self, conn: Connection, entries: Sequence[bytes]) -> list[int]:
        """Add entries inside the caller's write transaction; return their indices.

        The indices hold only if the transaction commits.

        Args:
            conn: From ``store.begin()``.
            entries: At most 65,535 bytes each; nothing that identifies anyone.

        Raises:
            LogError: An entry is too long, or the tree in the database is damaged.
        """
        indices = nodes.add(conn, entries)
        faults.reach("tlog.appended")
        return indices

    def commit_to(
        self, conn: Connection, kind: str, fields: Mapping[str, Any], salt: bytes
    ) -> Leaf:
        """Add a commitment to an event inside the caller's write transaction.

        Args:
            conn: From ``store.begin()``.
            kind: Of the event, such as ``consent.granted``.
            fields: The event; opaque codes, hashes and dates.
            salt: The person's salt from the vault; the entry's own is derived from it.

        Returns:
            The opened entry: ``leaf.index``, and all a receipt needs. Keep ``leaf.to_bytes()``
            encrypted under the person's key.

        Raises:
            LogError: The tree in the database is damaged.
            ReceiptError: The fields have no canonical form.
        """
        index = nodes.size_of(conn)
        told = document(kind, self.store.clock.now(), fields)
        leaf = Leaf(index=index, document=told, salt=salt_of(salt, index))
        self.append(conn, [leaf.entry])
        return leaf

    def size(self) -> int:
        """Return the number of entries."""
        with self.store.read() as conn:
            return nodes.size_of(conn)

    # ---- checkpoints ----

    def latest(self) -> Checkpoint | None:
        """Return the newest checkpoint; None before the first.

        Raises:
            LogError: It is damaged.
        """
        note = self._last_note()
        return self._parse(note) if note else None

    def _last_note(self) -> bytes:
        query = select(checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1)
        with self.store.read() as conn:
            return bytes(conn.execute(query).scalar() or b"")

    def bind(self) -> None:
        """Sign the log as it stands, unless it was signed before: from then on it has its key.

        Raises:
            LogError: There is no key here to sign with.
        """
        if not (self.outside.last() or self._last_note()):
            self.checkpoint()

    def checkpoint(self) -> Checkpoint:
        """Sign the log as it stands and keep the checkpoint in both places; once for each size.

        Raises:
            LogError: The log does not continue what was signed before. Nothing is signed.
            OutputError: The files outside cannot be written. Nothing is signed.
        """
        with self.store.lock(_LOCK):
            last = self._last_outside()
            made = self._unsigned(last)
            if last is not None and last.size == made.size:
                made = last
            else:
                if self._signer is None:
                    raise LogError("there is no key here to sign with", todo="give the log's key")
                self._copy_entries(made.size)
                faults.reach("tlog.copied")
                note = str(self._signer.sign(made.text))
                made = Checkpoint(origin=made.origin, size=made.size, root=made.root, note=note)
                self.outside.add_note(note)
                faults.reach("tlog.signed")
            self._keep(made)
            faults.reach("tlog.kept")
        return made

    @property
    def can_sign(self) -> bool:
        """Whether the log's key is here."""
        return self._signer is not None

    def sign(self, text: str) -> str:
        """Return a text as a note that is signed with the log's key; it is not logged by this.

        Args:
            text: Ends in a newline; it must not read as a checkpoint of this log.

        Raises:
            LogError: There is no key here to sign with, or the text could be taken for a
                checkpoint.
        """
        if self._signer is None:
            raise LogError("there is no key here to sign with", todo="give the log's key")
        if not text.endswith("\n") or text.partition("\n")[0].strip() == self.key.name:
            raise LogError("a text that could be a checkpoint is not signed as something else")
        return str(self._signer.sign(text))

    def add_cosignature(self, line: str) -> Checkpoint:
        """Add a witness's signature line to the newest checkpoint.

        Raises:
            LogError: No known witness made it, or it is for another checkpoint.
        """
        with self.store.lock(_LOCK):
            last = self._last_outside()
            if last is None:
                raise LogError("there is no checkpoint to cosign", todo="make one first")
            note = str(Note.parse(last.note).signed_by([Signature.parse(line.strip("\n"))]))
            made = self._parse(note.encode())
            if note != last.note:
                self.outside.add_note(note)
            self._keep(made)
        return made

    def _parse(self, note: bytes) -> Checkpoint:
        return Checkpoint.parse(note, self.key, self.witnesses)

    def _last_outside(self) -> Checkpoint | None:
        note = self.outside.last()
        return self._parse(note) if note else None

    def _unsigned(self, last: Checkpoint | None) -> Checkpoint:
        """Return what is to be signed, after the look back that C2SP asks of a log."""
        with self.store.read() as conn:
            size = nodes.size_of(conn)
            known = last or Checkpoint(origin=self.key.name, size=0, root=EMPTY_ROOT)
            if known.size > size:
                raise LogError(_FORKED, place=f"entry {size}")
            old, root = nodes.hashes_of(conn, [(0, known.size), (0, size)])
        if old != known.root:
            raise LogError(_FORKED, place=f"checkpoint {known.size}")
        return Checkpoint(origin=self.key.name, size=size, root=root)

    def _copy_entries(self, size: int) -> None:
        start = self.outside.count()
        if start > size:
            raise LogError(_FORKED, place=f"entry {size}")
        with self.store.read() as conn:
            self.outside.add_entries(one for _, one in nodes.read_entries(conn, start, size))

    def _keep(self, made: Checkpoint) -> None:
        with self.store.begin() as conn:
            row = {"size": made.size, "note": made.note.encode()}
            conn.execute(checkpoints.delete().where(checkpoints.c.size == made.size))
            conn.execute(checkpoints.insert().values(row))

    # ---- proofs ----

    def inclusion(self, index: int, size: int, conn: Connection | None = None) -> list[bytes]:
        """Return the proof that an entry is in the tree of a size (RFC 9162, 2.1.3).

        Args:
            index: Of the entry.
            size: Of the tree.
            conn: A transaction to read in, for many proofs at once; else one of its own.

        Raises:
            LogError: There is no such entry or no such tree.
        """
        if not 0 <= index < size:
            raise LogError(
                "the tree has no such entry",
                place=f"entry {index} of {size}",
                todo=f"the entries of this tree are numbered from 0 to {size - 1}"
                if size
                else "there is no entry yet",
            )
        spans = [*inclusion_spans(index, size), (index, index + 1)]  # the leaf must be there too
        with nullcontext(conn) if conn is not None else self.store.read() as reading:
            return nodes.hashes_of(reading, spans)[:-1]

    def consistency(self, first: int, second: int) -> list[bytes]:
        """Return the proof that one tree is the beginning of another (RFC 9162, 2.1.4).

        Raises:
            LogError: There are no such trees.
        """
        if not 0 <= first <= second:
            raise LogError("a tree has no such beginning", place=f"{first} of {second}")
        with self.store.read() as conn:
            if second > nodes.size_of(conn):
                raise LogError("the log is not as large yet", place=f"entry {second - 1}")
            return nodes.hashes_of(conn, consistency_spans(first, second))

    def proof(self, index: int, at: Checkpoint | None = None) -> str:
        """Return a C2SP ``tlog-proof``: index, inclusion proof and signed checkpoint, as text.

        Args:
            index: Of the entry.
            at: A checkpoint that covers it; default the newest, signed now when none covers it.

        Raises:
            LogError: There is no such entry, or the log cannot be signed.
        """
        made = at or self.latest()
        if made is None or (at is None and made.size <= index):
            made = self.checkpoint()
        lines = [PROOF_FORMAT, f"index {index}"]
        lines += [base64.b64encode(one).decode() for one in self.inclusion(index, made.size)]
        return "\n".join([*lines, "", made.note])

    # ---- looking back ----

    def verify(self, seen: Sequence[str | bytes] = ()) -> Verified:
        """Hash everything again: entries, nodes, checkpoints in the database and outside.

        Args:
            seen: Checkpoint notes that others hold (a receipt, a witness): the log must still
                agree with each.
        """
        with self.store.lock(_LOCK), self.store.read() as conn:
            return check(conn, self.outside, self._parse, seen)

    def recover(self) -> int:
        """Take entries that were signed for and are gone from the copy outside; return how many.

        Raises:
            LogError: The copy does not lead to what was signed. Nothing is added.
        """
        note = self.outside.last()
        if not note or self._parse(note).size <= self.size():
            return 0
        with self.store.lock(_LOCK):
            last, size = self._parse(note), self.size()
            with self.store.read() as conn:
                peaks = nodes.hashes_of(conn, [_leaves(one) for one in cover((0, size))])
            grower = Grower(size, peaks)
            for some in self._missing(size, last.size):
                grower.grow([leaf_hash(one) for one in some])
            if (grower.size, grower.root()) != (last.size, last.root):
                raise LogError(
                    "the database lost entries of the log, and the copy outside is not them",
                    todo="restore a newer backup of the database or of the log's folder",
                )
            for some in self._missing(size, last.size):
                with self.store.begin() as conn:
                    self.append(conn, some)
            self.outside.cut_entries(last.size)
            self._keep(last)
        return last.size - size

    def _missing(self, start: int, stop: int) -> Iterator[list[bytes]]:
        entries = islice(self.outside.entries(start), stop - start)
        while some := list(islice(entries, _BATCH)):
            yield some


def _leaves(node: tuple[int, int]) -> tuple[int, int]:
    level, index = node
    return index << level, index + 1 << level
