"""Frames of one object's pixel data, one at a time, whatever they are stored as."""

import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from safelight.dicomio.codecs import fields, native
from safelight.dicomio.codecs.fields import Array
from safelight.dicomio.codecs.form import PixelFormat
from safelight.dicomio.codecs.fragments import Span, frame_spans, list_fragments
from safelight.dicomio.codecs.guard import guard
from safelight.dicomio.codecs.headers import (
    check_header,
    colour_of,
    plain_colour,
    read_header,
    stream_end,
)
from safelight.dicomio.codecs.probe import Codestream, fault
from safelight.dicomio.codecs.syntaxes import DEFLATED_FRAME, RLE, UNCOMPRESSED, family
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import Buffer
from safelight.errors import LimitExceededError, UnreadableInputError

__all__ = ["PixelSource", "open_pixels"]

_PLACE: Final = "(7FE0,0010)"


def open_pixels(
    data: Buffer,
    *,
    value: int,
    stop: int,
    encapsulated: bool,
    form: PixelFormat,
    limits: Limits,
    offsets: Sequence[int] | None = None,
) -> "PixelSource":
    """Return the frames of the pixel data between two offsets; nothing is decoded yet.

    Args:
        data: The whole input.
        value: First byte of the value: of the Basic Offset Table's item, if encapsulated.
        stop: Past its last byte; a sequence delimiter may follow or be included.
        encapsulated: The value is made of fragments.
        form: What the header says.
        limits: Bounds on fragments and on the bytes of one decoded frame.
        offsets: Extended Offset Table (7FE0,0001), if there is one.

    Raises:
        UnreadableInputError: The header contradicts itself, is unknown to every decoder here, or
            does not fit the bytes.
        LimitExceededError: One frame decodes to more than the limit, or fragments are too many.
    """
    form.check()
    if form.frame_bytes > limits.decoded_bytes:
        raise LimitExceededError(
            f"one frame takes more than {limits.decoded_bytes} bytes (limit decoded_bytes)",
            place="(0028,0010)",
        )
    if not encapsulated:
        return PixelSource(data, form, value=value, stop=stop, spans=None)
    kind = family(form.syntax)
    if kind is None:
        raise UnreadableInputError("no decoder for this transfer syntax", place="(0002,0010)")
    fragments = list_fragments(data, value, stop, limits)
    spans = frame_spans(data, fragments, form.frames, offsets=offsets, ends=stream_end(data, kind))
    return PixelSource(data, form, value=value, stop=stop, spans=spans)


class PixelSource:
    """The frames of one object.

    Attributes:
        form: What the header says.
    """

    __slots__ = ("_data", "_last", "_length", "_spans", "_start", "form")

    def __init__(
        self,
        data: Buffer,
        form: PixelFormat,
        *,
        value: int,
        stop: int,
        spans: list[list[Span]] | None,
    ) -> None:
        self.form = form
        self._data = data
        self._start, self._length = value, stop - value
        self._spans = spans
        self._last: tuple[int, Array, int] | None = None
        if spans is None:
            bits = native.native_bits(form, length=self._length) * form.frames
            if (bits + 7) // 8 > self._length + self._length % 2:
                raise UnreadableInputError(
                    "there is less pixel data than the header promises", place=_PLACE
                )

    def __len__(self) -> int:
        return self.form.frames

    def __iter__(self) -> Iterator[Array]:
        return (self.frame(index) for index in range(len(self)))

    @property
    def compressed(self) -> bool:
        """Tell whether frames are fragments."""
        return self._spans is not None

    def frame(self, index: int) -> Array:
        """Return the stored values of one frame, shape ``form.shape``, type ``form.dtype``.

        The array may be a view of the input that cannot be written to: copy it before a change.

        Raises:
            UnreadableInputError: The frame is damaged, truncated, or not what the header says.
            LimitExceededError: It took too much time or memory.
        """
        words, sign_bit = self._words(index)
        if self.form.floating:
            return words.view(self.form.dtype)
        return fields.stored(words, self.form, sign_bit=sign_bit)

    def overlay_bits(self, index: int) -> Array:
        """Return the bits of each word that are no part of its value, where they stand.

        Old overlays live here (PS3.5 8.1.2). The signs of negative values do too: mask with the
        overlay's bit. All zero where nothing is stored beside the values.

        Raises:
            UnreadableInputError: As ``frame``.
            LimitExceededError: As ``frame``.
        """
        if self.form.floating or self.form.bits_stored == self.form.bits_allocated:
            return np.zeros(self.form.shape, f"u{self.form.sample_bytes}")
        return fields.outside(self._words(index)[0], self.form)

    def colour(self, index: int) -> str:
        """Return the Photometric Interpretation of what ``frame`` gives, whatever was stored.

        Raises:
            UnreadableInputError: The codestream's header is damaged.
        """
        if self._spans is None or family(self.form.syntax) in (RLE, DEFLATED_FRAME, UNCOMPRESSED):
            return plain_colour(self.form)
        return colour_of(self.header(index), self.form)

    def encoded(self, index: int) -> list[Span]:
        """Return where one frame's fragments, or its native bytes, stand in the input."""
        if self._spans is not None:
            return list(self._spans[index])
        bits = native.native_bits(self.form, length=self._length)
        first, last = index * bits // 8, ((index + 1) * bits + 7) // 8
        return [(self._start + first, min(self._start + last, self._start + self._length))]

    def codestream(self, index: int) -> bytes:
        """Return the bytes of one frame, its fragments joined."""
        return b"".join(bytes(self._data[start:stop]) for start, stop in self.encoded(index))

    def header(self, index: int) -> Codestream:
        """Return what a compressed frame's codestream says of itself.

        Raises:
            UnreadableInputError: It is damaged, or the syntax has no such header.
        """
        return read_header(self.codestream(index), self.form)

    def _words(self, index: int) -> tuple[Array, int]:
        """Return one frame as words, and how many bits of a value; the last one is kept."""
        if not 0 <= index < self.form.frames:
            raise IndexError(index)
        if self._last is None or self._last[0] != index:
            self._last = (index, *self._decoded(index))
        return self._last[1:]

    def _decoded(self, index: int) -> tuple[Array, int]:
        form = self.form
        if self._spans is None:
            value = memoryview(self._data)[self._start : self._start + self._length]
            return native.read_words(value, index, form), 0
        coded, kind = self.codestream(index), family(form.syntax)
        if kind == UNCOMPRESSED:
            return _whole(np.frombuffer(coded, np.uint8), form), 0
        if kind == DEFLATED_FRAME:
            return _whole(np.frombuffer(_inflate(coded, form), np.uint8), form), 0
        if kind == RLE:
            return _unpack_rle(coded, form), 0
        header = read_header(coded, form)
        check_header(header, form)
        return _decode(coded, header, form)


