"""Decode damaged copies of DICOM files and count what went wrong: it must be nothing.

Usage: ``python scripts/fuzz_codecs.py --mutations 100000 --seed 1 [--data DIR]``. The seeds are the
files inside pydicom's wheel, and those of DIR. Every mutant must end as frames of the promised
size or as a typed error. Exit status 1 on a death, a hang, an empty or wrong-size result, or an
error without a type.
"""

import argparse
import collections
import contextlib
import functools
import json
import os
import random
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pydicom

from safelight.dicomio.codecs import PixelFormat, PixelSource, encode, open_pixels
from safelight.dicomio.codecs.guard import guard
from safelight.dicomio.envelope import inflate, read_envelope
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import Budget, Element, Walker
from safelight.errors import SafelightError, UnreadableInputError

LIMITS = Limits()
PIXELS = {0x7FE00010: b"OW", 0x7FE00008: b"OF", 0x7FE00009: b"OD"}
MOST_BYTES = 2_000_000  # of a seed and of its frames: larger ones only cost time
FRAMES = 3  # of a mutant that are decoded
PATIENCE = 300  # seconds after which one mutant counts as a hang
BATCH = 2_000  # mutants to a worker
SYNTAXES = [
    *(f"1.2.840.10008.1.2.4.{last}" for last in (57, 70, 80, 90, 91, 110, 112, 201, 202, 203)),
    *("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.1.98"),
]


def bundled(folder: Path | None = None) -> list[Path]:
    """Return the files inside pydicom's own wheel, or those of a folder."""
    where = folder or Path(pydicom.__file__).parent / "data"
    return sorted(path for path in where.rglob("*") if path.is_file())


def parse(data: bytes) -> tuple[bytes, dict[int, Element], str, bool]:
    """Return the data set's bytes, its top-level elements by tag, the syntax and the byte order."""
    envelope = read_envelope(data, LIMITS)
    start = envelope.start
    if envelope.encoding.deflated:
        data, start = inflate(data, start, LIMITS), 0
    walker = Walker(implicit=envelope.encoding.implicit, big=envelope.encoding.big)
    found = walker.elements(data, start, len(data), Budget(LIMITS))
    return data, {one[0]: one for one in found}, envelope.syntax, envelope.encoding.big


def open_file(data: bytes, *, changes: dict[str, Any] | None = None) -> PixelSource:
    """Return the pixel data of one DICOM file; some of what its header says may be changed.

    Raises:
        SafelightError: The file or its header cannot be read, or it has no pixel data.
    """
    data, elements, syntax, big = parse(data)
    tag = next((one for one in PIXELS if one in elements), 0)
    if not tag:
        raise UnreadableInputError("no pixel data")
    _tag, vr, _start, value, value_stop, stop = elements[tag]
    vr = (vr if tag == 0x7FE00010 else b"") or PIXELS[tag]
    form = replace(_form(data, elements, big=big), syntax=syntax, vr=vr)
    table = None
    if 0x7FE00001 in elements:
        _, _, _, first, last, _ = elements[0x7FE00001]
        table = [int.from_bytes(data[at : at + 8], "little") for at in range(first, last - 7, 8)]
    return open_pixels(
        data,
        value=value,
        stop=value_stop,
        encapsulated=stop != value_stop,
        form=replace(form, **(changes or {})),
        limits=LIMITS,
        offsets=table,
    )


def _form(data: bytes, elements: dict[int, Element], *, big: bool) -> PixelFormat:
    def raw(tag: int) -> bytes:
        return bytes(data[elements[tag][3] : elements[tag][4]]) if tag in elements else b""

    def number(tag: int, default: int) -> int:
        found = raw(tag)[:2]
        return int.from_bytes(found, "big" if big else "little") if len(found) == 2 else default

    frames = raw(0x00280008).strip(b" \0")
    if frames and not frames.isdigit():
        raise UnreadableInputError("the frame count is no number", place="(0028,0008)")
    allocated = number(0x00280100, 8)
    stored = number(0x00280101, allocated)
    return PixelFormat(
        rows=number(0x00280010, 0),
        columns=number(0x00280011, 0),
        samples=number(0x00280002, 1),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=number(0x00280102, stored - 1),
        signed=number(0x00280103, 0) == 1,
        planar=number(0x00280006, 0),
        photometric=raw(0x00280004).decode("latin-1").strip(" \0") or "MONOCHROME2",
        frames=int(frames or b"1"),
        big_endian=big,
    )


