"""A report: readings of one or several inputs, and what of them a person or a clinician is shown.

Inputs are named by number and digest, never by path: a path may hold a name.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from safelight.readers.reading import Finding, Measurement, Reading
from safelight.reports import words
from safelight.reports.blocks import Block, Bullets, Fold, Heading, Pairs, Picture, Rows, Text, Tone

__all__ = ["Entry", "Report", "Waiting", "blocks", "summary"]

_SHORT: Final = 12  # digits of a digest that name an input
_WAITING_MOST: Final = 200
_ONE_THING: Final = "Each reader looks for one thing only, and says nothing about anything else."
_NEVER_FINE: Final = (
    "No reader says that a picture is fine: it can only say whether it saw what it looks for."
)
_OUT_OF: Final = (
    "Counts out of 100 hold for people like those that the reader was calibrated on, and for "
    "pictures from places it was tested on."
)
_TO_KNOW: Final = (_ONE_THING, _NEVER_FINE, _OUT_OF)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One reading in a report.

    Attributes:
        number: From 1, in the order of the inputs.
        reading: What was read.
        images: How many images it stands for, itself among them.
        map: PNG of the contribution map, by reader; for clinicians.
    """

    number: int
    reading: Reading
    images: int = 1
    maps: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What the entry is called."""
        return f"Image {self.number}"

    @property
    def code(self) -> str:
        """The first digits of the digest that names it."""
        return self.reading.source[:_SHORT]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An input that was not read: its number, why, and what to do."""

    number: int
    status: str
    what: str
    todo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What is put on a page.

    Attributes:
        clinician: For a clinician; else for the person.
        facts: What cards say of readers, by reader name: pairs of a name and a value.
    """

    entries: tuple[Entry, ...]
    waiting: tuple[Waiting, ...] = ()
    clinician: bool = False
    facts: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


def summary(report: Report) -> str:
    """Return one sentence on the whole."""
    read = len(report.entries)
    told = f"{_count(read, 'image was', 'images were')} read after the identity came off."
    if report.waiting:
        told += f" {_count(len(report.waiting), 'input was', 'inputs were')} not read."
    return told


def blocks(report: Report) -> Iterator[Block]:
    """Yield everything the report says, in order."""
    yield Text(summary(report), Tone.LEAD)
    yield Text(words.NOT_A_DIAGNOSIS, Tone.WARN)
    for entry in report.entries:
        yield from _entry(entry, report)
    yield from _waiting(report)
    yield Heading("What to know")
    yield Bullets(_TO_KNOW)


def _entry(entry: Entry, report: Report) -> Iterator[Block]:
    reading, clinician = entry.reading, report.clinician
    yield Heading(f"{entry.name} ({entry.code})")
    told = list(words.kind_of(reading.kind))
    yield Text(told[0], Tone.LEAD)
    for sentence in told[1:]:
        yield Text(sentence)
    notes = [words.plain(note) for note in reading.notes]
    if entry.images > 1:
        notes.append(f"This reading stands for {entry.images} images of a series.")
    if notes:
        yield Bullets(tuple(notes))
    if reading.quality:
        yield Heading("What makes it hard to read", 3)
        yield Bullets(tuple(words.plain(issue.text) for issue in reading.quality))
    found = words.shown(reading, clinician=clinician)
    told_by_readers = [block for each in found for block in _finding(each, entry, report)]
    if clinician and found:
        yield Fold("Write down your own impression first, then open what the readers say",
                   told_by_readers)  # fmt: skip
    yield from () if clinician else told_by_readers
    if nobody := words.no_reader(reading, clinician=clinician):
        yield Text(nobody)
    yield from _measurements(reading.measurements)
    yield Heading("What to do next", 3)
    yield Bullets(words.next_steps(reading, clinician=clinician))
    if clinician:
        yield Pairs((("Input (BLAKE3)", reading.source), ("Safelight", reading.software)))


def _finding(finding: Finding, entry: Entry, report: Report) -> Iterator[Block]:
    yield Heading(f"Reader for {words.name_of(finding.finding)}", 3)
    if words.in_shadow(finding):
        yield Text(words.SHADOW, Tone.WARN)
    if finding.research_only:
        yield Text(words.RESEARCH, Tone.WARN)
    yield Text(words.answer_of(finding), Tone.LEAD)
    if finding.reason:
        yield Text(words.plain(finding.reason))
    for sentence in words.counts(finding):
        yield Text(sentence)
    if finding.cannot_see:
        yield Text("What this reader cannot see:")
        yield Bullets(tuple(words.plain(each) for each in finding.cannot_see))
    if report.clinician:
        yield from _details(finding, entry, report)


def _details(finding: Finding, entry: Entry, report: Report) -> Iterator[Block]:
    code = finding.finding
    pairs = [
        ("Answer", finding.answer.value),
        ("State", finding.state.value),
        ("p-value of 'has it'", _p(finding.p_seen)),
        ("p-value of 'does not have it'", _p(finding.p_not_seen)),
        ("Error rate of the promise", words.amount(finding.alpha) if finding.alpha else "none"),
        ("Score", "none" if finding.score is None else words.amount(finding.score)),
        ("Finding", f"{code.meaning} ({code.value}, {code.scheme})"),
        ("Reader", f"{finding.reader} {finding.version}"),
        ("Card (SHA-256)", finding.card),
        ("Features (SHA-256)", finding.features or "none"),
        *report.facts.get(finding.reader, ()),
    ]
    yield Pairs(tuple(pairs))
    if finding.reader in entry.maps:
        legend = (
            "Each field shows what it added to the score (orange) or took from it (blue). With "
            f"what is of no place ({words.amount(finding.bias)}) they add up to the score."
        )
        if finding.unverified:
            legend = f"{legend} {words.UNVERIFIED}"
        alt = f"Map of contributions of the reader {finding.reader} over the picture"
        yield Picture(entry.maps[finding.reader], alt, legend)
    if finding.neighbours:
        yield Rows(
            "Nearest cases",
            ("case", "what it was", "distance"),
            tuple((n.case, n.label, words.amount(n.distance)) for n in finding.neighbours),
            frozenset({2}),
        )


def _measurements(measurements: tuple[Measurement, ...]) -> Iterator[Block]:
    if not measurements:
        return
    yield Heading("Measurements", 3)
    yield Rows(
        "Measurements",
        ("what", "value", "where", "how"),
        tuple(
            (
                each.name.meaning,
                words.value_of(each) or f"not computed: {each.refused}",
                each.place or "whole image",
                each.method,
            )
            for each in measurements
        ),
    )


def _waiting(report: Report) -> Iterator[Block]:
    if not report.waiting:
        return
    yield Heading("What was not read")
    yield Text(
        "Review: it could not be proven that nothing in it tells who it is of. Quarantine: it "
        "could not be handled safely. Both stay where they are.",
        Tone.SOFT,
    )
    yield Rows(
        "What was not read",
        ("input", "status", "why", "what to do"),
        tuple(
            (f"Image {each.number}", each.status, each.what, each.todo)
            for each in report.waiting[:_WAITING_MOST]
        ),
    )
    if len(report.waiting) > _WAITING_MOST:
        yield Text(f"And {len(report.waiting) - _WAITING_MOST} more.", Tone.SOFT)


def _count(value: int, one: str, many: str) -> str:
    return f"{value:,} {one if value == 1 else many}"


def _p(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"
