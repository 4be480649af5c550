"""How far a withdrawal is, and what its receipt states."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from safelight.consent.disclosures import NONE, Disclosure
from safelight.consent.purposes import ALL
from safelight.consent.retention import RETENTION
from safelight.store.schema.consent import artefacts, withdrawal_steps

__all__ = [
    "FAILED",
    "REMOVED",
    "TO_DO",
    "Outcome",
    "concerned",
    "facts_of",
    "held_since",
    "steps_of",
]

TO_DO: Final = "to do"
REMOVED: Final = "removed"
FAILED: Final = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How far a withdrawal is.

    Attributes:
        id: Of the withdrawal.
        person: Code of the person.
        purpose: The purpose withdrawn; ``*`` for all; ``retention`` for what is past its time.
        stage: The last stage that is complete.
        asked_at: When it was recorded: since then every use is denied.
        removed: How many artefacts are removed.
        failed: How many could not be removed yet.
        recalled: How many disclosures recipients are to be told of.
        facts: What the receipt states, once it is done; else empty.
    """

    id: str
    person: str
    purpose: str
    stage: str
    asked_at: datetime
    removed: int
    failed: int
    recalled: int
    facts: dict[str, Any]


def steps_of(conn: Connection, wanted: str) -> list[Row[Any]]:
    """Return what a withdrawal has to remove, in order."""
    found = select(withdrawal_steps).where(withdrawal_steps.c.withdrawal == wanted)
    return list(conn.execute(found.order_by(withdrawal_steps.c.number)).all())


def concerned(row: Row[Any], handed: Sequence[Disclosure]) -> list[Disclosure]:
    """Return the disclosures that a withdrawal asks recipients to delete."""
    if row.purpose == RETENTION:
        recalled = json.loads(row.receipt).get("recalled", []) if row.receipt else []
        return [one for one in handed if one.id in recalled]
    return [one for one in handed if one.answer != NONE and row.purpose in (ALL, one.purpose)]


def held_since(conn: Connection, row: Row[Any], handed: Sequence[Disclosure]) -> list[Disclosure]:
    """Return what was handed out for the purposes of what a retention removes, since it was made.

    What exactly was in it is sealed; some of it may be younger. Its recipients are told all the
    same: too much is deleted rather than too little.
    """
    steps = steps_of(conn, row.id)
    going = {(step.kind, step.object) for step in steps}
    found = select(artefacts).where(artefacts.c.person == row.person)
    first: dict[str, datetime] = {}
    for one in conn.execute(found).all():
        if (one.kind, one.object) in going:
            first[one.purpose] = min(one.made_at, first.get(one.purpose, one.made_at))
    return [one for one in handed if one.purpose in first and one.at >= first[one.purpose]]


def facts_of(conn: Connection, row: Row[Any], handed: Sequence[Disclosure]) -> dict[str, Any]:
    """Return what the receipt states: opaque codes, classes, digests, recipients.

    Args:
        conn: A transaction.
        row: Of the withdrawal.
        handed: All disclosures of the person.
    """
    earlier = json.loads(row.receipt) if row.receipt else {}
    return {
        "withdrawal": row.id,
        "person": row.person,
        "purpose": row.purpose,
        ("past_its_time_at" if row.purpose == RETENTION else "denied_since"): (
            row.asked_at.isoformat()
        ),
        "key_destroyed": row.purpose == ALL,
        "backups_out_of_reach": int(earlier.get("backups_out_of_reach", 0)),
        "artefacts": [
            {"kind": s.kind, "before": s.digest, "after": s.after, "action": s.outcome}
            for s in steps_of(conn, row.id)
        ],
        "not_recalled": [
            {
                "recipient": one.recipient,
                "contact": one.contact,
                "disclosed_at": one.at.isoformat(),
                "kind": one.kind,
                "count": one.count,
                "purpose": one.purpose,
                "answer": one.answer,
                "due_at": one.due_at.isoformat() if one.due_at else "",
            }
            for one in concerned(row, handed)
        ],
    }
