"""Learnt versions that answer: their card, the gate, and that the one somebody left is silent."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from sqlalchemy import update

from consent_fixtures import Maker, open_custody
from learning_fixtures import CLASSES, Room
from safelight.cli import main
from safelight.errors import SettingsError
from safelight.feedback.values import Facts
from safelight.learning.answering import Answering
from safelight.learning.carding import UNNAMED, Known, measure
from safelight.learning.contributions import Offer
from safelight.learning.derive import derive
from safelight.learning.examples import Base, Examples, role_of
from safelight.learning.ledgers import HeadOf
from safelight.learning.sights import seen_of
from safelight.pipeline.house import House, Places
from safelight.pipeline.panel import Panels
from safelight.readers import features, probes
from safelight.readers.card import Card
from safelight.readers.gate import judge
from safelight.readers.head import Recipe
from safelight.readers.linear import fixed_version
from safelight.readers.reading import Answer, Finding, KindAnswer, Reading, State, ViewKind
from safelight.readers.registry import registry
from safelight.readers.statistics import Statistics
from safelight.store.schema.learning import models
from test_kind_pixels import chest
from view_fixtures import dicom

READER = "chest-opacity"
WIDE = 1024
RECIPE = Recipe(ridge=30.0)
KIND = KindAnswer(
    kind=ViewKind.CHEST_XRAY_FRONTAL, by_header=None, by_pixels=None, distance=0.1, why=""
)


@pytest.fixture
def database() -> str:
    """Name SQLite alone: the same rows are asked on both in other tests."""
    return "sqlite"


def rows(
    count: int, seed: int, *, width: int = WIDE, apart: int = 120
) -> tuple[NDArray[np.int16], list[str]]:
    """Return rows of two classes that differ a little in some of many numbers."""
    chance = np.random.default_rng(seed)
    truth = np.arange(count) % 2 == 1
    made = chance.normal(0, 300, (count, width))
    made[:, : width // 8] += np.where(truth, apart, -apart)[:, None]
    return np.clip(np.round(made), -2047, 2047).astype(np.int16), [CLASSES[int(t)] for t in truth]


def start(width: int = WIDE, version: str = "") -> Base:
    """Return a public start of two hundred rows."""
    some, labels = rows(200, 1, width=width)
    nothing = Statistics.empty(version or fixed_version(), CLASSES, width)
    return Base(statistics=nothing.of(some, labels), examples=Examples.none(width))


def filled(room: Room, people: int = 24, each: int = 6) -> list[str]:
    """Return people who each gave images of the reader's own features."""
    made = [room.person() for _ in range(people)]
    offers = [
        Offer(person=person, label=label, features=row, account=f"doctor:{number % 3}")
        for number, person in enumerate(made)
        for row, label in zip(*rows(each, 100 + number), strict=True)
    ]
    room.ledgers.contribute(READER, offers, policy=room.policy)
    return made


def room_of(custody: Any) -> Room:
    """Return a room whose head is that of a bundled reader, with its features."""
    made = Room.__new__(Room)
    made.custody, made.store = custody, custody.store
    Room.__init__(made, custody, start=start())
    return made


def test_a_successor_alone_answers_after_a_withdrawal_in_a_process_that_runs(
    make_store: Maker,
) -> None:
    room = Room(open_custody(make_store()))
    people = room.filled(14)
    panels = Panels(room.custody)  # of a process that goes on running
    assert panels.now().learnt == set()
    room.publisher.train(READER)
    before = panels.now()
    assert before.learnt == {f"{READER}@1"}
    names = [one.name for one in before.registry.readers]
    assert names.index(f"{READER}@1") == names.index(READER) + 1
    assert before.site is not None
    assert "local people" in before.site.why_not(f"{READER}@1")
    leaver = next(each for each in people if role_of(room.head, each) == "learn")
    room.withdraw(leaver)
    after = panels.now()
    assert after.learnt == {f"{READER}@2"}
    with pytest.raises(SettingsError):
        after.registry.named(f"{READER}@1")
    with room.store.read() as conn:  # what was read in between is kept without its answers
        left = Panels.left(conn, _reading(READER, f"{READER}@1", f"{READER}@2"))
        same = _reading(READER)
        assert Panels.left(conn, same) is same
    assert [each.reader for each in left.findings] == [READER, f"{READER}@2"]
    for one in people[1:6]:
        room.withdraw(one)  # too few are left: the head goes back to its public start
    assert panels.now().learnt == set()


