"""Codestreams that lie, break off or are something else: each refused, with its reason."""

import subprocess
import sys
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pixel_fixtures import JPEG, bundled, encapsulated, read
from safelight.dicomio.codecs import PixelFormat, encode
from safelight.dicomio.codecs.headers import read_header
from safelight.errors import LimitExceededError, SafelightError, UnreadableInputError
from scripts import fuzz_codecs

RLE = "1.2.840.10008.1.2.5"
DEFLATED_FRAME = "1.2.840.10008.1.2.8.1"
FORM = PixelFormat(rows=40, columns=52, bits_allocated=16, bits_stored=12, high_bit=11)
FRAME = np.add.outer(np.arange(40) * 31, np.arange(52) * 17).astype(np.uint16) % 4096
CODED = {last: encode(FRAME, FORM, syntax=JPEG + last) for last in ("70", "80", "90", "201", "110")}
CODED["rle"] = encode(FRAME, FORM, syntax=RLE)


def form_of(last: str) -> PixelFormat:
    """Return the header that fits a codestream above."""
    return replace(FORM, syntax=RLE if last == "rle" else JPEG + last)


@pytest.mark.parametrize(
    ("last", "end"),
    [
        *((last, b"") for last in CODED),
        *((last, b"\xff\xd9") for last in ("70", "80", "90", "201")),
    ],
)
def test_a_truncated_stream_is_never_repaired_in_silence(last: str, end: bytes) -> None:
    coded = CODED[last].rstrip(b"\0")
    odd = () if last == "rle" else (len(coded) - 1, len(coded) - 3)  # a pad may be its last pixel
    for cut in {*range(2, len(coded), 38), *odd}:
        try:
            frame = encapsulated(form_of(last), coded[:cut] + end).frame(0)
        except SafelightError:
            continue
        assert np.array_equal(frame, FRAME), cut  # nothing but the end marker was lost


@pytest.mark.parametrize("name", ["SC_rgb_dcmtk_+eb+cr.dcm", "JPGExtended.dcm", "JPEG-lossy.dcm"])
def test_a_truncated_lossy_stream_is_told(name: str) -> None:
    source = read(bundled()[name])
    coded = source.codestream(0)
    coded = coded[: coded.rindex(b"\xff\xd9")]
    whole = source.frame(0)
    assert np.array_equal(encapsulated(source.form, coded).frame(0), whole)  # the marker alone
    for part in (0.3, 0.6, 0.9, 0.99):
        for end in (b"", b"\xff\xd9"):
            short = coded[: int(part * len(coded))] + end
            with pytest.raises(UnreadableInputError, match="truncated"):
                encapsulated(source.form, short).frame(0)


@pytest.mark.parametrize("last", [one for one in CODED if one != "rle"])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rows": 41}, "its size"),
        ({"columns": 1024}, "its size"),
        ({"rows": 52, "columns": 40}, "its size"),
        ({"samples": 3, "photometric": "RGB"}, "its components"),
        ({"bits_allocated": 8, "bits_stored": 8, "high_bit": 7}, "deeper"),
    ],
)
def test_a_header_that_does_not_fit_its_codestream(
    last: str, changes: dict[str, Any], reason: str
) -> None:
    form = replace(form_of(last), **changes)
    with pytest.raises(UnreadableInputError, match=reason):
        encapsulated(form, CODED[last]).frame(0)


def test_three_components_that_are_labelled_as_one() -> None:
    """This input kills gdcm; here it is compared before a decoder sees it."""
    colour = PixelFormat(rows=16, columns=16, samples=3, photometric="RGB")
    coded = encode(np.zeros((16, 16, 3), np.uint8), colour, syntax=JPEG + "90")
    grey = PixelFormat(rows=16, columns=16, syntax=JPEG + "90")
    with pytest.raises(UnreadableInputError, match="its components"):
        encapsulated(grey, coded).frame(0)


