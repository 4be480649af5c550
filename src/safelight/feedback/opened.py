"""The book as it stands, opened: cases, what was said, and what follows from it.

Rows of people who have withdrawn what their case was for are left out from the moment they said so,
whether or not the rows are gone yet.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from safelight.consent.purposes import ALL
from safelight.errors import CorruptedError
from safelight.feedback import looks
from safelight.feedback.removers import CASE, ENTRY
from safelight.feedback.values import Basis, Box, Case, Entry, Facts, Told, Verdict, Voice
from safelight.feedback.voices import Truth, fold
from safelight.store.schema.consent import withdrawals
from safelight.store.schema.feedback import answers, cases, entries
from safelight.store.schema.vault import people
from safelight.vault import Vault
from safelight.vault.stream import bound, open_box

__all__ = [
    "ANSWERS",
    "CASE",
    "ENTRY",
    "IMPRESSION",
    "Opened",
    "of_person",
    "open_all",
    "open_case",
    "open_entries",
    "some_cases",
]

ANSWERS: Final = "feedback-answers"
IMPRESSION: Final = "feedback-impression"
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Everything that stands in the book.

    Attributes:
        cases: By id, the first one first.
        entries: In the order they came.
        image: The first case of the image that each case shows.
        truths: By first case and subject.
    """

    cases: dict[str, Case]
    entries: tuple[Entry, ...]
    image: dict[str, str] = field(default_factory=dict)
    truths: dict[tuple[str, str], Truth] = field(default_factory=dict)

    def images(self) -> Iterator[Case]:
        """Yield the first case of each image."""
        for case in self.cases.values():
            if self.image[case.id] == case.id:
                yield case


class _Keys:
    """The keys of the people in one call, each asked for once."""

    def __init__(self, vault: Vault, conn: Connection) -> None:
        self._vault = vault
        self._conn = conn
        self._small: dict[str, bytes] = {}

    def open(self, person: str, kind: str, name: str, sealed: bytes) -> dict[str, Any]:
        """Return what is sealed."""
        key = self._small.get(person)
        if key is None:
            key = self._small[person] = self._vault.people.keys(person, self._conn).small
        return dict(json.loads(open_box(key, bound(person, kind, name), sealed)))


def open_all(vault: Vault, conn: Connection) -> Opened:
    """Open the book.

    Args:
        vault: An open vault.
        conn: Any transaction.

    Raises:
        CorruptedError: A row was altered.
    """
    keys, gone = _Keys(vault, conn), _withdrawn(conn)
    alive = people.c.state == "active"
    told = _answers(conn, keys, alive)
    found = select(cases).join(people, people.c.id == cases.c.person).where(alive)
    there = [
        replace(_case(row, keys), told=_newest(told.get(row.id, [])))
        for row in conn.execute(found).all()
        if not {(row.person, row.purpose), (row.person, ALL)} & gone
    ]
    mine = {case.id: case for case in sorted(there, key=lambda one: (one.at, one.id))}
    said = select(entries).join(people, people.c.id == entries.c.person).where(alive)
    rows = conn.execute(said).all()
    heard = sorted(
        (_entry(row, keys) for row in rows if row.case in mine), key=lambda one: one.number
    )
    image = looks.groups({case.id: (case.digest, case.look) for case in mine.values()})
    return Opened(cases=mine, entries=tuple(heard), image=image, truths=fold(heard, image))


def _withdrawn(conn: Connection) -> set[tuple[str, str]]:
    """Return people and purposes of withdrawals that are not carried out to the end yet."""
    found = select(withdrawals.c.person, withdrawals.c.purpose)
    rows = conn.execute(found.where(withdrawals.c.stage != "done")).all()
    return {(row.person, row.purpose) for row in rows}


def _answers(conn: Connection, keys: _Keys, alive: Any) -> dict[str, list[Told]]:
    found = select(answers).join(people, people.c.id == answers.c.person).where(alive)
    told: dict[str, list[Told]] = {}
    for row in conn.execute(found.order_by(answers.c.number)).all():
        # Which row it is, is not known before it is written: it is bound to its case and moment.
        value = keys.open(row.person, ANSWERS, f"{row.case}/{row.at.isoformat()}", row.sealed)
        told.setdefault(row.case, []).extend(Told(**one) for one in value["told"])
    return told


def _newest(told: list[Told]) -> tuple[Told, ...]:
    return tuple({(one.reader, one.version, one.about): one for one in told}.values())


def open_case(vault: Vault, conn: Connection, case: str) -> Case | None:
    """Return one case; None when there is none, or its person was erased."""
    row = conn.execute(select(cases).where(cases.c.id == case)).first()
    if row is None or vault.people.state(row.person, conn) != "active":
        return None
    keys = _Keys(vault, conn)
    told = _answers(conn, keys, answers.c.case == case)
    return replace(_case(row, keys), told=_newest(told.get(case, [])))


def some_cases(vault: Vault, conn: Connection, ids: Iterable[str]) -> dict[str, Case]:
    """Return some cases by id, without what was answered; those that are gone are left out.

    Args:
        vault: An open vault.
        conn: Any transaction.
        ids: Of the cases.
    """
    keys, made = _Keys(vault, conn), {}
    wanted = sorted(set(ids))
    alive = select(cases).join(people, people.c.id == cases.c.person)
    for start in range(0, len(wanted), _AT_ONCE):
        mine = cases.c.id.in_(wanted[start : start + _AT_ONCE])
        rows = conn.execute(alive.where(mine, people.c.state == "active")).all()
        made.update({row.id: _case(row, keys) for row in rows})
    return made


def of_person(vault: Vault, conn: Connection, person: str) -> list[Case]:
    """Return the cases of a person, oldest first, without what was answered."""
    keys = _Keys(vault, conn)
    found = select(cases).where(cases.c.person == person).order_by(cases.c.at, cases.c.id)
    return [_case(row, keys) for row in conn.execute(found).all()]


def open_entries(vault: Vault, conn: Connection, case: str) -> list[Entry]:
    """Return what was said of one case, in the order it came.

    Raises:
        ErasedError: The person was erased.
        CorruptedError: A row was altered.
    """
    keys = _Keys(vault, conn)
    found = select(entries).where(entries.c.case == case).order_by(entries.c.number)
    return [_entry(row, keys) for row in conn.execute(found).all()]


def _case(row: Row[Any], keys: _Keys) -> Case:
    value = keys.open(row.person, CASE, row.id, row.sealed)
    return Case(
        id=row.id,
        person=row.person,
        at=row.at,
        purpose=row.purpose,
        policy=row.policy,
        artefact=row.artefact,
        digest=value["digest"],
        look=int(value["look"], 16) if value["look"] else None,
        facts=Facts(**value["facts"]),
    )


def _entry(row: Row[Any], keys: _Keys) -> Entry:
    value = keys.open(row.person, ENTRY, row.id, row.sealed)
    value.pop("leaf")
    try:
        return Entry(
            **{name: getattr(row, name) for name in _CLEAR},
            **value
            | {
                "voice": Voice(value["voice"]),
                "basis": Basis(value["basis"]),
                "verdict": Verdict(value["verdict"]),
                "region": tuple(Box(**one) for one in value["region"]),
            },
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptedError("a line of feedback is not what was written") from error


_CLEAR: Final = ("number", "id", "case", "person", "about", "account", "at", "entry")
