"""One value of one element: kept, cleaned, shifted, replaced or dropped, by rule and by VR.

A verdict never depends on anything but the rule, the bytes and the subject, so the walk may decide
each distinct value once.
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from safelight.deid import defined
from safelight.deid.context import Context
from safelight.deid.own import Own, is_plain_number
from safelight.deid.spelling import spells
from safelight.deid.table import Act, Rule
from safelight.deid.text import Mode
from safelight.dicomio.charset import Charset, spelt
from safelight.dicomio.dictionary import uid_known

__all__ = ["REMOVED", "Values", "Verdict"]

REMOVED: Final = "REMOVED"

_PATIENT_NAME: Final = 0x00100010
_PATIENT_ID: Final = 0x00100020
_KEYED: Final = frozenset((0x00080050, 0x00200010))  # Accession Number, Study ID
_DIGITS_AND_DOTS: Final = re.compile(r"[0-9.]{1,64}")
_PLAIN_UID: Final = re.compile(rb"([0-9.]{1,64})\0?")
_INTEGER: Final = re.compile(r" *(?:[+-]?\d{1,11}|\d{12}) *")  # 12 characters at most
_DECIMAL: Final = re.compile(r" *[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? *")
_CHARSET: Final = 0x00080005
_GRAPHIC_LAYER: Final = 0x00700002
_FRACTION: Final = re.compile(rb"\.\d+")
_NUMBER_LIST: Final = re.compile(rb"[0-9+\-.eE \\]*\0?")
_NUMBERS_STAY: Final = frozenset((Act.KEEP, Act.CLEAN))
_LONG_DIGITS: Final = re.compile(r"(?<![\d.])\d{5,}(?![\d.])")
_DATE_LIKE: Final = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_DATE: Final = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)")
_DATETIME: Final = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)((?:\d\d(?:\d\d(?:\d\d(?:\.\d{1,6})?)?)?)?)?)?)?([+-]\d{4})?"
)
_TIME: Final = re.compile(
    r"(?:[01]\d|2[0-3])(?::?[0-5]\d(?::?(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?"  # PS3.5 6.2
)
_AGE: Final = re.compile(r"(\d{3})([DWMY])")
_AGE_MOST: Final = {"D": 32871, "W": 4696, "M": 1080, "Y": 90}  # what makes 90 years
_LONG_TEXT: Final = frozenset((b"LT", b"ST", b"UT"))
_PADDING: Final = {b"UI": b"\0"}
_SIZES: Final = {
    b"US": 2, b"SS": 2, b"UL": 4, b"SL": 4, b"FL": 4, b"FD": 8, b"UV": 8, b"SV": 8, b"AT": 4,
    b"OW": 2, b"OF": 4, b"OD": 8, b"OL": 4, b"OV": 8,
}  # fmt: skip
# What a name or an identifier needs at least, in ASCII, UTF-16 or a legacy encoding.
_SUSPECT: Final = re.compile(
    rb"[A-Za-z0-9]{4}|(?:[A-Za-z0-9]\0){3}|(?:\0[A-Za-z0-9]){3}|[\x80-\xff]{4}"
)
_MAKERS: Final = frozenset((0x00080070, 0x00081090))  # Manufacturer, Manufacturer's Model Name
_VERSIONS: Final = (0x00181020, 0x00189174)  # Software Versions, Applicable Safety Standard
_VERSION: Final = re.compile(
    r"(?:IEC|ISO|EN)[ -]?\d{4,5}(?:-\d{1,3}){0,3}(?::(?:19|20)\d\d)?|"
    r"(?:[A-Za-z]{1,2}\.?)?\d{1,3}(?:[._]\d{1,3}){1,4}(?:[A-Za-z]{1,2}\d{0,3})?"
)
_ADDRESS: Final = re.compile(  # of a private network, or a date
    r"(?:10|127|169|172|192)(?:\.\d{1,3}){3}"
    r"|(?:0?[1-9]|[12]\d|3[01])[._](?:0?[1-9]|[12]\d|3[01])[._]\d\d"
    r"|\d\d[._](?:0?[1-9]|1[0-2])[._](?:0?[1-9]|[12]\d|3[01])"
)
_WORD: Final = re.compile(r"[^\W_]+")
_BRAND: Final = re.compile(r"[A-Z][A-Za-z]{2,15}|[A-Za-z]{2,12}\d{1,4}[A-Za-z]{0,3}")
_LINKS: Final = re.compile(
    r"\b(?:for|of|by|from|dr|prof|mr|mrs|ms|de|von|van|und|and)\b|[,@^]", re.IGNORECASE
)
_LIST_BYTES: Final = 1024  # longer numbers as text are lists, such as contours


class Verdict(NamedTuple):
    """What becomes of one value.

    Attributes:
        out: The new value, of even length; None when the element goes.
        rule: Why; empty when nothing changed.
        action: ``remove``, ``empty``, ``replace``, ``clean`` or ``shift``; empty when unchanged.
    """

    out: bytes | None
    rule: str = ""
    action: str = ""


class Values:
    """Applies a rule to a value for one subject."""

    __slots__ = ("_handlers", "_subject", "_uid_memo", "ctx", "own")

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._subject = ctx.subject
        self.own = Own(ctx)
        self._uid_memo: dict[str, str] = {}
        text = self._text
        self._handlers: dict[bytes, Callable[[str, Rule, int], str]] = {
            b"UI": self._uid,
            b"DA": self._date,
            b"DT": self._datetime,
            b"TM": self._time,
            b"AS": self._age,
            b"PN": self._person,
            b"IS": self._integer,
            b"DS": self._decimal,
            b"CS": self._code_string,
            b"AE": text, b"SH": text, b"LO": text, b"UC": text,
        }  # fmt: skip

    def verdict(
        self, tag: int, vr: bytes, raw: bytes, rule: Rule, charset: Charset, *, big: bool = False
    ) -> Verdict:
        """Return what becomes of a value.

        Args:
            tag: The element's tag.
            vr: Its value representation as read, or the dictionary's where that is more certain.
            raw: The encoded value.
            rule: From the table, or a default for its VR.
            charset: Of the data set or item it stands in.
            big: Numbers are big endian.
        """
        act = rule.act
        if tag in (_PATIENT_NAME, _PATIENT_ID) and act not in (Act.KEEP, Act.REMOVE):
            return self._pseudonym(tag, raw, rule)
        if act is Act.REMOVE:
            return Verdict(None, rule.source, "remove")
        if not raw or (act in _NUMBERS_STAY and is_plain_number(vr, raw)):
            return Verdict(raw)
        if act is Act.EMPTY and tag not in _KEYED:
            return Verdict(b"", rule.source, "empty")
        if vr in _SIZES:
            return self._binary(vr, raw, rule, big=big)
        if vr in _LONG_TEXT:
            return self._long_text(raw, rule, charset)
        if vr == b"UR":
            return Verdict(None, f"{rule.source}; a URL", "remove")
        if vr in (b"DS", b"IS") and len(raw) > _LIST_BYTES and act is not Act.DUMMY:
            return self._number_list(raw, rule)
        handler = self._handlers.get(vr)
        if handler is None:
            return Verdict(None, "bulk data that is not known to be harmless", "remove")
        return self._each(tag, vr, raw, rule, charset, handler)

    def _each(
        self,
        tag: int,
        vr: bytes,
        raw: bytes,
        rule: Rule,
        charset: Charset,
        handler: Callable[[str, Rule, int], str],
    ) -> Verdict:
        """Handle the values of a multi-valued element one by one."""
        if vr == b"UI" and rule.act is not Act.KEEP:
            new, plain = _changed(rule.act), _PLAIN_UID.fullmatch(raw)
            if plain is not None and not uid_known(uid := plain[1].decode("ascii")):
                return Verdict(_pad(vr, self.uid(uid).encode("ascii")), rule.source, new)
        text = charset.decode(raw)[0].rstrip(" \0")
        values = text.split("\\")
        if len(values) > self.ctx.limits.values:
            return Verdict(None, "more values than the limit allows", "remove")
        # A NUL inside a value ends what some readers show; for all others it is a gap.
        cleaned = [handler(value.replace("\0", " "), rule, tag) for value in values]
        if cleaned == values:
            return self._unchanged(vr, raw)
        while len(cleaned) > 1 and not cleaned[-1]:
            cleaned.pop()
        action = _changed(rule.act)
        if handler in (self._text, self._code_string):
            action = "clean"
        source = rule.source
        if tag in _KEYED and action == "clean" and rule.act is not Act.KEEP:
            action, source = "replace", f"{source}; keyed pseudonym"
        joined = "\\".join(cleaned)
        if not joined.strip(" \\") and action == "clean":
            joined = REMOVED
        return Verdict(_pad(vr, charset.encode(joined, raw)), source, action)

    def _unchanged(self, vr: bytes, raw: bytes) -> Verdict:
        """Keep a value as it stands, unless something hides behind its padding."""
        if raw.endswith(b"\0") and vr != b"UI":
            stripped = raw.rstrip(b" \0")
            return Verdict(_pad(vr, stripped), "padding", "clean")
        return Verdict(raw) if len(raw) % 2 == 0 else Verdict(_pad(vr, raw), "odd length", "clean")

    def _pseudonym(self, tag: int, raw: bytes, rule: Rule) -> Verdict:
        name = tag == _PATIENT_NAME
        value = self._subject.patient_name if name else self._subject.patient_id
        out = _pad(b"LO", value.encode("ascii"))
        if out == raw:
            return Verdict(raw)
        return Verdict(out, f"{rule.source}; keyed pseudonym", "replace")

    # One value, by VR. Each returns what takes its place; an empty string when nothing can.

    def _uid(self, value: str, rule: Rule, _tag: int) -> str:
        value = value.strip(" \0")
        if not value or uid_known(value):
            return value
        if not _DIGITS_AND_DOTS.fullmatch(value):
            return self.ctx.key.uid(value)
        if rule.act is Act.KEEP and not self.own.uid(value):
            return value
        return self.uid(value)

    def uid(self, uid: str) -> str:
        """Return the UID that stands for another in the outputs."""
        memo = self._uid_memo
        new = memo.get(uid)
        if new is None:
            if len(memo) > 100_000:  # noqa: PLR2004 - bounds memory
                memo.clear()
            new = memo[uid] = self.ctx.key.uid(uid)
        return new

    def _moved(self, day: dt.date, tag: int) -> str:
        """Return a day moved; empty where there is none, or where it falls on the birth date."""
        try:
            moved = day + dt.timedelta(days=self._subject.shift_days)
        except OverflowError:
            return ""
        text = moved.strftime("%Y%m%d").rjust(8, "0")
        return self.own.instead(tag) if self.own.date(tag, text) else text

    def _date(self, value: str, rule: Rule, tag: int) -> str:
        found = _DATE.fullmatch(value.strip())
        if not found:
            return ""
        if rule.act is not Act.KEEP and rule.act is not Act.SHIFT:
            return "19000101"
        day = _day(*found.groups())
        if day is None or self.own.date(tag, value):
            return self.own.instead(tag) if day else ""
        return value if rule.act is Act.KEEP else self._moved(day, tag)

    def _datetime(self, value: str, rule: Rule, tag: int) -> str:
        found = _DATETIME.fullmatch(value.strip())
        if not found:
            return ""
        if rule.act is not Act.KEEP and rule.act is not Act.SHIFT:
            return "19000101000000"
        year, month, day, rest, zone = found.groups()
        start = _day(year, month or "01", day or "01")
        if start is None or self.own.date(tag, value):
            return self.own.instead(tag) if start else ""
        if rule.act is Act.KEEP:
            return value
        moved = self._moved(start, tag)
        precision = 8 if day else 6 if month else 4
        whole = moved not in ("", self.own.instead(tag))
        return moved[:precision] + (rest or "") + (zone or "") if whole else moved

    def _time(self, value: str, rule: Rule, _tag: int) -> str:
        if not _TIME.fullmatch(value.strip()) or self.own.time(value):
            return ""
        return value if rule.act in (Act.KEEP, Act.SHIFT, Act.CLEAN) else "000000"

    def _age(self, value: str, rule: Rule, _tag: int) -> str:
        found = _AGE.fullmatch(value.strip())
        if not found:
            return ""
        if rule.act is Act.DUMMY:
            return "000Y"
        count, unit = int(found[1]), found[2]
        return "090Y" if count >= _AGE_MOST[unit] else value

    def _person(self, value: str, rule: Rule, _tag: int) -> str:
        if rule.act is Act.KEEP:
            return value
        if not value.strip("^= "):
            return value
        return self.ctx.key.code("person", " ".join(value.upper().split()), 12)

    def _integer(self, value: str, rule: Rule, _tag: int) -> str:
        if not _INTEGER.fullmatch(value):
            return "" if value.strip() else value
        if rule.act is Act.DUMMY:
            return "0"
        return "" if self._identifies(value, rule) else value

    def _decimal(self, value: str, rule: Rule, _tag: int) -> str:
        if not _DECIMAL.fullmatch(value):
            return "" if value.strip() else value
        if rule.act is Act.DUMMY:
            return "0"
        return "" if self._identifies(value, rule) else value

    def _identifies(self, value: str, rule: Rule) -> bool:
        """Tell whether a number is one of the subject's, or a whole one that reads as a date."""
        if self.own.number(value):
            return True
        whole, _, rest = value.strip().partition(".")
        if rule.act is Act.KEEP or rest.strip("0") or not _LONG_DIGITS.search(whole):
            return False
        return bool(_DATE_LIKE.fullmatch(whole) or self._subject.needles.spans(whole))

    def _code_string(self, value: str, rule: Rule, tag: int) -> str:
        bare = value.strip(" \0")
        if not bare or defined.is_defined_term(tag, bare):
            return value
        if tag == _CHARSET and (term := spelt(bare)):
            return term
        if rule.act is Act.DUMMY:
            return REMOVED
        mode = Mode.SUBJECT if rule.source.startswith("override") else Mode.CODE
        cleaned = self._subject.cleaner.clean(value, mode).text
        if tag == _GRAPHIC_LAYER and cleaned != value:  # a name that other items refer to
            return self.ctx.key.code("layer", bare, 12)
        return cleaned

    def _text(self, value: str, rule: Rule, tag: int) -> str:
        if not value.strip(" \0"):
            return value
        if tag in _KEYED:
            return value if rule.act is Act.KEEP else self.ctx.key.code(f"{tag:08x}", value, 12)
        if rule.act is Act.DUMMY:
            return REMOVED
        if rule.act is Act.KEEP:
            return self._subject.cleaner.clean(value, Mode.SUBJECT).text
        cleaned = self._subject.cleaner.clean(value, Mode.WORDS).text
        if tag in _VERSIONS and cleaned != value and self._is_version(value):
            return value
        if tag in _MAKERS and cleaned != value and self._is_brand(value, cleaned):
            return value
        return cleaned

    def _is_version(self, value: str) -> bool:
        """Tell a version or a standard (``IEC 60601-2-33``) from an address or a date."""
        bare = value.strip()
        shape = _VERSION.fullmatch(bare) and not _ADDRESS.fullmatch(bare)
        return bool(shape) and not self._subject.needles.spans(bare)

    def _is_brand(self, value: str, cleaned: str) -> bool:
        """Tell whether all that the vocabulary misses in a maker or model is one plain name.

        New makers and models appear every year; a person's name beside them comes with a title or
        a preposition, with digits, or is known from the header.
        """
        kept = set(_WORD.findall(cleaned))
        missing = [word for word in _WORD.findall(value) if word not in kept]
        return (
            len(missing) == 1
            and bool(_BRAND.fullmatch(missing[0]))
            and not _LINKS.search(value)
            and not self._subject.cleaner.clean(value, Mode.SUBJECT).rules
        )

    # Whole values

    def _long_text(self, raw: bytes, rule: Rule, charset: Charset) -> Verdict:
        if len(raw) > self.ctx.limits.value_bytes:
            return Verdict(None, "longer than the limit value_bytes", "remove")
        text = charset.decode(raw)[0].rstrip(" \0")
        if rule.act is Act.DUMMY:
            return Verdict(_pad(b"LT", REMOVED.encode()), rule.source, "replace")
        mode = Mode.SUBJECT if rule.act is Act.KEEP else Mode.NARRATIVE
        cleaned = self._subject.cleaner.clean(text.replace("\0", " "), mode).text
        if cleaned == text:
            return self._unchanged(b"LT", raw)
        out = charset.encode(cleaned if cleaned.strip() or not text.strip() else REMOVED, raw)
        return Verdict(_pad(b"LT", out), rule.source, "clean")

    def _number_list(self, raw: bytes, rule: Rule) -> Verdict:
        whole = _FRACTION.sub(b".", raw)  # digits there are an identifier's by chance alone
        own = self.own.listed(raw) or self._subject.needles.matches_binary(whole)
        if _NUMBER_LIST.fullmatch(raw) and not own:
            return self._unchanged(b"DS", raw)
        return Verdict(None, f"{rule.source}; not a list of numbers", "remove")

    def _binary(self, vr: bytes, raw: bytes, rule: Rule, *, big: bool) -> Verdict:
        if rule.act is Act.DUMMY:
            return Verdict(bytes(_SIZES[vr]), rule.source, "replace")
        if len(raw) % _SIZES[vr]:
            return Verdict(None, "a length that does not fit its VR", "remove")
        if _SUSPECT.search(raw) and self._subject.needles.matches_binary(raw):
            return Verdict(None, "a number that spells a value of the subject", "remove")
        if rule.act is not Act.KEEP and spells(raw, vr, big=big):
            return Verdict(None, "a number that spells text", "remove")
        return Verdict(raw)


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def _pad(vr: bytes, value: bytes) -> bytes:
    return value if len(value) % 2 == 0 else value + _PADDING.get(vr, b" ")


def _changed(act: Act) -> str:
    return "shift" if act is Act.SHIFT else "replace"
