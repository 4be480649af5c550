"""The commands of feedback, run as they are typed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from feedback_fixtures import ABOUT, picture, reading
from safelight.cli import main
from safelight.cli.opening import actor
from safelight.consent.decision import Said
from safelight.consent.roles import Role
from safelight.feedback import Book, Facts
from safelight.pipeline.house import House, Places

from consent_fixtures import POLICY  # isort: skip  # a table, not a module under test

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs one command on a vault of this test's own."""
    places = ["--data", str(tmp_path / "data"), "--master-key", str(tmp_path / "keys" / "m.key")]

    def call(*words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(main, [*words, *places])
        assert done.exit_code == code, done.output
        return done

    call("init")
    return call


@pytest.fixture
def case(run: Run, tmp_path: Path) -> str:
    """Return a case of a person who agrees, which this machine's user may read as a clinician."""
    assert run is not None
    where = Places(data=str(tmp_path / "data"), master_key=str(tmp_path / "keys" / "m.key"))
    with House.open(where) as house:
        custody = house.custody
        custody.accesses.bootstrap(actor())
        custody.accesses.give(actor(), Role.CLINICIAN, by=actor())
        policy = custody.consents.publish(POLICY, actor=actor())[0].hash
        person = str(custody.vault.create_person())
        for purpose in ("care", "train-a-model"):
            with custody.store.begin() as conn:
                custody.consents.record(
                    conn,
                    person=person,
                    purpose=purpose,
                    said=Said.GRANT,
                    policy=policy,
                    actor=actor(),
                )
        return Book(custody).register(
            person,
            reading(1),
            purpose="care",
            policy=policy,
            picture=picture(1),
            facts=Facts(age=43, sex="F", region="DE"),
        )


def told(done: Result) -> Any:
    return json.loads(done.output)


def test_a_clinician_looks_first_then_sees_then_says(run: Run, case: str) -> None:
    assert "own impression" in run("feedback", "reveal", case, ABOUT, code=4).output
    run("feedback", "impress", case, ABOUT, "not seen")
    assert told(run("feedback", "reveal", case, ABOUT, "--json"))[0]["answer"] == "seen"
    words = ["--corrected", "not seen", "--text", "Fold of skin, says Xaverina Quellbrunn"]
    given = run("feedback", "give", case, ABOUT, "needs work", "--voice", "clinician", *words)
    assert "Quellbrunn" not in given.output
    said = told(run("feedback", "show", case, "--json"))
    assert [(one["verdict"], one["truth"]) for one in said] == [("needs work", "not seen")]
    assert "needs work, so not seen" in run("feedback", "show", case).output


def test_the_scoreboard_is_shown_and_updated(run: Run, case: str) -> None:
    assert case
    page = told(run("scoreboard", "--json"))
    assert page["readers"][0]["all"] == {"images": "fewer than 11"}
    assert "validated" in run("scoreboard").output
    assert told(run("scoreboard", "update", "--json")) == []
    assert "not held back" in run("scoreboard", "restore", "x", "1", "why", code=4).output


def test_who_has_given_is_compared(run: Run, case: str, tmp_path: Path) -> None:
    assert case
    assert told(run("represent", "--population", "DE", "--json"))["people"] == "fewer than 11"
    table = tmp_path / "cohort.csv"
    table.write_text("age,sex\n" + "35,F\n" * 80)
    given = ["--population", "DE", "--cohort", str(table)]
    assert "differs" in run("represent", *given).output
    part = told(run("represent", *given, "--sex", "F", "--ages", "30-39", "--json"))
    assert [one["dimension"] for one in part["dimensions"]] == ["age"]
    run("represent", *given, "--ages", "old", code=2)
    table.write_text("age,sex\nold,F\n")
    run("represent", *given, code=2)
    run("represent", "--purpose", "general-research", code=2)
