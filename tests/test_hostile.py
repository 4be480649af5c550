"""What bad input gets: an error that says so, in bounded time and memory; never a crash.

The bounds are held by the operating system: each attack runs in a process of its own, under
RLIMIT_AS and RLIMIT_CPU, both several times what a sound file of that size needs.
"""

import io
import random
import resource
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

import made
from made import Made, even, fragments, uid
from safelight.deid import profile
from safelight.deid.engine import Engine
from safelight.deid.parts import chunks
from safelight.deid.pseudonyms import ProjectKey
from safelight.errors import LimitExceededError, QuarantineError, SafelightError
from safelight.types import Deidentified, Kind, Original

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
KEY = ProjectKey(b"h" * 32)
MEMORY = 1 << 30
SECONDS = 60
CHILD = """
import sys
sys.path.insert(0, {tests!r})
import test_hostile
print(test_hostile.outcome({path!r}))
"""
HEAD = (
    Made(0x00080016, "UI", uid(made.REPORT)),
    Made(0x00080018, "UI", uid("1.2.826.0.1.5")),
    Made(0x00100010, "PN", b"DOE^JANE"),
    Made(0x00100020, "LO", b"MRN-4711"),
)


def clean(source: str | Original) -> Deidentified:
    engine = Engine(key=KEY, profile=profile.load("share"))
    return engine.deidentify(source, engine.subject([engine.survey(source)]))


def outcome(path: str) -> str:
    """Return the class of the error that a file ends with, or the size of its output."""
    try:
        return str(clean(path).size)
    except SafelightError as error:
        return type(error).__name__


def bounded(tmp_path: Path, data: bytes, *, memory: int = MEMORY) -> str:
    """Clean a file in a process whose memory and time are limited; return how it ended."""
    path = tmp_path / "attack.dcm"
    path.write_bytes(data)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))

    code = CHILD.format(tests=str(Path(__file__).parent), path=str(path))
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout.strip()


def nested(depth: int, *, undefined: bool, syntax: str = made.EXPLICIT_LITTLE) -> bytes:
    """Return a file whose sequences are nested, without recursion of our own."""
    implicit = syntax == made.IMPLICIT_LITTLE
    head = b"\x40\x00\x30\xa7" + (b"" if implicit else b"SQ\0\0")
    item = b"\xfe\xff\x00\xe0"
    opened = head + b"\xff" * 4 + item + b"\xff" * 4
    closed = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    if undefined:
        body = opened * depth + closed * depth
    else:
        body = b""
        sizes = []
        size = 0
        for _ in range(depth):
            sizes.append(size)
            size += len(head) + 4 + 8
        body = b"".join(
            head + (each + 8).to_bytes(4, "little") + item + each.to_bytes(4, "little")
            for each in reversed(sizes)
        )
    return made.File(HEAD, syntax).data() + body


def deflated(body: Iterator[bytes]) -> bytes:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    packed = b"".join(packer.compress(part) for part in body) + packer.flush()
    start = made.File(HEAD, made.DEFLATED).data()
    length = 132 + 12 + int.from_bytes(start[140:144], "little")
    return start[:length] + packed


def bomb() -> bytes:
    """Return a deflated file of a megabyte that holds a gigabyte of zeros as pixel data."""
    size = 1 << 30
    head = made.encode(HEAD) + b"\xe0\x7f\x10\x00OW\0\0" + size.to_bytes(4, "little")
    zeros = bytes(1 << 20)
    return deflated(iter([head, *[zeros] * (size >> 20)]))


def empty_items(count: int, *, odd: bool = False) -> bytes:
    """Return a file with a sequence of so many empty items; perhaps after something odd."""
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * count
    strange = b"\x09\x00\x10\x00??\x04\x00ROE " if odd else b""
    return (
        made.File(HEAD[:2], made.EXPLICIT_LITTLE).data()
        + strange
        + b"\x40\x00\x30\xa7SQ\0\0"
        + len(items).to_bytes(4, "little")
        + items
    )


