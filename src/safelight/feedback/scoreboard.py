"""The scoreboard: counts, what they do to a reader's state, and the page that anyone may see."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert

from safelight.consent.custody import Custody
from safelight.consent.roles import Act
from safelight.errors import FeedbackError
from safelight.feedback import board, drift
from safelight.feedback.board import DIMENSIONS, Scored, Slice
from safelight.feedback.book import Book
from safelight.feedback.held import held, worse
from safelight.feedback.notes import Event, Notes
from safelight.feedback.opened import Opened
from safelight.feedback.public import page
from safelight.feedback.rates import evidence
from safelight.readers.reading import Answer, State
from safelight.store.faults import reach
from safelight.store.schema.feedback import states

__all__ = ["Gate", "Row", "Scoreboard"]

_BROKEN: Final = 100.0  # evidence against a promise; see ``rates.evidence``
_ITSELF: Final = "scoreboard"
_MAX_REASON: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a reader must hold; a limit of 0 is none.

    Attributes:
        missed: At most this share of those who have it are told "not seen".
        false_alarms: At most this share of those who do not are told "seen".
    """

    missed: float = 0.0
    false_alarms: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One version of one reader.

    Attributes:
        reader: Its name.
        version: Of the reader.
        about: The subject.
        card: SHA-256 of its card, hex.
        state: What the scoreboard lets it do.
        reason: Why it is not validated; empty when it is.
        gate: What it must hold.
        evidence: Against the gate, the stronger of both sides; 100 sends it to the shadow.
        whole: All images.
        parts: By dimension and part.
        alarms: What has changed.
    """

    reader: str
    version: str
    about: str
    card: str
    state: State
    reason: str
    gate: Gate
    evidence: float
    whole: Slice
    parts: dict[str, dict[str, Slice]]
    alarms: tuple[drift.Alarm, ...] = field(default=())


class Scoreboard:
    """The scoreboard of one store.

    Args:
        custody: Roles and the log.
        book: The feedback.
        gates: What readers must hold, by name; else the error rate that their answers promise.
    """

    def __init__(
        self, custody: Custody, book: Book, *, gates: Mapping[str, Gate] | None = None
    ) -> None:
        self._custody = custody
        self._store = custody.store
        self._book = book
        self._notes = Notes(custody)
        self._gates = dict(gates or {})

    def rows(self, conn: Connection) -> list[Row]:
        """Return the board as it stands, computed from what is in the book now."""
        return self._rows(conn, self._book.open(conn))

    def _rows(self, conn: Connection, book: Opened) -> list[Row]:
        now = self._store.clock.now()
        known = held(conn)
        made = []
        for key, rows in board.versions(board.scored(book)):
            state, reason, since = known.get(key, (State.VALIDATED, "", None))
            gate = self._gates.get(key[0]) or _promised(rows)
            told = rows[-1].told
            made.append(
                Row(
                    reader=key[0],
                    version=key[1],
                    about=told.about,
                    card=told.card,
                    state=state,
                    reason=reason,
                    gate=gate,
                    evidence=_against(rows, gate, since if state == State.VALIDATED else None),
                    whole=board.counted(rows),
                    parts={name: board.slices(rows, name) for name in DIMENSIONS},
                    alarms=tuple(drift.alarms(rows, now)),
                )
            )
        return made

    def update(self) -> list[Event]:
        """Look at everything, take what fails out of service, and note what is noticed.

        May be repeated at will: what was noted is not noted again.

        Returns:
            What is new in the scoreboard's log, the newest first.
        """
        with self._store.read() as conn:
            before = self._notes.listed(conn, limit=1)
            book = self._book.open(conn)
            rows = self._rows(conn, book)
        with self._store.begin() as conn:
            for row in rows:
                self._judge(conn, row)
                self._note_drift(conn, row)
            self._note_accounts(conn, book)
        with self._store.read() as conn:
            last = before[0].number if before else 0
            return [one for one in self._notes.listed(conn) if one.number > last]

    def _judge(self, conn: Connection, row: Row) -> None:
        """Send a reader that breaks its promise to the shadow."""
        last = held(conn).get((row.reader, row.version))
        if row.evidence < _BROKEN or (last is not None and last[0] != State.VALIDATED):
            return
        missed, alarms = row.whole.missed, row.whole.false_alarms
        reason = (
            f"below its gate by confirmed feedback: missed {missed.count} of {missed.of},"
            f" false alarms {alarms.count} of {alarms.of}"
        )
        self._set(conn, row.reader, row.version, State.SHADOW, reason, by=_ITSELF)

    def _note_drift(self, conn: Connection, row: Row) -> None:
        now = self._store.clock.now()
        for one in row.alarms:
            detail = {"test": one.what, "images": one.images, "others": one.others}
            figures = {"distance": f"{one.distance:.2f}", "p": f"{one.p:.1e}"}
            self._notes.write(
                conn,
                one.kind,
                reader=row.reader,
                version=row.version,
                who=one.who,
                level=now.year * 12 + now.month,
                detail=detail | figures,
            )

    def _note_accounts(self, conn: Connection, book: Opened) -> None:
        """Note accounts that go against what is confirmed, at 1, 2, 4, 8 … times."""
        against: Counter[str] = Counter()
        turned: Counter[str] = Counter()
        spoke = Counter(entry.account for entry in book.entries)
        for truth in book.truths.values():
            against.update(truth.against)
            turned.update(truth.turned)
        for kind, counts in (("against-confirmed", against), ("turned", turned)):
            for account, count in sorted(counts.items()):
                level = 1 << count.bit_length() - 1
                detail = {"times": count, "of": spoke[account]}
                self._notes.write(conn, kind, who=account, level=level, detail=detail)

    # States

    def states(
        self, conn: Connection, versions: Mapping[str, str] | None = None
    ) -> dict[str, State]:
        """Return what the scoreboard lets readers do, where it is less than validated.

        The registry takes the worse of this and its own gate.

        Args:
            conn: Any transaction.
            versions: The version of each reader that is asked about; without it, a reader is held
                back when any version of it is.
        """
        found: dict[str, State] = {}
        for (reader, version), (state, _, _) in held(conn).items():
            asked = versions is None or versions.get(reader) == version
            if asked and state != State.VALIDATED:
                found[reader] = worse(found.get(reader, state), state)
        return found

    def restore(self, account: str, reader: str, version: str, reason: str) -> None:
        """Let a reader out of the shadow; only what is confirmed from now on counts against it.

        Raises:
            AccessDeniedError: The account is no steward's.
            FeedbackError: The reader is not held back, or no reason is given.
        """
        self._custody.accesses.check(account, Act.SET_READERS)
        words = reason.strip()[:_MAX_REASON]
        with self._store.begin() as conn:
            last = held(conn).get((reader, version))
            if last is None or last[0] == State.VALIDATED:
                raise FeedbackError("this version of the reader is not held back")
            if not words:
                raise FeedbackError("a reason is needed")
            self._set(conn, reader, version, State.VALIDATED, words, by=account)

    def _set(
        self, conn: Connection, reader: str, version: str, state: State, reason: str, *, by: str
    ) -> None:
        told = {"reader": reader, "version": version, "state": str(state), "reason": reason}
        entry = self._notes.publish(conn, "reader.state", told | {"by": by})
        now = self._store.clock.now()
        done: Any = conn.execute(insert(states).values(**told, by=by, at=now, entry=entry))
        level = int(done.inserted_primary_key[0])
        detail = {"state": str(state), "reason": reason, "by": by}
        self._notes.write(conn, "state", reader=reader, version=version, level=level, detail=detail)
        reach("feedback.state.written")

    # The page

    def public(
        self, conn: Connection, *, cards: Mapping[str, Mapping[str, Any]] | None = None
    ) -> dict[str, Any]:
        """Return the page that anyone may see, as JSON values; small cells are left out.

        Args:
            conn: Any transaction.
            cards: What each reader's card says, by its name, to be shown beside.
        """
        events = self._notes.listed(conn, limit=200)
        return page(self.rows(conn), events, self._store.clock.now(), cards or {})


def _promised(rows: Sequence[Scored]) -> Gate:
    """Return the gate of a reader that has none of its own: what its latest answers promise."""
    alpha = rows[-1].told.alpha
    return Gate(missed=alpha, false_alarms=alpha)


def _against(rows: Sequence[Scored], gate: Gate, since: datetime | None) -> float:
    """Return the evidence against the gate from answers confirmed after a moment."""
    sure = sorted(
        (
            (row.confirmed_at, row.image, row)
            for row in rows
            if row.confirmed_at and (since is None or row.confirmed_at > since)
        ),
        key=lambda one: one[:2],
    )
    missed = [row.told.answer == Answer.NOT_SEEN for _, _, row in sure if row.truth == Answer.SEEN]
    false = [row.told.answer == Answer.SEEN for _, _, row in sure if row.truth == Answer.NOT_SEEN]
    return max(evidence(missed, gate.missed), evidence(false, gate.false_alarms))
