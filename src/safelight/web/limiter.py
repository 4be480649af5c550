"""A token bucket for each key: so many a minute, no more; kept in memory, bounded."""

import threading
import time
from typing import Final

from safelight.errors import SafelightError

__all__ = ["Limiter", "TooManyError"]

_MOST_KEYS: Final = 10_000
_MINUTE: Final = 60.0


class TooManyError(SafelightError):
    """Too many requests of one sort in a short time."""

    code = "too-many"
    default_kept = "nothing was changed"
    default_todo = "wait a minute, then try again"


class Limiter:
    """Counts by key.

    Args:
        rate: How many a minute; as many may come at once.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._lock = threading.Lock()
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str) -> None:
        """Count one.

        Raises:
            TooManyError: The bucket of this key is empty.
        """
        now = time.monotonic()
        with self._lock:
            if len(self._left) > _MOST_KEYS:  # the fullest buckets belong to nobody who hurries
                self._left = {k: v for k, v in self._left.items() if now - v[1] < _MINUTE}
            left, at = self._left.get(key, (float(self._rate), now))
            left = min(float(self._rate), left + (now - at) * self._rate / _MINUTE)
            if left < 1:
                raise TooManyError("there were too many tries in a short time")
            self._left[key] = (left - 1, now)
