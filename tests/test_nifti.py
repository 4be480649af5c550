"""NIfTI and its sidecar: texts and people go, image data and acquisition values stay."""

import gzip
import json
import struct
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photo_fixtures import CONTEXT, NEEDLE, RAW, context, holds_needle, joined
from safelight.deid.context import Cleaned, Context
from safelight.deid.nifti import clean, clean_sidecar
from safelight.deid.profile import load
from safelight.errors import (
    LimitExceededError,
    NeedsReviewError,
    SafelightError,
    UnreadableInputError,
)
from safelight.types import Kind, Original

IMAGE = bytes(at % 251 for at in range(4 * 3 * 2 * 2))
SHORT = NEEDLE[:10].encode()


def nifti1(order: str = "<", *, loaded: bool = True, extension: bytes = b"") -> bytes:
    head = bytearray(348)
    struct.pack_into(order + "i", head, 0, 348)
    struct.pack_into(order + "8h", head, 40, 3, 4, 3, 2, 1, 1, 1, 1)
    struct.pack_into(order + "hh", head, 70, 4, 16)
    struct.pack_into(order + "8f", head, 76, 1, 0.5, 0.5, 3, 0, 0, 0, 0)
    offset = 352 + len(extension)
    struct.pack_into(order + "f", head, 108, offset)
    head[38] = ord("r")
    head[344:348] = b"n+1\x00"
    if loaded:
        for at, size in ((4, 10), (14, 18), (148, 80), (228, 24), (328, 16)):
            head[at : at + size] = RAW[:size].ljust(size, b"\x00")
    flag = b"\x01\x00\x00\x00" if extension else bytes(4)
    return bytes(head) + flag + extension + IMAGE


def nifti2(order: str = "<", *, loaded: bool = True) -> bytes:
    head = bytearray(540)
    struct.pack_into(order + "i", head, 0, 540)
    head[4:12] = b"n+2\x00\r\n\x1a\n"
    struct.pack_into(order + "hh", head, 12, 4, 16)
    struct.pack_into(order + "8q", head, 16, 3, 4, 3, 2, 1, 1, 1, 1)
    struct.pack_into(order + "q", head, 168, 544)
    if loaded:
        for at, size in ((240, 80), (320, 24), (508, 16), (525, 15)):
            head[at : at + size] = RAW[:size].ljust(size, b"\x00")
    return bytes(head) + bytes(4) + IMAGE