@pytest.mark.parametrize("last", [one for one in CODED if one != "rle"])
@pytest.mark.parametrize("other", ["50", "81", "91", "112"])
def test_a_codestream_in_another_syntax(last: str, other: str) -> None:
    kin = {"70": "50", "80": "81", "90": "91", "201": "91", "110": "112"}
    form = replace(FORM, syntax=JPEG + other)
    if kin[last] == other:
        assert np.array_equal(encapsulated(form, CODED[last]).frame(0), FRAME)
        return
    with pytest.raises(UnreadableInputError, match="transfer syntax says"):
        encapsulated(form, CODED[last]).frame(0)


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        ("70", b"\xff\xd8\xff\xc3\0\x0b\x0c\xff\xdc\xff\xdc\1\1\x11\0\xff\xda\0\x08\1\1\0\1\0\0"),
        ("80", b"\xff\xd8\xff\xf7\0\x0b\x0c\xff\xdc\xff\xdc\1\1\x11\0\xff\xda\0\x08\1\1\0\0\0\0"),
        (
            "90",
            b"\xff\x4f\xff\x51\0\x29\0\0\0\0\xff\xdc\0\0\xff\xdc" + bytes(8) + b"\0\0\xff\xdc\0\0"
            b"\xff\xdc" + bytes(8) + b"\0\1\x0b\1\1\xff\x52\0\x0c\0\0\0\1\0\0\4\4\0\1\xff\x90",
        ),
    ],
)
def test_giants_are_refused_before_memory_is_taken(kind: str, head: bytes) -> None:
    coded = head + bytes(40) + b"\xff\xd9"
    with pytest.raises(UnreadableInputError):
        encapsulated(replace(FORM, syntax=JPEG + kind), coded).frame(0)
    giant = replace(FORM, rows=65_500, columns=65_500, syntax=JPEG + kind)
    with pytest.raises(LimitExceededError, match="decoded_bytes"):
        encapsulated(giant, coded)


def test_a_deflated_frame_never_unpacks_to_more_than_a_frame() -> None:
    form = replace(FORM, syntax=DEFLATED_FRAME)
    raw = FRAME.tobytes()
    for wbits in (-15, 15):
        stream = zlib.compressobj(wbits=wbits)
        coded = stream.compress(raw) + stream.flush()
        assert np.array_equal(encapsulated(form, coded).frame(0), FRAME)
    for wrong in (raw[:-1], raw + bytes(4), raw + bytes(50 << 20)):
        stream = zlib.compressobj(wbits=-15)
        coded = stream.compress(wrong) + stream.flush()
        with pytest.raises(UnreadableInputError):
            encapsulated(form, coded).frame(0)
    with pytest.raises(UnreadableInputError, match="truncated"):
        encapsulated(form, coded[:40]).frame(0)
    with pytest.raises(UnreadableInputError, match="unpack"):
        encapsulated(form, b"\xff" * 40).frame(0)


@pytest.mark.parametrize(
    "coded",
    [
        b"",
        b"\1\0\0\0",
        bytes(64),
        b"\2\0\0\0\x40\0\0\0\x30\0\0\0" + bytes(60),
        b"\3\0\0\0\x40\0\0\0\x44\0\0\0\x48\0\0\0" + bytes(60),
        b"\2\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(60),
    ],
)
def test_rle_headers_that_lie(coded: bytes) -> None:
    with pytest.raises(UnreadableInputError):
        encapsulated(form_of("rle"), coded, b"").frame(0)


def test_an_rle_segment_that_is_too_short() -> None:
    coded = b"\2\0\0\0\x40\0\0\0\x42\0\0\0" + bytes(52) + b"\x81\7\x81\7"
    with pytest.raises(UnreadableInputError, match="truncated"):
        encapsulated(form_of("rle"), coded).frame(0)


def test_an_image_that_turns_itself_is_refused() -> None:
    turned = bytearray(CODED["110"])
    bits = int.from_bytes(turned[:16], "little")
    low = 16 + 1 + 2 + 9 + 3 + 2 + 9  # signature, sizes of 9 bits each, a ratio of none
    assert not bits >> low & 3  # all_default and extra_fields
    bits |= 0b1010 << low  # extra_fields, and an orientation
    turned[:16] = bits.to_bytes(16, "little")
    with pytest.raises(UnreadableInputError, match="turned"):
        read_header(bytes(turned), form_of("110"))


def test_headers_that_were_made_here_are_read_right() -> None:
    for last in CODED.keys() - {"rle"}:
        header = read_header(CODED[last], form_of(last))
        found = (header.rows, header.columns, header.samples, header.precision)
        assert found == (40, 52, 1, 12)
        assert header.whole
        assert not header.signed


def test_damaged_copies_end_as_frames_or_as_typed_errors() -> None:
    """A small share of what ``scripts/fuzz_codecs.py`` runs a hundred thousand of."""
    seeds = fuzz_codecs.load([None])
    results = fuzz_codecs.run(seeds, range(400), seed=7).results
    assert sum(results.values()) == 400
    assert [found for found in results if found.startswith("BAD")] == []
    assert 20 < results["decoded"] < 380


def test_the_command_counts_every_mutant() -> None:
    command = [sys.executable, fuzz_codecs.__file__, "--mutations", "12", "--seed", "5"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "12 mutants, seed 5" in run.stdout
    assert "deaths 0, hangs 0, empty, wrong-size or untyped 0" in run.stdout
