"""What one input may cost: checked before memory or time is spent on it."""

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one input; each can be raised in the settings.

    Attributes:
        depth_read: Nesting of sequences that is parsed; real files nest a handful deep.
        depth_write: Nesting of sequences that is written; deeper goes to quarantine.
        items: Items and fragments in one object, over all its sequences.
        elements: Elements in one object, over all its items.
        values: Values of one multi-valued text element.
        value_bytes: Bytes of one element other than bulk data that is decoded as text.
        decoded_bytes: Bytes that a compressed input may unpack to.
        ratio: Unpacked size over packed size.
        members: Members of one archive.
        archive_depth: Archives within archives.
        header_bytes: Bytes of one object outside its pixel data that are held in memory.
        pages: Pages of a document.
    """

    depth_read: int = 64
    depth_write: int = 32
    items: int = 100_000
    elements: int = 100_000
    values: int = 100_000
    value_bytes: int = 16 << 20
    decoded_bytes: int = 1 << 30
    ratio: int = 200
    members: int = 10_000
    archive_depth: int = 1
    header_bytes: int = 256 << 20
    pages: int = 200
