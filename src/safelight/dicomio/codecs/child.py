"""The process in which compressed frames are decoded: it reads jobs, and answers with bytes.

Run as a script by ``guard``, with the parent's import path as its one argument. It imports nothing
of Safelight, opens no file after it has started, and ends when its input does. A decoder that
crashes takes this process along and nothing else.

A job is a line of JSON and a payload; an answer is one byte that says how it went and a payload.
Nothing of an answer is ever unpickled, parsed or shown: on failure it is that one byte.
"""

import json
import os
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, Final

ANSWER: Final = struct.Struct("<cQ")
JOB: Final = struct.Struct("<LQ")
# How a job ended: the first byte of an answer.
OK, BROKEN, SHAPE, MEMORY, SHORT, UNFIT, READY = b"K", b"B", b"S", b"M", b"T", b"U", b"R"

_TAIL: Final = b"\x5a" * 64
_EOI: Final = b"\xff\xd9"
_SPARE: Final = 512 << 20
_GROWTH: Final = 24  # bytes of work space for each byte of a frame; J2K takes most, about 12


class ShapeError(Exception):
    """The decoder gave another size or type than the header promised."""


class ShortError(Exception):
    """The codestream ends before its last pixel."""


class UnfitError(Exception):
    """The pixels did not come back as they were given."""


# --- Decoders: bytes to an array --------------------------------------------------------------


def _jpeg(data: bytes, job: dict[str, Any]) -> Any:
    """Decode JPEG without changing colour; decode again with another tail to prove it whole.

    libjpeg fills what is missing with what it finds behind: pixels that depend on bytes after the
    end were never in the stream.
    """
    import imagecodecs  # noqa: PLC0415 - each job loads the one codec that it needs

    def decode(coded: bytes) -> Any:
        if job["samples"] == 1:
            return imagecodecs.jpeg8_decode(coded)
        space = {3: "YCBCR", 4: "CMYK"}[job["samples"]]
        return imagecodecs.jpeg8_decode(coded, colorspace=space, outcolorspace=space)

    body = data[:-2] if data.endswith(_EOI) else data
    found = decode(body + _EOI)
    if found.shape == tuple(job["shape"]) and (found != decode(body + _TAIL + _EOI)).any():
        raise ShortError
    return found


def _jpegls(data: bytes, _: dict[str, Any]) -> Any:
    import imagecodecs  # noqa: PLC0415 - as above

    return imagecodecs.jpegls_decode(data)


def _j2k(data: bytes, _: dict[str, Any]) -> Any:
    import imagecodecs  # noqa: PLC0415 - as above

    return imagecodecs.jpeg2k_decode(data)


def _jxl(data: bytes, _: dict[str, Any]) -> Any:
    import imagecodecs  # noqa: PLC0415 - as above

    return imagecodecs.jpegxl_decode(data, numthreads=1)


def _rle(data: bytes, job: dict[str, Any]) -> Any:
    """Unpack the segments, one for each byte of a sample, the highest first (PS3.5 Annex G)."""
    import imagecodecs  # noqa: PLC0415 - as above
    import numpy as np  # noqa: PLC0415 - as above

    plane, (samples, width) = job["plane"], job["segments"]
    bounds = [*struct.unpack_from(f"<{samples * width}L", data, 4), len(data)]
    found = np.empty((plane, samples, width), np.uint8)
    for index in range(samples * width):
        unpacked = imagecodecs.packbits_decode(data[bounds[index] : bounds[index + 1]])
        if len(unpacked) < plane:
            raise ShortError
        sample, place = divmod(index, width)
        found[:, sample, width - 1 - place] = np.frombuffer(unpacked, np.uint8, plane)
    return found.view(f"<u{width}").reshape(job["shape"])


# --- Encoders: an array to bytes --------------------------------------------------------------


def _to_jpeg(pixels: Any, job: dict[str, Any]) -> bytes:
    """Encode without loss, predictor 1. Colour goes in as RGB, which alone is left as it is."""
    import imagecodecs  # noqa: PLC0415 - as above

    options = dict[str, Any](lossless=True, predictor=1, bitspersample=job["bits"])
    if job["samples"] == 1:
        return bytes(imagecodecs.jpeg8_encode(pixels, **options))
    coded = imagecodecs.jpeg8_encode(pixels, colorspace="RGB", outcolorspace="RGB", **options)
    return bytes(coded) if job["rgb"] else _unname(bytes(coded))


