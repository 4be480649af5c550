"""The decision table applied plainly, with pydicom: what the engine must agree with.

Slow and obvious on purpose: every element is looked at by itself, nothing is remembered, nothing
is copied as a slice, sequences are entered by plain recursion. Shared with the engine are the
tables (what to do with a tag), the dictionary, the cleaner of text, and for those VRs whose value
is free text or bulk, ``Values.verdict``; the grammars of dates, ages, numbers, UIDs stand here too.
"""

import datetime as dt
import io
import re
from typing import Any

import pydicom

from reading import Node, read
from safelight.deid import private
from safelight.deid.codes import CODE_TAGS, Codes
from safelight.deid.context import Context, Subject
from safelight.deid.engine import Engine
from safelight.deid.marks import DONE
from safelight.deid.profile import Option, method_codes
from safelight.deid.representation import BULK  # a list: data, not logic
from safelight.deid.spelling import spells
from safelight.deid.survey import person_of
from safelight.deid.table import Act, Rule, as_read, compile_table
from safelight.deid.values import Values
from safelight.dicomio.charset import Charset, charset_of
from safelight.dicomio.dictionary import lookup, uid_known

DATED = (0x0040A120, 0x0040A121)
SIZED = {"US", "SS", "UL", "SL", "FL", "FD", "UV", "SV", "AT"}
BULK_VRS = {"OB", "OW", "OF", "OD", "OL", "OV", "UN"}
WORDS = {"AE", "CS", "LO", "LT", "SH", "ST", "UC", "UT"}
REBUILT = {0x00120062, 0x00120063, 0x00120064, 0x00280303}
PIXELS = {0x7FE00008, 0x7FE00009, 0x7FE00010}
NO_GROUPS = {0x0000, 0x0002, 0x0004, 0x0006, 0xFFFC, 0xFFFE}
EVENTS = {
    *(0x00080012, 0x00080015, 0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x0008002A),
    *(0x00181012, 0x00181078, 0x00181079, 0x00189074, 0x00189151, 0x00189516, 0x00189517),
    *(0x00400002, 0x00400004, 0x00400244, 0x00400250, 0x00404005, 0x00404010, 0x00404011),
    *(0x0040A030, 0x0040A032, 0x00700082, 0x30060008, 0x300A0006),
}
GEOMETRY = ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated", "NumberOfFrames")


