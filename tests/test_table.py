"""The decision table against rows of PS3.15 Table E.1-1 that were looked up by hand."""

import pickle
import re
from pathlib import Path

import pytest

from safelight.deid import iod, table
from safelight.deid.profile import PRESETS, Option, Profile
from safelight.deid.table import Act, Rule, as_read, compile_table
from safelight.dicomio import dictionary

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
US = "1.2.840.10008.5.1.4.1.1.6.1"
DX = "1.2.840.10008.5.1.4.1.1.1.1"
COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"
SEG = "1.2.840.10008.5.1.4.1.1.66.4"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
GSPS = "1.2.840.10008.5.1.4.1.1.11.1"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"
PRIVATE_CLASS = "1.2.826.0.1.3680043.9.9999.1"

EXPLICIT = Path(table.__file__).parent / "data"


def act(tag: int, *options: Option, sop_class: str = CT, parent: int = 0) -> Act | None:
    profile = Profile(name="test", options=frozenset(options))
    rule = compile_table(profile).rule(tag, sop_class=sop_class, parent=parent)
    return None if rule is None else rule.act


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (0x0010_0010, Act.EMPTY),  # Patient's Name: Z
        (0x0010_0020, Act.EMPTY),  # Patient ID: Z/D, Type 2
        (0x0008_0020, Act.EMPTY),  # Study Date: Z
        (0x0008_0050, Act.EMPTY),  # Accession Number: Z
        (0x0008_0080, Act.REMOVE),  # Institution Name: X/Z/D, Type 3
        (0x0008_0018, Act.UID),  # SOP Instance UID: U
        (0x0020_000D, Act.UID),  # Study Instance UID: U
        (0x0008_1030, Act.REMOVE),  # Study Description: X
        (0x0010_1010, Act.REMOVE),  # Patient's Age: X
        (0x0010_0040, Act.EMPTY),  # Patient's Sex: Z
        (0x0018_1000, Act.REMOVE),  # Device Serial Number: X/Z/D, Type 3 in CT
        (0x0008_1140, Act.REMOVE),  # Referenced Image Sequence: X/Z/U*, Type 1C in no CT module
        (0x6000_3000, Act.REMOVE),  # Overlay Data: X
        (0x601E_3000, Act.REMOVE),
        (0x6000_4000, Act.REMOVE),  # Overlay Comments: X
        (0x6002_0010, Act.REMOVE),  # Overlay Rows: supplement, the plane is gone
        (0x5000_0005, Act.REMOVE),  # Curve: X
        (0x5002_3000, Act.REMOVE),
        (0x0400_0500, Act.REMOVE),  # Encrypted Attributes Sequence: supplement
        (0xFFFA_FFFA, Act.REMOVE),  # Digital Signatures Sequence
        (0xFFFC_FFFC, Act.REMOVE),  # Data Set Trailing Padding
        (0x0009_1001, Act.REMOVE),  # any private element
        (0x0010_0012, Act.REMOVE),  # Name to Use: newer than 2024b
        (0x0008_1301, Act.REMOVE),  # Principal Diagnosis Code Sequence: newer than 2024b
        (0x0070_0006, Act.DUMMY),  # Unformatted Text Value: D
        (0x0010_0033, Act.REMOVE),  # birth date in another calendar: supplement
        (0x0032_1031, Act.REMOVE),  # who requested it: supplement
        (0x0018_0015, None),  # Body Part Examined: in no row
        (0x0008_0070, None),  # Manufacturer: in no row
        (0x7FE0_0010, None),  # Pixel Data: in no row
    ],
)
def test_basic_profile(tag: int, expected: Act | None) -> None:
    assert act(tag) is expected


