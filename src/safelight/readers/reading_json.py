"""Readings as JSON and back: versioned and strict, so that what was said stays what was said.

A field that is unknown, missing or of another type is refused by its place; nothing is dropped and
nothing is filled in. Numbers that JSON has no form for stand as ``"inf"``, ``"-inf"``, ``"nan"``.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from safelight.errors import LimitExceededError, UnreadableInputError
from safelight.readers.reading import Reading

__all__ = ["FORMAT", "VERSION", "as_json", "dumps", "from_json", "loads", "parsed"]

FORMAT: Final = "safelight-reading"
VERSION: Final = 1
_LARGEST: Final = 16 * 1024 * 1024
_LONGEST: Final = 100_000  # items of one list
_ODD: Final = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}

Decoder = Callable[[Any, str], Any]


def as_json(reading: Reading) -> dict[str, Any]:
    """Return the reading as one JSON document; enumerations by their value, tuples as lists."""
    return {"format": FORMAT, "version": VERSION, **_plain(reading)}


def dumps(reading: Reading) -> bytes:
    """Return the document as ASCII bytes, the same for equal readings."""
    document = as_json(reading)
    return json.dumps(document, sort_keys=True, allow_nan=False).encode()


def from_json(document: Any) -> Reading:
    """Return the reading that a document holds.

    Raises:
        UnreadableInputError: It is no reading of this version; the place is named, never a value.
    """
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise UnreadableInputError("this is not a reading")
    if document.get("version") != VERSION or isinstance(document.get("version"), bool):
        raise UnreadableInputError(
            f"the reading is not of version {VERSION}", todo="read the image again"
        )
    body = {key: value for key, value in document.items() if key not in {"format", "version"}}
    reading = _decoder(Reading)(body, "")
    if not isinstance(reading, Reading):
        raise TypeError("the decoder of readings makes readings")
    return reading


def loads(data: bytes | str) -> Reading:
    """Return the reading that the text of a document holds.

    Raises:
        LimitExceededError: It is larger than readings are.
        UnreadableInputError: It is no JSON, or no reading.
    """
    return from_json(parsed(data))


def parsed(data: bytes | str) -> dict[str, Any]:
    """Return the JSON object that a text holds.

    Raises:
        LimitExceededError: It is larger than readings are.
        UnreadableInputError: It is no JSON object.
    """
    if len(data) > _LARGEST:
        raise LimitExceededError("it is larger than readings are")
    try:
        document = json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise UnreadableInputError("this is not JSON") from None
    if not isinstance(document, dict):
        raise UnreadableInputError("this is not a reading")
    return document


def _no_constant(_name: str) -> float:
    raise ValueError("JSON has no such number")


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


@cache
def _decoder(kind: Any) -> Decoder:
    """Return what checks and makes a value of a field's type."""
    if is_dataclass(kind) and isinstance(kind, type):
        return _record(kind)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return _choice(kind)
    origin = get_origin(kind)
    if origin is UnionType:
        (inner,) = (each for each in get_args(kind) if each is not NoneType)
        decode = _decoder(inner)
        return lambda value, place: None if value is None else decode(value, place)
    if origin is tuple:
        return _several(_decoder(get_args(kind)[0]))
    return _SIMPLE[kind]


def _record(kind: type) -> Decoder:
    hints = get_type_hints(kind)
    parts = {name: _decoder(hint) for name, hint in hints.items()}

    def decode(value: Any, place: str) -> Any:
        if not isinstance(value, Mapping):
            raise _wrong(place)
        for name in value:
            if name not in parts:
                raise UnreadableInputError("it has a field that readings do not have", place=place)
        made = {}
        for name, part in parts.items():
            here = f"{place}.{name}" if place else name
            if name not in value:
                raise UnreadableInputError("a field is missing", place=here)
            made[name] = part(value[name], here)
        return kind(**made)

    return decode


def _choice(kind: type[StrEnum]) -> Decoder:
    def decode(value: Any, place: str) -> StrEnum:
        if not isinstance(value, str):
            raise _wrong(place)
        try:
            return kind(value)
        except ValueError:
            raise UnreadableInputError("it is none of the words allowed", place=place) from None

    return decode


def _several(part: Decoder) -> Decoder:
    def decode(value: Any, place: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _wrong(place)
        if len(value) > _LONGEST:
            raise LimitExceededError("a list is longer than readings have", place=place)
        return tuple(part(each, f"{place}[{at}]") for at, each in enumerate(value))

    return decode


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise _wrong(place)
    return value


def _number(value: Any, place: str) -> float:
    if isinstance(value, str) and value in _ODD:
        return _ODD[value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(place)
    try:
        return float(value)
    except OverflowError:
        raise _wrong(place) from None


def _flag(value: Any, place: str) -> bool:
    if not isinstance(value, bool):
        raise _wrong(place)
    return value


def _whole(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(place)
    return value


def _wrong(place: str) -> UnreadableInputError:
    return UnreadableInputError("a value is of another type", place=place or "the reading")


_SIMPLE: Final[dict[Any, Decoder]] = {str: _text, float: _number, bool: _flag, int: _whole}
