"""The ask box: a question about a submission, answered from facts alone (docs/ask.md)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Row

from safelight.consent.decision import standing
from safelight.consent.purposes import parse
from safelight.consent.roles import Role
from safelight.errors import SafelightError
from safelight.web.reading import Readings
from safelight.web.said import AskPage, SentenceView
from safelight.web.sessions import Who

if TYPE_CHECKING:
    from safelight.readers.labs import LabReport
    from safelight.readers.reading import Reading
    from safelight.reports.ask import Consent, Fact, Facts, Known
    from safelight.web.rooms import Rooms

__all__ = ["answered"]

_MOST: Final = 4  # groups of like files that one answer speaks of
_CANNOT: Final = "I cannot answer this from what was read. Please ask your doctor."
_BLIND: Final = "Write down your own view first."
_MORE: Final = "There are more files; what was read of each stands on the page of the reading."


def answered(readings: Readings, who: Who, row: Row[Any], question: str) -> AskPage:
    """Answer a question from what was read of a submission, from cards and from consents.

    Args:
        readings: Of the server.
        who: Who asks; a clinician gets answers after their own impression.
        row: Of the submission.
        question: Whatever was typed; nothing of it gets into the answer.
    """
    from safelight.reports.ask import ask  # noqa: PLC0415  # start-up cost

    told = {"submission": row.id, "question": question}
    if readings.blind(who, row):
        return AskPage(**told, answer=_BLIND, unanswered=True)
    reply = ask(question, _facts(readings, who, row))
    if not reply.said:
        return AskPage(**told, answer=_CANNOT, unanswered=True, menu=list(reply.menu))
    return AskPage(
        **told,
        answer=" ".join(one.text for one in reply.said),
        sentences=[SentenceView(text=one.text, facts=list(one.facts)) for one in reply.said],
        sources=list(dict.fromkeys(name for one in reply.said for name in one.facts)),
    )


def _facts(readings: Readings, who: Who, row: Row[Any]) -> "Facts":
    """Return all facts that may be told to somebody about a submission."""
    from safelight.reports.ask import Facts, Known, Topic, gather  # noqa: PLC0415  # as above
    from safelight.reports.cards import sentences  # noqa: PLC0415  # as above

    rooms = readings.rooms
    own = who.owns(row.person)
    readers = rooms.board.panels.now().registry.readers
    cards = {each.name: tuple(sentences(each.card)) for each in readers}

    def known(reading: "Reading | None", labs: "LabReport | None" = None) -> "Known":
        return Known(
            reading=reading,
            labs=labs,
            cards=cards,
            consents=_consents(rooms, row.person) if own else None,
            clinician=who.has(Role.CLINICIAN) and not own,
            page=True,
        )

    always = gather(known(None)).all
    common = {fact.id for fact in always}
    groups: dict[tuple[tuple[str, str], ...], tuple[list[int], list[Fact]]] = {}
    for n, reading, labs in _read(readings, row):
        facts = [fact for fact in gather(known(reading, labs)).all if fact.id not in common]
        alike = tuple((fact.id, fact.text) for fact in facts)
        groups.setdefault(alike, ([], facts))[0].append(n + 1)
    if not groups:
        return Facts(always)
    told = {fact.topic for _, facts in groups.values() for fact in facts}
    lacking = {Topic.NO_IMAGE: Topic.KIND, Topic.NO_LABS: Topic.LAB_NEXT}
    made = [fact for fact in always if lacking.get(fact.topic) not in told]
    several = len(groups) > 1
    for numbers, facts in list(groups.values())[:_MOST]:
        made += [_named(fact, numbers) for fact in facts] if several else facts
    if len(groups) > _MOST:
        made.append(_note(_MORE))
    return Facts(made)


def _note(text: str) -> "Fact":
    from safelight.reports.ask import Fact, Topic  # noqa: PLC0415  # start-up cost

    return Fact(id="files.more", topic=Topic.KIND, text=text)


def _named(fact: "Fact", numbers: Sequence[int]) -> "Fact":
    """Return a fact that says of which files it is."""
    from dataclasses import replace  # noqa: PLC0415  # beside its one use

    last = f" and {len(numbers) - 1} more like it" if len(numbers) > 1 else ""
    name = f"file{numbers[0]}"
    return replace(
        fact,
        id=f"{name}.{fact.id}",
        text=f"File {numbers[0]}{last}: {fact.text}",
        group=f"{name}.{fact.group}" if fact.group else "",
    )


def _read(
    readings: Readings, row: Row[Any]
) -> "list[tuple[int, Reading | None, LabReport | None]]":
    """Return the readings of a submission that are there and may be shown.

    A file of lab results has these and no picture.
    """
    found: list[tuple[int, Reading | None, LabReport | None]] = []
    for item in readings.rooms.items.rows(row.id):
        if item.state != "done":
            continue
        try:
            labs = readings.labs(row.person, row.id, item.position)
            reading = readings.of(row.person, row.id, item.position)
        except SafelightError:
            continue  # the page of the reading tells what is wrong with it
        if labs is not None:
            found.append((item.position, None, labs))
        elif reading is not None:
            found.append((item.position, reading, None))
    return found


def _consents(rooms: "Rooms", person: str) -> "list[Consent]":
    """Return what a person said about each purpose, as it stands now."""
    from safelight.reports.ask import Consent  # noqa: PLC0415  # start-up cost

    def agreed(conn: Connection, purpose: str, policy: str) -> bool:
        return rooms.custody.consents.may(conn, person, purpose, policy).allowed

    with rooms.store.read() as conn:
        said = [one.statement for one in rooms.custody.consents.history(conn, person)]
        last = [standing(said, name) for name in sorted({one.purpose for one in said})]
        return [
            Consent(
                purpose=parse(one.purpose).meaning, agreed=agreed(conn, one.purpose, one.policy)
            )
            for one in last
            if one is not None
        ]