def _reading(*names: str) -> Reading:
    said = tuple(
        Finding(
            reader=name,
            version="1",
            card="c" * 64,
            state=State.SHADOW,
            finding=parent().finding,
            answer=Answer.SEEN,
        )
        for name in names
    )
    return Reading(source="d", software="1", kind=KIND, findings=said)


def test_a_card_that_was_altered_answers_nobody(make_store: Maker) -> None:
    room = Room(open_custody(make_store()))
    room.filled(14)
    made = room.publisher.train(READER)
    assert [one.name for one in Answering(room.custody).now().readers] == [f"{READER}@1"]
    card = Card.from_bytes(made.card["reader"].encode())
    better = replace(card, people=(4000, 4000)).to_bytes().decode()
    with room.store.begin() as conn:
        text = json.dumps(made.card | {"reader": better}, sort_keys=True)
        conn.execute(update(models).values(card=text))
    found = Answering(room.custody).now()
    assert found.readers == ()
    assert "committed to" in found.broken[0]


def test_a_head_of_another_name_or_other_features_answers_nobody(make_store: Maker) -> None:
    room = Room(open_custody(make_store()))  # twelve numbers that are nobody's features
    room.filled(14)
    made = room.publisher.train(READER)
    (one,) = Answering(room.custody).now().readers
    assert one.state is State.REFUSED
    assert "other features" in one.reasons[0]
    assert Card.from_bytes(made.card["reader"].encode()).reader == f"{READER}@1"
    room.ledgers.open("nobodys", base=room.start, recipe=RECIPE)
    offers = [
        Offer(person=person, label=label, features=row, account="d:1")
        for person in (room.person() for _ in range(12))
        for row, label in zip(*rows(6, 5, width=12), strict=True)
    ]
    room.ledgers.contribute("nobodys", offers, policy=room.policy)
    card = room.publisher.train("nobodys").card
    assert (card["reader"], card["why_no_reader"]) == ("", "no reader has this head's name")
    assert len(Answering(room.custody).now().readers) == 1


# The card


