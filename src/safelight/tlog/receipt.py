"""Receipts: one small file that shows what happened, and proves that it was logged.

A receipt is canonical JSON: the opened entry (``leaf`` and ``salt``), a C2SP ``tlog-proof`` with
the signed checkpoint, and the keys to check it with. Nothing in it can change and still hold.
``verifier.py`` beside this module checks one with no other file of ours.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from safelight.errors import ReceiptError
from safelight.tlog import verifier
from safelight.tlog.checkpoint import Checkpoint
from safelight.tlog.commitment import Leaf
from safelight.tlog.jcs import canonical
from safelight.tlog.log import Log
from safelight.tlog.note import Note, VerifierKey

__all__ = [
    "FORMAT",
    "RECEIPT_BYTES_MOST",
    "Artefact",
    "Disclosure",
    "Event",
    "Receipt",
    "build",
    "verify",
]

FORMAT: Final = "safelight-receipt/v1"
RECEIPT_BYTES_MOST: Final = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """Something made from a person, before and after the event.

    Attributes:
        kind: Class of artefact, such as ``object`` or ``thumbnail``.
        id: Opaque.
        action: ``made``, ``kept``, ``changed``, ``deleted``, ``key destroyed`` …
        before: Hash before, such as ``sha256:…``; empty when there was nothing.
        after: Hash after; empty when nothing is left.
    """

    kind: str
    id: str
    action: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """What somebody else was given, or told (the fields of HIPAA, 45 CFR 164.528(b)(2)).

    Attributes:
        recipient: Who; an organisation, never a person.
        date: When they were given it.
        what: What they were given.
        purpose: What for.
        told: When they were told to delete it; empty when they were not.
        answer: What they answered, or why it cannot be recalled.
    """

    recipient: str
    date: str
    what: str
    purpose: str
    told: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a receipt is about. ``fields`` is what ``Log.commit_to`` takes.

    Attributes:
        person: Opaque code of the person.
        policy: Hash of the policy that was in force.
        purposes: DUO codes or our own.
        artefacts: Before and after.
        told: Recipients that were told.
        not_recalled: What could not be taken back.
        record: A record of consent by ISO/IEC TS 27560, when there is one.
        note: A sentence for the person.
    """

    person: str
    policy: str
    purposes: Sequence[str] = ()
    artefacts: Sequence[Artefact] = ()
    told: Sequence[Disclosure] = ()
    not_recalled: Sequence[Disclosure] = ()
    record: Mapping[str, Any] | None = None
    note: str = ""

    def fields(self) -> dict[str, Any]:
        """Return the event for ``Log.commit_to``; every part is there, empty ones too."""
        return {
            "artefacts": [asdict(one) for one in self.artefacts],
            "not_recalled": [asdict(one) for one in self.not_recalled],
            "note": self.note,
            "person": self.person,
            "policy": self.policy,
            "purposes": list(self.purposes),
            "record": self.record,
            "told": [asdict(one) for one in self.told],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receipt that holds.

    Attributes:
        kind: Of the event.
        time: Of the event, by the log's clock.
        fields: The event.
        index: Of its entry in the log.
        checkpoint: The signed note, verbatim; hand it to ``Log.verify(seen=…)``.
        size: Entries when the checkpoint was signed.
        origin: Name of the log.
        fingerprint: SHA-256 of the log's public key, 64 hex digits.
        witnesses: Names of who cosigned.
        data: The receipt itself, canonical JSON.
    """

    kind: str
    time: datetime
    fields: Mapping[str, Any]
    index: int
    checkpoint: str
    size: int
    origin: str
    fingerprint: str
    witnesses: tuple[str, ...]
    data: bytes

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Return the values of what the verifier let through."""
        leaf = told["leaf"]
        own = {name: told[name] for name in ("format", "leaf", "log", "proof", "salt", "witnesses")}
        try:
            return cls(
                kind=str(leaf["kind"]),
                time=datetime.fromisoformat(leaf["time"]).astimezone(UTC),
                fields=dict(leaf["fields"]),
                index=told["index"],
                checkpoint=told["proof"].split("\n\n", 1)[1],
                size=told["size"],
                origin=told["origin"],
                fingerprint=told["log"]["fingerprint"],
                witnesses=tuple(told["signers"][1:]),
                data=canonical(own),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ReceiptError("the receipt's entry is not an event") from error


def build(log: Log, leaf: Leaf, at: Checkpoint | None = None) -> bytes:
    """Return the receipt of an event, after its transaction was committed.

    Args:
        log: Where it was logged.
        leaf: From ``Log.commit_to``.
        at: A checkpoint that covers it; default the newest, signed now when none covers it.

    Raises:
        LogError: The log cannot be signed, or does not hold this entry.
        ReceiptError: The receipt would not hold: the leaf is not the one in the log.
    """
    proof = log.proof(leaf.index, at)
    signers = {(one.name, one.key_id) for one in Note.parse(proof.split("\n\n", 1)[1]).signatures}
    witnesses = [one for one in log.witnesses if (one.name, one.key_id) in signers]
    data = canonical(
        {
            "format": FORMAT,
            "leaf": json.loads(leaf.document),
            "log": {"fingerprint": log.key.fingerprint, "key": str(log.key)},
            "proof": proof,
            "salt": leaf.salt.hex(),
            "witnesses": [str(one) for one in witnesses],
        }
    )
    verify(data, log.key.fingerprint)
    return data + b"\n"


def verify(data: bytes, trusted: str | VerifierKey = "") -> Receipt:
    """Check a receipt, or the page that holds one.

    Args:
        data: JSON or HTML.
        trusted: Fingerprint or ``vkey`` of the log's key; empty: whoever signed it, so compare
            ``fingerprint`` with what the log's keeper has published.

    Raises:
        ReceiptError: It does not hold; the text says why.
    """
    if len(data) > RECEIPT_BYTES_MOST:
        raise ReceiptError("the receipt is too large", place=f"{len(data)} bytes")
    if isinstance(trusted, str) and "+" in trusted:
        trusted = VerifierKey.parse(trusted)
    known = trusted if isinstance(trusted, str) else trusted.fingerprint
    try:
        return Receipt.of(verifier.verify(data, known))
    except verifier.RefusedError as error:
        raise ReceiptError(
            f"the receipt does not hold: {error}",
            todo="take the file as it was made; if it still fails, keep it and ask who made it",
        ) from error
