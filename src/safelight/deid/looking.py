"""The pictures of one input or one series: looked at together, then decided with the person known.

A series is looked at as a whole: what is written in it stands still while anatomy moves, so one
faint line that a single slice hides is found, and one mask fits them all. The tiles of a whole
slide are no such frames: they are put together, since writing may cross their borders.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from safelight.deid.boxes import Region
from safelight.deid.burned import Candidate, Finder, Hints, SeriesLook, Sight
from safelight.deid.faces import FaceMask, Slice, photo_faces
from safelight.deid.facing import FACE_TAGS, FaceLook, Faces, place_of
from safelight.deid.pixels.header import PixelHeader, gather
from safelight.deid.pixels.picture import Picture
from safelight.deid.pixels.render import render, render_bare, render_beside, render_fourth
from safelight.deid.pixels.tiles import Block, blocks_of, scattered
from safelight.dicomio.codecs import PixelSource, open_pixels
from safelight.dicomio.limits import Limits
from safelight.dicomio.runs import Run
from safelight.dicomio.walker import Buffer, Element, Walker
from safelight.errors import UnreadableInputError

if TYPE_CHECKING:
    from safelight.deid.text import Needles

__all__ = [
    "PHOTO",
    "Looker",
    "Opened",
    "Seen",
    "Stretch",
    "besides",
    "legible",
    "open_object",
    "otherwise",
]

_OFFSETS: Final = 0x7FE00001
_PIXELS: Final = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_WINDOWED: Final = 8  # of a series, each such frame is seen through its header's windows as well
_LETTER: Final = 0.4  # of a picture's shorter side: a lone letter is not larger
_ALPHA: Final = 4  # samples: three colours and what lies over them
_ROUND: Final = 3.0  # a ring is not so much longer than it is wide


# External-camera photography, and what may hold a photograph; captures by their SOP class.
_PHOTOGRAPHS: Final = frozenset({"XC", "OT", "SC", "DOC", "DM", "GM"})
_PHOTOGRAPHED: Final = ("1.2.840.10008.5.1.4.1.1.77.1.4", "1.2.840.10008.5.1.4.1.1.7")


# A photo may be of anything: it is looked at as closely as can be.
PHOTO: Final = Hints(closer=True)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Opened:
    """One object's pixels, ready to be decoded.

    Attributes:
        header: What the header says of them.
        source: Their frames.
        element: The pixel data element.
        place: Where a slice lies in the patient; None when the header does not say.
    """

    header: PixelHeader
    source: PixelSource
    element: Element
    place: Slice | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Where one input's frames stand in a stretch.

    Attributes:
        stretch: What was looked at together.
        key: Series and size.
        first: Number of its first frame there.
        frames: How many it has.
    """

    stretch: "Stretch"
    key: tuple[str, int, int]
    first: int
    frames: int

    def regions(self, needles: "Needles | None") -> list[Region]:
        """Return what was decided, by the frame numbers of the input itself."""
        return self.stretch.regions(self, needles)

    def faces(self, opened: "Opened", person: str, *, pictured: bool = False) -> Faces:
        """Return what is done about a face in the input, all of its series having been seen."""
        return self.stretch.faces(self, opened, person, pictured=pictured)


@dataclass(slots=True, kw_only=True)
class _Gathered:
    """Frames of one series and size."""

    look: SeriesLook
    faces: FaceLook
    hints: Hints
    sights: list[Sight] = field(default_factory=list)
    blocks: list[tuple[Block, Sight]] = field(default_factory=list)
    portraits: list[Region] = field(default_factory=list)
    count: int = 0
    decided: "tuple[Needles | None, list[Region]] | None" = None


