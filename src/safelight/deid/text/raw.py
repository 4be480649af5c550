"""Byte patterns for the raw sweep over whole files: only what cannot stand there by chance."""

from typing import Final

from safelight.deid.text import vocabulary
from safelight.deid.text.fold import fold, squash
from safelight.deid.text.identity import Identity

__all__ = ["raw_patterns"]

_MOST: Final = 150
_MIN_ID: Final = 5
_MIN_DIGITS: Final = 7
_MIN_NAME: Final = 5
_MIN_FULL: Final = 6
_MIN_PHRASE: Final = 8
_MIN_DISTINCT: Final = 3
_LEGACY: Final = (
    ("\u0391", "\u03ce", ("iso8859-7",)),
    ("\u0400", "\u045f", ("iso8859-5", "cp1251")),
    ("\u0590", "\u05ff", ("iso8859-8",)),
    ("\u0600", "\u06ff", ("iso8859-6",)),
    ("\u0e00", "\u0e7f", ("tis-620",)),
    ("\uac00", "\ud7a3", ("euc-kr",)),
    ("\u3040", "\u9fff", ("shift_jis", "euc-jp", "iso2022_jp", "gb18030")),
    ("\uff66", "\uff9f", ("shift_jis",)),
    ("\u00c0", "\u024f", ("latin-1", "iso8859-2", "iso8859-9")),
)


def raw_patterns(identity: Identity, names: list[list[str]]) -> tuple[bytes, ...]:
    """Return at most 150 byte patterns, most distinctive first, lower case where ASCII.

    Args:
        identity: The person's values.
        names: The subject's and other people's names, one list of parts each.
    """
    values = sorted(_values(identity, names), key=lambda value: (-_weight(value), value))
    found: dict[bytes, None] = {}
    for value in values:
        for pattern in _encodings(value):
            if len(found) >= _MOST:
                return tuple(found)
            found.setdefault(pattern)
    return tuple(found)


def _weight(value: str) -> int:
    return len(value.encode("utf-8", "replace"))


def _values(identity: Identity, names: list[list[str]]) -> set[str]:
    values = set()
    for value in identity.ids:
        flat = squash(value)
        enough = _MIN_DIGITS if flat.isdecimal() else _MIN_ID
        if len(flat) >= enough and len(set(flat)) >= _MIN_DISTINCT and not _words_only(value):
            values.add(value.strip())
    for value in identity.dates:
        if value.isdecimal() and len(value) == 8:  # noqa: PLR2004 - YYYYMMDD
            values.add(value)
    for value in identity.contacts:
        if len(squash(value)) >= _MIN_DIGITS:
            values.add(value.strip())
    for value in identity.phrases:
        if len(squash(value)) >= _MIN_PHRASE and not _words_only(value):
            values.add(value.strip())
    for parts in names:
        values |= _name_values(parts)
    return values


def _name_values(parts: list[str]) -> set[str]:
    """Return the parts that are distinctive alone; where none is, the full name's forms."""
    values = set()
    for part in parts:
        distinct = len(part) >= _MIN_NAME or (
            not part.isascii() and len(part.encode()) >= _MIN_FULL
        )
        if distinct and not vocabulary.kind(part):
            values.add(part)
    if len(parts) < 2 or values & set(parts[:2]):  # noqa: PLR2004 - one part has no order
        return values
    first, second = parts[0], parts[1]
    size = len(first.encode()) + len(second.encode())
    if size >= _MIN_FULL and not (vocabulary.kind(first) and vocabulary.kind(second)):
        values |= {f"{first}{gap}{second}" for gap in ("^", " ", ", ", "_")}
        values |= {f"{second} {first}", f"{second}_{first}"}
    return values


def _words_only(value: str) -> bool:
    words = value.replace("_", " ").replace("-", " ").split()
    return all(vocabulary.kind(word) for word in words)


def _encodings(value: str) -> list[bytes]:
    if value.isascii():
        low = value.lower()
        return [low.encode(), low.encode("utf-16-le"), low.encode("utf-16-be")]
    forms = dict.fromkeys((value, value.upper(), value.lower(), fold(value)))
    out = []
    for form in forms:
        for codec in ("utf-8", "utf-16-le", "utf-16-be", *_legacy(form)):
            try:
                data = form.encode(codec)
            except UnicodeEncodeError:
                continue
            if codec == "iso2022_jp":
                data = data.replace(b"\x1b$B", b"").replace(b"\x1b(B", b"")
            if len(data) >= 4:  # noqa: PLR2004 - shorter byte strings occur by chance
                out.append(bytes(b + 32 if 65 <= b <= 90 else b for b in data))  # noqa: PLR2004 - A-Z
    return out


def _legacy(value: str) -> list[str]:
    return [
        codec
        for low, high, codecs in _LEGACY
        if any(low <= char <= high for char in value)
        for codec in codecs
    ]
