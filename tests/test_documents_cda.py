"""CDA records: clinical content stays, people, places and numbers go, all of it valid XML."""

import datetime as dt
import re
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.deid.context import Cleaned, Context, Subject
from safelight.deid.documents.cda import clean_cda
from safelight.deid.documents.cdavalues import shifted
from safelight.deid.profile import PRESETS
from safelight.deid.pseudonyms import ProjectKey
from safelight.deid.text import Identity, Needles, TextCleaner
from safelight.dicomio.limits import Limits
from safelight.errors import (
    LimitExceededError,
    NeedsReviewError,
    QuarantineError,
    SafelightError,
    UnreadableInputError,
)
from safelight.types import Kind, Original

NEEDLES: Final = (
    *("Roe", "Jane", "48213377", "19610203", "Smithers", "Harbour", "Elm", "555", "Gdansk"),
    *("1.2.276.0.99", "20210506", "SECRET", "Widowed"),
)
V3: Final = "{urn:hl7-org:v3}"

RECORD: Final = """<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet href="SECRET.xsl"?>
<!-- SECRET about Jane Roe -->
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:own="urn:SECRET:harbour"
 xsi:schemaLocation="urn:hl7-org:v3 SECRET.xsd">
 <realmCode code="US"/>
 <typeId root="2.16.840.1.113883.1.3" extension="POCD_HD000040"/>
 <templateId root="2.16.840.1.113883.10.20.22.1.1" extension="2015-08-01"/>
 <templateId root="1.2.276.0.99.1"/>
 <id root="1.2.276.0.99.2" extension="SECRET-1" assigningAuthorityName="Harbour Hill"/>
 <code code="18748-4" codeSystem="2.16.840.1.113883.6.1" displayName="Diagnostic Imaging Report"/>
 <title>CT chest of Jane Roe</title>
 <effectiveTime value="20210506103015+0200"/>
 <confidentialityCode code="N" codeSystem="2.16.840.1.113883.5.25"/>
 <languageCode code="en-US"/>
 <recordTarget><patientRole>
  <id root="1.2.276.0.99.3" extension="48213377"/>
  <addr use="HP"><streetAddressLine>12 Elm Street</streetAddressLine><city>Gdansk</city></addr>
  <telecom use="HP" value="tel:+1-555-2013344"/>
  <patient><name><given>Jane</given><family>Roe</family></name>
   <administrativeGenderCode code="F" codeSystem="2.16.840.1.113883.5.1"/>
   <birthTime value="19610203"/>
   <maritalStatusCode code="W" displayName="Widowed" codeSystem="2.16.840.1.113883.5.2"/>
   <sdtc:deceasedTime value="20210506"/>
   <birthplace><place><addr><city>Gdansk</city></addr></place></birthplace>
  </patient></patientRole></recordTarget>
 <author><time value="20210506"/><assignedAuthor>
  <id root="1.2.276.0.99.4" extension="SECRET-DOC"/>
  <assignedPerson><name>Dr. Adam Smithers</name></assignedPerson>
  <representedOrganization><name>Harbour Hill Hospital</name></representedOrganization>
 </assignedAuthor></author>
 <custodian><assignedCustodian><representedCustodianOrganization>
  <id root="1.2.276.0.99.5"/><name>Harbour Hill Hospital</name>
 </representedCustodianOrganization></assignedCustodian></custodian>
 <own:harbour secret="SECRET">SECRET</own:harbour>
 <component><structuredBody><component><section ID="JaneRoe1">
  <code code="18782-3" codeSystem="2.16.840.1.113883.6.1" displayName="Study report"/>
  <title>Findings</title>
  <text><paragraph styleCode="Bold SECRET">No pleural effusion. Mrs. <content
    styleCode="Bold">R</content>oe was seen.</paragraph>
   <table border="1"><tbody><tr><th>Patient</th><td>Jane</td><td>Roe</td></tr>
   <tr><td>Hemoglobin</td><td ID="obs1">13.2</td></tr></tbody></table>
   <linkHtml href="https://harbour.example/SECRET">Heart size is normal.</linkHtml></text>
  <entry typeCode="DRIV"><observation classCode="OBS" moodCode="EVN" secret="SECRET">
   <id root="1.2.276.0.99.6.1"/>
   <code code="718-7" codeSystem="2.16.840.1.113883.6.1" displayName="Hemoglobin"/>
   <text><reference value="#obs1"/></text>
   <statusCode code="completed"/>
   <effectiveTime><low value="202105"/><high value="20210506"/></effectiveTime>
   <value xsi:type="PQ" value="13.2" unit="g/dL"/>
   <interpretationCode code="N" codeSystem="2.16.840.1.113883.5.83"/>
   <referenceRange><observationRange><value xsi:type="IVL_PQ">
     <low value="12.0" unit="g/dL"/><high value="16.0" unit="g/dL"/></value>
   </observationRange></referenceRange>
  </observation></entry>
  <entry><observation classCode="OBS" moodCode="Jane">
   <code code="48213377" codeSystem="1.2.276.0.99.7" displayName="Roe"/>
   <value xsi:type="ST">Normal lung of Jane Roe</value>
  </observation></entry>
 </section></component></structuredBody></component>
</ClinicalDocument>
"""


