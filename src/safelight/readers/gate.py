"""The gate: what a reader may do follows from the numbers on its card, and from nothing else.

There is no setting, no argument and no environment variable in here. A reader that cannot hold its
own against its shortcuts, or on other people's images, stays out of sight of the people it reads
for; the reasons are given in words.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from safelight.readers.card import Card, External, Interval
from safelight.readers.conformal import least
from safelight.readers.reading import State

__all__ = ["DROP", "MARGIN", "NEAR", "NEARLY", "Verdict", "judge"]

MARGIN: Final = 0.10  # an interval must stay above 0.5 + MARGIN
DROP: Final = 0.10  # a fall from inside to outside beyond this, intervals apart, is a failure
NEARLY: Final = 0.5  # share of a reader's gain over chance that a shortcut reaches: shadow
NEAR: Final = 0.85  # refused
FEWEST: Final = 20  # people of a class
OUTSIDE: Final = 40  # people of a class in a source that counts as external
TIMES: Final = 2  # calibrated people, in terms of the fewest that allow an answer
SLACK: Final = 0.03  # coverage may fall short by

_WORDS: Final = {
    "border": "the outer border of the images alone",
    "size": "the size and shape of the images alone",
    "metadata": "facts about the images (source, view, sex, age) alone",
    "intensity": "how bright the images are alone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a reader may do, and why not more.

    Attributes:
        state: What it may do.
        reasons: Sentences; empty when it is validated.
    """

    state: State
    reasons: tuple[str, ...]


def judge(card: Card) -> Verdict:
    """Return what the numbers allow.

    Args:
        card: Of the reader.
    """
    refused = tuple(_refusals(card))
    doubts = tuple(_doubts(card))
    if refused:
        return Verdict(state=State.REFUSED, reasons=refused + doubts)
    return Verdict(state=State.SHADOW if doubts else State.VALIDATED, reasons=doubts)


def _counts(external: External) -> bool:
    return min(external.people) >= OUTSIDE


def _refusals(card: Card) -> Iterator[str]:
    if min(card.people) < FEWEST:
        yield (
            f"it has seen {card.people[0]} people with {card.called} and {card.people[1]} without; "
            f"{FEWEST} of each are the least"
        )
    if card.inside.low <= 0.5 + MARGIN:
        yield (
            "even inside its own source it tells people apart hardly better than chance: AUC "
            f"{_told(card.inside.value, card.inside.low, card.inside.high)}"
        )
    for one in card.external:
        told = _told(one.auc.value, one.auc.low, one.auc.high)
        if one.auc.low <= 0.5 + MARGIN:
            yield f"on another source ({one.name}) it comes near to chance: AUC {told}"
        elif one.auc.high < card.inside.low and one.auc.value < card.inside.value - DROP:
            yield (
                f"it does not hold on another source ({one.name}): AUC {told} there, "
                f"{card.inside.value:.3f} inside its own"
            )
    for probe in card.probes:
        if _share(card, probe.auc) >= NEAR:
            yield (
                f"{_WORDS.get(probe.name, probe.name)} gives AUC {probe.auc.value:.3f}, nearly as "
                f"much as the reader ({card.inside.value:.3f}): it may have learnt that instead"
            )


def _doubts(card: Card) -> Iterator[str]:
    if not any(_counts(one) for one in card.external):
        yield (
            f"it was not measured on another source with {OUTSIDE} people with and {OUTSIDE} "
            f"without {card.called}"
        )
    known = {probe.name for probe in card.probes}
    if missing := sorted(set(_WORDS) - known):
        yield f"shortcuts were not all probed: {', '.join(missing)}"
    for probe in card.probes:
        if NEARLY <= _share(card, probe.auc) < NEAR:
            yield (
                f"{_WORDS.get(probe.name, probe.name)} gives AUC {probe.auc.value:.3f}, the reader "
                f"{card.inside.value:.3f}: part of what it does may be that"
            )
    fewest = TIMES * least(card.alpha)
    if min(card.calibrated) < fewest:
        yield (
            f"it is calibrated on {card.calibrated[0]} people with and {card.calibrated[1]} "
            f"without; {fewest} of each are the least for its promise"
        )
    if min(card.covered) < 1 - card.alpha - SLACK:
        yield (
            f"its promise does not hold on people it was not calibrated on: "
            f"{min(card.covered):.3f} covered, {1 - card.alpha:.2f} promised"
        )


def _share(card: Card, probe: Interval) -> float:
    """Return which share of the reader's gain over chance a probe reaches; 0 when it has none."""
    gain = card.inside.value - 0.5
    if probe.low <= 0.5:  # noqa: PLR2004  # chance
        return 0.0
    return (probe.value - 0.5) / gain if gain > 0 else 1.0


def _told(value: float, low: float, high: float) -> str:
    return f"{value:.3f} [{low:.3f} to {high:.3f}]"
