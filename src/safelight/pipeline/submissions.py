"""Submissions as rows: who may work on one, until when, and what became of each file.

A submission is *arriving* until all its files lie encrypted in the vault, then *waiting*, *working*
under a lease, *done*. Whoever dies leaves a lease that runs out; whoever is late finds the token
changed and keeps nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, or_, select, update

from safelight.errors import StoreError
from safelight.store import Store
from safelight.store.schema.submissions import items, submissions

__all__ = ["ATTEMPTS", "LEASE", "Lease", "LostLeaseError", "Standing", "object_name"]

LEASE: Final = timedelta(minutes=30)  # of a worker, renewed with every batch of results
ARRIVAL: Final = timedelta(hours=2)  # of a sender, renewed with every batch of files
ATTEMPTS: Final = 3  # workers that may die on one submission before it goes to quarantine
_USE: Final = select(submissions.c.purpose, submissions.c.policy).where(
    submissions.c.id == bindparam("wanted")
)
OPEN: Final = ("waiting", "working", "done")  # states in which a submission is whole


class LostLeaseError(StoreError):
    """Another process took the submission over; what this one did is dropped."""

    code = "lease"
    default_kept = "the other process goes on with it; nothing was lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on one submission.

    Attributes:
        submission: Its id.
        person: Whose it is.
        owner: Id of this process.
        token: Number of the lease; a later one makes this one void.
        attempt: How many leases for work there were, this one included.
    """

    submission: str
    person: str
    owner: str
    token: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one submission stands.

    Attributes:
        submission: Its id.
        person: Whose it is.
        state: ``arriving``, ``waiting``, ``working`` or ``done``.
        items: Number of files by state.
    """

    submission: str
    person: str
    state: str
    items: Mapping[str, int]


def object_name(submission: str, position: int) -> str:
    """Return the id of the object of one file, in the vault."""
    return f"{submission}-{position}"


def announce(
    conn: Connection,
    store: Store,
    lease: Lease,
    *,
    keep: bool,
    fresh: bool,
    use: tuple[str, str] = ("", ""),
) -> None:
    """Note that a submission is arriving, under a lease of its own.

    Args:
        conn: A write transaction.
        store: The store.
        lease: The sender's.
        keep: The person keeps the originals.
        fresh: The person was made for it, and goes if it never arrives.
        use: Purpose, and hash of the policy, for which it is handed in.
    """
    now = store.clock.now()
    conn.execute(
        insert(submissions).values(
            id=lease.submission,
            person=lease.person,
            state="arriving",
            owner=lease.owner,
            lease_until=now + ARRIVAL,
            token=lease.token,
            attempts=0,
            keep=keep,
            fresh=fresh,
            purpose=use[0],
            policy=use[1],
            made=now,
            changed=now,
        )
    )


def hold(conn: Connection, store: Store, lease: Lease, **more: Any) -> None:
    """Lengthen a lease, and change the row with it.

    Raises:
        LostLeaseError: It is ours no more.
    """
    now = store.clock.now()
    mine = and_(
        submissions.c.id == lease.submission,
        submissions.c.owner == lease.owner,
        submissions.c.token == lease.token,
    )
    length = ARRIVAL if lease.attempt == 0 else LEASE
    values = {"lease_until": now + length, "changed": now, **more}
    if conn.execute(update(submissions).where(mine).values(**values)).rowcount != 1:
        raise LostLeaseError("another process works on this submission")


def take(conn: Connection, store: Store, owner: str) -> Lease | None:
    """Take the oldest submission that nobody works on; None when there is none."""
    now = store.clock.now()
    free = or_(
        submissions.c.state == "waiting",
        and_(submissions.c.state == "working", submissions.c.lease_until <= now),
    )
    columns = (submissions.c.id, submissions.c.person, submissions.c.token, submissions.c.attempts)
    row = conn.execute(select(*columns).where(free).order_by(submissions.c.id).limit(1)).first()
    if row is None:
        return None
    lease = Lease(
        submission=row.id,
        person=row.person,
        owner=owner,
        token=row.token + 1,
        attempt=row.attempts + 1,
    )
    conn.execute(
        update(submissions)
        .where(submissions.c.id == row.id)
        .values(
            state="working",
            owner=owner,
            lease_until=now + LEASE,
            token=lease.token,
            attempts=lease.attempt,
            changed=now,
        )
    )
    return lease


def owners(conn: Connection) -> list[str]:
    """Return the processes that hold a lease."""
    found = select(submissions.c.owner).where(submissions.c.state.in_(("arriving", "working")))
    return [owner for owner in conn.execute(found.distinct()).scalars() if owner]


def end_leases(conn: Connection, store: Store, owner: str) -> None:
    """End the leases of a process that is gone."""
    theirs = and_(submissions.c.owner == owner, submissions.c.lease_until.is_not(None))
    conn.execute(update(submissions).where(theirs).values(lease_until=store.clock.now()))


def stale_arrivals(conn: Connection, store: Store) -> list[tuple[str, str]]:
    """Return (submission, person) of arrivals whose sender has died."""
    over = and_(submissions.c.state == "arriving", submissions.c.lease_until <= store.clock.now())
    rows = conn.execute(select(submissions.c.id, submissions.c.person).where(over)).all()
    return [(row.id, row.person) for row in rows]


def is_fresh(conn: Connection, submission: str) -> bool:
    """Tell whether the person was made for this submission, and has no other one."""
    found = select(submissions.c.person, submissions.c.fresh)
    row = conn.execute(found.where(submissions.c.id == submission)).first()
    if row is None or not row.fresh:
        return False
    count = select(func.count()).where(submissions.c.person == row.person)
    return bool(conn.execute(count).scalar() == 1)


def forget_person(conn: Connection, person: str) -> int:
    """Remove every submission of a person; return how many there were."""
    conn.execute(delete(items).where(items.c.person == person))
    return conn.execute(delete(submissions).where(submissions.c.person == person)).rowcount


def drop(conn: Connection, submission: str) -> None:
    """Remove a submission that never became whole."""
    conn.execute(delete(items).where(items.c.submission == submission))
    conn.execute(delete(submissions).where(submissions.c.id == submission))


def earlier(conn: Connection, submission: str) -> dict[int, str]:
    """Return which files of a submission an earlier one of the same person has: position to id."""
    other = items.alias("other")
    found = (
        select(items.c.position, func.min(other.c.submission).label("first"))
        .join(other, and_(other.c.person == items.c.person, other.c.digest == items.c.digest))
        .join(submissions, submissions.c.id == other.c.submission)
        .where(
            items.c.submission == submission,
            other.c.submission != submission,
            submissions.c.state.in_(OPEN),
        )
        .group_by(items.c.position)
    )
    return {row.position: row.first for row in conn.execute(found)}


def remove(conn: Connection, submission: str, positions: Sequence[int]) -> None:
    """Remove files of a submission."""
    for position in positions:
        this = and_(items.c.submission == submission, items.c.position == position)
        conn.execute(delete(items).where(this))


def use_of(conn: Connection, submission: str) -> tuple[str, str]:
    """Return the purpose, and the hash of the policy, for which a submission was handed in."""
    row = conn.execute(_USE, {"wanted": submission}).first()
    return (row.purpose, row.policy) if row else ("", "")


def note(conn: Connection, submission: str, **values: Any) -> None:
    """Change columns of a submission."""
    conn.execute(update(submissions).where(submissions.c.id == submission).values(**values))


def refuse(conn: Connection, submission: str, **values: Any) -> None:
    """Give every file that still waits the same outcome, and end the submission."""
    waiting = and_(items.c.submission == submission, items.c.state == "waiting")
    conn.execute(update(items).where(waiting).values(**values))
    note(conn, submission, state="done", owner=None, lease_until=None)


def state_of(conn: Connection, submission: str) -> str:
    """Return the state of a submission; empty when there is none."""
    found = select(submissions.c.state).where(submissions.c.id == submission)
    return conn.execute(found).scalar() or ""


def add_items(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add the files of a submission."""
    if rows:
        conn.execute(insert(items), list(rows))


def files(conn: Connection, submission: str) -> list[Row[Any]]:
    """Return the rows of a submission's files, in order, without the manifests."""
    chosen = [column for column in items.c if column.name != "manifest"]
    found = select(*chosen).where(items.c.submission == submission).order_by(items.c.position)
    return list(conn.execute(found).all())


def settle(conn: Connection, submission: str, position: int, **values: Any) -> None:
    """Write what became of one file."""
    this = and_(items.c.submission == submission, items.c.position == position)
    conn.execute(update(items).where(this).values(**values))


def standing(conn: Connection, *, person: str = "", submission: str = "") -> list[Standing]:
    """Return how submissions stand, oldest first; of one person, or one alone, when given."""
    found = select(submissions.c.id, submissions.c.person, submissions.c.state)
    if person:
        found = found.where(submissions.c.person == person)
    if submission:
        found = found.where(submissions.c.id == submission)
    told = []
    for row in conn.execute(found.order_by(submissions.c.id)).all():
        counted = (
            select(items.c.state, func.count())
            .where(items.c.submission == row.id)
            .group_by(items.c.state)
        )
        counts = {each[0]: each[1] for each in conn.execute(counted)}
        told.append(Standing(submission=row.id, person=row.person, state=row.state, items=counts))
    return told