def extension(text: bytes) -> bytes:
    size = -(-(len(text) + 8) // 16) * 16
    return struct.pack("<ii", size, 6) + text.ljust(size - 8, b"\x00")


def run(data: bytes, kind: Kind = Kind.NIFTI, ctx: Context = CONTEXT) -> tuple[bytes, Cleaned]:
    result = clean(Original(data, kind=kind), ctx)
    return joined(result), result


def named_gzip(data: bytes) -> bytes:
    body = zlib.compress(data)[2:-4]
    head = b"\x1f\x8b\x08\x1c" + struct.pack("<I", 1_700_000_000) + b"\x00\x03"
    extra = struct.pack("<H", len(RAW)) + RAW
    tail = struct.pack("<2I", zlib.crc32(data), len(data))
    return head + extra + RAW + b"\x00" + RAW + b"\x00" + body + tail


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("make", [nifti1, nifti2])
def test_header_texts_go_and_the_image_stays(make, order: str) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001 - one of two makers
    out, result = run(make(order))
    assert out == make(order, loaded=False)
    assert {"descrip", "aux_file", "intent_name"} <= {action.place for action in result.actions}
    assert not holds_needle(out)
    assert SHORT not in out


def test_extensions_are_dropped_and_offsets_stay() -> None:
    data = nifti1(extension=extension(RAW) + extension(b"second " + RAW))
    out, result = run(data)
    assert len(out) == len(data)
    assert out.endswith(IMAGE)
    assert not any(out[348 : -len(IMAGE)])
    assert {"extension 0", "extension 1"} <= {action.place for action in result.actions}


def test_a_damaged_extension_is_dropped_too() -> None:
    out, _ = run(nifti1(extension=b"\xff\xff\xff\x7f" + RAW))
    assert not holds_needle(out)


def test_a_passenger_after_the_image_is_left_behind() -> None:
    out, result = run(nifti1() + RAW)
    assert out == nifti1(loaded=False)
    assert result.actions[-1].place == "after the image"


@pytest.mark.parametrize("tail", [b"", RAW, gzip.compress(RAW, mtime=0)])
def test_a_packed_volume_loses_the_files_name_and_time(tail: bytes) -> None:
    out, result = run(named_gzip(nifti1()) + tail, Kind.NIFTI_GZ)
    assert out[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    assert gzip.decompress(out) == nifti1(loaded=False)
    assert not holds_needle(out)
    assert result.actions[0].place == "gzip header"
    assert run(out, Kind.NIFTI_GZ)[0] == out
    if tail:
        assert result.actions[-1].place == "after the image"


def test_a_packed_volume_in_many_members_is_read_whole() -> None:
    data = nifti1()
    out, _ = run(gzip.compress(data[:200]) + gzip.compress(data[200:]), Kind.NIFTI_GZ)
    assert gzip.decompress(out) == nifti1(loaded=False)


def test_a_bomb_is_refused_in_bounded_memory() -> None:
    head = bytearray(nifti1())
    struct.pack_into("<8h", head, 40, 3, 8192, 8192, 4, 1, 1, 1, 1)
    bomb = gzip.compress(bytes(head) + bytes(1 << 26))
    tracemalloc.start()
    with pytest.raises(LimitExceededError, match="ratio"):
        run(bomb, Kind.NIFTI_GZ)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 25
    with pytest.raises(LimitExceededError):
        run(gzip.compress(nifti1()), Kind.NIFTI_GZ, context(decoded_bytes=100))


def bent(at: int, form: str, *values: float) -> bytes:
    data = bytearray(nifti1())
    struct.pack_into(form, data, at, *values)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (nifti1()[:-1], "truncated"),
        (nifti1()[:300], "truncated"),
        (bent(108, "<f", 10.0), "inside the header"),
        (bent(108, "<f", float("nan")), "inside the header"),
        (bent(108, "<f", 1e9), "truncated"),
        (bent(40, "<h", 9), "out of range"),
        (bent(42, "<h", -4), "out of range"),
    ],
)
def test_malformed_volumes_are_unreadable(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableInputError, match=reason):
        run(data)


@pytest.mark.parametrize(("kind", "bits"), [(4, 7), (2, 16), (4, 8), (0, 16), (99, 16)])
def test_an_image_whose_size_is_in_doubt_waits_for_a_person(kind: int, bits: int) -> None:
    with pytest.raises(NeedsReviewError):
        run(bent(70, "<hh", kind, bits))


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08", named_gzip(nifti1())[:-20], b"\x1f\x8b" * 40])
def test_a_damaged_gzip_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableInputError):
        run(data, Kind.NIFTI_GZ)


@given(
    st.booleans(),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=3),
    st.floats(0, 1),
)
def test_a_bent_volume_raises_nothing_but_safelight_errors(
    packed: bool,  # noqa: FBT001 - drawn
    patches: list[tuple[float, bytes]],
    cut: float,
) -> None:
    data = named_gzip(nifti1()) if packed else nifti1(extension=extension(RAW))
    for part, patch in patches:
        at = int(part * len(data))
        data = data[:at] + patch + data[at + len(patch) :]
    for form in (data, data[: int(cut * len(data))]):
        try:
            out, result = run(form, Kind.NIFTI_GZ if packed else Kind.NIFTI)
        except SafelightError:
            continue
        assert len(out) <= len(form) + 64
        assert NEEDLE not in repr(result.actions)


# --- sidecar

PLAIN = {
    "Modality": "MR",
    "MagneticFieldStrength": 3,
    "EchoTime": 0.00456,
    "RepetitionTime": 2.3,
    "SliceTiming": [0.0, 1.0725, 0.0825],
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
    "PhaseEncodingDirection": "j-",
    "PatientPosition": "HFS",
    "PatientSex": "F",
    "PatientWeight": 64,
    "AcquisitionTime": "10:11:12.340000",
    "ProtocolName": "T1 MPRAGE SAGITTAL",
    "Manufacturer": "Siemens",
}
PERSONAL = {
    "PatientName": NEEDLE,
    "PatientID": "MRN-778899",
    "PatientBirthDate": "1950-03-04",
    "AccessionNumber": "A123456",
    "InstitutionName": "Mercy " + NEEDLE,
    "InstitutionAddress": "1 Main Street",
    "StationName": "MR-" + NEEDLE,
    "DeviceSerialNumber": "45123",
    "ReferringPhysicianName": "Roe^Richard",
    "OperatorsName": NEEDLE,
    NEEDLE: "a key that names someone",
    "BidsGuess": ["anat", "_acq-" + NEEDLE],
    "ImageComments": "scan of " + NEEDLE,
    "SubjectNumber": 4455667788,
}


