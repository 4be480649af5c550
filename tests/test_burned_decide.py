"""What becomes of what was found: masked unless proven harmless, in every frame it stands in."""

import pickle
from dataclasses import replace

import pytest

from safelight.deid.boxes import Box, Region, Verdict
from safelight.deid.burned.decide import Policy, decide
from safelight.deid.burned.read import Reading
from safelight.deid.burned.sight import NO_HINTS, Candidate, Hints, Sight, Sort
from safelight.deid.burned.strip import Strip
from safelight.deid.text import Identity, Needles

NEEDLES = Needles.compile(Identity(names={"WRIGHT^JANE"}, ids={"KH7734120"}))


def text(said: str, x: float, y: float, *, sure: float = 0.99, **more: object) -> Candidate:
    """Return a line of 12 pixels height that was read."""
    reading = Reading(text=said, sure=sure, least=sure) if said else None
    strip = Strip(x=x, y=y, length=max(8.0 * len(said), 10.0), height=12)
    one = Candidate(sort=Sort.TEXT, strip=strip, score=0.97, reading=reading)
    return replace(one, **more)  # type: ignore[arg-type]  # fields by name, as the tests give them


def sight(*found: Candidate, frame: int | None = 0) -> Sight:
    """Return a sight of 512 x 512."""
    return Sight(rows=512, columns=512, frame=frame, found=found)


def by_verdict(regions: list[Region], verdict: Verdict) -> list[Region]:
    """Return the regions with one verdict."""
    return [region for region in regions if region.verdict is verdict]


def test_an_unread_line_is_masked() -> None:
    (region,) = decide([sight(text("", 100, 100))], None)
    assert region.verdict is Verdict.MASK
    assert region.frames == (0,)


def test_a_proven_mark_stays() -> None:
    (region,) = decide([sight(text("PORTABLE AP", 100, 100))], NEEDLES)
    assert region.verdict is Verdict.KEEP
    assert region.rule == "text: a mark of view"


@pytest.mark.parametrize("said", ["DOE^JOHN", "1960-01-02", "R 12:30", "ID 4711"])
def test_other_text_is_masked(said: str) -> None:
    (region,) = decide([sight(text(said, 100, 100))], None)
    assert region.verdict is Verdict.MASK


def test_an_unsure_reading_proves_nothing() -> None:
    (region,) = decide([sight(text("PORTABLE", 100, 100, sure=0.7))], None)
    assert region.verdict is Verdict.MASK


def test_a_mark_that_is_nearly_the_subjects_name_is_masked() -> None:
    (region,) = decide([sight(text("RIGHT", 100, 100))], NEEDLES)
    assert region.verdict is Verdict.MASK
    (region,) = decide([sight(text("RIGHT", 100, 100))], None)
    assert region.verdict is Verdict.KEEP


def test_a_letter_beside_masked_text_is_masked_and_one_apart_stays() -> None:
    name = text("DOE^JOHN", 100, 100)
    near, apart = text("L", 147, 100), text("L", 300, 100)
    assert not by_verdict(decide([sight(name, near)], None), Verdict.KEEP)
    assert len(by_verdict(decide([sight(name, apart)], None), Verdict.KEEP)) == 1


def test_letters_that_guard_each_other_fall_together() -> None:
    row = [text("DOE^JOHN", 100, 100), text("L", 147, 100), text("R", 167, 100)]
    assert not by_verdict(decide([sight(*row)], None), Verdict.KEEP)


def test_a_word_that_is_a_surname_needs_room() -> None:
    below = text("1960-01-02", 100, 120)
    assert not by_verdict(decide([sight(text("LONG", 100, 100), below)], None), Verdict.KEEP)
    assert by_verdict(decide([sight(text("LATERAL", 100, 100), below)], None), Verdict.KEEP)