def many_decimals(*, odd: bool = False) -> bytes:
    value = b"1\\" * (4 << 20)
    strange = b"\x09\x00\x10\x00??\x04\x00ROE " if odd else b""
    start = made.File(HEAD[:2], made.IMPLICIT_LITTLE if not odd else made.EXPLICIT_LITTLE).data()
    if odd:
        body = b"\x18\x00\x40\x93UN\0\0" + len(value).to_bytes(4, "little") + value
    else:
        body = b"\x04\x30\x0c\x00" + len(value).to_bytes(4, "little") + value
    return start + strange + body


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("syntax", [made.EXPLICIT_LITTLE, made.IMPLICIT_LITTLE])
@pytest.mark.parametrize("depth", [33, 65, 250, 100_000])
def test_sequences_nested_too_deep(
    tmp_path: Path, depth: int, syntax: str, *, undefined: bool
) -> None:
    data = nested(depth, undefined=undefined, syntax=syntax)
    assert bounded(tmp_path, data) == "LimitExceededError"


def test_sequences_nested_as_deep_as_allowed() -> None:
    result = clean(Original(nested(32, undefined=True), kind=Kind.DICOM))
    ds = pydicom.dcmread(io.BytesIO(b"".join(bytes(p) for p in result.parts)))
    depth = 0
    while "ContentSequence" in ds:
        ds = ds.ContentSequence[0]
        depth += 1
    assert depth == 32


def test_deflate_bomb(tmp_path: Path) -> None:
    assert bounded(tmp_path, bomb()) == "LimitExceededError"


@pytest.mark.parametrize("odd", [False, True])
def test_a_million_empty_items(tmp_path: Path, *, odd: bool) -> None:
    assert bounded(tmp_path, empty_items(1_000_000, odd=odd)) == "LimitExceededError"


def test_a_million_elements(tmp_path: Path) -> None:
    elements = b"".join(b"\x09\x10" + n.to_bytes(2, "little") + b"LO\0\0" for n in range(65536))
    data = made.File(HEAD[:2], made.EXPLICIT_LITTLE).data() + elements * 16
    assert bounded(tmp_path, data) == "LimitExceededError"


@pytest.mark.parametrize("odd", [False, True])
def test_four_million_values(tmp_path: Path, *, odd: bool) -> None:
    ended = bounded(tmp_path, many_decimals(odd=odd))
    assert ended.isdecimal() or ended in ("LimitExceededError", "UnreadableInputError")


@pytest.mark.parametrize("vr", [b"OB", b"UT", b"SQ", b"UN"])
@pytest.mark.parametrize("tag", [b"\xe0\x7f\x10\x00", b"\x08\x00\x15\x11", b"\x09\x00\x10\x10"])
def test_a_length_of_four_gigabytes_in_a_small_file(tmp_path: Path, tag: bytes, vr: bytes) -> None:
    claim = tag + vr + b"\0\0\xfe\xff\xff\xff"
    data = made.File(HEAD, made.EXPLICIT_LITTLE).data() + claim + b"ROE^RICHARD"
    assert issubclass(_error(bounded(tmp_path, data)), QuarantineError)


def _error(name: str) -> type[Exception]:
    import safelight.errors as found  # noqa: PLC0415 - looked up by name

    return getattr(found, name)


@pytest.mark.parametrize("claimed", [40, 1 << 20, 0xFFFFFFFE])
def test_a_fragment_past_the_end(tmp_path: Path, claimed: int) -> None:
    pixels = fragments(b"") + b"\xfe\xff\x00\xe0" + claimed.to_bytes(4, "little") + bytes(20)
    body = made.File(HEAD, made.RLE).data() + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + pixels
    assert issubclass(_error(bounded(tmp_path, body)), QuarantineError)


def test_fragments_without_an_end(tmp_path: Path) -> None:
    pixels = fragments(b"", made.rle_frame(bytes(20)))
    body = made.File(HEAD, made.RLE).data() + b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + pixels
    assert issubclass(_error(bounded(tmp_path, body)), QuarantineError)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"DICM",
        bytes(132),
        bytes(128) + b"DICM",
        b"Jane Doe's scan\n" * 20,
        b"\xff" * 999,
    ],
    ids=["empty", "a-zero", "prefix-alone", "zeros", "no-data-set", "text", "ones"],
)
def test_what_is_not_dicom(data: bytes) -> None:
    with pytest.raises(QuarantineError):
        clean(Original(data, kind=Kind.DICOM))


