"""Statistics that forget to the bit, heads in integers, p-values as others compute them."""

import numpy as np
import pytest
from crepes import ConformalClassifier
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from safelight.errors import SettingsError, UnreadableInputError
from safelight.readers import conformal
from safelight.readers.conformal import Calibration
from safelight.readers.head import RIDGES, Head, Recipe, solve
from safelight.readers.reading import Answer
from safelight.readers.statistics import LIMIT, Statistics

CLASSES = ("no", "yes")


def rows(seed: int, n: int, d: int = 24) -> tuple[NDArray[np.int16], list[str]]:
    rng = np.random.default_rng(seed)
    has = rng.integers(0, 2, n)
    has[:2] = (0, 1)
    z = rng.normal(0, 400, (n, d)) + has[:, None] * np.linspace(0, 300, d)
    return np.clip(z, -LIMIT, LIMIT).astype(np.int16), [CLASSES[one] for one in has]


def empty(d: int = 24) -> Statistics:
    return Statistics.empty("made-1", CLASSES, d)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 60), st.data())
def test_adding_and_taking_off_leaves_no_trace(seed: int, n: int, data: st.DataObject) -> None:
    z, labels = rows(seed, n)
    weights = [data.draw(st.integers(1, 1024)) for _ in labels]
    order = data.draw(st.permutations(range(n)))
    cut = data.draw(st.integers(0, n))
    whole = empty().add(z, labels, weights)
    piles = empty()
    for part in (order[:cut], order[cut:]):
        piles += empty().of(z[part], [labels[i] for i in part], [weights[i] for i in part])
    assert piles.digest() == whole.digest()
    gone, kept = order[:cut], order[cut:]
    left = whole.subtract(z[gone], [labels[i] for i in gone], [weights[i] for i in gone])
    never = empty().add(z[kept], [labels[i] for i in kept], [weights[i] for i in kept])
    assert left.to_bytes() == never.to_bytes()
    assert Statistics.from_bytes(left.to_bytes()).digest() == left.digest()


def test_extreme_features_are_summed_exactly() -> None:
    z = np.full((5000, 3), LIMIT, np.int16)
    z[:, 1] = -LIMIT
    made = Statistics.empty("made-1", CLASSES, 3).of(z, ["yes"] * 5000, [1024] * 5000)
    expected = 5000 * 1024 * LIMIT * LIMIT
    assert made.products[1].tolist() == [
        [expected, -expected, expected],
        [-expected, expected, -expected],
        [expected, -expected, expected],
    ]
    assert made.counts.tolist() == [0, 5000 * 1024]


@pytest.mark.parametrize(
    ("features", "labels", "weights"),
    [
        (np.zeros((1, 24)), ["yes"], None),
        (np.full((1, 24), LIMIT + 1), ["yes"], None),
        (np.full((1, 24), -LIMIT - 1), ["yes"], None),
        (np.full((1, 24), -32768, np.int16), ["yes"], None),
        (np.zeros((1, 23), np.int16), ["yes"], None),
        (np.zeros((1, 24), np.int16), ["maybe"], None),
        (np.zeros((2, 24), np.int16), ["yes"], None),
        (np.zeros((1, 24), np.int16), ["yes"], [0]),
        (np.zeros((1, 24), np.int16), ["yes"], [1.5]),
    ],
)
def test_rows_that_do_not_fit_are_refused(
    features: object, labels: object, weights: object
) -> None:
    with pytest.raises(SettingsError):
        empty().add(features, labels, weights)  # type: ignore[arg-type]  # wrong on purpose


def test_rows_never_added_cannot_be_taken_off() -> None:
    z, labels = rows(1, 10)
    with pytest.raises(SettingsError, match="never added"):
        empty().subtract(z[:1], labels[:1])
    other = empty().add(z, labels)
    mixed = np.where(np.arange(24) % 2, LIMIT, 0).astype(np.int16)
    with pytest.raises(SettingsError, match="never added"):
        other.subtract(np.tile(mixed, (5, 1)), ["yes"] * 5)
    with pytest.raises(SettingsError, match="do not add up"):
        other + Statistics.empty("made-2", CLASSES, 24)


@pytest.mark.parametrize("damage", [b"", b"\n\n", b"safelight statistics 1\n{}\n", None])
def test_damaged_statistics_and_heads_are_refused(damage: bytes | None) -> None:
    z, labels = rows(1, 60)
    made = empty().add(z, labels)
    whole = made.to_bytes()
    with pytest.raises(UnreadableInputError):
        Statistics.from_bytes(whole[:-8] if damage is None else damage)
    head = solve(made, Recipe()).to_bytes()
    with pytest.raises(UnreadableInputError):
        Head.from_bytes(head[:-1] if damage is None else damage)


def test_the_head_is_the_ridge_that_a_pass_over_the_rows_gives() -> None:
    z, labels = rows(3, 400)
    head = solve(empty().add(z, labels), Recipe(ridge=0.1, even=True))
    x, y = z.astype(float), np.array([1.0 if one == "yes" else -1.0 for one in labels])
    share = np.where(y > 0, 0.5 / (y > 0).sum(), 0.5 / (y < 0).sum())
    centre = share @ x
    scale = np.sqrt(share @ (x - centre) ** 2)
    unit = (x - centre) / scale
    matrix = (unit * share[:, None]).T @ unit + 0.1 * np.eye(24)
    expected = unit @ np.linalg.solve(matrix, unit.T @ (share * y))
    assert np.abs(head.score(z) - expected).max() < 1e-5
    assert Head.from_bytes(head.to_bytes()).digest() == head.digest()
    assert (Head.from_bytes(head.to_bytes()).exact(z) == head.exact(z)).all()


