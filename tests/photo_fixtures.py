"""Pictures that carry an invented person in every corner, and what tests ask of a cleaned one."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from PIL import Image, ImageCms, ImageSequence

from safelight.deid.context import Cleaned, Context, Subject
from safelight.deid.photos import clean
from safelight.deid.profile import load
from safelight.deid.pseudonyms import ProjectKey
from safelight.deid.text import Identity, Needles, TextCleaner
from safelight.dicomio.limits import Limits
from safelight.types import FileSlice, Kind, Original

NEEDLE = "ZQXDOE^JANEVA"
RAW = NEEDLE.encode()
WIDE = NEEDLE.encode("utf-16-le")


def context(**limits: int) -> Context:
    key = ProjectKey(bytes(range(32)))
    needles = Needles.compile(Identity(names={NEEDLE}))
    subject = Subject(
        code="AAAA",
        patient_id="BBBB",
        patient_name="CCCC",
        shift_days=-100,
        needles=needles,
        cleaner=TextCleaner(needles),
        digest="",
    )
    return Context(key=key, profile=load("share"), subject=subject, limits=Limits(**limits))


CONTEXT = context()


def joined(cleaned: Cleaned) -> bytes:
    return b"".join(bytes(part) for part in cleaned.parts if not isinstance(part, FileSlice))


def cleaned_bytes(data: bytes, kind: Kind, ctx: Context = CONTEXT) -> tuple[bytes, Cleaned]:
    result = clean(Original(data, kind=kind), ctx)
    return joined(result), result


def frames(data: bytes) -> list[tuple[str, tuple[int, int], bytes]]:
    """Return mode, size and pixels of every frame, as Pillow reads them."""
    with Image.open(io.BytesIO(data)) as image:
        return [
            (frame.mode, frame.size, frame.tobytes()) for frame in ImageSequence.Iterator(image)
        ]


def holds_needle(data: bytes) -> bool:
    forms = (RAW, WIDE, NEEDLE.encode("utf-16-be"), zlib.compress(RAW)[2:-4])
    return any(form in data for form in forms)


def noise(size: tuple[int, int] = (37, 23), mode: str = "RGB") -> Image.Image:
    """Return a picture whose pixels differ, so that a shifted one is noticed."""
    step = Image.linear_gradient("L").resize(size)
    other = Image.radial_gradient("L").resize(size)
    return Image.merge("RGB", (step, other, step.transpose(Image.Transpose.ROTATE_180))).convert(
        mode
    )


def saved(form: str, image: Image.Image | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    (image or noise()).save(out, form, **options)
    return out.getvalue()


def exif_block(orientation: int = 6) -> bytes:
    """Return an EXIF block (with its ``Exif`` mark) that names someone in every folder."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    for tag in (0x010E, 0x010F, 0x0110, 0x0131, 0x013B, 0x013C, 0x8298):
        exif[tag] = NEEDLE
    for tag in (0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F):
        exif[tag] = WIDE
    exif.get_ifd(0x8769).update({0x9286: b"ASCII\0\0\0" + RAW, 0x927C: RAW, 0xA430: NEEDLE})
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 30.0, 1.0), 0x1D: "2024:01:02", 0x1B: RAW})
    block = exif.tobytes()
    # a first folder that names a second: its thumbnail is a JPEG with a comment
    return with_thumbnail(block, jpeg_segments(saved("JPEG"), (0xFE, RAW)))


def with_thumbnail(block: bytes, thumbnail: bytes) -> bytes:
    """Link a thumbnail folder behind the first folder of an EXIF block."""
    tiff = bytearray(block[6:])
    order = "<" if tiff[:2] == b"II" else ">"
    first = struct.unpack_from(order + "I", tiff, 4)[0]
    count = struct.unpack_from(order + "H", tiff, first)[0]
    folder_at = len(tiff)
    struct.pack_into(order + "I", tiff, first + 2 + 12 * count, folder_at)
    start = folder_at + 2 + 24 + 4
    tiff += struct.pack(order + "H", 2)
    tiff += struct.pack(order + "HHII", 0x0201, 4, 1, start)
    tiff += struct.pack(order + "HHII", 0x0202, 4, 1, len(thumbnail))
    return block[:6] + bytes(tiff) + bytes(4) + thumbnail


def icc_profile() -> bytes:
    """Return an sRGB profile that names someone in a text, a date field and a private tag."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    for number in range(count):
        name, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * number)
        if name in (b"desc", b"cprt"):
            text = NEEDLE.encode("utf-16-be")
            profile[start : start + size] = (
                b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(text), 28) + text
            ).ljust(size, b"\0")[:size]
    profile[48:56] = RAW[:8]
    return bytes(profile)


def zip_passenger() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(NEEDLE, RAW)
    return out.getvalue()


PASSENGERS: dict[str, bytes] = {
    "text": RAW,
    "zip": zip_passenger(),
    "html": b"<html><script>" + RAW + b"</script>",
    "program": b"MZ\x90\x00" + RAW,
    "a second picture": saved("PNG") + RAW,
}


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg_segments(data: bytes, *segments: tuple[int, bytes]) -> bytes:
    """Put segments behind the first one (JFIF)."""
    at = 4 + struct.unpack_from(">H", data, 4)[0]
    return data[:at] + b"".join(segment(*one) for one in segments) + data[at:]


def check_matrix(
    make: Callable[[], bytes], kind: Kind, plain: bytes, *, place: str = "", actions: bool = True
) -> Cleaned:
    """Clean one loaded picture: no needle left, pixels as before, the act told, twice the same."""
    data = make()
    out, result = cleaned_bytes(data, kind)
    assert out != data
    assert not holds_needle(out)
    assert frames(out) == frames(plain)
    if actions:
        assert any(place in action.place for action in result.actions), result.actions
    assert NEEDLE not in repr(result.actions) + repr(result.notes)
    again, _ = cleaned_bytes(out, kind)
    assert again == out
    return result
