"""A person's own numbers and birth dates in values of a strict form: numbers, dates, times, UIDs.

Text is searched with ``Needles``. These values are short and many, and most digits in them stand
there by chance, so only what cannot be chance counts: identifiers of six digits or more, birth
dates written in full.
"""

import re
from typing import Final

from safelight.deid.context import Context
from safelight.dicomio.dictionary import uid_known

__all__ = ["Own", "is_plain_number"]

_BIRTH_DATE: Final = 0x00100030
_LEAST: Final = 6  # digits
_DATE_DIGITS: Final = 8
_DUMMY: Final = "19000101"  # stands in outputs, and for a birth date that nobody knows
# When an object came about. A newborn's may be the birth date, and go the way of such dates.
_EVENTS: Final = frozenset(
    (0x00080012, 0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x0008002A, 0x00080015)
    + (0x00400002, 0x00400004, 0x00400244, 0x00400250, 0x00404005, 0x00404010, 0x00404011)
    + (0x00181012, 0x00181078, 0x00181079, 0x00189074, 0x00189151, 0x00189516, 0x00189517)
    + (0x0040A030, 0x0040A032, 0x00700082, 0x30060008, 0x300A0006)
)
_NEEDED: Final = frozenset((0x0040A120, 0x0040A121))  # of content items: a value must stand there
_YEARS: Final = ("1800", "2199")  # of what is a date
_LONG: Final = re.compile(rb"\d{6}")
_NUMBER: Final = re.compile(rb"(?<![\d.])\d{6}|[eE]\+?\d")
_MOST: Final = 1e16  # above, a float does not hold every digit

# Numbers of everyday: in range of what no identifier looks like, so that nothing else is asked.
_PLAIN_MOST: Final = 4096  # bytes
_PLAIN_NUMBERS: Final = {
    b"IS": re.compile(rb"(?:[+-]?\d{1,4} ?)(?:\\[+-]?\d{1,4} ?)*"),
    b"DS": re.compile(
        rb"(?:[+-]?\d{1,4}(?:\.\d{0,10})?(?:[eE]-\d\d?)? ?)"
        rb"(?:\\[+-]?\d{1,4}(?:\.\d{0,10})?(?:[eE]-\d\d?)? ?)*"
    ),
}


class Own:
    """What is looked for in values of a strict form.

    Args:
        ctx: Of the person; a profile that keeps Patient's Birth Date keeps it everywhere.
    """

    __slots__ = ("_births", "_numbers", "_sought")

    def __init__(self, ctx: Context) -> None:
        needles = ctx.subject.needles
        kept = ctx.profile.overrides.get(_BIRTH_DATE) == "keep"
        self._births: frozenset[str] = frozenset() if kept else needles.days - {_DUMMY}
        numbers = set(needles.numbers)
        for value, rule in (*needles.tokens.items(), *needles.joined.items()):
            if value.isdecimal() and len(value) >= (_DATE_DIGITS if rule == "date" else _LEAST):
                numbers.add(value)
        self._numbers = frozenset(numbers)
        self._sought = sorted(numbers)

    def number(self, text: str) -> bool:
        """Tell whether the whole part of a number holds one of the person's."""
        whole = text.strip().lstrip("+-").lower()
        if "e" in whole:
            try:
                value = float(whole)
            except ValueError:
                return False
            whole = str(int(value)) if value < _MOST else ""
        whole = whole.partition(".")[0]
        return len(whole) >= _LEAST and any(each in whole for each in self._sought)

    def listed(self, raw: bytes) -> bool:
        """Tell the same of any of the numbers of an encoded list."""
        if _NUMBER.search(raw) is None:
            return False
        return any(self.number(each) for each in raw.decode("latin-1").split("\\"))

    def date(self, tag: int, text: str) -> bool:
        """Tell whether a DA or DT is a birth date, or no date of our time and a number instead."""
        flat = text.strip().replace(".", "")
        if _YEARS[0] <= flat[:4] <= _YEARS[1]:
            return flat[:_DATE_DIGITS] in self._births and tag not in _EVENTS
        return any(each in flat for each in self._sought)

    @staticmethod
    def instead(tag: int) -> str:
        """Return what stands for a birth date: nothing, or where none may be missing a dummy."""
        return _DUMMY if tag in _NEEDED else ""

    def time(self, text: str) -> bool:
        """Tell whether a TM with a fraction of a second is one of the person's numbers."""
        if len(text) <= _LEAST:
            return False
        flat = text.strip().replace(":", "").replace(".", "")
        known = flat in self._numbers or flat.rstrip("0") in self._numbers
        return known and len(flat) > _LEAST

    def uid(self, text: str) -> bool:
        """Tell whether a component of a UID is one of the person's numbers."""
        found = any(part in self._numbers for part in text.strip(" \0").split("."))
        return found and not uid_known(text.strip(" \0"))

    def holds(self, vr: bytes, tag: int, raw: bytes) -> bool:
        """Tell whether an encoded value of a strict form holds anything of the person's."""
        if vr in (b"DS", b"IS"):
            return self.listed(raw)
        if vr == b"UI" and _LONG.search(raw) is None:
            return False
        texts = raw.decode("latin-1").rstrip(" \0").split("\\")
        if vr in (b"DA", b"DT"):
            return any(self.date(tag, each) for each in texts)
        if vr == b"TM":
            return any(self.time(each) for each in texts)
        return vr == b"UI" and any(self.uid(each) for each in texts)


def is_plain_number(vr: bytes, raw: bytes) -> bool:
    """Tell whether IS and DS values are so short that nothing else is asked."""
    shape = _PLAIN_NUMBERS.get(vr)
    # Longer lists go another way: matching many groups would take memory for each.
    fits = shape is not None and len(raw) <= _PLAIN_MOST and len(raw) % 2 == 0
    return fits and shape is not None and shape.fullmatch(raw) is not None
