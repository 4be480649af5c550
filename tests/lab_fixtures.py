"""What tests of lab reports share: small tables, FHIR resources, a message, a page."""

import io
import json
from typing import Any

from reportlab.pdfgen.canvas import Canvas

from safelight.readers.labs import Assessment, LabReport, out, read

NEEDLES = ("ROE", "Roe", "JANE", "Jane", "48213377", "1961", "SMITHERS", "Smithers", "Harbour")

HL7 = (
    b"MSH|^~\\&|LAB|Harbour|EHR|H|20260601||ORU^R01^ORU_R01|1|P|2.5.1\r"
    b"PID|1||48213377||ROE^JANE||19610203|F|||1 Harbour Hill\r"
    b"OBR|1|||1^CBC|||202606010800||||||||BLDV|SMITHERS^ADAM\r"
    b"OBX|1|NM|718-7^Hemoglobin^LN||11.2|g/dL|12.0-15.5|L|||F\r"
    b"OBX|2|SN|1988-5^CRP^LN||<^0.5|mg/L|<5.0||||F\r"
    b"OBX|3|NM|6690-2^WBC^LN||7.8|10\\S\\3/uL|4.0-11.0|N|||F\r"
    b"OBX|4|NM|2823-3^K^LN||4.2|mmol/L|3.5-5.1||||W\r"
    b"OBX|5|ST|777-3^PLT^LN||clumped Roe|10*3/uL|150-400||||F\r"
    b"OBX|6|NM|2345-7^GLU^LN||nine|mg/dL|||||F\r"
    b"NTE|1||Jane Roe called"
)


def table(*lines: str, head: str = "Test;Result;Unit;Reference range") -> bytes:
    return "\n".join((head, *lines)).encode()


def one(data: bytes, **told: Any) -> Assessment:
    report = read(data, **told)
    assert report.refusals == ()
    assert len(report.results) == 1
    return report.results[0]


def observation(code: str, value: str, unit: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": float(value), "unit": unit, "code": unit},
        **more,
    }


def bounds(low: float | None, high: float | None, unit: str) -> dict[str, Any]:
    told = {"low": low, "high": high}
    return {k: {"value": v, "code": unit} for k, v in told.items() if v is not None}


def fhir(*resources: dict[str, Any]) -> bytes:
    entries = [{"resource": each} for each in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def paper(*lines: tuple[str, ...]) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    for at, cells in enumerate(lines):
        for left, text in zip((50, 220, 300, 400, 500), cells, strict=False):
            canvas.drawString(left, 780 - 20 * at, text)
    canvas.save()
    return buffer.getvalue()


def everything(report: LabReport) -> str:
    return json.dumps([out.as_json(report), out.as_fhir(report)], ensure_ascii=False) + repr(report)
