"""Text of a data set: from bytes to characters and back (PS3.5 section 6.1, PS3.3 C.12.1.1.2)."""

import functools
import re
from typing import Final

from safelight.errors import UnreadableInputError

__all__ = ["Charset", "charset_of", "spelt"]

# PS3.3 Tables C.12-2 and C.12-5: single-byte sets and the two that hold everything.
_PLAIN: Final = {
    "": "ascii",
    "ISO_IR 6": "ascii",
    "ISO_IR 100": "latin-1",
    "ISO_IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4",
    "ISO_IR 144": "iso8859-5",
    "ISO_IR 127": "iso8859-6",
    "ISO_IR 126": "iso8859-7",
    "ISO_IR 138": "iso8859-8",
    "ISO_IR 148": "iso8859-9",
    "ISO_IR 203": "iso8859-15",
    "ISO_IR 166": "tis-620",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 192": "utf-8",
    "GB18030": "gb18030",
    "GBK": "gbk",
}
# Terms as files spell them that were not written by the standard.
_NUMBERED: Final = re.compile(r"ISO[ _-]?(?P<extended>2022[ _-]?)?IR[ _-]?(?P<number>\d{1,3})")
_OTHERWISE: Final = {
    "UTF-8": "ISO_IR 192",
    "UTF8": "ISO_IR 192",
    "UTF_8": "ISO_IR 192",
    "ISO-8859-1": "ISO_IR 100",
    "ISO8859-1": "ISO_IR 100",
    "ISO_8859-1": "ISO_IR 100",
    "LATIN1": "ISO_IR 100",
    "LATIN-1": "ISO_IR 100",
    "WINDOWS-1252": "ISO_IR 100",
    "CP1252": "ISO_IR 100",
    "US-ASCII": "ISO_IR 6",
    "ASCII": "ISO_IR 6",
}
_EXTENSIONS: Final = frozenset(f"ISO 2022 IR {number}" for number in (58, 87, 149, 159))
_MULTI: Final = frozenset(("ISO_IR 13", "GB18030", "GBK"))
_ESCAPE: Final = b"\x1b"
_SPLIT: Final = re.compile(_ESCAPE)
# PS3.3 Tables C.12-3 and C.12-4: escape sequences (without ESC) and the codec of what follows.
_ESCAPES: Final = {
    b"(B": "ascii",
    b"(J": "shift_jis",
    b")I": "shift_jis",
    b"$B": "iso2022_jp",
    b"$@": "iso2022_jp",
    b"$(D": "iso2022_jp_2",
    b"$)C": "euc_kr",
    b"$)A": "gb2312",
    b"-A": "latin-1",
    b"-B": "iso8859-2",
    b"-C": "iso8859-3",
    b"-D": "iso8859-4",
    b"-L": "iso8859-5",
    b"-G": "iso8859-6",
    b"-F": "iso8859-7",
    b"-H": "iso8859-8",
    b"-M": "iso8859-9",
    b"-T": "tis-620",
    b"-b": "iso8859-15",
}


