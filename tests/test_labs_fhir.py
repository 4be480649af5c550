"""What a FHIR file says around a result: whose it is, in what it was measured, whether it holds."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from lab_fixtures import bounds, fhir, observation
from safelight.cli.labs import labs as command
from safelight.errors import LimitExceededError
from safelight.readers.labs import Flag, LabReport, Reason, fhir_graph, read

DAY = {"effectiveDateTime": "2026-06-01"}
Told = dict[str, Any]


def patient(name: str, sex: str, born: str = "1980-01-01") -> Told:
    return {"resourceType": "Patient", "id": name, "gender": sex, "birthDate": born}


def named(text: str, value: str, unit: str, **more: Any) -> Told:
    return observation("", value, unit, **more) | {"code": {"text": text}}


def report(**more: Any) -> Told:
    return {"resourceType": "DiagnosticReport", "status": "final", **more}


def reasons(told: LabReport) -> list[Reason]:
    return [each.reason for each in told.refusals]


def hb(value: str, who: str, **more: Any) -> Told:
    return observation("718-7", value, "g/dL", subject={"reference": who}, **DAY, **more)


def test_a_contained_person_is_of_that_resource_only() -> None:
    one = hb("12.5", "#p", contained=[patient("p", "male")])
    two = hb("12.5", "#p", contained=[patient("p", "female")])
    found = read(fhir(one, two)).results
    assert [(each.row.person, each.flag) for each in found] == [(1, Flag.LOW), (2, Flag.NOT_LOW)]


def test_a_contained_specimen_is_of_that_resource_only() -> None:
    urine, serum = (
        named(
            "Glucose",
            "90",
            "mg/dL",
            specimen={"reference": "#s"},
            contained=[{"resourceType": "Specimen", "id": "s", "type": {"text": text}}],
        )
        for text in ("Urine", "Serum")
    )
    found = read(fhir(urine, serum))
    assert reasons(found) == [Reason.OTHER_SPECIMEN]
    assert [each.row.specimen for each in found.results] == ["blood"]


def test_a_relative_reference_is_of_its_bundle() -> None:
    bundles = [
        json.loads(fhir(patient("1", sex), hb("12.5", "Patient/1"))) for sex in ("male", "female")
    ]
    found = read(json.dumps(bundles).encode()).results
    assert [(each.row.person, each.flag) for each in found] == [(1, Flag.LOW), (2, Flag.NOT_LOW)]


def test_one_address_for_two_people_is_not_one_person() -> None:
    told = []
    for sex in ("male", "female"):
        bundle = json.loads(fhir(patient("1", sex), hb("12.5", "urn:uuid:p")))
        bundle["entry"][0]["fullUrl"] = "urn:uuid:p"
        told.append(bundle)
    found = read(json.dumps(told).encode()).results
    assert [each.row.person for each in found] == [1, 2]
    twice = read(fhir(patient("1", "male"), patient("1", "female"), hb("12.5", "Patient/1")))
    assert twice.results[0].reasons == (Reason.PERSON_UNKNOWN,)


def test_a_result_without_a_subject_is_of_its_reports() -> None:
    told = [
        report(
            subject={"reference": f"Patient/{at}"},
            contained=[observation("718-7", value, "g/dL", id="o")],
        )
        for at, value in enumerate(("12.5", "13.9"))
    ]
    assert [each.row.person for each in read(fhir(*told)).results] == [1, 2]
    people = [{"identifier": {"value": name}} for name in ("a", "b")]
    told = [observation("718-7", "12.5", "g/dL", subject=each) for each in people]
    assert [each.row.person for each in read(fhir(*told)).results] == [1, 2]


GLUCOSE = named("Glucose", "30", "mg/dL", id="g")
CODED = observation("2345-7", "30", "mg/dL", id="g")
G = [{"reference": "Observation/g"}]


@pytest.mark.parametrize(
    "told",
    [
        [report(code={"text": "Urinalysis"}, result=G), GLUCOSE],
        [report(code={"text": "Urinalysis"}, result=G), CODED],
        [report(code={"coding": [{"code": "24356-8"}]}, result=G), CODED],
        [report(code={"text": "Urinstatus"}, contained=[GLUCOSE])],
        [report(specimen=[{"display": "Urine"}], result=G), GLUCOSE],
        [named("Urine panel", "1", "mg/dL", hasMember=G) | {"valueQuantity": None}, CODED],
        [
            {"resourceType": "ServiceRequest", "id": "r", "code": {"text": "Harnstreifen"}},
            GLUCOSE | {"basedOn": [{"reference": "ServiceRequest/r"}]},
        ],
        [
            {"resourceType": "Specimen", "id": "u", "type": {"coding": [{"code": "122575003"}]}},
            CODED | {"specimen": {"reference": "Specimen/u"}},
        ],
        [
            {"resourceType": "Specimen", "id": "u", "type": {"coding": [{"code": "999"}]}},
            GLUCOSE | {"specimen": {"reference": "Specimen/u"}},
        ],
        [
            GLUCOSE
            | {
                "code": {
                    "text": "Glucose",
                    "coding": [{"system": "s", "display": "Glucose, urine"}],
                }
            }
        ],
        [CODED | {"method": {"text": "urine dipstick"}}],
    ],
)
def test_urine_is_urine_wherever_a_bundle_says_it(told: list[Told]) -> None:
    found = read(fhir(*told))
    assert found.results == ()
    assert Reason.OTHER_SPECIMEN in reasons(found)


def test_a_specimen_in_blood_that_is_told_by_code_alone_is_taken() -> None:
    taken = {"resourceType": "Specimen", "id": "s", "type": {"coding": [{"code": "119364003"}]}}
    found = read(fhir(taken, GLUCOSE | {"specimen": {"reference": "Specimen/s"}}))
    assert len(found.results) == 1


def version(number: str, status: str = "final", value: str = "7.4", **meta: str) -> Told:
    told = observation("2823-3", value, "mmol/L", id="k", **DAY)
    return told | {"status": status, "meta": {"versionId": number, **meta} if number else meta}


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ([version("2", "entered-in-error"), version("1")], []),
        ([version("10", value="4.1"), version("9")], ["4.1"]),
        ([version("", value="4.1"), version("")], []),
        ([version(""), version("")], ["7.4", "7.4"]),
        (
            [
                version("", value="4.1", lastUpdated="2026-06-02T00:00:00Z"),
                version("", lastUpdated="2026-06-01T00:00:00Z"),
            ],
            ["4.1"],
        ),
        ([report(status="entered-in-error", contained=[version("1")])], []),
        (
            [
                report(status="entered-in-error", result=[{"reference": "Observation/k"}]),
                version("1"),
            ],
            [],
        ),
        (
            [{k: v for k, v in version("", "entered-in-error").items() if k != "id"}, version("")],
            [],
        ),
    ],
)
def test_only_what_still_holds_is_used(told: list[Told], left: list[str]) -> None:
    for every in (told, told[::-1]):
        assert [str(each.row.number) for each in read(fhir(*every)).results] == left


def test_a_history_that_deletes_takes_back() -> None:
    bundle = json.loads(fhir(version("1")))
    bundle["entry"].append({"request": {"method": "DELETE", "url": "Observation/k"}})
    assert reasons(read(json.dumps(bundle).encode())) == [Reason.RETRACTED]


def aged(unit: str, first: tuple[int, int], second: tuple[int, int]) -> list[Told]:
    spans = ((14.5, 22.5), (12.5, 20.5))
    return [
        bounds(*span, "g/dL")
        | {"age": {"low": {"value": a, "code": unit}, "high": {"value": b, "code": unit}}}
        for span, (a, b) in zip(spans, (first, second), strict=True)
    ]


@pytest.mark.parametrize(
    ("born", "ranges", "wanted"),
    [
        ("2026-05-12", aged("d", (0, 3), (4, 28)), Flag.WITHIN),
        ("2026-05-29", aged("d", (0, 3), (4, 28)), Flag.LOW),
        ("2026-05-28", aged("d", (0, 3), (4, 28)), Flag.WITHIN),
        ("2026-05-25", aged("wk", (0, 0), (1, 4)), Flag.WITHIN),
        ("2026-05-26", aged("wk", (0, 0), (1, 4)), Flag.LOW),
        ("2026-05-01", aged("mo", (0, 0), (1, 2)), Flag.WITHIN),
        ("2026-05-02", aged("mo", (0, 0), (1, 2)), Flag.LOW),
    ],
)
def test_the_age_of_a_newborn_counts_in_days(born: str, ranges: list[Told], wanted: Flag) -> None:
    told = fhir(patient("n", "male", born), hb("12.9", "Patient/n", referenceRange=ranges))
    assert [each.flag for each in read(told).results] == [wanted]


def test_an_age_in_whole_years_does_not_choose_among_days() -> None:
    told = observation("718-7", "12.9", "g/dL", referenceRange=aged("d", (0, 3), (4, 28)))
    assert read(fhir(told), age=0).results[0].reasons == (Reason.RANGE_NOT_READ,)


@pytest.mark.parametrize(
    ("category", "code", "counted"),
    [
        ({"system": "http://snomed.info/sct", "code": "49581000146104"}, "2823-3", True),
        ({"code": "LAB"}, "2823-3", True),
        ({"code": "vital-signs"}, "2823-3", True),  # a code of blood says more than a category
        ({"code": "vital-signs"}, "8867-4", False),
    ],
)
def test_results_are_not_dropped_for_their_category(
    category: Told, code: str, *, counted: bool
) -> None:
    told = observation(code, "7.4", "mmol/L", category=[{"coding": [category]}])
    assert len(read(fhir(told)).results) == counted


def test_components_beside_a_value_are_read() -> None:
    part = {k: v for k, v in observation("2823-3", "7.4", "mmol/L").items() if k != "status"}
    told = named("Electrolytes", "1", "mmol/L", component=[part])
    found = read(fhir(told))
    assert [each.row.analyte for each in found.results] == ["potassium"]
    assert reasons(found) == [Reason.UNKNOWN_ANALYTE]


def test_parameters_hold_resources_too() -> None:
    inner = {"name": "b", "part": [{"resource": observation("2951-2", "140", "mmol/L")}]}
    outer = {"name": "a", "resource": observation("2823-3", "4.1", "mmol/L")}
    told = {"resourceType": "Parameters", "parameter": [outer, inner]}
    assert len(read(json.dumps(told).encode()).results) == 2


def test_a_file_with_too_many_resources_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_graph, "_RESOURCES", 3)
    told = observation("2823-3", "4.1", "mmol/L")
    with pytest.raises(LimitExceededError):
        read(fhir(*[told] * 5))


@pytest.mark.parametrize("number", ["1e50000000", "4.1e-20000000", "1e400000000", "-1e99999"])
def test_a_number_with_a_huge_exponent_does_not_hang(number: str) -> None:
    ranges = [bounds(0.125, 5.1, "mmol/L")]
    whole = fhir(observation("2823-3", "4.125", "mmol/L", referenceRange=ranges)).decode()
    assert reasons(read(whole.replace("4.125", number).encode())) == [Reason.NOT_A_NUMBER]
    bound = read(whole.replace("0.125", number).encode()).results[0]
    assert bound.reasons == (Reason.RANGE_NOT_READ,)


@pytest.mark.parametrize("data", [fhir(patient("1", "male")), b"Test,Result,Unit\n\n"])
def test_a_file_without_any_result_says_so(data: bytes, tmp_path: Any) -> None:
    path = tmp_path / "empty"
    path.write_bytes(data)
    for option in ([], ["--json"]):
        told = CliRunner().invoke(command, [str(path), *option])
        assert told.exit_code == 1
        assert "no lab result" in told.stderr
