"""Search for needles: every needle of every person, in every reading of a run of bytes."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

import hyperscan

__all__ = ["Finder", "Presence", "plain", "squeeze"]

_CODECS = ("utf-8", "utf-16-le", "utf-16-be")
_LEGACY = {
    "ISO 2022 IR 87": ("iso2022_jp", "euc_jp", "shift_jis"),
    "ISO 2022 IR 149": ("euc_kr",),
    "GB18030": ("gb18030", "big5"),
    "ISO_IR 126": ("iso8859_7",),
    "ISO_IR 144": ("iso8859_5", "koi8_r", "cp1251"),
    "ISO_IR 100": ("latin_1",),
    "ISO_IR 192": ("iso8859_2", "cp1250"),
}
_ESCAPES = re.compile(rb"\x1b[\x28-\x2f\$][\x28-\x2f]?[\x40-\x7e]")
_SHORTEST = 6


def plain(text: str) -> str:
    """Return ``text`` in lower case without diacritics."""
    spread = unicodedata.normalize("NFKD", text)
    return "".join(c for c in spread if not unicodedata.combining(c)).casefold()


def squeeze(text: str) -> str:
    """Return the letters and digits of ``text`` alone, in lower case."""
    return "".join(c for c in plain(text) if c.isalnum())


def _variants(text: str, charsets: Iterable[str]) -> set[bytes]:
    """Return how ``text`` can stand in raw bytes (ASCII case is folded by the search)."""
    if text.isascii():
        return {text.encode()}
    found: set[bytes] = set()
    codecs = [*_CODECS, *(c for one in charsets for c in _LEGACY.get(one, ()))]
    for form in {text, text.lower(), text.upper(), unicodedata.normalize("NFD", text)}:
        for codec in codecs:
            try:
                data = _ESCAPES.sub(b"", form.encode(codec))
            except UnicodeEncodeError:
                continue
            if len(data) >= _SHORTEST:
                found.add(data)
    bare = plain(text)
    if bare.isascii():
        found.add(bare.encode())
    return found


class Presence:
    """Tells whether a text stands in ``data`` in some encoding, with or without NULs between."""

    def __init__(self, data: bytes, charsets: Iterable[str]) -> None:
        self._charsets = tuple(charsets)
        folded = data.lower()
        self._ways = (folded, data, folded.replace(b"\0", b""))

    def __contains__(self, text: str) -> bool:
        forms = _variants(text, self._charsets)
        return any(form.lower() in way or form in way for form in forms for way in self._ways)


def _database(patterns: dict[bytes, int]) -> Any:
    base = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    items = list(patterns.items()) or [(b"\x00never\x00", -1)]
    base.compile(
        # hex escapes: the literal interface ends a pattern at its first NUL
        expressions=["".join(f"\\x{byte:02x}" for byte in data).encode() for data, _ in items],
        ids=[one for _, one in items],
        elements=len(items),
        flags=[hyperscan.HS_FLAG_CASELESS if data.isascii() else 0 for data, _ in items],
    )
    return base


class Finder:
    """All needles of a corpus, compiled once.

    Args:
        key: The answer key.
    """

    def __init__(self, key: dict[str, Any]) -> None:
        charsets = [c for person in key["people"] for c in person["charset"]]
        self.texts: list[str] = []
        seen: dict[str, int] = {}
        for file in key["files"]:
            for needle in file["needles"]:
                if needle["how"] in {"text", "uid"}:
                    self._add(seen, needle["text"])
        for person in key["people"]:
            for text in person["tokens"]:
                self._add(seen, text)
        raw: dict[bytes, int] = {}
        squeezed: dict[bytes, int] = {}
        self._same: dict[int, set[int]] = {}  # texts that share a pattern with another
        for text, one in seen.items():
            for data in _variants(text, charsets):
                first = raw.setdefault(data.lower() if data.isascii() else data, one)
                self._same.setdefault(first, set()).add(one)
            tight = squeeze(text)
            if len(tight) >= 8 and tight.isascii() and "." not in text[:3]:
                first = squeezed.setdefault(tight.encode(), one)
                self._same.setdefault(first, set()).add(one)
        self._raw, self._squeezed = _database(raw), _database(squeezed)
        pairs = [p["ordinary"] for p in key["people"] if p["ordinary"]]
        gap = r"[\W_]{0,3}"
        forms = [
            f"{re.escape(a)}{gap}{re.escape(b)}|{re.escape(b)}{gap}{re.escape(a)}"
            for a, b in ((p[0].lower(), p[1].lower()) for p in pairs)
        ]
        self._ordinary = re.compile("|".join(forms)) if forms else None

    def _add(self, seen: dict[str, int], text: str) -> None:
        if text not in seen:
            seen[text] = len(self.texts)
            self.texts.append(text)

    def _scan(self, base: Any, data: bytes) -> list[tuple[int, int]]:
        hits: list[tuple[int, int]] = []

        def note(one: int, _start: int, stop: int, _flags: int, _context: object) -> None:
            hits.extend((same, stop) for same in self._same[one])

        base.scan(data, match_event_handler=note)
        return hits

    def in_bytes(self, data: bytes) -> set[str]:
        """Return the needles found in ``data``, read as bytes and as UTF-16."""
        hits = self._scan(self._raw, data) + self._scan(self._raw, data.replace(b"\0", b""))
        return {self.texts[one] for one, _ in hits}

    def in_texts(self, texts: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return (needle, place) found in the decoded texts, as they are, folded and squeezed."""
        found: list[tuple[str, str]] = []
        for base, fold in (
            (self._raw, str),
            (self._raw, plain),
            (self._squeezed, squeeze),
        ):
            starts, blob, at = [], [], 0
            for _, text in texts:
                data = fold(text).encode("utf-8", "replace") + b"\n"
                starts.append(at)
                blob.append(data)
                at += len(data)
            for one, stop in self._scan(base, b"".join(blob)):
                place = texts[bisect_right(starts, stop - 1) - 1][0]
                found.append((self.texts[one], place))
        return found

    def ordinary(self, texts: list[tuple[str, str]]) -> list[str]:
        """Return the places where an ordinary person's whole name stands."""
        if self._ordinary is None:
            return []
        return [place for place, text in texts if self._ordinary.search(text.lower())]
