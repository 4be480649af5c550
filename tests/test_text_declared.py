"""The subject's own declared values: found in every writing, and nothing harmless beside them."""

# ruff: noqa: RUF001 - digits and signs of other scripts are what these tests are about

import pytest

from safelight.deid import profile
from safelight.deid.engine import Engine
from safelight.deid.evidence import Evidence
from safelight.deid.pseudonyms import ProjectKey
from safelight.deid.text import Identity, Mode, Needles, TextCleaner
from safelight.deid.text.fold import digits, fold, squash, squash_map
from safelight.pipeline.job import make_namer
from safelight.pipeline.names import Namer
from safelight.types import Kind

KEY = ProjectKey(b"t" * 32)
JANE = Identity(
    names={"ROE^JANE"},
    ids={"HN-44719028"},
    dates={"19550102"},
    contacts={"+44 20 7946 0958"},
)
CLEANER = TextCleaner(Needles.compile(JANE))
NOBODY = TextCleaner(Needles.compile(Identity()))


@pytest.mark.parametrize("zero", ["٠", "۰", "०", "๐", "০", "０", "𝟘"])
def test_digits_of_every_script_are_digits(zero: str) -> None:
    text = "".join(chr(ord(zero) + digit) for digit in range(10))
    assert digits(f"a{text}²") == "a0123456789²"
    assert fold(text) == squash(text) == "0123456789"
    flat, places = squash_map(f"T{text[2]} {text[5]}")
    assert (flat, places) == ("t25", [0, 1, 3])


@pytest.mark.parametrize(
    "text",
    ["٤٤٧١ ٩٠٢٨", "٤٤٧١-٩٠٢٨", "٤٤٧١٩٠٢٨", "۴۴۷۱ ۹۰۲۸", "४४७१-९०२८", "HN ๔๔๗๑/๙๐๒๘", "44٧١ ٩٠28",
     "٢٠ ٧٩٤٦ ٠٩٥٨", "١٩٥٥/٠١/٠٢", "۰۲.۰۱.۱۹۵۵", "๐๒-๐๑-๑๙๕๕", "१९५५-०१-०२"],
)  # fmt: skip
def test_numbers_and_dates_in_other_digits_go(text: str) -> None:
    assert CLEANER.clean(text).text == ""
    for mode in (Mode.WORDS, Mode.NARRATIVE, Mode.SUBJECT):
        assert CLEANER.clean(f"CT {text} CHEST", mode).text == "CT CHEST"


def test_numbers_declared_in_other_digits_go_in_ascii() -> None:
    cleaner = TextCleaner(
        Needles.compile(Identity(ids={"٤٤٧١٩"}, dates={"١٩٥٥٠١٠٢"}, contacts={"٧٩٤٦ ٠٩٥٨"}))
    )
    for text in ("44719", "19550102", "7946 0958"):
        assert cleaner.clean(f"CT {text} CHEST", Mode.SUBJECT).text == "CT CHEST"


@pytest.mark.parametrize("text", ["T٢ ٥ mm", "٣ x ٤ mm", "CT ١٩٥٥", "١-٢ mm"])
def test_harmless_numbers_in_other_digits_stay(text: str) -> None:
    assert CLEANER.clean(text) == (text, ())


def namer_of(identity: Identity) -> Namer:
    engine = Engine(key=KEY, profile=profile.load("share"))
    return make_namer(engine.subject([Evidence(patient_key="A|", identity=identity)]), KEY)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("٤٤٧١-٩٠٢٨.dcm", False),
        ("٤٤٧١.dcm", False),
        ("IM٤٤٧١.dcm", False),
        ("٤٤٧٢.dcm", True),
        ("IM4472.dcm", True),
    ],
)
def test_file_names_in_other_digits_get_codes(name: str, *, kept: bool) -> None:
    namer = namer_of(Identity(ids={"HN-44719028", "4471"}))
    assert (namer.name(name, Kind.DICOM) == name) == kept