def many(people: int, *, site: str = "north", seed: int = 9, **more: Any) -> tuple[Any, ...]:
    """Return a head of 24 numbers, a version of it, and what is known of its rows."""
    width = 24
    base = start(width, "few")
    head = HeadOf(id="h", name=READER, recipe=Recipe(ridge=10.0), base=base)
    some, labels = rows(people, seed, width=width, **more)
    ids = [f"{site}-{n}" for n in range(people)]
    tested = [n for n in range(people) if role_of("h", ids[n]) == "calibrate"]
    taught = [n for n in range(people) if n not in set(tested)]

    def part(which: list[int]) -> Examples:
        names = [ids[n] for n in which]
        return Examples.of(names, names, [labels[n] for n in which], some[which])

    known = part(taught)
    sums = base.statistics.of(known.features, list(known.labels))
    served = derive(base, sums, part(tested), known, head.recipe)
    chance = np.random.default_rng(3)
    facts = {
        one: Facts(site=site, sex="FM"[n // 2 % 2], age=40.0 + n % 20) for n, one in enumerate(ids)
    }
    sights = {
        one: {
            "size": chance.integers(0, 50, 6).astype(np.int16),
            "intensity": chance.integers(0, 50, 18).astype(np.int16),
            "border": chance.integers(-50, 50, 24).astype(np.int16),
        }
        for one in ids
    }
    return head, served, Known(facts=facts, sights=sights)


def parent() -> Card:
    return next(one.card for one in registry().readers if one.name == READER)


def test_a_clean_cohort_of_enough_people_passes_the_gate() -> None:
    head, served, known = many(600)
    made = measure(head, served, known, parent=parent(), version=3, rows=480)
    assert made.card is not None
    card = made.card
    assert judge(card).reasons == ()
    assert judge(card).state is State.VALIDATED
    assert made.here == ""
    assert card.to_bytes() == Card.from_bytes(card.to_bytes()).to_bytes()
    assert (card.reader, card.version, card.kind) == (f"{READER}@3", "3", parent().kind)
    assert [one.name for one in card.external] == ["north"]
    assert {one.name for one in card.probes} == {"border", "intensity", "metadata", "size"}
    assert {"sex=F", "sex=M"} <= {one.name for one in card.subgroups}


def test_a_shortcut_in_the_cohort_is_found_and_refused() -> None:
    head, served, known = many(600)
    truth = {
        one: label
        for part in (served.known, served.tested)
        for one, label in zip(part.ids, part.labels, strict=True)
    }
    mine = {
        one: Facts(site="north" if label == CLASSES[1] else "south") for one, label in truth.items()
    }
    made = measure(head, served, replace(known, facts=mine), parent=parent(), version=1, rows=480)
    assert made.card is not None
    verdict = judge(made.card)
    assert verdict.state is State.REFUSED
    assert any("source, view, sex, age" in one for one in verdict.reasons)


def test_nothing_known_of_rows_is_told_as_doubts_and_too_few_people_refuse() -> None:
    head, served, _ = many(600)
    bare = Known(facts={}, sights={})
    card = measure(head, served, bare, parent=parent(), version=1, rows=480).card
    assert card is not None
    assert [one.name for one in card.external] == [UNNAMED]
    verdict = judge(card)
    assert verdict.state is State.SHADOW
    assert any("not all probed" in one for one in verdict.reasons)
    head, served, known = many(30)
    made = measure(head, served, known, parent=parent(), version=1, rows=24)
    assert made.card is not None
    assert judge(made.card).state is State.REFUSED
    assert "local people" in made.here
    head, served, known = many(600, apart=0)
    noise = measure(head, served, known, parent=parent(), version=1, rows=480).card
    assert noise is not None
    assert judge(noise).state is State.REFUSED


def test_sights_of_a_picture_are_the_probes_one_after_the_other() -> None:
    picture = chest()
    made = seen_of(picture)
    assert made.dtype == np.int16
    assert np.abs(made.astype(int)).max() <= features.LIMIT
    assert np.array_equal(made[:6], probes.size(picture.shape))
    assert np.array_equal(made[24:], probes.border(picture))


# The command


def test_the_command_asks_what_the_vault_has_learnt(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    places = Places(
        data=str(tmp_path / "data"),
        master_key=str(keys / "master.key"),
        log_key=str(keys / "log.key"),
    )
    with House.create(places) as house:
        room = room_of(house.custody)
        filled(room)
        made = room.publisher.train(READER)
    film = tmp_path / "film.dcm"
    header = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1", "Modality": "CR"}
    grain = np.random.default_rng(1).normal(
        0, 6, chest().shape
    )  # readers answer to no blurred film
    sharp = np.clip(chest() + grain, 0, 255).astype(np.uint8)
    film.write_bytes(dicom(sharp, ViewPosition="PA", BodyPartExamined="CHEST", **header))
    where = ["--data", places.data, "--master-key", places.master_key, "--log-key", places.log_key]
    key = ["--key", str(keys / "project.key")]
    told = {
        name: _command("read", str(film), "--json", *key, *more)
        for name, more in (("with", where), ("without", []))
    }
    said = {
        name: {one["reader"]: one for one in document["inputs"][0]["reading"]["findings"]}
        for name, document in told.items()
    }
    assert f"{READER}@1" in said["with"]
    one = said["with"][f"{READER}@1"]
    assert one["state"] == "shadow"  # no shortcut could be probed: see the reasons
    assert one["version"] == f"1+{made.document['ledger'][:12]}"
    assert one["score"] is not None
    assert not one.get("neighbours")  # nobody agreed to be shown to others
    assert not any("@" in name for name in said["without"])
    (row,) = _command("model", "list", "--json", *where)["heads"]
    assert row["answers"] == {"reader": f"{READER}@1", "state": "shadow"}
    listed = _command("readers", "list", "--json", *where)["readers"]
    assert {one["name"]: one["state"] for one in listed}[f"{READER}@1"] == "shadow"
    card = _command("model", "card", READER, "--json", *where)
    assert card["answers"]["card"]["reader"] == f"{READER}@1"
    page = CliRunner().invoke(main, ["model", "card", READER, *where], catch_exceptions=False)
    assert f"answers as {READER}@1: shadow" in page.output
    broken = CliRunner().invoke(main, ["read", str(film), *key, *where[:2]])
    assert broken.exit_code != 0  # a vault that was named must open


def _command(*words: str) -> Any:
    done = CliRunner().invoke(main, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(autouse=True)
def _briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Audit with few models: what an audit sees has tests of its own."""
    from safelight.learning import publish  # noqa: PLC0415  # what is set is its own

    monkeypatch.setattr(publish, "FULL", (24, 8))
    monkeypatch.setattr(publish, "BRIEF", (24, 8))
    monkeypatch.setenv("SAFELIGHT_PIXELS", "0")
