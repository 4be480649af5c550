"""Accounts that are held back: who, why, and their release."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from safelight.learning.contributions import Contribution, sums_of
from safelight.learning.guard import Suspect, stands, suspects
from safelight.learning.ledgers import HeadOf
from safelight.readers.statistics import Statistics
from safelight.store.schema.learning import holds

__all__ = ["Suspect", "accounts", "hold", "release", "suspected"]


def accounts(conn: Connection, head: str, state: str) -> set[str]:
    """Return the accounts of a head that are ``held`` or ``released``."""
    found = select(holds.c.account).where(holds.c.head == head, holds.c.state == state)
    return set(conn.execute(found).scalars())


def suspected(
    head: HeadOf,
    both: Statistics,
    some: Sequence[Contribution],
    held: set[str],
    released: set[str],
) -> tuple[Suspect, ...]:
    """Return accounts to hold that nobody has looked at yet.

    Args:
        head: The head.
        both: Sums of all that was contributed.
        some: All contributions.
        held: Accounts that are held already.
        released: Accounts that a steward has let in again.
    """
    out = [one for one in some if not stands(one, held)]
    sums = head.base.statistics + both - sums_of(both, out)
    mine = [one for one in some if stands(one, held)]
    return suspects(sums, head.recipe, mine, held | released)


def hold(conn: Connection, head: str, one: Suspect, *, entry: int, at: datetime) -> None:
    """Note that an account is held."""
    mine = (holds.c.head == head, holds.c.account == one.account)
    conn.execute(delete(holds).where(*mine))
    conn.execute(
        insert(holds).values(
            head=head,
            account=one.account,
            state="held",
            rows=one.rows,
            against=one.against,
            entry=entry,
            at=at,
        )
    )


def release(conn: Connection, head: str, account: str) -> bool:
    """Let the labels of an account in again; return whether it was held."""
    mine = (holds.c.head == head, holds.c.account == account, holds.c.state == "held")
    return bool(conn.execute(holds.update().where(*mine).values(state="released")).rowcount)
