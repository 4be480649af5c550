"""Pseudonyms are keyed, not stored.

The same value under the same project key gives the same pseudonym on any machine, with no shared
table; destroy the key and no way leads back. Identifiers use HMAC-SHA-256 (RFC 2104), digests and
signatures over bulk bytes use keyed BLAKE3, of which each use has a derived key of its own.
"""

import base64
import hashlib
import hmac
import os
import secrets
import stat
from typing import Final, Self, final

import blake3

from safelight.errors import KeyFileError

__all__ = ["ProjectKey"]

_MAGIC: Final = b"safelight-project-key-v1\n"
_KEY_BYTES: Final = 32
_BLOCK_BYTES: Final = 64  # of SHA-256
_SHIFT_MIN_DAYS: Final = 30
_SHIFT_SPAN_DAYS: Final = 3620


@final
class ProjectKey:
    """The secret of one project; every pseudonym and signature derives from it.

    Its ``repr`` shows the fingerprint only; it cannot be pickled.

    Args:
        secret: 32 random bytes.

    Raises:
        KeyFileError: The secret has another length.
    """

    __slots__ = ("__digest", "__inner", "__mac", "__outer", "__secret", "fingerprint")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _KEY_BYTES:
            raise KeyFileError("the project key does not hold 32 bytes", todo="give another key")
        self.__secret: Final = secret
        # The two halves of HMAC (RFC 2104), begun once: a fresh one costs twice as much.
        ids = self._derive("identifiers").ljust(_BLOCK_BYTES, b"\0")
        self.__inner: Final = hashlib.sha256(bytes(byte ^ 0x36 for byte in ids))
        self.__outer: Final = hashlib.sha256(bytes(byte ^ 0x5C for byte in ids))
        self.__digest: Final = self._derive("digests")
        self.__mac: Final = self._derive("manifest")
        self.fingerprint: Final = self._derive("fingerprint").hex()[:16]

    def _derive(self, use: str) -> bytes:
        return hmac.digest(self.__secret, f"safelight/{use}/v1".encode(), "sha256")

    def __repr__(self) -> str:
        return f"ProjectKey(<{self.fingerprint}>)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a project key is never pickled")

    @classmethod
    def generate(cls) -> Self:
        """Return a new random key that is kept nowhere."""
        return cls(secrets.token_bytes(_KEY_BYTES))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a key file.

        Raises:
            KeyFileError: It is missing, malformed, or others may read it.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise KeyFileError(
                f"the project key file cannot be opened ({error.strerror})",
                todo="give the path of a key file with --key; safelight key new FILE makes one",
            ) from error
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyFileError(
                    "the project key file can be read by others",
                    todo="run chmod 600 on it, and make a new key if it may have been copied",
                )
            text = file.read(4096)
        if not text.startswith(_MAGIC):
            raise KeyFileError("the file is not a Safelight project key", todo="give another file")
        try:
            secret = base64.b64decode(text[len(_MAGIC) :].strip(), validate=True)
        except ValueError as error:
            raise KeyFileError("the project key file is damaged", todo="restore it") from error
        return cls(secret)

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> Self:
        """Make a new key file that its owner alone can read.

        Raises:
            KeyFileError: The file exists already or cannot be written.
        """
        key = cls.generate()
        folder = os.path.dirname(os.path.abspath(path))
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise KeyFileError(
                f"the project key file cannot be made ({error.strerror})",
                todo="give the name of a file that is not there yet, in a folder you may write to",
            ) from error
        with os.fdopen(descriptor, "wb") as file:
            file.write(_MAGIC + base64.b64encode(key.__secret) + b"\n")  # noqa: SLF001 - own class
            file.flush()
            os.fsync(file.fileno())
        return key

    @classmethod
    def load_or_create(cls, path: str | os.PathLike[str]) -> Self:
        """Read the key file, or make it on the first run."""
        return cls.load(path) if os.path.exists(path) else cls.create(path)

    def signing_seed(self) -> bytes:
        """Return the 32-byte seed of the Ed25519 key that signs a run."""
        return self._derive("ed25519")

    def _id(self, domain: str, value: str) -> bytes:
        inner, outer = self.__inner.copy(), self.__outer.copy()
        inner.update(f"{domain}\0{value}".encode("utf-8", "surrogateescape"))
        outer.update(inner.digest())
        return outer.digest()

    def uid(self, uid: str) -> str:
        """Return the replacement of a UID: ``2.25.`` and a version 8 UUID (PS3.5 B.2, RFC 9562)."""
        number = int.from_bytes(self._id("uid", uid)[:16], "big")
        number = number & ~(0xF << 76) | 8 << 76
        number = number & ~(3 << 62) | 2 << 62
        return f"2.25.{number}"

    def code(self, domain: str, value: str, length: int = 10) -> str:
        """Return a pseudonym of ``length`` letters and digits (base 32, at most 51)."""
        wanted = self._id(domain, value)[: -(-length // 8) * 5]  # 5 bytes are 8 letters
        return base64.b32encode(wanted).decode("ascii")[:length]

    def shift_days(self, person: str) -> int:
        """Return the days by which all dates of one person move: -30 to -3649, never forward."""
        number = int.from_bytes(self._id("shift", person)[:8], "big")
        return -(_SHIFT_MIN_DAYS + number % _SHIFT_SPAN_DAYS)

    def digest(self, data: bytes | memoryview) -> str:
        """Return the salted digest that a manifest may hold instead of a value: 16 hex digits."""
        return blake3.blake3(data, key=self.__digest).hexdigest(8)

    def mac(self, data: bytes) -> str:
        """Return the signature of a manifest line: keyed BLAKE3, 64 hex digits."""
        return blake3.blake3(data, key=self.__mac).hexdigest()
