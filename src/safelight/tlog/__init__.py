"""The transparency log: entries that nobody can rewrite, and the proofs that they were there.

RFC 9162 (Merkle tree), C2SP ``tlog-checkpoint``, ``signed-note``, ``tlog-proof`` and
``tlog-cosignature``. The log holds salted commitments only.
"""

from safelight.tlog.check import Problem, Verified
from safelight.tlog.checkpoint import Checkpoint
from safelight.tlog.commitment import Leaf
from safelight.tlog.log import Log
from safelight.tlog.note import VerifierKey
from safelight.tlog.signer import Signer

__all__ = ["Checkpoint", "Leaf", "Log", "Problem", "Signer", "Verified", "VerifierKey"]