def flip(dice: random.Random, data: bytearray, low: int, high: int) -> None:
    """Change a few bytes to anything."""
    for _ in range(dice.choice((1, 1, 2, 4, 16, 64))):
        data[dice.randrange(low, high)] = dice.randrange(256)


def extreme(dice: random.Random, data: bytearray, low: int, high: int) -> None:
    """Put a number that programs trip over: 0, 1, the largest, the smallest."""
    at = dice.randrange(low, high)
    width = dice.choice((1, 2, 4))
    number = dice.choice((0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF))
    raw = (number & ((1 << 8 * width) - 1)).to_bytes(width, dice.choice(("little", "big")))
    data[at : at + width] = raw


def cut(dice: random.Random, data: bytearray, low: int, high: int) -> None:
    """Break the file off."""
    del data[dice.randrange(low, high) :]


def drop(dice: random.Random, data: bytearray, low: int, high: int) -> None:
    """Take a run out."""
    at = dice.randrange(low, high)
    del data[at : at + dice.choice((1, 2, 3, 8, 100, 4096))]


def insert(dice: random.Random, data: bytearray, low: int, high: int) -> None:
    """Put a run in: noise, zeros, or a piece of the same file."""
    size = dice.choice((1, 2, 3, 8, 100, 4096))
    start = dice.randrange(low, high)
    run = dice.choice((dice.randbytes(size), bytes(size), bytes(data[start : start + size])))
    at = dice.randrange(low, high)
    data[at:at] = run


def swap(dice: random.Random, data: bytearray, low: int, high: int) -> None:
    """Copy one place over another."""
    size = dice.choice((2, 16, 256))
    here, there = dice.randrange(low, high), dice.randrange(low, high)
    data[here : here + size] = data[there : there + size]


def marker(dice: random.Random, data: bytearray, low: int, high: int) -> None:
    """Change a byte right behind an FF, where codestreams keep their structure."""
    at = data.find(0xFF, dice.randrange(low, high))
    if 0 <= at < len(data) - 8:
        data[at + dice.randrange(1, 8)] = dice.choice((0, 1, 0x51, 0x90, 0xC0, 0xD9, 0xFF))


MUTATIONS = (flip, extreme, cut, drop, insert, swap, marker)


def lies(dice: random.Random, form: PixelFormat) -> dict[str, Any]:
    """Return a header that differs from the pixels in one thing, or in a few."""
    found: dict[str, Any] = {}
    for _ in range(dice.choice((1, 1, 2, 3))):
        name = dice.choice(
            ("rows", "columns", "samples", "bits_allocated", "bits_stored", "frames", "signed")
        )
        found[name] = {
            "rows": dice.choice((0, 1, form.rows + 1, form.rows * 2, form.columns, 65535)),
            "columns": dice.choice((0, 1, form.columns - 1, form.rows, 65535)),
            "samples": dice.choice((0, 1, 2, 3, 4, 65535)),
            "bits_allocated": dice.choice((1, 8, 12, 16, 32, 64)),
            "bits_stored": dice.choice((0, 1, 8, 12, 16, 255)),
            "frames": dice.choice((0, 1, 2, form.frames + 1, 1_000_000)),
            "signed": not form.signed,
        }[name]
    if dice.random() < 0.1:
        found["photometric"] = dice.choice(("RGB", "YBR_FULL_422", "PALETTE COLOR", ""))
    if "bits_stored" in found or "bits_allocated" in found:
        found["high_bit"] = found.get("bits_stored", form.bits_stored) - 1
    return found


