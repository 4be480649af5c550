"""A process beside the server: takes parcels in, de-identifies, reads, withdraws, tidies up.

It is told where the house lies on its standard input, and ends when that closes: when the server
stops, or dies.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, select, update

from safelight import log, settings
from safelight.deid import profile
from safelight.deid.boxes import Region
from safelight.deid.pseudonyms import ProjectKey
from safelight.dicomio.limits import Limits
from safelight.errors import SafelightError
from safelight.feedback.book import Book
from safelight.feedback.scoreboard import Scoreboard
from safelight.pipeline.house import Places
from safelight.store.faults import reach
from safelight.store.schema.consent import withdrawals
from safelight.store.schema.feedback import entries
from safelight.store.schema.submissions import submissions
from safelight.store.schema.vault import objects, people
from safelight.store.schema.web import accounts, items_seen
from safelight.web.accounts import Accounts
from safelight.web.cleaning import PageWorker
from safelight.web.desk import Desk, Options
from safelight.web.taking import Taking
from safelight.web.turning import BEFORE
from safelight.web.watching import Watched

__all__ = ["STUCK", "WELL", "Chores", "engine_maker", "main", "order"]

WELL: Final = b"1"  # what a worker says of itself
STUCK: Final = b"0"

_AGAIN: Final = 5.0  # seconds between two tries of settings that do not work
_PAUSE: Final = 0.3  # seconds between two looks for work
_TIDY: Final = 30.0  # seconds between two rounds of tidying up
_SCORED: Final = 3600.0  # seconds between two looks at the scoreboard without new feedback
_SCORED_SOON: Final = 60.0  # with new feedback
_SWEPT: Final = 86_400.0  # seconds between two searches for what no row names
_ENDED: Final = 3600.0  # seconds between two looks for what is past its time
_WATCH: Final = timedelta(hours=1)  # in which an erased person can watch the end of it


class Chores:
    """What a worker does, one round after another.

    Args:
        desk: The house.
        chosen: Settings of de-identification.
        say: Is told whether files can be de-identified with these settings, when that changes.
    """

    def __init__(
        self,
        desk: Desk,
        chosen: settings.Settings,
        say: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._desk = desk
        self._store = desk.house.store
        self._taking = Taking(desk)
        self._chosen = chosen
        self._worker: PageWorker | None = None
        self._say = say
        self._tried = -_AGAIN
        self._tidied = -_TIDY
        self._scored = -_SCORED
        self._heard = -1
        self._swept = -_SWEPT
        self._ended = -_ENDED

    def round(self) -> int:
        """Do what waits; return how much there was."""
        count = self._withdraw() + self._taking.run()
        cleaner = self._cleaner()
        if cleaner is not None and self._waiting():
            count += cleaner.run(1)
        if time.monotonic() - self._tidied >= _TIDY:
            self._tidied = time.monotonic()
            self.tidy()
        self.score()
        return count + self.end()

    def score(self, *, now: bool = False) -> None:
        """Let the scoreboard take readers out of service: hourly, and soon after new feedback.

        Args:
            now: Whether or not it is time.
        """
        since = time.monotonic() - self._scored
        if not now and since < _SCORED_SOON:
            return
        with self._store.read() as conn:
            heard = conn.execute(select(func.max(entries.c.number))).scalar() or 0
        if not now and since < _SCORED and heard == self._heard:
            return
        self._scored, self._heard = time.monotonic(), heard
        custody = self._desk.house.custody
        for noted in Scoreboard(custody, Book(custody)).update():
            log.event("scoreboard", kind=noted.kind, reader=noted.reader, version=noted.version)

    def end(self, *, now: bool = False) -> int:
        """Remove what is past the time that its policy says; hourly. Return of how many people.

        Args:
            now: Whether or not it is time.
        """
        if not now and time.monotonic() - self._ended < _ENDED:
            return 0
        self._ended = time.monotonic()
        ended = self._desk.house.custody.ending.run()
        for one in ended:
            log.event("retention", kind=one.stage, done=one.removed)
        return len(ended)

    def _waiting(self) -> bool:
        """Tell whether a submission waits, or was left by somebody who died."""
        found = select(submissions.c.id).where(submissions.c.state.in_(("waiting", "working")))
        with self._store.read() as conn:
            return conn.execute(found.limit(1)).first() is not None

    def _cleaner(self) -> PageWorker | None:
        """Return what de-identifies; None while the settings allow none, and say so."""
        if self._worker is None and time.monotonic() - self._tried >= _AGAIN:
            self._tried = time.monotonic()
            try:
                make, most = engine_maker(self._chosen)
            except SafelightError as error:  # the rest of the work goes on: people withdraw
                log.event("worker-late", reason=error.code)
                self._say(False)  # noqa: FBT003  # the one thing it says
                return None
            self._worker = PageWorker(self._desk, make, most=most)
            self._say(True)  # noqa: FBT003  # as above
        return self._worker

    def _withdraw(self) -> int:
        under_way = select(withdrawals.c.id).where(withdrawals.c.stage != "done")
        with self._store.read() as conn:
            if conn.execute(under_way.limit(1)).first() is None:
                return 0
        outcomes = self._desk.house.custody.withdrawals.resume()
        reach("web.withdrawn")
        return sum(one.stage == "done" for one in outcomes)

    def tidy(self) -> None:
        """Let originals go whose time is over, drop what was given up, forget the erased."""
        vault, custody = self._desk.house.vault, self._desk.house.custody
        now = self._store.clock.now()
        over = select(objects.c.person, objects.c.kind, objects.c.object).where(
            objects.c.kind.in_(("original", BEFORE)),
            objects.c.keep_until <= now,
            objects.c.state == "whole",
        )
        with self._store.begin() as conn:
            for row in conn.execute(over).all():
                custody.lineage.removed(conn, row.person, row.kind, row.object)
            vault.shelf.expire(conn, now)
            gone = select(people.c.id).where(people.c.state == "erased")
            theirs = update(accounts).where(accounts.c.person.in_(gone))
            conn.execute(theirs.values(name=None, password=""))
            late = gone.where(people.c.erased <= now - _WATCH)
            for person in conn.execute(late).scalars().all():
                Accounts.forget(conn, person)
            known = select(submissions.c.id)
            conn.execute(items_seen.delete().where(items_seen.c.submission.not_in(known)))
        vault.shelf.purge()
        self._taking.sweep()
        if time.monotonic() - self._swept >= _SWEPT:
            self._swept = time.monotonic()
            vault.sweep()


def engine_maker(chosen: settings.Settings) -> tuple[Any, int]:
    """Return what makes engines for masks of people, and the most bytes of one input."""
    key = ProjectKey.load_or_create(chosen.key_path)
    wanted = profile.load(chosen.preset)
    limits = Limits(**chosen.limits)
    base: list[Watched] = []

    def make(mask: str, spared: Sequence[Region]) -> Watched:
        if base and not mask and not spared:
            return base[0]
        made = Watched(
            key=key,
            profile=wanted,
            limits=limits,
            pixels=chosen.pixels,
            mask=";".join(each for each in (chosen.mask, mask) if each),
            mask_file=chosen.mask_file,
        )
        made.spared = spared
        if base:
            made.share(base[0])
        elif not mask and not spared:
            base.append(made)
        return made

    make("", ())
    return make, limits.decoded_bytes


def order(desk: Desk, chosen: settings.Settings) -> bytes:
    """Return what a worker is told on its standard input: one line of JSON."""
    told = {
        "places": asdict(desk.places),
        "settings": {each.name: getattr(chosen, each.name) for each in fields(chosen)},
        "keep_hours": desk.options.keep_hours,
    }
    return json.dumps(told).encode() + b"\n"


def main() -> None:
    """Work until the server is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server says when
    say = _voice()
    told = json.loads(sys.stdin.buffer.readline())
    chosen = settings.Settings(**told["settings"])
    log.configure(chosen.log_file)
    stop = threading.Event()

    def watch() -> None:
        # Not through the buffer: its lock, held at the end of the process, would abort it.
        while os.read(sys.stdin.fileno(), 1):
            pass
        stop.set()

    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=watch, daemon=True).start()
    os.nice(5)  # pages are answered first
    desk = Desk.open(Places(**told["places"]), Options(keep_hours=told["keep_hours"]))
    try:
        chores = Chores(desk, chosen, say)
        log.event("worker-started")
        while not stop.is_set():
            if not _round(chores):
                stop.wait(_PAUSE)
    finally:
        desk.close()


def _voice() -> Callable[[bool], None]:
    """Return what tells the server whether this worker can de-identify: a byte of its output."""
    voice = os.dup(1)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)  # nothing else is said there

    def say(well: bool) -> None:  # noqa: FBT001  # the one thing it says
        with suppress(OSError):  # the server is gone
            os.write(voice, WELL if well else STUCK)

    return say


def _round(chores: Chores) -> int:
    """Do one round; what fails is logged by its kind, and tried again."""
    try:
        return chores.round()
    except SafelightError as error:
        log.event("worker-late", reason=error.code)
        time.sleep(_PAUSE)
        return 0


if __name__ == "__main__":
    main()
