"""The worker's side of a submission: out of quarantine, through the engine, back into the vault.

Originals are decrypted in memory only. A result is written first and recorded in a transaction that
checks the lease; the originals go when the whole submission is done, so that a second worker, after
the first one's death, still knows every name that any file of it holds.
"""

import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import Row

from safelight.errors import (
    ConsentDeniedError,
    CorruptedError,
    ErasedError,
    LimitExceededError,
    QuarantineError,
    SafelightError,
    StoreError,
    UnreadableInputError,
)
from safelight.pipeline import submissions as rows
from safelight.pipeline.plan import Sight, make_plan
from safelight.pipeline.problem import Problem, name_of
from safelight.pipeline.submissions import ATTEMPTS, Lease, LostLeaseError, object_name
from safelight.pipeline.submit import NoWitness, Witness, recover
from safelight.store.faults import reach
from safelight.store.ids import new_id
from safelight.types import FileSlice, Kind, Original, Part
from safelight.vault import Stored, Vault
from safelight.vault.originals import Originals

if TYPE_CHECKING:
    from safelight.deid.context import Subject
    from safelight.deid.engine import Engine
    from safelight.deid.looking import Seen

__all__ = ["DEIDENTIFIED", "Cleaned", "Cleaner", "EngineCleaner", "Worker"]

DEIDENTIFIED: Final = "deidentified"
_RECOVER_SECONDS: Final = 60  # between two looks for what the dead have left
_BATCH: Final = 16  # results a transaction
_FAILURES: Final = (StoreError, ErasedError)  # of the house, not of the input

Opener = Callable[[], Original]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What came out for one file.

    Attributes:
        parts: The output, in order.
        manifest: What was done, as JSON.
    """

    parts: Iterable[Part]
    manifest: bytes


class Cleaner(Protocol):
    """Takes the identity out of the files of one submission."""

    def clean(
        self, files: Sequence[tuple[int, str, Opener]], wanted: frozenset[int]
    ) -> Iterator[tuple[int, Cleaned | Problem]]:
        """Yield (position, outcome) for each file that is wanted.

        Args:
            files: Position, path as handed in, and how to get the bytes, of every file.
            wanted: Positions still to be done; the others are there for what they tell.
        """


class EngineCleaner:
    """The engine, over one submission: survey all files, group them by person, clean each."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def clean(
        self, files: Sequence[tuple[int, str, Opener]], wanted: frozenset[int]
    ) -> Iterator[tuple[int, Cleaned | Problem]]:
        """Yield (position, outcome) for each file that is wanted; see ``Cleaner``."""
        evidence: list[Any] = []
        sights: dict[int, Sight] = {}
        for position, _, opener in files:
            found = _guarded(opener, lambda original: self._look(original, evidence))
            if isinstance(found, Problem):
                if position in wanted:
                    yield position, found
            else:
                sights[position] = found
        relatives: dict[int, str] = {position: path for position, path, _ in files}
        openers = {position: opener for position, _, opener in files}
        plan = make_plan(_Sparse(relatives), sights)
        reach("submit.surveyed")
        for group in plan.groups:
            subject = self._engine.subject([evidence[at] for at in group.evidence])
            for series, run in groupby(group.inputs, key=lambda at: sights[at].series):
                positions = list(run)
                seen = {}
                if series and len(positions) > 1 and wanted.intersection(positions):
                    seen = self._see([openers[at] for at in positions], positions)
                for position in positions:
                    if position in wanted:
                        work = partial(self._clean, subject=subject, seen=seen.get(position))
                        yield position, _guarded(openers[position], work)

    def _see(self, openers: Sequence[Opener], positions: Sequence[int]) -> "dict[int, Seen | None]":
        """Look at the pictures of one series together; what cannot be read says so in its turn."""
        stretch = self._engine.stretch()
        if stretch is None:
            return {}
        seen: dict[int, Seen | None] = {}
        for opener, position in zip(openers, positions, strict=True):
            found = _guarded(opener, lambda original: self._engine.see(original, stretch))
            if not isinstance(found, Problem):
                seen[position] = found
        return seen

    def _clean(
        self, original: Original, *, subject: "Subject", seen: "Seen | None" = None
    ) -> Cleaned:
        clean = self._engine.deidentify(original, subject, seen=seen)
        return Cleaned(parts=clean.parts, manifest=clean.manifest)

    def _look(self, original: Original, evidence: list[Any]) -> Sight:
        """Survey one file.

        Raises:
            UnreadableInputError: It is of no kind that is handled.
        """
        if original.kind is Kind.UNKNOWN:
            raise UnreadableInputError("it is of no kind that is handled")
        found = self._engine.survey(original)
        nodes = []
        if found.patient_key:
            nodes.append("p" + found.patient_key)
        if found.study_uid:
            nodes.append("s" + found.study_uid)
        evidence.append(found)
        return Sight(original.kind, len(evidence) - 1, tuple(nodes), found.series_uid)