@pytest.mark.parametrize(
    ("tag", "option", "expected"),
    [
        (0x0008_0020, Option.RETAIN_FULL_DATES, Act.KEEP),
        (0x0008_0020, Option.RETAIN_MODIFIED_DATES, Act.SHIFT),
        (0x0008_0030, Option.RETAIN_MODIFIED_DATES, Act.SHIFT),  # a time of day
        (0x0008_002A, Option.RETAIN_MODIFIED_DATES, Act.SHIFT),  # a DT
        (0x0010_0030, Option.RETAIN_FULL_DATES, Act.EMPTY),  # no option keeps a birth date
        (0x0010_0030, Option.RETAIN_MODIFIED_DATES, Act.EMPTY),
        (0x0008_0201, Option.RETAIN_FULL_DATES, Act.KEEP),
        (0x0008_0201, Option.RETAIN_MODIFIED_DATES, Act.REMOVE),  # decision: a zone is a place
        (0x0008_0106, Option.RETAIN_MODIFIED_DATES, Act.DUMMY),  # decision: would tell the shift
        (0x0008_0080, Option.RETAIN_INSTITUTION_IDENTITY, Act.KEEP),
        (0x0008_0082, Option.RETAIN_INSTITUTION_IDENTITY, Act.CLEAN),  # SQ: K means cleaned
        (0x0008_0080, Option.RETAIN_DEVICE_IDENTITY, Act.REMOVE),
        (0x0018_1000, Option.RETAIN_DEVICE_IDENTITY, Act.KEEP),
        (0x0018_1010, Option.RETAIN_DEVICE_IDENTITY, Act.KEEP),  # newest row, by intent
        (0x0008_1010, Option.RETAIN_DEVICE_IDENTITY, Act.KEEP),
        (0x0008_0055, Option.RETAIN_DEVICE_IDENTITY, Act.CLEAN),  # AE: C
        (0x0008_0018, Option.RETAIN_UIDS, Act.KEEP),
        (0x0020_000D, Option.RETAIN_UIDS, Act.KEEP),
        (0x0008_1140, Option.RETAIN_UIDS, Act.CLEAN),
        (0x0010_1010, Option.RETAIN_PATIENT_CHARACTERISTICS, Act.AGE),
        (0x0010_0040, Option.RETAIN_PATIENT_CHARACTERISTICS, Act.KEEP),
        (0x0010_1030, Option.RETAIN_PATIENT_CHARACTERISTICS, Act.KEEP),
        (0x0010_2160, Option.RETAIN_PATIENT_CHARACTERISTICS, Act.CLEAN),  # text: K, but free
        (0x0010_2110, Option.RETAIN_PATIENT_CHARACTERISTICS, Act.CLEAN),
        (0x0010_1022, Option.RETAIN_PATIENT_CHARACTERISTICS, Act.KEEP),  # supplement: BMI
        (0x0008_1030, Option.CLEAN_DESCRIPTORS, Act.CLEAN),
        (0x0008_1301, Option.CLEAN_DESCRIPTORS, Act.CLEAN),  # newest row, by intent
        (0x0070_0006, Option.CLEAN_DESCRIPTORS, Act.CLEAN),  # newest row, by intent
        (0x0010_0012, Option.CLEAN_DESCRIPTORS, Act.REMOVE),  # a name is never cleaned
        (0x0040_A730, Option.CLEAN_STRUCTURED_CONTENT, Act.CLEAN),
        (0x0040_B020, Option.CLEAN_STRUCTURED_CONTENT, Act.CLEAN),  # newest row, by intent
        (0x0040_0555, Option.CLEAN_STRUCTURED_CONTENT, Act.CLEAN),
        (0x0070_0001, Option.CLEAN_GRAPHICS, Act.CLEAN),
        (0x6000_3000, Option.CLEAN_GRAPHICS, Act.REMOVE),  # cleaned by being taken out
        (0x0029_1010, Option.RETAIN_SAFE_PRIVATE, Act.CLEAN),  # the safe list decides
    ],
)
def test_options(tag: int, option: Option, expected: Act) -> None:
    assert act(tag, option) is expected


def test_dates_of_devices_move_with_the_others() -> None:
    calibration = 0x0018_1200
    both = (Option.RETAIN_DEVICE_IDENTITY, Option.RETAIN_MODIFIED_DATES)
    assert act(calibration, *both) is Act.SHIFT
    assert act(calibration, Option.RETAIN_DEVICE_IDENTITY) is Act.KEEP
    assert act(calibration) is Act.REMOVE


