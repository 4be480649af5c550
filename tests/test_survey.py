"""The survey: who an input is about, wherever and however the header says it."""

import io

import pydicom
import pytest

import made
from made import File, Made, even, uid
from safelight.deid import profile
from safelight.deid.engine import Engine
from safelight.deid.evidence import Evidence
from safelight.deid.pseudonyms import ProjectKey
from safelight.deid.survey import person_of, same_person
from safelight.types import Kind, Original

KEY = ProjectKey(b"s" * 32)
STUDY = Made(0x0020000D, "UI", uid("1.2.826.0.1.100"))


def engine(preset: str = "share") -> Engine:
    return Engine(key=KEY, profile=profile.load(preset))


def source(*more: Made, syntax: str = made.EXPLICIT_LITTLE) -> Original:
    head = (Made(0x00080016, "UI", uid(made.REPORT)), STUDY)
    elements = sorted((*head, *more), key=lambda each: each.tag)
    return Original(File(tuple(elements), syntax).data(), kind=Kind.DICOM)


def surveyed(*more: Made, syntax: str = made.EXPLICIT_LITTLE, preset: str = "share") -> Evidence:
    return engine(preset).survey(source(*more, syntax=syntax))


@pytest.mark.parametrize("syntax", made.SYNTAXES)
def test_names_ids_and_dates_in_every_syntax(syntax: str) -> None:
    found = surveyed(
        Made(0x00080050, "SH", b"ACC-77"),
        Made(0x00080080, "LO", b"Roe Clinic"),
        Made(0x00080090, "PN", b"LOE^L "),
        Made(0x00100010, "PN", b"DOE^JANE"),
        Made(0x00100020, "LO", b"MRN-4711"),
        Made(0x00100030, "DA", b"19600201"),
        Made(0x00102154, "SH", b"555-010-4477"),
        syntax=syntax,
    )
    assert found.patient_key == "MRN-4711|"
    assert found.study_uid == "1.2.826.0.1.100"
    identity = found.identity
    assert "DOE^JANE" in identity.names
    assert "LOE^L" in identity.people
    assert {"MRN-4711", "ACC-77"} <= identity.ids
    assert "19600201" in identity.dates
    assert "Roe Clinic" in identity.phrases
    assert "555-010-4477" in identity.contacts


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("vr", ["SQ", "UN"])
@pytest.mark.parametrize("syntax", made.SYNTAXES)
def test_names_in_nested_sequences(syntax: str, vr: str, *, undefined: bool) -> None:
    inner = Made(0x00081115, vr, ((Made(0x00080090, "PN", b"ROE^RICHARD "),),), undefined=undefined)
    outer = Made(0x0040A730, vr, ((inner,),), undefined=undefined)
    assert "ROE^RICHARD" in surveyed(outer, syntax=syntax).identity.people