class _Sparse(Sequence[str]):
    """Paths by position, where positions may have holes."""

    def __init__(self, paths: Mapping[int, str]) -> None:
        self._paths = paths

    def __getitem__(self, at: Any) -> Any:
        return self._paths[at]

    def __len__(self) -> int:
        return max(self._paths, default=-1) + 1


def _guarded(opener: Opener, work: Callable[[Original], Any]) -> Any:
    """Return what the work gives, or the problem that the input is.

    Raises:
        StoreError: The store failed, not the input.
        ErasedError: The person was erased meanwhile.
    """
    kind = Kind.UNKNOWN
    try:
        original = opener()
        kind = original.kind
        return work(original)
    except _FAILURES:
        raise
    except SafelightError as error:
        return Problem.of(kind, error)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001  # a panic of a decoder is one of these
        return Problem.of(kind, QuarantineError(f"it could not be handled ({name_of(error)})"))


class Worker:
    """Works on submissions, one at a time. Several may run, in any number of processes.

    Args:
        vault: An open vault.
        cleaner: Takes the identity out.
        witness: Is told, inside the transactions.
        most: Bytes that one original may have: it is held in memory.
    """

    def __init__(
        self, vault: Vault, cleaner: Cleaner, *, witness: Witness | None = None, most: int = 1 << 32
    ) -> None:
        self._vault = vault
        self._store = vault.store
        self._originals = Originals(vault)
        self._cleaner = cleaner
        self._witness = witness or NoWitness()
        self._most = most
        self._owner = new_id()
        self._gone: list[str] = []
        self._look_again = 0.0

    def run(self, limit: int = 0) -> int:
        """Work until nothing waits, or ``limit`` submissions are done; return how many were.

        Raises:
            StoreError: The store cannot be used; leases run out and others go on.
        """
        if time.monotonic() >= self._look_again:
            recover(self._vault)
            self._originals.purge()
            self._gone = []
            self._look_again = time.monotonic() + _RECOVER_SECONDS
        count = 0
        with self._store.presence(self._owner):
            while (not limit or count < limit) and self._one():
                count += 1
            if not limit:
                self._originals.purge()
        return count

    def _one(self) -> str:
        """Work on the oldest submission that nobody works on; return its id, or an empty text."""
        with self._store.begin() as conn:
            self._originals.forget(conn, self._gone)
            lease = rows.take(conn, self._store, self._owner)
        self._gone = []
        if lease is None:
            return ""
        reach("submit.leased")
        try:
            self._work(lease)
        except LostLeaseError:
            pass  # another worker has it, and loses nothing by what we did
        except ErasedError:
            with self._store.begin() as conn:
                rows.forget_person(conn, lease.person)
        except ConsentDeniedError as error:
            with self._store.begin() as conn:
                rows.hold(conn, self._store, lease)
                problem = Problem.of(Kind.UNKNOWN, QuarantineError(error.what, todo=error.todo))
                rows.refuse(conn, lease.submission, **{**_refused(problem), "reason": error.code})
        return lease.submission

    def _work(self, lease: Lease) -> None:
        with self._store.read() as conn:
            use = rows.use_of(conn, lease.submission)
            self._witness.allowed(conn, lease.person, use)
            files = rows.files(conn, lease.submission)
        wanted = frozenset(row.position for row in files if row.state == "waiting")
        if lease.attempt > ATTEMPTS:
            self._finish(lease, [(position, _deadly()) for position in sorted(wanted)])
            return
        if lease.attempt > 1:  # a dead worker's results that no row names
            self._vault.shelf.discard_all(lease.person, DEIDENTIFIED, f"{lease.submission}-")
        openers = [(row.position, self._label(row), self._opener(row)) for row in files]
        batch: list[tuple[int, Stored, bytes] | tuple[int, Problem]] = []
        try:
            for position, outcome in self._cleaner.clean(openers, wanted) if wanted else ():
                reach("submit.cleaned")
                batch.append(self._stored(lease, position, outcome))
                if len(batch) >= _BATCH:
                    self._keep(lease, batch, done=False)
                    batch = []
            self._finish(lease, batch)
        except BaseException:
            for result in batch:
                if not isinstance(result[1], Problem):
                    self._vault.discard(result[1])
            raise

    def _label(self, row: Row[Any]) -> str:
        name = object_name(row.submission, row.position)
        label = self._vault.open_small(row.person, "label", name, row.label)
        return label.decode("utf-8", "surrogateescape")

    def _opener(self, row: Row[Any]) -> Opener:
        def opened() -> Original:
            if row.bytes > self._most:
                raise LimitExceededError(f"larger than {self._most} bytes, which memory must hold")
            name = object_name(row.submission, row.position)
            try:
                data = b"".join(self._originals.get(row.person, name))
            except CorruptedError as error:
                raise QuarantineError(error.what, kept=error.kept, todo=error.todo) from None
            return Original(data, kind=Kind(row.kind))

        return opened

    def _stored(
        self, lease: Lease, position: int, outcome: Cleaned | Problem
    ) -> tuple[int, Stored, bytes] | tuple[int, Problem]:
        if isinstance(outcome, Problem):
            return position, outcome
        name = object_name(lease.submission, position)
        stored = self._vault.write(lease.person, DEIDENTIFIED, name, _bytes(outcome.parts))
        reach("submit.result-stored")
        told = zlib.compress(outcome.manifest)
        return position, stored, self._vault.seal_small(lease.person, "manifest", name, told)

    def _keep(
        self,
        lease: Lease,
        batch: Sequence[tuple[int, Stored, bytes] | tuple[int, Problem]],
        *,
        done: bool,
    ) -> None:
        """Record results; with the last ones, the originals go and the submission is done."""
        ended = {"state": "done", "owner": None, "lease_until": None}
        with self._store.begin() as conn:
            rows.hold(conn, self._store, lease, **(ended if done else {}))
            made: list[Stored] = []
            for result in batch:
                if isinstance(result[1], Problem):
                    rows.settle(conn, lease.submission, result[0], **_refused(result[1]))
                    continue
                position, stored, manifest = result
                made.append(stored)
                rows.settle(conn, lease.submission, position, state="done", manifest=manifest)
            if made:
                self._vault.record(conn, made)
                names = [each.object for each in made]
                self._witness.deidentified(conn, lease.person, lease.submission, names)
            if done:
                gone = self._release(conn, lease)
                self._witness.finished(conn, lease.person, lease.submission, gone)
            reach("submit.keeping")
        reach("submit.kept")

    def _release(self, conn: Any, lease: Lease) -> list[str]:
        """Let the originals of what is done go; what waits for review keeps its original."""
        done = [row for row in rows.files(conn, lease.submission) if row.state == "done"]
        names = [object_name(lease.submission, row.position) for row in done]
        return self._originals.deidentified(conn, lease.person, names)

    def _finish(
        self, lease: Lease, batch: Sequence[tuple[int, Stored, bytes] | tuple[int, Problem]]
    ) -> None:
        self._keep(lease, batch, done=True)
        self._gone += self._originals.remove_leaving()  # their rows go with the next transaction
        reach("submit.purged")


def _refused(problem: Problem) -> dict[str, str]:
    return {
        "state": problem.status.value,
        "reason": problem.reason,
        "what": problem.what[:400],
        "place": problem.place[:200],
        "todo": problem.todo[:400],
    }


def _deadly() -> Problem:
    error = QuarantineError(
        f"{ATTEMPTS} processes ended while working on its submission",
        todo="the file may be built to crash software, or needs more memory than there is",
    )
    return Problem.of(Kind.UNKNOWN, error)


def _bytes(parts: Iterable[Part]) -> Iterator[bytes]:
    """Yield parts as bytes.

    Raises:
        UnreadableInputError: A part lies in a file: an original in memory has none.
    """
    for part in parts:
        if isinstance(part, FileSlice):
            raise UnreadableInputError("the output points into a file")
        yield bytes(part)
