"""Readings as the page shows them: from the vault, by who looks."""

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row, insert, select

from safelight.consent.roles import Role
from safelight.errors import SafelightError, StoreError
from safelight.feedback.held import restrained
from safelight.feedback.values import subject
from safelight.pipeline.submissions import object_name
from safelight.readers.reading import Answer, Finding, Reading, State
from safelight.readers.reading_json import loads
from safelight.store.schema.web import impressions
from safelight.web import external, labs
from safelight.web.models import Problem
from safelight.web.said import (
    AnswerView,
    AskedView,
    ItemReading,
    MeasurementView,
    ReadingPage,
)
from safelight.web.sessions import Who

if TYPE_CHECKING:
    from safelight.readers.labs import LabReport
    from safelight.web.rooms import Rooms

__all__ = ["READING", "Readings", "page_of"]

READING: Final = "reading"  # kind of a reading in the vault
_LABS: Final = "lab results"
_IMPRESSION: Final = "web-impression"
_MOST_ASKED: Final = 40  # findings that a clinician is asked about at once
_DISCLAIMER: Final = (
    "This is not a diagnosis. It is not a medical device. Ask a doctor before you act on it."
)
_ASK: Final = (
    "The doctor or the clinic that ordered the examination.",
    "If you feel very ill now, call an ambulance; do not wait for anything shown here.",
)
_WORDS: Final = {
    Answer.SEEN: "Seen.",
    Answer.NOT_SEEN: "Not seen.",
    Answer.CANNOT_TELL: "I cannot tell.",
    Answer.UNLIKE: "I cannot read this: it is unlike anything that I was checked on.",
    Answer.NOT_MY_KIND: "I cannot read this kind of image.",
    Answer.SITE: "I have not been checked at this place yet, so I say nothing.",
    Answer.UNREADABLE: "I cannot read this.",
}


class Readings:
    """The readings of a server."""

    def __init__(self, rooms: "Rooms") -> None:
        self._rooms = rooms

    @property
    def rooms(self) -> "Rooms":
        """What the server stands on."""
        return self._rooms

    def of(self, person: str, submission: str, n: int) -> Reading | None:
        """Return the reading of one item as it may be shown today; None when there is none."""
        try:
            data = b"".join(self._rooms.vault.get(person, READING, object_name(submission, n)))
        except StoreError:
            return None
        with self._rooms.store.read() as conn:
            return restrained(conn, loads(data))

    def labs(self, person: str, submission: str, n: int) -> "LabReport | None":
        """Return the lab results of one item; None when it has none."""
        return labs.kept(self._rooms.vault, person, submission, n)

    def blind(self, who: Who, row: Row[Any]) -> bool:
        """Tell whether somebody is a clinician who has to say first what they think."""
        clinician = who.has(Role.CLINICIAN) and not who.owns(row.person)
        return clinician and not self.impression(who, row)

    def impression(self, who: Who, row: Row[Any]) -> str:
        """Return what somebody thought before they saw an answer; empty when nothing yet."""
        mine = (impressions.c.submission == row.id, impressions.c.account == who.account)
        with self._rooms.store.read() as conn:
            found = conn.execute(select(impressions).where(*mine)).first()
        if found is None:
            return ""
        vault = self._rooms.vault
        opened = vault.open_small(row.person, _IMPRESSION, row.id + who.account, found.sealed)
        return str(json.loads(opened)["words"])

    def keep_impression(self, who: Who, row: Row[Any], words: str) -> None:
        """Keep what a clinician thinks; the first one stands."""
        told = json.dumps({"words": words}).encode()
        sealed = self._rooms.vault.seal_small(row.person, _IMPRESSION, row.id + who.account, told)
        mine = (impressions.c.submission == row.id, impressions.c.account == who.account)
        with self._rooms.store.begin() as conn:
            if conn.execute(select(impressions.c.account).where(*mine)).first():
                return
            values = {"submission": row.id, "account": who.account, "person": row.person}
            made = self._rooms.store.clock.now()
            conn.execute(insert(impressions).values(**values, sealed=sealed, made=made))