def test_axis_letters_stay_halfway_along_an_edge_only() -> None:
    assert by_verdict(decide([sight(text("A", 256, 12))], None), Verdict.KEEP)
    assert by_verdict(decide([sight(text("A", 100, 100))], None), Verdict.MASK)


@pytest.mark.parametrize("said", ["L", "R", "LL", "LT", "CC", "MLO", "OBL", "pa"])
@pytest.mark.parametrize("turn", [180, 90, -90])
def test_letters_that_may_be_others_turned_are_not_trusted(said: str, turn: int) -> None:
    reading = Reading(text=said, sure=0.99, least=0.99, turn=turn)
    assert not by_verdict(
        decide([sight(text(said, 100, 100, reading=reading))], None), Verdict.KEEP
    )


@pytest.mark.parametrize("said", ["PA", "RT", "RCC"])
@pytest.mark.parametrize("turn", [180, 90, -90])
def test_letters_that_are_no_others_turned_stay(said: str, turn: int) -> None:
    reading = Reading(text=said, sure=0.99, least=0.99, turn=turn)
    (region,) = decide([sight(text(said, 100, 100, reading=reading))], None)
    assert region.verdict is Verdict.KEEP


@pytest.mark.parametrize("ends", ["RS", "LAF"])
def test_letters_for_an_oblique_axis_stay_beside_another_axis_only(ends: str) -> None:
    oblique, other = text(ends, 256, 12), text("A", 500, 256)
    assert not by_verdict(decide([sight(oblique)], None), Verdict.KEEP)
    assert len(by_verdict(decide([sight(oblique, other)], None), Verdict.KEEP)) == 2


def test_a_piece_of_a_mark_seen_askew_does_not_take_the_mark_along() -> None:
    mark, piece = text("LT", 100, 100), text("T", 106, 103)
    (region,) = decide([sight(mark, piece)], None)
    assert region.verdict is Verdict.KEEP
    other = text("K", 106, 103)
    assert not by_verdict(decide([sight(mark, other)], None), Verdict.KEEP)


def weak(x: float, y: float, length: float, height: float = 12) -> Candidate:
    """Return a find that nothing confirmed."""
    reading = Reading(text="1", sure=0.3, least=0.3)
    strip = Strip(x=x, y=y, length=length, height=height)
    return text("", x, y, weak=True, strip=strip, reading=reading)


@pytest.mark.parametrize("again", [weak(90, 96, 6, 8), weak(103, 97, 20), weak(100, 100, 30, 18)])
def test_a_mark_seen_again_does_not_guard_itself(again: Candidate) -> None:
    regions = decide([sight(text("MLO", 100, 100), again)], None)
    assert [region.verdict for region in regions] == [Verdict.KEEP]
    strong = replace(again, weak=False, reading=Reading(text="K", sure=0.9, least=0.9))
    room = replace(strong.strip, length=strong.strip.length + 12)  # no piece of the mark any more
    regions = decide([sight(text("MLO", 100, 100), replace(strong, strip=room))], None)
    assert not by_verdict(regions, Verdict.KEEP)


@pytest.mark.parametrize("beside", [weak(84, 100, 10), weak(117, 100, 8), weak(100, 100, 60)])
def test_a_weak_find_that_reaches_past_a_mark_guards_it(beside: Candidate) -> None:
    assert not by_verdict(decide([sight(text("MLO", 100, 100), beside)], None), Verdict.KEEP)


def test_a_weak_find_guards_no_further_than_the_mark_is_high() -> None:
    mark = text("MLO", 100, 100)  # to column 112
    near, away = weak(130, 100, 10, 40), weak(135, 100, 10, 40)
    assert not by_verdict(decide([sight(mark, near)], None), Verdict.KEEP)
    assert by_verdict(decide([sight(mark, away)], None), Verdict.KEEP)
    strong = replace(away, weak=False)
    assert not by_verdict(decide([sight(mark, strong)], None), Verdict.KEEP)


