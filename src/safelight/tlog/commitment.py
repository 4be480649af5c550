"""What an entry of the log is: a salted commitment to an event, and what opens it again.

``entry = SHA-256(salt || document)``. The document is canonical JSON and never in the log. The salt
of an entry comes from the person's salt in the vault and the entry's index, so that opening one
entry (a receipt does) says nothing about the person's others, and all of them close for good when
the person's key, and with it the salt, is destroyed.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from safelight.errors import ReceiptError
from safelight.tlog.jcs import canonical, parse

__all__ = ["LEAF_FORMAT", "SALT_BYTES", "Leaf", "document", "salt_of"]

LEAF_FORMAT: Final = "safelight-leaf/v1"
SALT_BYTES: Final = 32
_FIELDS: Final = {"document", "index", "salt"}


def salt_of(secret: bytes, index: int) -> bytes:
    """Return the salt of one entry: HMAC-SHA-256 under the person's salt.

    Args:
        secret: The person's salt from the vault, at least 16 random bytes.
        index: Of the entry.

    Raises:
        ReceiptError: The person's salt is too short.
    """
    if len(secret) < SALT_BYTES // 2:
        raise ReceiptError("a salt is too short to hide anything", todo="take the vault's salt")
    return hmac.digest(secret, b"safelight/tlog/salt/v1" + index.to_bytes(8, "big"), "sha256")


def document(kind: str, time: datetime, fields: Mapping[str, Any]) -> bytes:
    """Return the canonical JSON that an entry commits to.

    Args:
        kind: Of the event, such as ``consent.granted``.
        time: With a time zone; written in UTC with microseconds.
        fields: The event; opaque codes and hashes, and nothing that names anyone.

    Raises:
        ReceiptError: The fields hold what canonical JSON has no place for.
        ValueError: The time has no time zone.
    """
    if time.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    stamp = time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return canonical({"fields": fields, "format": LEAF_FORMAT, "kind": kind, "time": stamp})


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One entry, opened. Keep it encrypted: the document tells what happened to someone.

    Attributes:
        index: In the log.
        document: Canonical JSON, ``format``, ``kind``, ``time`` and ``fields``.
        salt: 32 bytes, of this entry alone.
    """

    index: int
    document: bytes
    salt: bytes

    def __repr__(self) -> str:
        return f"Leaf(<{self.index}>)"

    @property
    def entry(self) -> bytes:
        """Return what stands in the log: 32 bytes that tell nothing without the salt."""
        return hashlib.sha256(self.salt + self.document).digest()

    def to_bytes(self) -> bytes:
        """Return the leaf as canonical JSON, to be encrypted and kept until a receipt is made."""
        text = self.document.decode()
        return canonical({"document": text, "index": self.index, "salt": self.salt.hex()})

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what ``to_bytes`` wrote.

        Raises:
            ReceiptError: It is something else.
        """
        value = parse(data)
        if not isinstance(value, dict) or value.keys() != _FIELDS:
            raise ReceiptError("the bytes are not an opened entry of the log")
        try:
            salt, index = bytes.fromhex(value["salt"]), int(value["index"])
            return cls(index=index, document=value["document"].encode(), salt=salt)
        except (AttributeError, TypeError, ValueError) as error:
            raise ReceiptError("the bytes are not an opened entry of the log") from error
