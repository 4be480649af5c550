"""Numbers as laboratories print them: read whole and for certain, or refused.

``1.234`` is a thousand or a little more than one: the sign that a document uses elsewhere decides,
and where it does not tell, the number is refused. Letters in a number (``l4.2``, ``1O.2``) are
never mended.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from safelight.readers.labs.model import Reason

__all__ = ["COMPARATOR", "MARKS", "NUMBER", "Point", "Value", "mark", "number", "point_of", "value"]

# One number without sign: digits with points, commas, apostrophes or thin spaces inside.
NUMBER: Final = r"\d+(?:[.,'’\u00a0\u2009\u202f]\d+)*"  # noqa: RUF001  # both apostrophes are printed
COMPARATOR: Final = r"[<>]\s*(?i:or|oder|ou|o)\s*=|<=|>=|=<|=>|≤|≥|<|>"
_CANON: Final = {"≤": "<=", "≥": ">=", "=<": "<=", "=>": ">="}

# What reports print beside a number that lies outside, and within. HL7 table 0078 and its kin.
MARKS: Final = {
    **dict.fromkeys(("l", "low", "-", "--", "↓", "↓↓", "niedrig", "tief", "bas", "bajo"), "low"),
    **dict.fromkeys(("h", "high", "+", "++", "↑", "↑↑", "hoch", "haut", "alto"), "high"),
    **dict.fromkeys(("n", "normal", "within", "ok", "wnl", "in range", "within range"), "within"),
    **dict.fromkeys(("within normal limits", "normal range", "unauffällig"), "within"),
    **dict.fromkeys(("no", "false", "none", "not abnormal"), "within"),
    **dict.fromkeys(("a", "*", "**", "!", "!!", "abnormal"), "off"),
    **dict.fromkeys(("above", "above range", "above normal", "erhöht", "élevé"), "high"),
    **dict.fromkeys(("below", "below range", "below normal", "erniedrigt", "abaissé"), "low"),
    **dict.fromkeys(("lu", "l*", "*l", "-*", "*-"), "low"),
    **dict.fromkeys(("hu", "h*", "*h", "+*", "*+"), "high"),
    "c": "off",
    **dict.fromkeys(("ll", "crit low", "critical low", "panic low"), "critical-low"),
    **dict.fromkeys(("hh", "crit high", "critical high", "panic high"), "critical-high"),
    **dict.fromkeys(("aa", "crit", "critical", "panic", "kritisch", "critique"), "critical"),
}
_MARK: Final = r"\*{1,2}[LH]?|[LH]\*|LL|HH|AA|L|H|A|N|\+\*?|\+\+|--?\*?|!{1,2}|↑{1,2}|↓{1,2}"


class Point(StrEnum):
    """The decimal sign of a document."""

    DOT = "."
    COMMA = ","
    UNKNOWN = ""
    MIXED = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A number with its comparator, mark and whatever stood behind it (a unit, perhaps)."""

    number: Decimal
    comparator: str = ""
    mark: str = ""
    rest: str = ""


def mark(text: str) -> str | None:
    """Return what a printed mark says; None where it is unknown.

    ``low``, ``high``, ``within``, ``off``, or ``critical`` with or without its side behind a dash.
    """
    bare = text.strip().strip("()[]").strip().lower()
    return MARKS.get(bare, "") if not bare or bare in MARKS else None


def _shapes(text: str) -> str:
    """Return which decimal sign one number proves, if any."""
    dots, commas = text.count("."), text.count(",")
    if dots and commas:  # the last one is the decimal sign
        return "," if text.rfind(",") > text.rfind(".") else "."
    if dots + commas == 1:
        sign = "." if dots else ","
        whole, _, part = text.partition(sign)
        grouped = re.fullmatch(r"[1-9]\d{0,2}", whole) and re.fullmatch(r"\d{3}", part)
        return "" if grouped else sign
    if dots > 1:
        return ","
    return "." if commas > 1 else ""


