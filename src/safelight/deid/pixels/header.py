"""What an image's header says of its pixels: shape, tables, windows, overlays, regions.

Source: PS3.3 C.7.6.3 (pixels), C.11 (tables), C.9.2 (overlays), C.8.5.5 (ultrasound regions),
C.7.6.16 (functional groups).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from safelight.deid.boxes import Box
from safelight.deid.pixels.headerparts import Fields, Look, UltrasoundRegion, looks_of
from safelight.deid.pixels.tables import Table
from safelight.deid.pixels.tiles import Tile, tiles_of
from safelight.dicomio.codecs.form import PixelFormat
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import Budget, Buffer, Element, Walker
from safelight.errors import LimitExceededError, UnreadableInputError

__all__ = ["PIXELS", "WANTED", "Look", "PixelHeader", "UltrasoundRegion", "gather"]

PIXELS: Final = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_FLOATS: Final = {0x7FE00008: b"OF", 0x7FE00009: b"OD"}
_PALETTES: Final = (0x00281201, 0x00281202, 0x00281203)
_REGIONS: Final = 0x00186011
_SMALLEST, _LARGEST = 0x00280106, 0x00280107
# What ``PixelHeader.read`` looks at.
WANTED: Final = frozenset(
    (
        *range(0x00280002, 0x00280020), 0x00080008, 0x00080016, 0x00080060, 0x00080064,
        0x00080070, 0x00081090, 0x00089205, 0x00180015, 0x00185101, 0x0020000E, 0x00200052,
        0x00200062, 0x00280100, 0x00280101, 0x00280102, 0x00280103, *range(0x00280106, 0x00280112),
        0x00280120, 0x00280121, 0x00280301, 0x00281050, 0x00281051, 0x00281052, 0x00281053,
        0x00281054, 0x00281056, *range(0x00281101, 0x00281104), *_PALETTES,
        *range(0x00281221, 0x00281224), 0x00283000, 0x00283010, 0x20500020, _REGIONS,
        0x00480006, 0x00480007, 0x00603000, 0x52009229, 0x52009230, 0x00880200, 0x00082111,
        0x00280004,
    )
)  # fmt: skip


def gather(data: Buffer, elements: Iterable[Element]) -> dict[int, bytes]:
    """Return the raw values, by tag, that ``PixelHeader.read`` wants of one level's elements."""
    found: dict[int, bytes] = {}
    for tag, _vr, _start, value, value_stop, _stop in elements:
        if tag in WANTED and tag not in found:
            found[tag] = bytes(data[value:value_stop])
    return found


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PixelHeader:
    """What the header says of the pixels. Its ``repr`` shows no value.

    Attributes:
        form: Shape and encoding of the stored pixels.
        photometric: Photometric Interpretation, without padding.
        looks: How stored values become grey levels: one for all frames, or one a frame.
        inverted: The lowest displayed value is white (MONOCHROME1 or an INVERSE shape).
        padding: Lowest and highest stored value that stand for "no pixel"; None when unset.
        palettes: Red, green and blue tables; None when there are none.
        first_colour: Lowest stored value that the palettes colour, for grey images with a
            supplemental palette; None when they colour all or none.
        regions: Calibrated regions of an ultrasound image.
        smallest: Smallest Image Pixel Value (0028,0106); None when absent.
        largest: Largest Image Pixel Value (0028,0107); None when absent.
        burned_in: Burned In Annotation, such as ``YES``; empty when absent.
        image_type: Values of Image Type.
        sop_class: SOP Class UID.
        modality: Modality.
        body_part: Body Part Examined.
        view: View Position (0018,5101).
        laterality: Image Laterality (0020,0062).
        manufacturer: Manufacturer, for templates.
        model: Manufacturer's Model Name, for templates.
        series: Series Instance UID, to gather what belongs together; never to be shown.
        frame_of_reference: Frame of Reference UID; never to be shown.
        tiles: Where each frame lies in one large picture; empty when frames are pictures.
        present: Tags among ``WANTED`` that the header holds.
    """

    form: PixelFormat
    photometric: str
    looks: tuple[Look, ...]
    inverted: bool = False
    padding: tuple[int, int] | None = None
    palettes: tuple[Table, Table, Table] | None = None
    first_colour: int | None = None
    regions: tuple[UltrasoundRegion, ...] = ()
    smallest: int | None = None
    largest: int | None = None
    burned_in: str = ""
    image_type: tuple[str, ...] = ()
    sop_class: str = ""
    modality: str = ""
    body_part: str = ""
    view: str = ""
    laterality: str = ""
    manufacturer: str = ""
    model: str = ""
    series: str = ""
    frame_of_reference: str = ""
    tiles: tuple[Tile, ...] = ()
    present: frozenset[int] = frozenset()

    def __repr__(self) -> str:
        form = self.form
        return f"PixelHeader(<{form.columns} x {form.rows}, {form.frames} frames>)"

    @property
    def rows(self) -> int:
        """Rows of a frame."""
        return self.form.rows

    @property
    def columns(self) -> int:
        """Columns of a frame."""
        return self.form.columns

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.form.frames

    def look(self, frame: int) -> Look:
        """Return how one frame is shown."""
        return self.looks[frame if frame < len(self.looks) else 0]

    @classmethod
    def read(
        cls,
        values: Mapping[int, bytes],
        walker: Walker,
        syntax: str,
        limits: Limits,
        *,
        pixels: tuple[int, bytes] = (0x7FE00010, b"OW"),
    ) -> "PixelHeader":
        """Return the header that these raw values describe.

        Args:
            values: Raw value by tag, as ``gather`` gives them; sequences without their own head.
            walker: Of the encoding they are in.
            syntax: Transfer Syntax UID.
            limits: Bounds on items and elements.
            pixels: Tag and VR of the pixel data element.

        Raises:
            UnreadableInputError: Rows, columns or bits are missing or make no sense.
        """
        fields = Fields(values, walker, Budget(limits))
        tag, vr = pixels
        form = _form(fields, syntax, _FLOATS.get(tag, vr), limits)
        palettes, first_colour = _palettes(fields, form)
        photometric = form.photometric
        inverse = fields.text(0x20500020) == "INVERSE"
        return cls(
            form=form,
            photometric=photometric,
            looks=looks_of(fields, form.frames, signed=form.signed),
            inverted=photometric == "MONOCHROME1" or (inverse and photometric == "MONOCHROME2"),
            padding=_padding(fields, signed=form.signed),
            palettes=palettes,
            first_colour=first_colour,
            regions=_regions(fields),
            smallest=fields.number(_SMALLEST, signed=form.signed),
            largest=fields.number(_LARGEST, signed=form.signed),
            burned_in=fields.text(0x00280301),
            image_type=tuple(fields.text(0x00080008).split("\\")),
            sop_class=fields.text(0x00080016),
            modality=fields.text(0x00080060),
            body_part=fields.text(0x00180015),
            view=fields.text(0x00185101),
            laterality=fields.text(0x00200062),
            manufacturer=fields.text(0x00080070),
            model=fields.text(0x00081090),
            series=fields.text(0x0020000E),
            frame_of_reference=fields.text(0x00200052),
            tiles=tiles_of(fields, form.rows, form.columns, form.frames),
            present=frozenset(tag for tag in values if tag in WANTED),
        )