@pytest.mark.parametrize(
    "text",
    ["1955:01:02", "1955 - 01 - 02", "1955 / 01 / 02", "1955-0102", "1955 0102", "0102 1955",
     "0201-1955", "195501 02", "1955,01,02", "2,1,1955", "02;01;1955", "1955;01;02", "02|01|1955",
     "02*01*1955", "02~01~1955", "(02)(01)(1955)", "1955\t01\t02", "02\t01\t1955", "1955  01  02",
     "1955‐01‐02", "1955‑01‑02", "1955‒01‒02", "1955–01–02", "1955—01—02", "1955―01―02",
     "02·01·1955", "2/1 1955", "2/1-1955", "2.1. 1955", "1955 2 1", "2 I 1955", "2.I.1955",
     "02/I/1955", "1955 I 02", "2.I.55", "02 01 55", "55;01;02", "0102-55", "02Jan1955",
     "02JAN55", "Jan 2 55", "2 januar 1955", "2 ledna 1955", "2 tammikuuta 1955", "2 янв 55",
     "02 of 01 of 1955", "2 m 1 y 1955", "2nd of I 1955", "02/01/2498", "x02I1955y"],
)  # fmt: skip
def test_the_birth_date_goes_in_every_writing(text: str) -> None:
    needles = CLEANER.needles
    assert CLEANER.clean(text).text == ""
    assert needles.spans(f"CT {text} CHEST")
    assert needles.spans(f"CT ({text}); CHEST")
    for mode in (Mode.WORDS, Mode.NARRATIVE, Mode.SUBJECT):
        assert CLEANER.clean(f"CT {text} CHEST", mode).text == "CT CHEST"
    assert not NOBODY.needles.spans(text)


@pytest.mark.parametrize(
    "text",
    ["TR 1955", "1-2 mm", "3/4", "b 1000", "T2 5/1", "B30f", "TR 1955 TE 2", "1955", "1/2 1956",
     "2 1 mm", "2 I 1956", "3 I 1955", "55.0102", "TR/TE 1955/55", "FOV 255", "1 - 2 - 3", "0102",
     "grade I 1955", "2 views 1955", "5 x 5 x 1", "MPR 2 1 55", "1955 I - II", "2 1 slices 1955",
     "1955 TE 2 mm 1", "Series 2 of 55", "stage I 2 cm"],
)  # fmt: skip
def test_texts_like_the_birth_date_stay(text: str) -> None:
    assert CLEANER.clean(text) == (text, ())


@pytest.mark.parametrize("text", ["10x10", "10 10 10", "10 x 10 mm", "10.10 10", "B10f 10 10"])
def test_a_birth_date_of_equal_parts_takes_no_sizes(text: str) -> None:
    cleaner = TextCleaner(Needles.compile(Identity(dates={"20101010"})))
    assert cleaner.clean(text) == (text, ())
    assert cleaner.clean("CT 10 10 2010 X", Mode.SUBJECT).text == "CT X"


def test_letters_that_fold_to_nothing_stand_beside_a_date() -> None:
    assert fold("ﾞ") == ""
    assert CLEANER.clean("CT ﾞ 1955 ﾞ 02.I.1955", Mode.SUBJECT).text == "CT ﾞ 1955 ﾞ"


@pytest.mark.parametrize("date", ["", "1955", "19551399", "00000000", "x1955"])
def test_a_date_that_is_none_is_no_needle(date: str) -> None:
    assert not Needles.compile(Identity(dates={date})).dates


@pytest.mark.parametrize("text", ["1960:03:04", "1960 - 03 - 04", "1960–03–04", "4·3·1960"])
def test_dates_of_nobody_go_in_more_writings(text: str) -> None:
    assert NOBODY.clean(f"CT {text} CHEST").text == "CT CHEST"


@pytest.mark.parametrize(
    ("name", "kept"),
    [("1955_0102.dcm", False), ("1955,01,02.dcm", False), ("IM55_0102.dcm", False),
     ("S0102-55.dcm", False), ("IM55_0103.dcm", True), ("IM_0102.dcm", True)],
)  # fmt: skip
def test_file_names_that_tell_the_birth_date_get_codes(name: str, *, kept: bool) -> None:
    assert (namer_of(JANE).name(name, Kind.DICOM) == name) == kept


