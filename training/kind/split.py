"""What is held out: whole sources and whole kinds, fold by fold, and a tenth of the groups."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from safelight.readers.reading import ViewKind
from training.kind.images import Item

__all__ = ["FOLDS", "SHIPPED", "Fold", "some_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """What a net never saw.

    Attributes:
        name: One letter.
        sources: Sources held out; their kinds are known from other sources.
        kinds: Kinds held out whole: pictures of them must be refused.
    """

    name: str
    sources: frozenset[str]
    kinds: frozenset[ViewKind]

    def learns(self, item: Item) -> bool:
        """Tell whether a net of this fold may learn from an image; part 0 is nobody's.

        What is of the same origin as a source held out, in part or whole, is held out with it.
        """
        origins = {item.source} | item.kin
        return not origins & self.sources and item.kind not in self.kinds and item.part != 0

    def asks(self, item: Item) -> bool:
        """Tell whether it is asked about an image: what it holds out, and no more.

        The fold that is shipped holds nothing out: it is asked about what no net learned from.
        """
        if not self.sources:
            return item.part == 0
        return item.source in self.sources or item.kind in self.kinds


SHIPPED = Fold(name="Z", sources=frozenset(), kinds=frozenset())
FOLDS = (
    Fold(
        name="A",
        sources=frozenset(
            ("tb_qatar", "limb_xray", "head_ct", "ct_slices", "retina DRIVE", "bsds")
        ),
        kinds=frozenset(
            (ViewKind.DENTAL_PANORAMIC, ViewKind.BREAST_ULTRASOUND, ViewKind.BREAST_MR)
        ),
    ),
    Fold(
        name="B",
        sources=frozenset(
            ("mednist CXR", "mednist Hand", "mednist HeadCT", "mednist AbdomenCT",
             "mednist ChestCT", "retina STARE", "retina CHASE_DB1", "imagenet", "tbx11k_tb")
        ),
        kinds=frozenset((ViewKind.MAMMOGRAM, ViewKind.SPINE_MR)),
    ),
    Fold(
        name="C",
        sources=frozenset(("nih_cxr", "nih_turned", "hannover_cxr", "kodak", "skimage")),
        kinds=frozenset((ViewKind.HEAD_MR, ViewKind.SCINTIGRAPHY, ViewKind.FUNDUS)),
    ),
)  # fmt: skip


def some_of(items: list[Item], most: int) -> list[Item]:
    """Return at most so many of each source and kind, by chance with a fixed seed."""
    rows: dict[tuple[str, ViewKind | None], list[Item]] = defaultdict(list)
    for item in items:
        rows[item.source, item.kind].append(item)
    rng = np.random.default_rng(5)
    found: list[Item] = []
    for row in rows.values():
        chosen = rng.choice(len(row), min(most, len(row)), replace=False)
        found += [row[int(n)] for n in sorted(chosen)]
    return found