@pytest.mark.parametrize(
    ("tag", "sop_class", "expected"),
    [
        (0x0008_0023, CT, Act.EMPTY),  # Content Date Z/D: Type 2C in General Image
        (0x0008_0023, COMPREHENSIVE_SR, Act.DUMMY),  # Type 1
        (0x0008_0023, SEG, Act.DUMMY),  # Type 1 in Multi-frame Functional Groups
        (0x0008_002A, CT, Act.REMOVE),  # Acquisition DateTime X/Z/D: Type 3
        (0x0008_002A, ENHANCED_MR, Act.DUMMY),  # Type 1C
        (0x0008_0022, CT, Act.REMOVE),  # Acquisition Date X/Z: Type 3
        (0x0018_1000, ENHANCED_MR, Act.DUMMY),  # Device Serial Number X/Z/D: Type 1
        (0x0018_1000, SEG, Act.DUMMY),
        (0x0018_1000, US, Act.REMOVE),
        (0x0018_700A, DX, Act.REMOVE),  # Detector ID X/D: Type 3
        (0x0070_0084, GSPS, Act.EMPTY),  # Content Creator's Name Z/D: Type 2
        (0x3006_0008, RTSTRUCT, Act.EMPTY),  # Structure Set Date Z: Type 2
        (0x3006_0002, RTSTRUCT, Act.DUMMY),  # Structure Set Label: Type 1
        (0x0040_A073, COMPREHENSIVE_SR, Act.DUMMY),  # Verifying Observer Sequence D
        (0x0042_0011, PDF, Act.DUMMY),  # Encapsulated Document D
        (0x0070_0082, GSPS, Act.DUMMY),  # Presentation Creation Date X, but Type 1
        (0x0010_0020, PRIVATE_CLASS, Act.EMPTY),
        (0x0008_1140, GSPS, Act.REMOVE),  # Referenced Image Sequence X/Z/U*: Type 3 at the top
        (0x0018_1000, PRIVATE_CLASS, Act.DUMMY),  # unknown IOD: what is valid everywhere
    ],
)
def test_types_of_the_iod_decide(tag: int, sop_class: str, expected: Act) -> None:
    assert act(tag, sop_class=sop_class) is expected


def test_types_depend_on_the_enclosing_sequence() -> None:
    name, top, observer = 0x0008_0080, 0, 0x0040_A073
    referring = 0x0008_0096  # Institution Name is Type 1C in an identification sequence
    assert act(name, parent=top) is Act.REMOVE
    assert act(name, parent=referring) is Act.DUMMY
    person = 0x0040_A075  # Verifying Observer Name is Type 1 there
    assert act(person, sop_class=COMPREHENSIVE_SR, parent=observer) is Act.DUMMY


def test_references_get_new_uids_where_the_iod_wants_them() -> None:
    source, derivation, series = 0x0008_2112, 0x0008_9124, 0x0008_1115
    assert iod.type_of(SEG, derivation, source) is iod.Type.TWO
    assert act(source, sop_class=SEG, parent=derivation) is Act.CLEAN
    assert iod.type_of(GSPS, series, 0x0008_1140) is iod.Type.ONE
    assert act(0x0008_1140, sop_class=GSPS, parent=series) is Act.CLEAN


def test_an_item_that_the_iod_does_not_have_is_judged_by_any_module() -> None:
    udi, identifier = 0x0018_100A, 0x0018_1009  # X, but Type 1 in its item
    assert iod.type_of("1.2.840.10008.5.1.4.1.1.4", 0x0040_A073, 0x0040_A075) is iod.Type.ONE
    assert act(identifier, sop_class=MR, parent=udi) is Act.DUMMY


def test_valid_for_every_iod() -> None:
    classes = [uid for uid in dictionary._uids() if iod.known(uid)]
    tags = [int(key, 16) for key in table._read("e1_1.tsv") if "x" not in key and key != "private"]
    assert len(classes) > 170
    assert len(tags) > 640
    compiled = compile_table(PRESETS["strict"])
    for uid in classes:
        for tag in tags:
            rule = compiled.rule(tag, sop_class=uid)
            kind = iod.type_of(uid, 0, tag)
            assert rule is not None
            if kind is iod.Type.ONE:
                assert rule.act not in {Act.EMPTY, Act.REMOVE}, (uid, hex(tag), rule)
            elif kind is iod.Type.TWO:
                assert rule.act is not Act.REMOVE, (uid, hex(tag), rule)


