"""Which TIFF tags describe pixels, and how many numbers each may hold.

A count is part of the rule: a tag of one number with forty values hides a text. Source: TIFF 6.0
part 1 and 2, TIFF Technical Note 1 (SubIFDs), libtiff's registry for the rest.
"""

from typing import Final

__all__ = ["COUNTS", "INTEGERS", "OFFSETS", "SIZES", "fits"]

SIZES: Final = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
} | {
    16: 8,
    17: 8,
    18: 8,
}
INTEGERS: Final = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_TEXTS: Final = (2, 7)

OFFSETS: Final = {273: 279, 324: 325}  # where strips and tiles are: the tag of their lengths
_SAMPLES: Final = -1  # as many as a pixel has samples
_LEVELS: Final = -2  # three for each value that a sample can have
# tag: the most values it may hold; strips, tiles, SubIFDs, tables and profiles are written apart
COUNTS: Final = (
    dict.fromkeys(
        (254, 255, 256, 257, 259, 262, 263, 264, 265, 266, 274, 277, 278, 282, 283, 284, 286, 287)
        + (290, 292, 293, 296, 317, 322, 323, 326, 327, 328, 332, 334, 531, 32995, 32997, 32998),
        1,
    )
    | dict.fromkeys((297, 321, 318, 530), 2)
    | dict.fromkeys((529,), 3)
    | dict.fromkeys((319, 532), 6)
    | dict.fromkeys((258, 280, 281, 338, 339, 340, 341, 32996), _SAMPLES)
    | {336: 2, 291: 256, 301: _LEVELS, 320: _LEVELS}
)
_MOST_SAMPLES: Final = 64


def fits(tag: int, kind: int, count: int, samples: int, bits: int) -> bool:
    """Tell whether a tag is a number of the kind and count that its pixels can need."""
    most = COUNTS.get(tag, 0)
    if most == _SAMPLES:
        most = min(max(samples, 1), _MOST_SAMPLES)
    elif most == _LEVELS:
        most = 3 << min(bits, 16)
    return kind not in _TEXTS and 0 < count <= most
