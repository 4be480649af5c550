"""The pixel step of one input: look, decide, mask, and look once more at what goes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from safelight.deid.boxes import Region, Verdict
from safelight.deid.context import Context
from safelight.deid.decision import Entry
from safelight.deid.faces import Examined, photo_faces, surface_png
from safelight.deid.facing import Faces
from safelight.deid.looking import PHOTO, Looker, Opened, Seen, Stretch, besides, otherwise
from safelight.deid.objects import DicomObject
from safelight.deid.parts import chunks
from safelight.deid.pixels.handmade import Template, parse_box, read_templates, regions_for
from safelight.deid.pixels.header import PixelHeader
from safelight.deid.pixels.mask import Masked, mask_object
from safelight.deid.pixels.masks import Mask, Masks
from safelight.deid.pixels.objectproof import prove_object
from safelight.deid.pixels.photos import mask_photo, picture
from safelight.deid.pixels.picture import Picture
from safelight.deid.pixels.render import render
from safelight.deid.profile import Option
from safelight.deid.showing import Show, drawn
from safelight.dicomio.codecs import PixelSource, open_pixels
from safelight.dicomio.limits import Limits
from safelight.errors import NeedsReviewError
from safelight.types import Action, Original, Part

__all__ = ["ByHand", "Retouched", "Retoucher", "hold"]

_HEAD: Final = 12  # bytes before the value: tag, VR, two zeros, length (PS3.5 7.1.2)
_IMPLICIT_HEAD: Final = 8
_PHOTOMETRIC: Final = 0x00280004
_PLACE: Final = "(7FE0,0010)"
_MOST: Final = 0.5  # of a picture that is masked without a person looking at it
_LITTLE_LEFT: Final = "so much of its pixels looks like writing that masks would leave little"
_LEGIBLE: Final = "writing is still legible in its pixels after masking"
_BY_HAND: Final = "look at it; mask it by hand with --mask and --no-pixels, or leave it out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retouched:
    """An object's pixels as they go out.

    Attributes:
        parts: The encoded pixel data element; None when it is copied as it is.
        entries: What was masked and what was kept, for the manifest.
        syntax: Transfer Syntax UID of the output.
        changed: Elements that the mask made untrue: the new raw value, or None to leave out.
        regions: What was decided, for pictures and reports.
        done: Options of the profile that were carried out.
        faceless: What could be rebuilt into a face was taken out, or there was none to begin with.
        notes: Facts for the report.
        painted: Where the pixels were drawn over; None where they were not.
    """

    parts: list[Part] | None
    entries: Sequence[Entry]
    syntax: str
    changed: Mapping[int, bytes | None]
    regions: Sequence[Region]
    done: frozenset[Option]
    faceless: bool = False
    notes: tuple[str, ...] = ()
    painted: Masks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """Boxes that a person gave.

    Attributes:
        boxes: Masked in every picture.
        templates: Masked in pictures of their kind.
    """

    boxes: Sequence[Region] = ()
    templates: Sequence[Template] = ()

    @classmethod
    def read(cls, mask: str, file: bytes | None) -> "ByHand":
        """Return the boxes written as ``x,y,w,h;x,y,w,h``, and those of a mask file.

        Raises:
            SettingsError: They cannot be read.
        """
        return cls(
            boxes=tuple(parse_box(part) for part in mask.split(";") if part.strip()),
            templates=read_templates(file) if file is not None else (),
        )

    def regions(self, header: PixelHeader | None, size: tuple[int, int]) -> list[Region]:
        """Return what is masked in one picture, which is rows and columns large."""
        return [*self.boxes, *regions_for(self.templates, header, size)]


class Retoucher:
    """Does the pixel step, for one process.

    Attributes:
        pictured: Heads are wanted by ``head`` even where nothing else is shown.

    Args:
        limits: Bounds on one object.
        by_hand: Boxes that a person gave.
        looks: Pixels are looked at; else only those boxes are masked, and nothing is claimed.
    """

    pictured = False

    def __init__(self, limits: Limits, by_hand: ByHand, *, looks: bool = True) -> None:
        self._limits = limits
        self._by_hand = by_hand
        self._looks = looks
        self._done = frozenset({Option.CLEAN_PIXEL_DATA}) if looks else frozenset()
        self.looker = Looker()

    def head(self, found: Examined, show: Show | None) -> None:
        """Show a head before and after its face goes.

        Args:
            found: What was found in its volume.
            show: Is given the picture.
        """
        surface = surface_png(found) if show is not None else None
        if show is not None and surface is not None:
            show("surface", surface)

    def see(self, work: DicomObject, stretch: Stretch) -> Seen | None:
        """Look at all frames of one object; None when it has no pixels.

        Raises:
            NeedsReviewError: They cannot be looked at.
        """
        opened = work.opened(self._limits)
        return stretch.see(opened) if opened is not None else None

    def retouch(
        self, work: DicomObject, seen: Seen | None, ctx: Context, show: Show | None = None
    ) -> Retouched | None:
        """Return the pixels as they go out; None when the object has none.

        Args:
            work: The object.
            seen: What was seen in it; None to look at it now.
            ctx: Whose it is.
            show: Is given pictures of what was found, before and after.

        Raises:
            NeedsReviewError: They cannot be proven harmless, or not be masked without harm.
            UnreadableInputError: They cannot be read.
        """
        opened = work.opened(self._limits)
        if opened is None:
            return None
        header = opened.header
        size = (header.rows, header.columns)
        regions = self._by_hand.regions(header, size)
        faces = Faces(shapes={})
        if self._looks:
            seen = seen or self.looker.stretch().see(opened)
            regions += seen.regions(ctx.subject.needles)
            pictured = show is not None or self.pictured
            faces = seen.faces(opened, ctx.subject.code, pictured=pictured)
        if show is not None and (regions or faces.shapes):
            show("before", drawn(_first(opened, regions), regions))
        if faces.head is not None:
            self.head(faces.head, show)
        hold(regions, size, _PLACE, tiles=len(header.tiles))
        if faces.hold:
            raise NeedsReviewError(faces.hold, place=_PLACE)
        done = self._done | ({Option.CLEAN_VISUAL_FEATURES} if faces.faceless else frozenset())
        as_it_was = Retouched(
            parts=None,
            entries=_kept(regions),
            syntax=header.form.syntax,
            changed={},
            regions=regions,
            done=done,
            faceless=faces.faceless,
            notes=(faces.note,) if faces.note else (),
        )
        if not faces.shapes and not any(one.verdict is Verdict.MASK for one in regions):
            self._check(opened, regions, ctx)
            return as_it_was
        return self._mask(work, opened, faces.shapes, as_it_was, ctx, show)

    def _mask(
        self,
        work: DicomObject,
        opened: Opened,
        shapes: Mapping[int, Mask],
        as_it_was: Retouched,
        ctx: Context,
        show: Show | None,
    ) -> Retouched:
        """Return the pixels with what was decided drawn over, after another look at them."""
        regions = as_it_was.regions
        masked = mask_object(
            opened.source,
            opened.header,
            regions,
            copier=work.copier(self._limits),
            element=opened.element,
            shapes=shapes,
        )
        source = _reopened(opened, masked, self._limits, implicit=work.walker.implicit)
        prove_object(opened.source, source, masked, place=_PLACE)
        again = replace(opened, source=source)
        self._check(again, regions, ctx)
        if show is not None:
            show("after", drawn(_first(again, regions), ()))
        return replace(
            as_it_was,
            parts=masked.parts,
            entries=[*masked.entries, *as_it_was.entries],
            syntax=masked.syntax,
            changed=masked.changed,
            painted=masked.painted,
        )

    def _check(self, opened: Opened, regions: Sequence[Region], ctx: Context) -> None:
        """Look again, otherwise than the first time, at every frame, whatever was found in it.

        Raises:
            NeedsReviewError: Something is legible that nothing accounts for.
        """
        if not self._looks:
            return
        for index in range(len(opened.source)):
            own = [one for one in regions if not one.frames or index in one.frames]
            shown = _shown(opened, index)
            others = (*otherwise(opened, index, shown), *besides(opened, index)) if own else ()
            for one in (shown, *others):
                if self.looker.finder.check(one, own, ctx.subject.needles):
                    raise NeedsReviewError(_LEGIBLE, place=_PLACE)

    def photo(
        self, original: Original, ctx: Context, show: Show | None = None
    ) -> tuple[Original, list[Action]]:
        """Return a photo with what is written in it masked, and what was done.

        Its metadata are as they were: they are the photo cleaners' to remove.

        Args:
            original: The photo.
            ctx: Whose it is.
            show: Is given pictures of what was found, before and after.

        Raises:
            NeedsReviewError: It cannot be looked at, or not be proven harmless.
            UnreadableInputError: It cannot be decoded.
            LimitExceededError: It decodes to more than the limits allow.
        """
        kind, data = original.kind, original.reveal()
        pages = _upright(picture(kind, data, self._limits))
        regions = self._on_pages(pages, ctx)
        if show is not None and regions:
            show("before", drawn(_page(pages, regions), regions))
        for page in pages:
            own = [one for one in regions if page.frame in one.frames]
            hold(own, page.grey.shape, "")
        actions = [
            Action("pixels", rule, action)
            for verdict, action in ((Verdict.MASK, "mask"), (Verdict.KEEP, "keep"))
            for rule in dict.fromkeys(one.rule for one in regions if one.verdict is verdict)
        ]
        if any(region.verdict is Verdict.MASK for region in regions):
            data = mask_photo(kind, data, _as_stored(regions, pages), limits=self._limits)
            pages = _upright(picture(kind, data, self._limits))
        for page in pages:
            own = [one for one in regions if page.frame in one.frames]
            if self._looks and self.looker.finder.check(page, own, ctx.subject.needles):
                raise NeedsReviewError("writing is still legible in the picture after masking")
        if show is not None and regions:
            show("after", drawn(_page(pages, regions), ()))
        return Original(data, kind=kind), actions

    def volume(
        self, original: Original, ctx: Context, show: Show | None = None
    ) -> tuple[Original, list[Action], list[str]]:
        """Return a NIfTI file with writing and a face masked, what was done, and notes.

        Raises:
            NeedsReviewError: It cannot be proven harmless.
            UnreadableInputError: It is malformed or truncated.
            LimitExceededError: It unpacks to more than the limits allow.
        """
        from safelight.deid.volumes import Volume  # noqa: PLC0415  # start-up cost

        volume = Volume(original, ctx, show)
        volume.by_hand(self._by_hand.regions)
        if self._looks:
            volume.written(self.looker.finder)
            head = volume.faceless()
            if head is not None:
                self.head(head, show)
        return volume.done()

    def _on_pages(self, pages: Sequence[Picture], ctx: Context) -> list[Region]:
        """Return what is masked and kept on the pages of a photo, as they are displayed."""
        found: list[Region] = []
        for page in pages:
            own = self._by_hand.regions(None, page.grey.shape)
            own = [one for one in own if not one.frames or page.frame in one.frames]
            if self._looks:
                own += photo_faces(page.grey if page.rgb is None else page.rgb)
                sight = self.looker.finder.look(page, PHOTO, page.frame)
                own += self.looker.finder.decide([sight], ctx.subject.needles, PHOTO)
            found += [replace(one, frames=(page.frame,)) for one in own]
        return found


def _upright(pages: Sequence[Picture]) -> list[Picture]:
    """Return pages the right way up, as every viewer shows them."""
    return [page.upright() for page in pages]


def _as_stored(regions: Sequence[Region], pages: Sequence[Picture]) -> list[Region]:
    """Return regions of pages as they are displayed, where they lie in the stored ones."""
    shown = {page.frame: page for page in pages}
    return [
        replace(one, boxes=tuple(shown[one.frames[0]].stored(box) for box in one.boxes))
        for one in regions
    ]


def hold(regions: Sequence[Region], size: tuple[int, int], where: str, *, tiles: int = 0) -> None:
    """Hold what a person has to look at.

    Args:
        regions: What was decided.
        size: Rows and columns of a frame.
        where: Named when something is held.
        tiles: Number of frames that make one picture; 0 where each is one.

    Raises:
        NeedsReviewError: A find is not sure, or masks would leave little of a picture.
    """
    if any(region.verdict is Verdict.REVIEW for region in regions):
        raise NeedsReviewError("what may be writing stands in its pixels", place=where)
    found = [
        one
        for one in regions
        if one.verdict is Verdict.MASK and not one.rule.startswith(("by hand", "template"))
    ]
    masks = Masks(rows=size[0], columns=size[1], frames=1, regions=found)
    numbers = {number for one in found for number in one.frames} or {0}
    shares = [float(masks.of(number).mean()) for number in numbers]
    if (sum(shares) / tiles if tiles else max(shares)) > _MOST:
        raise NeedsReviewError(_LITTLE_LEFT, place=where, todo=_BY_HAND)


def _shown(opened: Opened, index: int) -> Picture:
    source = opened.source
    colour = source.colour(index)
    return render(source.frame(index), opened.header, colour, index=index, full=True)


def _first(opened: Opened, regions: Sequence[Region]) -> Picture:
    """Return the first frame that something was found in."""
    return _shown(opened, min((min(one.frames, default=0) for one in regions), default=0))


def _page(pictures: Sequence[Picture], regions: Sequence[Region]) -> Picture:
    """Return the first page that something was found on."""
    first = min((min(one.frames, default=0) for one in regions), default=0)
    return next((page for page in pictures if page.frame == first), pictures[0])


def _kept(regions: Sequence[Region]) -> list[Entry]:
    """Return what stays because it is proven harmless, for the manifest."""
    rules = dict.fromkeys(one.rule for one in regions if one.verdict is Verdict.KEEP)
    return [(_PLACE, rule, "keep", "") for rule in rules]


def _reopened(opened: Opened, masked: Masked, limits: Limits, *, implicit: bool) -> PixelSource:
    """Return the masked pixels, to be decoded from their own bytes."""
    data = b"".join(bytes(chunk) for part in masked.parts for chunk in chunks(part))
    _tag, _vr, _start, _value, value_stop, stop = opened.element
    form = replace(opened.header.form, syntax=masked.syntax)
    colour = masked.changed.get(_PHOTOMETRIC)
    if colour is not None:
        form = replace(form, photometric=colour.decode("ascii").strip())
    return open_pixels(
        data,
        value=_IMPLICIT_HEAD if implicit else _HEAD,
        stop=len(data),
        encapsulated=stop != value_stop,
        form=form,
        limits=limits,
    )