def test_every_row_is_there() -> None:
    rows = table._read("e1_1.tsv")
    assert len(rows) == 656
    assert all(len(row) == 17 for row in rows.values())
    newest = [row for row in rows.values() if row[15] == "intent"]
    assert len(newest) == 35
    assert all(row[16] for row in newest)
    codes = {"X", "Z", "D", "U", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"}
    assert {row[2] for row in rows.values()} == codes


def test_the_table_comes_before_the_supplement() -> None:
    rows, extra = table._read("e1_1.tsv"), table._read_extra()
    assert not rows.keys() & extra.keys()
    assert all(row[1] for row in extra.values())  # each says why
    assert all(dictionary.lookup(int(tag, 16)) for tag in extra if "x" not in tag)


def test_all_options_at_once_still_decide_every_row() -> None:
    everything = frozenset(Option) - {Option.RETAIN_FULL_DATES}
    compiled = compile_table(Profile(name="all", options=everything))
    acts = set()
    for key in table._read("e1_1.tsv"):
        if "x" not in key and key != "private":
            rule = compiled.rule(int(key, 16), sop_class=CT)
            assert rule is not None
            assert rule.source.startswith("E.1-1 ")
            assert re.fullmatch(r"[ !#-\[\]-~]+", rule.source)  # stands in JSON as it is
            entry = dictionary.lookup(int(key, 16))
            assert entry is not None
            assert not (entry.vr == "SQ" and rule.act is Act.KEEP)
            assert not (entry.vr == "PN" and rule.act in {Act.KEEP, Act.CLEAN})
            acts.add(rule.act)
    assert acts == set(Act)


def test_overrides_win() -> None:
    overrides = {0x0008_0080: "keep", 0x0018_0015: "remove", 0x0008_1140: "keep"}
    compiled = compile_table(Profile(name="own", options=frozenset(), overrides=overrides))
    kept = compiled.rule(0x0008_0080, sop_class=CT)
    assert kept is not None
    assert kept.act is Act.KEEP
    assert kept.source == "override keep"  # never the name: it is not ours to quote in JSON
    removed = compiled.rule(0x0018_0015, sop_class=CT)
    assert removed is not None
    assert removed.act is Act.REMOVE
    entered = compiled.rule(0x0008_1140, sop_class=CT)
    assert entered is not None
    assert entered.act is Act.CLEAN


@pytest.mark.parametrize(
    ("vr", "options", "expected"),
    [
        ("DA", [Option.RETAIN_MODIFIED_DATES], Act.SHIFT),
        ("TM", [Option.RETAIN_MODIFIED_DATES], Act.SHIFT),
        ("DT", [Option.RETAIN_FULL_DATES], Act.KEEP),
        ("DA", [], Act.EMPTY),
        ("PN", list(Option)[:5], Act.EMPTY),
        ("UI", [], Act.UID),
        ("UI", [Option.RETAIN_UIDS], Act.KEEP),
        ("AE", [], Act.CLEAN),
        ("UR", [], Act.REMOVE),
        ("AS", [], Act.EMPTY),
        ("AS", [Option.RETAIN_PATIENT_CHARACTERISTICS], Act.AGE),
        ("LO", [], None),
        ("SQ", [], None),
        ("OW", [], None),
    ],
)
def test_defaults_by_vr(vr: str, options: list[Option], expected: Act | None) -> None:
    compiled = compile_table(Profile(name="test", options=frozenset(options)))
    rule = compiled.default_rule(vr)
    assert (None if rule is None else rule.act) is expected


def test_default_of_a_required_attribute_is_a_dummy() -> None:
    compiled = compile_table(PRESETS["strict"])
    inventory = "1.2.840.10008.5.1.4.1.1.201.1"
    item_inventory = 0x0008_0404  # Item Inventory DateTime is Type 1 there
    parent = next(parent for parent, tag in iod._iod("inventory") if tag == item_inventory)
    rule = compiled.default_rule("DT", tag=item_inventory, sop_class=inventory, parent=parent)
    assert rule is not None
    assert rule.act is Act.DUMMY


def test_memo_is_bounded_and_the_same_rule_comes_back() -> None:
    compiled = table.Table(PRESETS["share"])
    first = compiled.rule(0x0010_0010, sop_class=CT)
    assert compiled.rule(0x0010_0010, sop_class=CT) is first
    for tag in range(0x0008_0000, 0x0008_0000 + table._MEMO + 10):
        compiled.rule(tag, sop_class=CT)
    assert len(compiled._rules) <= table._MEMO
    assert compiled.rule(0x0010_0010, sop_class=CT) == first


def test_a_profile_travels_to_workers() -> None:
    profile = PRESETS["share"]
    again = pickle.loads(pickle.dumps(profile))  # noqa: S301  our own bytes
    assert again == profile
    assert compile_table(again) is compile_table(profile)


def test_a_value_of_another_vr_is_not_kept() -> None:
    kept = Rule(Act.KEEP, "E.1-1 K")
    assert as_read(kept, "CS", b"CS") is kept
    assert as_read(kept, "US or SS", b"SS") is kept
    assert as_read(kept, "CS", b"LO").act is Act.CLEAN
    assert as_read(kept, "DS", b"PN").act is Act.CLEAN
    ordered = Rule(Act.KEEP, "override keep")
    assert as_read(ordered, "CS", b"LO") is ordered
    removed = Rule(Act.REMOVE, "E.1-1 X")
    assert as_read(removed, "CS", b"LO") is removed