def test_the_strength_is_chosen_from_the_statistics() -> None:
    few, labels = rows(4, 30)
    many, more = rows(5, 5000)
    weak = solve(empty().add(many, more), Recipe()).ridges[0]
    strong = solve(empty().add(few, labels), Recipe()).ridges[0]
    assert weak in RIDGES
    assert strong > weak


def test_classes_weigh_the_same_however_many_they_are() -> None:
    z, labels = rows(6, 600)
    heavy = [7 if one == "no" else 1 for one in labels]
    recipe = Recipe(ridge=0.1, even=True)
    once = solve(empty().add(z, labels), recipe)
    often = solve(empty().add(z, labels, heavy), recipe)
    assert np.abs(once.weights - often.weights).max() <= 1
    uneven = solve(empty().add(z, labels, heavy), Recipe(ridge=0.1, equal=False, even=True))
    assert uneven.score(z).mean() < once.score(z).mean() - 0.3


def test_more_classes_give_a_score_each_and_can_be_put_together() -> None:
    rng = np.random.default_rng(7)
    names = ("a", "b", "c")
    truth = rng.integers(0, 3, 600)
    z = (rng.normal(0, 200, (600, 12)) + 500 * np.eye(3, 12)[truth]).astype(np.int16)
    pile = Statistics.empty("made-1", names, 12).add(z, [names[t] for t in truth])
    scores = solve(pile, Recipe()).score(z)
    assert scores.shape == (600, 3)
    assert (scores.argmax(axis=1) == truth).mean() > 0.9
    joined = pile.regroup({"rest": ("a", "c"), "b": ("b",)})
    direct = Statistics.empty("made-1", ("rest", "b"), 12).add(
        z, ["b" if t == 1 else "rest" for t in truth]
    )
    assert joined.digest() == direct.digest()


def test_a_feature_that_never_moves_and_an_empty_class_are_handled() -> None:
    z, labels = rows(8, 50)
    z[:, 5] = 77
    head = solve(empty().add(z, labels), Recipe())
    assert head.weights[0, 5] == 0
    still = solve(empty().add(np.zeros_like(z), labels), Recipe())
    assert not still.weights.any()
    with pytest.raises(SettingsError, match="each class"):
        solve(empty().add(z[:1], labels[:1]), Recipe())


def test_p_values_are_those_of_crepes() -> None:
    rng = np.random.default_rng(9)
    truth = rng.integers(0, 2, 300)
    scores = np.round(rng.normal(truth * 1.2, 1.0), 1)  # rounded: ties matter
    new = np.round(rng.normal(0.6, 1.5, 200), 1)
    ours = Calibration.of(scores, truth == 1)
    strange = np.where(truth == 1, -scores, scores)
    theirs = ConformalClassifier()
    theirs.fit(strange, bins=truth)
    for column, mine in ((1, ours.p_seen(new)), (0, ours.p_not_seen(new))):
        sign = -1 if column else 1
        table = theirs.predict_p(
            np.stack([sign * new, sign * new], axis=1),
            bins=np.full(len(new), column),
            smoothing=False,
        )
        assert (mine == table[:, 0]).all()


def test_one_person_has_one_score_whatever_they_hand_in() -> None:
    people = ["a"] * 50 + ["b", "c"]
    chosen = conformal.one_each(people)
    assert len(chosen) == 3
    assert {people[row] for row in chosen} == {"a", "b", "c"}
    made = Calibration.of(range(52), [True] * 51 + [False], people)
    assert (len(made.seen), len(made.not_seen)) == (2, 1)
    drawn = {int(conformal.one_each(people, str(seed))[0]) for seed in range(200)}
    assert len(drawn) > 30  # any image may stand for its person


@pytest.mark.parametrize(
    ("seen", "not_seen", "said"),
    [
        (0.5, 0.01, Answer.SEEN),
        (0.05, 0.5, Answer.NOT_SEEN),
        (0.5, 0.5, Answer.CANNOT_TELL),
        (0.05, 0.05, Answer.UNLIKE),
    ],
)
def test_answers_follow_from_what_stays_possible(seen: float, not_seen: float, said: str) -> None:
    assert conformal.answer(seen, not_seen, 0.05) == said


def test_small_calibrations_never_decide_what_they_cannot_hold() -> None:
    assert conformal.least(0.05) == 19
    few = Calibration.of([5.0] * 18 + [-5.0] * 19, [True] * 18 + [False] * 19)
    assert not few.enough(0.05)
    assert few.p_seen([-9.0])[0] > 0.05
    enough = Calibration.of([5.0] * 19 + [-5.0] * 19, [True] * 19 + [False] * 19)
    assert enough.enough(0.05)
    assert enough.p_seen([-9.0])[0] == 0.05
    with pytest.raises(SettingsError):
        Calibration.of([float("nan")], [True])
    with pytest.raises(SettingsError):
        enough.p_seen([float("nan")])


def test_the_promise_is_told_in_whole_people_and_never_rounded_down() -> None:
    assert "of 100 people with pneumonia" in conformal.promise("pneumonia", 0.05).lower()
    assert "at most 5 are" in conformal.promise("pneumonia", 0.05)
    assert "at most 3 are" in conformal.promise("pneumonia", 0.025)
