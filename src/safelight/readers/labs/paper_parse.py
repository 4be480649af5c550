"""What stands on a printed line behind the name of a test: each part in its place, or refused."""

import re
from dataclasses import dataclass
from typing import Final

from safelight.readers.labs import units
from safelight.readers.labs.model import Reason
from safelight.readers.labs.ranges import BETWEEN
from safelight.readers.labs.values import COMPARATOR, NUMBER

__all__ = ["Parsed", "Token", "order", "parsed", "tokens"]

_MARK: Final = r"(?:\*{1,2}[LH]?|[LH]\*|LL|HH|AA|L|H|A|N|\++|-{1,2}|!{1,2}|↑+|↓+)"
_TOKEN: Final = re.compile(
    rf"(?P<range>[(\[]?\s*{BETWEEN}\s*[)\]]?)(?=\s|$)"
    rf"|(?P<bound>[(\[]?\s*(?:{COMPARATOR})\s*{NUMBER}\s*[)\]]?)(?=\s|$)"
    rf"|(?P<number>{NUMBER})(?=\s|$)"
    rf"|(?P<mark>[(\[]?{_MARK}[)\]]?)(?=\s|$)"
    rf"|(?P<glued>{NUMBER})(?P<gluedmark>{_MARK})(?=\s|$)"
    r"|(?P<word>\S+)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A part of a line: ``number``, ``bound``, ``range``, ``mark``, ``unit`` or ``word``.

    Attributes:
        start: Where it starts in the text, and ``end`` where it ends.
    """

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """Return the parts of a text; nothing where a part is of no kind."""
    out: list[Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            return []
        if found["glued"]:
            out += [
                Token(kind, found[name], *found.span(name))
                for kind, name in (("number", "glued"), ("mark", "gluedmark"))
            ]
        else:
            kind = found.lastgroup or "word"
            out.append(Token(kind, found.group(0).strip(), at, found.end()))
        at = found.end()
    return out


def _joined(parts: list[Token]) -> list[Token] | None:
    """Join words into units; None where words are left that are none."""
    out: list[Token] = []
    at = 0
    while at < len(parts):
        one = parts[at]
        if one.kind not in {"word", "number"}:
            out.append(one)
            at += 1
            continue
        for end in range(min(at + 4, len(parts)), at, -1):
            run = parts[at:end]
            together = " ".join(each.text for each in run)
            needs_word = any(each.kind == "word" for each in run)
            if needs_word and units.known(together) and not re.fullmatch(NUMBER, together):
                out.append(Token("unit", together, one.start, run[-1].end))
                at = end
                break
        else:
            if one.kind == "word":
                return None
            out.append(one)
            at += 1
    return out


@dataclass(frozen=True, slots=True)
class Parsed:
    """What stands behind the name of a test.

    Attributes:
        at: Where in the text the value starts and ends.
        range_at: Where the range starts and ends, if there is one.
        bound: The value is a lone bound (``< 5``), which may be the range of an empty result.
        before_unit: The value stands before its unit.
    """

    value: str
    at: tuple[int, int]
    unit: str = ""
    range: str = ""
    flag: str = ""
    range_at: tuple[int, int] | None = None
    bound: bool = False
    before_unit: bool = False


def parsed(rest: str, *, value_first: bool | None) -> Parsed | Reason:
    """Return what stands on a line behind its name, each in its place, or why it cannot be told.

    Args:
        rest: The line without the name.
        value_first: Whether results stand before ranges in this document; None where not known.
    """
    found = _joined(tokens(rest))
    if found is None:
        digits = re.search(r"\d", rest)
        return Reason.LINE_NOT_READ if digits else Reason.NOT_A_NUMBER
    by: dict[str, list[Token]] = {"number": [], "bound": [], "range": [], "unit": [], "mark": []}
    for each in found:
        by[each.kind].append(each)
    if len({each.text.lower() for each in by["unit"]}) == 1:
        by["unit"] = by["unit"][:1]  # the same unit once more behind the range
    if any(len(by[kind]) > 1 for kind in ("unit", "mark", "range")):
        return Reason.LINE_NOT_READ
    numbers, bounds, between = by["number"], by["bound"], by["range"]
    reference = between[0] if between else None
    if len(numbers) == 1 and len(bounds) + len(between) <= 1:
        value, reference = numbers[0], reference or (bounds[0] if bounds else None)
    elif not numbers and len(bounds) == 1:
        value = bounds[0]
    elif not numbers and bounds[1:] and not bounds[2:] and not between and value_first is not None:
        value, reference = bounds if value_first else bounds[::-1]
    else:
        return Reason.LINE_NOT_READ if numbers or bounds else Reason.NO_VALUE
    return Parsed(
        value=value.text.strip("()[] "),
        at=(value.start, value.end),
        unit=by["unit"][0].text if by["unit"] else "",
        range=reference.text if reference else "",
        flag=by["mark"][0].text if by["mark"] else "",
        range_at=(reference.start, reference.end) if reference else None,
        bound=value.kind == "bound" and reference is None,
        before_unit=bool(by["unit"]) and value.start < by["unit"][0].start,
    )


def order(rest: str) -> bool | None:
    """Tell whether a plain number stands before a range on this line."""
    kinds = [each.kind for each in tokens(rest) if each.kind in {"number", "range"}]
    return kinds[0] == "number" if sorted(kinds) == ["number", "range"] else None
