"""Accounts that are held back: who, why, and their release."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from safelight.consent.custody import Custody
from safelight.consent.journal import Journal
from safelight.feedback.notes import Notes
from safelight.learning.contributions import Contribution, sums_of
from safelight.learning.guard import Suspect, stands, suspects
from safelight.learning.ledger import Ledger
from safelight.learning.ledgers import HeadOf
from safelight.readers.statistics import Statistics
from safelight.store.faults import reach
from safelight.store.schema.learning import holds
from safelight.vault import Vault

__all__ = ["Suspect", "accounts", "hold", "hold_all", "release", "suspected"]


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


def hold_all(vault: Vault, journal: Journal, head: HeadOf, found: Sequence[Suspect]) -> None:
    """Hold accounts, and say so in the transparency log and in the scoreboard's.

    Args:
        vault: An open vault.
        journal: Of the same store.
        head: The head.
        found: Whom to hold.
    """
    notes = Notes(Custody(vault, journal.log, resume=False))
    with vault.store.begin() as conn:
        number = Ledger(vault, conn, head.id).number()
        for one in found:
            labels = {"rows": one.rows, "against": one.against}
            fields: dict[str, Any] = {"head": head.name, "account": one.account}
            leaf = journal.detached(conn, "learning.account-held", fields | labels)
            hold(conn, head.id, one, entry=leaf.index, at=vault.store.clock.now())
            notes.write(
                conn,
                "labels-held",
                reader=head.name,
                who=one.account,
                level=number,
                detail=labels,
            )
        reach("learning.held.written")


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
