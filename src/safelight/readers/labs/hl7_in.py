"""HL7 v2 in: ORU^R01, strict. Reads ORC, OBR, OBX and SPM; of PID only sex and birth date.

Source: HL7 v2.5.1, chapter 2 (encoding) and chapter 7 (OBR, OBX; tables 0078, 0085, 0123, 0125).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from safelight.errors import UnreadableInputError
from safelight.readers.labs.model import Person, RawRange, RawRow, Reason
from safelight.readers.labs.people import Birth, given, moment, sex_of
from safelight.readers.labs.versions import current

__all__ = ["read"]

_LOINC: Final = {"LN", "LOINC"}
_TYPED: Final = {"NM", "SN"}  # the decimal sign is a point; text has that of its country
_GONE: Final = {"D", "W", "X", "N", "I", "O", "R"}
_DEAD_ORDER: Final = {"X", "O", "I", "S", "R", "Y", "Z"}  # table 0123: cancelled, or not yet done
_DEAD_CONTROL: Final = {"CA", "OC", "CR", "DC", "OD", "DR"}  # table 0119: cancelled, discontinued
_CORRECTS: Final = {"C", "D", "W", "X"}
_OTHER: Final = {"PID", "PV1", "PD1", "NTE", "NK1", "TQ1", "SFT"}


@dataclass(slots=True)
class _Order:
    """One order: what all its results share, and specimens that may follow them."""

    group: str = "0"
    numbers: tuple[str, ...] = ()
    when: datetime | None = None
    context: tuple[str, ...] = ()
    specimens: list[str] = field(default_factory=list)
    gone: bool = False


@dataclass(slots=True)
class _Message:
    """The encoding characters of a message, and where in it the reader is."""

    fields: str
    parts: str
    repeats: str
    escape: str
    subparts: str
    birth: Birth = field(default_factory=Birth)
    person: int = 0
    sent: datetime | None = None
    cancelled: bool = False
    order: _Order = field(default_factory=_Order)

    def plain(self, text: str) -> str:
        """Return text with its escape sequences resolved."""
        if not self.escape or self.escape not in text:
            return text
        signs = {
            "F": self.fields,
            "S": self.parts,
            "T": self.subparts,
            "R": self.repeats,
            "E": self.escape,
        }
        mark = re.escape(self.escape)
        return re.sub(rf"{mark}([FSTRE]){mark}", lambda found: signs[found.group(1)], text)

    def split(self, text: str) -> list[str]:
        """Return the components of a field."""
        return [self.plain(part) for part in text.split(self.parts)]

    def words(self, text: str) -> str:
        """Return all that a field says, its repetitions too."""
        return " ".join(self.split(text.replace(self.repeats, self.parts))).strip()


def _decoded(data: bytes) -> str:
    for codec in ("utf-8-sig", "cp1252", "latin-1"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    return ""


def _at(fields: list[str], number: int) -> str:
    return fields[number] if number < len(fields) else ""


def read(data: bytes, told: Person) -> tuple[list[RawRow], int]:
    """Return the lines of one or several messages, and how many segments were of no use.

    Raises:
        UnreadableInputError: It is no ORU^R01, or its header does not follow the standard.
    """
    text = _decoded(data).replace("\x0b", "").replace("\x1c", "").replace("\r\n", "\r")
    segments = [line.strip() for line in text.replace("\n", "\r").split("\r") if line.strip()]
    found: list[tuple[RawRow, _Order]] = []
    sent: list[datetime | None] = []
    skipped = 0
    message: _Message | None = None
    people: dict[str, int] = {}
    orders = 0
    for at, line in enumerate(segments, start=1):
        name = line[:3]
        if name in {"FHS", "BHS", "BTS", "FTS"}:
            continue
        if name == "MSH":
            message = _header(line)
            # every message starts somebody new until its PID says who it is
            message.person = people.setdefault(f"message {at}", len(people) + 1)
            continue
        if message is None or not re.fullmatch(r"[A-Z][A-Z0-9]{2}", name):
            raise UnreadableInputError(
                "a segment stands where none may stand", place=f"segment {at}"
            )
        fields = line.split(message.fields)
        if name == "PID":
            born = moment(_at(fields, 7))
            message.birth = Birth(sex=sex_of(_at(fields, 8)), born=born.date() if born else None)
            message.person = people.setdefault(_at(fields, 3) or f"segment {at}", len(people) + 1)
        elif name == "ORC":
            message.cancelled = _at(fields, 1) in _DEAD_CONTROL
        elif name == "OBR":
            orders += 1
            message.order = _order(str(orders), fields, message)
            message.cancelled = False
        elif name == "SPM":
            message.order.specimens.append(message.words(_at(fields, 4)))
        elif name == "OBX":
            found.append((_result(f"segment {at}", fields, message, told), message.order))
            sent.append(message.sent)
        else:
            skipped += name not in _OTHER
    if message is None:
        raise UnreadableInputError("the file holds no HL7 v2 message")
    # a specimen may follow the results that were measured in it
    rows = [replace(row, specimen=" ".join(order.specimens).strip()) for row, order in found]
    return current(rows, sent), skipped


def _order(name: str, fields: list[str], message: _Message) -> _Order:
    """Return what OBR says of the results that follow it."""
    numbers = tuple(each for each in (_at(fields, 2), _at(fields, 3)) if each)
    return _Order(
        group="|".join(numbers) or name,
        numbers=numbers,
        when=moment(_at(fields, 7)),
        # service, department, procedure
        context=tuple(message.words(_at(fields, number)) for number in (4, 24, 44)),
        specimens=[message.words(_at(fields, 15))],
        gone=message.cancelled or _at(fields, 25) in _DEAD_ORDER,
    )


def _header(line: str) -> _Message:
    """Return the encoding of a message.

    Raises:
        UnreadableInputError: It is not an ORU^R01 in the standard's encoding.
    """
    if not re.match(r"MSH[^A-Za-z0-9].{4}", line):
        raise UnreadableInputError("the message header is cut short", place="MSH")
    fields = line.split(line[3])
    signs = _at(fields, 1)
    if not re.fullmatch(r"[^A-Za-z0-9]{3,5}", signs) or len(set(signs)) < len(signs):
        raise UnreadableInputError("the encoding characters cannot be used", place="MSH-2")
    parts, repeats, escape, subparts = list(f"{signs}&")[:4]  # the last may be left out
    message = _Message(line[3], parts, repeats, escape, subparts, sent=moment(_at(fields, 6)))
    kind = message.split(_at(fields, 8))
    if kind[0] != "ORU" or (len(kind) > 1 and kind[1] != "R01"):
        raise UnreadableInputError(
            "the message is not an unsolicited result (ORU^R01)", place="MSH-9"
        )
    return message


def _coded(
    text: str, message: _Message
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return LOINC codes, names and local codes of OBX-3."""
    parts = message.split(text) + [""] * 6
    triples = [(parts[0], parts[1], parts[2]), (parts[3], parts[4], parts[5])]
    loinc = [system.upper() in _LOINC for _, _, system in triples]
    codes = [code for (code, _, _), listed in zip(triples, loinc, strict=True) if listed]
    local = [code for (code, _, _), listed in zip(triples, loinc, strict=True) if not listed]
    names = (*(name for _, name, _ in triples), *parts[8:9])  # the ninth is the original text
    return tuple(filter(None, codes)), tuple(filter(None, names)), tuple(filter(None, local))


