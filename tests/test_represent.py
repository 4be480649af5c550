"""A cohort beside its population: flagged when it is skewed, seldom when it is not."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.errors import SettingsError
from safelight.feedback import Facts
from safelight.learning.reference import Reference
from safelight.learning.represent import compare, distance, null, weigh

DE = Reference.packaged("DE")


def cohort(
    people: int, seed: int, *, skew: dict[str, float] | None = None, of: Reference = DE
) -> list[Facts]:
    """Draw people from a population; ``skew`` multiplies the chance of women and of ages."""
    rng = np.random.default_rng(seed)
    chance = np.array([cell.count for cell in of.cells])
    for place, cell in enumerate(of.cells):
        for word, factor in (skew or {}).items():
            if word in (cell.sex, cell.region) or (
                "-" in word and int(word.split("-")[0]) <= cell.first <= int(word.split("-")[1])
            ):
                chance[place] *= factor
    drawn = rng.choice(len(of.cells), people, p=chance / chance.sum())
    return [
        Facts(age=float(of.cells[n].first + 1), sex=of.cells[n].sex, region=of.cells[n].region)
        for n in drawn
    ]


def test_random_samples_of_a_hundred_are_seldom_flagged() -> None:
    flagged = sum(
        compare(cohort(100, seed), DE, weights=False).flagged for seed in range(5000, 6000)
    )
    assert flagged <= 50  # of 1,000: 5 %


@pytest.mark.parametrize(
    ("skew", "least"),
    [
        ({"F": 3.0}, 95),
        ({"20-59": 4.0}, 95),
        ({"60-100": 4.0}, 95),
        ({"F": 3.0, "30-49": 3.0}, 95),
        ({"F": 2.0, "30-49": 2.5}, 85),  # the mildest: how much a hundred people can show at all
    ],
    ids=["women", "working age", "old", "women of middle age", "mild"],
)
def test_self_selected_cohorts_of_a_hundred_are_flagged(skew: dict[str, float], least: int) -> None:
    found = sum(
        compare(cohort(100, seed, skew=skew), DE, weights=False).flagged for seed in range(100)
    )
    assert found >= least


def test_a_small_random_sample_is_far_and_not_flagged() -> None:
    even = np.full(20, 0.05)
    assert float(np.median(null(30, even))) > 5 * float(np.median(null(1000, even)))
    few = compare(cohort(30, 1), DE)
    assert not few.flagged
    assert all(one.distance > 0.05 for one in few.dimensions if one.name != "sex")


def test_distance_is_jensen_and_shannons() -> None:
    assert float(distance(np.array([1, 0]), np.array([0.0, 1.0]))) == pytest.approx(1.0)
    assert float(distance(np.array([5, 5]), np.array([0.5, 0.5]))) == pytest.approx(0.0)
    # By hand: p = (1, 0), q = (1/2, 1/2), m = (3/4, 1/4); (log2(4/3) + log2(2/3)/2 + 1/2)/2 ...
    half = (np.log2(4 / 3) + 0.5 * np.log2(2 / 3) + 0.5 * np.log2(2.0)) / 2
    assert float(distance(np.array([3, 0]), np.array([0.5, 0.5]))) == pytest.approx(half**0.5)


def test_what_is_not_known_or_has_no_place_is_told_and_not_tested() -> None:
    people = [Facts(age=None, sex="")] * 30 + [Facts(age=40, sex="O")] * 10 + cohort(60, 3)
    told = {one.name: one for one in compare(people, DE).dimensions}
    assert told["sex"].missing == 0.3
    assert told["sex"].outside == 0.1
    assert told["sex"].known == 60
    assert told["age"].known == 70
    nobody = compare([Facts()] * 50, DE)
    assert not nobody.flagged
    assert {one.missing for one in nobody.dimensions} == {1.0}


@pytest.mark.parametrize(("count", "silent"), [(1, True), (19, True), (20, False)])
def test_of_fewer_than_twenty_nothing_is_said(count: int, *, silent: bool) -> None:
    """Nor of few whose value is known among many."""
    known = [Facts(age=30.0 + one, sex="F") for one in range(count)]
    for people in (known, known + [Facts()] * 80):
        document = compare(people, DE).to_json()
        assert document["enough"] is not silent
        assert (document["weights"] is None) is silent
        for one in document["dimensions"]:
            numbers = [one[name] for name in ("missing", "outside", "distance", "usual_below", "p")]
            assert (numbers == [None] * 5) is silent
            assert (one["cells"] == {}) is silent
            assert one["known"] == ("fewer than 20" if silent else 20)
    mixed = [Facts(sex="F")] * 30 + [Facts(age=30, sex="M")] * 3
    document = compare(mixed, DE).to_json()
    told = {one["dimension"]: one["known"] for one in document["dimensions"]}
    assert told == {"age": "fewer than 20", "sex": 33, "age and sex": "fewer than 20"}
    assert set(document["weights"]["distance_before"]) <= {"sex"}
    assert set(document["weights"]["nobody_stands_for"]) <= {"sex"}


def test_small_cells_are_not_shown() -> None:
    document = compare(cohort(100, 4), DE).to_json()
    for one in document["dimensions"]:
        shown = [cell["cohort"] for cell in one["cells"].values()]
        counts = [count for count in shown if isinstance(count, int) and count]
        assert all(count >= 11 for count in counts)
        if len(counts) < sum(count != 0 for count in shown):
            assert one["known"] - sum(counts) >= 11


def test_weights_bring_a_skewed_cohort_closer_and_tell_the_price() -> None:
    people = cohort(400, 5, skew={"F": 2.0, "20-59": 2.0})
    made = weigh(people, DE)
    assert sum(made.weights) == pytest.approx(400)
    assert all(made.after[name] < made.before[name] / 3 for name in ("sex", "age and sex"))
    assert 200 < made.effective < 400
    assert made.largest <= 5.0 + 1e-6
    even = weigh(cohort(4000, 6), DE)
    assert even.effective > 3900


def test_whom_nobody_stands_for_cannot_be_weighed_in() -> None:
    men = [one for one in cohort(200, 7) if one.sex == "M"]
    made = weigh(men, DE)
    assert made.cannot["sex"] == ["F"]
    assert compare(men, DE).flagged
    assert all(np.isfinite(made.weights))


def test_one_person_speaks_for_five_at_most() -> None:
    people = [Facts(age=30, sex="F")] * 199 + [Facts(age=30, sex="M")]
    made = weigh(people, DE)
    assert made.capped == 1
    assert max(made.weights) <= 5.0 + 1e-6


@given(
    st.lists(
        st.builds(
            Facts,
            age=st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=False)),
            sex=st.sampled_from(["F", "M", "O", ""]),
            region=st.sampled_from(["DE", "", "XX"]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_any_cohort_has_an_answer(people: list[Facts]) -> None:
    told = compare(people, DE, draws=50)
    assert all(0 <= one.distance <= 1 and 0 <= one.p <= 1 for one in told.dimensions)
    assert told.weights is not None
    assert 0 < told.weights.effective <= len(people) + 1e-6


def test_the_packaged_world_tells_countries_apart() -> None:
    world = Reference.packaged()
    assert 7.9e9 < world.total < 8.3e9
    assert {cell.region for cell in world.cells} >= {"DE", "VN", "US", "NG"}
    assert Reference.packaged("276").total == DE.total == Reference.packaged("germany").total
    assert 80e6 < DE.total < 88e6
    with pytest.raises(SettingsError, match="no packaged population"):
        Reference.packaged("Atlantis")


def test_a_cohort_from_one_country_is_not_the_world() -> None:
    world = Reference.packaged()
    told = {one.name: one for one in compare(cohort(100, 8), world, draws=400).dimensions}
    assert told["region"].flagged is False  # where they live was not given
    people = [Facts(age=one.age, sex=one.sex, region="DE") for one in cohort(100, 8)]
    told = {one.name: one for one in compare(people, world, draws=400).dimensions}
    assert told["region"].flagged


def test_a_part_of_a_population() -> None:
    screened = DE.within(sex="F", ages=(50, 69))
    assert 9e6 < screened.total < 14e6
    assert "sex" not in screened.told
    with pytest.raises(SettingsError, match="cut"):
        DE.within(ages=(52, 69))
    old = DE.within(ages=(90, 150))
    assert {cell.first for cell in old.cells} == {90}


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Age", "Sex", "Device", "Count"])
        writer.writerows([["0-49", "F", "A", 60], ["50+", "F", "A", 20], ["50+", "M", "B", 20]])
    own = Reference.from_csv(str(path))
    assert own.told == {"age", "sex", "device"}
    people = [Facts(age=70, sex="M", device="B")] * 40
    assert compare(people, own).flagged


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "age,count\n",
        "age,count\nold,3\n",
        "age,count\n40-30,3\n",
        "age,count\n0-49,x\n",
        "age,count\n0-49,-1\n",
        "age,count\n0-49,inf\n",
        "age,count\n0-49,5\n40-60,5\n",
        "count\n5\n",
        "sex,number\nF,5\n",
        "sex,count\nF,0\n",
        "\x00\x01\x02",
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, lines: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(lines)
    with pytest.raises(SettingsError):
        Reference.from_csv(str(path))
    with pytest.raises(SettingsError):
        compare([], DE)