class Charset:
    """One value of Specific Character Set (0008,0005).

    Decoding never fails: what the declared set cannot hold is read as UTF-8 if it is that, else as
    Latin-1, and ``strict`` says which it was, so that a caller can treat it with more suspicion.

    Args:
        terms: The defined terms, in order; empty for the default repertoire.
    """

    __slots__ = ("_codec", "_pydicom", "terms")

    def __init__(self, terms: tuple[str, ...]) -> None:
        self.terms = terms
        first = terms[0] if terms else ""
        plain = first.replace("ISO 2022 IR", "ISO_IR")
        self._codec = _PLAIN.get(plain, "utf-8" if terms else "ascii")
        self._pydicom: tuple[str, ...] | None = None
        if len(terms) > 1 or (first.startswith("ISO 2022") and plain not in _PLAIN):
            self._pydicom = terms

    @property
    def backslash_is_safe(self) -> bool:
        """Tell whether byte 5C always is a backslash (in GBK, GB18030, Shift JIS it need not)."""
        return not _MULTI.intersection(self.terms)

    def decode(self, data: bytes) -> tuple[str, bool]:
        """Return the characters, and whether the bytes fitted the declared set."""
        if data.isascii() and _ESCAPE not in data:
            return data.decode("ascii"), True
        if self._pydicom is not None or _ESCAPE in data:
            return self._decode_escapes(data)
        codec = self._fitting(data)
        return data.decode(codec), codec == self._codec

    def _fitting(self, data: bytes) -> str:
        """Return the codec that reads some bytes: the declared one, else UTF-8, else Latin-1."""
        for codec in (self._codec, "utf-8"):
            try:
                data.decode(codec)
            except UnicodeDecodeError:
                continue
            return codec
        return "latin-1"

    def _decode_escapes(self, data: bytes) -> tuple[str, bool]:
        """Decode code extensions: each escape sequence designates the set of what follows."""
        out = []
        fits = True
        for place, piece in enumerate(_SPLIT.split(data)):
            escape, codec = (b"", self._codec) if place == 0 else _designated(piece)
            if not codec:
                escape, codec, fits = b"", "latin-1", False
            try:
                out.append((escape + piece[_length_of(piece, place) :]).decode(codec))
            except UnicodeDecodeError:
                out.append(piece.decode("latin-1"))
                fits = False
        return "".join(out), fits

    def encode(self, text: str, like: bytes = b"") -> bytes:
        """Return the bytes; characters outside the set become ``?``.

        Args:
            text: The characters.
            like: Bytes that the text was made of. Where they did not fit the declared set, the text
                is written as they were read, so that a data set is not of two sets.
        """
        if text.isascii():
            return text.encode("ascii")
        if self._pydicom is None and _ESCAPE not in like:
            return text.encode(self._fitting(like), "replace")
        from pydicom.charset import convert_encodings, encode_string  # noqa: PLC0415 - start-up cost

        try:
            return bytes(encode_string(text, convert_encodings(list(self.terms))))
        except (LookupError, UnicodeError, ValueError):
            return text.encode("ascii", "replace")


def _designated(piece: bytes) -> tuple[bytes, str]:
    """Return what to put before a piece for its codec, and the codec; empty when not known."""
    for escape, codec in _ESCAPES.items():
        if piece.startswith(escape):
            return (b"\x1b" + escape if codec.startswith("iso2022") else b""), codec
    return b"", ""


def _length_of(piece: bytes, place: int) -> int:
    if place == 0:
        return 0
    return next((len(escape) for escape in _ESCAPES if piece.startswith(escape)), 0)


@functools.lru_cache(maxsize=256)
def charset_of(value: bytes) -> Charset:
    """Return the character set that the raw value of (0008,0005) declares.

    Raises:
        UnreadableInputError: The value is longer than any real one.
    """
    if len(value) > 1024:  # noqa: PLR2004 - 32 terms of CS length
        raise UnreadableInputError("Specific Character Set is not plausible", place="(0008,0005)")
    terms = tuple(_term(term) for term in value.decode("ascii", "replace").split("\\"))
    return Charset(terms if any(terms) else ())


def spelt(text: str) -> str:
    """Return the defined term that a value means; empty when it means none."""
    spelt = text.strip(" \0").upper()
    found = _NUMBERED.fullmatch(spelt)
    if found is not None:
        spelt = f"{'ISO 2022 IR' if found['extended'] else 'ISO_IR'} {found['number']}"
    spelt = _OTHERWISE.get(spelt, spelt)
    known = spelt in _PLAIN or spelt.replace("ISO 2022 IR", "ISO_IR") in _PLAIN
    return spelt if known or spelt in _EXTENSIONS else ""


def _term(text: str) -> str:
    return spelt(text) or text.strip(" \0")