def _unname(coded: bytes) -> bytes:
    """Take away the marks that say RGB: Adobe's segment, and components called R, G and B."""
    found, at = bytearray(coded[:2]), 2
    while True:
        marker, length = coded[at + 1], int.from_bytes(coded[at + 2 : at + 4], "big")
        segment = bytearray(coded[at : at + 2 + length])
        at += 2 + length
        if marker == 0xC3:  # noqa: PLR2004 - SOF3: identifiers of components, T.81 B.2.2
            segment[10:19:3] = b"\1\2\3"
        elif marker == 0xDA:  # noqa: PLR2004 - SOS, T.81 B.2.3
            segment[5:11:2] = b"\1\2\3"
            return bytes(found + segment + coded[at:])
        if marker != 0xEE:  # noqa: PLR2004 - APP14
            found += segment


def _to_jpegls(pixels: Any, job: dict[str, Any]) -> bytes:
    """Encode with the precision of the header, which imagecodecs takes from the type alone."""
    import imagecodecs  # noqa: PLC0415 - as above
    import jpeg_ls  # noqa: PLC0415 - as above

    rows, columns, *_ = pixels.shape
    mode = 0 if job["samples"] == 1 else 2
    raw = pixels.tobytes()
    try:
        coded = jpeg_ls.encode_buffer(
            raw, rows, columns, job["samples"], job["bits"], interleave_mode=mode
        )
    except RuntimeError:  # it has room for twice the pixels: too little for a few dozen bytes
        coded = imagecodecs.jpegls_encode(pixels, level=0, out=2 * len(raw) + 4096)
    return bytes(coded)


def _to_j2k(pixels: Any, job: dict[str, Any]) -> bytes:
    import imagecodecs  # noqa: PLC0415 - as above

    return bytes(
        imagecodecs.jpeg2k_encode(
            pixels,
            level=0,
            codecformat="J2K",
            bitspersample=job["bits"],
            resolutions=job["levels"] + 1,
            reversible=True,
            mct=job["turn"],
        )
    )


def _to_htj2k(pixels: Any, job: dict[str, Any]) -> bytes:
    """Encode with the precision in the header, which the library takes from the type alone.

    Samples of fewer bits go in around zero, as if signed and of the whole type; then the header
    tells the decoder how they are to be understood (ISO/IEC 15444-1 A.5.1, G.1.2).
    """
    import imagecodecs  # noqa: PLC0415 - as above

    bits, unsigned = job["bits"], pixels.dtype.kind == "u"
    narrow = bits < 8 * pixels.itemsize
    if narrow and unsigned:
        half = 1 << (bits - 1)
        pixels = (pixels.astype("i4") - half).astype(f"i{pixels.itemsize}")
    coded = bytearray(
        imagecodecs.htj2k_encode(
            pixels,
            reversible=True,
            resolutions=job["levels"],
            rgb=job["turn"],
            planar=False,
            tlm=job["tlm"],
            tilepart=1 if job["tlm"] else None,
        )
    )
    if narrow:
        for at in range(42, 42 + 3 * job["samples"], 3):
            coded[at] = bits - 1 | (0 if unsigned else 128)
    return bytes(coded)


def _to_jxl(pixels: Any, job: dict[str, Any]) -> bytes:
    import imagecodecs  # noqa: PLC0415 - as above

    return bytes(
        imagecodecs.jpegxl_encode(
            pixels,
            lossless=True,
            effort=3,
            bitspersample=job["bits"],
            usecontainer=False,
            numthreads=1,
        )
    )


def _to_rle(pixels: Any, job: dict[str, Any]) -> bytes:
    """Pack each row of each byte plane apart, as PS3.5 G.3.1 asks."""
    import imagecodecs  # noqa: PLC0415 - as above
    import numpy as np  # noqa: PLC0415 - as above

    samples, width = job["segments"]
    planes = pixels.reshape(-1, job["row"], samples, 1).view(np.uint8)
    packed = []
    for index in range(samples * width):
        sample, place = divmod(index, width)
        plane = np.ascontiguousarray(planes[:, :, sample, width - 1 - place])
        if job["row"] == 1:  # the library takes no single column
            segment = np.insert(plane.reshape(-1, 1), 0, 0, axis=1).tobytes()
        else:
            segment = bytes(imagecodecs.packbits_encode(plane, axis=-1))
        packed.append(segment + bytes(len(segment) % 2))
    offsets, at = [len(packed)], 64
    for segment in packed:
        offsets.append(at)
        at += len(segment)
    return struct.pack("<16L", *offsets, *[0] * (16 - len(offsets))) + b"".join(packed)


