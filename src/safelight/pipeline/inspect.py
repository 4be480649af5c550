"""What a run would do to one file: what goes, changes, comes in and stays. Nothing is written.

For a DICOM object the input and the output are read by pydicom and compared element by element;
for other kinds the engine's own list of actions is shown. Values appear by their shape only, unless
the caller asks for them.
"""

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from safelight.errors import UnreadableInputError
from safelight.types import Deidentified, FileSlice, Kind, Original

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from safelight.deid.engine import Engine
    from safelight.deid.showing import Show

__all__ = [
    "Inspection",
    "Row",
    "assemble",
    "compare",
    "from_bytes",
    "inspect",
    "inspect_bytes",
    "read_file",
    "shape",
]

_VALUE_MOST: Final = 200  # characters of a value that are shown
_ASSEMBLED_MOST: Final = 1 << 30
_UPPER: Final = re.compile(r"[^\W\d_a-z]")
_LOWER: Final = re.compile(r"[^\W\d_A-Z]")
_DIGIT: Final = re.compile(r"\d")
_SHAPE_MOST: Final = 40
_BINARY: Final = frozenset(
    {"OB", "OD", "OF", "OL", "OV", "OW", "UN", "OB or OW"}
)  # shown as a size


@dataclass(frozen=True, slots=True)
class Row:
    """One place of the file.

    Attributes:
        sign: ``-`` goes, ``~`` changes, ``+`` comes in, a space stays.
        place: Tag path, or the part of a file of another kind.
        name: Keyword of the element; empty if it has none.
        vr: Value representation.
        before: The value, or its shape.
        after: The new value; a new value identifies nobody and is always shown.
        rule: Why.
    """

    sign: str
    place: str
    name: str = ""
    vr: str = ""
    before: str = ""
    after: str = ""
    rule: str = ""


@dataclass(slots=True)
class Inspection:
    """What a run would do to one file.

    Attributes:
        kind: What it is.
        rows: The places, in the order of the file.
        notes: Facts, such as what was not looked at.
        size: Bytes of the output.
    """

    kind: Kind
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    size: int = 0

    def count(self, sign: str) -> int:
        """Return how many rows have this sign."""
        return sum(row.sign == sign for row in self.rows)


def shape(value: str) -> str:
    """Return the shape of a value: letters as X and x, digits as 9, and its length."""
    told = _DIGIT.sub("9", _LOWER.sub("x", _UPPER.sub("X", value[:_SHAPE_MOST])))
    return f"{told}{'…' if len(value) > _SHAPE_MOST else ''} ({len(value)})"


def assemble(clean: Deidentified) -> bytes:
    """Return the whole output in memory.

    Raises:
        UnreadableInputError: It is larger than 1 GiB, or a slice of it cannot be read.
    """
    if clean.size > _ASSEMBLED_MOST:
        raise UnreadableInputError(
            "the output is too large to hold in memory; write it to a folder"
        )
    whole: list[bytes | memoryview] = []
    for part in clean.parts:
        if isinstance(part, FileSlice):
            with open(part.path, "rb") as file:
                file.seek(part.start)
                whole.append(file.read(part.stop - part.start))
        else:
            whole.append(part)
    return b"".join(whole)


def inspect(
    path: str, engine: "Engine", *, values: bool = False, show: "Show | None" = None
) -> Inspection:
    """Return what would happen to a file.

    Args:
        path: The file.
        engine: With the key and the profile that a run would have.
        values: Give the values themselves; for the person's own terminal.
        show: Is given pictures of what was found, before and after.

    Raises:
        QuarantineError: It would go to quarantine, and why.
        NeedsReviewError: It would go to review, and why.
    """
    from safelight.intake.sources import walk  # noqa: PLC0415  # beside its one use

    item = next(iter(walk([path], limits=engine.limits)))
    if not item.size:
        raise UnreadableInputError("the file is empty")
    kind = item.sniff(engine.limits)
    if kind is Kind.UNKNOWN:
        raise UnreadableInputError("it is of no kind that is handled")
    subject = engine.subject([engine.survey(path, kind=kind)])
    clean = engine.deidentify(path, subject, kind=kind, show=show)
    before = read_file(path) if kind is Kind.DICOM and item.size <= _ASSEMBLED_MOST else b""
    return _told(kind, before, clean, values=values)


def inspect_bytes(
    data: bytes, engine: "Engine", *, values: bool = False, header_only: bool = False
) -> Inspection:
    """Return what would happen to one object in memory.

    Args:
        data: The object.
        engine: With the key and the profile that a run would have.
        values: Give the values themselves; for the person's own terminal.
        header_only: An image may come without its pixel data.

    Raises:
        QuarantineError: It would go to quarantine, and why.
        NeedsReviewError: It would go to review, and why.
    """
    clean = from_bytes(data, engine, header_only=header_only)
    before = data if clean.kind is Kind.DICOM and len(data) <= _ASSEMBLED_MOST else b""
    return _told(clean.kind, before, clean, values=values)


