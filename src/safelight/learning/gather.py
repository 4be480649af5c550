"""From what was read and what was said about it to contributions.

When an image is read, its integer features are kept under its person's key, if the person lets a
model learn. When its truth is known (``feedback.Book.labels``), features and label together are
offered to the head. Both steps ask for consent; the features leave with the person.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from safelight.consent.custody import Custody
from safelight.consent.lineage import Artefact
from safelight.errors import LearningError, SettingsError
from safelight.feedback.book import Book
from safelight.feedback.values import Label
from safelight.learning.contributions import Offer
from safelight.learning.ledgers import PURPOSE, Added, Ledgers, head_of
from safelight.readers.statistics import LIMIT
from safelight.store.schema.consent import artefacts
from safelight.vault import Stored

__all__ = [
    "CONSENSUS",
    "KIND",
    "gather",
    "gather_confirmed",
    "keep_features",
    "name_of",
    "record_features",
    "write_features",
]

CONSENSUS: Final = "consensus"  # stands in clear for who a label is from; codes are sealed
KIND: Final = "feature"
_DIGEST: Final = 48  # of 64 hex digits
_VERSION: Final = 15  # hex digits of the hash of the features' version; the vault takes 64 letters


def name_of(version: str, digest: str) -> str:
    """Return the name of an image's features: opaque, and no longer than the vault takes."""
    made_for = hashlib.sha256(version.encode()).hexdigest()[:_VERSION]
    return f"{made_for}:{digest[:_DIGEST]}"


def write_features(
    custody: Custody,
    *,
    person: str,
    digest: str,
    version: str,
    features: NDArray[np.int16],
    policy: str,
) -> Stored | None:
    """Lock the features of an image that was read with its person's key; name them nowhere yet.

    ``record_features`` names them, in the transaction that keeps the reading; ``vault.discard``
    them where that does not come about.

    Args:
        custody: Everything about consent in one store.
        person: Code of the person.
        digest: Of the de-identified image, hex.
        version: Of the features.
        features: int16, shape (d,), within ±2047.
        policy: Hash of the policy the person saw.

    Returns:
        What was written; None where the person does not let a model learn.

    Raises:
        SettingsError: The features are no integers within ±2047.
    """
    rows = np.asarray(features)
    if rows.ndim != 1 or rows.dtype != np.int16 or np.abs(rows.astype(np.int32)).max() > LIMIT:
        raise SettingsError(f"features are 16-bit integers within ±{LIMIT}")
    with custody.store.read() as conn:
        if not custody.consents.may(conn, person, PURPOSE, policy).allowed:
            return None
    return custody.vault.write(
        person, KIND, name_of(version, digest), [rows.astype("<i2").tobytes()]
    )


def record_features(
    custody: Custody, conn: Connection, stored: Stored, *, policy: str, parents: Iterable[str] = ()
) -> bool:
    """Keep features that were written, if their person still agrees; return whether they do.

    Args:
        custody: Everything about consent in one store.
        conn: The write transaction.
        stored: What ``write_features`` gave; ``vault.discard`` it when the answer is no.
        policy: Hash of the policy the person saw.
        parents: Ids of the artefacts they were made from.
    """
    yes = custody.consents.may(conn, stored.person, PURPOSE, policy)
    if not yes.allowed:
        return False
    custody.vault.record(conn, [stored])
    custody.lineage.record(
        conn,
        person=stored.person,
        kind=KIND,
        name=stored.object,
        purpose=yes.purpose,
        policy=policy,
        parents=tuple(parents),
        decision=yes,
    )
    return True


def keep_features(
    custody: Custody,
    *,
    person: str,
    digest: str,
    version: str,
    features: NDArray[np.int16],
    policy: str,
    parents: Iterable[str] = (),
) -> bool:
    """Keep features in a transaction of their own; see ``write_features``.

    Returns:
        Whether the person lets them be kept.

    Raises:
        SettingsError: The features are no integers within ±2047.
    """
    stored = write_features(
        custody, person=person, digest=digest, version=version, features=features, policy=policy
    )
    if stored is None:
        return False
    kept = False
    try:
        with custody.store.begin() as conn:
            kept = record_features(custody, conn, stored, policy=policy, parents=parents)
    finally:
        if not kept:
            custody.vault.discard(stored)
    return kept


def gather_confirmed(custody: Custody, name: str) -> Added:
    """Offer all that feedback has confirmed about a reader's finding to its head.

    Args:
        custody: Everything about consent in one store.
        name: Of the reader, and of its head.

    Raises:
        LearningError: There is no such head, or it has other than two classes.
    """
    with custody.store.read() as conn:
        head_of(conn, name)
        labels = list(Book(custody).labels(conn, name))
    return gather(custody, name, labels)


def gather(custody: Custody, name: str, labels: Iterable[Label]) -> Added:
    """Offer every labelled image whose features are kept to a head.

    Args:
        custody: Everything about consent in one store.
        name: Of the head; it has two classes, without and with the finding.
        labels: What feedback says of images, of this head's finding alone.

    Raises:
        LearningError: There is no such head, or it has other than two classes.
    """
    with custody.store.read() as conn:
        sums = head_of(conn, name).base.statistics
    if len(sums.classes) != 2:  # noqa: PLR2004  # without and with
        raise LearningError("labels of one finding teach a head of two classes")
    by_policy: dict[str, list[Offer]] = {}
    for label in labels:
        kept = _kept(custody, label, sums.features)
        if kept is None or not label.confirmed:
            continue
        data = b"".join(custody.vault.get(label.person, KIND, kept.object))
        offer = Offer(
            person=label.person,
            label=sums.classes[int(label.seen)],
            features=np.frombuffer(data, "<i2").astype(np.int16),
            account=CONSENSUS,
            accounts=tuple(sorted(label.accounts)),
            case=label.case,
            parents=(kept.id,),
        )
        by_policy.setdefault(kept.policy, []).append(offer)
    ledgers = Ledgers(custody)
    done = [ledgers.contribute(name, offers, policy=policy) for policy, offers in by_policy.items()]
    return Added(
        ids=tuple(one for some in done for one in some.ids),
        known=sum(some.known for some in done),
        other=sum(some.other for some in done),
        refused={person: why for some in done for person, why in some.refused.items()},
    )


def _kept(custody: Custody, label: Label, version: str) -> Artefact | None:
    """Return the artefact of an image's features; None when they are not kept."""
    with custody.store.read() as conn:
        found = select(artefacts.c.id).where(
            artefacts.c.person == label.person,
            artefacts.c.kind == KIND,
            artefacts.c.object == name_of(version, label.digest),
            artefacts.c.removed_at.is_(None),
        )
        wanted = conn.execute(found).scalar()
        mine = custody.lineage.of(conn, label.person) if wanted else []
    return next((one for one in mine if one.id == wanted), None)
