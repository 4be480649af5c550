"""What stands around a data set: read with doubt, written anew."""

import io
import zlib

import pydicom
import pytest

import made
from made import File, Made, uid
from safelight.dicomio.envelope import inflate, read_envelope, write_meta
from safelight.dicomio.limits import Limits
from safelight.dicomio.syntax import encoding_of, is_video
from safelight.errors import LimitExceededError, UnreadableInputError

BODY = (Made(0x00080016, "UI", uid(made.CT)), Made(0x00100010, "PN", b"DOE^JANE"))


def read(data: bytes) -> tuple[str, int, tuple[str, ...], bool]:
    found = read_envelope(data, Limits())
    return found.syntax, found.start, found.dropped, found.preamble


@pytest.mark.parametrize("syntax", made.SYNTAXES)
def test_what_is_written_is_read_again(syntax: str) -> None:
    data = File(BODY, syntax).data()
    start = len(write_meta(syntax=syntax, sop_class=made.CT, sop_uid="1.2.3", version="ROE 1"))
    assert read(data) == (syntax, start, (), False)


def test_the_meta_information_names_nothing_but_the_object() -> None:
    meta = write_meta(
        syntax=made.EXPLICIT_LITTLE, sop_class=made.CT, sop_uid="2.25.7", version="SAFELIGHT 1"
    )
    ds = pydicom.dcmread(io.BytesIO(meta)).file_meta
    assert ds.FileMetaInformationGroupLength == len(meta) - 144
    assert ds.MediaStorageSOPInstanceUID == "2.25.7"
    assert ds.TransferSyntaxUID == made.EXPLICIT_LITTLE
    assert ds.ImplementationVersionName == "SAFELIGHT 1"
    assert ds.ImplementationClassUID.startswith("2.25.")
    assert len(ds) == 7


def test_a_preamble_is_noted() -> None:
    data = File(BODY, made.EXPLICIT_LITTLE).data()
    assert read(b"II*\0" + data[4:])[3]


@pytest.mark.parametrize("uid_of_the_second", ["1.2.4", "1.2.345", "1.2.3"])
def test_what_was_read_before_changes_nothing(uid_of_the_second: str) -> None:
    """The second file differs in its UID, and in what follows the meta information."""
    first, second = (
        write_meta(syntax=made.EXPLICIT_LITTLE, sop_class=made.CT, sop_uid=text, version="ROE 1")
        for text in ("1.2.3", uid_of_the_second)
    )
    body = made.encode(BODY)
    more = b"\x02\x00\x16\x00AE\x06\x00ROE_AE"
    assert read(first + body) == (made.EXPLICIT_LITTLE, len(first), (), False)
    assert read(second + body) == (made.EXPLICIT_LITTLE, len(second), (), False)
    assert read(second + more + body)[1:3] == (len(second + more), ("(0002,0016)",))
    assert read(b"MZ" + second[2:] + body)[3]
    implicit = second.replace(
        b"UI\x14\x001.2.840.10008.1.2.1\0", b"UI\x14\x001.2.840.10008.1.2\0\0\0"
    )
    assert read(implicit + body)[0] == "1.2.840.10008.1.2"


def test_further_meta_elements_are_dropped_by_place() -> None:
    data = File(BODY, made.EXPLICIT_LITTLE).data()
    extra = b"\x02\x00\x16\x00AE\x06\x00ROE_AE" + b"\x02\x00\x00\x01UI\x04\x001.2\0"
    start = read(data)[1]
    found = read(data[:start] + extra + data[start:])
    assert found == (
        made.EXPLICIT_LITTLE,
        start + len(extra),
        ("(0002,0016)", "(0002,0100)"),
        False,
    )


@pytest.mark.parametrize(
    ("implicit", "big", "syntax"),
    [
        (False, False, made.EXPLICIT_LITTLE),
        (True, False, made.IMPLICIT_LITTLE),
        (False, True, made.EXPLICIT_BIG),
    ],
)
@pytest.mark.parametrize("head", [b"", bytes(128) + b"DICM"], ids=["bare", "with-prefix"])
def test_a_missing_meta_information_is_concluded(
    head: bytes, syntax: str, *, implicit: bool, big: bool
) -> None:
    body = made.encode(BODY, implicit=implicit, big=big)
    assert read(head + body) == (syntax, len(head), (), False)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x02\0", b"plain text, not an image", bytes(128) + b"DICM", bytes(200), b"\xff" * 200],
)
def test_what_is_not_dicom(data: bytes) -> None:
    with pytest.raises(UnreadableInputError):
        read(data)


@pytest.mark.parametrize(
    "syntax",
    ["1.2.3.4", "1.2.840.10008.1.2.4.DOE^JANE", "1.2.840.10008.1.2.4.", "1.2.840.10008.1.2.4.5.6"],
)
def test_an_unknown_syntax(syntax: str) -> None:
    assert encoding_of(syntax) is None
    with pytest.raises(UnreadableInputError, match="transfer syntax"):
        read(File(BODY, syntax).data())


def test_known_syntaxes() -> None:
    for each in pydicom.uid.AllTransferSyntaxes:
        found = encoding_of(each)
        if str(each).startswith("1.2.840.10008.1.2.7"):  # real-time video over a network, no file
            continue
        assert found is not None, each
        assert found.implicit == each.is_implicit_VR
        assert found.big == (not each.is_little_endian)
        assert found.deflated == each.is_deflated
        assert found.encapsulated == each.is_encapsulated
    assert is_video("1.2.840.10008.1.2.4.102")
    assert is_video("1.2.840.10008.1.2.4.100.1")
    assert not is_video("1.2.840.10008.1.2.4.90")


def test_damaged_meta_information() -> None:
    data = bytearray(File(BODY, made.EXPLICIT_LITTLE).data())
    data[148:150] = b"??"
    with pytest.raises(UnreadableInputError, match="meta information is damaged"):
        read(bytes(data))


def packed(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def test_inflate() -> None:
    assert inflate(b"head" + packed(b"DOE^JANE" * 9) + b"\0", 4, Limits()) == b"DOE^JANE" * 9


def test_inflate_holds_its_limits() -> None:
    bomb = packed(bytes(1 << 22))
    with pytest.raises(LimitExceededError, match="ratio"):
        inflate(bomb, 0, Limits())
    assert len(inflate(bomb, 0, Limits(ratio=2000))) == 1 << 22
    with pytest.raises(LimitExceededError, match="decoded_bytes"):
        inflate(bomb, 0, Limits(ratio=2000, decoded_bytes=1 << 20))


@pytest.mark.parametrize("change", ["cut", "noise", "ends-early"])
def test_a_damaged_stream(change: str) -> None:
    stream = packed(bytes(range(256)) * 40)
    if change == "cut":
        stream = stream[: len(stream) // 2]
    elif change == "noise":
        stream = b"\xff\xff" + stream
    else:
        stream = packed(b"DOE^JANE") + stream
    with pytest.raises(UnreadableInputError, match="deflated"):
        inflate(stream, 0, Limits())
