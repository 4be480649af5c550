"""One spelling of a document, so that its hash is its name."""

import hashlib
import unicodedata
from typing import Any

from safelight.errors import PolicyError, ReceiptError
from safelight.tlog import jcs

__all__ = ["canonical", "content_hash"]


def _composed(value: Any) -> Any:
    """Return a value with its texts composed (NFC): what looks the same is the same.

    Raises:
        PolicyError: Two names of one object become the same.
    """
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, (list, tuple)):
        return [_composed(item) for item in value]
    if isinstance(value, dict):
        pairs = {_composed(name): _composed(item) for name, item in value.items()}
        if len(pairs) != len(value):
            raise PolicyError("a document holds a name twice", todo="keep one of them")
        return pairs
    return value


def canonical(value: Any) -> bytes:
    """Return the one spelling of a JSON value (RFC 8785), its texts composed, UTF-8.

    Raises:
        PolicyError: It holds a fraction, a number past 2**53, text that is not Unicode, a value
            that JSON does not have, or is nested too deep.
    """
    try:
        return jcs.canonical(_composed(value))
    except ReceiptError as error:
        raise PolicyError(error.what, todo=error.todo) from error
    except RecursionError as error:
        raise PolicyError("a document is nested too deep", todo="write it flatter") from error


def content_hash(value: Any) -> str:
    """Return the name of a document: ``sha256:`` and 64 hex digits over its one spelling."""
    return "sha256:" + hashlib.sha256(canonical(value)).hexdigest()
