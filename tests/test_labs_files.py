"""The lab reader on files of each format: what is taken, what is refused, what never comes out."""

import json
import random
from typing import Any

import pytest
from click.testing import CliRunner
from fhir.resources.R4B.bundle import Bundle

from corpus.labs import cases
from lab_fixtures import HL7, NEEDLES, bounds, everything, fhir, observation, one, paper, table
from safelight.cli.labs import labs as command
from safelight.errors import SafelightError, UnreadableInputError
from safelight.readers.labs import Flag, LabReport, Reason, out, read


def test_an_hl7_message_is_read_strictly() -> None:
    report = read(HL7)
    assert report.kind == "hl7v2"
    assert [(r.row.analyte, r.flag) for r in report.results] == [
        ("haemoglobin", Flag.LOW),
        ("crp", Flag.WITHIN),
        ("leukocytes", Flag.WITHIN),
    ]
    assert [each.reason for each in report.refusals] == [
        Reason.RETRACTED,
        Reason.NOT_A_NUMBER,
        Reason.NOT_A_NUMBER,
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"MSH|^~\\&|A|B|C|D|2026||ADT^A01|1|P|2.5",
        b"MSH|^~\\&",
        b"MSH|AAAA|A|B|C|D|2026||ORU^R01|1|P|2.5",
        HL7.replace(b"OBR|1", b"??|1"),
        b"{",
        b'{"resourceType": 3',
        b'{"a": 1}',
        b"%PDF-1.4 nothing",
        b"<xml/>",
        b"just words\nand more\n",
        b"\x00\x01\x02",
        b"   ",
        b'Test,Result,Result\n"open',
        b"Test;Result;Result\nALT;1;2\n",
    ],
)
def test_a_file_that_is_no_report_says_so(data: bytes) -> None:
    with pytest.raises(UnreadableInputError):
        read(data)


def test_a_page_is_read_line_by_line_or_not() -> None:
    report = read(
        paper(
            ("Harbour Hill Laboratory, patient Jane Roe",),
            ("Test", "Result", "Unit", "Reference"),
            ("Hemoglobin", "11.2 L", "g/dL", "12.0 - 15.5"),
            ("CRP", "< 0.5", "mg/L", "< 5.0"),
            ("Potassium", "4.2", "mmol/L", "3.5-5.1", "4.0"),  # a former result beside it
            ("Sodium", "l40", "mmol/L", "136-145"),
            ("eGFR", "> 60", "mL/min/1.73m²", "> 60"),
            ("Urine",),
            ("Glucose", "10", "mg/dL", "0-15"),
        )
    )
    assert [(r.row.analyte, r.flag) for r in report.results] == [
        ("haemoglobin", Flag.LOW),
        ("crp", Flag.WITHIN),
        ("egfr", Flag.WITHIN),
    ]
    assert [each.row.comparator for each in report.results] == ["", "<", ">"]
    assert [each.reason for each in report.refusals] == [
        Reason.LINE_NOT_READ,
        Reason.NOT_A_NUMBER,
        Reason.OTHER_SPECIMEN,
    ]


def test_no_identity_comes_out_whatever_holds_it() -> None:
    who = {
        "resourceType": "Patient",
        "id": "48213377",
        "name": [{"family": "Roe", "given": ["Jane"]}],
        "gender": "female",
        "birthDate": "1961-02-03",
    }
    told = observation(
        "718-7",
        "11.2",
        "g/dL",
        id="Roe-48213377",
        subject={"reference": "Patient/48213377", "display": "Jane Roe"},
        performer=[{"display": "Smithers"}],
        note=[{"text": "Jane Roe, Harbour Hill"}],
        effectiveDateTime="1961-02-04",
        referenceRange=[{**bounds(12, 15.5, "g/dL"), "text": "Smithers 1961"}],
    )
    odd = {**told, "code": {"text": "Roe JANE factor"}}
    bad = {**told, "valueQuantity": {"value": 1, "unit": "Roe/Jane", "code": "Roe"}}
    csv = table("Jane Roe;11.2;Smithers;1961", "Hemoglobin;Roe 48213377;g/dL;Harbour")
    for data in (
        fhir(who, told, odd, bad),
        HL7,
        csv,
        paper(("Jane Roe 1961",), ("ALT", "20", "U/L")),
    ):
        shown = everything(read(data))
        assert [needle for needle in NEEDLES if needle in shown] == []


