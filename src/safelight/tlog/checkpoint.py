"""Checkpoints: the size and root of the log, signed (C2SP ``tlog-checkpoint`` v1.0.0)."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from safelight.errors import LogError
from safelight.tlog.note import Note, VerifierKey, b64
from safelight.tlog.tree import HASH_BYTES

__all__ = ["Checkpoint", "check_key"]

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES: Final = 3


def check_key(note: bytes, key: VerifierKey) -> None:
    """Refuse a key that is not the one a checkpoint was signed with; the signature is not checked.

    Raises:
        LogError: It is another log's key, or the note cannot be read.
    """
    try:
        names = {(line.name, line.key_id) for line in Note.parse(note.decode()).signatures}
    except UnicodeDecodeError as error:
        raise LogError("a checkpoint is not text") from error
    if (key.name, key.key_id) not in names:
        told = ", ".join(sorted(name for name, _ in names))
        raise LogError(
            f"this is not the key of this log (it is {key.name}, checkpoints are signed by {told})",
            todo="give the key file that the vault was made with (--log-key)",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What the log was at one moment.

    Attributes:
        origin: Name of the log.
        size: Leaves.
        root: Merkle tree hash, 32 bytes.
        note: The signed note, verbatim; empty before it is signed.
    """

    origin: str
    size: int
    root: bytes
    note: str = ""

    @property
    def text(self) -> str:
        """Return what is signed: three lines, no extension lines."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(
        cls, note: str | bytes, key: VerifierKey, witnesses: Sequence[VerifierKey] | None = ()
    ) -> Self:
        """Read a checkpoint and check every signature on it.

        Stricter than C2SP asks of a client: we made the note ourselves, so a signature line of a
        key that we do not know is damage, not somebody else's business.

        Args:
            note: The signed note, verbatim.
            key: Of the log; its name is the origin.
            witnesses: Whose cosignatures may stand there too; None: anybody's, unchecked.

        Raises:
            LogError: Not a checkpoint, of another log, or a signature does not hold.
        """
        if isinstance(note, bytes):
            try:
                note = note.decode()
            except UnicodeDecodeError as error:
                raise LogError("a checkpoint is not text") from error
        parsed = Note.parse(note)
        if not key.holds(parsed):
            raise LogError("a checkpoint is not signed by this log's key")
        known = {(one.name, one.key_id): one for one in (key, *(witnesses or ()))}
        for line in parsed.signatures if witnesses is not None else ():
            witness = known.get((line.name, line.key_id))
            if witness is None or not witness.holds(parsed):
                raise LogError("a checkpoint bears a signature that nobody known made")
        lines = parsed.text[:-1].split("\n")
        if len(lines) != _LINES or lines[0] != key.name or not _SIZE.fullmatch(lines[1]):
            raise LogError("a checkpoint is not of this log")
        root = b64(lines[2])
        if len(root) != HASH_BYTES:
            raise LogError("a checkpoint holds no root")
        return cls(origin=lines[0], size=int(lines[1]), root=root, note=note)
