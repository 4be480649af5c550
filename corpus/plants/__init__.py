"""The plants, by where they stand; importing this package registers them all."""

from corpus.plants import (
    attributes,
    descriptors,
    freetext,
    hard,
    nested,
    private,
    rawbytes,
    special,
    vrs,
)

__all__ = [
    "attributes",
    "descriptors",
    "freetext",
    "hard",
    "nested",
    "private",
    "rawbytes",
    "special",
    "vrs",
]
