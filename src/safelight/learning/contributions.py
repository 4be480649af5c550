"""Contributions: the features and label of one image each, locked twice.

Inside under the person's key, so that an erasure reaches them; outside under a key of their own,
so that taking back this one consent reaches them in every copy too, and leaves the person's other
data alone.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import blake3
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from safelight.errors import CorruptedError, SettingsError
from safelight.learning.examples import Examples
from safelight.readers.statistics import LIMIT, Statistics
from safelight.vault import Vault
from safelight.vault.stream import bound, open_box

__all__ = ["Contribution", "Offer", "digest_of", "examples_of", "opened", "seal", "sums_of"]

_KIND: Final = "contribution"
_MOST_WEIGHT: Final = 1024
_MOST_TEXT: Final = 200
_MOST_ACCOUNTS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Offer:
    """What one image of a person may teach a head.

    Attributes:
        person: Code of the person.
        label: One of the head's classes.
        features: int16, shape (d,), within ±2047.
        account: Opaque code of who gave the label; ``consensus`` where several did.
        accounts: Codes of all who say so, where several do; at most 100.
        weight: 1 to 1024; how much it counts.
        case: Opaque name of the image, for nearest cases.
        parents: Ids of the artefacts it was made from.
    """

    person: str
    label: str
    features: NDArray[np.int16]
    account: str
    accounts: tuple[str, ...] = ()
    weight: int = 1
    case: str = ""
    parents: tuple[str, ...] = ()

    def check(self, classes: Sequence[str], width: int) -> None:
        """Refuse what no ledger takes.

        Raises:
            SettingsError: The label, the weight, a name or the features do not fit the head.
        """
        rows = np.asarray(self.features)
        if rows.shape != (width,) or not np.issubdtype(rows.dtype, np.integer):
            raise SettingsError(f"a contribution holds {width} integer features")
        if rows.size and max(int(rows.max()), -int(rows.min())) > LIMIT:
            raise SettingsError(f"a feature lies outside ±{LIMIT}")
        if self.label not in classes:
            raise SettingsError("a label is not a class of this head")
        if not 1 <= self.weight <= _MOST_WEIGHT:
            raise SettingsError(f"weights are integers from 1 to {_MOST_WEIGHT}")
        codes = (self.account, *self.accounts)
        if max(map(len, (self.case, *codes))) > _MOST_TEXT or not all(codes):
            raise SettingsError("a contribution names who labelled it, by a short code")
        if len(self.accounts) > _MOST_ACCOUNTS:
            raise SettingsError(f"a label is said by at most {_MOST_ACCOUNTS} accounts")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contribution:
    """A contribution as it lies in the ledger's books, opened.

    Attributes:
        id: Opaque.
        person: Code of the person.
        part: ``pending`` or ``published``.
        role: ``learn`` or ``calibrate``.
        accounts: Who gave the label: one, or all who say so.
        label: Class.
        weight: How much it counts.
        case: Opaque name of the image.
        features: int16, shape (d,).
    """

    id: str
    person: str
    part: str
    role: str
    accounts: tuple[str, ...]
    label: str
    weight: int
    case: str
    features: NDArray[np.int16]


def digest_of(vault: Vault, conn: Connection, offer: Offer) -> str:
    """Return what tells equal images of one person: BLAKE3 keyed with their own key, hex."""
    rows = np.asarray(offer.features).astype("<i2").tobytes()
    return blake3.blake3(rows, key=vault.digest_key(offer.person, conn)).hexdigest()


def seal(vault: Vault, conn: Connection, offer: Offer, *, name: str, space: str) -> bytes:
    """Return a contribution, locked with the person's key and a key of its own.

    Args:
        vault: An open vault.
        conn: A transaction.
        offer: What is contributed.
        name: Id of the contribution.
        space: Id of the outer key.
    """
    told: dict[str, Any] = {"case": offer.case, "label": offer.label, "weight": offer.weight}
    if offer.accounts:
        told["accounts"] = offer.accounts
    line = json.dumps(told, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    rows = np.asarray(offer.features).astype("<i2").tobytes()
    inner = vault.seal_small(offer.person, _KIND, name, line + rows, conn)
    return vault.seal_small(space, _KIND, name, inner, conn)


def opened(vault: Vault, conn: Connection, rows: Iterable[Any]) -> Iterator[Contribution]:
    """Yield contributions from their rows; keys are fetched once for each run of one person.

    Raises:
        ErasedError: A key was destroyed: the row came back with an old backup.
        CorruptedError: A row is not what was written.
    """
    keys: dict[str, bytes] = {}
    for row in rows:
        if row.person not in keys or row.space not in keys:
            keys = {one: vault.people.keys(one, conn).small for one in (row.person, row.space)}
        outer = open_box(keys[row.space], bound(row.space, _KIND, row.id), row.sealed)
        inner = open_box(keys[row.person], bound(row.person, _KIND, row.id), outer)
        line, _, rest = inner.partition(b"\n")
        try:
            told = json.loads(line)
            features = np.frombuffer(rest, "<i2").astype(np.int16)
        except ValueError as error:
            raise CorruptedError("a contribution is not what was written") from error
        yield Contribution(
            id=row.id,
            person=row.person,
            part=row.part,
            role=row.role,
            accounts=tuple(told.get("accounts") or (row.account,)),
            label=told["label"],
            weight=told["weight"],
            case=told["case"],
            features=features,
        )


def sums_of(like: Statistics, some: Sequence[Contribution]) -> Statistics:
    """Return the sums of those contributions that are learnt from.

    Args:
        like: Statistics of the same features and classes.
        some: Contributions, in any order.
    """
    learnt = [one for one in some if one.role == "learn"]
    if not learnt:
        return Statistics.empty(like.features, like.classes, like.width)
    return like.of(
        np.stack([one.features for one in learnt]),
        [one.label for one in learnt],
        [one.weight for one in learnt],
    )


def examples_of(some: Sequence[Contribution], width: int) -> Examples:
    """Return contributions as examples."""
    rows = [one.features for one in some]
    return Examples.of(
        [one.id for one in some],
        [one.person for one in some],
        [one.label for one in some],
        np.stack(rows) if rows else np.zeros((0, width), np.int16),
        [one.weight for one in some],
    )
