"""The master key: from a file of the owner's, the environment, the OS keyring, or a command.

It wraps the data keys and nothing else; it is never stored in the database or beside the data.
"""

import base64
import hmac
import os
import secrets
import shlex
from typing import Final, Self, final

from safelight import secretfile
from safelight.errors import MasterKeyError

__all__ = ["MasterKey", "default_master_file"]

_MAGIC: Final = b"safelight-master-key-v1\n"
_BYTES: Final = 32
_FILE: Final = "the master key file"
_COMMAND_SECONDS: Final = 60


def default_master_file() -> str:
    """Return where the master key lies unless told otherwise (XDG Base Directory)."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(
        os.path.expanduser("~"), ".local", "share"
    )
    return os.path.join(base, "safelight", "master.key")


@final
class MasterKey:
    """The key that wraps every data key of a vault.

    Its ``repr`` shows the fingerprint only; it cannot be pickled.

    Args:
        secret: 32 random bytes.
        path: The file it came from; empty when it came from elsewhere.

    Raises:
        MasterKeyError: The secret has another length.
    """

    __slots__ = ("__wrap", "fingerprint", "path")

    def __init__(self, secret: bytes, *, path: str = "") -> None:
        if len(secret) != _BYTES:
            raise MasterKeyError("the master key does not hold 32 bytes", todo="give another key")
        self.__wrap: Final = hmac.digest(secret, b"safelight/master/wrap/v1", "sha256")
        self.fingerprint: Final = hmac.digest(
            secret, b"safelight/master/fingerprint/v1", "sha256"
        ).hex()[:16]
        self.path: Final = path

    def wrapping(self) -> bytes:
        """Return the 32 bytes that wrap data keys; for ``vault.people`` alone."""
        return self.__wrap

    def __repr__(self) -> str:
        return f"MasterKey(<{self.fingerprint}>)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a master key is never pickled")

    @classmethod
    def generate(cls) -> Self:
        """Return a new random key that is kept nowhere."""
        return cls(secrets.token_bytes(_BYTES))

    @classmethod
    def open(cls, source: str = "") -> Self:
        """Return the master key from where a setting says it is.

        Args:
            source: ``file:PATH`` or a path; ``env:NAME``, a variable that holds the key in base64;
                ``keyring:SERVICE/NAME``, an entry of the OS keyring; ``command:PROGRAM ARGUMENTS``,
                a program that prints the key in base64 (the client of a key management service).
                Empty: ``$XDG_DATA_HOME/safelight/master.key``.

        Raises:
            MasterKeyError: It is not there, malformed, or others may read it.
        """
        scheme, colon, rest = source.partition(":")
        if colon and scheme == "env":
            return cls(_decoded(os.environ.get(rest, "").encode(), f"the variable {rest}"))
        if colon and scheme == "keyring":
            return cls(_decoded(_from_keyring(rest), "the entry of the keyring"))
        if colon and scheme == "command":
            return cls(_decoded(_from_command(rest), "what the key command prints"))
        path = rest if colon and scheme == "file" else source
        return cls._load(path or default_master_file())

    @classmethod
    def _load(cls, path: str) -> Self:
        text = secretfile.read(
            path,
            _FILE,
            MasterKeyError,
            missing="give its path, or run safelight init to make a vault with a new one",
            shared="run chmod 600 on it, and rotate the key if it may have been copied",
        )
        if not text.startswith(_MAGIC):
            raise MasterKeyError("the file is not a Safelight master key", todo="give another file")
        return cls(_decoded(text[len(_MAGIC) :], "the master key file"), path=path)

    @classmethod
    def create(cls, path: str = "") -> Self:
        """Make a new key file that its owner alone can read.

        Raises:
            MasterKeyError: The file exists already or cannot be written.
        """
        path = path or default_master_file()
        secret = secrets.token_bytes(_BYTES)
        secretfile.write(
            path,
            _MAGIC + base64.b64encode(secret) + b"\n",
            _FILE,
            MasterKeyError,
            elsewhere="choose another place; a key file that exists is never overwritten",
        )
        return cls(secret, path=path)

    @classmethod
    def create_in_keyring(cls, entry: str) -> Self:
        """Make a new key as an entry ``SERVICE/NAME`` of the OS keyring.

        Raises:
            MasterKeyError: There is such an entry already, or the keyring cannot be used.
        """
        if _from_keyring(entry, missing=b""):
            raise MasterKeyError("the keyring holds such an entry already", todo="name another")
        import keyring  # noqa: PLC0415  # start-up cost

        secret = secrets.token_bytes(_BYTES)
        service, _, name = entry.partition("/")
        try:
            keyring.set_password(service, name, base64.b64encode(secret).decode())
        except keyring.errors.KeyringError as error:
            raise _keyring_failed(error) from None
        return cls(secret)


def _decoded(text: bytes, what: str) -> bytes:
    """Return the 32 bytes that a text in base64 stands for.

    Raises:
        MasterKeyError: It is no such text.
    """
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        secret = b""
    if len(secret) != _BYTES:
        raise MasterKeyError(
            f"{what} is not a master key", todo="it must hold 32 bytes in base64, and no more"
        )
    return secret


def _from_keyring(entry: str, missing: bytes | None = None) -> bytes:
    import keyring  # noqa: PLC0415  # start-up cost

    service, slash, name = entry.partition("/")
    if not (service and slash and name):
        raise MasterKeyError("the keyring entry is not named SERVICE/NAME")
    try:
        found = keyring.get_password(service, name)
    except keyring.errors.KeyringError as error:
        raise _keyring_failed(error) from None
    if found is None:
        if missing is not None:
            return missing
        raise MasterKeyError(
            "the keyring holds no such entry", todo="check its name; run safelight init to make one"
        )
    return str(found).encode()


def _keyring_failed(error: Exception) -> MasterKeyError:
    return MasterKeyError(
        f"the OS keyring cannot be used ({type(error).__name__})",
        todo="unlock it, or keep the key in a file",
    )


def _from_command(line: str) -> bytes:
    import subprocess  # noqa: PLC0415  # start-up cost

    try:
        words = shlex.split(line)
        done = subprocess.run(  # noqa: S603  # the operator's own setting, split, without a shell
            words, stdout=subprocess.PIPE, timeout=_COMMAND_SECONDS, check=False
        )
    except (OSError, ValueError, IndexError, subprocess.TimeoutExpired) as error:
        raise MasterKeyError(
            f"the key command could not be run ({type(error).__name__})", todo="check the setting"
        ) from None
    if done.returncode:
        raise MasterKeyError(
            f"the key command failed (exit code {done.returncode})",
            todo="run it by hand; it must print the key in base64",
        )
    return done.stdout
