"""The record of a round: which sites signed what they sent, and what came out, signed by who added.

It holds digests and signatures alone. A site's own sums cannot be had from it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from safelight.errors import FederationError, LogError
from safelight.learning.federated.plan import Plan, check_signature

if TYPE_CHECKING:
    from safelight.tlog.note import VerifierKey

__all__ = ["FORMAT", "Record"]

FORMAT: Final = "safelight-federated-total/v1"
_MOST: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of one sum.

    Attributes:
        plan: What all sites had agreed on.
        attempt: In which it came about.
        shares: By site: the digest of its masked numbers, and its signature over it.
        digest: SHA-256 of the sum, hex.
        note: Signed by the log of who added up; empty until then.
    """

    plan: Plan
    attempt: int
    shares: Mapping[str, tuple[str, str]]
    digest: str
    note: str = ""

    @property
    def text(self) -> str:
        """What is signed: one line each for form, plan, sum and sites."""
        sites = ",".join(sorted(self.shares))
        return f"{FORMAT}\nplan:{self.plan.digest}\nsum:{self.digest}\nsites:{sites}\n"

    def check(self, *, signer: "VerifierKey | None" = None) -> None:
        """Check all that can be checked.

        Args:
            signer: Of who added up; without it, the note is not looked at.

        Raises:
            FederationError: A site did not sign its part, too few did, or the note is another's.
        """
        if len(self.shares) < self.plan.least_sites:
            raise FederationError("the record names fewer sites than the plan asks for")
        for site, (value, signature) in self.shares.items():
            check_signature(
                self.plan, signature, what="share", site=site, attempt=self.attempt, value=value
            )
        if signer is None:
            return
        from safelight.tlog.note import Note  # noqa: PLC0415  # Flower's environment has no store

        try:
            note = Note.parse(self.note)
        except LogError as error:
            raise FederationError("the record is not signed") from error
        if note.text != self.text or not signer.holds(note):
            raise FederationError("the record is not signed by the one who was named")

    def to_bytes(self) -> bytes:
        """Return the record as canonical JSON."""
        told = {
            "attempt": self.attempt,
            "digest": self.digest,
            "format": FORMAT,
            "note": self.note,
            "plan": self.plan.to_bytes().decode(),
            "shares": {site: list(one) for site, one in self.shares.items()},
        }
        return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what ``to_bytes`` wrote.

        Raises:
            FederationError: It is something else.
        """
        try:
            told: dict[str, Any] = json.loads(data) if len(data) <= _MOST else {}
            if told["format"] != FORMAT:
                raise FederationError("this is not the record of a round of this version")
            shares = {str(site): (str(a), str(b)) for site, (a, b) in told["shares"].items()}
            return cls(
                plan=Plan.from_bytes(told["plan"].encode()),
                attempt=int(told["attempt"]),
                shares=shares,
                digest=str(told["digest"]),
                note=str(told["note"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise FederationError("this is not the record of a round") from error