@pytest.mark.parametrize(
    ("term", "codec", "name"),
    [
        ("ISO_IR 100", "latin-1", "Müller^Jörg"),
        ("ISO_IR 126", "iso8859-7", "Παπάς^Νίκος"),
        ("ISO_IR 144", "iso8859-5", "Иванов^Иван"),
        ("ISO_IR 127", "iso8859-6", "قباني^لنزار"),
        ("ISO_IR 138", "iso8859-8", "שרון^דבורה"),
        ("ISO_IR 13", "shift_jis", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
        ("ISO_IR 192", "utf-8", "Wang^XiaoDong=王^小东="),
        ("GB18030", "gb18030", "Wang^XiaoDong=王^小东="),
        ("\\ISO 2022 IR 87", "iso2022_jp", "Yamada^Tarou=山田^太郎"),
        ("\\ISO 2022 IR 149", "", "Hong^Gildong=洪^吉洞=홍^길동"),
    ],
)
def test_names_in_every_character_set(term: str, codec: str, name: str) -> None:
    raw = name.encode(codec) if codec else b""
    if not codec:  # PS3.5 I.2, byte for byte
        raw = b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7"
        raw += b"=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf"
    charset = Made(0x00080005, "CS", even(term))
    padded = raw + b" " * (len(raw) % 2)
    item = (charset, Made(0x00080090, "PN", padded))
    sequence = Made(0x0040A730, "SQ", (item, (Made(0x00080090, "PN", b"LOE^L "),)))
    assert name in surveyed(charset, Made(0x00100010, "PN", padded)).identity.names
    nested = surveyed(sequence).identity.people
    assert {name, "LOE^L"} <= nested


def test_a_character_set_ends_with_its_item() -> None:
    greek = (Made(0x00080005, "CS", b"ISO_IR 126"), Made(0x00080090, "PN", b"LOE^L "))
    plain = (Made(0x00080090, "PN", "Müller".encode("latin-1")),)
    top = Made(0x00080005, "CS", b"ISO_IR 100")
    assert "Müller" in surveyed(top, Made(0x0040A730, "SQ", (greek, plain))).identity.people


def test_several_values_are_several_names() -> None:
    found = surveyed(Made(0x00081050, "PN", b"ROE^R\\LOE^L\\\\ "))
    assert {"ROE^R", "LOE^L"} == found.identity.people


def test_what_a_profile_retains_is_no_needle() -> None:
    institution = Made(0x00080080, "LO", b"Roe Clinic")
    assert "Roe Clinic" in surveyed(institution).identity.phrases
    assert "Roe Clinic" not in surveyed(institution, preset="site").identity.phrases


def test_files_without_a_name_get_the_studys_person() -> None:
    """One study, of which two files have blank patients: one person, and the name is known."""
    using = engine()
    named = source(Made(0x00100010, "PN", b"DOE^JANE"), Made(0x00100020, "LO", b"MRN-4711"))
    blank = source(
        Made(0x0008103E, "LO", b"CHEST for Jane Doe"),
        Made(0x00100010, "PN", b""),
        Made(0x00100020, "LO", b""),
    )
    subject = using.subject([using.survey(each) for each in (named, blank)])
    outputs = []
    for each in (named, blank):
        result = using.deidentify(each, subject)
        outputs.append(b"".join(bytes(p) for p in result.parts if isinstance(p, bytes)))
    for out in outputs:
        assert subject.patient_id.encode() in out
        assert b"Doe" not in out
        assert b"DOE" not in out
    assert b"CHEST" in outputs[1]


def test_an_issuer_missing_from_some_files_makes_no_second_person() -> None:
    one = Made(0x00100020, "LO", b"MRN-4711")
    issuer = Made(0x00100021, "LO", b"ROE CLINIC")
    keys = [surveyed(one, issuer).patient_key, surveyed(one).patient_key]
    assert keys == ["MRN-4711|ROE CLINIC", "MRN-4711|"]
    assert same_person(keys) == {"MRN-4711|": "MRN-4711|ROE CLINIC"}
    assert same_person([*keys, "MRN-4711|LOE CLINIC"]) == {}


def person(
    name: bytes,
    patient_id: bytes = b"",
    *,
    birth: bytes = b"19600201",
    study: str = "1.2.826.0.1.100",
) -> Original:
    values = {0x00100010: ("PN", name), 0x00100020: ("LO", patient_id), 0x00100030: ("DA", birth)}
    padded = [Made(tag, vr, raw + b" " * (len(raw) % 2)) for tag, (vr, raw) in values.items()]
    head = (Made(0x00080005, "CS", b"ISO_IR 192"), Made(0x00080016, "UI", uid(made.REPORT)))
    head += (Made(0x00080020, "DA", b"20210304"), Made(0x0020000D, "UI", uid(study)))
    elements = sorted((*head, *padded), key=lambda each: each.tag)
    return Original(File(tuple(elements), made.EXPLICIT_LITTLE).data(), kind=Kind.DICOM)


def outcomes(*files: Original) -> list[tuple[str, str]]:
    """Return Patient ID and Study Date that each of the files of one group ends with."""
    using = engine()
    subject = using.subject([using.survey(each) for each in files])
    found = []
    for each in files:
        parts = using.deidentify(each, subject).parts
        out = pydicom.dcmread(io.BytesIO(b"".join(bytes(p) for p in parts if isinstance(p, bytes))))
        found.append((str(out.PatientID), str(out.StudyDate)))
    return found


DOE = b"DOE^JANE"


@pytest.mark.parametrize(
    "files",
    [
        (person(DOE, b"MRN-4711"), person(DOE), person(b"Doe^Jane^^", birth=b"")),
        (person(DOE), person(DOE, b"MRN-4711"), person(b"")),
        (person(b"DOE^JANE=\xe5\xb1\xb1", b"MRN-4711"), person(b"=\xe5\xb1\xb1"), person(DOE)),
        (person(DOE), person(b"DOE^JANE=\xe5\xb1\xb1"), person(DOE, birth=b"1960.02.01")),
        (person(DOE), person(DOE, birth=b""), person(DOE, b"UNKNOWN")),
        (person(DOE, b"MRN-4711"), person(DOE, b"0000")),
        (person(DOE), person(b"DOE, JANE")),
    ],
)
def test_files_of_one_study_without_the_id_are_of_the_same_person(
    files: tuple[Original, ...],
) -> None:
    assert len(set(outcomes(*files))) == 1


@pytest.mark.parametrize(
    "files",
    [
        (person(DOE, b"MRN-4711"), person(DOE, b"MRN-4712")),
        (person(DOE, b"MRN-4711"), person(b"ROE^ANN")),
        (person(b"DOE^JANE", b"MRN-4711"), person(DOE, study="1.2.826.0.1.101")),
        (person(DOE, b"UNKNOWN"), person(b"ROE^ANN", b"UNKNOWN")),
        (person(DOE, b"N/A"), person(DOE, b"N/A", birth=b"19710201")),
    ],
)
def test_two_people_stay_two(files: tuple[Original, ...]) -> None:
    assert len(set(outcomes(*files))) == 2


def test_a_name_of_two_ids_joins_neither() -> None:
    files = (person(DOE, b"MRN-4711"), person(DOE, b"MRN-4712"), person(DOE))
    assert len({code for code, _ in outcomes(*files)}) == 3


@pytest.mark.parametrize(
    "nobody",
    ["UNKNOWN", "unknown ", "0", "000000", "00-00", "N/A", "none", "ANONYMOUS", "TEST", "xx",
     "-", "9999", "not available", "Test Patient"],
)  # fmt: skip
def test_an_id_that_stands_for_none_names_nobody(nobody: str) -> None:
    assert person_of(b"", DOE, nobody.encode(), b"ROE", b"19600201") == "|DOE JANE|19600201"


@pytest.mark.parametrize("own", ["1", "22", "100", "P0", "MRN 0", "TEST7", "NAT"])
def test_an_id_that_is_one_stays_one(own: str) -> None:
    assert person_of(b"", DOE, own.encode(), b"", b"") == f"{own}|"
    assert person_of(b"", b"", b"777", b"", b"") == "777|"


def test_a_name_that_stands_for_none_names_nobody() -> None:
    assert person_of(b"", b"ANONYMOUS^PATIENT", b"", b"", b"19600201") == ""


def test_person_of() -> None:
    assert person_of(b"", b"DOE^JANE", b" mrn-4711 ", b"", b"") == "MRN-4711|"
    assert person_of(b"", b"Doe^Jane", b"", b"", b"19600201") == "|DOE JANE|19600201"
    assert person_of(b"", b"Doe^Jane=x", b"", b"", b"1960.02.01") == "|DOE JANE|19600201"
    assert person_of(b"", b"", b"\0", b"", b"19600201") == ""
    greek = "Παπάς".encode("iso8859-7")
    assert person_of(b"ISO_IR 126", greek, b"", b"", b"") == "|ΠΑΠΆΣ|"


def test_evidence_shows_nothing() -> None:
    found = surveyed(Made(0x00100010, "PN", b"DOE^JANE"))
    assert "DOE" not in repr(found)
    assert "DOE" not in repr(found.identity)