def open_object(
    data: Buffer,
    segments: Sequence[Element | Run],
    walker: Walker,
    syntax: str,
    limits: Limits,
) -> Opened | None:
    """Return the pixels of a data set; None if it has none.

    Raises:
        UnreadableInputError: The header and the pixel data contradict each other, or no decoder
            knows them.
        LimitExceededError: They take more than the limits allow.
    """
    values: dict[int, bytes] = {}
    pixels: Element | None = None
    offsets: list[int] | None = None
    for segment in segments:
        if isinstance(segment, Run):
            values.update(gather(segment.raw, segment.elements))
            for each in segment.elements:
                if each[0] in FACE_TAGS:
                    values[each[0]] = bytes(segment.raw[each[3] : each[4]])
            continue
        tag, value, value_stop = segment[0], segment[3], segment[4]
        if tag in FACE_TAGS:
            values[tag] = bytes(data[value:value_stop])
        if tag in _PIXELS:
            pixels = pixels or segment  # of two the first is written, the other is left out
        elif tag == _OFFSETS:
            raw = memoryview(data)[value:value_stop]
            if len(raw) % 8 == 0 and raw:
                offsets = list(memoryview(bytes(raw)).cast("Q"))
    if pixels is None or pixels[3] == pixels[4]:
        return None
    values.update(
        gather(
            data, (each for each in segments if not isinstance(each, Run) and each is not pixels)
        )
    )
    tag, vr, _start, value, value_stop, stop = pixels
    header = PixelHeader.read(values, walker, syntax, limits, pixels=(tag, vr or b"OW"))
    source = open_pixels(
        data,
        value=value,
        stop=value_stop,
        encapsulated=stop != value_stop,
        form=header.form,
        limits=limits,
        offsets=offsets,
    )
    place = place_of(values, header)
    return Opened(header=header, source=source, element=pixels, place=place)


def legible(sight: Sight) -> Sight:
    """Leave out the outline of a whole organ: a ring as large as the picture is no letter O.

    A long line is no ring: in a script that the reader does not know it may read as one letter.
    """
    most = _LETTER * min(sight.rows, sight.columns)

    def is_ring(one: Candidate) -> bool:
        if one.reading is None or len(one.reading.text.strip()) > 1:
            return False
        short, long = sorted((one.strip.height, one.strip.length))
        return most < long <= _ROUND * short

    kept = tuple(one for one in sight.found if not is_ring(one))
    return sight if len(kept) == len(sight.found) else replace(sight, found=kept)


def otherwise(opened: Opened, index: int, shown: Picture) -> Iterator[Picture]:
    """Yield a grey frame through the windows and tables of its header, and through none.

    What looks like one before it, or like ``shown``, is left out.

    Raises:
        UnreadableInputError: The frame cannot be decoded, or its tables are damaged.
    """
    header, source = opened.header, opened.source
    stored, colour = source.frame(index), source.colour(index)
    known = [shown.grey]
    for look in (*header.look(index).ways(), None):
        try:
            if look is None:
                one = render_bare(stored, header, index=index)
            else:
                one = render(stored, header, colour, index=index, look=look)
        except UnreadableInputError:  # a damaged table shows nothing where a window does
            if not header.look(index).windows:
                raise
            continue
        if one is not None and not any(np.array_equal(one.grey, other) for other in known):
            known.append(one.grey)
            yield one


def mosaic(opened: Opened, block: Block) -> Picture:
    """Return the tiles of a block as one picture.

    Raises:
        UnreadableInputError: A frame cannot be decoded.
    """
    header, source = opened.header, opened.source
    whole: NDArray[Any] | None = None
    for index, left, top in block.frames:
        tile, colour = source.frame(index), source.colour(index)
        if tile.ndim > 2:  # noqa: PLR2004 - samples
            shown = render(tile, header, colour, index=index).rgb
            tile = tile if shown is None else shown
        if whole is None:
            size = (block.rows, block.columns, *tile.shape[2:])
            whole = np.full(size, np.median(tile), tile.dtype)
        whole[top : top + header.rows, left : left + header.columns] = tile
    assert whole is not None  # noqa: S101  # a block has tiles
    colour = "RGB" if whole.ndim > 2 else "MONOCHROME2"  # noqa: PLR2004 - samples
    return render(whole, header, colour, index=block.frames[0][0], full=True)


def besides(opened: Opened, index: int) -> list[Picture]:
    """Return what one frame holds beside its values and colours; mostly nothing does."""
    form, source = opened.header.form, opened.source
    found: list[Picture] = []
    if form.samples == _ALPHA and source.colour(index) != "CMYK":
        found.append(render_fourth(source.frame(index), source.colour(index), form, index=index))
    if form.bits_stored < form.bits_allocated and not form.floating:
        words = source.overlay_bits(index)
        if words.any():
            found += render_beside(words, source.frame(index), form, index=index)
    return found


def _may_be_photograph(header: PixelHeader) -> bool:
    return header.modality.upper() in _PHOTOGRAPHS or header.sop_class.startswith(_PHOTOGRAPHED)


class Looker:
    """The engines that look, one a process; models are loaded when the first picture comes."""

    def __init__(self) -> None:
        self.finder = Finder()
        self.faces: dict[tuple[str, str], FaceMask] = {}

    def stretch(self) -> "Stretch":
        """Return an empty stretch, for inputs that are looked at together."""
        return Stretch(self)


