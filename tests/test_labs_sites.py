"""Limits of a site: merged with the cited ones by side, and refused where they cannot be used."""

import pytest

from lab_fixtures import one, table
from safelight.errors import SettingsError
from safelight.readers.labs import Flag, read

SITE = """
[[limits]]
analyte = "haemoglobin"
unit = "g/L"
sex = "F"
low = "117"
high = "153"
source = "St Elsewhere 2026"
[[critical]]
analyte = "potassium"
unit = "mmol/L"
high = "6.0"
source = "St Elsewhere 2026"
"""


def test_a_sites_limits_stand_before_the_cited_ones() -> None:
    found = one(table("Hemoglobin;11.8;g/dL;"), sex="F", age=40, sites=SITE)
    assert (found.flag, found.basis, found.source) == (Flag.WITHIN, "site", "St Elsewhere 2026")
    assert one(table("Potassium;6.1;mmol/L;3.5-5.1"), sites=SITE).flag is Flag.CRITICAL_HIGH


def test_a_sites_limit_for_alarm_leaves_the_other_side_as_it_is() -> None:
    low = one(table("Potassium;2.0;mmol/L;3.5-5.1"), sites=SITE)
    assert (low.flag, low.basis) == (Flag.CRITICAL_LOW, "printed")
    assert low.source == low.urgent_source
    assert low.source.startswith("Kost")
    own = (
        SITE.replace('high = "6.0"', 'low = "2.5"')
        + """
[[critical]]
analyte = "potassium"
unit = "mmol/L"
high = "6.0"
source = "another"
"""
    )
    told = [one(table(f"Potassium;{value};mmol/L;"), sites=own) for value in ("2.4", "2.7", "6.1")]
    assert [each.flag for each in told] == [
        Flag.CRITICAL_LOW,
        Flag.NO_RANGE,
        Flag.CRITICAL_HIGH,
    ]
    assert [(each.basis, each.source) for each in (told[0], told[2])] == [
        ("site", "St Elsewhere 2026"),
        ("site", "another"),
    ]


def test_an_alarm_cites_its_own_source_and_no_range_of_another() -> None:
    found = one(table("Glucose;30;mg/dL;"), age=50)
    assert found.flag is Flag.CRITICAL_LOW
    assert found.source.startswith("Kost")
    assert (found.basis, found.span) == ("cited", None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"117"', "11.7"),
        ('"117"', '"x"'),
        ('"117"', '"160"'),
        ('"haemoglobin"', '"Roe"'),
        ('"g/L"', '"U/L"'),
        ('"F"', '"Q"'),
        ("low =", "lowest ="),
        ("[[limits]]", "[[limit]]"),
        ("[[limits]]", "[[limits"),
        ('source = "St Elsewhere 2026"', ""),
        ('"117"', '"1/0"'),
        ('"117"', '"1e999999999"'),
        ('"117"', '["117"]'),
        ('"haemoglobin"', '["haemoglobin"]'),
        ('"F"', '["F"]'),
        ('sex = "F"', 'age = ["60", "18"]'),
        ('sex = "F"', 'age = ["60"]'),
        ('sex = "F"', 'age = "18 to 60"'),
        ('sex = "F"', "age = []"),
        ("[[limits]]", 'sources = "x"\n[[limits]]'),
        ("[[limits]]", "sources = {a = 1}\n[[limits]]"),
        (SITE, "limits = 5"),
        (SITE, "critical = {a = 1}"),
        ('high = "6.0"', 'low = "6.0"\nhigh = "2.5"'),
        ('high = "6.0"', 'low = "6.3"'),  # above the cited high one
        (
            "[[critical]]",
            (
                '[[critical]]\nanalyte = "potassium"\nunit = "mmol/L"\n'
                'high = "5.9"\nsource = "x"\n[[critical]]'
            ),
        ),
        (
            "[[limits]]",
            (
                '[[limits]]\nanalyte = "haemoglobin"\nunit = "g/L"\nsex = "F"\n'
                'low = "119"\nsource = "x"\n[[limits]]'
            ),
        ),
    ],
)
def test_a_sites_file_with_a_fault_is_refused(old: str, new: str) -> None:
    with pytest.raises(SettingsError):
        read(table("ALT;20;U/L;"), sites=SITE.replace(old, new, 1))