def test_sex_and_age_of_the_file_choose_the_limit() -> None:
    who = {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1980-05-01"}
    told = observation(
        "718-7", "12.5", "g/dL", subject={"reference": "Patient/p"}, effectiveDateTime="2026-01-01"
    )
    assert one(fhir(who, told)).flag is Flag.LOW
    assert one(fhir(who, told), sex="F").flag is Flag.WITHHELD  # the two contradict each other


def test_ranges_of_fhir_hold_for_whom_they_say() -> None:
    woman = {**bounds(12, 15.5, "g/dL"), "appliesTo": [{"text": "female"}]}
    man = {**bounds(13.5, 17.5, "g/dL"), "appliesTo": [{"coding": [{"code": "248153007"}]}]}
    told = observation("718-7", "12.5", "g/dL", referenceRange=[woman, man])
    assert one(fhir(told), sex="F").flag is Flag.WITHIN
    assert one(fhir(told), sex="M").flag is Flag.LOW
    assert one(fhir(told)).reasons == (Reason.PERSON_UNKNOWN,)
    only = observation("718-7", "12.5", "g/dL", referenceRange=[man])
    assert one(fhir(only), sex="F").reasons == (Reason.RANGE_OTHER_PERSON,)
    assert one(fhir(only)).reasons == (Reason.PERSON_UNKNOWN,)
    other = observation("718-7", "12.5", "g/dL", referenceRange=[bounds(120, 155, "g/L")])
    assert one(fhir(other)).reasons == (Reason.RANGE_UNIT,)


def test_what_fhir_takes_back_or_leaves_out_is_refused() -> None:
    gone = observation("718-7", "12", "g/dL") | {"status": "entered-in-error"}
    absent = {k: v for k, v in observation("718-7", "1", "g/dL").items() if k != "valueQuantity"}
    urine = observation("5792-7", "100", "mg/dL")
    about = observation("2345-7", "100", "mg/dL", specimen={"display": "Urine specimen"})
    clash = observation("718-7", "140", "g/dL") | {
        "valueQuantity": {"value": 140, "unit": "g/L", "code": "g/dL"}
    }
    report = read(fhir(gone, absent, urine, about, clash))
    assert [each.reason for each in report.refusals] == [
        Reason.RETRACTED,
        Reason.NO_VALUE,
        Reason.UNKNOWN_ANALYTE,
        Reason.OTHER_SPECIMEN,
        Reason.UNIT_OF_OTHER_KIND,
    ]


def test_the_fhir_that_comes_out_is_valid_and_says_why() -> None:
    data = table("ALT;60;U/L;<= 45", "Potassium;41;mmol/L;3.5-5.1", "Frobnicin;1;mg/dL;")
    bundle = out.as_fhir(read(data))
    Bundle.model_validate(bundle)
    _, good, doubted, refused = (each["resource"] for each in bundle["entry"])
    assert good["interpretation"][0]["coding"][0]["code"] == "H"
    assert "valueQuantity" not in doubted
    assert doubted["dataAbsentReason"]["coding"][0]["code"] == "error"
    assert "interpretation" not in doubted
    assert refused["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    assert "LOINC" in json.dumps(bundle)
    urls = [each["fullUrl"] for each in bundle["entry"]]
    assert [each["reference"] for each in bundle["entry"][0]["resource"]["result"]] == urls[1:]
    assert urls == [each["fullUrl"] for each in out.as_fhir(read(data))["entry"]]
    other = out.as_fhir(read(table("ALT;61;U/L;<= 45")))["entry"]
    assert not {each["fullUrl"] for each in other} & set(urls)


def test_every_sentence_names_its_rows_and_no_illness() -> None:
    report = read(table("Hemoglobin;8.2;g/dL;12-16", "HbA1c;9.1;%;", "ALT;x;U/L;"), age=50, sex="F")
    ids = {r.row.id for r in report.results} | {r.id for r in report.refusals}
    for each in report.sentences:
        assert each.rows
        assert set(each.rows) <= ids
        for word in ("anaemia", "anemia", "diabetes", "normal", "healthy", "disease"):
            assert word not in each.text.lower().replace("diabetes association", "").replace(
                "care in diabetes", ""
            ).replace("anaemia in individuals", "")


def test_bytes_that_were_damaged_end_in_a_typed_error_or_a_report() -> None:
    rng = random.Random(5)  # noqa: S311  # damage that can be repeated, no secret
    originals = [case.data for case in cases(14, 3)] + [HL7]
    for _ in range(300):
        data = bytearray(rng.choice(originals))
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(data))
            if rng.random() < 0.3:
                del data[at : at + rng.randint(1, 40)]
                data += b" "
            else:
                data[at] = rng.randrange(256)
        try:
            report = read(bytes(data))
        except SafelightError:
            continue
        assert isinstance(report, LabReport)


def test_the_command_shows_a_table_json_and_fhir(tmp_path: Any) -> None:
    path = tmp_path / "results.csv"
    path.write_bytes(table("ALT;60;U/L;<= 45", "Potassium;6.9;mmol/L;3.5-5.1"))
    runner = CliRunner()
    shown = runner.invoke(command, [str(path), "--sex", "f", "--age", "40"])
    assert shown.exit_code == 0
    assert "Contact your doctor or emergency service now" in shown.output
    assert "LOINC" in shown.output
    told = json.loads(runner.invoke(command, [str(path), "--json"]).output)
    assert [each["flag"] for each in told["results"]] == ["high", "critical-high"]
    assert json.loads(runner.invoke(command, [str(path), "--fhir"]).output)["type"] == "collection"
    path.write_bytes(table("ALT;l6;U/L;<= 45"))
    assert runner.invoke(command, [str(path)]).exit_code == 1


def test_a_line_of_a_pdf_that_was_blanked_in_part_is_not_used(tmp_path: Any) -> None:
    whole = paper(
        ("ALT", "60", "U/L", "<= 45"),
        ("CRP", "8.1", "mg/L", "< 5.0"),
        ("Urine",),
        ("Glucose", "100", "mg/dL", "70-110"),
    )
    cleaned = paper(
        ("ALT", "60", "U/L", "<= 45"),
        ("CRP", "", "mg/L", "< 5.0"),
        ("Glucose", "100", "mg/dL", "70-110"),
    )
    report = read(cleaned, uncleaned=whole)
    assert [(each.row.analyte, each.flag) for each in report.results] == [("alt", Flag.HIGH)]
    assert [each.reason for each in report.refusals] == [Reason.BLANKED] * 2
    path = tmp_path / "report.pdf"
    path.write_bytes(paper(("ALT", "60", "U/L", "<= 45"), ("Sodium", "140", "mmol/L", "136 - 145")))
    env = {"SAFELIGHT_KEY_FILE": str(tmp_path / "key")}
    told = json.loads(CliRunner().invoke(command, [str(path), "--json"], env=env).output)
    assert [each["flag"] for each in told["results"]] == ["high", "within"]