class Stretch:
    """Inputs that are looked at together: one series, or one input alone."""

    def __init__(self, looker: Looker) -> None:
        self._looker = looker
        self._gathered: dict[tuple[str, int, int], _Gathered] = {}

    def see(self, opened: Opened) -> Seen:
        """Look at every frame of one object.

        Raises:
            UnreadableInputError: A frame cannot be decoded.
            LimitExceededError: It takes too much.
        """
        header, source = opened.header, opened.source
        key = (header.series, header.rows, header.columns)
        if header.tiles:  # a picture of its own, whatever else is in the series
            key = (f"tiles {len(self._gathered)}", header.rows, header.columns)
        gathered = self._gather(key, Hints.of(header, [region.box for region in header.regions]))
        first = gathered.count
        if header.tiles:
            self._tiles(opened, gathered)
        else:
            for index in range(len(source)):
                self._frame(opened, index, gathered)
        return Seen(stretch=self, key=key, first=first, frames=len(source))

    def _gather(self, key: tuple[str, int, int], hints: Hints) -> _Gathered:
        gathered = self._gathered.get(key)
        if gathered is None:
            gathered = self._gathered[key] = _Gathered(
                look=self._looker.finder.series(),
                faces=FaceLook(self._looker.faces),
                hints=hints,
            )
        elif hints.closer and not gathered.hints.closer:
            gathered.hints = hints
        gathered.decided = None
        return gathered

    def _tiles(self, opened: Opened, gathered: _Gathered) -> None:
        """Look at the tiles of one picture, put together to blocks."""
        header = opened.header
        size = header.rows, header.columns
        for block in blocks_of(header.tiles, *size):
            shown = mosaic(opened, block)
            sight = self._looker.finder.look(shown, gathered.hints, 0)
            gathered.blocks.append((block, legible(sight)))
        for index in range(header.frames):
            alone = Block(*size, ((index, 0, 0),))
            for beside in besides(opened, index):
                sight = self._looker.finder.look(beside, gathered.hints, 0)
                gathered.blocks.append((alone, sight))

    def _frame(self, opened: Opened, index: int, gathered: _Gathered) -> None:
        header, source = opened.header, opened.source
        stored, colour = source.frame(index), source.colour(index)
        picture = render(stored, header, colour, index=index, full=True)
        number = gathered.count
        gathered.count += 1
        found = self._look(picture, gathered, number)
        gathered.look.add(picture)
        gathered.faces.add(header, opened.place, stored)
        if _may_be_photograph(header):
            faces = photo_faces(picture.grey if picture.rgb is None else picture.rgb)
            gathered.portraits += [replace(one, frames=(number,)) for one in faces]
        if stored.ndim == 2 and (found or number % _WINDOWED == 0):  # noqa: PLR2004 - grey
            for other in otherwise(opened, index, picture):
                self._look(other, gathered, number)
        for beside in besides(opened, index):
            self._look(beside, gathered, number)

    def _look(self, picture: Picture, gathered: _Gathered, number: int) -> bool:
        sight = legible(self._looker.finder.look(picture, gathered.hints, number))
        gathered.sights.append(sight)
        return bool(sight.found)

    def faces(self, seen: Seen, opened: Opened, person: str, *, pictured: bool = False) -> Faces:
        """Return what is done about a face in one input of a person, who is named by code."""
        look = self._gathered[seen.key].faces
        frame = opened.source.frame(0)
        return look.of(opened.header, opened.place, frame, person, pictured=pictured)

    def regions(self, seen: Seen, needles: "Needles | None") -> list[Region]:
        """Return what was decided for one input, by its own frame numbers."""
        gathered = self._gathered[seen.key]
        finder, hints = self._looker.finder, gathered.hints
        if gathered.decided is None or gathered.decided[0] is not needles:
            shared = gathered.look.finish(hints)
            if shared is not None and shared.found:
                gathered.sights.append(legible(shared))
            decided = finder.decide(gathered.sights, needles, hints)
            for block, sight in gathered.blocks:
                for one in finder.decide([sight], needles, hints):
                    decided += scattered(one, block, *seen.key[1:])
            gathered.decided = (needles, decided)
        last = seen.first + seen.frames
        own: list[Region] = []
        for region in (*gathered.decided[1], *gathered.portraits):
            if not region.frames:
                own.append(region)
                continue
            frames = [n - seen.first for n in region.frames if seen.first <= n < last]
            if len(frames) == seen.frames:
                own.append(replace(region, frames=()))
            elif frames:
                own.append(replace(region, frames=tuple(frames)))
        return own