def context(preset: str = "share", limits: Limits | None = None) -> Context:
    identity = Identity(
        names={"ROE^JANE"},
        people={"SMITHERS^ADAM"},
        ids={"48213377"},
        dates={"19610203"},
        phrases={"Harbour Hill Hospital"},
    )
    needles = Needles.compile(identity)
    subject = Subject(
        code="P1",
        patient_id="PATIENT1",
        patient_name="PERSON1",
        shift_days=-100,
        needles=needles,
        cleaner=TextCleaner(needles),
        digest="0",
    )
    return Context(
        key=ProjectKey(b"k" * 32),
        profile=PRESETS[preset],
        subject=subject,
        limits=limits or Limits(),
    )


CONTEXT = context()


def clean(text: str | bytes, ctx: Context = CONTEXT) -> Cleaned:
    data = text.encode() if isinstance(text, str) else text
    return clean_cda(Original(data, kind=Kind.CDA), ctx)


def output(text: str | bytes, ctx: Context = CONTEXT) -> str:
    (part,) = clean(text, ctx).parts
    assert isinstance(part, bytes)
    return part.decode()


def body(inside: str) -> str:
    """Return the smallest record around one section's content."""
    return (
        '<ClinicalDocument xmlns="urn:hl7-org:v3" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><component><structuredBody>'
        f"<component><section>{inside}</section></component></structuredBody></component>"
        "</ClinicalDocument>"
    )


def test_no_needle_is_left_and_the_clinical_content_is() -> None:
    cleaned = clean(RECORD)
    text = output(RECORD)
    for needle in NEEDLES:
        assert needle.lower() not in text.lower()
        assert needle.lower() not in str(cleaned.actions).lower()
    root = ET.fromstring(text)  # noqa: S314 - our own output
    words = " ".join(" ".join(root.itertext()).split())
    for kept in ("No pleural effusion.", "Hemoglobin", "13.2", "Heart size is normal.", "CT chest"):
        assert kept in words
    value = root.find(f".//{V3}value[@unit='g/dL']")
    assert value is not None
    assert value.get("value") == "13.2"
    codes = {node.get("code") for node in root.iter() if node.get("code")}
    assert {"18748-4", "18782-3", "718-7", "F", "N", "completed", "en-US"} <= codes
    assert {"12.0", "16.0"} <= {node.get("value") for node in root.iter()}
    assert root.find(f"{V3}templateId[@root='2.16.840.1.113883.10.20.22.1.1']") is not None


def test_the_patient_has_the_pseudonym_of_the_images() -> None:
    root = ET.fromstring(output(RECORD))  # noqa: S314 - our own output
    role = root.find(f"{V3}recordTarget/{V3}patientRole")
    assert role is not None
    identifier = role.find(f"{V3}id")
    assert identifier is not None
    assert identifier.get("extension") == "PATIENT1"
    assert identifier.get("root") == CONTEXT.key.uid("1.2.276.0.99.3")
    assert role.findtext(f"{V3}patient/{V3}name") == "PERSON1"


def test_times_move_with_precision_and_zone_kept() -> None:
    root = ET.fromstring(output(RECORD))  # noqa: S314 - our own output
    time = root.find(f"{V3}effectiveTime")
    low, high = root.find(f".//{V3}low"), root.find(f".//{V3}high")
    assert time is not None
    assert low is not None
    assert high is not None
    assert time.get("value") == "20210126103015+0200"
    assert low.get("value") == "202101"
    assert high.get("value") == "20210126"


def test_strict_masks_times_and_characteristics_and_full_dates_stay_where_asked() -> None:
    strict = output(RECORD, context("strict"))
    assert re.search(r'<effectiveTime nullFlavor="MSK"', strict)
    assert "administrativeGenderCode" not in strict
    assert 'value="20210506103015+0200"' in output(RECORD, context("research-dates"))


def test_references_from_entries_to_the_text_still_hold() -> None:
    text = output(RECORD)
    target = re.search(r'<td ID="([^"]+)"', text)
    assert target is not None
    assert f'<reference value="#{target[1]}"/>' in text


def test_the_same_record_gives_the_same_bytes_and_a_second_run_takes_no_word() -> None:
    once = output(RECORD)
    assert output(RECORD) == once
    words = [" ".join(ET.fromstring(t).itertext()).split() for t in (once, output(once))]  # noqa: S314 - our own output
    assert words[0] == words[1]


