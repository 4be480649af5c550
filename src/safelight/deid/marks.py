"""What an output says of its own de-identification (PS3.3 C.7.1.1, C.12.1; PS3.15 E.1.1).

Written from the profile that ran, by the code that ran it: a step that was off is not claimed.
"""

from safelight import __version__
from safelight.deid.encode import encode_element
from safelight.deid.profile import Option, Profile, method_codes
from safelight.deid.table import EDITION
from safelight.dicomio.walker import Walker

__all__ = ["DONE", "done_by", "marks"]

# What the walk does itself, whenever the profile asks for it. Pixels and faces come on top where
# they were looked at.
DONE = frozenset(
    (
        Option.CLEAN_GRAPHICS,
        Option.CLEAN_STRUCTURED_CONTENT,
        Option.CLEAN_DESCRIPTORS,
        Option.RETAIN_FULL_DATES,
        Option.RETAIN_MODIFIED_DATES,
        Option.RETAIN_PATIENT_CHARACTERISTICS,
        Option.RETAIN_DEVICE_IDENTITY,
        Option.RETAIN_UIDS,
        Option.RETAIN_SAFE_PRIVATE,
        Option.RETAIN_INSTITUTION_IDENTITY,
    )
)


def done_by(*, pixels: bool) -> frozenset[Option]:
    """Return the options that a run carries out when they are asked for.

    Args:
        pixels: Pictures are looked at.
    """
    looked = {Option.CLEAN_PIXEL_DATA, Option.CLEAN_VISUAL_FEATURES}
    return DONE | looked if pixels else DONE


def marks(walker: Walker, profile: Profile, done: frozenset[Option]) -> tuple[bytes, bytes]:
    """Return the encoded elements (0012,0062) to (0012,0064), and (0028,0303).

    Args:
        walker: Of the output's encoding.
        profile: What was asked for.
        done: What was done of it.
    """

    def text(tag: int, vr: bytes, value: str) -> bytes:
        encoded = value.encode("ascii")
        return encode_element(walker, tag, vr, encoded + b" " * (len(encoded) % 2))

    items = []
    for code, meaning in method_codes(profile, done):
        content = (
            text(0x00080100, b"SH", code)
            + text(0x00080102, b"SH", "DCM")
            + text(0x00080104, b"LO", meaning[:64])
        )
        head = b"\xff\xfe\xe0\x00" if walker.big else b"\xfe\xff\x00\xe0"
        items.append(head + len(content).to_bytes(4, walker.order) + content)
    name = profile.name.encode("ascii", "replace").decode()  # as the data set may say no charset
    named = "preset " + "".join(c if c.isprintable() and c != "\\" else " " for c in name)
    method = f"Safelight {__version__}\\{EDITION}\\{named}"
    first = (
        text(0x00120062, b"CS", "YES")
        + text(0x00120063, b"LO", "\\".join(part[:64].strip() for part in method.split("\\")))
        + encode_element(walker, 0x00120064, b"SQ", b"".join(items))
    )
    if Option.RETAIN_MODIFIED_DATES in profile.options:
        dates = "MODIFIED"
    elif Option.RETAIN_FULL_DATES in profile.options:
        dates = "UNMODIFIED"
    else:
        dates = "REMOVED"
    return first, text(0x00280303, b"CS", dates)
