"""How pixels are stored: photometric interpretations, depths and transfer syntaxes, and back."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import imagecodecs
import jpeg_ls
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.rle import _rle_decode_frame
from rle.utils import encode_pixel_data

__all__ = ["COLOUR", "GREY", "PALETTE", "SYNTAXES", "Form", "decode", "store"]

Array = NDArray[Any]
_JPEG = "1.2.840.10008.1.2.4."
SYNTAXES = {
    "implicit": "1.2.840.10008.1.2",
    "explicit": "1.2.840.10008.1.2.1",
    "deflated": "1.2.840.10008.1.2.1.99",
    "big endian": "1.2.840.10008.1.2.2",
    "rle": "1.2.840.10008.1.2.5",
    "jpeg": f"{_JPEG}50",
    "jpeg 12 bit": f"{_JPEG}51",
    "jpeg lossless": f"{_JPEG}70",
    "jpeg-ls": f"{_JPEG}80",
    "jpeg-ls near": f"{_JPEG}81",
    "j2k lossless": f"{_JPEG}90",
    "j2k": f"{_JPEG}91",
    "htj2k lossless": f"{_JPEG}201",
    "jpeg xl lossless": f"{_JPEG}110",
}
NATIVE = ("implicit", "explicit", "deflated", "big endian")
_LOSSY = {"jpeg", "jpeg 12 bit", "jpeg-ls near", "j2k"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to store: photometric interpretation, bits stored, sign, syntax by name, planes."""

    photometric: str
    bits: int
    syntax: str
    signed: bool = False
    planar: int = 0

    @property
    def lossy(self) -> bool:
        """Return whether the codec changes pixels."""
        return self.syntax in _LOSSY


def _grey() -> list[Form]:
    deep = [*NATIVE, "rle", "jpeg lossless", "jpeg-ls", "jpeg-ls near", "j2k lossless", "j2k"]
    deep += ["htj2k lossless", "jpeg xl lossless", "explicit", "implicit", "j2k lossless"]
    found = []
    for photometric in ("MONOCHROME2", "MONOCHROME2", "MONOCHROME2", "MONOCHROME1"):
        for bits in (8, 12, 16):
            names = [*deep, "jpeg", "jpeg"] if bits == 8 else deep
            if bits == 12:  # the HTJ2K encoder writes whole bytes only
                names = [*(n for n in names if n != "htj2k lossless"), "jpeg 12 bit"]
            found += [Form(photometric=photometric, bits=bits, syntax=name) for name in names]
        found += [
            Form(photometric=photometric, bits=16, syntax=name, signed=True)
            for name in ("explicit", "implicit", "rle")
        ]
    return found


GREY = tuple(_grey())
COLOUR = tuple(
    Form(photometric=photometric, bits=8, syntax=syntax, planar=planar)
    for photometric, syntax, planar in (
        ("RGB", "explicit", 0), ("RGB", "explicit", 1), ("RGB", "implicit", 0), ("RGB", "rle", 1),
        ("RGB", "jpeg-ls", 0), ("RGB", "jpeg lossless", 0), ("RGB", "j2k lossless", 0),
        ("RGB", "deflated", 0), ("RGB", "big endian", 0), ("YBR_FULL", "explicit", 0),
        ("YBR_FULL", "rle", 1), ("YBR_FULL", "explicit", 1), ("YBR_FULL_422", "jpeg", 0),
        ("YBR_FULL_422", "jpeg", 0), ("YBR_FULL", "jpeg", 0), ("YBR_RCT", "j2k lossless", 0),
        ("YBR_ICT", "j2k", 0), ("YBR_FULL_422", "explicit", 0),
    )
)  # fmt: skip
PALETTE = tuple(
    Form(photometric="PALETTE COLOR", bits=8, syntax=syntax)
    for syntax in ("explicit", "implicit", "rle", "explicit", "jpeg-ls", "deflated")
)


def to_ybr(rgb: Array) -> Array:
    """Return RGB as YBR_FULL (PS3.3 C.7.6.3.1.2)."""
    r, g, b = (rgb[..., i].astype(np.float32) for i in range(3))
    planes = (
        0.299 * r + 0.587 * g + 0.114 * b,
        128 - 0.168736 * r - 0.331264 * g + 0.5 * b,
        128 + 0.5 * r - 0.418688 * g - 0.081312 * b,
    )
    return np.asarray(np.clip(np.stack(planes, -1).round(), 0, 255), np.uint8)


def to_rgb(ybr: Array) -> Array:
    """Return YBR_FULL as RGB."""
    y, b, r = (ybr[..., i].astype(np.float32) for i in range(3))
    b, r = b - 128, r - 128
    planes = (y + 1.402 * r, y - 0.344136 * b - 0.714136 * r, y + 1.772 * b)
    return np.asarray(np.clip(np.stack(planes, -1).round(), 0, 255), np.uint8)