def point_of(texts: Iterable[str]) -> Point:
    """Return the decimal sign that the numbers of one document prove together."""
    signs = {_shapes(each) for text in texts for each in re.findall(NUMBER, text)} - {""}
    if len(signs) > 1:
        return Point.MIXED
    return Point(signs.pop()) if signs else Point.UNKNOWN


def number(text: str, point: Point) -> Decimal | Reason:
    """Return one unsigned number, or why it cannot be read for certain."""
    raw = text.strip()
    if not re.fullmatch(NUMBER, raw):
        return Reason.NOT_A_NUMBER
    bare = re.sub(r"['’\u00a0\u2009\u202f]", "_", raw)  # noqa: RUF001  # both apostrophes are printed
    if "_" in bare:
        if not re.fullmatch(r"[1-9]\d{0,2}(?:_\d{3})+(?:[.,]\d+)?", bare):
            return Reason.AMBIGUOUS_NUMBER
        return Decimal(bare.replace("_", "").replace(",", "."))
    if len(bare) > 1 and bare[0] == "0" and bare[1].isdigit():
        return Reason.AMBIGUOUS_NUMBER  # 05: a decimal sign was lost
    sign = _shapes(bare)
    if not sign and ("." in bare or "," in bare):  # 1.234: as the document does
        if point not in (Point.DOT, Point.COMMA):
            return Reason.AMBIGUOUS_NUMBER
        sign = point.value
    elif sign and point in (Point.DOT, Point.COMMA) and sign != point.value:
        return Reason.AMBIGUOUS_NUMBER  # 5.4 where all others are written 5,4
    other = "," if sign == "." else "."
    whole, _, part = bare.rpartition(sign) if sign and sign in bare else (bare, "", "")
    if other in part or (
        other in whole and not re.fullmatch(rf"[1-9]\d{{0,2}}(?:\{other}\d{{3}})+", whole)
    ):
        return Reason.AMBIGUOUS_NUMBER
    if sign and sign in whole:
        return Reason.AMBIGUOUS_NUMBER
    digits = whole.replace(other, "") + ("." + part if part else "")
    return Decimal(digits)


_VALUE: Final = re.compile(
    rf"(?:(?P<before>(?:{_MARK})(?=\s)|\*{{1,2}})\s*)?(?P<cmp>{COMPARATOR})?\s*(?P<number>{NUMBER})"
    rf"(?:\s*(?P<after>(?:\(|\[)?(?:{_MARK})(?:\)|\])?)(?=\s|$))?(?:\s*(?P<rest>[^\d\s].*|10\s*[*^xXeE⁰-⁹].*))?",
)
_LETTERS: Final = re.compile(r"(?=.*\d)[0-9OoIlSBZ|.,]+")


def value(text: str, point: Point) -> Value | Reason:
    """Return the number in a cell that holds one result, or why there is none.

    Accepts a comparator, a mark before or behind, and a unit behind.
    """
    raw = (
        " ".join(text.replace("\u00a0", " ").split())
        if not re.search(r"\d\u00a0\d{3}\b", text)
        else text.strip()
    )
    if not raw:
        return Reason.NO_VALUE
    found = _VALUE.fullmatch(raw)
    if not found or (found["before"] and found["after"]):
        return Reason.NOT_A_NUMBER
    rest = (found["rest"] or "").strip()
    if rest and _LETTERS.fullmatch(rest.split()[0]) and not re.match(r"10", rest):
        return Reason.NOT_A_NUMBER  # 1O.2 is not 1 with a unit of O.2
    digits = number(found["number"], point)
    if isinstance(digits, Reason):
        return digits
    printed = (found["before"] or found["after"] or "").strip("()[]").lower()
    comparator = re.sub(r"^([<>]).+=$", r"\1=", found["cmp"] or "")  # "> or ="
    return Value(
        number=digits,
        comparator=_CANON.get(comparator, comparator),
        mark=MARKS.get(printed, ""),
        rest=rest,
    )
