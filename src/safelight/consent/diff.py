"""What changed between two policies: editorial, narrowing, or widening.

Each field has an order of its own (a lattice); a change that goes up, or that cannot be compared,
is a widening. A widening anywhere makes the whole change one: it never carries old consent along.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from safelight.consent.canonical import canonical
from safelight.consent.policy import ANY, KNOWN, PARTY, Policy

__all__ = ["Change", "Diff", "Effect", "compare"]


class Effect(IntEnum):
    """How a change bears on the person; the larger, the worse."""

    NONE = 0
    EDITORIAL = 1
    NARROWING = 2
    WIDENING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field that differs.

    Attributes:
        field: Its name in the document.
        effect: How the change bears on the person.
        before: As a person reads it.
        after: As a person reads it.
    """

    field: str
    effect: Effect
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """All that differs between two policies.

    Attributes:
        changes: By field, worst first.
        effect: Of the whole: the worst of all.
    """

    changes: tuple[Change, ...]
    effect: Effect

    @property
    def carries(self) -> bool:
        """Return whether consent to the older one still stands under the newer one."""
        return self.effect < Effect.WIDENING


def _editorial(_old: Any, _new: Any) -> Effect:
    return Effect.EDITORIAL


def _incomparable(_old: Any, _new: Any) -> Effect:
    return Effect.WIDENING


def _larger_is_wider(old: frozenset[str], new: frozenset[str]) -> Effect:
    """Compare sets in which ``*`` stands for everything."""
    if ANY in old:
        return Effect.EDITORIAL if ANY in new else Effect.NARROWING
    return Effect.NARROWING if ANY not in new and new < old else Effect.WIDENING


def _fewer_is_wider(old: frozenset[str], new: frozenset[str]) -> Effect:
    return Effect.NARROWING if new > old else Effect.WIDENING


def _regions(old: frozenset[str], new: frozenset[str]) -> Effect:
    """Compare regions; ``US-CA`` lies inside ``US``."""
    if ANY in old:
        return Effect.EDITORIAL if ANY in new else Effect.NARROWING
    inside = all(region in old or region.partition("-")[0] in old for region in new)
    return Effect.NARROWING if ANY not in new and inside else Effect.WIDENING


def _longer_is_wider(old: int | None, new: int | None) -> Effect:
    if old is None:
        return Effect.NARROWING
    return Effect.NARROWING if new is not None and new < old else Effect.WIDENING


def _yes_is_wider(old: bool, _new: bool) -> Effect:  # noqa: FBT001  # two values of one field
    return Effect.NARROWING if old else Effect.WIDENING


# A field that stands in none of these rows is compared by ``_incomparable``.
_ORDERS: Final[Mapping[str, Callable[[Any, Any], Effect]]] = {
    "title": _editorial,
    "language": _editorial,
    "summary": _editorial,
    "controller.address": _editorial,
    "controller.contact": _editorial,
    "purposes": _larger_is_wider,
    "recipients": _larger_is_wider,
    "regions": _regions,
    "data": _larger_is_wider,
    "third_party_ai": _larger_is_wider,
    "conditions": _fewer_is_wider,
    "retention_days": _longer_is_wider,
    "grace_days": _longer_is_wider,
    "commercial_use": _yes_is_wider,
    "open_release": _yes_is_wider,
    "originals_kept": _yes_is_wider,
}
_CHAIN: Final = frozenset({"version", "previous"})  # where a document stands, not what it says


def _fields(policy: Policy) -> dict[str, tuple[Any, bytes]]:
    """Return the values that are compared and their one spelling, by name.

    Fields of the document that no row above knows are prefixed, so that none can pass for one.
    """
    document = policy.document()
    controller = document.pop("controller")
    found = {
        name if name in KNOWN else f"unknown: {name}": (
            getattr(policy, name) if name in KNOWN else value,
            canonical(value),
        )
        for name, value in document.items()
    }
    for name, value in controller.items():
        prefix = "controller." if name in PARTY else "unknown: controller."
        found[prefix + name] = (value, canonical(value))
    return found


def _shown(value: Any) -> str:
    if value is None:
        return "unlimited"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "none"
    return str(value)


def compare(old: Policy, new: Policy) -> Diff:
    """Return what differs; two equal policies give no changes.

    A policy of another name is a widening as a whole: it was never put to the person.
    """
    before, after = _fields(old), _fields(new)
    changes = []
    for name in sorted((set(before) | set(after)) - _CHAIN):
        was, now = before.get(name), after.get(name)
        if was is None or now is None:
            effect = Effect.WIDENING
        elif was[1] == now[1]:
            continue
        else:
            effect = _ORDERS.get(name, _incomparable)(was[0], now[0])
        shown = ["not there" if value is None else _shown(value[0]) for value in (was, now)]
        changes.append(Change(field=name, effect=effect, before=shown[0], after=shown[1]))
    changes.sort(key=lambda change: (-change.effect, change.field))
    effect = max((change.effect for change in changes), default=Effect.NONE)
    return Diff(changes=tuple(changes), effect=effect)
