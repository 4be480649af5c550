"""Totals of other sites in a head: apart from people here, replaced whole, exact."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from consent_fixtures import Maker, open_custody
from federated_fixtures import Round
from learning_fixtures import CLASSES, HEAD, RECIPE, WIDTH, Room, base, images
from safelight.cli import main
from safelight.errors import ErasedError, FederationError
from safelight.learning.federated import Plan
from safelight.learning.federated.record import Record
from safelight.learning.ledgers import head_of
from safelight.learning.totals import Totals, with_totals
from safelight.learning.verify import verify
from safelight.learning.versions import versions
from safelight.pipeline.house import House, Places
from safelight.readers.statistics import Statistics
from safelight.store import Store
from safelight.store.schema.learning import totals
from safelight.tlog import Signer

NETWORK = "network"


class Sites(Round):
    """A round of two sites for the head of the tests."""

    def __init__(self, seed: int, *, people: int = 40) -> None:
        plan: dict[str, Any] = {
            "head": HEAD,
            "features": "test-1",
            "classes": CLASSES,
            "width": WIDTH,
        }
        super().__init__(2, width=WIDTH)
        self.keys = {name: Ed25519PrivateKey.generate() for name in ("north", "south")}
        public = {one: key.public_key().public_bytes_raw().hex() for one, key in self.keys.items()}
        self.plan = Plan.new(**plan, sites=public, seconds=20.0)
        self.coordinator = type(self.coordinator)(self.plan, note=self.note)
        nothing = Statistics.empty("test-1", CLASSES, WIDTH)
        self.sums = {
            name: nothing.of(*images(people, seed + number)) for number, name in enumerate(public)
        }
        self.run()
        assert not self.errors

    def given(self, log: Any) -> tuple[Statistics, Record]:
        """Return the total, and its record as a log signs it."""
        record = self.coordinator.record()
        return self.coordinator.result(), replace(record, note=log.sign(record.text))


@pytest.fixture
def database() -> str:
    """Name SQLite alone: the tables are compared on both in the tests of the store."""
    return "sqlite"


@pytest.fixture
def room(make_store: Maker) -> Room:
    return Room(open_custody(make_store()))


def renewed(room: Room) -> Any:
    made = room.publisher.renew(HEAD)
    assert made is not None
    return made


def test_a_total_stands_beside_those_who_gave_and_a_new_one_replaces_it_to_the_bit(
    room: Room, tmp_path: Path
) -> None:
    room.filled(14)
    alone = room.publisher.train(HEAD)
    taken = Totals(room.custody)
    first, second = Sites(10), Sites(20)
    total, record = first.given(room.custody.log)
    taken.take(HEAD, NETWORK, total, record)
    with_first = renewed(room)
    published = room.sums("published")
    start = base().statistics
    assert with_first.document["ledger"] == (start + total + published).digest()
    assert with_first.document["base"] == alone.document["base"]
    assert with_first.document["contributed"] == alone.document["contributed"]
    (noted,) = with_first.document["federated"]
    assert (noted["source"], noted["digest"]) == (NETWORK, total.digest())
    assert verify(room.custody, HEAD).problems == ()
    with room.store.read() as conn:
        old = conn.execute(select(totals)).one()
    # somebody left at a site: the next round is without them
    again, proof = second.given(room.custody.log)
    taken.take(HEAD, NETWORK, again, proof)
    with_second = renewed(room)
    assert with_second.document["ledger"] == (start + again + published).digest()
    assert verify(room.custody, HEAD).problems == ()
    with room.store.read() as conn, pytest.raises(ErasedError):  # the old one is gone, key and all
        room.custody.vault.open_small(
            old.space, "total", f"{old.head}/{old.source}", old.sealed, conn
        )
    # the same people and the second total alone, in a house that never saw the first
    with Store.at(tmp_path / "other") as store:
        other = Room(open_custody(store))
        Totals(other.custody).take(HEAD, NETWORK, *second.given(other.custody.log))
        with store.read() as conn:
            fresh = with_totals(conn, other.custody.vault, head_of(conn, HEAD))
    assert (fresh.base.statistics + published).digest() == with_second.document["ledger"]
    taken.drop(HEAD, NETWORK)
    assert renewed(room).document["ledger"] == alone.document["ledger"]
    assert "federated" not in renewed(room).document
    with pytest.raises(FederationError, match="no total"):
        taken.drop(HEAD, NETWORK)


def test_who_leaves_here_leaves_the_total_of_other_sites_alone(room: Room) -> None:
    people = room.filled(14)
    total, record = Sites(30).given(room.custody.log)
    Totals(room.custody).take(HEAD, NETWORK, total, record)
    room.publisher.train(HEAD)
    room.withdraw(people[0])
    with room.store.read() as conn:
        made = versions(conn, room.head)[-1]
    assert made.document["ledger"] == (base().statistics + total + room.sums("published")).digest()
    assert verify(room.custody, HEAD).problems == ()


def test_a_head_without_people_begins_with_the_total(room: Room) -> None:
    total, record = Sites(40).given(room.custody.log)
    Totals(room.custody).take(HEAD, NETWORK, total, record)
    made = renewed(room)
    assert (made.version, made.document["people"]) == (1, 0)
    assert made.document["ledger"] == (base().statistics + total).digest()
    assert verify(room.custody, HEAD).problems == ()


def test_what_does_not_belong_together_is_refused(room: Room) -> None:
    sites = Sites(50)
    total, record = sites.given(room.custody.log)
    taken = Totals(room.custody)
    other = total + sites.sums["north"]
    with pytest.raises(FederationError, match="not the one"):
        taken.take(HEAD, NETWORK, other, record)
    with pytest.raises(FederationError, match="who was named"):
        taken.take(HEAD, NETWORK, other, replace(record, digest=other.digest()))
    with pytest.raises(FederationError, match="not signed"):
        taken.take(HEAD, NETWORK, total, replace(record, note=""))
    stranger = Signer("log.example.org/other", bytes(range(32)))
    with pytest.raises(FederationError, match="who was named"):
        taken.take(HEAD, NETWORK, total, record, signer=stranger.vkey)
    few = replace(record, shares={"north": record.shares["north"]})
    with pytest.raises(FederationError, match="fewer sites"):
        taken.take(HEAD, NETWORK, total, few)
    swapped = dict(zip(record.shares, reversed(list(record.shares.values())), strict=True))
    with pytest.raises(FederationError, match="signed by its site"):
        taken.take(HEAD, NETWORK, total, replace(record, shares=swapped))
    room.ledgers.open("another", base=room.start, recipe=RECIPE)
    with pytest.raises(FederationError, match="another head"):
        taken.take("another", NETWORK, total, record)
    with pytest.raises(FederationError, match="a name"):
        taken.take(HEAD, "", total, record)
    taken.take(HEAD, NETWORK, total, record)
    with pytest.raises(FederationError, match="already"):
        taken.take(HEAD, NETWORK, total, record)
    assert Record.from_bytes(record.to_bytes()) == record
    for bad in (b"", b"{}", b"[]", record.to_bytes()[:-9]):
        with pytest.raises(FederationError):
            Record.from_bytes(bad)


def test_the_commands_import_and_drop(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    places = Places(
        data=str(tmp_path / "data"),
        master_key=str(tmp_path / "keys" / "master.key"),
        log_key=str(tmp_path / "keys" / "log.key"),
    )
    with House.create(places) as house:
        Room(house.custody).filled(12)
        total, record = Sites(60).given(house.custody.log)
    where = ["--data", places.data, "--master-key", places.master_key, "--log-key", places.log_key]
    file = tmp_path / "total.bin"
    file.write_bytes(total.to_bytes())
    Path(f"{file}.record").write_bytes(record.to_bytes())
    asked = ["--head", HEAD, "--source", NETWORK, "--json", *where]
    first = _typed("federate", "import", str(file), *asked)
    assert (first["version"], first["rows"]) == (1, int(total.counts.sum()))
    assert first["ledger"] == (base().statistics + total).digest()
    trained = _typed("train", HEAD, "--json", *where)
    assert trained["version"] == 2
    card = _typed("model", "card", HEAD, "--json", *where)
    assert card["document"]["federated"][0]["source"] == NETWORK
    last = _typed("federate", "drop", *asked)
    assert last["version"] == 3
    own = tmp_path / "own.sums"
    written = _typed("federate", "sums", str(own), "--head", HEAD, "--json", *where)
    assert Statistics.from_bytes(own.read_bytes()).digest() == written["digest"]
    assert own.stat().st_mode & 0o777 == 0o600


def _typed(*words: str) -> Any:
    done = CliRunner().invoke(main, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)
