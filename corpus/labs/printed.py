"""Lines of lab results as FHIR, HL7 v2, tables in four languages, and PDF with text."""

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from corpus.labs.draw import Line

__all__ = ["PRINTERS"]

_SEX = {"F": "female", "M": "male"}
_PURE = re.compile(r"\d+(\.\d+)?")


def _quantity(text: str, unit: str) -> dict[str, Any]:
    bare = text if "." in text else text.lstrip("0") or "0"  # JSON has no leading zeros
    told: dict[str, Any] = {"value": _Number(bare)}
    if unit:
        told |= {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return told


class _Number(str):
    """A number as it is to stand in JSON, with its zeros."""

    __slots__ = ()


def fhir(lines: Sequence[Line], sex: str, age: int) -> bytes:
    """Print a Bundle with a Patient and an Observation a line."""
    entries: list[dict[str, Any]] = [
        {
            "fullUrl": "urn:uuid:p",
            "resource": {
                "resourceType": "Patient",
                "id": "p",
                "name": [{"family": "Roe", "given": ["Jane"]}],
                "gender": _SEX[sex],
                "birthDate": f"{2026 - age}-01-01",
            },
        }
    ]
    for line in lines:
        low, high = line.shown
        unit = line.range_unit or line.unit
        bounds: dict[str, Any] = {}
        if low:
            bounds["low"] = _quantity(low, unit)
        if high:
            bounds["high"] = _quantity(high, unit)
        if line.label:
            bounds["appliesTo"] = [{"text": _SEX[line.label]}]
        told: dict[str, Any] = {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [{"code": "laboratory"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": line.loinc}]},
            "subject": {"reference": "urn:uuid:p"},
            "effectiveDateTime": "2026-06-01T08:00:00Z",
            "referenceRange": [bounds],
        }
        if _PURE.fullmatch(line.value):
            told["valueQuantity"] = _quantity(line.value, line.unit)
        else:
            told["valueString"] = f"{line.value} {line.unit}"
        entries.append({"resource": told})
    return _told({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def _told(node: Any) -> str:
    """Print JSON whose numbers keep their zeros (json.dumps prints floats by value)."""
    if isinstance(node, _Number):
        return str(node)
    if isinstance(node, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{_told(v)}" for k, v in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ",".join(map(_told, node)) + "]"
    return json.dumps(node)


def _range(line: Line, words: dict[str, str], sign: str) -> str:
    low, high = (end.replace(".", sign) for end in line.shown)
    one_sided = f"<= {high}" if high else f">= {low}"
    text = f"{low} - {high}" if low and high else one_sided
    if line.range_unit:
        text += f" {line.range_unit}"
    return f"{words[line.label]}: {text}" if line.label else text


def hl7(lines: Sequence[Line], sex: str, age: int) -> bytes:
    """Print one ORU^R01."""
    segments = [
        "MSH|^~\\&|LAB|H|EHR|H|20260601||ORU^R01^ORU_R01|1|P|2.5.1",
        f"PID|1||77||ROE^JANE||{2026 - age}0101|{sex}",
        "OBR|1|||1^PANEL|||202606010800",
    ]
    for at, line in enumerate(lines, start=1):
        kind = "NM" if _PURE.fullmatch(line.value) else "ST"
        unit = line.unit.replace("^", "\\S\\")
        shown = _range(line, {"F": "female", "M": "male"}, ".")
        segments.append(
            f"OBX|{at}|{kind}|{line.loinc}^{line.names['en']}^LN||{line.value}|{unit}|{shown}|||F"
        )
    return "\r".join(segments).encode()


_HEADS = {
    "en": (("Test", "Result", "Unit", "Reference range"), ",", ".", {"F": "Female", "M": "Male"}),
    "de": (
        ("Untersuchung", "Ergebnis", "Einheit", "Referenzbereich"),
        ";",
        ",",
        {"F": "Frauen", "M": "Männer"},
    ),
    "fr": (
        ("Analyse", "Résultat", "Unité", "Valeurs de référence"),
        ";",
        ",",
        {"F": "Femmes", "M": "Hommes"},
    ),
    "es": (
        ("Prueba", "Resultado", "Unidad", "Valores de referencia"),
        "\t",
        ",",
        {"F": "Mujeres", "M": "Hombres"},
    ),
}


def table(language: str, lines: Sequence[Line], _sex: str, _age: int) -> bytes:
    """Print a table with the headers and the decimal sign of a language."""
    heads, delimiter, sign, words = _HEADS[language]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(heads)
    for line in lines:
        shown = _range(line, words, sign)
        value = line.value.replace(".", sign)
        unit = "" if line.unit == "1" else line.unit
        writer.writerow((line.names[language], value, unit, shown))
    return out.getvalue().encode("utf-8-sig" if language == "de" else "utf-8")


def pdf(lines: Sequence[Line], _sex: str, _age: int) -> bytes:
    """Print one page or more with four columns."""
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415  # only this format needs it

    out = io.BytesIO()
    canvas = Canvas(out, invariant=True)
    for at, line in enumerate((None, *lines)):
        height = 780 - 20 * (at % 36)
        if at and not at % 36:
            canvas.showPage()
        cells = (
            ("Test", "Result", "Unit", "Reference")
            if line is None
            else (
                line.names["en"], line.value, "" if line.unit == "1" else line.unit,
                _range(line, {"F": "Female", "M": "Male"}, "."),
            )
        )  # fmt: skip
        for left, text in zip((50, 220, 300, 400), cells, strict=True):
            canvas.drawString(left, height, text)
    canvas.save()
    return out.getvalue()


PRINTERS: dict[str, Callable[[Sequence[Line], str, int], bytes]] = {
    "fhir": fhir,
    "hl7": hl7,
    **{f"csv-{language}": partial(table, language) for language in _HEADS},
    "pdf": pdf,
}
