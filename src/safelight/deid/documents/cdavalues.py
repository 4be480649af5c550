"""Judge the attributes of a CDA record: coded values, identifiers, times and numbers."""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Final

from safelight.deid.context import Context
from safelight.deid.documents.cdarules import (
    BOOLEANS,
    CODE,
    FIXED,
    NUMBER,
    PUBLIC_CODE,
    PUBLIC_ROOTS,
    TERMS,
    TIMES,
    TYPES,
    UNIT,
)
from safelight.deid.own import Own
from safelight.deid.profile import Option
from safelight.deid.text import Mode
from safelight.types import Action

__all__ = ["Values", "shifted"]

_STAMP: Final = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?)?)?([+-]\d{4})?"
)
_LABEL: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,40}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?")
_SPAN: Final = re.compile(r"\d{1,2}")
_TEMPLATE_DATE: Final = re.compile(r"20\d\d-\d\d-\d\d")
# Attributes that may be named in a report: the name of any other could itself be a message.
_TOLD: Final = frozenset(
    {*TERMS, *BOOLEANS, "code", "codeSystem", "codeSystemName", "codeSystemVersion", "displayName"}
    | {"value", "unit", "ID", "IDREF", "referencedObject", "xsi:type", "xsi:schemaLocation"}
    | {"assigningAuthorityName", "use", "href"}
)
_IDENTIFIERS: Final = frozenset({"id", "setId"})
_BOUNDS: Final = frozenset({"low", "high", "center", "phase"})