def _whole(data: Array, form: PixelFormat) -> Array:
    """Return the words of a frame that stands alone, in one fragment or unpacked."""
    bits = native.native_bits(form, length=len(data) * form.frames)
    size = (bits + 7) // 8
    if len(data) < size or len(data) > size + size % 2:
        raise fault("it is not as long as a frame is")
    full = bits == form.pixels * form.samples * form.bits_allocated
    return native.unpack_words(data[:size], form, whole=full)


def _inflate(coded: bytes, form: PixelFormat) -> bytes:
    """Unpack a deflated frame, never to more than a frame (PS3.5 A.4.13, RFC 1951)."""
    most = form.frame_bytes + 2
    wrapped = len(coded) > 1 and coded[0] & 15 == 8 and int.from_bytes(coded[:2], "big") % 31 == 0  # noqa: PLR2004 - RFC 1950 2.2
    stream = zlib.decompressobj(15 if wrapped else -15)
    try:
        found = stream.decompress(coded, most)
    except zlib.error as error:
        raise fault("it does not unpack") from error
    if not stream.eof:
        raise fault("it unpacks to another size, or is truncated")
    return found


def _unpack_rle(coded: bytes, form: PixelFormat) -> Array:
    """Check an RLE header (PS3.5 G.5) and unpack its segments in the guarded process."""
    single = form.bits_allocated == 1
    width = form.sample_bytes
    plane = (form.pixels * form.samples + 7) // 8 if single else form.pixels
    count = 1 if single else form.samples * width
    bounds = [int.from_bytes(coded[at : at + 4], "little") for at in range(0, 64, 4)]
    ends = [*bounds[1 : 1 + count], len(coded)]
    if len(coded) < 64 or bounds[0] != count or ends[0] < 64 or ends != sorted(ends):  # noqa: PLR2004 - PS3.5 G.5
        raise fault("its RLE header does not fit")
    shape = [plane] if single else list(form.shape)
    samples = 1 if single else form.samples
    job = {
        "codec": "rle",
        "shape": shape,
        "dtype": f"<u{width}",
        "plane": plane,
        "segments": [samples, width],
    }
    found = guard().decode(coded, job, size=plane * samples * width)
    words = np.frombuffer(found, f"<u{width}").astype(f"u{width}", copy=False)
    if single:
        return np.unpackbits(words, bitorder="little")[: form.pixels * form.samples].reshape(
            form.shape
        )
    return words.reshape(form.shape)


def _decode(coded: bytes, header: Codestream, form: PixelFormat) -> tuple[Array, int]:
    """Decode one codestream in the guarded process and widen it to the words of the header."""
    size = 1 if header.precision <= 8 else 2 if header.precision <= 16 else 4  # noqa: PLR2004 - bytes
    sign = "i" if header.signed else "u"
    kind = f"<{sign}{size}"
    codec = "htj2k" if header.high_throughput else header.kind
    job = {"codec": codec, "shape": form.shape, "dtype": kind, "samples": form.samples}
    bare = coded[header.start : header.stop] if header.kind == "j2k" else coded
    if header.kind in ("jpeg", "jpegls"):
        bare = coded[: header.stop]
    if header.kind in ("j2k", "jpegls") and not header.whole:
        bare += b"\xff\xd9"
    found = guard().decode(bare, job, size=form.pixels * form.samples * size)
    values = np.frombuffer(found, kind).reshape(form.shape)
    wide = values.astype(f"<{sign}{form.sample_bytes}", copy=False).view(f"u{form.sample_bytes}")
    if form.shift:  # a decoder gives values; the word has them higher up
        wide = wide << form.shift if header.precision <= form.bits_stored else wide
    return wide, 0 if header.signed else min(header.precision, form.bits_stored)