@pytest.mark.parametrize("magic", [b"MZ\x90\0", b"\x7fELF", b"II*\0", b"<html>", b"PK\x03\x04"])
def test_a_polyglot_loses_its_preamble(magic: bytes) -> None:
    data = (FOLDER / "CT_small.dcm").read_bytes()
    preamble = (magic + b"DOE^JANE" * 16)[:128]
    result = clean(Original(preamble + data[128:], kind=Kind.DICOM))
    out = b"".join(bytes(chunk) for part in result.parts for chunk in chunks(part))
    assert out[:132] == bytes(128) + b"DICM"
    assert b'"preamble"' in result.manifest


SOUND = (
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_RLE.dcm",
    "reportsi.dcm",
    "SC_rgb_jpeg_dcmtk.dcm",
)
SOUND += ("MR_small_bigendian.dcm", "image_dfl.dcm", "JPEG2000.dcm", "rtplan.dcm")


@pytest.mark.parametrize("name", SOUND)
def test_a_truncated_file_is_never_called_done(name: str, tmp_path: Path) -> None:
    path = tmp_path / "cut.dcm"
    data = (FOLDER / name).read_bytes()
    whole = clean(Original(data, kind=Kind.DICOM)).size
    borders = _borders(data)
    passed = []
    for part in range(1, 50):
        length = len(data) * part // 50
        try:
            path.write_bytes(data[:length])
            result = clean(str(path))
        except SafelightError:
            continue
        if length not in borders:
            passed.append((part, result.size, whole))
    assert passed == []


def dataset(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(data), force=True)


def _borders(data: bytes) -> set[int]:
    """Return where a cut leaves a data set that is sound in itself.

    Between two elements; in an image only before the header speaks of pixels, since a header alone
    is a sound object too.
    """
    ds = dataset(data)
    last = 0x00280010 if "PixelData" in ds else 1 << 32
    raws = [ds.get_item(tag) for tag in ds.keys() if tag < last]  # noqa: SIM118 - not decoded
    ends = {raw.value_tell + raw.length for raw in raws if getattr(raw, "length", -1) >= 0}
    return ends | {
        end + padding
        for end in ends
        for padding in range(1, 8)
        if not any(data[end : end + padding])
    }


MUTATED = ("CT_small.dcm", "MR_small_RLE.dcm", "reportsi.dcm", "image_dfl.dcm", "rtplan.dcm")


def mutants(data: bytes, count: int, rng: random.Random) -> Iterator[bytes]:
    """Yield files with a few bytes changed, cut out, doubled or zeroed."""
    for _ in range(count):
        raw = bytearray(data)
        for _change in range(rng.randint(1, 4)):
            at = rng.randrange(min(len(raw), 4000) if rng.random() < 0.7 else len(raw))
            kind = rng.randrange(5)
            width = rng.choice((1, 2, 4, 8, 16, 64))
            if kind == 0:
                raw[at] ^= 1 << rng.randrange(8)
            elif kind == 1:
                raw[at : at + width] = rng.randbytes(width)
            elif kind == 2:
                del raw[at : at + width]
            elif kind == 3:
                raw[at:at] = raw[at : at + width]
            else:
                raw[at : at + width] = bytes(width)
        yield bytes(raw)


@pytest.mark.parametrize("name", MUTATED)
def test_a_mutant_ends_with_a_reason_or_whole(name: str, tmp_path: Path) -> None:
    path = tmp_path / "mutant.dcm"
    rng = random.Random(f"mutants of {name}")  # noqa: S311 - the same mutants every time
    data = (FOLDER / name).read_bytes()
    whole = clean(Original(data, kind=Kind.DICOM)).size
    engine = Engine(key=KEY, profile=profile.load("share"))
    short = []
    for number, mutant in enumerate(mutants(data, 600, rng)):
        path.write_bytes(mutant)
        try:
            result = engine.deidentify(str(path), engine.subject([engine.survey(str(path))]))
        except SafelightError:
            continue
        if result.size < whole * 0.6:
            short.append((number, result.size, whole))
    assert short == []


def test_bombs_are_what_they_say() -> None:
    assert len(bomb()) < 2 << 20
    assert len(empty_items(1_000_000)) > 8_000_000
    with pytest.raises(LimitExceededError):
        clean(Original(empty_items(100_001), kind=Kind.DICOM))
    assert even("DOE") == b"DOE "
