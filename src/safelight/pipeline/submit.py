"""Handing something in: from files on a disk into the encrypted quarantine, whole or not at all.

Nothing is written in clear. The files go into the vault one by one; the transaction that makes the
submission *waiting* is the moment from which it exists. Handing the same files in again is noticed,
and changes nothing.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from safelight.dicomio.limits import Limits
from safelight.errors import QuarantineError, StoreError
from safelight.intake.chunks import chunks
from safelight.intake.sources import Item, expand, walk
from safelight.pipeline import submissions as rows
from safelight.pipeline.problem import Problem
from safelight.pipeline.submissions import Lease, object_name
from safelight.pipeline.witness import NoWitness, Witness
from safelight.store.faults import reach
from safelight.store.ids import new_id
from safelight.types import Kind
from safelight.vault import Stored, Vault
from safelight.vault.originals import Originals

__all__ = [
    "Incoming",
    "NoWitness",
    "Submitted",
    "Witness",
    "check_sources",
    "recover",
    "submit",
    "take_in",
]

_ARCHIVES: Final = frozenset({Kind.ZIP, Kind.TAR})
_BATCH: Final = 64  # files a transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One input on its way in.

    Attributes:
        relative: Path as handed in.
        open: Returns what it is and its bytes, read once; raises ``QuarantineError``.
    """

    relative: str
    open: Callable[[], tuple[Kind, Iterator[bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What was handed in.

    Attributes:
        submission: Id of the submission; of the earlier one when every file was known.
        person: Whose it is.
        files: Files that are new.
        known: Files that were handed in before.
        skipped: Inputs that could not be read, and why; they are not in the vault.
    """

    submission: str
    person: str
    files: int
    known: int
    skipped: tuple[tuple[str, Problem], ...]


def submit(
    vault: Vault,
    sources: Sequence[str],
    *,
    person: str = "",
    keep: bool = False,
    use: tuple[str, str] = ("", ""),
    limits: Limits | None = None,
    witness: Witness | None = None,
) -> Submitted:
    """Take files, folders and archives into the vault.

    Args:
        vault: An open vault.
        sources: Paths. Archives are opened, and their members taken.
        person: Whose they are; empty for a person who is new here.
        keep: The person keeps the originals; else each is deleted once it is de-identified.
        use: Purpose, and hash of the policy, for which they are handed in.
        limits: What one input may cost.
        witness: Is told, inside the transactions.

    Raises:
        ConsentDeniedError: The witness says that the person does not agree.
        ErasedError: The person's data were erased.
        StoreError: Nothing can be stored now, there is no such person, or nothing was found.
    """
    sending = _Sending(vault, person, use, limits or Limits(), witness or NoWitness())
    return sending.all(sending.found(sources), keep=keep)


def take_in(
    vault: Vault,
    incoming: Iterable[Incoming],
    *,
    submission: str,
    person: str,
    use: tuple[str, str] = ("", ""),
    until: datetime | None = None,
    witness: Witness | None = None,
) -> Submitted:
    """Take in what lies somewhere else than in files, such as pieces that came over a network.

    Args:
        vault: An open vault.
        incoming: The inputs, in order.
        submission: Id that the submission gets; one that was given up before may be given again.
        person: Whose they are.
        use: As for ``submit``.
        until: Originals are kept until this moment at the latest; None: as for ``submit``.
        witness: Is told, inside the transactions.

    Raises:
        ConsentDeniedError: The witness says that the person does not agree.
        ErasedError: The person's data were erased.
        StoreError: Nothing can be stored now, there is no such person, or nothing was found.
    """
    sending = _Sending(
        vault, person, use, Limits(), witness or NoWitness(), submission=submission, until=until
    )
    return sending.all(incoming, keep=until is not None)


class _Sending:
    """One submission while it arrives."""

    def __init__(
        self,
        vault: Vault,
        person: str,
        use: tuple[str, str],
        limits: Limits,
        witness: Witness,
        *,
        submission: str = "",
        until: datetime | None = None,
    ) -> None:
        self._vault = vault
        self._store = vault.store
        self._originals = Originals(vault)
        self._limits = limits
        self._witness = witness
        self._use = use
        self._until = until
        mine = submission or new_id()
        self._lease = Lease(submission=mine, person=person, owner=new_id(), token=1, attempt=0)
        self.owner: Final = self._lease.owner
        self._announced = False
        self._held: list[tuple[Stored, bytes, Kind]] = []
        self._skipped: list[tuple[str, Problem]] = []

    def found(self, sources: Sequence[str]) -> Iterator[Incoming]:
        """Yield what lies at these paths; archives are opened."""
        return _found(sources, self._limits, self._skipped)

    def all(self, found: Iterable[Incoming], *, keep: bool) -> Submitted:
        """Take everything in, or leave nothing behind."""
        with self._store.presence(self.owner):
            try:
                return self.run(found, keep=keep)
            except BaseException:
                self.give_up()
                raise

    def run(self, found: Iterable[Incoming], *, keep: bool) -> Submitted:
        """Take everything in.

        Raises:
            StoreError: Nothing that could be read was found.
        """
        position = 0
        for item in found:
            stored = self._take(item, position, keep=keep)
            if stored is None:
                continue
            self._held.append(stored)
            position += 1
            if len(self._held) >= _BATCH:
                self._keep_batch(keep=keep)
        if not position:
            raise _nothing(self._skipped)
        return self._receive(keep=keep)

    def _take(
        self, item: Incoming, position: int, *, keep: bool
    ) -> tuple[Stored, bytes, Kind] | None:
        try:
            kind, data = item.open()
            if kind is Kind.DICOMDIR:
                return None  # a table of contents of files that are taken themselves
            if not self._announced:
                self._announce(keep=keep)
            name = object_name(self._lease.submission, position)
            stored = self._originals.write(self._lease.person, name, data)
        except QuarantineError as error:
            self._skipped.append((item.relative, Problem.of(Kind.UNKNOWN, error)))
            return None
        reach("submit.item-stored")
        label = item.relative.encode("utf-8", "surrogateescape")
        sealed = self._vault.seal_small(self._lease.person, "label", name, label)
        return stored, sealed, kind

    def _announce(self, *, keep: bool) -> None:
        with self._store.read() as conn:
            if self._lease.person:
                self._vault.people.keys(self._lease.person, conn)  # or says that there is none
            self._witness.allowed(conn, self._lease.person, self._use)
        with self._store.begin() as conn:
            person = self._lease.person
            fresh = not person
            if fresh:
                person = self._vault.create_person(conn)
                reach("submit.person-made")
            elif self._vault.person_exists_or_erased(person, conn) != "active":
                self._vault.people.keys(person, conn)  # says which
            self._lease = Lease(
                submission=self._lease.submission,
                person=person,
                owner=self._lease.owner,
                token=1,
                attempt=0,
            )
            rows.announce(conn, self._store, self._lease, keep=keep, fresh=fresh, use=self._use)
        self._announced = True
        reach("submit.announced")

    def _keep_batch(self, *, keep: bool) -> None:
        with self._store.begin() as conn:
            rows.hold(conn, self._store, self._lease)
            self._add(conn, keep=keep)
        reach("submit.batch-kept")

    def _add(self, conn: Connection, *, keep: bool) -> None:
        stored_now = [stored for stored, _, _ in self._held]
        self._originals.record(conn, stored_now, keep=keep, until=self._until)
        values: list[dict[str, Any]] = []
        for stored, label, kind in self._held:
            values.append(
                {
                    "submission": self._lease.submission,
                    "position": int(stored.object.rpartition("-")[2]),
                    "person": self._lease.person,
                    "state": "waiting",
                    "kind": kind.value,
                    "bytes": stored.bytes,
                    "digest": stored.digest,
                    "label": label,
                    **dict.fromkeys(("reason", "what", "place", "todo"), ""),
                }
            )
        rows.add_items(conn, values)
        self._held = []

    def _receive(self, *, keep: bool) -> Submitted:
        """Make the submission exist: duplicates go, the rest waits."""
        mine = self._lease.submission
        with self._store.begin() as conn:
            rows.hold(conn, self._store, self._lease)
            self._add(conn, keep=keep)
            known, first = self._drop_known(conn)
            left = [row.position for row in rows.files(conn, mine)]
            if left:
                values = {"state": "waiting", "owner": None, "lease_until": None}
                rows.hold(conn, self._store, self._lease, **values)
                names = [object_name(mine, position) for position in left]
                self._witness.received(conn, self._lease.person, mine, names)
            else:
                rows.drop(conn, mine)
            reach("submit.receiving")
        self._announced = False  # there is nothing to give up any more
        reach("submit.received")
        if known:
            self._originals.purge()
        return Submitted(
            submission=mine if left else first,
            person=self._lease.person,
            files=len(left),
            known=known,
            skipped=tuple(self._skipped),
        )

    def _drop_known(self, conn: Connection) -> tuple[int, str]:
        """Drop files that were handed in before; return how many, and where the first lies."""
        mine, person = self._lease.submission, self._lease.person
        before = rows.earlier(conn, mine)
        seen: set[str] = set()
        known = []
        for row in rows.files(conn, mine):
            if row.position in before or row.digest in seen:
                known.append(row.position)
            seen.add(row.digest)
        self._originals.release(conn, person, *(object_name(mine, each) for each in known))
        rows.remove(conn, mine, known)
        return len(known), next(iter(before.values()), "")

    def give_up(self) -> None:
        """Leave nothing behind of a submission that failed while this process lives on."""
        held, self._held = self._held, []
        try:
            for stored, _, _ in held:
                self._originals.discard(stored)
            if self._announced:
                _abandon(self._vault, self._lease.submission, self._lease.person)
        except StoreError:
            return  # the store is gone: the lease runs out, and ``recover`` does it


def _found(
    sources: Sequence[str], limits: Limits, skipped: list[tuple[str, Problem]]
) -> Iterator[Incoming]:
    opened = (_opened(item, limits, skipped) for item in walk(sources, limits=limits))
    for item in itertools.chain.from_iterable(opened):
        yield Incoming(relative=item.relative, open=partial(chunks, item, limits))


def _opened(item: Item, limits: Limits, skipped: list[tuple[str, Problem]]) -> Iterator[Item]:
    """Yield an input, or the members of an archive."""
    try:
        kind = item.sniff(limits) if item.error is None else Kind.UNKNOWN
    except QuarantineError as error:
        skipped.append((item.relative, Problem.of(Kind.UNKNOWN, error)))
        return
    if kind in _ARCHIVES and item.path is not None:
        yield from expand(item, limits=limits)
    else:
        yield item


def check_sources(sources: Sequence[str]) -> None:
    """Look for one file that can be taken in, before anything is made for them.

    Raises:
        StoreError: There is none.
    """
    skipped: list[tuple[str, Problem]] = []
    for item in _found(sources, Limits(), skipped):
        try:
            if item.open()[0] is not Kind.DICOMDIR:
                return
        except QuarantineError as error:
            skipped.append((item.relative, Problem.of(Kind.UNKNOWN, error)))
    raise _nothing(skipped)


def _nothing(skipped: Sequence[tuple[str, Problem]]) -> StoreError:
    return StoreError(
        "nothing to hand in was found",
        kept="nothing was stored",
        todo="; ".join(sorted({f"{p.reason}: {p.what}" for _, p in skipped})[:3])
        or "give files, or folders and archives that hold some",
    )


def recover(vault: Vault) -> int:
    """Take from the dead: end their leases, remove what never arrived; return how many arrivals."""
    store = vault.store
    with store.read() as conn:
        owners = rows.owners(conn)
    for owner in filter(store.is_gone, owners):
        with store.begin() as conn:
            rows.end_leases(conn, store, owner)
    with store.read() as conn:
        stale = rows.stale_arrivals(conn, store)
    for submission, person in stale:
        _abandon(vault, submission, person)
    return len(stale)


def _abandon(vault: Vault, submission: str, person: str) -> None:
    originals = Originals(vault)
    with vault.store.begin() as conn:
        if rows.state_of(conn, submission) != "arriving":
            return
        names = [object_name(submission, row.position) for row in rows.files(conn, submission)]
        originals.release(conn, person, *names)
    originals.discard_all(person, f"{submission}-")
    reach("submit.abandoning")
    originals.purge()
    with vault.store.begin() as conn:
        fresh = rows.is_fresh(conn, submission)
        rows.drop(conn, submission)
        if fresh:
            vault.people.withdraw_unused(conn, person)
    reach("submit.abandoned")