def test_a_weak_find_that_nobody_tried_to_read_guards_nothing() -> None:
    mark, beside = text("MLO", 100, 100), weak(117, 100, 8)
    assert not by_verdict(decide([sight(mark, beside)], None), Verdict.KEEP)
    unread = replace(beside, reading=None)
    assert by_verdict(decide([sight(mark, unread)], None), Verdict.KEEP)
    strong = replace(unread, weak=False)
    assert not by_verdict(decide([sight(mark, strong)], None), Verdict.KEEP)


def pattern(x: float, length: float, sort: Sort = Sort.PATTERN) -> Candidate:
    """Return what looks like a code."""
    return Candidate(sort=sort, strip=Strip(x=x, y=100, length=length, height=13), score=0.6)


def test_letters_that_look_like_a_code_are_none() -> None:
    mark = text("RCC", 100, 100)
    regions = decide([sight(mark, pattern(100, 25))], None)
    assert [region.verdict for region in regions] == [Verdict.KEEP]
    for other in (pattern(100, 40), pattern(124, 20), pattern(100, 25, Sort.CODE)):
        assert not by_verdict(decide([sight(mark, other)], None), Verdict.KEEP)


def test_a_lone_letter_on_a_pattern_may_be_a_piece_of_it() -> None:
    regions = decide([sight(text("L", 100, 100), pattern(100, 10))], None)
    assert not by_verdict(regions, Verdict.KEEP)


@pytest.mark.parametrize("lap", [-3, 0, 3])
@pytest.mark.parametrize("side", [1, -1])
def test_a_mask_beside_a_mark_stops_halfway_between_them(lap: int, side: int) -> None:
    mark, name = text("LATERAL", 100, 100), text("DOE^JOHN", 100, 100 + side * (12 - lap))
    regions = decide([sight(mark, name)], None)
    (kept,) = (box for r in by_verdict(regions, Verdict.KEEP) for box in r.boxes)
    (mask,) = (box for r in by_verdict(regions, Verdict.MASK) for box in r.boxes)
    inner = mask.y - (kept.y + kept.h) if side > 0 else kept.y - (mask.y + mask.h)
    assert abs(inner + lap / 2) <= 1.5
    outer = mask.y + mask.h if side > 0 else -mask.y
    assert outer >= side * (100 + side * (12 - lap)) + 6


def spread(said: str, x: float, y: float) -> Candidate:
    """Return a line whose letters stand 20 pixels apart."""
    strip = Strip(x=x, y=y, length=20.0 * len(said), height=12)
    return replace(text(" ".join(said), x, y), strip=strip)


def columns(regions: list[Region], row: int) -> set[int]:
    """Return the columns that are masked in a row."""
    boxes = [b for r in by_verdict(regions, Verdict.MASK) for b in r.boxes]
    return {x for b in boxes if b.y <= row < b.y + b.h for x in range(b.x, b.x + b.w)}


def test_where_letters_are_spread_the_next_ones_are_masked_too() -> None:
    assert set(range(110, 290)) <= columns(decide([sight(spread("DOE", 200, 100))], None), 100)
    assert 110 not in columns(decide([sight(text("DOEJOHN", 200, 100))], None), 100)


def test_a_mask_over_spread_letters_gives_way_to_a_mark_above_it() -> None:
    above = text("PORTABLE", 240, 88)
    regions = decide([sight(spread("DOE", 200, 100), above)], None)
    assert by_verdict(regions, Verdict.KEEP)
    assert 290 not in columns(regions, 100)


def test_a_lone_letter_is_no_mark_beside_spread_letters() -> None:
    away = text("R", 265, 100)
    assert not by_verdict(decide([sight(spread("DOE", 200, 100), away)], None), Verdict.KEEP)
    assert by_verdict(decide([sight(text("DOEJOH", 200, 100), away)], None), Verdict.KEEP)


def test_a_wide_gap_between_spread_letters_is_masked() -> None:
    two = [spread("DOE", 100, 100), spread("ROE", 215, 100)]
    assert set(range(70, 245)) <= columns(decide([sight(*two)], None), 100)


