"""What people say of answers: a clinician's own impression first, then right or needs work."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row

from safelight.errors import FeedbackError
from safelight.feedback.book import Book
from safelight.feedback.values import KIND, Basis, Verdict, Voice, subject
from safelight.readers.reading import Answer, Reading
from safelight.web.forms import BadRequestError
from safelight.web.reading import Readings
from safelight.web.sessions import Who
from safelight.web.who import MissingError

if TYPE_CHECKING:
    from safelight.web.rooms import Rooms

__all__ = ["given", "thought"]

_VERDICTS: Final = {
    "right": Verdict.RIGHT,
    "wrong": Verdict.NEEDS_WORK,
    "unsure": Verdict.CANNOT_TELL,
}
_BASES: Final = {
    "own": Basis.OWN_READING,
    "follow-up": Basis.FOLLOW_UP,
    "pathology": Basis.PATHOLOGY,
}
_MOST_TOPICS: Final = 60  # of one submission that an impression is put on record for


def _topics(reading: Reading) -> list[str]:
    """Return what a reading answers: the kind, and each finding that was asked for."""
    asked = [one for one in reading.findings if one.answer is not Answer.NOT_MY_KIND]
    return list(dict.fromkeys([KIND, *(subject(one.finding) for one in asked)]))


def thought(rooms: "Rooms", who: Who, row: Row[Any], words: str, thoughts: Sequence[str]) -> None:
    """Put a clinician's own impression on record; then the answers count as shown.

    Args:
        rooms: Of the server.
        who: The clinician.
        row: Of the submission.
        words: In their words.
        thoughts: ``n|subject|answer`` for what they are sure of; the rest is ``cannot tell``.

    Raises:
        BadRequestError: A thought cannot be read.
    """
    said: dict[tuple[int, str], str] = {}
    for text in thoughts:
        n, _, rest = text.partition("|")
        about, _, answer = rest.partition("|")
        if not n.isdecimal() or not about or not answer or len(n) > 8:  # noqa: PLR2004  # digits
            raise BadRequestError("a thought is written n|subject|answer", place="thoughts")
        said[int(n), about] = answer
    readings = Readings(rooms)
    book = Book(rooms.custody)
    left = _MOST_TOPICS
    if who.owns(row.person) or not _speaks(who):
        readings.keep_impression(who, row, words)
        return
    for position, seen in sorted(rooms.items.seen(row.id).items()):
        reading = readings.of(row.person, row.id, position) if seen.noted else None
        for about in _topics(reading) if reading is not None else ():
            if left <= 0:
                break
            left -= 1
            with rooms.store.read() as conn:
                known = book.impression(conn, who.actor, seen.noted, about)
            if not known:
                answer = said.get((position, about), str(Answer.CANNOT_TELL))
                book.impress(who.actor, seen.noted, about, answer)
            book.uncover(who.actor, seen.noted, about)
    readings.keep_impression(who, row, words)


def _speaks(who: Who) -> bool:
    from safelight.consent.roles import Role  # noqa: PLC0415  # beside its one use

    return who.has(Role.CLINICIAN)


def given(rooms: "Rooms", who: Who, row: Row[Any], told: Mapping[str, Any]) -> None:
    """Keep feedback on an answer.

    Args:
        rooms: Of the server.
        who: Who says it.
        row: Of the submission.
        told: ``n``, ``reader`` (or ``kind``), ``verdict``, ``says``, ``basis``, ``words``.

    Raises:
        MissingError: There is no such answer.
        FeedbackError: It contradicts itself, or comes before an own impression.
        AccessDeniedError: They may not.
    """
    n = int(told["n"])
    seen = rooms.items.seen(row.id).get(n)
    reading = Readings(rooms).of(row.person, row.id, n)
    if seen is None or reading is None or not seen.noted:
        raise MissingError("there is no answer to this file yet")
    reader = str(told["reader"])
    about = KIND
    if reader != KIND:
        fitting = [one for one in reading.findings if one.reader == reader]
        if not fitting:
            raise MissingError("no such reader answered")
        about = subject(fitting[0].finding)
    own = who.owns(row.person)
    basis = _BASES[told["basis"]]
    if own and basis is Basis.OWN_READING:
        basis = Basis.FOLLOW_UP  # a person says what their doctor found
    try:
        Book(rooms.custody).give(
            who.actor,
            seen.noted,
            about,
            _VERDICTS[told["verdict"]],
            voice=Voice.PERSON if own else Voice.CLINICIAN,
            basis=basis,
            corrected=told["says"],
            reader=reader,
            text=told["words"],
        )
    except FeedbackError as error:
        raise FeedbackError(error.what, kept="nothing was written down", todo=error.todo) from None
