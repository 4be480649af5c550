"""The registry of kinds: every way in which an identifier is planted."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from corpus.model import Work

__all__ = ["KINDS", "Kind", "apply", "kind", "names", "register"]

Plant = Callable[[Work], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way to plant.

    Attributes:
        families: Object families it applies to; empty means all.
        every: It is planted in one of so many of the files it applies to.
        odd: Files that carry it may rightly be withheld (review or quarantine), never leak.
    """

    name: str
    plant: Plant
    families: frozenset[str] = frozenset()
    every: int = 2
    odd: bool = False
    order: int = 0


KINDS: dict[str, Kind] = {}
# kinds that the object builders plant themselves
BUILT_IN = (
    "pdf.text",
    "pdf.metadata",
    "cda.header",
    "cda.author",
    "cda.text",
    "cda.attribute-and-comment",
    "identity.header",
    "identity.uids",
    "identity.dates",
    "file.path",
)


def register(
    name: str,
    plant: Plant,
    *,
    families: Iterable[str] = (),
    every: int = 2,
    odd: bool = False,
) -> None:
    """Add one kind; names are unique."""
    if name in KINDS:
        raise ValueError(f"kind registered twice: {name}")
    KINDS[name] = Kind(
        name=name,
        plant=plant,
        families=frozenset(families),
        every=every,
        odd=odd,
        order=len(KINDS),
    )


def kind(
    name: str, *, families: Iterable[str] = (), every: int = 2, odd: bool = False
) -> Callable[[Plant], Plant]:
    """Register the decorated function as the kind ``name``."""

    def add(plant: Plant) -> Plant:
        register(name, plant, families=families, every=every, odd=odd)
        return plant

    return add


def names() -> list[str]:
    """Return the names of all kinds, sorted."""
    import corpus.plants  # noqa: F401, PLC0415 - importing it fills the registry

    return sorted([*KINDS, *BUILT_IN])


def apply(w: Work, turn: int, used: Counter[str]) -> None:
    """Plant every kind whose turn it is in this file.

    Args:
        w: The file being built.
        turn: How many files of the same base came before, so that each base meets each kind.
        used: How often each odd kind was planted so far; updated.
    """
    fitting = [k for k in KINDS.values() if not k.families or w.family in k.families]
    odd = [k for k in fitting if k.odd]
    # one odd thing a file: what one of them breaks must not hide what another leaks
    ranked = sorted(odd, key=lambda one: (used[one.name], one.order)) if w.plan.odd else []
    for one in fitting:
        if not one.odd and (turn + one.order) % one.every == 0:
            w.kind = one.name
            one.plant(w)
    for one in ranked:
        w.kind = one.name
        if one.plant(w):
            used[one.name] += 1
            break