def _packed(frame: Array, form: Form) -> bytes:
    """Return one compressed frame."""
    name, colour = form.syntax, frame.ndim == 3
    if name == "jpeg":
        if not colour:
            return bytes(imagecodecs.jpeg8_encode(frame, level=88))
        half = "422" if form.photometric == "YBR_FULL_422" else "444"
        return bytes(
            imagecodecs.jpeg8_encode(
                frame, level=88, colorspace="RGB", outcolorspace="YCBCR", subsampling=half
            )
        )
    if name == "jpeg 12 bit":
        return bytes(imagecodecs.jpeg8_encode(frame, level=92, bitspersample=12))
    if name == "jpeg lossless":
        space: dict[str, Any] = {"colorspace": "RGB", "outcolorspace": "RGB"} if colour else {}
        return bytes(
            imagecodecs.jpeg8_encode(
                frame, lossless=True, predictor=1, bitspersample=form.bits, **space
            )
        )
    if name in {"jpeg-ls", "jpeg-ls near"}:
        return _jpeg_ls(frame, form)
    if name in {"j2k lossless", "j2k"}:
        mode = (
            {"reversible": True} if name == "j2k lossless" else {"level": _noise_level(frame, form)}
        )
        mct = colour and form.photometric != "RGB"
        return bytes(
            imagecodecs.jpeg2k_encode(
                frame, codecformat="J2K", bitspersample=form.bits, mct=mct, **mode
            )
        )
    if name == "htj2k lossless":
        return bytes(imagecodecs.htj2k_encode(frame, reversible=True))
    return bytes(imagecodecs.jpegxl_encode(frame, lossless=True, bitspersample=form.bits))


def _noise_level(frame: Array, form: Form) -> float:
    """Return the PSNR in dB of the whole depth that leaves 46 dB of the values in use."""
    span = max(float(frame.max()) - float(frame.min()), 1.0)
    return 46 + 20 * math.log10(((1 << form.bits) - 1) / span)


def _jpeg_ls(frame: Array, form: Form) -> bytes:
    """Return JPEG-LS whose precision is the bits stored, as scanners write it."""
    colour = frame.ndim == 3
    packed = jpeg_ls.encode_pixel_data(
        np.ascontiguousarray(frame).tobytes(),
        lossy_error=2 if form.syntax == "jpeg-ls near" else 0,
        rows=frame.shape[0],
        columns=frame.shape[1],
        samples_per_pixel=3 if colour else 1,
        bits_stored=form.bits,
        planar_configuration=0,
    )
    return bytes(packed)


def _rle(frame: Array) -> bytes:
    samples = frame.shape[2] if frame.ndim == 3 else 1
    little = np.ascontiguousarray(frame, frame.dtype.newbyteorder("<"))
    packed = encode_pixel_data(
        little.tobytes(),
        byteorder="<",
        rows=frame.shape[0],
        columns=frame.shape[1],
        samples_per_pixel=samples,
        bits_allocated=8 * frame.dtype.itemsize,
    )
    return bytes(packed)


