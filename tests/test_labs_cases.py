"""Made-up reports with known truth: no wrong flag, and clean lines are not left silent."""

from corpus.labs import FAULTS, FORMATS, Case, cases
from corpus.labs.score import score
from safelight.readers import labs


def read(case: Case) -> list[tuple[str, str, tuple[str, ...]]]:
    report = labs.read(case.data, sex=case.sex, age=case.age)
    return [
        (each.row.analyte, each.flag.value, tuple(reason.value for reason in each.reasons))
        for each in report.results
    ]


def test_no_flag_is_wrong_and_clean_lines_are_flagged() -> None:
    told = score(cases(4 * len(FORMATS) * len(FAULTS), 11), read)
    assert told.wrong == []
    lines = sum(told.counts.values())
    assert lines > 2000
    clean = {outcome: told.counts["", outcome] for outcome in ("right", "silent")}
    assert clean["right"] > 0.95 * sum(clean.values())
    for fault in FAULTS[1:]:
        assert told.counts[fault, "silent"] > 0


def test_the_score_sees_a_reader_that_is_wrong() -> None:
    told = score(cases(8, 1), lambda case: [(line.key, "high", ()) for line in case.lines])
    assert told.wrong
