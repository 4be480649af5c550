"""One value at a time: what each act makes of each VR, and what hides in a value."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.deid import profile
from safelight.deid.context import Context
from safelight.deid.engine import Engine
from safelight.deid.evidence import Evidence
from safelight.deid.pseudonyms import ProjectKey
from safelight.deid.spelling import spells
from safelight.deid.table import Act, Rule
from safelight.deid.text import Identity
from safelight.deid.values import Values, Verdict
from safelight.dicomio.charset import charset_of

KEY = ProjectKey(b"v" * 32)
IDENTITY = Identity(names={"DOE^JANE"}, ids={"MRN471122", "47112200"}, dates={"19600201"})
TAG = 0x00189999  # any: no tag of its own way


def values() -> Values:
    engine = Engine(key=KEY, profile=profile.load("share"))
    subject = engine.subject([Evidence(patient_key="MRN471122|", identity=IDENTITY)])
    return Values(Context(key=KEY, profile=engine.profile, subject=subject, limits=engine.limits))


VALUES = values()
SHIFT = VALUES.ctx.subject.shift_days


def verdict(vr: str, raw: bytes, act: Act, *, tag: int = TAG, charset: bytes = b"") -> Verdict:
    rule = Rule(act=act, source="test")
    return VALUES.verdict(tag, vr.encode(), raw, rule, charset_of(charset))


def out(vr: str, raw: bytes, act: Act = Act.CLEAN, *, tag: int = TAG) -> bytes | None:
    return verdict(vr, raw, act, tag=tag).out


def moved(date: str) -> bytes:
    found = dt.date(int(date[:4]), int(date[4:6]), int(date[6:8])) + dt.timedelta(days=SHIFT)
    return found.strftime("%Y%m%d").encode()


@given(st.dates(dt.date(1900, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 9999))
def test_intervals_between_dates_are_exact(first: dt.date, days: int) -> None:
    second = first + dt.timedelta(days=days)
    a, b = (out("DA", d.strftime("%Y%m%d").encode(), Act.SHIFT) for d in (first, second))
    assert a
    assert b
    parsed = [dt.datetime.strptime(x.decode(), "%Y%m%d").date() for x in (a, b)]  # noqa: DTZ007 - a date
    assert parsed[1] - parsed[0] == second - first
    assert parsed[0] < first


@pytest.mark.parametrize(
    "raw", [b"20210230", b"2021", b"2021-03-04", b"ROE ", b"20210304-20210305"]
)
def test_what_is_no_date_goes(raw: bytes) -> None:
    assert out("DA", raw, Act.SHIFT) == b""
    assert out("DA", raw, Act.KEEP) in (b"", b"20210230")


def test_dates_by_act() -> None:
    assert out("DA", b"2021.03.04", Act.SHIFT) == moved("20210304")
    assert out("DA", b"20210304", Act.KEEP) == b"20210304"
    assert out("DA", b"20210304", Act.DUMMY) == b"19000101"
    assert out("DA", b"20210304", Act.EMPTY) == b""
    assert out("DA", b"20210304", Act.REMOVE) is None
    assert out("DA", b"20210304\\ROE\\20210305", Act.SHIFT) == (
        moved("20210304") + b"\\\\" + moved("20210305")
    )
    assert out("DA", b"00010101", Act.SHIFT) == b""  # no date before it


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"20210304", b""), (b"2021030410", b"10"), (b"20210304101112", b"101112"),
        (b"20210304101112.123456", b"101112.123456"),
        (b"20210304101112.5+0100", b"101112.5+0100"), (b"20210304-0500", b"-0500"),
    ],
)  # fmt: skip
def test_times_of_a_moved_datetime_stay(raw: bytes, kept: bytes) -> None:
    found = out("DT", raw, Act.SHIFT)
    assert found is not None
    assert found.rstrip(b" ") == moved("20210304") + kept


@pytest.mark.parametrize(("raw", "digits"), [(b"2021", 4), (b"202103", 6)])
def test_partial_datetimes_stay_partial(raw: bytes, digits: int) -> None:
    found = out("DT", raw, Act.SHIFT)
    assert found == moved((raw.decode() + "0101")[:8])[:digits]


@pytest.mark.parametrize("raw", [b"20211301", b"+0100 ", b"DOE ", b"2021030", b"2021 by DOE "])
def test_what_is_no_datetime_goes(raw: bytes) -> None:
    assert out("DT", raw, Act.SHIFT) == b""


def test_times() -> None:
    for good in (b"10", b"1011", b"101112", b"101112.5", b"10:11:12"):
        found = out("TM", good, Act.SHIFT)
        assert found is not None
        assert found.rstrip() == good
    for bad in (b"DOE ", b"9 ", b"10111", b"101112.1234567 "):
        assert out("TM", bad, Act.SHIFT) == b""
    assert out("TM", b"101112", Act.DUMMY) == b"000000"


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (b"089Y", b"089Y"), (b"090Y", b"090Y"), (b"101Y", b"090Y"), (b"1079M ", b""),
        (b"999M", b"999M"), (b"999D", b"999D"), (b"045 ", b""), (b"DOE ", b""), (b"45Y ", b""),
    ],
)  # fmt: skip
def test_ages(raw: bytes, wanted: bytes) -> None:
    assert out("AS", raw, Act.AGE) == wanted


@pytest.mark.parametrize(
    ("vr", "raw", "wanted"),
    [
        ("IS", b"12", b"12"), ("IS", b"DOE ", b""), ("IS", b"20210304", b""),
        ("IS", b"47112200", b""), ("IS", b"98765432", b"98765432"), ("IS", b"1.5 ", b""),
        ("DS", b"1.5 ", b"1.5 "), ("DS", b"-1e5", b"-1e5"), ("DS", b"20210304", b""),
        ("DS", b"0.5\\DOE", b"0.5 "), ("DS", b"47112200", b""), ("DS", b"DOE\\0.5 ", b"\\0.5"),
    ],
)  # fmt: skip
def test_numbers_that_are_none_or_too_much(vr: str, raw: bytes, wanted: bytes) -> None:
    assert out(vr, raw) == wanted


@pytest.mark.parametrize(
    ("vr", "raw"),
    [
        ("DS", b"47112200.0"), ("DS", b"47112200.75 "), ("DS", b"4711.2200e4"),
        ("DS", b"4.71122E+7"),
        ("DS", b"19600201."), ("DS", b"-47112200.5 "), ("TM", b"471122.00 "), ("TM", b"995012"),
        ("TM", b"240000"), ("TM", b"106000"), ("DA", b"47112200"), ("DT", b"47112200"),
        ("DA", b"20210230"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("act", [Act.KEEP, Act.SHIFT])
def test_own_numbers_in_values_of_a_strict_form(vr: str, raw: bytes, act: Act) -> None:
    assert out(vr, raw, act) == b""


@pytest.mark.parametrize(
    "raw", [b"0.47112200", b"4711.2200 ", b"1.5e3 ", b"-471.122", b"98765432.5", b"4.7e-10 "]
)
def test_numbers_of_the_image_stay(raw: bytes) -> None:
    assert out("DS", raw) == raw


def test_an_identifier_as_a_time() -> None:
    engine = Engine(key=KEY, profile=profile.load("share"))
    own = Identity(ids={"10111250"})
    subject = engine.subject([Evidence(patient_key="A|", identity=own)])
    ctx = Context(key=KEY, profile=engine.profile, subject=subject, limits=engine.limits)
    rule, charset = Rule(act=Act.SHIFT, source="test"), charset_of(b"")
    for raw in (b"101112.50 ", b"10:11:12.50 "):
        assert Values(ctx).verdict(TAG, b"TM", raw, rule, charset).out == b""
    for raw in (b"101112", b"101112.51 "):
        assert Values(ctx).verdict(TAG, b"TM", raw, rule, charset).out == raw


def test_the_birth_date_goes_from_every_date() -> None:
    for act in (Act.KEEP, Act.SHIFT):
        for raw in (b"19600201", b"1960.02.01"):
            assert out("DA", raw, act) == b""
        for raw in (b"19600201", b"19600201101500", b"19600201-0500 "):
            assert out("DT", raw, act) == b""
    assert out("DA", b"19600201", Act.DUMMY) == b"19000101"
    later = dt.date(1960, 2, 1) - dt.timedelta(days=SHIFT)
    assert out("DA", later.strftime("%Y%m%d").encode(), Act.SHIFT) == b""


def test_a_newborn_keeps_the_date_of_the_study() -> None:
    for tag in (0x00080020, 0x00080022):
        assert out("DA", b"19600201", Act.KEEP, tag=tag) == b"19600201"
        assert out("DA", b"19600201", Act.SHIFT, tag=tag) == moved("19600201")
    assert out("DT", b"19600201101500", Act.KEEP, tag=0x0008002A) == b"19600201101500"


@pytest.mark.parametrize("tag", [0x0008001A, 0x00081150, 0x0008115A])
def test_a_class_that_nobody_knows_is_mapped_as_any_uid(tag: int) -> None:
    assert out("UI", b"1.2.826.47112200", Act.UID, tag=tag) == KEY.uid("1.2.826.47112200").encode()
    known = b"1.2.840.10008.5.1.4.1.1.2\0"
    assert out("UI", known, Act.UID, tag=tag) == known


def test_a_kept_uid_names_no_number_of_the_person() -> None:
    assert out("UI", b"1.2.826.47112200.1", Act.KEEP) == KEY.uid("1.2.826.47112200.1").encode()
    assert out("UI", b"1.2.826.98765432", Act.KEEP) == b"1.2.826.98765432"


def test_long_lists_of_numbers() -> None:
    good = b"1.25\\-3.5\\" * 2000 + b"1 "
    assert out("DS", good) == good
    assert out("DS", b"1\\" * 2000 + b"DOE^JANE") is None
    assert out("DS", b"1\\" * 2000 + b"47112200") is None
    assert out("DS", b"1\\" * 2000 + b"471122.00e2 ") is None


def test_numbers_that_spell() -> None:
    for vr in ("US", "UL", "FL", "FD", "AT", "SL", "SS", "UV"):
        assert out(vr, b"ROE^RICHARD^DR  ") is None, vr
        assert out(vr, b"D\0O\0E\0^\0J\0A\0N\0E\0") is None, vr
        assert out(vr, bytes(16)) == bytes(16)
        assert out(vr, bytes(15)) is None, vr
    assert out("FD", b"fffffff?") == b"fffffff?"
    assert spells(b"ROE^RICHARD")
    assert not spells(bytes(range(256)))


@pytest.mark.parametrize(
    ("spelling", "term"),
    [
        ("UTF-8", "ISO_IR 192"),
        ("iso-ir 100", "ISO_IR 100"),
        ("ISO IR 126", "ISO_IR 126"),
        ("ISO2022 IR 87", "ISO 2022 IR 87"),
        ("WINDOWS-1252", "ISO_IR 100"),
    ],
)
def test_a_misspelt_character_set_is_read_and_written_as_it_is_meant(
    spelling: str, term: str
) -> None:
    assert charset_of(spelling.encode()).terms == (term,)
    found = out("CS", spelling.encode(), Act.CLEAN, tag=0x00080005)
    assert found is not None
    assert found.decode().strip() == term
    assert out("CS", b"DOE^JANE", Act.CLEAN, tag=0x00080005) not in {b"DOE^JANE", None}


@pytest.mark.parametrize("codec", ["latin-1", "utf-8"])
@pytest.mark.parametrize("declared", ["", "ISO_IR 6", "NONE SUCH", "ISO_IR 192"])
def test_what_is_cleaned_is_written_in_the_set_it_was_read_in(codec: str, declared: str) -> None:
    text = "Sch\u00e4del f\u00fcr DOE JANE"
    found = verdict("LO", text.encode(codec), Act.CLEAN, charset=declared.encode()).out
    assert found is not None
    assert b"DOE" not in found
    assert "Sch\u00e4del".encode(codec) in found


def test_digits_behind_the_point_of_a_contour_are_nobodys() -> None:
    contour = b"\\".join([b"-12.44711220", b"103.5", b"7.0"] * 200)
    assert out("DS", contour) == contour + b" " * (len(contour) % 2)
    assert out("DS", contour + b"\\47112200") is None


FLOATS = {"FL": "<f4", "OF": "<f4", "FD": "<f8", "OD": "<f8"}


@pytest.mark.parametrize("vr", FLOATS)
@pytest.mark.parametrize("big", [False, True])
def test_coordinates_are_no_text_whatever_letters_stand_in_their_fractions(
    vr: str, *, big: bool
) -> None:
    chance = np.random.default_rng(11)
    form = FLOATS[vr].replace("<", ">") if big else FLOATS[vr]
    for count in (2, 8, 60, 400, 100_000):
        for _ in range(200 if count < 1000 else 2):
            raw = chance.uniform(20, 500, count).astype(form).tobytes()
            assert not spells(raw, vr.encode(), big=big), raw[:80]
    spectrum = (chance.normal(0, 1, 100_000) * 3e11).astype(form).tobytes()
    assert not spells(spectrum, vr.encode(), big=big)


@pytest.mark.parametrize("vr", FLOATS)
def test_text_among_coordinates_is_found(vr: str) -> None:
    places = np.random.default_rng(5).uniform(20, 500, 200).astype(FLOATS[vr]).tobytes()
    for text in (
        b"Rowena Klimp, Oxford",
        b"KLIMP^ROWENA^DR.",
        b"rowena klimp",
        b"4471902861734412",
    ):
        assert spells(text + bytes(-len(text) % 8), vr.encode()), text
        for at in (0, 160, len(places) // 8 * 4):
            cut = places[:at] + text * 2 + places[at + 2 * len(text) :]
            assert spells(cut, vr.encode()), (text, at)


def test_samples_and_colours_are_no_text() -> None:
    steps = np.arange(256)
    waves = 90 + 22 * np.sin(steps / 9) + np.random.default_rng(3).integers(-1, 2, 256)
    assert not spells(np.rint(waves).astype(np.uint8).tobytes() * 40, b"OB")
    turns = np.rint(90 + 25 * np.sin(steps / 30)).astype("<u2")
    assert not spells((turns << 8 | turns).tobytes(), b"OW")
    banded = np.repeat(np.array([70, 85, 100, 115, 97, 80], "<u2"), 30)
    assert not spells((banded << 8 | banded).tobytes(), b"OW")
    noise = np.random.default_rng(4).integers(0, 256, 3_000_000, np.uint8).tobytes()
    assert not spells(noise, b"OB")
    assert spells(noise[:5000] + b"Rowena Klimp, 14 Park Street" + noise[5000:9000], b"OB")


@pytest.mark.parametrize("act", [Act.UID, Act.KEEP, Act.CLEAN, Act.DUMMY])
def test_uids(act: Act) -> None:
    own = out("UI", b"1.2.826.0.1.7\0", act)
    assert own is not None
    kept = own == b"1.2.826.0.1.7\0"
    assert kept == (act is Act.KEEP)
    assert out("UI", b"1.2.840.10008.1.2.1\0", act) == b"1.2.840.10008.1.2.1\0"
    for smuggled in (b"DOE^JANE", b"1.2.840.10008.1.2.1.DOE "):
        found = out("UI", smuggled, act)
        assert found is not None
        assert found.startswith(b"2.25.")
    listed = out("UI", b"1.2.826.0.1.7\\1.2.840.10008.1.2\0", Act.UID)
    assert listed is not None
    first, second = listed.rstrip(b"\0").split(b"\\")
    assert first == KEY.uid("1.2.826.0.1.7").encode()
    assert second == b"1.2.840.10008.1.2"


def test_persons_stay_apart_and_the_same() -> None:
    one, two = (out("PN", name, Act.CLEAN, tag=0x00080090) for name in (b"ROE^R ", b"LOE^L "))
    assert one
    assert two
    assert one != two
    assert out("PN", b"Roe^R ", Act.CLEAN, tag=0x00081050) == one
    code = VALUES.ctx.subject.patient_name.encode()
    for raw in (b"DOE^JANE", b"", b"ANYONE"):
        assert out("PN", raw, Act.EMPTY, tag=0x00100010) == code
        assert out("LO", raw, Act.DUMMY, tag=0x00100020) == code


@pytest.mark.parametrize("vr", ["LO", "SH", "ST", "LT", "UT", "UC", "CS"])
def test_text_loses_the_name_and_says_so(vr: str) -> None:
    found = verdict(vr, b"CHEST DOE JANE", Act.CLEAN)
    assert found.out is not None
    assert b"DOE" not in found.out
    assert len(found.out) % 2 == 0
    assert found.action == "clean"
    assert found.rule


@pytest.mark.parametrize(
    ("vr", "raw"),
    [
        ("LO", b"CHEST\0DOE^JANE "), ("LO", b"CHEST\0\0\0\0\0"), ("LT", b"CHEST\0\0\0"),
        ("DS", b"1.5\0\0DOE"), ("IS", b"1 \0DOE "), ("DA", b"20210304\0DOE")
    ],
)  # fmt: skip
def test_nothing_hides_behind_padding(vr: str, raw: bytes) -> None:
    for act in (Act.CLEAN, Act.KEEP):
        found = out(vr, raw, act)
        assert found is not None
        assert b"DOE" not in found
        assert b"\0" not in found
        assert len(found) % 2 == 0


def test_odd_lengths_are_evened() -> None:
    assert out("LO", b"CHEST") == b"CHEST "
    assert out("UI", b"1.2.840.10008.1.2") == b"1.2.840.10008.1.2\0"
    assert out("DS", b"1.5") == b"1.5 "


def test_what_cannot_be_judged_goes() -> None:
    assert out("OB", b"DOE^JANE") is None
    assert out("UN", b"DOE^JANE") is None
    assert out("UR", b"https://example.org/DOE ") is None


def test_text_too_long_or_of_too_many_values() -> None:
    limits = VALUES.ctx.limits
    assert out("LO", b"\\" * (limits.values + 1)) is None
    assert out("UT", b"a" * (limits.value_bytes + 2)) is None


@pytest.mark.parametrize(
    ("charset", "codec", "text"),
    [
        (b"ISO_IR 100", "latin-1", "Müller CHEST"),
        (b"ISO_IR 192", "utf-8", "Παπαδοπούλου CHEST"),
        (b"ISO_IR 144", "iso8859-5", "Иванов CHEST"),
        (b"GB18030", "gb18030", "张 CHEST "),
    ],
)
def test_text_is_read_and_written_in_its_character_set(
    charset: bytes, codec: str, text: str
) -> None:
    found = verdict("LO", text.encode(codec), Act.CLEAN, charset=charset).out
    assert found is not None
    assert found.decode(codec).split() == ["CHEST"]
