"""From a question to sentences: which facts each intent tells, and in which order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from safelight.reports.ask.facts import Fact, Facts, Topic, flagged, withheld
from safelight.reports.ask.intents import EXAMPLES, Intent, match, ordinary, tokens

__all__ = ["Reply", "Said", "ask"]

_MOST: Final = 40  # sentences of an answer; as many facts leave none out
_MENU_MOST: Final = 12
_NAME_LEAST: Final = 3  # letters of a name that a question is searched for


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence, and the ids of the facts that it says."""

    text: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        intent: What the question was taken to want; empty when it was not understood.
        said: The sentences.
        menu: Questions that can be answered; only where this one could not.
    """

    intent: Intent
    said: tuple[Said, ...]
    menu: tuple[str, ...] = ()


_Teller = Callable[[Facts, list[Fact]], Iterator[Fact]]


def ask(question: str, facts: Facts) -> Reply:
    """Return the answer to a question.

    Args:
        question: Whatever was typed; only known words in it have an effect.
        facts: What may be told.
    """
    named = _named(question, facts)
    intent = match(question).intent
    about = [fact for fact in named if fact.topic is not Topic.CONSENT]
    if about and intent in {"", "findings", "diagnosis", "labs", "labs-ranges", "measures"}:
        intent = "named"
    if not intent or intent == "help":
        return Reply(intent, (), _menu(facts))
    told = list(dict.fromkeys(_TELLERS[intent](facts, named)))
    if not told:
        return Reply("", (), _menu(facts))
    urgent = facts.of(Topic.LAB_URGENT)  # whatever was asked
    first = dict.fromkeys((*urgent, *told))
    return Reply(intent, tuple(Said(fact.text, (fact.id,)) for fact in _cut(list(first), facts)))


def _cut(told: Sequence[Fact], facts: Facts) -> list[Fact]:
    """Return what may be said at once: what matters most, and how much is left out."""
    if len(told) <= _MOST:
        return list(told)
    kept = set(sorted(range(len(told)), key=lambda at: (_weight(told[at]), at))[: _MOST - 1])
    out = [fact for at, fact in enumerate(told) if at in kept]
    return [*out, facts.left_out(len(told) - len(out))]


def _weight(fact: Fact) -> int:
    """Return how soon a fact may be left out: the higher, the sooner."""
    if fact.topic is Topic.LAB_URGENT:
        return 0
    if fact.topic is Topic.LAB:
        return 2 if flagged(fact) else 3 if withheld(fact) else 4
    return 1  # readers, refused lines, and the sentences that close an answer


def _named(question: str, facts: Facts) -> list[Fact]:
    """Return the facts that a question names: a finding, a lab test, a measurement, a purpose."""
    asked = f" {' '.join(tokens(question))} "
    found = []
    for fact in facts.all:
        for name in fact.names:
            folded = " ".join(tokens(name))
            if len(folded) < _NAME_LEAST or folded in ordinary():
                continue
            if f" {folded} " in asked:
                found.append(fact)
                break
    return found


def _only(found: Sequence[Fact], facts: Facts, *topics: Topic) -> list[Fact]:
    """Return the named facts of some topics, or all of them when none was named."""
    wanted = [fact for fact in found if fact.topic in topics]
    return wanted or facts.of(*topics)


def _image(facts: Facts) -> Iterator[Fact]:
    """Yield why there is nothing to say about a picture."""
    yield from facts.of(Topic.NO_IMAGE, Topic.NO_READER)


def _kind(facts: Facts, _named: list[Fact]) -> Iterator[Fact]:
    yield from facts.of(Topic.NO_IMAGE, Topic.KIND, Topic.DISAGREE)


def _kind_why(facts: Facts, _named: list[Fact]) -> Iterator[Fact]:
    yield from facts.of(Topic.NO_IMAGE, Topic.KIND, Topic.KIND_WHY, Topic.DISAGREE)


def _topic(*topics: Topic) -> _Teller:
    def tell(facts: Facts, named: list[Fact]) -> Iterator[Fact]:
        yield from facts.of(Topic.NO_IMAGE)
        yield from _only(named, facts, *topics)

    return tell


def _house(*names: str) -> _Teller:
    def tell(facts: Facts, _named: list[Fact]) -> Iterator[Fact]:
        yield from map(facts.house, names)

    return tell


def _with(first: _Teller, second: _Teller) -> _Teller:
    def tell(facts: Facts, named: list[Fact]) -> Iterator[Fact]:
        yield from first(facts, named)
        yield from second(facts, named)

    return tell


def _findings(facts: Facts, named: list[Fact]) -> Iterator[Fact]:
    yield from _image(facts)
    yield from facts.of(Topic.KIND, Topic.DISAGREE)
    yield from _only(named, facts, Topic.MARK, Topic.ANSWER, Topic.REASON, Topic.COUNTS)
    yield facts.house("not-a-diagnosis")


def _about_named(facts: Facts, named: list[Fact]) -> Iterator[Fact]:
    """Yield all that is known of what the question names."""
    groups = {fact.group for fact in named if fact.group}
    topics = {Topic.MARK, Topic.ANSWER, Topic.REASON, Topic.COUNTS, Topic.CANNOT_SEE, Topic.NEXT}
    topics |= {Topic.LAB, Topic.LAB_URGENT}
    for fact in facts.all:
        if (fact in named and not fact.group) or (fact.group in groups and fact.topic in topics):
            yield fact
    if any(fact.topic is Topic.ANSWER for fact in named):
        yield facts.house("not-a-diagnosis")
    if any(fact.topic in {Topic.LAB, Topic.LAB_URGENT} for fact in named):
        yield from facts.of(Topic.LAB_NEXT)


def _next(facts: Facts, _named: list[Fact]) -> Iterator[Fact]:
    yield from facts.of(Topic.LAB_URGENT, Topic.NEXT, Topic.LAB_NEXT)
    yield facts.house("doctor")
    yield facts.house("emergency")


def _diagnosis(facts: Facts, named: list[Fact]) -> Iterator[Fact]:
    yield facts.house("not-a-diagnosis")
    yield facts.house("one-thing")
    yield from _image(facts)
    yield from _only(named, facts, Topic.MARK, Topic.ANSWER)
    yield from _labs_outside(facts)
    yield facts.house("doctor")


def _labs_outside(facts: Facts) -> Iterator[Fact]:
    """Yield lab results outside their range, else all; then what is not certain."""
    results = facts.of(Topic.LAB)
    if results or facts.of(Topic.LAB_REFUSED):
        off = [fact for fact in results if flagged(fact)]
        yield from off or [fact for fact in results if not withheld(fact)]
        yield from (fact for fact in results if withheld(fact))
        yield from facts.of(Topic.LAB_REFUSED, Topic.LAB_NEXT)


def _fine(facts: Facts, named: list[Fact]) -> Iterator[Fact]:
    yield facts.house("never-fine")
    yield from _image(facts)
    labs = [fact for fact in named if fact.topic in {Topic.LAB, Topic.LAB_URGENT}]
    yield from labs
    if not labs:
        yield from _only(named, facts, Topic.MARK, Topic.ANSWER, Topic.CANNOT_SEE)
        yield from _labs_outside(facts)
    yield facts.house("not-a-diagnosis")


def _labs(facts: Facts, named: list[Fact]) -> Iterator[Fact]:
    yield from facts.of(Topic.NO_LABS, Topic.LAB_URGENT)
    yield from _only(named, facts, Topic.LAB)
    yield from facts.of(Topic.LAB_REFUSED, Topic.LAB_NEXT)


def _labs_off(facts: Facts, named: list[Fact]) -> Iterator[Fact]:
    yield from facts.of(Topic.NO_LABS, Topic.LAB_URGENT)
    chosen = _only(named, facts, Topic.LAB)
    off = [fact for fact in chosen if flagged(fact)]
    yield from off or [fact for fact in chosen if not withheld(fact)]
    yield from (fact for fact in chosen if withheld(fact))
    yield from facts.of(Topic.LAB_REFUSED, Topic.LAB_NEXT)


def _labs_urgent(facts: Facts, _named: list[Fact]) -> Iterator[Fact]:
    yield from facts.of(Topic.NO_LABS)
    urgent = facts.of(Topic.LAB_URGENT)
    yield from urgent or facts.of(Topic.LAB)
    yield from facts.of(Topic.LAB_REFUSED, Topic.LAB_NEXT)
    yield facts.house("emergency")


def _labs_refused(facts: Facts, _named: list[Fact]) -> Iterator[Fact]:
    yield from facts.of(Topic.NO_LABS, Topic.LAB_REFUSED)
    yield from (fact for fact in facts.of(Topic.LAB) if withheld(fact))


def _consents(facts: Facts, named: list[Fact]) -> Iterator[Fact]:
    yield from _only(named, facts, Topic.CONSENT)
    yield from facts.of(Topic.NO_CONSENT)
    yield facts.house("withdraw")


_COUNTS: Final = _with(
    _topic(Topic.ANSWER, Topic.COUNTS, Topic.REASON, Topic.NO_READER), _house("out-of")
)
_TELLERS: Final[Mapping[Intent, _Teller]] = {
    "named": _about_named,
    "kind": _kind,
    "kind-why": _kind_why,
    "disagree": _kind_why,
    "quality": _topic(Topic.QUALITY),
    "which-image": _with(_topic(Topic.NOTE), _kind),
    "measures": _topic(Topic.MEASURED, Topic.NOT_MEASURED),
    "not-measured": _topic(Topic.NOT_MEASURED),
    "findings": _findings,
    "counts": _COUNTS,
    "cannot-see": _with(_topic(Topic.CANNOT_SEE, Topic.NO_READER), _house("one-thing")),
    "why-silent": _topic(Topic.REASON, Topic.ANSWER, Topic.NO_READER),
    "not-looked": _with(_house("one-thing"), _topic(Topic.ANSWER, Topic.NO_READER)),
    "next": _next,
    "readers": _topic(Topic.MARK, Topic.ANSWER, Topic.NO_READER),
    "card": _with(_topic(Topic.CARD, Topic.MARK, Topic.NO_READER), _house("out-of")),
    "marks": _with(_topic(Topic.MARK), _house("shadow")),
    "site": _with(_house("site"), _topic(Topic.REASON)),
    "where": _with(_house("no-map"), _topic(Topic.ANSWER, Topic.NO_READER)),
    "compare": _house("no-memory"),
    "numbers": _COUNTS,
    "labs": _labs,
    "labs-off": _labs_off,
    "labs-urgent": _labs_urgent,
    "labs-refused": _labs_refused,
    "labs-ranges": _with(_house("ranges"), _labs),
    "consents": _consents,
    "withdraw": _house("withdraw"),
    "seen-by": _house("seen-by", "stays"),
    "identity": _house("identity", "stays"),
    "stays": _house("stays", "identity"),
    "software": _house("software", "no-writer", "not-a-diagnosis"),
    "fine": _fine,
    "diagnosis": _diagnosis,
    "treatment": _house("no-treatment", "doctor"),
    "outlook": _house("no-outlook", "doctor"),
    "cause": _house("no-cause", "doctor"),
    "emergency": _house("emergency"),
    "others": _house("own-only"),
}


def _menu(facts: Facts) -> tuple[str, ...]:
    """Return questions that have an answer in these facts; none of them states anything."""
    topics = {fact.topic for fact in facts.all}
    wanted: list[Intent] = []
    if Topic.KIND in topics:
        wanted += ["kind", "quality", "findings", "counts", "cannot-see", "measures"]
        wanted += ["why-silent"] if Topic.REASON in topics else []
    if topics & {Topic.LAB, Topic.LAB_URGENT, Topic.LAB_REFUSED}:
        wanted += ["labs", "labs-off", "labs-urgent"]
    wanted += ["next", "consents", "withdraw", "identity", "stays", "software"]
    return tuple(EXAMPLES[intent][0] for intent in wanted)[:_MENU_MOST]