def _half(frame: Array) -> bytes:
    """Return uncompressed YBR_FULL_422: Y Y Cb Cr for each pair of columns."""
    pairs = np.empty((*frame.shape[:1], frame.shape[1] // 2, 4), np.uint8)
    pairs[..., 0], pairs[..., 1] = frame[:, 0::2, 0], frame[:, 1::2, 0]
    pairs[..., 2], pairs[..., 3] = frame[:, 0::2, 1], frame[:, 0::2, 2]
    return pairs.tobytes()


def store(ds: Dataset, frames: Iterator[Array], form: Form) -> None:
    """Fill the pixel module of ``ds`` from stored values, RGB for colour, a frame at a time."""
    parts: list[bytes] = []
    for frame in frames:
        if not parts:
            _describe(ds, frame, form)
        ybr = form.photometric.startswith("YBR_FULL") and form.syntax != "jpeg"
        own = to_ybr(frame) if ybr else frame
        if form.syntax == "rle":
            parts.append(_rle(own))
        elif form.syntax not in NATIVE:
            parts.append(_packed(own, form))
        elif form.photometric == "YBR_FULL_422":
            parts.append(_half(own))
        else:
            own = np.moveaxis(own, -1, 0) if own.ndim == 3 and form.planar else own
            big = form.syntax == "big endian"
            dtype = own.dtype.newbyteorder(">" if big else "<")
            parts.append(np.ascontiguousarray(own, dtype).tobytes())
    if len(parts) > 1:
        ds.NumberOfFrames = len(parts)
    if form.syntax in NATIVE:
        data = b"".join(parts)
        ds.PixelData = data + b"\0" * (len(data) % 2)
        ds["PixelData"].VR = "OW" if ds.BitsAllocated > 8 or form.syntax == "implicit" else "OB"
        if form.syntax == "big endian" and ds.BitsAllocated == 8:
            ds["PixelData"].VR = "OB"
    else:
        ds.PixelData = encapsulate(parts)
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True


def _describe(ds: Dataset, frame: Array, form: Form) -> None:
    ds.SamplesPerPixel = 3 if frame.ndim == 3 else 1
    ds.PhotometricInterpretation = form.photometric
    ds.Rows, ds.Columns = frame.shape[:2]
    ds.BitsAllocated = 8 if form.bits == 8 else 16
    ds.BitsStored, ds.HighBit = form.bits, form.bits - 1
    ds.PixelRepresentation = int(form.signed)
    if frame.ndim == 3:
        ds.PlanarConfiguration = form.planar
    if form.lossy:
        ds.LossyImageCompression, ds.LossyImageCompressionRatio = "01", "8"


def decode(ds: Dataset) -> Iterator[Array]:
    """Yield the stored values of each frame: (rows, columns), or RGB (rows, columns, 3).

    Raises:
        ValueError: The syntax has no decoder here, or the data are short.
    """
    syntax = str(ds.file_meta.TransferSyntaxUID)
    count = int(ds.get("NumberOfFrames") or 1)
    if syntax in {SYNTAXES[name] for name in NATIVE}:
        yield from _native(ds, count)
        return
    for data in generate_frames(ds.PixelData, number_of_frames=count):
        yield _unpacked(ds, data, syntax)


def _shape(ds: Dataset) -> tuple[int, int, int]:
    return int(ds.Rows), int(ds.Columns), int(ds.SamplesPerPixel)


def _dtype(ds: Dataset) -> np.dtype[Any]:
    kind = "i" if ds.PixelRepresentation else "u"
    return np.dtype(f"{kind}{int(ds.BitsAllocated) // 8}")


def _native(ds: Dataset, count: int) -> Iterator[Array]:
    rows, columns, samples = _shape(ds)
    big = str(ds.file_meta.TransferSyntaxUID) == SYNTAXES["big endian"]
    dtype = _dtype(ds).newbyteorder(">" if big else "<")
    half = ds.PhotometricInterpretation == "YBR_FULL_422"
    values = rows * columns * (2 if half else samples)
    for number in range(count):
        flat = np.frombuffer(ds.PixelData, dtype, values, number * values * dtype.itemsize)
        if half:
            pairs = flat.reshape(rows, columns // 2, 4)
            ybr = np.empty((rows, columns, 3), np.uint8)
            ybr[:, 0::2, 0], ybr[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
            ybr[..., 1:] = np.repeat(pairs[..., 2:], 2, axis=1)
            yield to_rgb(ybr)
        elif samples == 1:
            yield flat.reshape(rows, columns)
        else:
            planar = int(ds.PlanarConfiguration)
            frame = flat.reshape((samples, rows, columns) if planar else (rows, columns, samples))
            frame = np.moveaxis(frame, 0, -1) if planar else frame
            yield to_rgb(frame) if ds.PhotometricInterpretation == "YBR_FULL" else frame


def _unpacked(ds: Dataset, data: bytes, syntax: str) -> Array:
    rows, columns, samples = _shape(ds)
    if syntax == SYNTAXES["rle"]:
        raw = _rle_decode_frame(data, rows, columns, samples, int(ds.BitsAllocated))
        planes = np.frombuffer(raw, _dtype(ds)).reshape(samples, rows, columns)
        frame = np.moveaxis(planes, 0, -1) if samples > 1 else planes[0]
        return to_rgb(frame) if ds.PhotometricInterpretation.startswith("YBR_FULL") else frame
    tail = int(syntax.rsplit(".", 1)[1])
    if tail in {50, 51, 57, 70}:
        if samples == 1:
            return np.asarray(imagecodecs.jpeg8_decode(data))
        ybr = ds.PhotometricInterpretation.startswith("YBR")
        space: dict[str, Any] = {"colorspace": "YCBCR" if ybr else "RGB", "outcolorspace": "RGB"}
        return np.asarray(imagecodecs.jpeg8_decode(data, **space))
    if tail in {80, 81}:
        return np.asarray(imagecodecs.jpegls_decode(data))
    if tail in {90, 91, 201, 202, 203}:
        return np.asarray(imagecodecs.jpeg2k_decode(data))
    if tail in {110, 111, 112}:
        return np.asarray(imagecodecs.jpegxl_decode(data))
    raise ValueError(f"no decoder for transfer syntax {syntax}")
