"""Typed facts with ids: the only things an answer may say.

A fact's sentence is made when the fact is made, from a template of ``reports.words`` or of the lab
reader; answering picks facts and puts their sentences in order. What is not a fact cannot be said.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from safelight.readers.labs import LabReport
from safelight.readers.labs.analytes import get as analyte
from safelight.readers.labs.model import Flag
from safelight.readers.reading import Finding, Reading
from safelight.reports import words

__all__ = ["Consent", "Fact", "Facts", "Known", "Topic", "flagged", "gather", "withheld"]


class Topic(StrEnum):
    """What a fact is about."""

    HOUSE = "house"
    NO_IMAGE = "no-image"
    KIND = "kind"
    KIND_WHY = "kind-why"
    DISAGREE = "disagree"
    QUALITY = "quality"
    NOTE = "note"
    MEASURED = "measured"
    NOT_MEASURED = "not-measured"
    ANSWER = "answer"
    REASON = "reason"
    COUNTS = "counts"
    CANNOT_SEE = "cannot-see"
    NEXT = "next"
    MARK = "mark"
    NO_READER = "no-reader"
    CARD = "card"
    NUMBERS = "numbers"
    LAB = "lab"
    LAB_URGENT = "lab-urgent"
    LAB_REFUSED = "lab-refused"
    LAB_NEXT = "lab-next"
    NO_LABS = "no-labs"
    CONSENT = "consent"
    NO_CONSENT = "no-consent"
    LEFT_OUT = "left-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that is known.

    Attributes:
        id: Unique, such as ``image.kind`` or ``lab.r3``.
        text: The sentence that says it.
        names: Words by which a question may name what it is about, lower case.
        group: What belongs together, such as all facts of one reader.
        flag: Of a lab result: how it lies.
    """

    id: str
    topic: Topic
    text: str
    names: tuple[str, ...] = ()
    group: str = ""
    flag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person said about one purpose.

    Attributes:
        purpose: In plain words, as it was asked.
        agreed: Whether they agreed, as of now.
    """

    purpose: str
    agreed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What answers may draw on; all of it one person's own.

    Attributes:
        cards: Of readers, by name: sentences of their cards.
        consents: None where consent is not known here.
        clinician: Whether answers of readers in shadow may be told, marked.
        page: Whether it is asked on a page of a server, not in a command.
    """

    reading: Reading | None = None
    labs: LabReport | None = None
    cards: Mapping[str, Sequence[str]] = field(default_factory=dict)
    consents: Sequence[Consent] | None = None
    clinician: bool = False
    page: bool = False


