"""Many lab results in one file: the work grows with their number, and jumps are still told."""

from datetime import date, timedelta

import pytest

from lab_fixtures import table
from safelight.readers.labs import Reason, Row, Span, checks, read


def test_the_work_grows_with_the_number_of_results(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    unit = checks.in_unit

    def counted(row: Row, code: str) -> Span | None:
        seen.append(code)
        return unit(row, code)

    monkeypatch.setattr(checks, "in_unit", counted)
    counts = []
    for days in (40, 80):
        seen.clear()
        rows = [
            f"{date(2026, 1, 1) + timedelta(days=at)};Sodium;{136 + at % 8};mmol/L;135-145"
            for at in range(days)
        ]
        assert len(read(table(*rows, head="Date;Test;Result;Unit;Range")).results) == days
        counts.append(len(seen))
    assert counts[1] <= 2.1 * counts[0]


def test_a_jump_is_told_against_every_sample_up_to_that_day() -> None:
    head = "Date;Test;Result;Unit"
    told = {
        "2026-01-01": ("Creatinine;1.0;mg/dL", "MCV;85;fL"),
        "2026-01-20": ("Creatinine;2.0;mg/dL", "MCV;99;fL"),
        "2026-02-25": ("Creatinine;5.5;mg/dL", "MCV;85;fL"),
    }
    rows = [f"{day};{line}" for day, lines in told.items() for line in lines]
    found = [Reason.DELTA in each.reasons for each in read(table(*rows, head=head)).results]
    assert found == [False, False, False, True, True, False]
    # two samples of one day are before each other
    rows = ["2026-01-01 08:00;Sodium;140;mmol/L", "2026-01-01 09:00;Sodium;20;mmol/L"]
    both = read(table(*rows, head=head)).results
    assert [Reason.DELTA in each.reasons for each in both] == [True, True]
