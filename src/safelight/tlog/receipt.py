"""Receipts: one small file that shows what happened, and proves that it was logged.

A receipt is canonical JSON: the opened entry (``leaf`` and ``salt``), a C2SP ``tlog-proof`` with
the signed checkpoint, and the keys to check it with. Nothing in it can change and still hold.
``verifier.py`` beside this module checks one with no other file of ours.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from safelight.errors import ReceiptError
from safelight.tlog import verifier
from safelight.tlog.checkpoint import Checkpoint
from safelight.tlog.commitment import Leaf
from safelight.tlog.jcs import canonical
from safelight.tlog.log import Log
from safelight.tlog.note import Note, VerifierKey

__all__ = ["FORMAT", "RECEIPT_BYTES_MOST", "Receipt", "build", "verify"]

FORMAT: Final = "safelight-receipt/v1"
RECEIPT_BYTES_MOST: Final = 64_000_000


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
