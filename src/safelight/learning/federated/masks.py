"""Masks that hide each site's sums and cancel in the total, modulo 2**64.

Each pair of sites agrees on a seed (X25519, RFC 7748; HKDF-SHA256, RFC 5869) that nobody else
knows, and draws the same mask from it (AES-256 in counter mode): one adds it, the other takes it
off. K. Bonawitz et al., CCS 2017, 4.0 without its second mask: when a site is gone, the others mask
anew with new keys, or the round fails.

Two check words go with the numbers: random linear forms of them, masked as well. They add up as the
numbers do; a total whose words do not fit has a mask too many or too few, or an altered number.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from safelight.errors import FederationError
from safelight.learning.federated.plan import Plan
from safelight.readers.statistics import Statistics

__all__ = ["CHECKS", "masked", "numbers_of", "opened", "statistics_of", "with_checks"]

CHECKS: Final = 2
_WORD: Final = 8
_HEADER_LINES: Final = 2

Words = NDArray[np.uint64]


def numbers_of(sums: Statistics) -> Words:
    """Return the numbers of statistics, in the order of their canonical bytes."""
    data = sums.to_bytes().split(b"\n", _HEADER_LINES)[_HEADER_LINES]
    return np.frombuffer(data, dtype="<u8").astype(np.uint64)


def statistics_of(plan: Plan, numbers: Words) -> Statistics:
    """Return the statistics of numbers.

    Raises:
        UnreadableInputError: They are too few or too many.
    """
    lines = plan.empty().to_bytes().split(b"\n", _HEADER_LINES)
    head = b"\n".join(lines[:_HEADER_LINES]) + b"\n"
    return Statistics.from_bytes(head + numbers.astype("<u8").tobytes())


def _stream(key: bytes, count: int) -> Words:
    """Return as many words as asked for, drawn from a key that is used for nothing else."""
    cipher = Cipher(algorithms.AES256(key), modes.CTR(bytes(16))).encryptor()
    return np.frombuffer(cipher.update(bytes(_WORD * count)), dtype="<u8").astype(np.uint64)


def _forms(plan: Plan, attempt: int, count: int) -> Words:
    """Return the linear forms of the check words: shape (CHECKS, count)."""
    told = f"{plan.digest}\n{attempt}\ncheck".encode()
    return _stream(hashlib.sha256(told).digest(), CHECKS * count).reshape(CHECKS, count)


def with_checks(plan: Plan, attempt: int, numbers: Words) -> Words:
    """Return the numbers with their check words."""
    forms = _forms(plan, attempt, len(numbers))
    words = np.array([(form * numbers).sum(dtype=np.uint64) for form in forms], dtype=np.uint64)
    return np.concatenate([numbers, words])


def masked(
    plan: Plan,
    attempt: int,
    site: str,
    key: X25519PrivateKey,
    others: Mapping[str, bytes],
    numbers: Words,
) -> Words:
    """Return numbers and check words under the masks with every other site.

    Args:
        plan: Of the round.
        attempt: Of the round.
        site: Whose numbers.
        key: Its key of this attempt.
        others: Public key of each other site of this attempt, 32 bytes.
        numbers: What is to be added up, modulo 2**64.

    Raises:
        FederationError: There is no other site, or a key is none.
    """
    if not others or site in others:
        raise FederationError("numbers are not sent without another site to mask them with")
    total = with_checks(plan, attempt, numbers)
    for other in sorted(others):
        mask = _stream(_seed(plan, attempt, site, other, key, others[other]), len(total))
        total = total + mask if site < other else total - mask
    return total


def _seed(  # the parts of a seed
    plan: Plan, attempt: int, site: str, other: str, key: X25519PrivateKey, theirs: bytes
) -> bytes:
    try:
        shared = key.exchange(X25519PublicKey.from_public_bytes(theirs))
    except ValueError as error:
        raise FederationError("a site's key is none", place=other) from error
    pair = "\n".join(sorted((site, other)))
    about = f"safelight/federated/mask/v1\n{plan.digest}\n{attempt}\n{pair}".encode()
    return HKDF(SHA256(), 32, bytes.fromhex(plan.round), about).derive(shared)


def opened(plan: Plan, attempt: int, total: Words) -> Statistics:
    """Return the statistics that a total holds.

    Args:
        plan: Of the round.
        attempt: Of the round.
        total: Sum of what all sites sent, modulo 2**64.

    Raises:
        FederationError: The masks do not cancel, or the sum is none of rows.
    """
    numbers = total[:-CHECKS]
    if len(total) <= CHECKS or not np.array_equal(with_checks(plan, attempt, numbers), total):
        raise FederationError("the sum does not hold: a site's part is missing or was altered")
    made = statistics_of(plan, numbers)
    diagonal = np.diagonal(made.products, axis1=1, axis2=2)
    if made.counts.min() < 0 or diagonal.min() < 0:
        raise FederationError("the sum is none of rows: a number overflowed or was made up")
    return made
