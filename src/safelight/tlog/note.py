"""Signed notes and the keys that sign them (C2SP ``signed-note`` v1.0.0).

A note is text, an empty line, and one line for each signature:
``— NAME base64(4 bytes of key id || signature)``. Ed25519 (RFC 8032) is the one algorithm here, in
two uses: the log's own signature (0x01) and a witness's cosignature with its time (0x04,
C2SP ``tlog-cosignature``).
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from safelight.errors import LogError

__all__ = ["COSIGNATURE", "NOTE_BYTES_MOST", "SIGNATURE", "Note", "Signature", "VerifierKey", "b64"]

SIGNATURE: Final = 1
COSIGNATURE: Final = 4
NOTE_BYTES_MOST: Final = 100_000
_KEY_BYTES: Final = 32
_ID_BYTES: Final = 4
_NAME: Final = re.compile(r"[^\s+]+")
_LINE: Final = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


def b64(text: str) -> bytes:
    """Return the bytes of base64 that is written in the one canonical way.

    Raises:
        LogError: Not base64, or with padding bits that are not zero (RFC 4648 section 3.5).
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise LogError("a value is not base64", todo="take the file as it was made") from error
    if base64.b64encode(data).decode() != text:
        raise LogError("a base64 value has stray bits", todo="take the file as it was made")
    return data


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key with its name, as the ``vkey`` line of C2SP ``signed-note`` writes it.

    Attributes:
        name: Of the signer, without spaces and plus signs.
        use: ``SIGNATURE`` or ``COSIGNATURE``.
        public: 32 bytes, Ed25519.
    """

    name: str
    use: int
    public: bytes

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or len(self.public) != _KEY_BYTES:
            raise LogError(
                "a key's name or length is not what it should be", todo="use the key's own line"
            )
        if self.use not in (SIGNATURE, COSIGNATURE):
            raise LogError("a key is for another kind of signature", todo="use an Ed25519 key")

    @property
    def key_id(self) -> bytes:
        """Return the first 4 bytes of SHA-256(name || 0x0A || use || public)."""
        named = self.name.encode() + b"\n" + bytes([self.use]) + self.public
        return hashlib.sha256(named).digest()[:_ID_BYTES]

    @property
    def fingerprint(self) -> str:
        """Return SHA-256 of the public key in hex: what a person compares."""
        return hashlib.sha256(self.public).hexdigest()

    def __str__(self) -> str:
        material = base64.b64encode(bytes([self.use]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a ``vkey`` line.

        Raises:
            LogError: It is malformed, or its id is not the one of its key.
        """
        parts = text.strip().split("+", 2)
        if len(parts) != 3:  # noqa: PLR2004  # name, id, key
            raise LogError("the text is not a verifier key", todo="use the log's own key line")
        material = b64(parts[2])
        key = cls(name=parts[0], use=material[0] if material else 0, public=material[1:])
        if key.key_id.hex() != parts[1]:
            raise LogError("a verifier key has another key's id", todo="use the log's own key line")
        return key

    def holds(self, note: "Note") -> bool:
        """Say whether the note bears a signature of this key, and every one it bears is good."""
        found = [
            one for one in note.signatures if (one.name, one.key_id) == (self.name, self.key_id)
        ]
        return bool(found) and all(self._good(note.text, one.value) for one in found)

    def _good(self, text: str, value: bytes) -> bool:
        message = text.encode()
        if self.use == COSIGNATURE:
            message = (
                f"cosignature/v1\ntime {int.from_bytes(value[:8], 'big')}\n".encode() + message
            )
            value = value[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(value, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature line.

    Attributes:
        name: Of the signer.
        key_id: 4 bytes.
        value: The signature; of a cosignature, 8 bytes of time (seconds since 1970) and then it.
    """

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        return f"\u2014 {self.name} {base64.b64encode(self.key_id + self.value).decode()}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read one line, without its newline.

        Raises:
            LogError: It is not a signature line.
        """
        match = _LINE.fullmatch(line)
        data = b64(match[2]) if match else b""
        if match is None or len(data) <= _ID_BYTES:
            raise LogError(
                "a line of the note is not a signature", todo="take the note as it was made"
            )
        return cls(name=match[1], key_id=data[:_ID_BYTES], value=data[_ID_BYTES:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A signed text.

    Attributes:
        text: What is signed, its last newline included.
        signatures: At least one.
    """

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(f"{one}\n" for one in self.signatures)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a note; whether its signatures are good is ``VerifierKey.holds``.

        Raises:
            LogError: It is not a signed note, or longer than 100,000 bytes.
        """
        if len(text.encode("utf-8", "replace")) > NOTE_BYTES_MOST or _CONTROL.search(text):
            raise LogError("the text is not a signed note", todo="take the note as it was made")
        body, gap, lines = text.rpartition("\n\n")
        if not gap or not lines.endswith("\n"):
            raise LogError("the text is not a signed note", todo="take the note as it was made")
        signatures = tuple(Signature.parse(line) for line in lines[:-1].split("\n"))
        return cls(text=body + "\n", signatures=signatures)

    def signed_by(self, more: Sequence[Signature]) -> Self:
        """Return the note with more signature lines; one that is there already is not repeated."""
        new = tuple(one for one in more if one not in self.signatures)
        return type(self)(text=self.text, signatures=self.signatures + new)
