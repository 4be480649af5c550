"""What other systems said of a study: handed in by a clinician, or in a DICOM SR that came with it.

It is shown to clinicians, after their own impression, as not Safelight's. Only cleaned text is kept
and shown: an SR is de-identified like every file, and what is typed in goes through the same
cleaner of free text, which lets known words pass and nothing else.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row, select

from safelight.errors import SafelightError
from safelight.pipeline.submissions import object_name
from safelight.pipeline.work import DEIDENTIFIED
from safelight.store.ids import new_id
from safelight.store.schema.consent import artefacts
from safelight.store.schema.vault import objects
from safelight.web.forms import BadRequestError
from safelight.web.parcels import ConflictError
from safelight.web.said import ExternalView

if TYPE_CHECKING:
    from safelight.web.rooms import Rooms
    from safelight.web.sessions import Who

__all__ = ["EXTERNAL", "keep", "listed"]

EXTERNAL: Final = "external"  # kind of such results in the vault
_SR: Final = "SR"
_MOST: Final = 20  # results of one submission
_MOST_LINES: Final = 200
_MOST_LETTERS: Final = 500  # of a line
_MOST_BYTES: Final = 4 << 20  # of an SR
_DEPTH: Final = 16


def listed(rooms: "Rooms", row: Row[Any]) -> list[ExternalView]:
    """Return what others said of a submission, oldest first."""
    told = []
    for position, seen in sorted(rooms.items.seen(row.id).items()):
        if seen.modality == _SR and seen.reading == "done":
            lines = _came_along(rooms, row, position)
            if lines:
                told.append(ExternalView(n=position, source="", form="sr", lines=lines))
    for name in _names(rooms, row):
        kept = json.loads(b"".join(rooms.vault.get(row.person, EXTERNAL, name)))
        told.append(ExternalView(**kept))
    return told


def _names(rooms: "Rooms", row: Row[Any]) -> list[str]:
    found = select(objects.c.object).where(
        objects.c.person == row.person,
        objects.c.kind == EXTERNAL,
        objects.c.object.startswith(f"{row.id}-"),
        objects.c.state == "whole",
    )
    with rooms.store.read() as conn:
        return sorted(conn.execute(found).scalars())


def _came_along(rooms: "Rooms", row: Row[Any], n: int) -> list[str]:
    """Return the lines of an SR of the submission; none when it cannot be read."""
    import pydicom  # noqa: PLC0415  # start-up cost

    item = rooms.items.row(row.id, n)
    try:
        if item is None or item.bytes > _MOST_BYTES:
            return []
        data = rooms.items.data(item)
        dataset = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
        lines = list(_content(dataset.get("ContentSequence") or (), 0))
    except SafelightError:
        return []
    except Exception:  # noqa: BLE001  # pydicom raises anything on what it cannot read
        return []
    return _short(lines)


def _content(items: Sequence[Any], depth: int) -> Iterator[str]:
    """Yield the texts, numbers and codes of a content tree (PS3.3 C.17.3); no names, no dates."""
    for one in items:
        name = _meaning(one.get("ConceptNameCodeSequence"))
        kind = str(one.get("ValueType", ""))
        said = ""
        if kind == "TEXT":
            said = str(one.get("TextValue", ""))
        elif kind == "CODE":
            said = _meaning(one.get("ConceptCodeSequence"))
        elif kind == "NUM":
            for measured in one.get("MeasuredValueSequence") or ():
                unit = _code(measured.get("MeasurementUnitsCodeSequence"))
                said = f"{measured.get('NumericValue', '')} {unit}".strip()
        if said.strip():
            yield f"{name}: {said}" if name else said
        if depth < _DEPTH:
            yield from _content(one.get("ContentSequence") or (), depth + 1)


def _meaning(codes: Any) -> str:
    return str(codes[0].get("CodeMeaning", "")) if codes else ""


def _code(codes: Any) -> str:
    value = str(codes[0].get("CodeValue", "")) if codes else ""
    return "" if value == "1" else value


def _short(lines: Sequence[str]) -> list[str]:
    plain = (" ".join(line.split())[:_MOST_LETTERS] for line in lines)
    return [line for line in plain if line][:_MOST_LINES]


def keep(rooms: "Rooms", who: "Who", row: Row[Any], told: Mapping[str, str]) -> None:
    """Clean what a clinician hands in, and keep it for the person.

    Args:
        rooms: Of the server.
        who: The clinician.
        row: Of the submission.
        told: ``source`` (what system it is from), ``form`` (``text`` or ``fhir``), ``words``.

    Raises:
        BadRequestError: It is no FHIR, or nothing of it is left.
        ConflictError: There are too many.
        ConsentDeniedError: The person no longer agrees.
    """
    from safelight.deid.text import Identity, Needles, TextCleaner  # noqa: PLC0415  # start-up cost

    raw = _fhir(told["words"]) if told["form"] == "fhir" else told["words"].splitlines()
    cleaner = TextCleaner(Needles.compile(Identity()))
    before = _short(raw)
    lines = _short([cleaner.clean(line).text for line in before])
    if not lines:
        raise BadRequestError(
            "nothing of it is proven to be harmless", place="words", todo="use plain medical words"
        )
    if len(_names(rooms, row)) >= _MOST:
        raise ConflictError("there are too many results of others already")
    view = ExternalView(
        n=None,
        source=cleaner.clean(" ".join(told["source"].split())[:80]).text,
        form="fhir" if told["form"] == "fhir" else "text",
        lines=lines,
        shortened=lines != before,
        at=rooms.store.clock.now(),
        by=who.actor,
    )
    _store(rooms, row, f"{row.id}-e{new_id()[:16]}", view)


def _store(rooms: "Rooms", row: Row[Any], name: str, view: ExternalView) -> None:
    """Write results and record them, asking for consent in the transaction that does."""
    stored = rooms.vault.write(row.person, EXTERNAL, name, [view.model_dump_json().encode()])
    try:
        with rooms.store.begin() as conn:
            above = select(artefacts.c.id).where(
                artefacts.c.person == row.person,
                artefacts.c.kind == DEIDENTIFIED,
                artefacts.c.object == object_name(row.id, 0),
                artefacts.c.removed_at.is_(None),
            )
            parents = tuple(conn.execute(above).scalars())
            rooms.vault.record(conn, [stored])
            rooms.custody.lineage.record(
                conn,
                person=row.person,
                kind=EXTERNAL,
                name=name,
                purpose=row.purpose,
                policy=row.policy,
                parents=parents,
            )
    except BaseException:
        rooms.vault.discard(stored)
        raise


def _fhir(text: str) -> list[str]:
    """Return the texts of FHIR R4 reports and observations; identifiers, dates and names stay out.

    Raises:
        BadRequestError: It is no FHIR JSON.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequestError("it is not JSON", place="words") from None
    entries = document.get("entry", []) if isinstance(document, dict) else []
    every = [each.get("resource") for each in entries if isinstance(each, dict)]
    lines: list[str] = []
    for one in [document, *every]:
        if isinstance(one, dict) and one.get("resourceType") in ("DiagnosticReport", "Observation"):
            lines += _resource(one)
    if not lines:
        raise BadRequestError("there is no report and no observation in it", place="words")
    return lines


def _resource(one: Mapping[str, Any]) -> Iterator[str]:
    name = _concept(one.get("code"))
    quantity = one.get("valueQuantity")
    said = [
        one.get("conclusion"),
        one.get("valueString"),
        _concept(one.get("valueCodeableConcept")),
    ]
    if isinstance(quantity, dict) and isinstance(quantity.get("value"), (int, float)):
        said.append(f"{quantity['value']} {quantity.get('unit') or ''}".strip())
    said += [_concept(each) for each in _list(one.get("conclusionCode"))]
    said += [_concept(each) for each in _list(one.get("interpretation"))]
    found = [text for text in said if isinstance(text, str) and text.strip()]
    yield from (f"{name}: {text}" if name else text for text in found)


def _concept(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    codings = [each for each in _list(value.get("coding")) if isinstance(each, dict)]
    shown = [value.get("text"), *(each.get("display") for each in codings)]
    return next((text for text in shown if isinstance(text, str)), "")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
