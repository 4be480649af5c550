"""What a round is about, agreed on by all sites before it begins, and how they sign what they say.

The plan's digest is in everything that is signed: who signs takes part in this round and no other.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from safelight.errors import FederationError
from safelight.readers.statistics import Statistics

__all__ = ["FORMAT", "Plan", "check_signature", "sign"]

FORMAT: Final = "safelight-federated/v1"
LEAST_ROWS: Final = 20
_SITE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_KEY: Final = re.compile(r"[0-9a-f]{64}")
_ROUND: Final = re.compile(r"[0-9a-f]{32}")
_MOST_SITES: Final = 100
_MOST_SECONDS: Final = 7 * 24 * 3600
_MAX_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One round.

    Attributes:
        round: 32 hex digits, new for each round.
        head: Name of the head.
        features: Version of the features.
        classes: Names of the classes, in order.
        width: Number of features.
        least_rows: A site with fewer rows does not take part; at least 20.
        least_sites: With fewer sites there is no sum; at least 2.
        recover: Whether the sites that are left mask anew when one is gone; else the round fails.
        seconds: How long is waited for a site in each step.
        sites: Public Ed25519 key of each site, hex, by its name.
    """

    round: str
    head: str
    features: str
    classes: tuple[str, ...]
    width: int
    sites: Mapping[str, str]
    least_rows: int = LEAST_ROWS
    least_sites: int = 2
    recover: bool = False
    seconds: float = 60.0

    def __post_init__(self) -> None:
        names = all(_SITE.fullmatch(one) for one in self.sites)
        keys = all(_KEY.fullmatch(one) for one in self.sites.values())
        if not names or not keys or len(set(self.sites.values())) != len(self.sites):
            raise FederationError("each site has a name of its own and a public key of its own")
        if not 2 <= self.least_sites <= len(self.sites) <= _MOST_SITES:  # noqa: PLR2004  # one site alone sends its own sums
            raise FederationError("a round takes from 2 to 100 sites")
        if self.least_rows < LEAST_ROWS:
            raise FederationError(f"no site takes part with fewer than {LEAST_ROWS} rows")
        if not _ROUND.fullmatch(self.round) or not 0 < self.seconds <= _MOST_SECONDS:
            raise FederationError("a round has a number of 32 hex digits and a time to wait")
        _ = self.empty()

    @classmethod
    def new(cls, **fields: Any) -> Self:
        """Return a plan with a round number of its own."""
        return cls(round=secrets.token_hex(16), **fields)

    def empty(self) -> Statistics:
        """Return the sums of nobody, in the form that this round adds up.

        Raises:
            SettingsError: There is no such form.
        """
        return Statistics.empty(self.features, self.classes, self.width)

    def to_bytes(self) -> bytes:
        """Return the plan as canonical JSON; whole seconds are written as such."""
        told = asdict(self) | {"format": FORMAT, "sites": dict(sorted(self.sites.items()))}
        return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what ``to_bytes`` wrote.

        Raises:
            FederationError: It is something else.
        """
        try:
            told = json.loads(data) if len(data) <= _MAX_BYTES else {}
            form = told.pop("format")
            told["classes"] = tuple(told["classes"])
            told["seconds"] = float(told["seconds"])
            made = cls(**told)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise FederationError("this is not the plan of a round") from error
        if form != FORMAT:
            raise FederationError("this is not the plan of a round of this version")
        return made

    @property
    def digest(self) -> str:
        """SHA-256 of the plan, hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def key_of(self, site: str) -> Ed25519PublicKey:
        """Return a site's public key.

        Raises:
            FederationError: It is no site of this round.
        """
        if site not in self.sites:
            raise FederationError("this is no site of the round")
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.sites[site]))


def _said(plan: Plan, what: str, site: str, attempt: int, value: str) -> bytes:
    return "\n".join([FORMAT, what, plan.digest, site, str(attempt), value]).encode()


def sign(
    key: Ed25519PrivateKey, plan: Plan, *, what: str, site: str, attempt: int, value: str
) -> str:
    """Return a site's signature, hex, on one thing it says in one attempt of one round."""
    return key.sign(_said(plan, what, site, attempt, value)).hex()


def check_signature(
    plan: Plan, signature: str, *, what: str, site: str, attempt: int, value: str
) -> None:
    """Refuse what a site did not sign.

    Raises:
        FederationError: It did not.
    """
    try:
        plan.key_of(site).verify(bytes.fromhex(signature), _said(plan, what, site, attempt, value))
    except (InvalidSignature, ValueError, TypeError) as error:
        raise FederationError("a message was not signed by its site", place=site) from error
