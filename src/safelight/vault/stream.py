"""Streaming encryption: AES-256-GCM over segments, in the STREAM construction.

Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance (CRYPTO 2015), section 7, as in Tink's AES-GCM-HKDF streaming. Each object has a
key of its own: HKDF-SHA-256 (RFC 5869) of the person's key with a random salt, bound to the
object's name. A segment's nonce is a random prefix, its number and whether it is the last one; a
segment that is changed, moved, dropped, added or taken from another object does not decrypt.

Layout: ``SLv1``, salt (32 bytes), nonce prefix (7), then segments of 256 KiB + 16 bytes each; the
last one is shorter or equal, and there is always one.
"""

import secrets
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from safelight.errors import CorruptedError

__all__ = ["SEGMENT", "bound", "decrypt", "derive", "encrypt", "open_box", "seal_box"]

_MAGIC: Final = b"SLv1"
_SALT: Final = 32
_PREFIX: Final = 7
_HEADER: Final = len(_MAGIC) + _SALT + _PREFIX
SEGMENT: Final = 256 << 10
_TAG: Final = 16
_NONCE: Final = 12
_SEGMENTS: Final = 1 << 32


def derive(secret: bytes, use: str, *, salt: bytes | None = None, bind: bytes = b"") -> bytes:
    """Return 32 bytes derived from a key for one use (HKDF-SHA-256)."""
    info = b"safelight/" + use.encode() + b"/v1\0" + bind
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)


def bound(*parts: str) -> bytes:
    """Return names as bytes that no other list of names gives."""
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)


def encrypt(secret: bytes, bind: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the encrypted form of a stream.

    Args:
        secret: 32 bytes, the person's key for objects.
        bind: What the object is, from ``bound``; needed again to decrypt.
        chunks: The plain bytes, in pieces of any size.
    """
    header = _MAGIC + secrets.token_bytes(_SALT + _PREFIX)
    cipher, prefix = _opened(secret, bind, header)
    yield header
    number = 0
    held = bytearray()
    for chunk in chunks:
        held += chunk
        start = 0
        while len(held) - start > SEGMENT:  # more follows, so this one is not the last
            piece = bytes(held[start : start + SEGMENT])
            yield cipher.encrypt(_nonce(prefix, number, last=False), piece, header)
            number += 1
            start += SEGMENT
        del held[:start]
    yield cipher.encrypt(_nonce(prefix, number, last=True), bytes(held), header)


def decrypt(secret: bytes, bind: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the plain bytes of what ``encrypt`` made, each piece checked before it is yielded.

    That the stream is whole is known at its end only: do not act on a part.

    Raises:
        CorruptedError: It is not what was encrypted under this key and these names.
    """
    source = iter(chunks)
    held = bytearray()
    for chunk in source:
        held += chunk
        if len(held) >= _HEADER:
            break
    header = bytes(held[:_HEADER])
    if len(header) < _HEADER or not header.startswith(_MAGIC):
        raise CorruptedError("a stored object does not start as one")
    del held[:_HEADER]
    cipher, prefix = _opened(secret, bind, header)
    number = 0
    try:
        for chunk in chain((b"",), source):  # the empty one: what is held already comes first
            held += chunk
            start = 0
            while len(held) - start > SEGMENT + _TAG:
                piece = bytes(held[start : start + SEGMENT + _TAG])
                yield cipher.decrypt(_nonce(prefix, number, last=False), piece, header)
                number += 1
                start += SEGMENT + _TAG
            del held[:start]
        yield cipher.decrypt(_nonce(prefix, number, last=True), bytes(held), header)
    except InvalidTag:
        raise CorruptedError("a stored object is not what was written") from None


def _opened(secret: bytes, bind: bytes, header: bytes) -> tuple[AESGCM, bytes]:
    salt = header[len(_MAGIC) : len(_MAGIC) + _SALT]
    return AESGCM(derive(secret, "object", salt=salt, bind=bind)), header[-_PREFIX:]


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    if number >= _SEGMENTS:
        raise CorruptedError("an object is longer than its numbers of segments reach")
    return prefix + number.to_bytes(4, "big") + (b"\1" if last else b"\0")


def seal_box(secret: bytes, bind: bytes, data: bytes) -> bytes:
    """Return a small value encrypted: a random nonce of 12 bytes, then AES-256-GCM."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(secret).encrypt(nonce, data, bind)


def open_box(secret: bytes, bind: bytes, sealed: bytes) -> bytes:
    """Return what ``seal_box`` encrypted.

    Raises:
        CorruptedError: It was altered, or belongs to another place or key.
    """
    try:
        return AESGCM(secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], bind)
    except (InvalidTag, ValueError):
        raise CorruptedError("a sealed value is not what was written") from None
