"""What ``safelight read`` prints of one reading: the words of the page, with colours."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from safelight.reports import words

if TYPE_CHECKING:
    from safelight.readers.reading import Finding
    from safelight.reports.report import Entry, Report

__all__ = ["lines"]

_PLAIN: Final[dict[str, Any]] = {}
_SOFT: Final[dict[str, Any]] = {"dim": True}
_WARN: Final[dict[str, Any]] = {"fg": "yellow"}
_LEAD: Final[dict[str, Any]] = {"bold": True}


def lines(entry: "Entry", report: "Report") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield lines with their style."""
    reading, clinician = entry.reading, report.clinician
    told = list(words.kind_of(reading.kind))
    yield told[0], _LEAD
    for text in told[1:]:
        yield text, _WARN if reading.kind.disagree else _SOFT
    for note in reading.notes:
        yield words.plain(note), _SOFT
    if entry.images > 1:
        yield f"This reading stands for {entry.images} images of a series.", _SOFT
    for issue in reading.quality:
        yield f"Quality: {words.plain(issue.text)}", _WARN
    for each in reading.measurements:
        place = f" ({each.place})" if each.place else ""
        value = words.value_of(each)
        yield (
            f"{each.name.meaning}{place}: {value or f'not computed: {each.refused}'}",
            _PLAIN if value else _SOFT,
        )
    for finding in words.shown(reading, clinician=clinician):
        yield from _finding(finding, clinician=clinician)
    if nobody := words.no_reader(reading, clinician=clinician):
        yield nobody, _PLAIN
    for step in words.next_steps(reading, clinician=clinician):
        yield f"Next: {step}", _PLAIN
    yield words.NOT_A_DIAGNOSIS, _SOFT


def _finding(finding: "Finding", *, clinician: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    yield f"Reader for {words.name_of(finding.finding)}: {words.answer_of(finding)}", _LEAD
    if words.in_shadow(finding):
        yield f"  {words.SHADOW}", _WARN
    if finding.research_only:
        yield f"  {words.RESEARCH}", _WARN
    if finding.reason:
        yield f"  {words.plain(finding.reason)}", _PLAIN
    for text in words.counts(finding):
        yield f"  {text}", _PLAIN
    for text in finding.cannot_see:
        yield f"  Limits: {words.plain(text)}", _SOFT
    if clinician:
        values = (("p(has it)", finding.p_seen), ("p(does not)", finding.p_not_seen),
                  ("score", finding.score))  # fmt: skip
        told = [f"{name} {value:.4f}" for name, value in values if value is not None]
        told += [f"reader {finding.reader} {finding.version}", f"card {finding.card[:12]}"]
        yield f"  {', '.join(told)}", _SOFT