class Facts:
    """All facts of one person, by id and by topic."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        own = [fact for fact in facts if fact.topic is not Topic.LEFT_OUT]
        # how many facts an answer leaves out is a fact too, for every number that there may be
        left = range(1, len(own) + 1) if len(own) > _MANY else ()
        self.all: Final = (*own, *map(_left_out, left))
        self.by_id: Final = {fact.id: fact for fact in self.all}

    def of(self, *topics: Topic) -> list[Fact]:
        """Return the facts of some topics, in order."""
        return [fact for fact in self.all if fact.topic in topics]

    def house(self, name: str) -> Fact:
        """Return one of the facts that always hold."""
        return self.by_id[f"house.{name}"]

    def left_out(self, count: int) -> Fact:
        """Return the fact that an answer leaves out this many others."""
        return self.by_id[f"left-out.{count}"]


_MANY: Final = 40  # an answer of fewer facts leaves out none


def _left_out(count: int) -> Fact:
    text = f"{count} more sentences are left out here; ask about one test by its name to see it."
    if count == 1:
        text = "1 more sentence is left out here; ask about one test by its name to see it."
    return Fact(id=f"left-out.{count}", topic=Topic.LEFT_OUT, text=text)


# What always holds; each sentence is one fact.
_HOUSE: Final = {
    "not-a-diagnosis": words.NOT_A_DIAGNOSIS,
    "doctor": words.ASK_A_DOCTOR,
    "never-fine": (
        "No reader can say that a picture is fine: it can only say whether it saw the one thing it "
        "looks for."
    ),
    "one-thing": "Each reader looks for one thing only, and says nothing about anything else.",
    "no-treatment": "Nothing here says anything about treatments, medicines or doses.",
    "no-outlook": "Nothing here says anything about what will come.",
    "no-cause": "Nothing here says anything about causes.",
    "emergency": (
        "If you feel very ill or it gets worse quickly, call the emergency service now; do not "
        "wait for an answer here."
    ),
    "own-only": "Only the results given to this command can be asked about, and nobody else's.",
    "no-memory": "No earlier picture was given, so nothing can be compared.",
    "no-map": (
        "Where in the picture something lies is shown to clinicians only, on the contribution map."
    ),
    "software": (
        "Safelight is software: it takes the identity off, and readers look for one thing each."
    ),
    "no-writer": "Answers here are sentences made beforehand; no text is made up.",
    "out-of": (
        "Counts out of 100 hold for people like those that the reader was calibrated on, and for "
        "pictures from places it was tested on."
    ),
    "identity": (
        "The identity is taken off before anything is read, and what is not certain to be harmless "
        "is not read at all."
    ),
    "stays": "This command sends nothing anywhere and keeps nothing of what it reads.",
    "withdraw": (
        "What you agreed to can be taken back at any time with the command safelight withdraw."
    ),
    "seen-by": "Who looked at kept data stands in the access log: safelight disclosures shows it.",
    "shadow": "Readers that are not validated answer nobody but clinicians, and are marked.",
    "site": (
        "A reader that was not tested on pictures from a place does not answer there, because "
        "pictures from other places can mislead it."
    ),
    "ranges": (
        "A result is compared with the range that the report prints; where there is none, with a "
        "cited limit, or with nothing."
    ),
}
# What holds otherwise on a page.
_ON_PAGE: Final = {
    "own-only": "Only the files of this submission can be asked about, and nobody else's.",
    "stays": (
        "What you hand in is kept here under encryption, and goes to others only for what you "
        "agreed to."
    ),
    "withdraw": "What you agreed to can be taken back at any time on the page My data.",
    "seen-by": "Who looked at your data stands on the page My data.",
}


def gather(known: Known) -> Facts:
    """Return every fact that may be told, ids unique."""
    house = _HOUSE | _ON_PAGE if known.page else _HOUSE
    facts = [Fact(id=f"house.{k}", topic=Topic.HOUSE, text=v) for k, v in house.items()]
    if known.reading is None:
        said = "No picture was read, so nothing can be said about one."
        facts.append(Fact(id="image.none", topic=Topic.NO_IMAGE, text=said))
    else:
        facts += _image(known.reading, clinician=known.clinician)
        for number, finding in enumerate(words.shown(known.reading, clinician=known.clinician), 1):
            cards = known.cards.get(finding.reader, ())
            facts += _finding(finding, f"reader{number}", cards, clinician=known.clinician)
    facts += _labs(known.labs)
    facts += _consents(known.consents, page=known.page)
    return Facts(facts)


def _image(reading: Reading, *, clinician: bool) -> Iterator[Fact]:
    told = list(words.kind_of(reading.kind))
    yield Fact(id="image.kind", topic=Topic.KIND, text=told[0])
    rest = told[1:]
    if reading.kind.disagree:
        yield Fact(id="image.disagree", topic=Topic.DISAGREE, text=rest.pop(0))
    for text in rest:
        yield Fact(id="image.kind-why", topic=Topic.KIND_WHY, text=text)
    for at, issue in enumerate(reading.quality, 1):
        yield Fact(id=f"image.quality{at}", topic=Topic.QUALITY, text=words.plain(issue.text))
    for at, note in enumerate(reading.notes, 1):
        yield Fact(id=f"image.note{at}", topic=Topic.NOTE, text=words.plain(note))
    for at, each in enumerate(reading.measurements, 1):
        name, value = each.name.meaning, words.value_of(each)
        place = f" ({each.place})" if each.place else ""
        text = f"{name}{place}: {value}." if value else f"{name}: not computed, {each.refused}."
        yield Fact(
            id=f"image.measure{at}",
            topic=Topic.MEASURED if value else Topic.NOT_MEASURED,
            text=words.plain(text),
            names=_names(name),
        )
    if nobody := words.no_reader(reading, clinician=clinician):
        yield Fact(id="image.no-reader", topic=Topic.NO_READER, text=nobody)


def _finding(
    finding: Finding, group: str, cards: Sequence[str], *, clinician: bool
) -> Iterator[Fact]:
    names = (*_names(finding.finding.meaning), finding.reader.lower())
    about = f"Reader for {words.name_of(finding.finding)}: "

    def fact(part: str, topic: Topic, text: str) -> Fact:
        return Fact(id=f"{group}.{part}", topic=topic, text=text, names=names, group=group)

    if words.in_shadow(finding):
        yield fact("shadow", Topic.MARK, about + words.SHADOW)
    if finding.research_only:
        yield fact("research", Topic.MARK, about + words.RESEARCH)
    yield fact("answer", Topic.ANSWER, about + words.answer_of(finding))
    if finding.reason:
        yield fact("reason", Topic.REASON, about + words.plain(finding.reason))
    for at, text in enumerate(words.counts(finding), 1):
        yield fact(f"counts{at}", Topic.COUNTS, text)
    for at, text in enumerate(finding.cannot_see, 1):
        told = f"Limits of the reader for {words.name_of(finding.finding)}: {words.plain(text)}"
        yield fact(f"cannot-see{at}", Topic.CANNOT_SEE, told)
    if finding.next_step:
        yield fact("next", Topic.NEXT, words.plain(finding.next_step))
    for at, text in enumerate(cards, 1):
        yield fact(f"card{at}", Topic.CARD, about + words.plain(text))
    if clinician and finding.p_seen is not None and finding.p_not_seen is not None:
        numbers = (
            f"p-value of 'has it' {finding.p_seen:.4f}, of 'does not have it' "
            f"{finding.p_not_seen:.4f}."
        )
        yield fact("numbers", Topic.NUMBERS, about + numbers)


def _labs(report: LabReport | None) -> Iterator[Fact]:
    if report is None:
        none = "No lab results were given, so nothing can be said about any."
        yield Fact(id="labs.none", topic=Topic.NO_LABS, text=none)
        return
    by_row = {each.row.id: each for each in report.results}
    topics = {
        "critical": Topic.LAB_URGENT,
        "critical-if": Topic.LAB_URGENT,
        "critical-mark": Topic.LAB_URGENT,
        "refused": Topic.LAB_REFUSED,
        "next": Topic.LAB_NEXT,
    }
    for at, said in enumerate(report.sentences, 1):
        topic = topics.get(said.template, Topic.LAB)
        result = by_row.get(said.rows[0]) if said.rows else None
        named = result is not None and topic is not Topic.LAB_NEXT
        names = _analyte_names(result.row.analyte) if result is not None and named else ()
        yield Fact(
            id=f"lab.{said.rows[0] if named else at}.{said.template}",
            topic=topic,
            text=said.text,
            names=names,
            group=said.rows[0] if named else "",
            flag=result.flag.value if result is not None and named else "",
        )
    if not report.results:
        none = "No line of the report gave a result that could be used."
        yield Fact(id="labs.nothing", topic=Topic.LAB_REFUSED, text=none)


def _analyte_names(key: str) -> tuple[str, ...]:
    known = analyte(key)
    return tuple(dict.fromkeys((*_whole(known.name), *(name.lower() for name in known.names))))


def _consents(consents: Sequence[Consent] | None, *, page: bool) -> Iterator[Fact]:
    if consents is None:
        said = "What you agreed to is not known to this command; safelight consent show tells it."
        if page:
            said = "What somebody agreed to is told here to themselves alone."
        yield Fact(id="consent.unknown", topic=Topic.NO_CONSENT, text=said)
        return
    if not consents:
        said = "You have agreed to nothing, so your data are used for nothing."
        yield Fact(id="consent.none", topic=Topic.NO_CONSENT, text=said)
    for at, each in enumerate(consents, 1):
        verb = "You agreed to this" if each.agreed else "You did not agree to this"
        text = f"{verb}: {each.purpose.rstrip('.')}."
        yield Fact(id=f"consent.{at}", topic=Topic.CONSENT, text=text, names=_names(each.purpose))


_LEAST: Final = 4  # letters of a word that names something by itself
_SMALL: Final = frozenset(
    {"with", "from", "data", "your", "used", "that", "this", "image", "images", "other", "make"}
)


def _names(text: str) -> tuple[str, ...]:
    """Return a name whole, without its brackets, what stands in them, and its telling words."""
    bare, *inner = _whole(text)
    single = [word for word in bare.replace("-", " ").split() if len(word) >= _LEAST]
    return tuple(dict.fromkeys((bare, *inner, *(word for word in single if word not in _SMALL))))


def _whole(text: str) -> tuple[str, ...]:
    bare, _, inner = " ".join(text.lower().split()).partition("(")
    return tuple(part for part in (bare.strip(), inner.rstrip(") ")) if part) or ("",)


def flagged(fact: Fact) -> bool:
    """Tell whether a lab result lies outside what it was compared with."""
    return fact.flag in {
        Flag.LOW,
        Flag.HIGH,
        Flag.CRITICAL_LOW,
        Flag.CRITICAL_HIGH,
    }


def withheld(fact: Fact) -> bool:
    """Tell whether a lab result got no flag because something does not fit."""
    return fact.flag == Flag.WITHHELD
