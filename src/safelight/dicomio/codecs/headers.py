"""A codestream's own header held against the DICOM header, and the colour that comes out."""

from collections.abc import Callable
from typing import Final

from safelight.dicomio.codecs.form import YBR_HALF, PixelFormat
from safelight.dicomio.codecs.probe import Codestream, box_content, fault, is_boxed, probe_jpeg
from safelight.dicomio.codecs.probe_j2k import J2K_START, probe_j2k
from safelight.dicomio.codecs.probe_jxl import JXL_START, probe_jxl
from safelight.dicomio.codecs.syntaxes import family
from safelight.dicomio.walker import Buffer
from safelight.errors import SafelightError, UnreadableInputError

__all__ = ["check_header", "colour_of", "plain_colour", "read_header", "stream_end"]

_SOI: Final = b"\xff\xd8\xff"
_COLOUR: Final = 3
_NEAR: Final = 64  # bytes behind a codestream in which another would begin
_ONE_SAMPLE: Final = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
# Colour that decoders undo by themselves; where nothing is coded, the label was left behind.
_UNDONE: Final = ("YBR_ICT", "YBR_RCT", "XYB")
# SOF markers of coders that libjpeg-turbo has: Huffman and arithmetic, not hierarchical.
_PROCESSES: Final = (0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCA)


def read_header(coded: bytes, form: PixelFormat) -> Codestream:
    """Return what the codestream of one frame says of itself.

    Raises:
        UnreadableInputError: It is damaged, or not of the kind that its syntax names.
    """
    kind = family(form.syntax)
    header = _probe(memoryview(coded))
    if header is None or header.kind != kind:
        raise fault("it is not what its transfer syntax says")
    rest = coded[header.stop : header.stop + _NEAR]
    if _SOI in rest or J2K_START in rest:
        raise fault("it holds more frames than the header says")
    return header


def _probe(coded: memoryview) -> Codestream | None:
    head = bytes(coded[:12])
    if head.startswith(_SOI):
        return probe_jpeg(coded)
    start, stop = 0, len(coded)
    if is_boxed(head):
        start, stop = box_content(coded, (b"jp2c", b"jxlc", b"jxlp"))
        if bytes(coded[4:8]) == b"JXL " and bytes(coded[start : start + 2]) != JXL_START:
            start += 4  # a part of a codestream begins with its number
    if bytes(coded[start : start + 4]) == J2K_START:
        return probe_j2k(coded, start, stop)
    if bytes(coded[start : start + 2]) == JXL_START:
        return probe_jxl(coded, start, stop)
    return None


def stream_end(data: Buffer, kind: str) -> Callable[[int, int], int] | None:
    """Return what tells where a codestream ends; None for kinds that do not mark their end."""
    if kind not in ("jpeg", "jpegls", "j2k"):
        return None

    def end(start: int, stop: int) -> int:
        try:
            header = _probe(memoryview(data)[start:stop])
        except SafelightError:
            return 0
        return start + header.stop if header and header.whole and not header.start else 0

    return end


def check_header(header: Codestream, form: PixelFormat) -> None:
    """Hold a codestream's header against the DICOM header, before anything is allocated.

    Raises:
        UnreadableInputError: They differ in size, components or depth, or no decoder here knows
            the process.
    """
    if (header.rows, header.columns) != (form.rows, form.columns):
        raise fault("its size is not what the header says")
    if header.samples not in (0, form.samples):
        raise fault("its components are not as many as the header says")
    if not 0 < header.precision <= max(form.bits_allocated, 8 * (form.bits_allocated == 1)):
        raise fault("it is deeper than the header says")
    if form.floating:
        raise UnreadableInputError(
            "floating-point pixels are never compressed", place="(7FE0,0008)"
        )
    if header.kind == "jpeg":
        if header.process not in _PROCESSES:
            raise UnreadableInputError("no decoder for this kind of JPEG", place="(7FE0,0010)")
        if not header.lossless and header.precision not in (8, 12):
            raise fault("a depth that this kind of JPEG cannot have")
    if header.kind == "j2k" and not header.whole and header.stop - header.start < 1:
        raise fault("it has no end marker")


def colour_of(header: Codestream, form: PixelFormat) -> str:
    """Return the Photometric Interpretation of decoded samples.

    What the codestream itself says is true; the DICOM header decides where it says nothing.
    """
    stated = plain_colour(form)
    if form.samples != _COLOUR:
        return stated
    if header.transform:
        return "RGB"
    if header.kind == "jpeg" and not header.lossless and header.colour:
        return header.colour
    if header.kind == "jxl" and form.syntax.endswith(".111"):
        return "RGB"
    return stated


def plain_colour(form: PixelFormat) -> str:
    """Return the Photometric Interpretation of samples that nothing has turned or thinned."""
    stated = form.photometric.upper()
    if form.samples == 1:
        return stated if stated in _ONE_SAMPLE else "MONOCHROME2"
    if form.samples == _COLOUR and (stated in _ONE_SAMPLE or stated in _UNDONE):
        return "RGB"
    return stated.removesuffix("_422") if stated in YBR_HALF else stated