def sidecar(value: object, ctx: Context = CONTEXT) -> tuple[dict[str, object], Cleaned]:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    result = clean_sidecar(Original(data, kind=Kind.SIDECAR), ctx)
    return json.loads(joined(result)), result


def test_acquisition_values_stay() -> None:
    out, result = sidecar(PLAIN)
    assert out == PLAIN
    assert not result.actions


def test_people_sites_and_machines_go() -> None:
    out, result = sidecar(PLAIN | PERSONAL)
    assert set(out) - set(PLAIN) <= {"BidsGuess", "ImageComments"}
    text = json.dumps(out)
    for value in (NEEDLE, "ZQXDOE", "JANEVA", "Roe", "Mercy", "Main", "778899", "45123", "445566"):
        assert value not in text
    told = repr(result.actions)
    assert NEEDLE not in told
    assert "'PatientName'" in told
    assert "(unknown key)" in told


def test_nested_values_are_cleaned_too() -> None:
    out, _ = sidecar({"Modality": "MR", "Raw": {"Inner": [{"PatientName": NEEDLE, "EchoTime": 1}]}})
    assert out == {"Modality": "MR", "Raw": {"Inner": [{"EchoTime": 1}]}}


def test_uids_are_replaced_and_known_ones_stay() -> None:
    ct, mine = "1.2.840.10008.5.1.4.1.1.4", "1.3.12.2.1107.5.2.43.66012.1"
    out, _ = sidecar(
        {"SOPClassUID": ct, "SeriesInstanceUID": mine, "ConversionSoftwareVersion": "1"}
    )
    assert out["SOPClassUID"] == ct
    assert out["SeriesInstanceUID"] == CONTEXT.key.uid(mine)


def test_dates_move_and_times_stay() -> None:
    value = {
        "AcquisitionDateTime": "2024-05-06T10:11:12.340000",
        "AcquisitionDate": "20240506",
        "SeriesTime": "101112",
        "ContentDate": "2024-13-45",
    }
    out, _ = sidecar(value)
    assert out == {
        "AcquisitionDateTime": "2024-01-27T10:11:12.340000",
        "AcquisitionDate": "20240127",
        "SeriesTime": "101112",
        "ContentDate": "",
    }


def with_profile(name: str) -> Context:
    return Context(
        key=CONTEXT.key, profile=load(name), subject=CONTEXT.subject, limits=CONTEXT.limits
    )


def test_the_profile_decides_on_dates_and_characteristics() -> None:
    value = {"PatientSex": "F", "PatientPosition": "HFS", "AcquisitionDate": "2024-05-06"}
    out, _ = sidecar(value, with_profile("strict"))
    assert out == {"PatientPosition": "HFS", "AcquisitionDate": ""}


@pytest.mark.parametrize(("age", "kept"), [("045Y", "045Y"), ("093Y", "090Y"), (94, 90), (33, 33)])
def test_ages_over_89_become_90(age: object, kept: object) -> None:
    assert sidecar({"PatientAge": age})[0] == {"PatientAge": kept}


@pytest.mark.parametrize(
    "data", [b"", b"[1]", b"{", b'{"a": \xff}', b'"text"', b"{" + b'"a":{' * 20 + b"}" * 20]
)
def test_what_is_no_sidecar_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableInputError):
        sidecar(data)


def test_bombs_of_nesting_and_values_reach_the_limit() -> None:
    with pytest.raises(LimitExceededError):
        sidecar(b'{"Modality":' + b"[" * 5000 + b"]" * 5000 + b"}")
    with pytest.raises(LimitExceededError):
        sidecar({"SliceTiming": [0.5] * 200}, context(values=100))
    with pytest.raises(LimitExceededError):
        sidecar({"Modality": "M" * 200}, context(value_bytes=100))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=12), JSON, max_size=4))
def test_any_json_object_is_cleaned_and_names_nobody(value: dict[str, object]) -> None:
    out, _ = sidecar(value | {"Note": [NEEDLE]})
    assert "ZQXDOE" not in json.dumps(out)
