"""Which texts are harmless marks, and which come close to something of the subject's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.deid.burned.grammar import parse
from safelight.deid.burned.near import near
from safelight.deid.text import Identity, Needles

HARMLESS = """
L;R;LEFT;Right;R PORTABLE;AP ERECT;PA;AX;LAT;RCC;L MLO;CHEST PA;PORTABLE SUPINE;120 kVp
kVp 120 mAs 3.2
kV:120;mAs: 3.2;W 400 L 40;WW: 400 WL: 40;W:400 L:40;W400 L40;Zoom 100%;x2.0;Mag 1.5x;Im: 12/60
Se: 3;Slice 12;Frame 12/60;I 45.5;Loc: -123.5;1 Dist 2.34 cm;D 12.3 mm;A: 1.23 cm2;Vol 12 ml;45°
HR 72 bpm;EF 55 %;PSV 45.6 cm/s;MI 1.2;TIS 0.4;FR 32 Hz;32 fps;Frq 5.0 MHz;Gain 60%;DR 60;2D 45%
P Low;HPen;THI;Depth 12 cm;PRF 1.0kHz;WF 50Hz;L12-5;C5-1;RAH;LPI;A;10 cm;T2 FLAIR;TR 5000;TE 90
ST 5mm;FOV 240 mm;FOV 24x24 cm;SID 180 CM;+C;POST CONTRAST;SEMI-ERECT;WEIGHT BEARING;PLAX;4CH
TIs0.4;MI1.2;PORTABLEAP;NOT FOR DIAGNOSIS;RIGHT KNEE;SCALE 1:1;9L;512x512;SL 5.0;D1 4.5 mm
R IG H T;SU PI N E
MR BRAIN;MR ANGIO;T2 MR;MR KNEE SAG;WATERS VIEW;PT CT;500 MS
"""
IDENTIFYING = """
DOE;JOHN DOE;DOE^JOHN;1960;12/03/1960;12:30;LEE;12345;M;F 45Y;45Y;63;ID 1234;MRN123456;A123456
2024-01-02;ROSS;12 Jan 2024;PID: 1234;Acc 12345;R12345;ST MARY;DR SMITH;Dr. R;GE 1234567;19600102
J.D.;JD;MR ROE;ANNA;MAX;045Y;F 063;DOB;SEX F;Age 45;1 234 567;A P DOE;RE;MA;MAY;PAGE;T 1960 01 02
S 1960;P 1234;12 34;12/60;AX LEE;SX;XA;LM;ML;9:45;9.45AM;M 45;FS;DNR;MKT;R DOE;L 12 03 1960
CHEST DOE;120 kVp DOE
L EE;D OE JO;R OS S;M AX X
Mr Waters;MR. WATERS;MR LONG;Mr.Long;MRWATERS;Waters, Mr;Ms Long;Mr Head;R MR WATERS
Pt Long;Mr. Chest
"""


def texts(listed: str) -> list[str]:
    """Return the texts of a list, a line or a semicolon apart."""
    return [text for line in listed.strip().splitlines() for text in line.split(";")]


@pytest.mark.parametrize("text", texts(HARMLESS))
def test_a_harmless_mark_parses_as_a_whole(text: str) -> None:
    assert parse(text) is not None


@pytest.mark.parametrize("text", texts(IDENTIFYING))
def test_what_may_identify_someone_does_not_parse(text: str) -> None:
    assert parse(text) is None


@given(st.text(max_size=60))
def test_any_text_is_judged(text: str) -> None:
    mark = parse(text)
    assert mark is None or mark.kind


@given(
    st.sampled_from(["L", "CHEST", "W 400", "AP"]),
    st.integers(10_000, 10**12),
    st.sampled_from(" :-"),
)
def test_no_long_number_parses_whatever_stands_before_it(mark: str, number: int, gap: str) -> None:
    assert parse(f"{mark}{gap}{number}") is None


@given(st.dates(), st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%y", "%Y%m%d", "%d.%m.%y"]))
def test_no_date_parses(day: object, form: str) -> None:
    assert parse(f"{day:{form}}") is None


def test_the_kind_that_matters_most_names_the_mark() -> None:
    assert [getattr(parse(text), "kind", "") for text in ("R KNEE", "W 400 L 40", "MI 1.2")] == [
        "laterality",
        "window",
        "probe setting",
    ]


def test_words_that_are_names_too_say_so() -> None:
    ambiguous = {
        text: mark.ambiguous for text in ("LONG", "WATERS", "LATERAL") if (mark := parse(text))
    }
    assert ambiguous == {"LONG": True, "WATERS": True, "LATERAL": False}


NEEDLES = Needles.compile(
    Identity(names={"WRIGHT^JANE"}, ids={"KH7734120"}, dates={"19600102"}, people={"LATTERALL^P"})
)


@pytest.mark.parametrize(
    "text", ["WRIGHT", "RIGHT", "WR1GHT", "Jane", "KH7734I20", "ID KH7734121", "LATERALL", "R JANE"]
)
def test_values_of_the_subject_are_recognised_misread(text: str) -> None:
    assert near(text, NEEDLES)


@pytest.mark.parametrize("text", ["LEFT", "PORTABLE", "120 kVp", "R", "W 400 L 40"])
def test_other_marks_are_not_taken_for_the_subject(text: str) -> None:
    assert not near(text, NEEDLES)