def _form(fields: Fields, syntax: str, vr: bytes, limits: Limits) -> PixelFormat:
    rows, columns = fields.number(0x00280010) or 0, fields.number(0x00280011) or 0
    allocated = fields.number(0x00280100) or {b"OF": 32, b"OD": 64}.get(vr, 0)
    if not rows or not columns or not allocated:
        raise UnreadableInputError("the header does not say how large the image is")
    stored = fields.number(0x00280101) or allocated
    high = fields.number(0x00280102)
    samples = fields.number(0x00280002) or 1
    if stored > allocated or samples > 4 or (high is not None and not 0 <= high < allocated):  # noqa: PLR2004 - CMYK, ARGB
        raise UnreadableInputError("the header's bits or samples make no sense")
    frames = fields.integer(0x00280008) or 1
    if not 0 < frames <= limits.items:
        raise LimitExceededError(f"more than {limits.items} frames (limit items)")
    return PixelFormat(
        rows=rows,
        columns=columns,
        samples=samples,
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=stored - 1 if high is None else high,
        signed=fields.number(0x00280103) == 1,
        planar=fields.number(0x00280006) or 0,
        photometric=fields.text(0x00280004) or ("RGB" if samples == 3 else "MONOCHROME2"),  # noqa: PLR2004 - red, green, blue
        frames=frames,
        syntax=syntax,
        big_endian=fields.walker.big,
        vr=vr,
    )


def _padding(fields: Fields, *, signed: bool) -> tuple[int, int] | None:
    value = fields.number(0x00280120, signed=signed)
    if value is None:
        return None
    limit = fields.number(0x00280121, signed=signed)
    limit = value if limit is None else limit
    return min(value, limit), max(value, limit)


def _palettes(
    fields: Fields, form: PixelFormat
) -> tuple[tuple[Table, Table, Table] | None, int | None]:
    found = [
        fields.table(0x00281101 + n, tag, 0x00281221 + n, signed=form.signed)
        for n, tag in enumerate(_PALETTES)
    ]
    red, green, blue = found
    if red is None or green is None or blue is None or form.samples != 1:
        return None, None
    if form.photometric == "PALETTE COLOR":
        return (red, green, blue), None
    # a supplemental palette colours the values from its first entry on (PS3.3 C.8.16.2.1.1.1)
    if fields.text(0x00089205) in ("COLOR", "MIXED", "COLOR_RANGE"):
        return (red, green, blue), red.first
    return None, None


def _regions(fields: Fields) -> tuple[UltrasoundRegion, ...]:
    found = []
    for item in fields.items(_REGIONS):
        left, top, right, bottom = (item.long(tag) for tag in range(0x00186018, 0x00186020, 2))
        if left is None or top is None or right is None or bottom is None:
            continue
        if right < left or bottom < top:
            continue
        region = UltrasoundRegion(
            box=Box(left, top, right - left + 1, bottom - top + 1),
            spatial_format=item.number(0x00186012) or 0,
            data_type=item.number(0x00186014) or 0,
            flags=item.long(0x00186016) or 0,
        )
        found.append(region)
    return tuple(found)
