"""The log's own key: Ed25519, in a file that its owner alone can read."""

import base64
import os
import re
import secrets
from typing import Final, NoReturn, Self, final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from safelight import secretfile
from safelight.errors import KeyFileError
from safelight.tlog.note import COSIGNATURE, SIGNATURE, Note, Signature, VerifierKey

__all__ = ["Signer"]

_MAGIC: Final = b"safelight-log-key-v1\n"
_FILE: Final = "the log's key file"
_SEED_BYTES: Final = 32
_NAME: Final = re.compile(r"[!-*,-~]{1,200}")  # printable, no space, no plus


@final
class Signer:
    """Signs checkpoints as a log, or cosigns them as a witness.

    Its ``repr`` shows the public key only; it cannot be pickled.

    Args:
        name: Of the log or witness, such as ``safelight/3f2a…`` or ``log.example.org/clinic``.
        seed: 32 random bytes.
        use: ``note.SIGNATURE`` for a log, ``note.COSIGNATURE`` for a witness.

    Raises:
        KeyFileError: The name or the seed's length is not what it should be.
    """

    __slots__ = ("__key", "__seed", "vkey")

    def __init__(self, name: str, seed: bytes, *, use: int = SIGNATURE) -> None:
        if len(seed) != _SEED_BYTES or not _NAME.fullmatch(name):
            raise KeyFileError("a log key needs 32 bytes and a name", todo="give another key")
        self.__seed: Final = seed
        self.__key: Final = Ed25519PrivateKey.from_private_bytes(seed)
        self.vkey: Final = VerifierKey(name=name, use=use, public=_public(self.__key))

    def __repr__(self) -> str:
        return f"Signer(<{self.vkey}>)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a log key is never pickled")

    @classmethod
    def generate(cls, name: str = "", *, use: int = SIGNATURE) -> Self:
        """Return a new random key; without a name it is named by its own fingerprint."""
        seed = secrets.token_bytes(_SEED_BYTES)
        public = _public(Ed25519PrivateKey.from_private_bytes(seed))
        kind = "witness" if use == COSIGNATURE else "log"
        known = VerifierKey(name="x", use=use, public=public).fingerprint[:16]
        return cls(name or f"safelight-{kind}/{known}", seed, use=use)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, use: int = SIGNATURE) -> Self:
        """Read a key file.

        Raises:
            KeyFileError: It is missing, malformed, or others may read it.
        """
        text = secretfile.read(
            path,
            _FILE,
            KeyFileError,
            missing="restore it from a backup; a new key means a new log",
            shared="run chmod 600 on it; whoever copied it can sign as this log",
        )
        try:
            magic, name, seed = text.decode("ascii").split()
            if magic != _MAGIC.decode().strip():
                name = ""  # another file's
            return cls(name, base64.b64decode(seed, validate=True), use=use)
        except ValueError as error:
            raise KeyFileError(
                "the file is not a log key, or damaged", todo="restore it from a backup"
            ) from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a new key file that its owner alone can read.

        Raises:
            KeyFileError: The file exists already or cannot be written.
        """
        text = _MAGIC + self.vkey.name.encode() + b"\n" + base64.b64encode(self.__seed) + b"\n"
        secretfile.write(path, text, _FILE, KeyFileError, elsewhere="choose another place for it")

    @classmethod
    def load_or_create(
        cls, path: str | os.PathLike[str], name: str = "", *, use: int = SIGNATURE
    ) -> Self:
        """Read the key file, or make it on the first run."""
        if not os.path.exists(path):
            cls.generate(name, use=use).save(path)
        return cls.load(path, use=use)

    def sign(self, text: str, *, seconds: int = 0) -> Note:
        """Return the text as a note with this key's signature.

        Args:
            text: Ends in a newline.
            seconds: For a witness: the time, in seconds since 1970.
        """
        message, stamp = text.encode(), b""
        if self.vkey.use == COSIGNATURE:
            message = f"cosignature/v1\ntime {seconds}\n".encode() + message
            stamp = seconds.to_bytes(8, "big")
        value = stamp + self.__key.sign(message)
        line = Signature(name=self.vkey.name, key_id=self.vkey.key_id, value=value)
        return Note(text=text, signatures=(line,))


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
