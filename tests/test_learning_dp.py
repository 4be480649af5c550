"""Noise on the sums: as much as the guarantee needs, and refused where it would destroy a head."""

import json
import math
from dataclasses import replace

import dp_accounting
import numpy as np
import pytest
from dp_accounting.pld import PLDAccountant

from consent_fixtures import Maker, open_custody
from learning_fixtures import CLASSES, HEAD, Room, base, images
from safelight.errors import NotOfferedError, SettingsError
from safelight.learning.contributions import Offer
from safelight.learning.dp import Guarantee, noise_of, noisy, ratio, shortened, spent
from safelight.learning.noise import Noise
from safelight.learning.verify import verify
from safelight.learning.versions import versions
from safelight.readers.head import Recipe, solve
from safelight.readers.statistics import Statistics


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("delta", [1e-5, 1e-7])
def test_an_independent_accountant_agrees(epsilon: float, delta: float) -> None:
    accountant = PLDAccountant()
    accountant.compose(dp_accounting.GaussianDpEvent(noise_of(epsilon, delta)))
    found = accountant.get_epsilon(delta)
    assert found == pytest.approx(epsilon, rel=0.01)


def test_nobody_moves_the_scaled_sums_further_than_is_said() -> None:
    guarantee = Guarantee(epsilon=1.0, delta=1e-6, bound=700.0, rows=2)
    rows, _ = images(300, 4)
    short = shortened(rows, guarantee.bound).astype(np.float64)
    upper = np.triu_indices(short.shape[1])
    for one in short[:100]:
        products = np.outer(one, one)[upper] / guarantee.bound**2
        whole = np.concatenate([[1.0], one / guarantee.bound, products])
        assert guarantee.rows * math.sqrt(whole @ whole) <= guarantee.reach
    assert np.abs(short).max() > 0


def test_a_head_survives_where_it_is_offered_and_the_noise_is_there() -> None:
    rows, labels = images(20_000, 5)
    like = Statistics.empty("test-1", CLASSES, rows.shape[1])
    guarantee = Guarantee(epsilon=1.0, delta=1e-6, bound=1200.0)
    made = noisy(like, rows, labels, guarantee)
    again = noisy(like, rows, labels, guarantee)
    assert made.digest() != again.digest()
    held, truth = images(2_000, 6)
    seen = np.array(truth) == CLASSES[1]
    exact = solve(like.of(rows, labels), Recipe(ridge=1.0))
    plain = ((exact.score(held) > 0) == seen).mean()
    private = ((solve(made, Recipe(ridge=1.0)).score(held) > 0) == seen).mean()
    assert private > plain - 0.02


def test_it_is_refused_where_it_would_destroy_the_head() -> None:
    rows, labels = images(200, 5, width=64)
    like = Statistics.empty("test-1", CLASSES, 64)
    guarantee = Guarantee(epsilon=1.0, delta=1e-6, bound=1200.0)
    with pytest.raises(NotOfferedError, match="times what is learnt"):
        noisy(like, rows, labels, guarantee)
    assert ratio(900, 512, Guarantee(epsilon=8.0, delta=1e-6, bound=1.0)) > 1
    for bad in ({"epsilon": 0.0}, {"delta": 1.0}, {"bound": 0.0}, {"rows": 0}):
        with pytest.raises(SettingsError):
            Guarantee(**{"epsilon": 1.0, "delta": 1e-6, "bound": 1.0, "rows": 1} | bad)  # type: ignore[arg-type]  # on purpose


# Versions with noise


def test_what_several_releases_tell_adds_up_as_an_independent_accountant_says() -> None:
    releases = [(1.0, 1e-6), (0.5, 1e-6), (2.0, 1e-5)]
    accountant = PLDAccountant()
    for one in releases:
        accountant.compose(dp_accounting.GaussianDpEvent(noise_of(*one)))
    assert spent(releases, 1e-6) == pytest.approx(accountant.get_epsilon(1e-6), rel=0.01)
    assert spent([], 1e-6) == 0.0
    assert spent(releases[:1], 1e-6) == pytest.approx(1.0, rel=1e-6)


@pytest.fixture
def database() -> str:
    """Name SQLite alone."""
    return "sqlite"


@pytest.fixture
def room(make_store: Maker) -> Room:
    """Give a head of two numbers with a large public start, so that noise is offered."""
    start = base(4_000, width=2)
    return Room(open_custody(make_store()), start=start)


def filled(room: Room, people: int) -> list[str]:
    made = [room.person() for _ in range(people)]
    given = [
        Offer(person=person, label=label, features=row, account=f"d:{number % 3}")
        for number, person in enumerate(made)
        for row, label in zip(*images(2, 500 + number, width=2), strict=True)
    ]
    room.ledgers.contribute(HEAD, given, policy=room.policy)
    return made


WANTED = Noise(epsilon=2.0, delta=1e-6, most=3.5)


def test_a_version_with_noise_tells_its_promise_and_the_budget_is_kept(room: Room) -> None:
    people = filled(room, 40)
    made = room.publisher.train(HEAD, noise=WANTED)
    noise = made.card["noise"]
    assert (noise["epsilon"], noise["versions"], noise["most_epsilon"]) == ("2.0", "1", "3.5")
    assert float(noise["spent_epsilon"]) == pytest.approx(2.0, abs=1e-4)
    exact = (room.start.statistics + room.sums("published")).digest()
    assert made.document["ledger"] != exact
    assert made.document["tested"] == made.document["known"]  # of nobody
    assert set(room.publisher.cost) == {"with", "without"}
    assert json.dumps(room.publisher.cost["without"]) not in json.dumps(made.card)
    done = verify(room.custody, HEAD)
    assert done.problems == ()
    assert "noise was drawn" in done.notes[0]
    assert done.again == exact
    with pytest.raises(NotOfferedError, match="promise noise"):
        room.publisher.train(HEAD)
    room.withdraw(people[0])  # the next version draws anew, and spends
    with room.store.read() as conn:
        second = versions(conn, room.head)[-1]
    assert (second.version, second.state) == (2, "published")
    total = float(second.card["noise"]["spent_epsilon"])
    assert total == pytest.approx(spent([(2.0, 1e-6)] * 2, 1e-6), abs=1e-4)
    assert 2.0 < total < 3.5
    with pytest.raises(NotOfferedError, match="all versions together"):
        room.publisher.train(HEAD, noise=replace(WANTED, epsilon=3.0, most=10.0))
    room.withdraw(people[1])  # a third one would be beyond: the head goes back to its start
    with room.store.read() as conn:
        third = versions(conn, room.head)[-1]
    assert third.document["people"] == 0
    assert third.document["ledger"] == room.start.statistics.digest()


def test_noise_is_not_promised_where_it_cannot_be(room: Room) -> None:
    filled(room, 24)
    with pytest.raises(NotOfferedError, match="times what is learnt"):
        room.publisher.train(HEAD, noise=replace(WANTED, epsilon=0.01))
    room.publisher.train(HEAD)
    with pytest.raises(NotOfferedError, match="without noise"):
        room.publisher.train(HEAD, noise=WANTED)
    for bad in ({"epsilon": 0.0}, {"epsilon": 4.0}, {"most": 11.0}, {"delta": 0.0}, {"rows": 0}):
        with pytest.raises(SettingsError):
            replace(WANTED, **bad)
