"""The decision table: PS3.15 Table E.1-1 under a profile, resolved by Types of the object's IOD.

The rows are data (``data/e1_1.tsv``), made by ``scripts/make_tables.py``. This module reads them
once, folds the options of a profile into one code per row, and answers ``Table.rule`` per tag, SOP
class and enclosing sequence from a memo.

Sources: PS3.15 2026c Table E.1-1 and E.1.1 (codes D, Z, X, K, C, U and their unions); PS3.3
(Types).
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Final

from safelight.deid import iod
from safelight.deid.iod import Type
from safelight.deid.profile import Option, Profile
from safelight.dicomio import dictionary

__all__ = ["EDITION", "Act", "Rule", "Table", "as_read", "compile_table"]

EDITION: Final = "PS3.15 2026c Table E.1-1"
_DATA: Final = Path(__file__).parent / "data"


class Act(IntEnum):
    """What happens to an element.

    KEEP keeps what is proven to be what it claims: a number that is one, a date that is one, a
    coded string among its defined terms; in other text (a station's or institution's name) the
    subject's own values and other people's names still go.
    On a sequence: KEEP never occurs (the standard's K means cleaned there); CLEAN enters it;
    DUMMY enters it too, and every text or code in it that no rule names gets a dummy.
    On a private element: CLEAN means that ``private.lookup`` decides.
    SHIFT moves DA and DT by the person's days; a TM stays as it is if it is a valid time, and is
    emptied otherwise. AGE keeps an age up to 89 years and writes 090Y above.
    """

    KEEP = 0
    REMOVE = 1
    EMPTY = 2
    DUMMY = 3
    UID = 4
    CLEAN = 5
    SHIFT = 6
    AGE = 7


@dataclass(frozen=True, slots=True)
class Rule:
    """What to do, and the row and option that say so (for the manifest)."""

    act: Act
    source: str


def as_read(rule: Rule, dictionary_vr: str, vr: bytes) -> Rule:
    """Return the rule for a value of another VR than the dictionary's: not kept, but cleaned.

    Patient's Sex written as LO holds any text. What a profile overrides stays as ordered.

    Args:
        rule: For the element.
        dictionary_vr: One or more VRs.
        vr: Its own.
    """
    kept = rule.act is Act.KEEP and not rule.source.startswith("override")
    if not kept or vr.decode("ascii", "replace") in dictionary_vr:
        return rule
    return Rule(Act.CLEAN, f"{rule.source}; another VR")


_COLUMNS: Final = {  # option columns of the data file, in order
    4: Option.RETAIN_UIDS,
    5: Option.RETAIN_SAFE_PRIVATE,
    6: Option.RETAIN_DEVICE_IDENTITY,
    7: Option.RETAIN_INSTITUTION_IDENTITY,
    8: Option.RETAIN_PATIENT_CHARACTERISTICS,
    9: Option.RETAIN_FULL_DATES,
    10: Option.RETAIN_MODIFIED_DATES,
    11: Option.CLEAN_DESCRIPTORS,
    12: Option.CLEAN_STRUCTURED_CONTENT,
    13: Option.CLEAN_GRAPHICS,
}
_SHORT: Final = {"device": 6, "institution": 7, "patient": 8, "descriptors": 11}  # in extra.tsv
# Which option speaks first when several are on. Dates come first, so that a date of a device is
# moved with the others; what is to be retained comes before what is to be cleaned.
_PRECEDENCE: Final = (10, 9, 4, 6, 7, 8, 12, 11, 13)
_OVERRIDES: Final = {
    "keep": Act.KEEP,
    "remove": Act.REMOVE,
    "empty": Act.EMPTY,
    "clean": Act.CLEAN,
    "dummy": Act.DUMMY,
}
_BINARY: Final = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN"})
_TEXTS: Final = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
_DATES: Final = frozenset({"DA", "DT", "TM"})
_UNCLEANABLE: Final = _BINARY | _DATES | {"PN", "UR"}
_MEMO: Final = 65_536  # answers held at most: tags and SOP classes come from files


@dataclass(frozen=True, slots=True)
class _Folded:
    """A row under a profile: an act that needs no Type, or the code that does."""

    act: Act | None
    code: str
    vr: str
    source: str


@cache
def _read(name: str) -> dict[str, list[str]]:
    """Rows of a data file by tag; wildcards keep their ``x`` digits."""
    rows = (row.split("\t") for row in dictionary.read_rows(_DATA / name))
    return {row[0]: row for row in rows}


@cache
def _read_extra() -> dict[str, list[str]]:
    """The supplement in the columns of the table, which has one for each option."""
    found = {}
    for tag, (_, code, options, why) in _read("extra.tsv").items():
        row = [tag, why, code, "", *[""] * len(_COLUMNS)]
        for option in options.split(",") if options else ():
            name, _, cell = option.partition(":")
            row[_SHORT[name]] = cell
        found[tag] = row
    return found


def _wildcard(tag: int) -> list[str]:
    """The names under which a tag may stand in the data files, the exact one first."""
    exact = f"{tag:08x}"
    if exact[:2] in {"50", "60"}:
        return [exact, f"{exact[:2]}xx{exact[4:]}", f"{exact[:2]}xxxxxx"]
    return [exact]


def _vr(tag: int) -> str:
    """The VR; the first one where the standard leaves a choice (all are of one kind)."""
    entry = dictionary.lookup(tag)
    return entry.vr[:2] if entry else "UN"


def _option_act(option: Option, cell: str, vr: str) -> Act | None:
    """What an option makes of an element; None where it can't, so that the basic code stands."""
    if cell == "K":
        patient_text = option is Option.RETAIN_PATIENT_CHARACTERISTICS and vr in _TEXTS
        return Act.CLEAN if vr == "SQ" or patient_text else Act.AGE if vr == "AS" else Act.KEEP
    if cell != "C":
        return None
    if option is Option.RETAIN_MODIFIED_DATES and vr in _DATES:
        return Act.SHIFT
    if vr == "UI":
        return Act.UID
    return None if vr in _UNCLEANABLE else Act.CLEAN


def _by_type(code: str, vr: str, kind: Type) -> Act:
    """Resolve a code of the basic profile by the attribute's Type.

    1C and 2C count as 1 and 2 where the code leaves a choice. Where it leaves none (X), only an
    unconditional Type makes the element stay, without its value, so that the object is valid.
    """
    if code == "U":
        return Act.UID
    if code == "X" and kind in {Type.ONE_C, Type.TWO_C}:
        return Act.REMOVE
    if "U" in code and kind <= Type.TWO_C:
        # U*: enter, and give the contained UIDs new values. In Type 2 too: emptied, the object's
        # list of referenced series would refer to nothing, which its IOD forbids.
        return Act.CLEAN
    if kind <= Type.ONE_C:
        if code == "X" and vr in _BINARY:
            return Act.REMOVE  # a dummy MAC or blob would claim to be one
        return Act.UID if vr == "UI" else Act.DUMMY
    if kind <= Type.TWO_C and code != "D":
        return Act.DUMMY if code == "X/D" else Act.EMPTY
    if "X" in code:
        return Act.REMOVE
    if "Z" in code:
        return Act.EMPTY
    return Act.UID if vr == "UI" else Act.DUMMY


class Table:
    """The compiled decision table of one profile. Safe to share; answers are memoised.

    Attributes:
        profile: The profile it was compiled from.
    """

    __slots__ = ("_defaults", "_folded", "_rules", "profile")

    def __init__(self, profile: Profile) -> None:
        self.profile: Final = profile
        self._folded: dict[int, _Folded | None] = {}
        self._rules: dict[tuple[int, str, int], Rule | None] = {}
        self._defaults: dict[tuple[str, int, str, int], Rule | None] = {}

    def rule(self, tag: int, *, sop_class: str, parent: int = 0) -> Rule | None:
        """Return what to do with an element, or None if the table does not name it.

        Args:
            tag: Group in the upper 16 bits, element in the lower 16.
            sop_class: SOP Class UID of the object, without padding; an unknown one gets the
                strictest Type that any IOD has for the attribute.
            parent: Tag of the sequence in whose item the element stands; 0 at the top.

        Source: PS3.15 Table E.1-1 and E.1.1.
        """
        key = (tag, sop_class, parent)
        try:
            return self._rules[key]
        except KeyError:
            if len(self._rules) >= _MEMO:
                self._rules.clear()
            found = self._rules[key] = self._find(tag, sop_class, parent)
            return found

    def default_rule(
        self, vr: str, *, tag: int = 0, sop_class: str = "", parent: int = 0
    ) -> Rule | None:
        """Return what to do with an element that ``rule`` does not name, by its VR.

        None for VRs whose values are numbers, text (clean what is not proven harmless), codes,
        sequences (enter) or bytes: those are the walker's to judge.

        Args:
            vr: Value representation, two letters.
            tag: As in ``rule``; decides with the Type whether empty is valid.
            sop_class: As in ``rule``.
            parent: As in ``rule``.
        """
        key = (vr, tag, sop_class, parent)
        try:
            return self._defaults[key]
        except KeyError:
            if len(self._defaults) >= _MEMO:
                self._defaults.clear()
            found = self._defaults[key] = self._default(vr, tag, sop_class, parent)
            return found

    def _find(self, tag: int, sop_class: str, parent: int) -> Rule | None:
        try:
            folded = self._folded[tag]
        except KeyError:
            if len(self._folded) >= _MEMO:
                self._folded.clear()
            folded = self._folded[tag] = self._fold(tag)
        if folded is None:
            return None
        if folded.act is not None:
            return Rule(folded.act, folded.source)
        kind = iod.type_of(sop_class, parent, tag)
        act = _by_type(folded.code, folded.vr, kind)
        return Rule(act, f"{folded.source} -> {act.name.lower()} (Type {kind.label})")

    def _fold(self, tag: int) -> _Folded | None:
        """Fold the options of the profile into the row of a tag."""
        vr = _vr(tag)
        override = self.profile.overrides.get(tag)
        if override is not None:
            act = _OVERRIDES[override]
            if vr == "SQ" and act is Act.KEEP:
                act = Act.CLEAN
            return _Folded(act, "", vr, f"override {override}")
        if tag & 0x0001_0000:
            if Option.RETAIN_SAFE_PRIVATE in self.profile.options:
                return _Folded(Act.CLEAN, "", vr, "E.1-1 private C (retain-safe-private)")
            return _Folded(Act.REMOVE, "", vr, "E.1-1 private X")
        found = _lookup(tag)
        if found is None:
            return None
        row, source = found
        if "x" in row[0]:  # curves and overlays: nothing proves a drawing harmless, so they go
            return _Folded(Act.REMOVE, "", vr, f"{source} {row[2]}")
        for column in _PRECEDENCE:
            option = _COLUMNS[column]
            if not row[column] or option not in self.profile.options:
                continue
            act_of_option = _option_act(option, row[column], vr)
            if act_of_option is not None:
                return _Folded(act_of_option, "", vr, f"{source} {row[column]} ({option.label})")
        code = row[2]
        if code in {"K", "C"}:  # rows of the supplement only
            kept = Act.CLEAN if code == "C" or vr == "SQ" else Act.KEEP
            return _Folded(kept, "", vr, f"{source} {code}")
        return _Folded(None, code, vr, f"{source} {code}")

    def _default(self, vr: str, tag: int, sop_class: str, parent: int) -> Rule | None:
        options = self.profile.options
        source = f"VR {vr} outside E.1-1"
        if vr in _DATES and Option.RETAIN_MODIFIED_DATES in options:
            return Rule(Act.SHIFT, source)
        if vr in _DATES and Option.RETAIN_FULL_DATES in options:
            return Rule(Act.KEEP, source)
        if vr == "AS" and Option.RETAIN_PATIENT_CHARACTERISTICS in options:
            return Rule(Act.AGE, source)
        if vr == "UI":
            return Rule(Act.KEEP if Option.RETAIN_UIDS in options else Act.UID, source)
        if vr == "AE":
            return Rule(Act.CLEAN, source)
        if vr == "UR":
            return Rule(Act.REMOVE, source)
        if vr in _DATES or vr in {"PN", "AS"}:
            required = iod.type_of(sop_class, parent, tag) <= Type.ONE_C
            return Rule(Act.DUMMY if required else Act.EMPTY, source)
        return None


def _lookup(tag: int) -> tuple[list[str], str] | None:
    """The row of Table E.1-1 for a tag, else that of the supplement, and how to cite it."""
    for name in _wildcard(tag):
        if (row := _read("e1_1.tsv").get(name)) is not None:
            return row, "E.1-1"
    for name in _wildcard(tag):
        if (row := _read_extra().get(name)) is not None:
            return row, "supplement"
    return None


@cache
def compile_table(profile: Profile) -> Table:
    """Return the decision table of a profile; the same object for the same profile."""
    return Table(profile)