DECODERS: Final[dict[str, Callable[[bytes, dict[str, Any]], Any]]] = {
    "jpeg": _jpeg,
    "jpegls": _jpegls,
    "j2k": _j2k,
    "htj2k": _j2k,  # OpenJPH, as imagecodecs calls it, hides its errors and lets overshoot wrap
    "jxl": _jxl,
    "rle": _rle,
}
ENCODERS: Final[dict[str, Callable[[Any, dict[str, Any]], bytes]]] = {
    "jpeg": _to_jpeg,
    "jpegls": _to_jpegls,
    "j2k": _to_j2k,
    "htj2k": _to_htj2k,
    "jxl": _to_jxl,
    "rle": _to_rle,
}


# --- The loop ---------------------------------------------------------------------------------


def decode(payload: bytes, job: dict[str, Any]) -> Any:
    """Return the pixels in C order, of exactly the shape and type that the job names."""
    import numpy as np  # noqa: PLC0415 - as above

    found = np.asarray(DECODERS[job["codec"]](payload, job))
    if found.shape != tuple(job["shape"]) or found.dtype != np.dtype(job["dtype"]):
        raise ShapeError
    return np.ascontiguousarray(found)


def encode(payload: bytes, job: dict[str, Any]) -> bytes:
    """Return the coded pixels, proven by decoding them again."""
    import numpy as np  # noqa: PLC0415 - as above

    pixels = np.frombuffer(payload, job["dtype"]).reshape(job["shape"])
    coded = ENCODERS[job["codec"]](pixels, job)
    if not (decode(coded, job) == pixels).all():
        raise UnfitError
    return coded


def _limit(job: dict[str, Any], payload: int, base: int) -> None:
    """Bound the memory and the processor time of the job that comes."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    if base:
        room = base + _SPARE + _GROWTH * job["bytes"] + 4 * payload
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (room, most))
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + int(job["seconds"]), most))


def _size_now() -> int:
    """Return the address space in use in bytes; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _harden() -> None:
    """Leave no core file, write no file, start no process: what runs here met hostile bytes."""
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    for name in ("RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_NPROC"):
        if hasattr(resource, name):
            resource.setrlimit(getattr(resource, name), (0, 0))


def _answer(work: Callable[[bytes, dict[str, Any]], Any], payload: bytes, job: Any) -> Any:
    """Return how the job went, and what came of it."""
    hidden: list[object] = []  # errors in callbacks that a library swallowed
    sys.unraisablehook = hidden.append
    try:
        found = memoryview(work(payload, job)).cast("B")
    except ShapeError:
        return SHAPE, b""
    except ShortError:
        return SHORT, b""
    except UnfitError:
        return UNFIT, b""
    except MemoryError:
        return MEMORY, b""
    except BaseException:  # noqa: BLE001 - a Rust panic and SystemExit are no Exception
        return BROKEN, b""
    return (BROKEN, b"") if hidden else (OK, found)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Do jobs until the input ends."""
    import imagecodecs  # noqa: PLC0415 - loaded before memory is bounded
    import numpy as np  # noqa: PLC0415 - as above

    imagecodecs.packbits_decode(b"\0" + np.zeros(1, np.uint8).tobytes())
    base = _size_now()
    _harden()
    sink.write(ANSWER.pack(READY, 0))
    sink.flush()
    while len(head := source.read(JOB.size)) == JOB.size:
        text, size = JOB.unpack(head)
        job, payload = json.loads(source.read(text)), source.read(size)
        _limit(job, size, base)
        status, found = _answer(encode if job["encode"] else decode, payload, job)
        sink.write(ANSWER.pack(status, len(found)))
        sink.write(found)
        sink.flush()


if __name__ == "__main__":
    sys.path[:] = json.loads(sys.argv[1])
    _in, _out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _null = os.open(os.devnull, os.O_RDWR)
    for _descriptor in (0, 1, 2):  # a library that prints must not print into an answer
        os.dup2(_null, _descriptor)
    serve(_in, _out)
