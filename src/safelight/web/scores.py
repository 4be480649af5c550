"""Readers' cards and what people said of their answers, for the scoreboard."""

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from safelight.consent.custody import Custody
from safelight.feedback.board import Slice
from safelight.feedback.book import Book
from safelight.feedback.scoreboard import Row, Scoreboard
from safelight.pipeline.panel import Panels
from safelight.web.records import BoardPage, ReaderCard

if TYPE_CHECKING:
    from safelight.web.rooms import Rooms

__all__ = ["Board", "cards_of"]

_FRESH: Final = 60.0  # seconds that the public page is kept: anybody may ask for it, at will


class Board:
    """The scoreboard as anyone may see it.

    Args:
        custody: Of the house.

    Attributes:
        panels: Who may be asked, learnt versions too.
    """

    def __init__(self, custody: Custody) -> None:
        self._custody = custody
        self.panels: Final = Panels(custody)
        self._lock = threading.Lock()
        self._made = -_FRESH
        self._page: BoardPage | None = None

    def page(self) -> BoardPage:
        """Return the page, at most a minute old; small cells are left out."""
        from safelight.feedback.cards import said  # noqa: PLC0415  # start-up cost

        with self._lock:
            if self._page is None or time.monotonic() - self._made >= _FRESH:
                board = Scoreboard(self._custody, Book(self._custody))
                readers = self.panels.now().registry.readers
                with self._custody.store.read() as conn:
                    told = board.public(conn, cards=said(readers))
                self._page = BoardPage(**told)
                self._made = time.monotonic()
            return self._page


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
