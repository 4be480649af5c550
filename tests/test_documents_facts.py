"""CDA records: what an observation tells of age and birth, by what its code says."""

from typing import Final
from xml.etree import ElementTree as ET

import pytest

from safelight.deid.context import Context
from safelight.deid.documents.cda import clean_cda
from safelight.deid.engine import Engine
from safelight.deid.evidence import Evidence
from safelight.deid.profile import PRESETS
from safelight.deid.pseudonyms import ProjectKey
from safelight.deid.text import Identity
from safelight.types import Kind, Original

KEY: Final = ProjectKey(b"f" * 32)
V3: Final = "{urn:hl7-org:v3}"
ENTRY: Final = """<entry><observation classCode="OBS" moodCode="EVN">
<code code="{}" codeSystem="2.16.840.1.113883.6.1"/>{}</observation></entry>"""
AGE: Final = '<value xsi:type="PQ" value="{}" unit="{}"/>'
BORN: Final = '<value xsi:type="TS" value="19310102"/>'
RECORD: Final = """<ClinicalDocument xmlns="urn:hl7-org:v3"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><effectiveTime value="19610203101500"/>
<component><structuredBody><component><section>{}</section></component></structuredBody></component>
</ClinicalDocument>"""


def output(inside: str, preset: str) -> str:
    engine = Engine(key=KEY, profile=PRESETS[preset])
    identity = Identity(names={"ROE^JANE"}, dates={"19610203"})
    subject = engine.subject([Evidence(patient_key="A|", identity=identity)])
    ctx = Context(key=KEY, profile=engine.profile, subject=subject, limits=engine.limits)
    record = RECORD.format(inside).encode()
    parts = clean_cda(Original(record, kind=Kind.CDA), ctx).parts
    return b"".join(bytes(part) for part in parts if isinstance(part, bytes)).decode()


def fact(code: str, value: str, preset: str) -> dict[str, str]:
    """Return the attributes of the value that an observation with this code ends with."""
    root = ET.fromstring(output(ENTRY.format(code, value), preset))  # noqa: S314 - our own output
    found = next(root.iter(f"{V3}observation")).find(f"{V3}value")
    assert found is not None
    return {name.rpartition("}")[2]: each for name, each in found.attrib.items()}


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [("95", "a", "90"), ("89", "a", "89"), ("1100", "mo", "1080"), ("95", "mo", "95")],
)
@pytest.mark.parametrize("code", ["30525-0", "21612-7"])
def test_an_age_is_told_as_the_header_tells_it(
    code: str, value: str, unit: str, wanted: str
) -> None:
    for preset in ("share", "research-dates"):
        assert fact(code, AGE.format(value, unit), preset)["value"] == wanted
    strict = fact(code, AGE.format(value, unit), "strict")
    assert strict == {"nullFlavor": "MSK", "type": "PQ"}


def test_another_number_than_an_age_stays() -> None:
    assert fact("8867-4", AGE.format("95", "/min"), "share")["value"] == "95"


@pytest.mark.parametrize("preset", PRESETS)
def test_a_birth_date_goes_whatever_becomes_of_dates(preset: str) -> None:
    assert fact("21112-8", BORN, preset) == {"nullFlavor": "MSK", "type": "TS"}


@pytest.mark.parametrize("preset", ["share", "research-dates"])
def test_the_birth_date_goes_under_any_code(preset: str) -> None:
    own = '<value xsi:type="TS" value="196102031015"/>'
    assert fact("8867-4", own, preset) == {"nullFlavor": "MSK", "type": "TS"}
    assert "value" in fact("8867-4", BORN, preset)


def test_the_record_of_a_newborn_keeps_its_own_date() -> None:
    assert '<effectiveTime value="19610203101500"/>' in output("<text>x</text>", "research-dates")
