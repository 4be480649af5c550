"""Witnesses: somebody else who saw the log grow and signs so (C2SP ``tlog-witness``).

Requests and answers are text, in the form C2SP gives them: carried by a file, a mail or a web
server, which is not here. A witness signs only what continues what it signed before.
"""

import base64
import json
import os
from typing import Any, Final

from safelight.errors import LogError
from safelight.tlog.checkpoint import Checkpoint
from safelight.tlog.log import Log
from safelight.tlog.note import COSIGNATURE, VerifierKey, b64
from safelight.tlog.signer import Signer
from safelight.tlog.tree import EMPTY_ROOT, verify_consistency

__all__ = ["Witness", "request"]

_LINES_MOST: Final = 63


def request(log: Log, old: int) -> str:
    """Return what a witness is asked: its last size, a consistency proof and the checkpoint.

    Args:
        log: The log; a checkpoint is signed when there is none for its size.
        old: Size that the witness signed last, 0 at first.

    Raises:
        LogError: The witness signed more than the log holds, or the log cannot be signed.
    """
    made = log.checkpoint()
    proof = [base64.b64encode(one).decode() for one in log.consistency(old, made.size)]
    return "\n".join([f"old {old}", *proof, "", made.note])


class Witness:
    """Cosigns one log's checkpoints, and remembers the last in a file.

    Args:
        signer: With ``use=COSIGNATURE``; a key of the witness's own.
        log: The log's key.
        state: File of the last size and root that were signed; made when absent.
    """

    def __init__(self, signer: Signer, log: VerifierKey, state: str | os.PathLike[str]) -> None:
        if signer.vkey.use != COSIGNATURE:
            raise LogError("a witness needs a key for cosignatures", todo="make one for it alone")
        self._signer: Final = signer
        self._log: Final = log
        self._state: Final = os.fspath(state)

    @property
    def last(self) -> tuple[int, bytes]:
        """Return size and root of what was signed last.

        Raises:
            LogError: The file is damaged.
        """
        try:
            with open(self._state, encoding="utf-8") as file:
                value: dict[str, Any] = json.load(file)
            if value["origin"] == self._log.name:
                return int(value["size"]), bytes.fromhex(value["root"])
        except FileNotFoundError:
            return 0, EMPTY_ROOT
        except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
            raise LogError("the witness's memory is damaged", todo="restore it") from error
        raise LogError("the witness's memory is of another log")

    def cosign(self, asked: str, seconds: int) -> str:
        """Return a signature line for the checkpoint in a request, its newline included.

        Args:
            asked: As ``request`` returns it.
            seconds: Now, since 1970.

        Raises:
            LogError: The request does not continue what was signed last; nothing is signed.
        """
        head, gap, note = asked.partition("\n\n")
        first, *lines = head.split("\n")
        size, root = self.last
        if not gap or first != f"old {size}" or len(lines) > _LINES_MOST:
            raise LogError("the request does not start at what was signed", place=f"size {size}")
        made = Checkpoint.parse(note, self._log, None)
        if not verify_consistency(size, made.size, root, made.root, [b64(one) for one in lines]):
            raise LogError("the log was rewritten: it does not continue what was signed")
        self._remember(made)
        return f"{self._signer.sign(made.text, seconds=seconds).signatures[0]}\n"

    def _remember(self, made: Checkpoint) -> None:
        value = {"origin": made.origin, "root": made.root.hex(), "size": made.size}
        new = f"{self._state}.new"
        try:
            with open(new, "w", encoding="utf-8") as file:
                json.dump(value, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, self._state)
        except OSError as error:
            raise LogError(f"the witness's memory cannot be written ({error.strerror})") from None