HOME = Identity(
    ids={"P-4711", "HN-00471902"},
    phrases={
        "14 Park Street^Green Hill House^OX4 2BB",
        "Musterstraße 7a, 1234 AB Oakfield",
        "2 Long Lane; E1 6AN",
        "Breast Center, CT Room 2, Level 3, 3 Tesla MRI",
    },
    contacts={
        "+1 (312) 555-0142 ext. 77",
        "020 7946 0958; 7946 0321",
        "mailto:grey.owl@example.org",
        "ct.chest@example.org",
    },
)
HOME_CLEANER = TextCleaner(Needles.compile(HOME))


@pytest.mark.parametrize(
    "text",
    ["14 Park Street", "14, Park Street", "Park Street 14", "PARK STREET", "14 park st", "14ParkSt",
     "Green Hill House", "2 Long Lane", "Musterstr. 7a", "7a Musterstrasse", "OX4 2BB", "ox42bb",
     "OX4-2BB", "E1 6AN", "1234 AB", "555 0142", "555-0142", "5550142", "312 555 0142",
     "7946 0958", "7946.0958", "79460321", "P 4711", "P-4711", "P.4711", "p4711",
     "HN 471902", "HN 00471902", "4711", "#4711", "grey.owl", "grey_owl", "GREY OWL"],
)  # fmt: skip
def test_declared_addresses_and_short_ids_go(text: str) -> None:
    assert HOME_CLEANER.clean(text).text == ""
    assert not NOBODY.needles.spans(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lives at 14 Park Street", "lives"),
        ("call 555 0142 first", "call first"),
        ("postcode OX4 2BB CT", "postcode CT"),
        ("Pat 4711 CT", "CT"),
        ("subject 4711 CT", "CT"),
        ("Patient = 4711 CT", "CT"),
        ("4711 (ID)", "(ID)"),
        ("CT P 4711 HEAD", "CT HEAD"),
        ("ask grey.owl at example", "ask at example"),
    ],
)
def test_declared_values_go_within_texts(text: str, expected: str) -> None:
    assert HOME_CLEANER.clean(text).text == expected


@pytest.mark.parametrize(
    "text",
    ["TR 4711", "4711 ms", "AP 4711 mm", "SE 4711", "T1 4711", "2 long axis", "14 high resolution",
     "grey matter", "grey white", "ct chest", "Breast MRI", "CT 2", "Level 3", "3 Tesla MRI",
     "park", "street 14 mm", "E1 6", "IMP 4712", "6 A N 1", "14 x 7 mm", "7a", "Green", "Room 2",
     "Level 3 Breast", "7946"],
)  # fmt: skip
def test_texts_like_declared_values_stay(text: str) -> None:
    assert HOME_CLEANER.clean(text) == (text, ())


@pytest.mark.parametrize(
    ("name", "kept"),
    [("IM4711", False), ("4711", False), ("14 Park Street/IM3", False), ("OX4 2BB/IM1", False),
     ("IM4712", True), ("14/IM3", True), ("CT/IM1", True)],
)  # fmt: skip
def test_file_names_that_tell_the_address_or_id_get_codes(name: str, *, kept: bool) -> None:
    assert (namer_of(HOME).name(name, Kind.DICOM) == name) == kept


@pytest.mark.parametrize("folder", ["4471/9028", "44/71/90/28", "1955/01/02", "2019/03/10"])
def test_folders_that_tell_a_value_together_get_codes(folder: str) -> None:
    named = namer_of(JANE).name(f"{folder}/IM1", Kind.DICOM).split("/")
    assert len(named) == folder.count("/") + 2
    assert named[-1] == "IM1"
    assert set(named).isdisjoint(folder.split("/"))


def test_a_file_that_ends_a_value_of_its_folders_gets_a_code() -> None:
    namer = namer_of(JANE)
    assert namer.name("4471/9029.dcm", Kind.DICOM) == "4471/9029.dcm"
    assert namer.name("4471/9028.dcm", Kind.DICOM).startswith("4471/")
    assert "9028" not in namer.name("4471/9028.dcm", Kind.DICOM)


@pytest.mark.parametrize("name", ["ST1/SE3/IM0001", "1/2/3", "CT/Series 2/00012.dcm", "10/120/7"])
def test_folders_of_counters_stay(name: str) -> None:
    assert namer_of(JANE).name(name, Kind.DICOM) == name
