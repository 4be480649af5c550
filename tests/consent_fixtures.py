"""Consent over a real store: what the tests of consent share."""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from safelight.consent.custody import Custody
from safelight.consent.decision import Said
from safelight.consent.removers import Remover
from safelight.errors import StoreError
from safelight.store import Store
from safelight.tlog import Log, Signer
from safelight.vault import MasterKey, Vault

Maker = Callable[..., Store]
DAY = timedelta(days=1)
PAST = datetime(2026, 1, 1, tzinfo=UTC)
# What a person's data holds in these tests; none of it may be left after an erasure.
PLANTED = (b"DOE^JANE^PLANTED", b"ROE 1971-03-09", b"MRN-77120934")
POLICY: dict[str, Any] = {
    "name": "imaging",
    "title": "Imaging research",
    "summary": "We read your images, and we learn from them if you like.",
    "withdrawal": "Write to us, or press the button.",
    "jurisdiction": "DE",
    "controller": {"name": "Clinic", "address": "Street 1, Town", "contact": "a@example.org"},
    "purposes": ["care", "general-research", "train-a-model"],
    "recipients": ["Example University"],
    "regions": ["DE"],
    "data": ["images"],
    "retention_days": 3650,
    "grace_days": 90,
    "conditions": ["NCU"],
}


def open_custody(store: Store, *, removers: Mapping[str, Remover] | None = None) -> Custody:
    """Open consent over a store; its keys lie in the store's home, as a test's may."""
    path = os.path.join(store.home, "..", "keys", "master.key")
    if not os.path.exists(path):
        MasterKey.create(path)
    signer = Signer.load_or_create(os.path.join(store.home, "..", "keys", "log.key"))
    return Custody(Vault(store, MasterKey.open(path)), Log(store, signer), removers=removers)


def publish(custody: Custody, **changes: Any) -> str:
    """Publish the test policy, changed; return its hash."""
    return custody.consents.publish({**POLICY, **changes}, actor="steward:1")[0].hash


def say(custody: Custody, person: str, purpose: str, said: str = "grant", **more: Any) -> None:
    """Record one statement in a transaction of its own."""
    with custody.store.begin() as conn:
        custody.consents.record(
            conn, person=person, purpose=purpose, said=Said(said), actor="desk:1", **more
        )


def may(custody: Custody, person: str, purpose: str, policy: str, **more: Any) -> bool:
    """Ask."""
    with custody.store.read() as conn:
        return custody.consents.may(conn, person, purpose, policy, **more).allowed


def keep(
    custody: Custody,
    person: str,
    kind: str,
    name: str,
    *,
    policy: str,
    purpose: str = "care",
    parents: tuple[str, ...] = (),
    data: bytes = b"; ".join(PLANTED),
) -> str:
    """Store an object in the vault and record it as an artefact; return the artefact's id."""
    stored = custody.vault.write(person, kind, name, [data])
    with custody.store.begin() as conn:
        custody.vault.record(conn, [stored])
        return custody.lineage.record(
            conn,
            person=person,
            kind=kind,
            name=name,
            purpose=purpose,
            policy=policy,
            parents=parents,
            digest=stored.digest,
        )


class Shelf:
    """A room of its own that keeps names, and removes them when it is not out of order."""

    needs_key = False

    def __init__(self) -> None:
        self.names: set[tuple[str, str]] = set()
        self.broken = False
        self.calls: list[str] = []

    def remove(self, person: str, name: str) -> str:
        self.calls.append(name)
        if self.broken:
            raise StoreError("the shelf is out of order")
        self.names.discard((person, name))
        return "sha256:after"


class Ledger(Shelf):
    """As above; what it removes it can read with the person's key only."""

    needs_key = True


def note(custody: Custody, person: str, kind: str, name: str, policy: str, *above: str) -> str:
    """Record an artefact that lies outside of the vault."""
    with custody.store.begin() as conn:
        return custody.lineage.record(
            conn,
            person=person,
            kind=kind,
            name=name,
            purpose="train-a-model",
            policy=policy,
            parents=above,
            digest="sha256:before",
        )


def family(custody: Custody, person: str) -> tuple[str, dict[str, str]]:
    """Agree to everything, and make an image, a feature of it and a head from that."""
    policy = publish(custody)
    for purpose in ("care", "train-a-model"):
        say(custody, person, purpose, policy=policy)
    made = {"original": keep(custody, person, "deidentified", "o1", policy=policy)}
    made["feature"] = note(custody, person, "feature", "f1", policy, made["original"])
    made["head"] = note(custody, person, "head", "h1", policy, made["feature"])
    return policy, made
