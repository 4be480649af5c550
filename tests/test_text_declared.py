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
