"""What a reader's card says, in words: for clinicians, and for who asks how a reader was tested."""

from collections.abc import Iterator

from safelight.readers.card import Card, Interval
from safelight.readers.gate import judge

__all__ = ["facts", "sentences"]


def facts(card: Card) -> tuple[tuple[str, str], ...]:
    """Return pairs of a name and a value: people, discrimination, shortcuts, promise and gate."""
    pairs = [
        ("Made from", f"{_people(card.people)}; {card.images} images"),
        ("Discrimination inside its sources (AUC)", _auc(card.inside)),
    ]
    pairs += [
        (f"On another source: {each.name}", f"AUC {_auc(each.auc)}, {_people(each.people)}")
        for each in card.external
    ]
    pairs += [
        (f"Reached by a shortcut alone: {each.name}", f"AUC {_auc(each.auc)}")
        for each in card.probes
    ]
    if not card.external:
        pairs.append(("On another source", "not measured"))
    pairs.append(
        (f"Promise of {1 - card.alpha:.0%}, on people it was not calibrated on", _held(card))
    )
    if reasons := judge(card).reasons:
        pairs.append(("Why it is not validated", "; ".join(reasons)))
    if card.sources:
        pairs.append(("Data", "; ".join(card.sources)))
    return tuple(pairs)


def sentences(card: Card) -> Iterator[str]:
    """Yield what the card says, a sentence each."""
    yield f"it was made from {_people(card.people)}"
    if card.ages is not None:
        yield f"it was made for people of {card.ages[0]:g} to {card.ages[1]:g} years"
    yield f"inside its own sources it reaches an AUC of {_auc(card.inside)}"
    for each in card.external:
        yield (
            f"on another source ({each.name}, {_people(each.people)}) it reaches an AUC of "
            f"{_auc(each.auc)}"
        )
    if not card.external:
        yield "it was tested on no other source"
    for source in card.sources:
        yield f"data: {source}"


def _held(card: Card) -> str:
    seen, not_seen = card.covered
    return (
        f"the truth stayed possible for {seen:.1%} of those with the finding and {not_seen:.1%} of "
        f"those without; {card.decided:.1%} got an answer"
    )


def _people(pair: tuple[int, int]) -> str:
    return f"{pair[0]:,} people with the finding and {pair[1]:,} without"


def _auc(told: Interval) -> str:
    return f"{told.value:.3f} ({told.low:.3f} to {told.high:.3f})"
