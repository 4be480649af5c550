"""Versions: published, verified, tampered with, restored, and the commands around them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select, update

from consent_fixtures import Maker, open_custody, say
from learning_fixtures import CLASSES, HEAD, RECIPE, TRAIN, Room, base, images, offers
from safelight.cli import main
from safelight.consent.receipts import of_withdrawal
from safelight.errors import LeakageError, LearningError, SettingsError
from safelight.feedback.values import Basis, Label
from safelight.learning import holding
from safelight.learning.contributions import Offer
from safelight.learning.examples import role_of
from safelight.learning.gather import gather, keep_features
from safelight.learning.leakage import Limits
from safelight.learning.ledgers import Ledgers
from safelight.learning.publish import Publisher
from safelight.learning.spaces import LOCK, Spaces
from safelight.learning.taking import rebuild
from safelight.learning.verify import serve, verify
from safelight.learning.versions import newest, versions
from safelight.pipeline.house import House, Places
from safelight.store import Store
from safelight.store.schema.learning import contributions, ledgers, links, models
from safelight.tlog import receipt
from safelight.vault.backup import back_up, restore


@pytest.fixture
def database() -> str:
    """Name SQLite alone: ``test_learning_ledgers`` and the faults run on both."""
    return "sqlite"


@pytest.fixture
def room(make_store: Maker) -> Room:
    return Room(open_custody(make_store()))


def test_a_version_is_signed_logged_and_trained_again(room: Room) -> None:
    room.filled(14)
    made = room.publisher.train(HEAD)
    assert made.signed(room.custody.log.key)
    assert made.document["people"] == 14
    done = verify(room.custody, HEAD, batch=3)
    assert (done.problems, done.notes, done.version) == ((), (), 1)
    assert done.ledger == done.again == made.document["ledger"]
    with room.store.read() as conn:
        found = serve(conn, room.custody.vault, HEAD)
    assert found is not None
    served = found[1]
    rows, labels = images(200, 5)
    seen = served.head.score(rows) > 0
    assert (seen == (np.array(labels) == CLASSES[1])).mean() > 0.8
    assert served.calibration is not None
    assert len(served.calibration.seen) > 10
    assert 0 < served.standard.line < 5
    near = served.nearest(served.known.features[3], most=2)
    assert (near[0].case, near[0].distance) == (served.known.ids[3], 0.0)
    assert near[1].distance > 0


def test_a_later_version_leaves_only_hashes_of_the_earlier(room: Room) -> None:
    room.filled(14)
    room.publisher.train(HEAD)
    room.filled(1)
    room.publisher.train(HEAD)
    with room.store.read() as conn:
        first, second = versions(conn, room.head)
        served = list(conn.execute(select(models.c.served).order_by(models.c.version)).scalars())
    assert (first.state, second.state) == ("retired", "published")
    assert served[0] is None
    assert served[1] is not None
    assert first.hash != second.hash


@pytest.mark.parametrize("what", ["sums", "row", "chain", "card", "served", "missing"])
def test_tampering_is_found(make_store: Maker, what: str) -> None:
    room = Room(open_custody(make_store()))
    room.filled(14)
    room.publisher.train(HEAD)
    with room.store.begin() as conn:
        if what == "sums":
            other = conn.execute(
                select(ledgers.c.sealed).where(ledgers.c.part == "pending")
            ).scalar_one()
            mine = update(ledgers).where(ledgers.c.part == "published")
            conn.execute(mine.values(sealed=other))
        elif what == "row":
            some = select(contributions.c.id).limit(1).scalar_subquery()
            conn.execute(
                update(contributions).where(contributions.c.id == some).values(part="pending")
            )
        elif what == "chain":
            conn.execute(update(links).where(links.c.number == 2).values(count=1))
        elif what == "card":
            row = conn.execute(select(models)).one()
            document = row.document.replace('"people":14', '"people":99')
            conn.execute(update(models).values(document=document))
        elif what == "served":
            conn.execute(update(models).values(note=""))
        else:
            some = select(contributions.c.id).where(contributions.c.role == "learn").limit(1)
            conn.execute(delete(contributions).where(contributions.c.id == some.scalar_subquery()))
    assert verify(room.custody, HEAD).problems


def test_too_few_people_or_too_much_told_stops_publication(room: Room) -> None:
    room.filled(9)
    with pytest.raises(LearningError, match="9 people"):
        room.publisher.train(HEAD)
    room.filled(3)
    # By luck of people's codes nobody can be told at all: no share is small enough here.
    strict = Publisher(room.custody.vault, room.custody.log, limits=Limits(members=-0.01))
    with pytest.raises(LeakageError, match="can be told"):
        strict.train(HEAD)
    with room.store.read() as conn:
        assert newest(conn, room.head) is None
    assert room.sums("published").counts.sum() == 0


def test_when_too_few_are_left_the_head_goes_back_to_its_start(room: Room) -> None:
    people = room.filled(10)
    room.publisher.train(HEAD)
    facts = room.withdraw(people[0])
    with room.store.read() as conn:
        made = newest(conn, room.head)
    assert made is not None
    assert (made.version, made.document["people"]) == (2, 0)
    assert made.document["ledger"] == base().statistics.digest()
    assert {one["after"] for one in facts["artefacts"] if one["kind"] == "model"} == {made.name}
    assert room.sums("published").counts.sum() == 0
    assert verify(room.custody, HEAD).problems == ()
    room.filled(2)
    assert room.publisher.train(HEAD).document["people"] == 11


def test_the_receipt_of_a_withdrawal_shows_both_ledgers(room: Room) -> None:
    people = room.filled(14)
    before = room.publisher.train(HEAD)
    withdrawals = room.custody.withdrawals
    wanted = withdrawals.start(people[2], TRAIN, actor="person:1")
    withdrawals.run(wanted)
    told = receipt.verify(of_withdrawal(room.custody, wanted), room.custody.log.key)
    (model,) = [one for one in told.fields["artefacts"] if one["kind"] == "model"]
    with room.store.read() as conn:
        after = newest(conn, room.head)
    assert after is not None
    assert (model["before"], model["after"]) == (before.name, after.name)


def test_whose_consent_runs_out_is_taken_off_at_the_next_training(room: Room) -> None:
    people = room.filled(14)
    room.publisher.train(HEAD)
    say(room.custody, people[5], TRAIN, "refuse", policy=room.policy)
    made = room.publisher.train(HEAD)
    assert made.document["people"] == 13
    assert people[5] not in {row.person for row in room.given()}
    assert verify(room.custody, HEAD).problems == ()


def test_a_restored_backup_forgets_again(room: Room, tmp_path: Path) -> None:
    people = room.filled(14)
    room.publisher.train(HEAD)
    back_up(room.custody.vault, str(tmp_path / "backup"))
    for person, purpose in ((people[1], TRAIN), (people[2], "*")):
        room.withdraw(person, purpose)
    with Store.at(tmp_path / "again" / "store") as store:
        restore(str(tmp_path / "backup"), store)
        keys = tmp_path / "again" / "keys"
        keys.mkdir()
        for name in ("master.key", "log.key"):
            data = (Path(room.store.home) / ".." / "keys" / name).read_bytes()
            (keys / name).write_bytes(data)
            (keys / name).chmod(0o600)
        custody = open_custody(store)
        with store.read() as conn:
            left = set(conn.execute(select(contributions.c.person)).scalars())
            made = newest(conn, room.head)
        assert left == set(people) - {people[1], people[2]}
        assert made is not None
        assert made.document["people"] == 12
        assert verify(custody, HEAD).problems == ()


def test_a_ledger_is_made_again_from_its_contributions(room: Room) -> None:
    room.filled(12)
    digest = room.sums("pending").digest()
    with room.store.lock(LOCK):
        with room.store.begin() as conn:
            assert rebuild(conn, room.custody.vault, room.head) == 0
        assert Spaces(room.custody.vault).sweep() == 1
    assert room.sums("pending").digest() == digest
    assert verify(room.custody, HEAD).problems == ()


def test_one_account_that_is_against_all_others_changes_no_head(room: Room) -> None:
    room.filled(30)
    clean = room.publisher.train(HEAD)
    poisoner = room.person()
    room.give(poisoner, 12, 9_001, account="doctor:evil", flip=True)  # 5 % of all labels
    made = room.publisher.train(HEAD)
    assert made.document["ledger"] == clean.document["ledger"]
    assert made.document["weights"] == clean.document["weights"]
    with room.store.read() as conn:
        assert holding.accounts(conn, room.head, "held") == {"doctor:evil"}
    assert verify(room.custody, HEAD).problems == ()
    with room.store.begin() as conn:
        assert holding.release(conn, room.head, "doctor:evil")
        assert not holding.release(conn, room.head, "doctor:evil")
    assert room.publisher.train(HEAD).document["people"] == 31


def test_labels_and_kept_features_become_contributions(room: Room) -> None:
    rows, labels = images(2, 77)
    person, silent = room.person(), room.custody.vault.create_person()
    kept = {"version": "test-1", "policy": room.policy}
    for number, row in enumerate(rows):
        assert keep_features(
            room.custody, person=person, digest=f"{number}" * 64, features=row, **kept
        )
    assert not keep_features(room.custody, person=silent, digest="9" * 64, features=rows[0], **kept)
    with pytest.raises(SettingsError):
        keep_features(
            room.custody,
            person=person,
            digest="8" * 64,
            features=rows[0].astype(float),
            **kept,  # type: ignore[arg-type]  # on purpose
        )

    def label(who: str, digest: str, value: str, *, confirmed: bool = True) -> Label:
        return Label(
            person=who,
            case="case",
            digest=digest * 64,
            artefact="a" * 32,
            about="SCT:1",
            value=value,
            weight=1.0,
            confirmed=confirmed,
            basis=next(iter(Basis)),
        )

    told = [
        label(person, "0", "seen"),
        label(person, "1", "seen", confirmed=False),
        label(silent, "9", "seen"),
    ]
    done = gather(room.custody, HEAD, told)
    assert len(done.ids) == 1
    assert labels
    room.withdraw(person)
    assert room.given() == []
    assert gather(room.custody, HEAD, told).ids == ()


def house_at(folder: Path) -> tuple[House, list[str]]:
    """Make a house in a folder, and return it with the options that name it."""
    places = Places(
        data=str(folder / "data"),
        master_key=str(folder / "master.key"),
        log_key=str(folder / "log.key"),
    )
    given = ["--data", places.data, "--master-key", places.master_key]
    return House.create(places), [*given, "--log-key", places.log_key]


def run(*arguments: str, code: int = 0) -> Any:
    done = CliRunner().invoke(main, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_the_commands_train_list_verify_describe_and_forget(tmp_path: Path) -> None:
    house, where = house_at(tmp_path)
    with house:
        room = Room(house.custody)
        people = room.filled(14)
        learner = next(one for one in people if role_of(room.head, one) == "learn")
    made = run("train", HEAD, *where)
    assert (made["version"], made["people"], made["state"]) == (1, 14, "published")
    assert float(made["card"]["audit"]["found"]) >= 0.9
    (row,) = run("model", "list", *where)["heads"]
    assert (row["head"], row["ledger"], row["held"]) == (HEAD, made["ledger"], [])
    proof = tmp_path / "receipt.json"
    told = run("forget", learner, "--receipt", str(proof), *where)
    assert {one["kind"] for one in told["artefacts"]} == {"contribution", "model"}
    assert receipt.verify(proof.read_bytes()).fields["purpose"] == TRAIN
    again = run("model", "verify", HEAD, *where)
    assert (again["version"], again["ledger"], again["problems"]) == (2, again["again"], [])
    card = run("model", "card", HEAD, *where)
    assert card["document"]["ledger"] == again["ledger"] != made["ledger"]
    for words in (["list"], ["card", HEAD], ["verify", HEAD]):
        done = CliRunner().invoke(main, ["model", *words, *where], catch_exceptions=False)
        assert done.exit_code == 0
        assert again["ledger"][:16] in done.output
    with (
        House.open(Places(data=where[1], master_key=where[3], log_key=where[5])) as opened,
        opened.store.begin() as conn,
    ):
        conn.execute(update(links).where(links.c.number == 2).values(count=5))
    assert run("model", "verify", HEAD, *where, code=3)["problems"]
    done = CliRunner().invoke(main, ["model", "card", "other", *where])
    assert "there is no such head" in done.output


def test_a_head_of_three_classes_learns_and_forgets(room: Room) -> None:
    names = ("a", "b", "c")
    start = base(width=4)
    nothing = start.statistics.empty("test-3", names, 4)
    chance = np.random.default_rng(3)

    def rows(count: int) -> tuple[Any, list[str]]:
        told = [names[one % 3] for one in range(count)]
        spread = chance.normal(0, 150, (count, 4))
        spread[:, :3] += 400 * np.eye(3)[[names.index(one) for one in told]]
        return np.round(spread).astype(np.int16), told

    learnt = type(start)(
        statistics=nothing.of(*rows(60)),
        examples=start.examples.only([]),
    )
    ledgers_ = Ledgers(room.custody)
    head = ledgers_.open("three", base=learnt, recipe=RECIPE)
    people = [room.person() for _ in range(12)]
    for person in people:
        some, told = rows(9)
        given = [
            Offer(person=person, label=label, features=row, account="d:1")
            for row, label in zip(some, told, strict=True)
        ]
        ledgers_.contribute("three", given, policy=room.policy)
    room.publisher.train("three")
    room.withdraw(people[0])
    done = verify(room.custody, "three")
    assert (done.problems, done.version) == ((), 2)
    with room.store.read() as conn:
        made = newest(conn, head)
        served = serve(conn, room.custody.vault, "three")
    assert made is not None
    assert made.document["people"] == 11
    assert served is not None
    assert served[1].calibration is None


def test_nobody_else_is_touched_by_an_unknown_name(room: Room) -> None:
    room.filled(12)
    with room.store.read() as conn:
        assert serve(conn, room.custody.vault, HEAD) is None
        with pytest.raises(LearningError):
            serve(conn, room.custody.vault, "other")
    with pytest.raises(LearningError):
        verify(room.custody, "other")
    assert offers("x", 1, 1)[0].label in CLASSES
