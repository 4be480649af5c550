"""The scorer: which characters are gone, which marks stayed, by everything that may matter."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from corpus.burned.covered import Cover, Source
from corpus.burned.truth import Image, String

__all__ = ["GONE", "STAYS", "Exposed", "Score", "Tally", "score"]

GONE = 0.95  # a character is removed when this share of its ink is covered
STAYS = 0.05  # a mark is kept when less than this share of its ink is
UNSEEN = frozenset({"blur", "rotated", "tiny", "large", "spaced"})
_SIZES = ((8, "6-7 px"), (11, "8-10 px"), (20, "11-19 px"), (49, "20-48 px"), (1000, "49-90 px"))
_CONTRASTS = ((0.15, "under 15 %"), (0.3, "15-30 %"), (0.6, "30-60 %"), (9, "60 % and more"))


@dataclass(slots=True)
class Tally:
    """A share over images: (count, total) of each image that has any."""

    pairs: list[tuple[int, int]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Return the sum of the counts."""
        return sum(count for count, _ in self.pairs)

    @property
    def total(self) -> int:
        """Return the sum of the totals."""
        return sum(total for _, total in self.pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """An identifying string that shows: ``left`` of its ``chars`` characters."""

    path: str
    string: String
    left: int

    @property
    def mostly(self) -> bool:
        """Return whether more than half of it shows."""
        return 2 * self.left > len(self.string.chars)


@dataclass(slots=True)
class Score:
    """All numbers of one run; images that were not released are counted apart.

    Attributes:
        removed: Identifying characters removed, of those in released images.
        groups: The same by group: ``factor: blur``, ``font: held out`` and so on.
        marks: Harmless marks kept by kind, of all images: one withheld keeps none.
        touched: Clean images with anything masked, of all; one withheld counts as touched.
    """

    images: int = 0
    withheld: int = 0
    removed: Tally = field(default_factory=Tally)
    groups: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    strings: int = 0
    exposed: list[Exposed] = field(default_factory=list)
    with_text: int = 0
    fully_clean: int = 0
    marks: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    clean_images: int = 0
    touched: int = 0
    touched_paths: list[str] = field(default_factory=list)
    clean_areas: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def mostly(self) -> int:
        """Return how many identifying strings are more than half exposed."""
        return sum(one.mostly for one in self.exposed)


def score(images: Iterable[Image], source: Source) -> Score:
    """Judge every character of every image against what was covered, an image at a time."""
    result = Score()
    for image in images:
        result.images += 1
        cover = source.of(image)
        if cover is None:
            result.withheld += 1
        if image.clean:
            _clean(result, image, cover)
            continue
        _marks(result, image, cover)
        if cover is not None:
            _identity(result, image, cover)
    result.problems += getattr(source, "problems", [])
    return result


def _clean(result: Score, image: Image, cover: Cover | None) -> None:
    result.clean_images += 1
    if cover is None or cover.area > 0:
        result.touched += 1
        result.touched_paths.append(image.path)
    if cover is not None:
        result.clean_areas.append(cover.area)


def _shares(string: String, cover: Cover) -> list[float]:
    """Return the covered share of each character's ink, the least over its frames."""
    masks = cover.frames(string.frames)
    found = []
    for char in string.chars:
        h, w = char.ink.shape
        there = (mask[char.y : char.y + h, char.x : char.x + w] for mask in masks)
        found.append(min(float(part[char.ink].mean()) for part in there))
    return found


def _marks(result: Score, image: Image, cover: Cover | None) -> None:
    kept: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for string in image.strings:
        if string.identifying:
            continue
        stays = False
        if cover is not None:
            shares, sizes = _most(string, cover), [int(c.ink.sum()) for c in string.chars]
            covered = sum(s * n for s, n in zip(shares, sizes, strict=True)) / sum(sizes)
            stays = covered < STAYS
        kept[string.kind][0] += stays
        kept[string.kind][1] += 1
    for kind, (count, total) in kept.items():
        result.marks[kind].pairs.append((count, total))


def _most(string: String, cover: Cover) -> list[float]:
    """Return the covered share of each character's ink, the most over its frames."""
    masks = cover.frames(string.frames)
    found = []
    for char in string.chars:
        h, w = char.ink.shape
        there = (mask[char.y : char.y + h, char.x : char.x + w] for mask in masks)
        found.append(max(float(part[char.ink].mean()) for part in there))
    return found


def _identity(result: Score, image: Image, cover: Cover) -> None:
    own: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    found = False
    for string in image.strings:
        if not string.identifying:
            continue
        found = True
        gone = sum(share >= GONE for share in _shares(string, cover))
        total = len(string.chars)
        result.strings += 1
        if gone < total:
            result.exposed.append(Exposed(path=image.path, string=string, left=total - gone))
        for name in ("all", *groups(image, string)):
            own[name][0] += gone
            own[name][1] += total
    if not found:
        return
    result.with_text += 1
    result.fully_clean += own["all"][0] == own["all"][1]
    for name, (count, total) in own.items():
        tally = result.removed if name == "all" else result.groups[name]
        tally.pairs.append((count, total))


def _band(value: float, bands: tuple[tuple[float, str], ...]) -> str:
    return next(name for limit, name in bands if value < limit)


def groups(image: Image, string: String) -> list[str]:
    """Return the groups that a string counts in."""
    found = [f"factor: {factor}" for factor in string.factors] or ["factor: none"]
    if UNSEEN & set(string.factors):
        found.append("factors unseen in training")
    photometric, *rest = image.form.split(" ", 2)
    return [
        *found,
        f"font: {'trained' if string.trained else 'held out'}",
        f"family: {string.family}",
        f"script: {string.script}",
        f"size: {_band(string.size, _SIZES)}",
        f"contrast: {_band(string.contrast, _CONTRASTS)}",
        f"modality: {image.modality}",
        f"pixels: {photometric}",
        f"stored: {rest[-1] if rest else photometric}",
        f"host: {'made' if image.host.startswith('made:') else 'real'}",
        f"header: {'named' if image.named else 'stripped'}",
        f"kind: {string.kind}",
    ]
