"""Bad inputs: bombs, lies about lengths, polyglots, archives, and markers smuggled in corners.

Payloads are inert. Each case says what may happen: ``output`` (it must come out, without the
marker), ``withheld`` (nothing may come out) or ``either``. Whatever comes out never holds the
marker, and every case costs bounded time and memory.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.fingerprint import fingerprint_of
from corpus.read import view

__all__ = ["MARKER", "Case", "judge", "write"]

MARKER = "Zyqvorblatheim"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One bad input.

    Attributes:
        name: The attack or the fault it carries.
        path: File name inside the folder.
        number: Instance Number it holds, where it is readable DICOM.
        expect: ``output``, ``withheld`` or ``either``.
    """

    name: str
    path: str
    number: int
    expect: str


def _cases(*, small: bool) -> Iterator[tuple[str, bytes | str, str]]:
    """Yield (path, bytes or a special way of making it, expectation)."""
    from corpus import bad_archives, bad_lengths, bad_shapes, smuggled  # noqa: PLC0415 - they import the marker

    yield from bad_lengths.cases(small=small)
    yield from bad_shapes.cases()
    yield from smuggled.cases()
    yield from bad_archives.cases(small=small)


def write(folder: Path, *, small: bool = False) -> list[Case]:
    """Write all bad inputs into ``folder`` and what is expected beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number, (name, data, expect) in enumerate(_cases(small=small), 1):
        path = folder / name
        if isinstance(data, bytes):
            path.write_bytes(data.replace(b"@@NUM@@", f"{number:07d}".encode()))
            if data == b"unreadable":
                path.chmod(0)
        else:
            _special(path, data)
        found.append(Case(name=name.rsplit(".", 1)[0], path=name, number=number, expect=expect))
    body = [{"name": c.name, "path": c.path, "number": c.number, "expect": c.expect} for c in found]
    Path(f"{folder}.expect.json").write_text(json.dumps(body, indent=1))
    return found


def _special(path: Path, how: str) -> None:
    if path.is_symlink() or path.exists():
        return
    if how == "fifo":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    else:
        path.symlink_to(how.removeprefix("link:"))


def judge(folder: Path, output: Path) -> list[str]:
    """Return one line for each case that ended wrongly.

    Args:
        folder: The folder that ``write`` filled.
        output: What a tool wrote from it; only files count, not its reports.
    """
    cases: list[dict[str, Any]] = json.loads(Path(f"{folder}.expect.json").read_text())
    numbers = {c["number"]: c for c in cases}
    names = {c["path"]: c for c in cases}
    came: set[str] = set()
    wrong = []
    for path in sorted(p for p in output.rglob("*") if p.is_file()):
        name = str(path.relative_to(output))
        data = path.read_bytes() if path.stat().st_size < 1 << 28 else b""
        seen = view(data)
        blob = b"\n".join([data, data.replace(b"\0", b""), *(s for _, s in seen.streams)]).lower()
        text = "\n".join(t for _, t in seen.texts).lower()
        if (
            MARKER.lower().encode() in blob
            or MARKER.lower() in text
            or MARKER.lower() in name.lower()
        ):
            wrong.append(f"{name}: the marker is in the output")
        number = (
            fingerprint_of(seen.ds).get("number", "0/").split("/")[0]
            if seen.ds is not None
            else "0"
        )
        case = numbers.get(int(number) if number.isdigit() else 0) or names.get(name)
        if case is None:
            continue
        came.add(case["path"])
        if case["expect"] == "withheld":
            wrong.append(f"{case['path']}: came out though it must be withheld")
        elif (
            seen.ds is not None
            and "PixelData" not in seen.ds
            and case["path"].startswith("smuggled")
        ):
            wrong.append(f"{case['path']}: came out cut short (no pixel data)")
    wrong += [
        f"{c['path']}: nothing came out"
        for c in cases
        if c["expect"] == "output" and c["path"] not in came
    ]
    return wrong
