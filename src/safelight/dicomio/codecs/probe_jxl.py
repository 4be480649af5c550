"""The header of a JPEG XL codestream, bit by bit (ISO/IEC 18181-1 Annexes B and D)."""

from typing import Final

from safelight.dicomio.codecs.probe import Bytes, Codestream, fault

__all__ = ["JXL_START", "probe_jxl"]

JXL_START: Final = b"\xff\x0a"
_HEAD: Final = 256  # bytes; sizes and image metadata without extra channels take fewer than 60
_RATIOS: Final = ((1, 1), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_GREY: Final = 1


class _Bits:
    """Bits of a header, the least significant first."""

    __slots__ = ("_left", "_value")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise fault("it ends inside a header")
        self._left -= count
        found = self._value & ((1 << count) - 1)
        self._value >>= count
        return found

    def one_of(self, *choices: tuple[int, int]) -> int:
        """Read U32 (B.2.2): two bits choose an offset and how many bits to add."""
        add, width = choices[self.take(2)]
        return add + self.take(width)


def probe_jxl(data: Bytes, start: int, stop: int) -> Codestream:
    """Read size, depth and colour.

    Raises:
        UnreadableInputError: It ends too soon, holds floats, an animation or a preview, or is
            turned by its own header.
    """
    bits = _Bits(bytes(data[start : min(stop, start + _HEAD)]))
    bits.take(16)
    rows, columns = _size(bits)
    precision, samples, transform = 8, 3, True
    if not bits.take(1):  # not all_default
        precision, samples, transform = _metadata(bits)
    return Codestream(
        kind="jxl",
        rows=rows,
        columns=columns,
        samples=samples,
        precision=precision,
        lossless=not transform,
        transform=transform,
        start=start,
        stop=stop,
    )


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)
    rows = (bits.take(5) + 1) * 8 if small else _length(bits)
    ratio = bits.take(3)
    if ratio:
        over, under = _RATIOS[ratio]
        return rows, rows * over // under
    return rows, (bits.take(5) + 1) * 8 if small else _length(bits)


def _length(bits: _Bits) -> int:
    return bits.one_of((1, 9), (1, 13), (1, 18), (1, 30))


def _metadata(bits: _Bits) -> tuple[int, int, bool]:
    """Return precision, colour channels (0: not known) and whether the colours are XYB."""
    if bits.take(1):  # extra_fields: orientation, intrinsic size, preview, animation
        if bits.take(3):
            raise fault("it is turned by its own header")
        if bits.take(1):
            _size(bits)
        if bits.take(1) or bits.take(1):
            raise fault("it holds a preview or an animation")
    if bits.take(1):
        raise fault("it holds floating-point samples")
    precision = bits.one_of((8, 0), (10, 0), (12, 0), (1, 6))
    bits.take(1)  # modular_16bit_buffers
    if bits.one_of((0, 0), (1, 0), (2, 4), (1, 12)):
        return precision, 0, bool(0)  # extra channels: the decoder's shape will tell
    transform = bool(bits.take(1))
    if bits.take(1):  # the colour encoding is sRGB
        return precision, 3, transform
    bits.take(1)  # want_icc
    space = bits.one_of((0, 0), (1, 0), (2, 4), (18, 6))
    return precision, 1 if space == _GREY else 3, transform
