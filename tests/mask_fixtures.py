"""Whole objects to be masked: pixel data elements in any syntax, and what comes out decoded."""

import io
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.data import get_testdata_file

from safelight.deid.boxes import Region
from safelight.deid.pixelcopy import Geometry, PixelCopier
from safelight.deid.pixels.header import PixelHeader, gather
from safelight.deid.pixels.headerparts import Look
from safelight.deid.pixels.mask import Masked, mask_object
from safelight.deid.pixels.masks import Fill
from safelight.dicomio.codecs import PixelFormat, PixelSource, encode, open_pixels, write_frame
from safelight.dicomio.codestream import DEFLATED_FRAME
from safelight.dicomio.envelope import inflate, read_envelope
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import Budget, Element, Walker
from safelight.types import FileSlice

LIMITS = Limits()
ITEM = b"\xfe\xff\x00\xe0"
END = b"\xfe\xff\xdd\xe0\0\0\0\0"
NATIVE = frozenset(
    ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")
)
Array = NDArray[Any]


@dataclass
class Sample:
    """One object at hand."""

    data: bytes
    element: Element
    walker: Walker
    header: PixelHeader
    source: PixelSource

    @property
    def copier(self) -> PixelCopier:
        form = self.header.form
        geometry = Geometry(
            rows=form.rows,
            columns=form.columns,
            samples=form.samples,
            bits=form.bits_allocated,
            frames=form.frames,
            photometric=form.photometric,
        )
        return PixelCopier(self.data, "", self.walker, form.syntax, geometry, LIMITS)

    def mask(
        self,
        regions: Sequence[Region] = (),
        shapes: Mapping[int, Array] | None = None,
        fill: Fill = Fill.FLAT,
    ) -> Masked:
        return mask_object(
            self.source,
            self.header,
            regions,
            copier=self.copier,
            element=self.element,
            shapes=shapes,
            fill=fill,
        )

    def after(self, masked: Masked) -> "Sample":
        """Return the masked object, opened from its bytes."""
        photometric = masked.changed.get(0x00280004)
        form = replace(self.header.form, syntax=masked.syntax)
        if photometric:
            form = replace(form, photometric=photometric.decode().strip())
        header = replace(self.header, form=form, photometric=form.photometric)
        return opened(joined(masked), header, self.walker)


def joined(masked: Masked) -> bytes:
    return b"".join(bytes(part) for part in masked.parts if not isinstance(part, FileSlice))


def opened(data: bytes, header: PixelHeader, walker: Walker) -> Sample:
    (element,) = walker.elements(data, 0, len(data), Budget(LIMITS))
    source = open_pixels(
        data,
        value=element[3],
        stop=element[4],
        encapsulated=element[4] != element[5],
        form=header.form,
        limits=LIMITS,
    )
    return Sample(data, element, walker, header, source)


def header_of(form: PixelFormat, **more: Any) -> PixelHeader:
    inverted = form.photometric == "MONOCHROME1"
    return PixelHeader(
        form=form, photometric=form.photometric, looks=(Look(),), inverted=inverted, **more
    )


def fragments(frames: Sequence[bytes], pieces: int = 1) -> bytes:
    """Return an encapsulated element, each frame cut into fragments, with its offset table."""
    body, offsets = b"", []
    for frame in frames:
        offsets.append(len(body))
        even = frame + bytes(len(frame) % 2)
        size = max(2, -(-len(even) // pieces) // 2 * 2)
        for at in range(0, len(even), size):
            piece = even[at : at + size]
            body += ITEM + len(piece).to_bytes(4, "little") + piece
    table = b"".join(offset.to_bytes(4, "little") for offset in offsets)
    head = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff" + ITEM + len(table).to_bytes(4, "little")
    return head + table + body + END


def sample(frames: Sequence[Array], form: PixelFormat, **more: Any) -> Sample:
    """Return an object of these frames in the syntax of the form."""
    if form.syntax in NATIVE:
        walker = Walker(implicit=form.syntax == "1.2.840.10008.1.2", big=form.big_endian)
        half = form.photometric.endswith("_422")
        bits = form.pixels * (2 if half else form.samples) * form.bits_allocated
        value = bytearray((bits * form.frames + 7) // 8)
        value += bytes(len(value) % 2)
        for number, frame in enumerate(frames):
            write_frame(value, number, frame, form)
        order = walker.order
        head = (0x7FE0).to_bytes(2, order) + (0x10).to_bytes(2, order)
        vr = b"" if walker.implicit else form.vr + b"\0\0"
        data = head + vr + len(value).to_bytes(4, order) + bytes(value)
    else:
        walker = Walker(implicit=False, big=False)
        coded = [encode(frame, form) for frame in frames]
        if form.syntax == DEFLATED_FRAME:
            coded = [zlib.compress(frame)[2:-4] for frame in coded]
        data = fragments(coded, pieces=2)
    return opened(data, header_of(form, **more), walker)


def bundled(name: str) -> Sample:
    """Return one of the files that pydicom ships."""
    path = get_testdata_file(name, download=False)
    data = Path(str(path)).read_bytes()
    envelope = read_envelope(data, LIMITS)
    start = envelope.start
    if envelope.encoding.deflated:
        data, start = inflate(data, start, LIMITS), 0
    walker = Walker(implicit=envelope.encoding.implicit, big=envelope.encoding.big)
    elements = walker.elements(data, start, len(data), Budget(LIMITS))
    element = next(one for one in elements if one[0] in (0x7FE00008, 0x7FE00009, 0x7FE00010))
    header = PixelHeader.read(
        gather(data, elements),
        walker,
        envelope.syntax,
        LIMITS,
        pixels=(element[0], element[1] or b"OW"),
    )
    source = open_pixels(
        data,
        value=element[3],
        stop=element[4],
        encapsulated=element[4] != element[5],
        form=header.form,
        limits=LIMITS,
    )
    return Sample(data, element, walker, header, source)


def jpeg(pixels: Array, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", **options)
    return out.getvalue()


def shown(data: bytes) -> Array:
    """Return what Pillow decodes of a photo: the pinned decoder of these tests."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image)


def luma(data: bytes) -> Array:
    """Return the brightness that Pillow decodes, before it is mixed with colour."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft("L", None)
        return np.asarray(image.convert("L"))


def smooth(rows: int, columns: int, samples: int = 1, seed: int = 1) -> Array:
    """Return a picture with slopes and noise, uint8."""
    random = np.random.default_rng(seed)
    shape = (rows, columns) if samples == 1 else (rows, columns, samples)
    slopes = np.cumsum(np.cumsum(random.normal(size=shape), 0), 1)
    slopes = (slopes - slopes.min()) / (np.ptp(slopes) + 1e-9) * 255
    noisy = slopes + random.normal(size=shape) * 12
    return np.clip(noisy, 0, 255).astype(np.uint8)


def grown(mask: Array) -> Array:
    """Return a mask one pixel larger on all sides."""
    wide = np.pad(mask, 1)
    tall = wide[:-2] | wide[1:-1] | wide[2:]
    return tall[:, :-2] | tall[:, 1:-1] | tall[:, 2:]