def page_of(
    readings: Readings, who: Who, row: Row[Any], may: list[str], *, emergency: bool = False
) -> ReadingPage:
    """Return the page of a submission's readings for whoever looks.

    In an emergency it is what the person sees: nobody is asked first, and nothing can be said.
    """
    rooms = readings.rooms
    clinician = who.has(Role.CLINICIAN) and not who.owns(row.person) and not emergency
    thought = readings.impression(who, row) if clinician else ""
    blind = readings.blind(who, row) and not emergency
    seen = rooms.items.seen(row.id)
    told, left = [], _MOST_ASKED
    for item in rooms.items.rows(row.id):
        mark = seen[item.position].reading if item.position in seen else "none"
        one = _item(readings, row, item, mark, blind=blind, clinician=clinician)
        del one.asks[left:]
        left -= len(one.asks)
        told.append(one)
    return ReadingPage(
        submission=row.id,
        person=row.person,
        items=told,
        blind=blind,
        impression=thought,
        may=may,
        disclaimer=_DISCLAIMER,
        who_to_ask=list(_ASK),
        external=external.listed(rooms, row) if clinician and not blind else [],
    )


def _item(
    readings: Readings, row: Row[Any], item: Row[Any], mark: str, *, blind: bool, clinician: bool
) -> ItemReading:
    if item.state != "done":
        problem = Problem(code=item.reason, what=item.what, place=item.place, todo=item.todo)
        waiting = item.state == "waiting"
        return ItemReading(
            n=item.position,
            state="waiting" if waiting else "none",
            problem=None if waiting else problem,
        )
    try:
        reading = readings.of(row.person, row.id, item.position)
    except SafelightError as error:
        problem = Problem(code=error.code, what=error.what, todo=error.todo)
        return ItemReading(n=item.position, state="none", problem=problem)
    if reading is None:
        return ItemReading(n=item.position, state="waiting" if mark == "waiting" else "none")
    if blind:
        return ItemReading(n=item.position, state="withheld", asks=_asked(reading))
    told = _told(item.position, reading, clinician=clinician)
    report = readings.labs(row.person, row.id, item.position)
    if report is not None:
        told = told.model_copy(
            update={"kind": _LABS, "kind_why": "", "labs": labs.view(report), "notes": []}
        )
    return told


def _asked(reading: Reading) -> list[AskedView]:
    """Return the findings that readers answered, each once; not what they answered."""
    asked = {
        subject(one.finding): one.finding.meaning
        for one in reading.findings
        if one.answer is not Answer.NOT_MY_KIND and one.state is not State.REFUSED
    }
    return [AskedView(subject=about, finding=meaning) for about, meaning in asked.items()]


def _told(n: int, reading: Reading, *, clinician: bool) -> ItemReading:
    kind = reading.kind
    return ItemReading(
        n=n,
        state="done",
        kind=kind.kind.value if kind.kind is not None else "",
        kind_why=kind.why,
        disagree=kind.disagree,
        quality=[one.text for one in reading.quality],
        measurements=[
            MeasurementView(
                name=one.name.meaning,
                value=one.value,
                unit=one.unit,
                place=one.place,
                method=one.method,
                refused=one.refused,
            )
            for one in reading.measurements
        ],
        answers=[
            _answer(one, clinician=clinician)
            for one in reading.findings
            if clinician or one.state is not State.SHADOW
        ],
        notes=list(reading.notes),
    )


def _answer(one: Finding, *, clinician: bool) -> AnswerView:
    """Return an answer; a person is shown decided ones of validated readers only."""
    hidden = one.answer.decided and one.state is not State.VALIDATED and not clinician
    answer = Answer.CANNOT_TELL if hidden else one.answer
    more: dict[str, Any] = {}
    if clinician:
        more = {
            "p_seen": one.p_seen,
            "p_not_seen": one.p_not_seen,
            "score": one.score,
            "cells": [list(row) for row in one.cells],
            "neighbours": [
                {"case": each.case, "label": each.label, "distance": each.distance}
                for each in one.neighbours
            ],
        }
    return AnswerView(
        reader=one.reader,
        version=one.version,
        finding=one.finding.meaning,
        answer=str(answer),
        words=_WORDS[answer],
        promise=one.promise,
        reason=one.reason,
        cannot_see=list(one.cannot_see),
        next_step=one.next_step,
        state=str(one.state),
        research_only=one.research_only,
        card=one.card,
        **more,
    )
