"""What a reader's card says, in words: for clinicians, and for who asks how a reader was tested."""

from collections.abc import Iterator

from safelight.readers.card import Card, Interval

__all__ = ["facts", "sentences"]


def facts(card: Card) -> tuple[tuple[str, str], ...]:
    """Return pairs of a name and a value: people, discrimination inside and outside, shortcuts."""
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


def _people(pair: tuple[int, int]) -> str:
    return f"{pair[0]:,} people with the finding and {pair[1]:,} without"


def _auc(told: Interval) -> str:
    return f"{told.value:.3f} ({told.low:.3f} to {told.high:.3f})"
