"""The pixel step of one NIfTI file: writing and a face go from its picture."""

import gzip
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from safelight.deid.boxes import Region, Verdict
from safelight.deid.burned import Finder
from safelight.deid.faces import Examined, NiftiImage
from safelight.deid.facing import faceless_nifti
from safelight.deid.nifti import WRITING, unpacked
from safelight.deid.pixels.header import PixelHeader
from safelight.deid.retouch import hold
from safelight.deid.showing import Show, drawn
from safelight.deid.slices import Found, Slices, search
from safelight.errors import NeedsReviewError
from safelight.types import Action, Kind, Original

if TYPE_CHECKING:
    from safelight.deid.context import Context

__all__ = ["Volume"]

_PLACE: Final = "image"


class Volume:
    """One NIfTI file on its way through the pixel step.

    Args:
        original: The file.
        ctx: Whose it is.
        show: Is given pictures of what was found, before and after.

    Raises:
        UnreadableInputError: It is malformed or truncated.
        LimitExceededError: It unpacks to more than the limits allow.
    """

    def __init__(self, original: Original, ctx: "Context", show: Show | None) -> None:
        self._original = original
        self._ctx = ctx
        self._show = show
        self._packed = original.kind is Kind.NIFTI_GZ
        data = original.reveal()
        self._data = b"".join(unpacked(data, ctx)) if self._packed else data
        self._image = NiftiImage.any(self._data)
        self._found: list[Found] = []
        self._actions: dict[Action, None] = {}
        self._notes: list[str] = []

    def by_hand(
        self, regions: Callable[[PixelHeader | None, tuple[int, int]], Sequence[Region]]
    ) -> None:
        """Mask what a person wants masked, in the slices along the third axis as displayed.

        Raises:
            NeedsReviewError: Nothing here can write such voxels.
        """
        if self._image is None:
            if regions(None, (0, 0)):
                raise NeedsReviewError("boxes cannot be masked in voxels of this type")
            return
        slices = Slices(self._image)
        wanted = regions(None, slices.picture(2, 0).grey.shape)
        found = []
        for at in range(slices.size(2)) if wanted else ():
            own = [one for one in wanted if not one.frames or at in one.frames]
            slices.mask(2, at, [box for one in own for box in one.boxes])
            found.append(Found(axis=2, at=at, regions=own))
        self._take(slices, found)

    def written(self, finder: Finder) -> None:
        """Find what is written, and mask it.

        Raises:
            NeedsReviewError: It cannot be proven harmless.
        """
        if self._image is None:
            self._notes.append(WRITING)
            return
        slices = Slices(self._image)
        self._take(slices, search(finder, slices, self._ctx.subject.needles))

    def _take(self, slices: Slices, found: Sequence[Found]) -> None:
        """Take the masked image for the image, and note what was done."""
        assert self._image is not None  # noqa: S101  # the slices are its own
        if found and self._show is not None:
            one = found[0]
            self._show("before", drawn(Slices(self._image).picture(one.axis, one.at), _all(one)))
            self._show("after", drawn(slices.picture(one.axis, one.at), ()))
        for one in found:
            hold(_all(one), slices.picture(one.axis, one.at).grey.shape, _PLACE)
        rules = dict.fromkeys((each.verdict, each.rule) for one in found for each in one.regions)
        for verdict, rule in rules:
            action = "mask" if verdict is Verdict.MASK else "keep"
            self._actions[Action(_PLACE, rule, action)] = None
        if any(verdict is Verdict.MASK for verdict, _ in rules):
            self._data = slices.written(self._data)
            self._image = NiftiImage.any(self._data)

    def faceless(self) -> Examined | None:
        """Mask a face; return the head that was met, if any.

        Raises:
            NeedsReviewError: It may show a face, and a person has to look.
        """
        self._data, actions, note, head = faceless_nifti(self._data)
        self._actions.update(dict.fromkeys(actions))
        self._notes += [note] if note else []
        return head

    def done(self) -> tuple[Original, list[Action], list[str]]:
        """Return the file with the masks in it, what was done, and notes."""
        if not any(action.action == "mask" for action in self._actions):
            return self._original, list(self._actions), self._notes
        data = gzip.compress(self._data, compresslevel=1, mtime=0) if self._packed else self._data
        return Original(data, kind=self._original.kind), list(self._actions), self._notes


def _all(found: Found) -> list[Region]:
    """Return what was found in a slice, as regions of whatever frame is shown."""
    return [replace(one, frames=()) for one in found.regions]
