"""Readers' cards and what people said of their answers, for the scoreboard."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from safelight.feedback.board import Slice
from safelight.feedback.book import Book
from safelight.feedback.scoreboard import Row, Scoreboard
from safelight.web.records import ReaderCard

if TYPE_CHECKING:
    from safelight.web.rooms import Rooms

__all__ = ["cards_of"]


def cards_of(rooms: "Rooms") -> tuple[list[ReaderCard], dict[str, int]]:
    """Return the readers that answered here, and how many images each verdict was reached on."""
    board = Scoreboard(rooms.custody, Book(rooms.custody))
    with rooms.store.read() as conn:
        rows = board.rows(conn)
    told: Counter[str] = Counter()
    for row in rows:
        told.update(right=row.whole.right, wrong=row.whole.wrong, confirmed=row.whole.confirmed)
    return [_card(row) for row in rows], dict(told)


def _card(row: Row) -> ReaderCard:
    return ReaderCard(
        reader=row.reader,
        version=row.version,
        state=str(row.state),
        finding=row.about,
        kind="",
        numbers=_numbers(row.whole) | {"evidence": round(row.evidence, 3)},
        card=row.card,
        summary=row.reason,
    )


def _numbers(whole: Slice) -> dict[str, Any]:
    """Return counts of one version; none of them is about one person."""
    return {
        "images": whole.images,
        "answered": whole.answered,
        "abstained": sum(whole.abstained.values()),
        "confirmed": whole.confirmed,
        "right": whole.right,
        "wrong": whole.wrong,
        "missed": whole.missed.count,
        "missed_of": whole.missed.of,
        "false_alarms": whole.false_alarms.count,
        "false_alarms_of": whole.false_alarms.of,
    }