class Reference:
    """Says what becomes of one file.

    Args:
        engine: For its key, profile and limits only.
        subject: The person.
    """

    def __init__(self, engine: Engine, subject: Subject) -> None:
        self.engine = engine
        self.key = engine.key
        self.subject = subject
        self.options = engine.profile.options
        self.table = compile_table(engine.profile)

    def expected(self, data: bytes) -> tuple[Node, ...]:
        """Return the elements that the output must hold, in ascending order of their tags."""
        meta, found = read(data)
        top = {}
        for node in found:
            top.setdefault(node.tag, node)
        self._meet(top)
        self.implicit = meta.TransferSyntaxUID.is_implicit_VR
        self.big = not meta.TransferSyntaxUID.is_little_endian
        self.encapsulated = meta.TransferSyntaxUID.is_encapsulated
        self.pixel_bytes = _pixel_bytes(data)
        self.dummies = 0  # sequences around us that identify as a whole
        out = self.level(list(found), 0, charset_of(_raw(top, 0x00080005)), "", top=True)
        out += self.marks()
        return tuple(sorted(out, key=lambda node: node.tag))

    def _meet(self, top: dict[int, Node]) -> None:
        """Take over the pseudonym and shift of the person that the file itself names."""
        self.sop_class = _raw(top, 0x00080016).decode("ascii").strip(" \0")
        person = (0x00080005, 0x00100010, 0x00100020, 0x00100021, 0x00100030)
        own = person_of(*(_raw(top, tag) for tag in person))
        own = self.subject.aliases.get(own, own)
        self.code, self.shift = self.subject.code, self.subject.shift_days
        if own:
            self.code = "SL" + self.key.code("patient", own, 10)
            self.shift = self.key.shift_days(own)
        ctx = Context(
            key=self.key,
            profile=self.engine.profile,
            subject=self.subject,
            limits=self.engine.limits,
        )
        self.values = Values(ctx)
        self.codes = Codes(ctx)

    def marks(self) -> list[Node]:
        """Return what the output says of its own de-identification."""
        from safelight import __version__  # noqa: PLC0415 - changes with each release
        from safelight.deid.table import EDITION  # noqa: PLC0415 - as above

        def vr(name: str) -> str:
            return "" if self.implicit else name

        name = self.engine.profile.name
        items = tuple(
            (
                Node(0x00080100, vr("SH"), _even(code.encode())),
                Node(0x00080102, vr("SH"), b"DCM "),
                Node(0x00080104, vr("LO"), _even(meaning[:64].encode())),
            )
            for code, meaning in method_codes(self.engine.profile, DONE)
        )
        dates = "REMOVED"
        if Option.RETAIN_FULL_DATES in self.options:
            dates = "UNMODIFIED"
        if Option.RETAIN_MODIFIED_DATES in self.options:
            dates = "MODIFIED"
        method = f"Safelight {__version__}\\{EDITION}\\preset {name}".encode()
        return [
            Node(0x00120062, vr("CS"), b"YES "),
            Node(0x00120063, vr("LO"), _even(method)),
            Node(0x00120064, "SQ", None, items),
            Node(0x00280303, vr("CS"), _even(dates.encode())),
        ]

    def level(
        self, found: list[Node], parent: int, charset: Charset, scheme: str, *, top: bool = False
    ) -> list[Node]:
        """Return what remains of one data set or item."""
        first: dict[int, Node] = {}
        for node in sorted(found, key=lambda node: node.tag):
            first.setdefault(node.tag, node)
        creators: dict[tuple[int, int], str] = {}
        out: list[Node] = []
        for tag, node in first.items():
            group, low = tag >> 16, tag & 0xFFFF
            if group % 2:
                if 0x10 <= low <= 0xFF and node.value is not None and len(node.value) <= 64:
                    creators[group, low] = node.value.decode("latin-1").strip(" \0")
                    continue
                kept = self.private(node, creators.get((group, low >> 8), ""), charset)
                if kept is not None:
                    creator = Node(
                        group << 16 | low >> 8,
                        node.vr and "LO",
                        _even(creators[group, low >> 8].encode("latin-1")),
                    )
                    out += [kept] if creator in out else [creator, kept]
                continue
            kept = self.decide(node, parent, charset, scheme, top=top)
            if kept is not None:
                out.append(kept)
        return sorted(out, key=lambda node: node.tag)

    def private(self, node: Node, creator: str, charset: Charset) -> Node | None:
        """Return a private element if a list calls it safe."""
        safe = private.lookup(creator, node.tag >> 16, node.tag & 0xFF) if creator else None
        if safe is None or node.value is None or Option.RETAIN_SAFE_PRIVATE not in self.options:
            return None
        vr = node.vr if node.vr not in ("", "UN") else safe.vr
        if vr in SIZED and safe.vr not in SIZED | BULK_VRS:
            return None
        rule = Rule(act=Act.CLEAN, source="")
        value = self.value(node.tag, vr, node.value, rule, charset)
        return None if value is None else Node(node.tag, node.vr, value)

    def decide(
        self, node: Node, parent: int, charset: Charset, scheme: str, *, top: bool
    ) -> Node | None:
        """Return what becomes of one element of the standard."""
        tag = node.tag
        entry = lookup(tag)
        if not tag & 0xFFFF or entry is None or tag >> 16 in NO_GROUPS or tag in REBUILT:
            return None
        if tag in PIXELS:
            return self.pixels(node) if top else None
        vr = real_vr(node, entry.vr)
        where: dict[str, Any] = {"sop_class": self.sop_class, "parent": parent}
        rule = self.table.rule(tag, **where)
        if rule is None:
            by = entry.vr if len(entry.vr) == 2 else vr
            rule = self.table.default_rule(by, tag=tag, **where)
            if self.dummies and vr in WORDS and (rule is None or rule.act is Act.CLEAN):
                rule = Rule(act=Act.DUMMY, source="")
        rule = as_read(rule or Rule(act=Act.CLEAN, source=""), entry.vr, vr.encode())
        if rule.act is Act.REMOVE or not vr:
            return None
        if node.value is None:
            if rule.act is Act.EMPTY:
                return Node(tag, "SQ", None)
            self.dummies += rule.act is Act.DUMMY
            items = tuple(tuple(self.item(item, tag, charset)) for item in node.items)
            self.dummies -= rule.act is Act.DUMMY
            return Node(tag, "SQ", None, items)
        value = node.value
        if tag in BULK:
            spelled = spells(value, vr.encode(), big=self.big)
            return None if spelled or self.subject.needles.matches_binary(value) else node
        if tag in CODE_TAGS and not self.dummies:
            new = self.codes.value(tag, value, scheme, charset)
            if new is not None:
                return Node(tag, node.vr, _even(new, b"\0"))
        new = self.value(tag, vr, value, rule, charset)
        return None if new is None else Node(tag, node.vr, new)

    def pixels(self, node: Node) -> Node:
        """Return native pixel data without what follows the last pixel; fragments as they are."""
        value = node.value or b""
        if not self.encapsulated and self.pixel_bytes:
            value = _even(value[: self.pixel_bytes], b"\0")
        return Node(node.tag, node.vr, value)

    def item(self, item: tuple[Node, ...], parent: int, charset: Charset) -> list[Node]:
        """Return what remains of an item, read under its own character set and scheme."""
        scheme = ""
        for node in item:
            if node.tag == 0x00080005:
                charset = charset_of(node.value or b"")
            if node.tag == 0x00080102:
                scheme = (node.value or b"").decode("ascii", "replace").strip(" \0")
        return self.level(list(item), parent, charset, scheme)

    # Values: None when the element goes

    def value(self, tag: int, vr: str, raw: bytes, rule: Rule, charset: Charset) -> bytes | None:
        """Return the new value of one element, by what its act means for its VR."""
        act = rule.act
        if tag in (0x00100010, 0x00100020) and act is not Act.KEEP:
            return _even(self.code.encode())
        if not raw:
            return raw
        if act is Act.EMPTY and tag not in (0x00080050, 0x00200010):
            return b""
        plain = {
            "UI": self._uid,
            "DA": self._date,
            "DT": self._datetime,
            "TM": self._time,
            "AS": self._age,
            "PN": self._person,
            "IS": self._integer,
            "DS": self._decimal,
        }.get(vr)
        if plain is None:
            return self.values.verdict(tag, vr.encode(), raw, rule, charset, big=self.big).out
        text = charset.decode(raw)[0].rstrip(" \0")
        values = text.split("\\")
        new = [plain(value, act, tag) for value in values]
        if new == values:
            if vr != "UI" and raw.endswith(b"\0"):
                raw = raw.rstrip(b" \0")
            return _even(raw, b"\0" if vr == "UI" else b" ")
        while len(new) > 1 and not new[-1]:
            new.pop()
        return _even(charset.encode("\\".join(new)), b"\0" if vr == "UI" else b" ")

    def _uid(self, value: str, act: Act, _tag: int) -> str:
        value = value.strip(" \0")
        well_formed = set(value) <= set("0123456789.") and len(value) <= 64
        if not value or uid_known(value):
            return value
        if well_formed and act is Act.KEEP:
            return value
        return self.key.uid(value)

    def _move(self, date: dt.date) -> str:
        return (date + dt.timedelta(days=self.shift)).isoformat().replace("-", "")

    def _born(self, tag: int, digits: str) -> bool:
        """Tell whether a date is a birth date."""
        return digits[:8] in self.subject.needles.days - {"19000101"} and tag not in EVENTS

    def _numbered(self, digits: str) -> bool:
        """Tell whether an identifier of six digits or a whole date stands among digits."""
        needles = self.subject.needles
        known = {**needles.tokens, **needles.joined, **dict.fromkeys(needles.numbers, "")}
        least = {value: 8 if why == "date" else 6 for value, why in known.items()}
        return any(
            each in digits for each in least if each.isdecimal() and len(each) >= least[each]
        )

    def _date(self, value: str, act: Act, tag: int) -> str:
        found = re.fullmatch(r"(\d\d\d\d)(\.?)(\d\d)\.?(\d\d)", value.strip())
        if not found:
            return ""
        if act not in (Act.KEEP, Act.SHIFT):
            return "19000101"
        return self._day(value, found[1] + found[3] + found[4], act, tag)

    def _day(self, value: str, digits: str, act: Act, tag: int) -> str:
        """Return what a whole day becomes."""
        ours = 1800 <= int(digits[:4]) < 2200
        try:
            day = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
            new = value if act is Act.KEEP else self._move(day)
        except (ValueError, OverflowError):
            return ""
        if self._born(tag, digits) or (not ours and self._numbered(digits)):
            return "19000101" if tag in DATED else ""
        return self._day(new, new, Act.KEEP, tag) if act is Act.SHIFT else new

    def _datetime(self, value: str, act: Act, tag: int) -> str:
        found = re.fullmatch(r"(\d{4,14}(?:\.\d{1,6})?)([+-]\d{4})?", value.strip())
        if not found:
            return ""
        digits, zone = found[1], found[2] or ""
        whole = digits.partition(".")[0]
        if len(whole) % 2 or ("." in digits and len(whole) != 14):
            return ""
        if act not in (Act.KEEP, Act.SHIFT):
            return "19000101000000"
        moved = self._day(value, (whole + "0101"[len(whole) - 4 :])[:8], act, tag)
        if act is Act.KEEP or moved in ("", "19000101" if tag in DATED else ""):
            return moved
        return moved[: min(len(whole), 8)] + digits[8:] + zone

    def _time(self, value: str, act: Act, _tag: int) -> str:
        form = r"(\d\d)(:?(\d\d)(:?(\d\d)(\.\d{1,6})?)?)?"
        found = re.fullmatch(form, value.strip())
        if not found or int(found[1]) > 23 or int(found[3] or 0) > 59 or int(found[5] or 0) > 60:
            return ""
        digits = "".join(char for char in value if char.isdigit())
        own = self.subject.needles
        if len(digits) > 6 and {digits, digits.rstrip("0")} & {*own.tokens, *own.joined}:
            return ""
        return value if act in (Act.KEEP, Act.SHIFT, Act.CLEAN) else "000000"

    def _age(self, value: str, act: Act, _tag: int) -> str:
        found = re.fullmatch(r"(\d\d\d)([DWMY])", value.strip())
        if not found:
            return ""
        if act is Act.DUMMY:
            return "000Y"
        years = int(found[1]) / {"D": 365.2425, "W": 52.1775, "M": 12, "Y": 1}[found[2]]
        return "090Y" if years >= 90 else value

    def _person(self, value: str, act: Act, _tag: int) -> str:
        if act is Act.KEEP or not value.strip("^= "):
            return value
        return self.key.code("person", " ".join(value.upper().split()), 12)

    def _integer(self, value: str, act: Act, _tag: int) -> str:
        return self._number(value, act, r" *([+-]?\d{1,11}|\d{12}) *")

    def _decimal(self, value: str, act: Act, _tag: int) -> str:
        return self._number(value, act, r" *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *")

    def _number(self, value: str, act: Act, form: str) -> str:
        if not value.strip():
            return value
        if not re.fullmatch(form, value):
            return ""
        if act is Act.DUMMY:
            return "0"
        mantissa, _, power = value.strip().lower().partition("e")
        number = str(int(float(value))) if power else mantissa
        whole, _, rest = number.lstrip("+-").partition(".")
        if len(whole) >= 6 and self._numbered(whole):
            return ""
        if act is Act.KEEP or power or rest.strip("0"):
            return value
        date_like = re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", whole)
        long = re.fullmatch(r"\d{5,}", whole)
        return "" if date_like or (long and self.subject.needles.spans(whole)) else value


