"""Canonical JSON: the part of RFC 8785 (JCS) that entries and receipts use.

Objects, arrays, strings, whole numbers that every language reads alike, true, false and null. No
fractions: their shortest form is the one hard part of RFC 8785, and nothing here needs it.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from safelight.errors import ReceiptError

__all__ = ["canonical", "parse"]

_MOST: Final = 2**53 - 1
_DEPTH_MOST: Final = 40


def canonical(value: Any) -> bytes:
    """Return the canonical form, UTF-8 without a final newline (RFC 8785 section 3.2).

    Raises:
        ReceiptError: A fraction, a number beyond 2**53 - 1, a key that is not a string, half a
            surrogate pair, deeper than 40, or a type that JSON does not have.
    """
    try:
        text = json.dumps(_ordered(value, _DEPTH_MOST), ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ReceiptError("a text holds half a character", todo="correct the text") from error


def _ordered(value: Any, depth: int) -> Any:
    if depth == 0:
        raise ReceiptError("a value is nested too deeply", todo="make it flatter")
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= _MOST:
        return int(value)
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ReceiptError("a name in an object is not text", todo="use names that are text")
        # by UTF-16 code units, not by code points (RFC 8785 section 3.2.3)
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return {str(key): _ordered(value[key], depth - 1) for key in keys}
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return [_ordered(one, depth - 1) for one in value]
    raise ReceiptError(
        f"a {type(value).__name__} has no place in canonical JSON",
        todo="write fractions, large numbers and bytes as text",
    )


def parse(data: bytes) -> Any:
    """Return the value of canonical JSON and of nothing else.

    Raises:
        ReceiptError: Not JSON, or not in its canonical form.
    """
    try:
        value = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ReceiptError("the bytes are not JSON", todo="take the file as it was made") from error
    if canonical(value) != data:
        raise ReceiptError("the JSON is not canonical", todo="take the file as it was made")
    return value
