"""The page's engine: it remembers what it found in pixels, and spares what people looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.engine import Engine
from safelight.deid.looking import Seen
from safelight.deid.retouch import ByHand, Retouched, Retoucher
from safelight.types import Action, Original

if TYPE_CHECKING:
    from safelight.deid.context import Context
    from safelight.deid.faces import Examined
    from safelight.deid.faces.turning import Turned
    from safelight.deid.objects import DicomObject
    from safelight.deid.showing import Show

__all__ = ["SPARED", "Watched"]

SPARED: Final = "kept by hand"


class _Watcher(Retoucher):
    """A retoucher that remembers what it decided, and spares what people said is harmless."""

    pictured = True  # heads are shown from all around
    regions: Sequence[Region] = ()
    spared: Sequence[Region] = ()
    seen_head: "Examined | None" = None

    def head(self, found: "Examined", show: "Show | None") -> None:
        """Remember a head, until it is asked for."""
        del show
        self.seen_head = found

    def retouch(
        self, work: "DicomObject", seen: Seen | None, ctx: "Context", show: "Show | None" = None
    ) -> Retouched | None:
        """Return the pixels as they go out; see ``Retoucher``."""
        self.regions = ()
        if self.spared:
            seen = self._sparing(work, seen)
        done = super().retouch(work, seen, ctx, show)
        self.regions = done.regions if done is not None else ()
        return done

    def _sparing(self, work: "DicomObject", seen: Seen | None) -> Seen | None:
        opened = work.opened(self._limits)
        if opened is None:
            return seen
        seen = seen or self.looker.stretch().see(opened)
        return _Sparing(
            stretch=seen.stretch,
            key=seen.key,
            first=seen.first,
            frames=seen.frames,
            spared=tuple(self.spared),
        )

    def photo(
        self, original: Original, ctx: "Context", show: "Show | None" = None
    ) -> tuple[Original, list[Action]]:
        """Return a photo with what is written in it masked; see ``Retoucher``."""
        self.regions = ()
        return super().photo(original, ctx, show)

    def _on_pages(self, pictures: Any, ctx: "Context") -> list[Region]:
        self.regions = [_spare(one, self.spared) for one in super()._on_pages(pictures, ctx)]
        return list(self.regions)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sparing(Seen):
    """What was seen, but for what a person looked at and took the mask off."""

    spared: tuple[Region, ...] = field(default=())

    def regions(self, needles: Any) -> list[Region]:
        """Return what was decided, by the frame numbers of the input itself."""
        return [_spare(one, self.spared) for one in Seen.regions(self, needles)]


def _spare(region: Region, spared: Sequence[Region]) -> Region:
    """Return a region, kept where a person took the mask off all of it."""
    for one in spared:
        same = not one.frames or set(region.frames or (-1,)) <= set(one.frames)
        if same and all(_inside(box, one.boxes[0]) for box in region.boxes):
            return replace(region, verdict=Verdict.KEEP, rule=SPARED)
    return region


def _inside(box: Box, outer: Box) -> bool:
    across = outer.x <= box.x and box.x + box.w <= outer.x + outer.w
    return across and outer.y <= box.y and box.y + box.h <= outer.y + outer.h


class Watched(Engine):
    """The engine, with a watcher for its pixel step."""

    watcher: _Watcher | None = None
    spared: Sequence[Region] = ()

    def _retouch(self) -> Retoucher:
        if self.watcher is None:
            by_hand = ByHand.read(self._by_hand[0], self._mask_file())
            self.watcher = _Watcher(self.limits, by_hand, looks=self.pixels)
            self.watcher.spared = self.spared
        return self.watcher

    def share(self, other: "Watched") -> None:
        """Look with the models that another engine has loaded."""
        mine, theirs = self._retouch(), other._retouch()  # noqa: SLF001  # own class
        mine.looker = theirs.looker

    def found(self) -> Sequence[Region]:
        """Return what was decided in pixels since this was asked last; it is told once."""
        if self.watcher is None:
            return ()
        found, self.watcher.regions = self.watcher.regions, ()
        return found

    def head(self) -> "Turned | None":
        """Return the head that was met since this was asked last, from all around."""
        if self.watcher is None or self.watcher.seen_head is None:
            return None
        from safelight.deid.faces.turning import turned  # noqa: PLC0415  # start-up cost

        found, self.watcher.seen_head = self.watcher.seen_head, None
        return turned(found)

    def forget(self) -> None:
        """Forget what was found in a file that was withheld."""
        if self.watcher is not None:
            self.watcher.regions, self.watcher.seen_head = (), None
