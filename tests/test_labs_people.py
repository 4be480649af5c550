"""Whose results are whose: several people in one file are never taken for one."""

import pytest

from lab_fixtures import paper, table
from safelight.readers.labs import Flag, Reason, read
from safelight.readers.labs.owners import told


@pytest.mark.parametrize(
    "head",
    [
        *("Patient Name", "Name", "Last Name", "DOB", "Patientenname", "Nachname", "Nom", "Nombre"),
        *("Patient No", "Participant", "SSN", "Nom du patient", "Family member", "Apellidos"),
    ],
)
def test_columns_that_name_somebody_part_people(head: str) -> None:
    both = table(
        "Ann Li;Potassium;4.1;mmol/L;3.5-5.1",
        "Bob Xu;Potassium;6.0;mmol/L;3.5-5.1",
        "Ann Li;Sodium;139;mmol/L;135-145",
        head=f"{head};Test;Result;Unit;Range",
    )
    report = read(both)
    assert [each.row.person for each in report.results] == [1, 2, 1]
    assert [each.flag for each in report.results] == [Flag.WITHIN, Flag.HIGH, Flag.WITHIN]


def test_a_name_beside_several_codes_is_a_persons() -> None:
    head = "Name,LOINC,Value,Unit,Range"
    rows = ("2823-3,4.1,mmol/L,3.5-5.1", "2951-2,139,mmol/L,135-145")
    report = read(table(*(f"Ann Li,{row}" for row in rows), f"Bob Xu,{rows[0]}", head=head))
    assert [each.row.person for each in report.results] == [1, 1, 2]
    own = read(table(f"Kalium ISE,{rows[0]}", f"Natrium ISE,{rows[1]}", head=head))
    assert {each.row.person for each in own.results} == {1}


def test_headings_of_a_table_part_people() -> None:
    rows = ("Potassium;4.1;mmol/L;3.5-5.1", "Potassium;6.0;mmol/L;3.5-5.1")
    for one, two in (("Patient: Ann Li;;;", "Patient: Bob Xu;;;"), ("DOB;2001-02-03", "DOB;1990")):
        report = read(table(one, rows[0], two, rows[1]))
        assert [each.row.person for each in report.results] == [1, 2]
        assert report.results[1].flag is Flag.HIGH
        assert not report.refusals


def test_one_person_who_is_named_again_stays_one() -> None:
    head = "Test;Result;Unit;Reference range"
    lines = ("Patient;Ann Li", head, "Potassium;4.1;mmol/L;3.5-5.1", "Patient;LI, Ann", head)
    report = read("\n".join((*lines, "Sodium;139;mmol/L;135-145")).encode())
    assert [each.row.person for each in report.results] == [1, 1]


def test_pages_of_two_people_are_not_one_report() -> None:
    header = ("Test", "Result", "Unit", "Reference range")
    rows = ("Sodium", "139", "mmol/L", "135-145"), ("Potassium", "6.0", "mmol/L", "3.5-5.1")
    end = ("Page of the laboratory",)
    report = read(paper(("Patient: Ann Li",), header, *rows, end, ("Patient: Bob Xu",), *rows))
    assert [each.row.person for each in report.results] == [1, 1, 2, 2]
    again = read(paper(("Patient: Ann Li",), header, *rows, end, ("Patient: Ann Li",), *rows))
    assert {each.row.person for each in again.results} == {1}


def test_labels_are_read_and_sentences_are_not() -> None:
    assert told(["Patient: Ann Li DOB: 01/02/1980", "Page 1"]).keys() == {"name", "birth"}
    assert told(["Пациент", "Name: Анна Ли"])["name"] == {"анна", "ли"}
    assert not told(["Note to patient: please call"])
    assert not told(["Name", "Result", "Unit"])


def test_a_letter_for_the_sex_is_read_beside_the_others_of_its_column() -> None:
    head = "prueba;resultado;unidades;sexo;edad;paciente"
    alone = read(table("Hemoglobina;12,5;g/dL;M;60;1", head=head)).results[0]
    assert alone.flag is Flag.WITHHELD  # masculino or mujer
    assert alone.reasons == (Reason.PERSON_UNKNOWN,)
    for man in "HV":
        rows = ("Hemoglobina;12,5;g/dL;M;60;1", f"Hemoglobina;12,5;g/dL;{man};60;2")
        both = read(table(*rows, head=head))
        assert [each.flag for each in both.results] == [Flag.NOT_LOW, Flag.LOW]
    rows = ("Hemoglobina;12,5;g/dL;M;60;1", "Hemoglobina;12,5;g/dL;F;60;2")
    both = read(table(*rows, head=head))
    assert [each.flag for each in both.results] == [Flag.LOW, Flag.NOT_LOW]


def test_two_sexes_are_two_people() -> None:
    rows = ("Haemoglobin;14.1;g/dL;F", "Haemoglobin;12.1;g/dL;M")
    report = read(table(*rows, head="Test;Result;Unit;Sex"))
    assert [each.row.person for each in report.results] == [1, 2]