@dataclass(slots=True)
class Values:
    """Decides on attributes and keeps the list of what was done."""

    ctx: Context
    actions: list[Action] = field(default_factory=list)
    place: str = ""
    own: Own = field(init=False)

    def __post_init__(self) -> None:
        self.own = Own(self.ctx)

    def note(self, place: str, rule: str, action: str, digest: str = "") -> None:
        """Add one line to the list of what was done."""
        self.actions.append(Action(place, rule, action, digest))

    def gone(self, value: str, rule: str, action: str = "remove") -> None:
        """Note that this value went from the present place."""
        if value.strip():
            digest = self.ctx.key.digest(value.encode("utf-8", "surrogatepass"))
            self.note(self.place, rule, action, digest)

    def attributes(self, local: str, held: dict[str, str], path: tuple[str, ...]) -> dict[str, str]:
        """Return the attributes that stay, with what stands in them now."""
        if local in _IDENTIFIERS:
            return self._identifier(held, path)
        if local in ("templateId", "typeId"):
            return self._template(held)
        out: dict[str, str] = {}
        public = PUBLIC_ROOTS.fullmatch(held.get("codeSystem", "")) is not None
        for name, value in held.items():
            after = self._one(local, name, value, public=public, timed=_timed(path, held))
            if after is None or after != value:
                rule = f"CDA: {name}" if name in _TOLD else "CDA: attribute that is not known"
                self.gone(value, rule, "remove" if after is None else "replace")
            if after is not None:
                out[name] = after
        if "value" in held and "value" not in out and local not in ("reference", "languageCode"):
            out = {"nullFlavor": "MSK"} | {k: v for k, v in out.items() if k == "xsi:type"}
        return out

    def _one(self, local: str, name: str, value: str, *, public: bool, timed: bool) -> str | None:
        """Return what stands in one attribute from now on; None drops it."""
        bare = name.rpartition(":")[2]
        if name == "xsi:type":
            kind = value.rpartition(":")[2]
            return kind if kind in TYPES else None
        if name.startswith(("?:", "xsi:")):
            return None
        if bare in TERMS:
            return value if value in TERMS[bare] else None
        if bare in BOOLEANS:
            return value if value in ("true", "false") else None
        if bare in ("code", "codeSystem", "codeSystemName", "codeSystemVersion", "displayName"):
            return self._coded(local, bare, value, public=public)
        if bare == "unit":
            return value if UNIT.fullmatch(value) and self._annotation_is_harmless(value) else None
        if bare in ("ID", "IDREF", "referencedObject"):
            return self.label(value)
        if bare in ("colspan", "rowspan", "span"):
            return value if _SPAN.fullmatch(value) else None
        if bare == "value":
            return self._value(local, value, timed=timed)
        return None

    def _value(self, local: str, value: str, *, timed: bool) -> str | None:
        if local == "reference":
            return "#" + self.label(value[1:]) if value.startswith("#") and value[1:] else None
        if timed:
            return self._time(value)
        if value in ("true", "false"):
            return value
        if NUMBER.fullmatch(value) and not self.ctx.subject.needles.spans(value):
            return value
        return None

    def _time(self, value: str) -> str | None:
        # What stands before the body is when the record came about: a newborn's day of birth.
        if "/component/" in self.place and self.own.date(0, value):
            return None
        options = self.ctx.profile.options
        if Option.RETAIN_FULL_DATES in options:
            return value if _STAMP.fullmatch(value) else None
        if Option.RETAIN_MODIFIED_DATES in options:
            return shifted(value, self.ctx.subject.shift_days)
        return None

    def _coded(self, local: str, name: str, value: str, *, public: bool) -> str | None:
        if name == "code":
            if local == "languageCode":
                return value if _LANGUAGE.fullmatch(value) else None
            if value in FIXED.get(local, ()):
                return value
            known = public and PUBLIC_CODE.fullmatch(value)
            if not CODE.fullmatch(value) or (not known and self._takes(value, Mode.CODE)):
                return None
            return None if self.ctx.subject.needles.spans(value) else value
        if name == "codeSystem":
            return value if public else self.ctx.key.uid(value)
        return self.ctx.subject.cleaner.clean(value, Mode.WORDS).text or None

    def _takes(self, value: str, mode: Mode) -> bool:
        """Tell whether the text engine would take anything of this value."""
        return bool(self.ctx.subject.cleaner.clean(value, mode).rules)

    def _annotation_is_harmless(self, unit: str) -> bool:
        """Tell whether what stands in braces in a unit is harmless: braces hold anything."""
        notes = re.findall(r"\{([^}]*)\}?", unit)
        return not any(self._takes(note.replace("_", " "), Mode.WORDS) for note in notes)

    def label(self, value: str) -> str:
        """Return a label that links text and entries; one that could be a word is replaced."""
        words = re.sub(r"[._-]|(?<=[A-Za-z])(?=\d)|(?<=[a-z])(?=[A-Z])", " ", value)
        if _LABEL.fullmatch(value) and not self._takes(words, Mode.WORDS):
            return value
        return "i" + self.ctx.key.code("cda-label", value)

    def _identifier(self, held: dict[str, str], path: tuple[str, ...]) -> dict[str, str]:
        """Return keyed codes for an identifier: the same one gives the same code everywhere."""
        self.gone(" ".join(held.values()), "CDA: identifier", "replace")
        root, extension = held.get("root", ""), held.get("extension")
        out = {"root": self.ctx.key.uid(root)} if root else {"nullFlavor": "MSK"}
        if extension is not None and root:
            patient = path[-2:-1] == ("patientRole",)
            code = self.ctx.key.code("cda-id", f"{root}\0{extension}")
            out["extension"] = self.ctx.subject.patient_id if patient else code
        return out

    def _template(self, held: dict[str, str]) -> dict[str, str]:
        """Return a template's identifier: those of published standards stay."""
        root, extension = held.get("root", ""), held.get("extension", "")
        if not root:
            return {"nullFlavor": "MSK"}
        out = {"root": root if PUBLIC_ROOTS.fullmatch(root) else self.ctx.key.uid(root)}
        if _TEMPLATE_DATE.fullmatch(extension) or extension == "POCD_HD000040":
            out["extension"] = extension
        return out


def _timed(path: tuple[str, ...], held: dict[str, str]) -> bool:
    """Tell whether the ``value`` of this element is a point in time."""
    kind = held.get("xsi:type", "").rpartition(":")[2]
    if "unit" in held:
        return False
    if kind.endswith("TS") or path[-1] in TIMES:
        return True
    return path[-1] in _BOUNDS and any(name in TIMES for name in path[-3:-1])


def shifted(value: str, days: int) -> str | None:
    """Return an HL7 point in time moved by whole days, with its precision and zone as they were.

    A bare month or year moves from its first day, as dates of images do. None when the value is
    no point in time.
    """
    found = _STAMP.fullmatch(value)
    if found is None:
        return None
    year, month, day, rest, zone = found.groups()
    try:
        start = dt.date(int(year), int(month or 1), int(day or 1))
        moved = start + dt.timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    text = f"{moved:%m%d}"[: len(month or "") + len(day or "")]
    return f"{moved.year:04d}{text}{rest or ''}{zone or ''}"