def mutate(dice: random.Random, seed: bytes, low: int, high: int) -> bytes:
    """Return a damaged copy: mostly in the pixel data, at times anywhere."""
    data = bytearray(seed)
    if dice.random() < 0.1:
        low, high = min(132, high // 2), len(data)
    elif dice.random() < 0.4:  # heads are where structure is
        high = min(high, low + 700)
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        high = min(high, len(data))
        if low + 1 >= high:
            break
        dice.choice(MUTATIONS)(dice, data, low, high)
    return bytes(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """Something that decodes, to be damaged.

    Attributes:
        name: For the report.
        data: A whole file; empty for a codestream that was made here.
        low: Where its pixel data begins.
        high: Where it ends.
        form: What its header says.
        frames: The codestreams of its first frames; none if it is not compressed.
    """

    name: str
    data: bytes
    low: int
    high: int
    form: PixelFormat
    frames: list[bytes]

    def mutant(self, dice: random.Random) -> Callable[[], PixelSource]:
        """Return what opens a damaged copy: of the file, its header, or inside its frames."""
        dodge = dice.random()
        if self.frames and (dodge < 0.6 or not self.data):
            broken = [mutate(dice, one, 0, len(one)) for one in self.frames]
            changes = lies(dice, self.form) if dodge < 0.05 else {}
            return functools.partial(open_frames, broken, self.form, changes)
        if dodge > 0.85:
            return functools.partial(open_file, self.data, changes=lies(dice, self.form))
        return functools.partial(open_file, mutate(dice, self.data, self.low, self.high))


def open_frames(frames: list[bytes], form: PixelFormat, changes: dict[str, Any]) -> PixelSource:
    """Open codestreams as encapsulated pixel data, one fragment for each frame."""
    parts = [b"", *(one + bytes(len(one) % 2) for one in frames)]
    value = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<L", len(one)) + one for one in parts)
    form = replace(form, **{"frames": len(frames), **changes})
    return open_pixels(value, value=0, stop=len(value), encapsulated=True, form=form, limits=LIMITS)


def load(folders: list[Path | None]) -> list[Seed]:
    """Return the files that decode, those with compressed frames four times, and made frames."""
    found = made()
    for folder in folders:
        for path in bundled(folder):
            data = path.read_bytes()
            with contextlib.suppress(SafelightError):
                source = open_file(data)
                if len(data) > MOST_BYTES or source.form.frame_bytes > MOST_BYTES:
                    continue
                source.frame(0)
                low, high = source.encoded(0)[0][0], source.encoded(len(source) - 1)[-1][1]
                frames = []
                if source.compressed:
                    low -= 16  # the item's own header and the offset table before it
                    frames = [source.codestream(at) for at in range(min(len(source), 2))]
                seed = Seed(
                    name=path.name, data=data, low=low, high=high, form=source.form, frames=frames
                )
                found += [seed] * (4 if frames else 1)
    return found


def made() -> list[Seed]:
    """Return frames in the syntaxes that pydicom's files lack or have few of."""
    found = []
    noise = np.random.default_rng(1)
    shade = np.add.outer(np.arange(40), np.arange(52))
    for syntax in SYNTAXES:
        for samples, bits in ((1, 8), (1, 12), (3, 8)):
            form = PixelFormat(
                rows=40,
                columns=52,
                samples=samples,
                bits_allocated=8 if bits == 8 else 16,
                bits_stored=bits,
                high_bit=bits - 1,
                photometric="MONOCHROME2" if samples == 1 else "RGB",
                syntax=syntax,
            )
            grey = (shade if samples == 1 else shade[..., None]) * (1 << bits - 8) * 2
            frame = (grey + noise.integers(0, 9, form.shape)).astype(form.dtype)
            coded = encode(frame, form)
            if syntax.endswith("8.1"):
                stream = zlib.compressobj(wbits=-15)
                coded = stream.compress(coded) + stream.flush()
            name = f"made {syntax} {samples} {bits}"
            found.append(Seed(name=name, data=b"", low=0, high=0, form=form, frames=[coded] * 2))
    return found


def outcome(opened: Callable[[], PixelSource]) -> str:
    """Return how one mutant ended, in a word or two; ``BAD`` begins what must never happen."""
    try:
        source = opened()
        if len(source) != source.form.frames:
            return "BAD: another number of frames"
        for index in range(min(len(source), FRAMES)):
            frame = source.frame(index)
            if not frame.size:
                return "BAD: an empty frame"
            if frame.shape != source.form.shape or frame.dtype != source.form.dtype:
                return "BAD: a frame of another size"
            source.colour(index)
    except SafelightError as error:
        return f"{type(error).__name__}: {error.what.split(' (')[0]}"
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        return f"BAD: {type(error).__name__} without a type"
    return "decoded"


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of a run of mutants.

    Attributes:
        results: How many ended in each way.
        slowest: Seconds of the slowest one.
        example: Which that was.
        decoders: Decoder processes that died and were replaced.
    """

    results: dict[str, int]
    slowest: float = 0.0
    example: str = ""
    decoders: int = 0


def run(seeds: list[Seed], numbers: range, *, seed: int) -> Tally:
    """Open and decode these mutants; the same numbers and seed give the same ones again."""
    tally = Tally(results={}, decoders=-guard().started)
    for number in numbers:
        dice = random.Random(f"{seed}/{number}")  # noqa: S311 - repeatable, not secret
        chosen = dice.choice(seeds)
        mutant = chosen.mutant(dice)
        signal.alarm(PATIENCE)
        begun = time.monotonic()
        found = outcome(mutant)
        signal.alarm(0)
        took = time.monotonic() - begun
        if took > tally.slowest:
            tally.slowest, tally.example = took, f"{chosen.name}, mutant {number}"
        if found.startswith("BAD"):
            print(f"{found}: {chosen.name}, mutant {number}", file=sys.stderr)
        tally.results[found] = tally.results.get(found, 0) + 1
    tally.decoders += guard().started
    return tally


def main() -> NoReturn:
    """Run workers one after the other; each stands for a service that must not die."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folders: list[Path | None] = [None, *([options.data] if options.data else [])]
    if options.worker:
        first, count = struct.unpack("<QQ", bytes.fromhex(options.worker))
        tally = run(load(folders), range(first, first + count), seed=options.seed)
        print(json.dumps(asdict(tally)))
        sys.exit(0)
    totals: collections.Counter[str] = collections.Counter()
    deaths = hangs = decoders = 0
    slowest, example, begun = 0.0, "", time.monotonic()
    for first in range(0, options.mutations, BATCH):
        count = min(BATCH, options.mutations - first)
        worker = struct.pack("<QQ", first, count).hex()
        command = [sys.executable, os.path.abspath(__file__), *sys.argv[1:], "--worker", worker]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        hangs += done.returncode == -signal.SIGALRM
        deaths += done.returncode not in (0, -signal.SIGALRM)
        if done.returncode == 0:
            one = json.loads(done.stdout)
            totals.update(one["results"])
            decoders += one["decoders"]
            slowest, example = max((slowest, example), (one["slowest"], one["example"]))
    bad = sum(count for name, count in totals.items() if name.startswith("BAD"))
    for name, count in totals.most_common():
        print(f"{count:8d}  {name}")
    print(f"{totals.total()} mutants, seed {options.seed}, {time.monotonic() - begun:.0f} s")
    print(f"deaths {deaths}, hangs {hangs}, empty, wrong-size or untyped {bad}")
    print(f"decoders lost and replaced {decoders}, slowest mutant {slowest:.1f} s ({example})")
    sys.exit(1 if deaths or hangs or bad else 0)


if __name__ == "__main__":
    main()
