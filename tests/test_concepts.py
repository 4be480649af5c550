"""Content items that tell an age or a birth date, wherever and in whatever form they tell it."""

import io
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

import made
from made import File, Made, even, uid
from safelight.deid import profile
from safelight.deid.engine import Engine
from safelight.deid.pseudonyms import ProjectKey
from safelight.types import Kind, Original

KEY = ProjectKey(b"c" * 32)
BIRTH = ("121031", "DCM")
AGE = ("121033", "DCM")
HEART_RATE = ("8867-4", "LN")
DATED = ("share", "research-dates")


def coded(tag: int, value: str, scheme: str) -> Made:
    entry = (Made(0x00080100, "SH", even(value)), Made(0x00080102, "SH", even(scheme)))
    return Made(tag, "SQ", ((*entry, Made(0x00080104, "LO", b"Any ")),))


def item(concept: tuple[str, str], *values: Made) -> tuple[Made, ...]:
    return (coded(0x0040A043, *concept), *values)


def measured(number: bytes, unit: str = "a") -> Made:
    values = (coded(0x004008EA, unit, "UCUM"), Made(0x0040A30A, "DS", number))
    return Made(0x0040A300, "SQ", ((*values, Made(0x0040A161, "FD", b"\0\0\0\0\0\xc0\x57\x40")),))


def cleaned(
    *items: tuple[Made, ...], preset: str = "share", syntax: str = made.EXPLICIT_LITTLE
) -> list[Dataset]:
    elements = (
        Made(0x00080016, "UI", uid(made.REPORT)),
        Made(0x00100010, "PN", b"DOE^JANE"),
        Made(0x00100020, "LO", b"MRN-4711"),
        Made(0x00100030, "DA", b"19310102"),
        Made(0x0020000D, "UI", uid("1.2.826.0.1.100")),
        Made(0x0040A730, "SQ", items),
    )
    using = Engine(key=KEY, profile=profile.load(preset))
    source = Original(File(elements, syntax).data(), kind=Kind.DICOM)
    parts = using.deidentify(source, using.subject([using.survey(source)])).parts
    data = b"".join(bytes(part) for part in parts if isinstance(part, bytes))
    return list(pydicom.dcmread(io.BytesIO(data)).ContentSequence)


@pytest.mark.parametrize("syntax", made.SYNTAXES)
@pytest.mark.parametrize("preset", DATED)
def test_a_birth_date_goes_by_what_the_item_says(preset: str, syntax: str) -> None:
    day, moment, text, other = cleaned(
        item(BIRTH, Made(0x0040A121, "DA", b"19310103")),
        item(("21112-8", "LN"), Made(0x0040A120, "DT", b"193101")),
        item(("184099003", "SCT"), Made(0x0040A160, "UT", b"January of 1931 ")),
        item(HEART_RATE, Made(0x0040A121, "DA", b"19310103")),
        preset=preset,
        syntax=syntax,
    )
    # Type 1C: a value must stand there
    assert (day.Date, moment.DateTime) == ("19000101", "19000101000000")
    assert text.TextValue == "REMOVED"
    assert other.Date


@pytest.mark.parametrize("preset", DATED)
def test_the_birth_date_of_the_header_goes_under_any_concept(preset: str) -> None:
    day, moment = cleaned(
        item(HEART_RATE, Made(0x0040A121, "DA", b"19310102")),
        item(HEART_RATE, Made(0x0040A120, "DT", b"193101021015")),
        preset=preset,
    )
    assert (day.Date, moment.DateTime) == ("19000101", "19000101")


@pytest.mark.parametrize("syntax", made.SYNTAXES)
@pytest.mark.parametrize(
    "concept", [AGE, ("21612-7", "LN"), ("30525-0", "LN"), ("424144002", "SCT")]
)
def test_an_age_is_told_as_the_header_tells_it(concept: tuple[str, str], syntax: str) -> None:
    wanted = {"95": "90", "89": "89", "90.5": "90"}
    items = [item(concept, measured(even(each))) for each in wanted]
    found = [each.MeasuredValueSequence[0] for each in cleaned(*items, syntax=syntax)]
    assert [str(each.NumericValue) for each in found] == list(wanted.values())
    assert not any("FloatingPointValue" in each for each in found)


def test_the_unit_of_an_age_counts() -> None:
    ages = ((b"95", "mo"), (b"1100", "mo"), (b"95", "d"), (b"40000 ", "d"), (b"95", "wk"))
    found = cleaned(*(item(AGE, measured(*each)) for each in ages))
    values = [str(each.MeasuredValueSequence[0].NumericValue) for each in found]
    assert values == ["95", "1080", "95", "32871", "95"]


def test_a_number_that_is_no_age_stays() -> None:
    mine = ("121033", "99LOCAL")
    rate, own = cleaned(item(HEART_RATE, measured(b"95")), item(mine, measured(b"95")))
    assert rate.MeasuredValueSequence[0].NumericValue == 95
    assert rate.MeasuredValueSequence[0].FloatingPointValue == 95
    assert own.MeasuredValueSequence[0].NumericValue == 95


def test_an_identifier_goes_by_what_the_item_says() -> None:
    concepts = ("113871", "121041", "128774", "121016", "121009")
    found = cleaned(
        *(item((each, "DCM"), Made(0x0040A160, "UT", b"MA-339")) for each in concepts),
        item(("121106", "DCM"), Made(0x0040A160, "UT", b"MA-339")),
    )
    assert [each.TextValue for each in found] == ["REMOVED"] * len(concepts) + ["MA-339"]
    serial, name = cleaned(
        item(("121016", "DCM"), Made(0x0040A160, "UT", b"MA-339")),
        item(("113871", "DCM"), Made(0x0040A160, "UT", b"MA-339")),
        preset="device",
    )
    assert (serial.TextValue, name.TextValue) == ("MA-339", "REMOVED")


@pytest.mark.parametrize(("text", "gone"), [(b"095Y", "95"), (b"95", "95"), (b"1931", "1931")])
def test_an_age_in_words(text: bytes, gone: str) -> None:
    old, young = cleaned(
        item(AGE, Made(0x0040A160, "UT", text)), item(AGE, Made(0x0040A160, "UT", b"045Y"))
    )
    assert gone not in old.TextValue
    assert "90" in old.TextValue
    assert young.TextValue == "045Y"


def test_an_age_goes_where_the_profile_takes_ages() -> None:
    (age, text) = cleaned(
        item(AGE, measured(b"45")), item(AGE, Made(0x0040A160, "UT", b"045Y")), preset="strict"
    )
    assert not age.MeasuredValueSequence
    assert "45" not in text.TextValue


def test_a_kept_birth_date_is_kept_everywhere(tmp_path: Path) -> None:
    path = f"{tmp_path}/own.toml"
    with Path(path).open("w", encoding="utf-8") as file:
        file.write('extends = "research-dates"\n[override]\n"0010,0030" = "keep"\n')
    (day,) = cleaned(item(BIRTH, Made(0x0040A121, "DA", b"19310102")), preset=path)
    assert day.Date == "19310102"