def _told(kind: Kind, before: bytes, clean: Deidentified, *, values: bool) -> Inspection:
    import json  # noqa: PLC0415  # start-up cost

    manifest: dict[str, Any] = json.loads(clean.manifest)
    told = Inspection(kind, notes=list(manifest.get("notes", [])), size=clean.size)
    why = {place: (rule, action) for place, rule, action, _ in manifest["actions"]}
    pair = _read(before, clean) if kind is Kind.DICOM else None
    if pair is None:
        for place, (rule, action) in why.items():
            told.rows.append(Row("-" if action == "remove" else "~", place, rule=rule))
        return told
    rules = {place: rule for place, (rule, _) in why.items()}
    seen: set[str] = set()
    corners: list[Row] = []
    for row in _compare(*pair, "", rules, shown=values):
        seen.add(row.place)
        told.rows.append(row)
    for place, (rule, action) in why.items():  # what no reader shows: preamble, padding, meta
        if place not in seen and not any(each.startswith(place) for each in seen):
            corners.append(Row("-" if action == "remove" else "~", place, rule=rule))
    told.rows[:0] = corners
    return told


def compare(before: BinaryIO, after: BinaryIO, manifest: Mapping[str, Any]) -> list[Row]:
    """Return how the header of a DICOM object differs from the one that went out, with values.

    Args:
        before: The original; it is read as far as its pixel data.
        after: What was made of it, likewise.
        manifest: What was done, for the rules.

    Returns:
        Rows of what goes, changes and comes in; none where pydicom cannot read one of the two.
    """
    import pydicom  # noqa: PLC0415  # start-up cost

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in _read
            old = pydicom.dcmread(before, force=True, stop_before_pixels=True)
            new = pydicom.dcmread(after, stop_before_pixels=True)
    except Exception:  # noqa: BLE001  # as in _read
        return []
    rules = {place: rule for place, rule, _, _ in manifest.get("actions", ())}
    return [row for row in _compare(old, new, "", rules, shown=True) if row.sign != " "]


def _read(before: bytes, clean: Deidentified) -> "tuple[Dataset, Dataset] | None":
    """Read input and output; None where pydicom cannot."""
    import pydicom  # noqa: PLC0415  # start-up cost

    if not before or clean.size > _ASSEMBLED_MOST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd files are the point; the text may hold values
            return (
                pydicom.dcmread(io.BytesIO(before), force=True),
                pydicom.dcmread(io.BytesIO(assemble(clean))),
            )
    except Exception:  # noqa: BLE001  # the engine read it; only this view of it is poorer
        return None


def _compare(
    old: "Dataset", new: "Dataset", above: str, rules: dict[str, str], *, shown: bool
) -> Iterator[Row]:
    """Yield a row for each element of two data sets, sequences entered."""
    for tag in sorted({*old.keys(), *new.keys()}):
        place = f"{above}({tag.group:04X},{tag.element:04X})"
        before, after = _element(old, tag), _element(new, tag)
        one = before if before is not None else after
        if one is None:
            continue
        name, vr = one.keyword, one.VR
        rule = rules.get(place, "")
        if vr == "SQ" and before is not None and after is not None:
            yield Row(" ", place, name, vr, f"{len(before.value)} items", "", rule)
            for number, (left, right) in enumerate(zip(before.value, after.value, strict=False)):
                yield from _compare(left, right, f"{place}[{number}].", rules, shown=shown)
            continue
        first, second = _value(before), _value(after)
        hidden = first if shown or vr in {"SQ", *_BINARY} else shape(first)
        if after is None:
            yield Row("-", place, name, vr, hidden, "", rule)
        elif before is None:
            yield Row("+", place, name, vr, "", second, rule)
        elif before.value != after.value:
            yield Row("~", place, name, vr, hidden, second, rule)
        else:  # it is in the output, so it may be seen
            yield Row(" ", place, name, vr, second, second, rule)


def _element(data: "Dataset", tag: Any) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return data.get(tag)
    except Exception:  # noqa: BLE001  # a value that pydicom cannot read is not shown
        return None


def _value(element: Any) -> str:
    if element is None or element.value is None:
        return ""
    if element.VR == "SQ":
        return f"{len(element.value)} items"
    value = element.value
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    many = element.VR != "PN" and not isinstance(value, str) and hasattr(value, "__iter__")
    text = "\\".join(map(str, value)) if many else str(value)
    return text if len(text) <= _VALUE_MOST else f"{text[:_VALUE_MOST]}…"


def read_file(path: str) -> bytes:
    """Return a file's bytes.

    Raises:
        UnreadableInputError: It cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UnreadableInputError(f"it cannot be read ({error.strerror})") from error


def from_bytes(data: bytes, engine: "Engine", *, header_only: bool = False) -> Deidentified:
    """Return the de-identified form of one object in memory."""
    from safelight.intake.kinds import HEAD_BYTES, sniff  # noqa: PLC0415  # beside its one use

    original = Original(data, kind=sniff(data[:HEAD_BYTES], size=len(data)))
    if original.kind is Kind.UNKNOWN:
        raise UnreadableInputError("it is of no kind that is handled")
    subject = engine.subject([engine.survey(original)])
    return engine.deidentify(original, subject, header_only=header_only)