def test_measurements_in_ultrasound_regions_stay_beside_calipers() -> None:
    row = sight(text("1 Dist 2.34 cm", 200, 200), text("", 268, 200))
    hints = Hints(areas=(Box(0, 0, 512, 512),))
    assert by_verdict(decide([row], None, hints), Verdict.KEEP)


def test_a_code_is_masked_whatever_it_says() -> None:
    code = Candidate(sort=Sort.CODE, strip=Strip(x=90, y=90, length=60, height=60), score=1.0)
    (region,) = decide([sight(code)], None)
    assert (region.verdict, region.rule) == (Verdict.MASK, "bar code")


def test_the_gap_between_two_masked_words_is_masked() -> None:
    regions = decide([sight(text("DOE JOHN", 60, 100), text("1960 01 02", 156, 100))], None)
    plane = {
        x for r in regions for b in r.boxes if b.y <= 100 < b.y + b.h for x in range(b.x, b.x + b.w)
    }
    assert set(range(28, 196)) <= plane


def test_a_weak_find_is_shown_only_where_the_policy_asks() -> None:
    weak = text("", 100, 100, weak=True)
    assert decide([sight(weak)], None) == []
    (region,) = decide([sight(weak)], None, NO_HINTS, Policy(review=True))
    assert region.verdict is Verdict.REVIEW


def test_nothing_is_kept_where_the_policy_says_so() -> None:
    (region,) = decide([sight(text("L", 100, 100))], None, NO_HINTS, Policy(keep=False))
    assert region.verdict is Verdict.MASK


def test_what_projections_show_is_masked_in_every_frame() -> None:
    (region,) = decide([sight(frame=0), sight(text("DOE", 90, 90), frame=None)], None)
    assert region.frames == ()


def test_an_overlay_seen_in_many_frames_is_masked_in_all() -> None:
    frames = [
        sight(text("DOE", 90, 90) if n < 3 else text("L", 300, 300), frame=n) for n in range(6)
    ]
    masks = by_verdict(decide(frames, None), Verdict.MASK)
    assert [region.frames for region in masks] == [()]


def test_what_moves_is_masked_where_it_stands() -> None:
    frames = [sight(text("DOE", 40 + 60 * n, 90), frame=n) for n in range(6)]
    masks = by_verdict(decide(frames, None), Verdict.MASK)
    assert sorted(region.frames for region in masks) == [(n,) for n in range(6)]


def test_a_mark_proven_in_the_frames_outlives_a_blurred_projection() -> None:
    regions = decide(
        [sight(text("PORTABLE", 90, 90), frame=0), sight(text("", 90, 90), frame=None)], None
    )
    assert [region.verdict for region in regions] == [Verdict.KEEP]


def test_a_mark_that_one_view_shows_whole_stays_where_another_shows_pieces_of_it() -> None:
    stem = replace(text("", 100, 100), strip=Strip(x=96, y=100, length=4, height=12))
    kept = decide([sight(text("L", 100, 100)), sight(stem)], None)
    assert {region.verdict for region in kept} == {Verdict.KEEP}
    other = decide([sight(text("L", 100, 100), frame=0), sight(stem, frame=1)], None)
    assert [region.frames for region in by_verdict(other, Verdict.MASK)] == [(1,)]


def test_what_any_view_shows_beside_a_letter_guards_it() -> None:
    regions = decide([sight(text("L", 100, 100)), sight(text("DOE", 122, 100))], None)
    assert {region.verdict for region in regions} == {Verdict.MASK}


def test_a_sight_travels_between_processes_and_shows_no_text() -> None:
    seen = sight(text("DOE^JOHN", 100, 100))
    assert pickle.loads(pickle.dumps(seen)) == seen  # noqa: S301  # our own bytes
    assert "DOE" not in repr(seen)
