"""The workers beside a server: started with it, started again when one dies, gone when it goes."""

import subprocess
import sys
import threading
from typing import Final

from safelight import log
from safelight.settings import Settings
from safelight.web.desk import Desk
from safelight.web.worker import order

__all__ = ["Crew"]

_LOOK: Final = 1.0  # seconds between two looks at them
_GRACE: Final = 10.0


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

    def _fill(self) -> None:
        self._hands = [one for one in self._hands if one.poll() is None]
        while len(self._hands) < self._size:
            hand = subprocess.Popen(  # our own module, no value of anybody's
                [sys.executable, "-m", "safelight.web.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
            )
            if hand.stdin is not None:
                hand.stdin.write(self._order)
                hand.stdin.flush()  # it stays open: its end is the server's
            self._hands.append(hand)

    def _watch(self) -> None:
        while not self._stop.wait(_LOOK):
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
