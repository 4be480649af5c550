"""From feedback to a version: what readers said, what clinicians said of it, who agrees."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from consent_fixtures import say
from feedback_fixtures import STEWARD, Clinic, reading
from learning_fixtures import CLASSES, HEAD, RECIPE, TRAIN, base, images, offers
from safelight.cli import main
from safelight.cli.opening import actor
from safelight.consent.roles import Role
from safelight.errors import LearningError
from safelight.feedback import Facts
from safelight.learning.gather import gather, gather_confirmed, keep_features
from safelight.learning.ledgers import Ledgers
from safelight.learning.verify import verify
from safelight.readers.reading import Answer
from safelight.store import Store
from safelight.store.schema.learning import contributions
from safelight.store.schema.vault import objects

WILLING = 3


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    """Give people with images, whose features are kept and whose truth two clinicians tell.

    The first three let a model learn; the next refuses; of the last, one clinician speaks alone.
    """
    with Store.at(tmp_path / "data") as store:
        made = Clinic(store, clinicians=2)
        Ledgers(made.custody).open(HEAD, base=base(), recipe=RECIPE)
        rows, labels = images(WILLING + 2, 40)
        for number, (row, label) in enumerate(zip(rows, labels, strict=True)):
            truth = Answer.SEEN if label == CLASSES[1] else Answer.NOT_SEEN
            person = made.person()
            made.people[str(number)] = person
            if number == WILLING:
                say(made.custody, person, TRAIN, "refuse", policy=made.policy)
            case = made.case(number, truth, person=person)
            kept = keep_features(
                made.custody,
                person=person,
                digest=reading(number).source,
                version="test-1",
                features=row,
                policy=made.policy,
            )
            assert kept == (number != WILLING)
            for account in made.clinicians[: 1 if number > WILLING else 2]:
                made.says(account, case, truth)
        yield made


def given(clinic: Clinic) -> set[str]:
    """Return who contributed."""
    with clinic.custody.store.read() as conn:
        return set(conn.execute(select(contributions.c.person)).scalars())


def test_the_command_gathers_from_those_who_agree_and_publishes(
    clinic: Clinic, tmp_path: Path
) -> None:
    others = [clinic.person() for _ in range(12)]
    many = [one for n, person in enumerate(others) for one in offers(person, 7, 200 + n)]
    Ledgers(clinic.custody).contribute(HEAD, many, policy=clinic.policy)
    clinic.custody.accesses.give(actor(), Role.OPERATOR, by=STEWARD)
    keys = tmp_path / "keys"
    where = ["--data", str(tmp_path / "data"), "--master-key", str(keys / "master.key")]
    where += ["--log-key", str(keys / "log.key"), "--json"]
    done = CliRunner().invoke(main, ["train", HEAD, *where], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["gathered"] == {"new": WILLING, "known": 0, "other": 0}
    assert told["people"] == len(others) + WILLING
    # not who refused, nor whom one account alone spoke of
    assert given(clinic) == {*others, *(clinic.people[str(one)] for one in range(WILLING))}
    assert verify(clinic.custody, HEAD).problems == ()


def test_who_changes_their_mind_teaches_nothing(clinic: Clinic) -> None:
    say(clinic.custody, clinic.people["0"], TRAIN, "refuse", policy=clinic.policy)
    left = clinic.people["1"]
    withdrawals = clinic.custody.withdrawals
    withdrawals.run(withdrawals.start(left, TRAIN, actor="person:1"))
    with clinic.custody.store.read() as conn:
        kept = select(objects.c.person).where(objects.c.kind == "feature")
        assert left not in set(conn.execute(kept).scalars())
    done = gather_confirmed(clinic.custody, HEAD)
    assert list(done.refused) == [clinic.people["0"]]
    assert given(clinic) == {clinic.people["2"]}


def test_a_truth_that_turns_is_told_and_changes_no_contribution(clinic: Clinic) -> None:
    assert len(gather_confirmed(clinic.custody, HEAD).ids) == WILLING
    with clinic.custody.store.read() as conn:
        label = next(iter(clinic.book.labels(conn, HEAD)))
    turned = replace(label, value=Answer.NOT_SEEN if label.seen else Answer.SEEN)
    done = gather(clinic.custody, HEAD, [turned])
    assert (done.ids, done.known, done.other) == ((), 0, 1)
    assert len(given(clinic)) == WILLING


def test_a_head_that_is_not_open_gathers_nothing(clinic: Clinic) -> None:
    with pytest.raises(LearningError, match="no such head"):
        gather_confirmed(clinic.custody, "nobody")


def test_who_gave_is_compared_before_a_head_learns_and_noted_on_its_card(
    clinic: Clinic, tmp_path: Path
) -> None:
    """Twenty-eight women of forty to forty-four, in a country of all ages."""
    people = [clinic.person() for _ in range(28)]
    for number, person in enumerate(people):
        clinic.case(500 + number, person=person, facts=Facts(age=41.0, sex="F"))
    many = [one for n, person in enumerate(people) for one in offers(person, 3, 200 + n)]
    Ledgers(clinic.custody).contribute(HEAD, many, policy=clinic.policy)
    clinic.custody.accesses.give(actor(), Role.OPERATOR, by=STEWARD)
    keys = tmp_path / "keys"
    where = ["--data", str(tmp_path / "data"), "--master-key", str(keys / "master.key")]
    where += ["--log-key", str(keys / "log.key")]
    run = CliRunner()
    stopped = run.invoke(main, ["train", HEAD, "--alike-only", *where])
    assert stopped.exit_code == 4
    assert "beside Germany" in stopped.output  # the country that the policy names
    assert "differ from those it is for" in stopped.output
    done = run.invoke(main, ["train", HEAD, *where], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert done.output.index("age and sex  differs") < done.output.index("published")
    told = json.loads(run.invoke(main, ["model", "card", HEAD, "--json", *where]).stdout)
    noted = told["card"]["represented"]
    assert noted["flagged"]
    assert noted["population"] == "Germany"
    assert noted["people"] == 28 + WILLING
    other = tmp_path / "asked.csv"
    other.write_text("count,sex,age\n99,F,40-44\n1,M,40-44\n")
    asked = ["train", HEAD, "--population", str(other), "--alike-only", "--json", *where]
    again = run.invoke(main, asked, catch_exceptions=False)
    assert again.exit_code == 0, again.output
    assert not json.loads(again.stdout)["card"]["represented"]["flagged"]
