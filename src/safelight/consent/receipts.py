"""Receipts of consent and of withdrawals: the opened log entry, with its proof."""

import json

from sqlalchemy import select

from safelight.consent.custody import Custody
from safelight.errors import ConsentError
from safelight.store.schema.consent import statements, withdrawals
from safelight.tlog import Leaf
from safelight.tlog.receipt import build

__all__ = ["of_statement", "of_withdrawal"]


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