def real_vr(node: Node, dictionary: str) -> str:
    """Return the VR to treat a value by; empty when what was read cannot be what it claims."""
    choices = dictionary.split(" or ")
    if node.vr in choices:
        return node.vr
    if node.vr in ("", "UN"):
        if "OW" in choices and len(choices) > 1 and len(node.value or b"") > 64:
            return "OW"
        return choices[0]
    if "SQ" in (*choices, node.vr):
        return ""
    numbers = [choice for choice in choices if choice in SIZED]
    bulk = choices[0] in BULK_VRS
    if node.vr in BULK_VRS:
        return numbers[0] if numbers else node.vr if bulk else ""
    if node.vr in SIZED and not numbers and not bulk:
        return ""
    return node.vr


def _pixel_bytes(data: bytes) -> int:
    """Return the length of native pixel data that the header announces (PS3.3 C.7.6.3)."""
    ds = pydicom.dcmread(io.BytesIO(data), specific_tags=[*GEOMETRY])
    rows, columns, samples, bits = (ds.get(name) or 0 for name in GEOMETRY[:4])
    return int(rows * columns * samples * bits * int(ds.get("NumberOfFrames") or 1) // 8)


def _raw(top: dict[int, Node], tag: int) -> bytes:
    return (top[tag].value or b"") if tag in top else b""


def _even(value: bytes, pad: bytes = b" ") -> bytes:
    return value if len(value) % 2 == 0 else value + pad
