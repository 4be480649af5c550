"""The coordinator of one round: it collects keys, then masked numbers, and adds them up.

It never sees a site's own numbers. Its answers are the same whoever carries them; ``app`` puts them
behind TLS. Steps: ``join`` (keys come in), ``share`` (masked numbers come in), then ``done`` or
``failed``. When a site is gone a new attempt begins with those that are left, if the plan says so;
what was sent in the attempt before is thrown away.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from safelight.errors import FederationError, SafelightError
from safelight.learning.federated.masks import CHECKS, Words, numbers_of, opened
from safelight.learning.federated.plan import Plan, check_signature
from safelight.learning.federated.record import Record
from safelight.readers.statistics import Statistics

__all__ = ["Coordinator", "Note"]

Note = Callable[[str, Mapping[str, Any]], None]
_MOST_ATTEMPTS: Final = 3


def _silent(kind: str, fields: Mapping[str, Any]) -> None:
    """Note nothing."""


class Coordinator:
    """One round. Threads may share it.

    Args:
        plan: What all sites agreed on.
        note: Where its side is logged, event by event.
        clock: Seconds that never go back.
    """

    def __init__(
        self, plan: Plan, *, note: Note = _silent, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.plan: Final = plan
        self._note = note
        self._clock = clock
        self._lock = threading.RLock()
        self._length = len(numbers_of(plan.empty())) + CHECKS
        self._sum: Statistics | None = None
        self.reason = ""
        self._begin(1, frozenset(plan.sites))
        self._tell("federated.round", sites=sorted(plan.sites), head=plan.head)

    def _begin(self, attempt: int, wanted: frozenset[str]) -> None:
        self.attempt = attempt
        self.step = "join"
        self._wanted = wanted
        self._keys: dict[str, dict[str, str]] = {}
        self._sent: dict[str, str] = {}
        self._signed: dict[str, str] = {}
        self._total: Words = np.zeros(self._length, np.uint64)
        self._until = self._clock() + self.plan.seconds

    def _tell(self, kind: str, **fields: Any) -> None:
        about = {"round": self.plan.round, "plan": self.plan.digest, "attempt": self.attempt}
        self._note(kind, about | fields)

    # What sites ask

    def join(self, site: str, attempt: int, key: str, signature: str) -> dict[str, Any]:
        """Take in a site's key of this attempt.

        Raises:
            FederationError: It is not signed by a site of the round, or comes at a wrong time.
        """
        check_signature(self.plan, signature, what="join", site=site, attempt=attempt, value=key)
        with self._lock:
            self._tick()
            given = {"key": key, "signature": signature}
            if attempt == self.attempt and self._keys.get(site) == given:
                return self.state()
            if self.step != "join" or attempt != self.attempt or site not in self._wanted:
                raise FederationError("this attempt takes no more sites in", place=site)
            if site in self._keys:
                raise FederationError("a site has one key in an attempt", place=site)
            self._keys[site] = given
            self._tick()
            return self.state()

    def share(self, site: str, attempt: int, data: bytes, signature: str) -> dict[str, Any]:
        """Add a site's masked numbers.

        Raises:
            FederationError: They are not signed, not of this attempt, or not as many as agreed.
        """
        digest = hashlib.sha256(data).hexdigest()
        check_signature(
            self.plan, signature, what="share", site=site, attempt=attempt, value=digest
        )
        with self._lock:
            self._tick()
            if attempt == self.attempt and self._sent.get(site) == digest:
                return self.state()  # sent again, after an answer was lost
            if self.step != "share" or attempt != self.attempt or site not in self._keys:
                raise FederationError("this attempt takes no numbers of this site", place=site)
            if site in self._sent:
                raise FederationError("a site sends its numbers once", place=site)
            if len(data) != 8 * self._length:
                raise FederationError("these are not the numbers that were agreed on", place=site)
            self._total = self._total + np.frombuffer(data, dtype="<u8").astype(np.uint64)
            self._sent[site] = digest
            self._signed[site] = signature
            self._tell("federated.received", site=site, digest=digest)
            self._tick()
            return self.state()

    def state(self) -> dict[str, Any]:
        """Return where the round is: for every site to read."""
        with self._lock:
            self._tick()
            told: dict[str, Any] = {"step": self.step, "attempt": self.attempt}
            told["sites"] = sorted(self._wanted)
            if self.step == "share":
                told["keys"] = dict(sorted(self._keys.items()))
            if self.step == "failed":
                told["reason"] = self.reason
            if self._sum is not None:
                told["digest"] = self._sum.digest()
            return told

    # What becomes of it

    def result(self) -> Statistics:
        """Return the sum.

        Raises:
            FederationError: There is none (yet); the message says why.
        """
        with self._lock:
            self._tick()
            if self._sum is None:
                raise FederationError(self.reason or "the round is under way", place=self.step)
            return self._sum

    def record(self) -> Record:
        """Return what proves which sites the sum is of.

        Raises:
            FederationError: There is no sum (yet).
        """
        with self._lock:
            total = self.result()
            return Record(
                plan=self.plan,
                attempt=self.attempt,
                shares={site: (self._sent[site], self._signed[site]) for site in self._sent},
                digest=total.digest(),
            )

    def abandon(self, reason: str) -> None:
        """End the round without a sum."""
        with self._lock:
            if self.step not in ("done", "failed"):
                self._fail(reason)

    def _tick(self) -> None:
        """Go on as far as what has come in, and the time, allow."""
        if self.step == "join":
            if set(self._keys) == self._wanted:
                self.step = "share"
                self._until = self._clock() + self.plan.seconds
                self._tell("federated.masking", sites=sorted(self._keys))
            elif self._clock() > self._until:
                self._without(self._wanted - set(self._keys))
        elif self.step == "share":
            if set(self._sent) == set(self._keys):
                self._finish()
            elif self._clock() > self._until:
                self._without(set(self._keys) - set(self._sent))

    def _without(self, gone: "set[str] | frozenset[str]") -> None:
        left = self._wanted - gone
        enough = len(left) >= self.plan.least_sites and self.attempt < _MOST_ATTEMPTS
        self._tell("federated.gone", sites=sorted(gone), recovered=self.plan.recover and enough)
        if self.plan.recover and enough:
            self._begin(self.attempt + 1, frozenset(left))
        else:
            self._fail(f"{len(gone)} of {len(self._wanted)} sites did not answer in time")

    def _finish(self) -> None:
        try:
            made = opened(self.plan, self.attempt, self._total)
            if int(made.counts.sum()) < self.plan.least_rows * len(self._sent):
                raise FederationError("the sum has fewer rows than the sites agreed to bring")
        except SafelightError as error:
            self._fail(error.what)
            return
        self._sum, self.step = made, "done"
        self._tell("federated.summed", sites=sorted(self._sent), digest=made.digest())

    def _fail(self, reason: str) -> None:
        self.step, self.reason = "failed", reason
        self._keys, self._total = {}, np.zeros(0, np.uint64)
        self._tell("federated.failed", reason=reason)
