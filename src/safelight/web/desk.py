"""What every request stands on: the house, the options of the server, and its secrets."""

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from safelight.pipeline.house import House, Places
from safelight.tlog import Signer
from safelight.vault.stream import bound, open_box, seal_box

if TYPE_CHECKING:
    from safelight.settings import Settings

__all__ = ["Desk", "Options", "Secrets", "server_actor"]

_SEED: Final = "safelight/web/secrets/v1\n"
MEBIBYTE: Final = 1 << 20


def server_actor() -> str:
    """Return the code of the user that the server runs as; commands of theirs have it too."""
    return f"local:{os.getuid() if hasattr(os, 'getuid') else 'user'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a server is run.

    Attributes:
        public_url: How browsers reach it, without a slash at the end.
        hosts: Names in the Host header that are answered; others may be a rebound name.
        desktop: One person on this computer, no accounts; ``token`` opens it.
        token: Secret that opens the desktop mode, or that the first run asks for.
        most_bytes: Of one file.
        most_parcel: Of all files of one parcel.
        piece: Bytes of a file that are stored at once.
        keep_hours: How long the owner can see how it was; the original goes after that.
        link_days: How long a one-time link is good.
        oidc: Issuer, client id and secret of an OpenID provider; empty without one.
        rate: Sign-ins a minute from one address.
    """

    public_url: str = "http://127.0.0.1:8000"
    hosts: frozenset[str] = frozenset({"127.0.0.1", "localhost", "[::1]"})
    desktop: bool = False
    token: str = ""
    most_bytes: int = 4 << 30
    most_parcel: int = 64 << 30
    piece: int = 2 * MEBIBYTE
    keep_hours: int = 24
    link_days: int = 7
    oidc: tuple[str, str, str] = ("", "", "")
    rate: int = 20
    settings: "Settings | None" = None

    @property
    def secure(self) -> bool:
        """Whether browsers come over TLS."""
        return self.public_url.startswith("https://")

    @property
    def domain(self) -> str:
        """The host in the address, without a port."""
        rest = self.public_url.partition("://")[2].partition("/")[0]
        return rest.partition("]")[0] + "]" if rest.startswith("[") else rest.partition(":")[0]


class Secrets:
    """Keys of the page, made from the log's key: nothing more to keep or to lose.

    An Ed25519 signature is the same each time (RFC 8032); this text is signed for nobody else.
    """

    __slots__ = ("__seed",)

    def __init__(self, signer: Signer) -> None:
        self.__seed: Final = signer.sign(_SEED).signatures[0].value

    def derive(self, use: str) -> bytes:
        """Return 32 bytes for one use."""
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=use.encode()).derive(self.__seed)

    def code(self, use: str, *parts: str) -> str:
        """Return the keyed code of a value that must not stand in the database, 64 hex digits."""
        return hashlib.blake2b(bound(*parts), digest_size=32, key=self.derive(use)).hexdigest()

    def seal(self, use: str, name: str, data: bytes) -> bytes:
        """Encrypt a small value, bound to its place."""
        return seal_box(self.derive(use), bound(use, name), data)

    def open(self, use: str, name: str, sealed: bytes) -> bytes:
        """Return what ``seal`` encrypted.

        Raises:
            CorruptedError: It was altered, or stands in another place.
        """
        return open_box(self.derive(use), bound(use, name), sealed)

    def __repr__(self) -> str:
        return "Secrets(<hidden>)"


@dataclass(slots=True)
class Desk:
    """The house, opened for a server.

    Attributes:
        house: Everything that is remembered.
        options: How the server is run.
        secrets: Keys of the page.
        places: Where the house lies, for workers that open it themselves.
    """

    house: House
    options: Options
    secrets: Secrets
    places: Places = field(default_factory=Places)

    @classmethod
    def open(cls, places: Places, options: Options) -> Self:
        """Open a house that was made before.

        Raises:
            StoreError: There is none, or it cannot be used.
            MasterKeyError: The key is missing, or another one's.
            KeyFileError: The log's key is missing.
        """
        house = House.open(places)
        house.custody.accesses.bootstrap(server_actor())
        return cls(house, options, Secrets(Signer.load(places.log_key_file)), places)

    def close(self) -> None:
        """Close the store."""
        self.house.close()