@pytest.mark.parametrize(
    "inside",
    [
        '<text>Normal <content>Ja</content><content styleCode="Bold">ne</content> lung</text>',
        "<text>Normal lung<br/>Jane<br/>Roe</text>",
        "<text><list><item>Normal lung</item><item>J<sub>a</sub>ne</item></list></text>",
        '<text ID="Jane">Normal lung</text>',
        '<text mediaType="text/plain">Normal lung of Jane Roe</text>',
        "<text>Normal lung<Jane/></text>",
        '<text xmlns:x="urn:Jane">Normal lung<x:a>Jane</x:a></text>',
        '<text>Normal lung</text><entry><act classCode="Jane" moodCode="EVN"/></entry>',
        '<text>Normal lung</text><entry typeCode="DRIV">Jane</entry>',
        (
            '<text>Normal lung</text><entry><observation><value xsi:type="PQ" value="1" '
            'unit="{Jane}"/></observation></entry>'
        ),
        (
            '<text>Normal lung</text><entry><observation><value xsi:type="Jane">Jane'
            "</value></observation></entry>"
        ),
        (
            '<text>Normal lung</text><entry><observation><effectiveTime value="Jane"/>'
            "</observation></entry>"
        ),
        (
            '<text>Normal lung</text><entry><observation><code code="JANE" '
            'codeSystem="2.16.840.1.113883.6.96" codeSystemName="Jane"/></observation></entry>'
        ),
        (
            '<text>Normal lung</text><entry><observation><statusCode code="Jane"/></observation>'
            "</entry>"
        ),
        "<text><![CDATA[Normal lung of <Jane>]]></text>",
    ],
)
def test_a_name_in_any_corner_goes(inside: str) -> None:
    text = output(body(inside))
    joined = "".join(ET.fromstring(text).itertext())  # noqa: S314 - our own output
    assert "jane" not in text.lower()
    assert "jane" not in joined.lower()
    assert "Normal" in joined
    assert "lung" in joined


@pytest.mark.parametrize(
    "inside",
    [
        '<text><renderMultiMedia referencedObject="m1"/></text>',
        (
            '<entry><observationMedia><value mediaType="image/png" representation="B64">AAAA'
            "</value></observationMedia></entry>"
        ),
        (
            '<entry><observation><value xsi:type="ED" representation="B64">AAAA</value>'
            "</observation></entry>"
        ),
        (
            '<entry><observation><value xsi:type="ED" mediaType="application/pdf"/>'
            "</observation></entry>"
        ),
    ],
)
def test_pictures_and_files_wait_for_review(inside: str) -> None:
    with pytest.raises(NeedsReviewError):
        clean(body(inside))


def test_a_body_that_is_a_file_waits_for_review() -> None:
    text = RECORD[: RECORD.index("<component>")] + (
        '<component><nonXMLBody><text mediaType="application/pdf" representation="B64">JVBERi0='
        "</text></nonXMLBody></component></ClinicalDocument>"
    )
    with pytest.raises(NeedsReviewError):
        clean(text)


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE a [<!ENTITY b "Jane">]>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]>',
    ],
)
def test_entities_and_document_types_go_to_quarantine(head: str) -> None:
    with pytest.raises(QuarantineError):
        clean(head + body("<text>Normal</text>"))


def test_depth_and_number_of_elements_meet_the_limits() -> None:
    with pytest.raises(LimitExceededError):
        clean(body("<text>" + "<content>" * 80 + "</content>" * 80 + "</text>"))
    with pytest.raises(LimitExceededError):
        clean(body("<text>" + "<br/>" * 200 + "</text>"), context(limits=Limits(elements=100)))
    with pytest.raises(LimitExceededError):
        clean(RECORD, context(limits=Limits(value_bytes=100)))


@pytest.mark.parametrize("text", ["", "<a/>", RECORD[:500], "no XML", "<ClinicalDocument/>", "\0"])
def test_what_is_no_record_is_told(text: str) -> None:
    with pytest.raises(UnreadableInputError):
        clean(text)


def test_other_encodings_are_read() -> None:
    text = '<?xml version="1.0" encoding="UTF-16"?>' + body("<text>Normal lung of Jane</text>")
    for padding in (b"", b"\0"):
        assert "Normal lung" in output(text.encode("utf-16") + padding)
        assert "CT chest" in output(RECORD.encode() + padding)


@pytest.mark.parametrize(
    ("value", "moved"),
    [
        ("20210506", "20210126"),
        ("2021050610", "2021012610"),
        ("202105061030", "202101261030"),
        ("20210506103015.123-0500", "20210126103015.123-0500"),
        ("202105", "202101"),
        ("2021", "2020"),
        ("20211399", None),
        ("Jane", None),
        ("", None),
        ("00010101", None),
    ],
)
def test_a_time_moves_or_is_refused(value: str, moved: str | None) -> None:
    assert shifted(value, -100) == moved


@given(st.dates(min_value=dt.date(1900, 1, 1)), st.integers(-3649, -30))
def test_intervals_between_days_stay_exact(day: dt.date, days: int) -> None:
    text = f"{day:%Y%m%d}"
    there = shifted(text, days)
    assert there is not None
    assert shifted(there, -days) == text


@given(
    st.lists(st.tuples(st.integers(0, len(RECORD)), st.text(max_size=6)), max_size=6),
)
def test_a_mutant_is_rewritten_or_refused_with_a_reason(changes: list[tuple[int, str]]) -> None:
    mutant = RECORD
    for at, text in changes:
        mutant = mutant[:at] + text + mutant[at + len(text) :]
    try:
        left = output(mutant.encode("utf-8", "replace"))
    except SafelightError as error:
        left = error.diagnostics()
    assert "48213377" not in left
