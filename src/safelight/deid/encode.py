"""Elements, sequences and items as bytes (PS3.5 section 7.1, 7.5)."""

from typing import Final

from safelight.dicomio.walker import LONG_VRS, Walker

__all__ = ["encode_element", "encode_item", "encode_sequence"]

_LONGEST: Final = 0xFFFE  # PS3.5 Table 7.1-2: a longer value of a short VR is written as UN


def encode_element(walker: Walker, tag: int, vr: bytes, value: bytes) -> bytes:
    """Return one encoded element of defined length; ``value`` is padded to even length."""
    length = len(value)
    if length % 2:
        value += b"\0"
        length += 1
    order = walker.order
    head = (tag >> 16).to_bytes(2, order) + (tag & 0xFFFF).to_bytes(2, order)
    if walker.implicit:
        return head + length.to_bytes(4, order) + value
    if vr in LONG_VRS:
        return head + vr + b"\0\0" + length.to_bytes(4, order) + value
    if length > _LONGEST:
        return head + b"UN\0\0" + length.to_bytes(4, order) + value
    return head + vr + length.to_bytes(2, order) + value


def encode_sequence(walker: Walker, tag: int, vr: bytes, items: list[bytes]) -> bytes:
    """Return a sequence of encoded items; one read as UN is written as UN of undefined length."""
    content = b"".join(items)
    if vr != b"UN":
        return encode_element(walker, tag, vr, content)
    order = walker.order
    head = (tag >> 16).to_bytes(2, order) + (tag & 0xFFFF).to_bytes(2, order)
    return head + b"UN\0\0\xff\xff\xff\xff" + content + b"\xfe\xff\xdd\xe0\0\0\0\0"


def encode_item(walker: Walker, content: bytes) -> bytes:
    """Return an item of defined length."""
    head = b"\xff\xfe\xe0\x00" if walker.big else b"\xfe\xff\x00\xe0"
    return head + len(content).to_bytes(4, walker.order) + content
