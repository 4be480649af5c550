"""From what was read and what was said about it to contributions.

When an image is read, its integer features are kept under its person's key, if the person lets a
model learn. When its truth is known (``feedback.Book.labels``), features and label together are
offered to the head. Both steps ask for consent; the features leave with the person.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from safelight.consent.custody import Custody
from safelight.consent.lineage import Artefact
from safelight.errors import LearningError, SettingsError
from safelight.feedback.values import Label
from safelight.learning.contributions import Offer
from safelight.learning.ledgers import PURPOSE, Added, Ledgers, head_of
from safelight.readers.statistics import LIMIT
from safelight.store.schema.consent import artefacts

__all__ = ["CONSENSUS", "gather", "keep_features"]

CONSENSUS: Final = "consensus"  # who a confirmed label is from: never one account alone
KIND: Final = "feature"
_DIGEST: Final = 48  # of 64 hex digits; the rest of the name is the features' version


def _name(version: str, digest: str) -> str:
    return f"{version}:{digest[:_DIGEST]}"


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
    """Keep the features of an image that was read; return whether the person lets them be kept.

    Args:
        custody: Everything about consent in one store.
        person: Code of the person.
        digest: Of the de-identified image, hex.
        version: Of the features.
        features: int16, shape (d,), within ±2047.
        policy: Hash of the policy the person saw.
        parents: Ids of the artefacts they were made from.

    Raises:
        SettingsError: The features are no integers within ±2047.
    """
    rows = np.asarray(features)
    if rows.ndim != 1 or rows.dtype != np.int16 or np.abs(rows.astype(np.int32)).max() > LIMIT:
        raise SettingsError(f"features are 16-bit integers within ±{LIMIT}")
    with custody.store.read() as conn:
        if not custody.consents.may(conn, person, PURPOSE, policy).allowed:
            return False
    name = _name(version, digest)
    stored = custody.vault.write(person, KIND, name, [rows.astype("<i2").tobytes()])
    try:
        with custody.store.begin() as conn:
            yes = custody.consents.may(conn, person, PURPOSE, policy)
            if yes.allowed:
                custody.vault.record(conn, [stored])
                custody.lineage.record(
                    conn,
                    person=person,
                    kind=KIND,
                    name=name,
                    purpose=yes.purpose,
                    policy=policy,
                    parents=tuple(parents),
                    decision=yes,
                )
    except BaseException:
        custody.vault.discard(stored)
        raise
    if not yes.allowed:
        custody.vault.discard(stored)
    return yes.allowed


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
            artefacts.c.object == _name(version, label.digest),
            artefacts.c.removed_at.is_(None),
        )
        wanted = conn.execute(found).scalar()
        mine = custody.lineage.of(conn, label.person) if wanted else []
    return next((one for one in mine if one.id == wanted), None)
