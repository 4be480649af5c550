"""What a header says of its pixels: everything that decoding needs and nothing else."""

from dataclasses import dataclass
from typing import Final

from safelight.errors import UnreadableInputError

__all__ = ["YBR_HALF", "PixelFormat"]

YBR_HALF: Final = frozenset({"YBR_FULL_422", "YBR_PARTIAL_422"})
_FLOATS: Final = {b"OF": 32, b"OD": 64}
_MOST_SIDE: Final = 0xFFFF
_SAMPLES: Final = (1, 3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelFormat:
    """The Image Pixel Module (PS3.3 C.7.6.3), as far as it tells how samples are stored.

    Attributes:
        rows: Rows (0028,0010), 1 to 65535.
        columns: Columns (0028,0011), 1 to 65535.
        samples: Samples per Pixel (0028,0002): 1, 3 or 4.
        bits_allocated: Bits Allocated (0028,0100): 1, 8, 16, 32 or 64.
        bits_stored: Bits Stored (0028,0101).
        high_bit: High Bit (0028,0102).
        signed: Pixel Representation (0028,0103) is 1.
        planar: Planar Configuration (0028,0006): 0 by pixel, 1 by plane.
        photometric: Photometric Interpretation (0028,0004).
        frames: Number of Frames (0028,0008); 1 when absent.
        syntax: Transfer Syntax UID.
        big_endian: Numbers of the data set are big endian.
        vr: Of the pixel data: ``b"OB"``, ``b"OW"``, ``b"OF"`` (float), ``b"OD"`` (double).
    """

    rows: int
    columns: int
    samples: int = 1
    bits_allocated: int = 8
    bits_stored: int = 8
    high_bit: int = 7
    signed: bool = False
    planar: int = 0
    photometric: str = "MONOCHROME2"
    frames: int = 1
    syntax: str = "1.2.840.10008.1.2.1"
    big_endian: bool = False
    vr: bytes = b"OW"

    @property
    def floating(self) -> bool:
        """Tell whether samples are IEEE 754 numbers: (7FE0,0008) or (7FE0,0009)."""
        return self.vr in _FLOATS

    @property
    def pixels(self) -> int:
        """Return Rows times Columns."""
        return self.rows * self.columns

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of one decoded frame, samples last."""
        size = (self.rows, self.columns)
        return size if self.samples == 1 else (*size, self.samples)

    @property
    def sample_bytes(self) -> int:
        """Return the bytes of one sample of a decoded frame; a single bit takes one."""
        return (self.bits_allocated + 7) // 8

    @property
    def frame_bytes(self) -> int:
        """Return the bytes of one decoded frame."""
        return self.pixels * self.samples * self.sample_bytes

    @property
    def dtype(self) -> str:
        """Return the numpy name of a stored value's type."""
        if self.floating:
            return f"f{self.sample_bytes}"
        return f"{'i' if self.signed else 'u'}{self.sample_bytes}"

    @property
    def shift(self) -> int:
        """Return how many bits lie below the stored value in its word."""
        return self.high_bit + 1 - self.bits_stored

    def check(self) -> None:
        """Refuse what no frame can have.

        Raises:
            UnreadableInputError: A size is zero or no size, or the bits contradict each other.
        """
        if not (0 < self.rows <= _MOST_SIDE and 0 < self.columns <= _MOST_SIDE):
            raise UnreadableInputError("the image has no rows or no columns", place="(0028,0010)")
        if self.samples not in _SAMPLES:
            raise UnreadableInputError("an odd number of samples", place="(0028,0002)")
        if self.frames < 1:
            raise UnreadableInputError("the image has no frames", place="(0028,0008)")
        if self.photometric in YBR_HALF and self.samples != 3:  # noqa: PLR2004 - Y, Cb and Cr
            raise UnreadableInputError("colour with too few samples", place="(0028,0002)")
        if self.bits_allocated not in (1, 8, 16, 32, 64):
            raise UnreadableInputError("this many bits are not supported", place="(0028,0100)")
        if self.floating:
            if _FLOATS[self.vr] != self.bits_allocated:
                raise UnreadableInputError("floats of an odd size", place="(0028,0100)")
        elif not (
            0 < self.bits_stored <= self.bits_allocated
            and self.shift >= 0
            and self.high_bit < self.bits_allocated
        ):
            raise UnreadableInputError("the bits contradict each other", place="(0028,0101)")
