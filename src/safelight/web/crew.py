"""The workers beside a server: started with it, started again when one dies, gone when it goes."""

import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Final

from safelight import log
from safelight.settings import Settings
from safelight.web.desk import Desk
from safelight.web.worker import STUCK, order

__all__ = ["Crew"]

_LOOK: Final = 1.0  # seconds between two looks at them
_GRACE: Final = 10.0
_FALLEN: Final = 3  # ends without a word that are no accident any more
_HEARD: Final = 4096


class Crew:
    """Worker processes.

    Args:
        desk: The house.
        chosen: Settings of de-identification.
        size: How many.
    """

    def __init__(self, desk: Desk, chosen: Settings, size: int) -> None:
        self._order = order(desk, chosen)
        self._size = size
        self._hands: list[subprocess.Popen[bytes]] = []
        self._said: dict[int, bytes] = {}  # by process, what it said last
        self._fallen = 0  # workers that ended in turn without a word
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start them, and keep them there."""
        self._fill()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def alive(self) -> int:
        """Return how many are there."""
        return sum(one.poll() is None for one in self._hands)

    def stuck(self) -> bool:
        """Return whether files wait because no worker can de-identify with these settings."""
        return self._fallen >= _FALLEN or STUCK in self._said.values()

    def _listen(self) -> None:
        """Hear what they say; it is a byte now and then."""
        for hand in self._hands:
            if hand.stdout is None:
                continue
            try:
                told = os.read(hand.stdout.fileno(), _HEARD)
            except BlockingIOError:
                continue
            if told:
                self._said[hand.pid] = told[-1:]
                self._fallen = 0

    def _fill(self) -> None:
        for hand in [one for one in self._hands if one.poll() is not None]:
            self._hands.remove(hand)
            self._fallen += self._said.pop(hand.pid, None) is None
            for pipe in (hand.stdin, hand.stdout):
                if pipe is not None:
                    with suppress(OSError):  # what was not read is nobody's any more
                        pipe.close()
        while len(self._hands) < self._size:
            hand = subprocess.Popen(  # our own module, no value of anybody's
                [sys.executable, "-m", "safelight.web.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
            if hand.stdout is not None:
                os.set_blocking(hand.stdout.fileno(), False)
            if hand.stdin is not None:
                with suppress(BrokenPipeError):  # it ended already; that is seen soon
                    hand.stdin.write(self._order)  # it stays open: its end is the server's
            self._hands.append(hand)

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK):
            self._listen()
            if self.alive() < self._size:
                log.event("worker-ended")
                self._fill()

    def stop(self) -> None:
        """Let them end what they are at, for a few seconds; leases take care of the rest."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for hand in self._hands:
            if hand.stdin is not None:
                hand.stdin.close()
        for hand in self._hands:
            try:
                hand.wait(_GRACE)
            except subprocess.TimeoutExpired:
                hand.kill()
                hand.wait()
            if hand.stdout is not None:
                hand.stdout.close()
