"""Checks answers without knowing how they are made: ids that exist, words and numbers of their own.

Shares nothing with the answerer but the facts. A sentence passes when it cites facts that exist and
every word and every number in it stands in a sentence of those facts, in the same order.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

__all__ = ["faults"]

_PIECE: Final = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|[<>=%]")


class _Fact(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def text(self) -> str: ...


class _Sentence(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def facts(self) -> tuple[str, ...]: ...


def faults(sentences: Sequence[_Sentence], facts: Sequence[_Fact]) -> Iterator[str]:
    """Yield what is wrong with an answer; nothing when all of it is backed.

    Args:
        sentences: The answer.
        facts: All facts there are.
    """
    known: dict[str, str] = {}
    for fact in facts:
        if fact.id in known:
            yield f"two facts are called {fact.id}"
        known[fact.id] = fact.text
    for at, sentence in enumerate(sentences, 1):
        if not sentence.facts:
            yield f"sentence {at} cites no fact"
        for name in sentence.facts:
            if name not in known:
                yield f"sentence {at} cites a fact that does not exist"
        backed = _PIECE.findall(" ".join(known.get(name, "") for name in sentence.facts).casefold())
        said = _PIECE.findall(sentence.text.casefold())
        if not said:
            yield f"sentence {at} says nothing"
        if not _within(said, backed):
            yield f"sentence {at} says more than its facts"


def _within(said: Sequence[str], backed: Sequence[str]) -> bool:
    """Tell whether one row of words stands in another, in order."""
    rest = iter(backed)
    return all(word in rest for word in said)