def _number(fields: list[str], message: _Message) -> tuple[str, Reason | None]:
    kind, text = _at(fields, 2), _at(fields, 5)
    if not text.strip() or text == '""':
        return "", Reason.NO_VALUE
    if message.repeats in text:
        return "", Reason.NOT_A_NUMBER
    if kind == "NM":
        bare = text.strip().removeprefix("+")
        return bare, None if re.fullmatch(r"\d+(?:\.\d*)?|\.\d+", bare) else Reason.NOT_A_NUMBER
    if kind == "SN":  # comparator ^ number ^ separator ^ number
        parts = message.split(text) + ["", "", ""]
        if parts[2] or parts[3]:
            return "", Reason.NOT_A_NUMBER
        return f"{parts[0]}{parts[1]}".lstrip("="), None
    if kind in {"ST", "TX", "FT", ""}:
        return message.plain(text), None
    return "", Reason.NOT_A_NUMBER


def _result(place: str, fields: list[str], message: _Message, told: Person) -> RawRow:
    order = message.order
    codes, names, shorts = _coded(_at(fields, 3), message)
    value, fault = _number(fields, message)
    unit = _unit(message.split(_at(fields, 6)))
    when = moment(_at(fields, 14)) or order.when
    status = _at(fields, 11)
    if status in _GONE or order.gone:
        fault = Reason.RETRACTED
    flags = [each for each in re.split(re.escape(message.repeats), _at(fields, 8)) if each]
    return RawRow(
        place=place,
        person=message.person,
        group=f"{order.group}@{when or ''}",
        when=when,
        codes=codes,
        names=names,
        shorts=shorts,
        value=_padded(value),
        unit=unit,
        ranges=tuple(_range(message.plain(_at(fields, 7)))),
        flag=message.split(flags[0])[0] if flags else "",
        # method and body site may name a specimen too
        context=(*order.context, *(message.words(_at(fields, number)) for number in (17, 20))),
        order=order.numbers,
        corrects=status in _CORRECTS or order.gone,
        dotted=_at(fields, 2) in _TYPED,
        refused=fault,
        about=given(message.birth, when, told),
    )


def _unit(parts: list[str]) -> str:
    """Return the unit; in ``10^3/uL`` the sign between components stands for a power."""
    power = parts[0].lower() in {"10", "x10"} and re.match(r"\d", "".join(parts[1:2]))
    return "^".join(parts[:2]) if power else parts[0]


def _padded(value: str) -> str:
    """NM allows ``.5`` and ``5.``; both are whole numbers of their own."""
    if re.fullmatch(r"\.\d+", value):
        return "0" + value
    return value[:-1] if re.fullmatch(r"\d+\.", value) else value


def _range(text: str) -> Iterator[RawRange]:
    if text.strip():
        yield RawRange(text=text)
