"""A site's agent: it reaches out, never listens, and sends its sums under masks or not at all."""

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from safelight.errors import FederationError, OutOfReachError
from safelight.learning.federated.masks import masked, numbers_of
from safelight.learning.federated.plan import Plan, check_signature, sign
from safelight.readers.statistics import Statistics

__all__ = ["Carrier", "Site", "checked"]

_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0


class Carrier(Protocol):
    """Brings a site's words to the coordinator and its answers back.

    - It MUST NOT send anything but what it is given, nor to anybody else.
    - It MUST raise an ``OutOfReachError`` when the coordinator does not answer, and another
      ``FederationError`` when it refuses. A call that got no answer is made again.
    """

    def join(self, site: str, attempt: int, key: str, signature: str) -> dict[str, Any]:
        """Hand in a key."""

    def share(self, site: str, attempt: int, data: bytes, signature: str) -> dict[str, Any]:
        """Hand in masked numbers."""

    def state(self) -> dict[str, Any]:
        """Ask where the round is."""


class Site:
    """One site in one round.

    Args:
        plan: What all sites agreed on; from the site's own copy, not from the coordinator.
        name: Its name in the plan.
        key: Its signing key.
        carrier: The way to the coordinator.
        note: Where its side is logged, event by event.
        sleep: How it waits.

    Raises:
        FederationError: The plan names another key for this site.
    """

    def __init__(  # what one site needs
        self,
        plan: Plan,
        name: str,
        key: Ed25519PrivateKey,
        carrier: Carrier,
        *,
        note: Callable[[str, Mapping[str, Any]], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if plan.key_of(name).public_bytes_raw() != key.public_key().public_bytes_raw():
            raise FederationError("the plan names another key for this site", place=name)
        self._plan = plan
        self._name = name
        self._key = key
        self._carrier = carrier
        self._note = note
        self._sleep = sleep

    def _tell(self, kind: str, **fields: Any) -> None:
        about = {"round": self._plan.round, "plan": self._plan.digest, "site": self._name}
        self._note(kind, about | fields)

    def run(self, sums: Statistics) -> str:
        """Take part; return the digest of the sum of all sites.

        Args:
            sums: This site's own statistics, of people who agreed.

        Raises:
            FederationError: The round failed, the site has too few rows, or the coordinator asks
                for what was not agreed on. Nothing left the site but what its log says.
        """
        empty = self._plan.empty()
        if (sums.features, sums.classes, sums.width) != (
            empty.features,
            empty.classes,
            empty.width,
        ):
            raise FederationError("these sums are not of the form that was agreed on")
        rows = int(sums.counts.sum())
        if rows < self._plan.least_rows:
            raise FederationError(
                f"this site has fewer than {self._plan.least_rows} rows and takes no part"
            )
        numbers, before, attempt = numbers_of(sums), frozenset(self._plan.sites), 0
        while True:
            told = self._asked(self._carrier.state)
            if told.get("step") in ("done", "failed"):
                return self._end(told, attempt)
            current = told.get("attempt")
            if not isinstance(current, int) or not attempt < current <= attempt + 100:
                raise FederationError("the coordinator begins no new attempt")
            attempt = current
            before = self._once(attempt, before, numbers)

    def _once(self, attempt: int, before: frozenset[str], numbers: Any) -> frozenset[str]:
        """Take part in one attempt; return its sites once it is over."""
        mine = X25519PrivateKey.generate()  # of this attempt alone: no mask is used twice
        public = mine.public_key().public_bytes_raw().hex()
        signature = self._signed("join", attempt, public)
        told = self._asked(lambda: self._carrier.join(self._name, attempt, public, signature))
        told = self._waited(told, attempt, "join")
        if told.get("step") != "share" or told.get("attempt") != attempt:
            return before  # it ended, or began anew, before anything was sent
        keys = checked(self._plan, self._name, told.get("keys"), (attempt, public), before)
        others = {site: bytes.fromhex(one) for site, one in keys.items() if site != self._name}
        data = masked(self._plan, attempt, self._name, mine, others, numbers)
        sent = data.astype("<u8").tobytes()
        digest = hashlib.sha256(sent).hexdigest()
        # Logged first: what cannot be logged is not sent.
        self._tell("federated.sent", attempt=attempt, sites=sorted(keys), digest=digest)
        signature = self._signed("share", attempt, digest)
        told = self._asked(lambda: self._carrier.share(self._name, attempt, sent, signature))
        self._waited(told, attempt, "share")
        return frozenset(keys)

    def _signed(self, what: str, attempt: int, value: str) -> str:
        return sign(self._key, self._plan, what=what, site=self._name, attempt=attempt, value=value)

    def _waited(self, told: dict[str, Any], attempt: int, step: str) -> dict[str, Any]:
        """Ask again until the attempt has left a step."""
        until = time.monotonic() + 2 * self._plan.seconds + 10
        pause = _PAUSE
        while told.get("step") == step and told.get("attempt") == attempt:
            if time.monotonic() > until:
                raise FederationError("the coordinator does not go on")
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            told = self._asked(self._carrier.state)
        return told

    def _asked(self, call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Ask, and ask again while the coordinator is out of reach, as long as it would wait too.

        What was said twice counts once there.
        """
        until = time.monotonic() + self._plan.seconds
        pause = _PAUSE
        while True:
            try:
                return call()
            except OutOfReachError:
                if time.monotonic() > until:
                    raise
            self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _end(self, told: dict[str, Any], attempt: int) -> str:
        if told.get("step") == "failed":
            reason = str(told.get("reason", ""))[:200]
            self._tell("federated.failed", attempt=attempt, reason=reason)
            raise FederationError(f"the round failed: {reason}")
        digest = str(told.get("digest", ""))[:64]
        self._tell("federated.summed", attempt=attempt, digest=digest)
        return digest


def checked(
    plan: Plan, name: str, given: Any, mine: tuple[int, str], before: frozenset[str]
) -> dict[str, str]:
    """Return each site's key of an attempt, after its signature was checked.

    Args:
        plan: From the site's own copy.
        name: Of the site.
        given: Key and signature of each site, as the coordinator says.
        mine: The attempt, and the key that this site handed in for it.
        before: Sites that may be named.

    Raises:
        FederationError: The coordinator names other sites, other keys, or too few.
    """
    attempt, public = mine
    try:
        keys = {str(site): str(one["key"]) for site, one in given.items()}
        signatures = {str(site): str(one["signature"]) for site, one in given.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise FederationError("the coordinator sent no list of keys") from error
    if not set(keys) <= before or len(keys) < plan.least_sites:
        raise FederationError("the coordinator names other sites, or too few")
    if keys.get(name) != public or len(set(keys.values())) != len(keys):
        raise FederationError("the coordinator names another key for a site")
    for site, key in keys.items():
        signature = signatures[site]
        check_signature(plan, signature, what="join", site=site, attempt=attempt, value=key)
    return keys
