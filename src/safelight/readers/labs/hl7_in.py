"""HL7 v2 in: ORU^R01, strict. Reads OBR, OBX and SPM; of PID only sex and birth date.

Source: HL7 v2.5.1, chapter 2 (encoding) and chapter 7 (OBR, OBX; tables 0078, 0085, 0125).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from safelight.errors import UnreadableInputError
from safelight.readers.labs.model import Person, RawRange, RawRow, Reason
from safelight.readers.labs.people import Birth, given, moment, sex_of

__all__ = ["read"]

_LOINC: Final = {"LN", "LOINC"}
_GONE: Final = {"D", "W", "X", "N", "I", "O", "R"}
_OTHER: Final = {"PID", "PV1", "PD1", "ORC", "NTE", "NK1", "TQ1", "SFT", "MSH"}


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
    group: int = 0
    specimen: str = ""
    when: datetime | None = None

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
    rows: list[RawRow] = []
    skipped = 0
    message: _Message | None = None
    people: dict[str, int] = {}
    group = 0
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
            born = moment(_at(fields, 7)[:8])
            message.birth = Birth(sex=sex_of(_at(fields, 8)), born=born.date() if born else None)
            message.person = people.setdefault(_at(fields, 3) or f"segment {at}", len(people) + 1)
        elif name == "OBR":
            group += 1
            message.group = group
            message.when = moment(_at(fields, 7))
            message.specimen = " ".join(message.split(_at(fields, 15)))
        elif name == "SPM":
            message.specimen = " ".join(message.split(_at(fields, 4)))
            rows = [_with_specimen(row, message) for row in rows]
        elif name == "OBX":
            rows.append(_result(f"segment {at}", fields, message, told))
        else:
            skipped += name not in _OTHER
    if message is None:
        raise UnreadableInputError("the file holds no HL7 v2 message")
    return rows, skipped


def _with_specimen(row: RawRow, message: _Message) -> RawRow:
    """Give rows of this order the specimen that follows them in its own segment."""
    from dataclasses import replace  # noqa: PLC0415  # beside its one use

    if row.group.split("@")[0] != str(message.group) or row.specimen.strip():
        return row
    return replace(row, specimen=message.specimen)


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
    message = _Message(line[3], parts, repeats, escape, subparts)
    kind = message.split(_at(fields, 8))
    if kind[0] != "ORU" or (len(kind) > 1 and kind[1] != "R01"):
        raise UnreadableInputError(
            "the message is not an unsolicited result (ORU^R01)", place="MSH-9"
        )
    return message


def _coded(text: str, message: _Message) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return LOINC codes and names of OBX-3."""
    parts = message.split(text) + [""] * 6
    triples = [(parts[0], parts[1], parts[2]), (parts[3], parts[4], parts[5])]
    codes = tuple(code for code, _, system in triples if system.upper() in _LOINC and code)
    names = tuple(
        each
        for code, name, system in triples
        if system.upper() not in _LOINC
        for each in (name, code)
    )
    return codes, tuple(name for name in names if name)


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
    codes, names = _coded(_at(fields, 3), message)
    value, fault = _number(fields, message)
    unit = message.split(_at(fields, 6))[0]
    when = moment(_at(fields, 14)) or message.when
    if _at(fields, 11) in _GONE:
        fault = Reason.RETRACTED
    flags = [each for each in re.split(re.escape(message.repeats), _at(fields, 8)) if each]
    return RawRow(
        place=place,
        person=message.person,
        group=f"{message.group}@{when or ''}",
        when=when,
        codes=codes,
        names=names,
        value=_padded(value),
        unit=unit,
        ranges=tuple(_range(message.plain(_at(fields, 7)))),
        flag=message.split(flags[0])[0] if flags else "",
        specimen=message.specimen,
        dotted=True,
        refused=fault,
        about=given(message.birth, when, told),
    )


def _padded(value: str) -> str:
    """NM allows ``.5`` and ``5.``; both are whole numbers of their own."""
    if re.fullmatch(r"\.\d+", value):
        return "0" + value
    return value[:-1] if re.fullmatch(r"\d+\.", value) else value


def _range(text: str) -> Iterator[RawRange]:
    if text.strip():
        yield RawRange(text=text)
