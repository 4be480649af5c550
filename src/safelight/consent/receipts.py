"""Receipts of consent and of withdrawals: the opened log entry, with its proof."""

import json

from sqlalchemy import select

from safelight.consent.custody import Custody
from safelight.errors import ConsentError
from safelight.store.schema.consent import statements, withdrawals
from safelight.tlog import Leaf
from safelight.tlog.receipt import build

__all__ = ["of_person", "of_statement", "of_withdrawal"]


def of_person(custody: Custody, person: str, number: int = 0) -> bytes:
    """Return the receipt of something a person said, or of a withdrawal, again.

    Args:
        custody: Everything about consent in one store.
        person: Whose it is; an erased person has the receipt of their erasure alone.
        number: Of what they said; 0: the newest.

    Raises:
        ConsentError: There is none, it can no longer be opened, or the withdrawal is not done.
    """
    with custody.store.read() as conn:
        said = select(statements.c.number).where(statements.c.person == person)
        numbers = set(conn.execute(said).scalars())
        taken = select(withdrawals.c.id, withdrawals.c.statement, withdrawals.c.purpose)
        taken = taken.where(withdrawals.c.person == person).order_by(withdrawals.c.asked_at)
        back = conn.execute(taken).all()
        if not number and custody.vault.person_exists_or_erased(person, conn) == "erased":
            ends = [one.id for one in back if one.purpose == "*"]
        else:
            wanted = number or max(numbers, default=0)
            ends = [one.id for one in back if one.statement == wanted and wanted]
    if ends:
        return of_withdrawal(custody, ends[-1])
    if number and number not in numbers:
        raise ConsentError(
            "this person said nothing of that number",
            kept="nothing was changed",
            todo="see the numbers with safelight consent show",
        )
    return of_statement(custody, number or max(numbers, default=0))


def of_statement(custody: Custody, number: int) -> bytes:
    """Return the receipt of one statement, after its transaction was committed.

    Raises:
        ConsentError: There is none of that number, or the person was erased.
    """
    with custody.store.read() as conn:
        row = conn.execute(select(statements).where(statements.c.number == number)).first()
        leaf = custody.consents.private(conn, row)["leaf"] if row is not None else ""
    if not leaf:
        raise ConsentError("there is no such statement, or it can no longer be opened")
    return build(custody.log, Leaf.from_bytes(leaf.encode()))


def of_withdrawal(custody: Custody, wanted: str) -> bytes:
    """Return the receipt of a withdrawal: what was removed, and what could not be recalled.

    Raises:
        ConsentError: There is no such withdrawal, or it is not done yet.
    """
    with custody.store.read() as conn:
        found = select(withdrawals.c.receipt).where(withdrawals.c.id == wanted)
        kept = conn.execute(found).scalar()
    told = json.loads(kept) if kept else {}
    if "leaf" not in told:
        raise ConsentError("this withdrawal is not done yet", todo="give the command again")
    return build(custody.log, Leaf.from_bytes(told["leaf"].encode()))
