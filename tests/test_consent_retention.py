"""Retention: what a policy lets nobody keep any longer goes by itself; on SQLite and PostgreSQL.

The clock of a store never goes back, so the tests move it forwards.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from consent_fixtures import (
    DAY,
    Ledger,
    Shelf,
    keep,
    may,
    note,
    open_custody,
    publish,
    say,
)
from safelight.consent.custody import Custody
from safelight.consent.receipts import of_withdrawal
from safelight.errors import StoreError, WithdrawalError
from safelight.store import Store
from safelight.store.schema.consent import artefacts, statements
from safelight.tlog.receipt import verify

MICROS = 1_000_000


class Watch:
    """Moves the clock of this process forwards."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._past = 0
        real = time.time_ns
        monkeypatch.setattr(
            "safelight.store.clock.time.time_ns", lambda: real() + self._past * 1000
        )

    def on(self, by: timedelta) -> None:
        self._past += int(by.total_seconds() * MICROS)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


@pytest.fixture
def shelves() -> dict[str, Shelf]:
    return {"feature": Ledger(), "head": Shelf()}


@pytest.fixture
def custody(store: Store, shelves: dict[str, Shelf]) -> Custody:
    return open_custody(store, removers=shelves)


@pytest.fixture
def person(custody: Custody) -> str:
    return custody.vault.create_person()


def agree(custody: Custody, person: str, policy: str) -> None:
    for purpose in ("care", "train-a-model"):
        say(custody, person, purpose, policy=policy)


def family(custody: Custody, person: str, policy: str, mark: str = "") -> list[str]:
    """Keep an image, a feature of it, and a head that learnt from that."""
    image = keep(custody, person, "deidentified", f"o{mark}", policy=policy)
    feature = note(custody, person, "feature", f"f{mark}", policy, image)
    return [image, feature, note(custody, person, "head", f"h{mark}", policy, feature)]


def there(custody: Custody, person: str) -> set[str]:
    mine = select(artefacts.c.object).where(
        artefacts.c.person == person, artefacts.c.removed_at.is_(None)
    )
    with custody.store.read() as conn:
        return set(conn.execute(mine).scalars())


def test_what_is_past_its_time_goes_with_what_learnt_from_it_and_a_receipt_says_so(
    custody: Custody, person: str, shelves: dict[str, Shelf], watch: Watch
) -> None:
    policy = publish(custody, retention_days=30)
    agree(custody, person, policy)
    made = family(custody, person, policy)
    with custody.store.read() as conn:
        ends = custody.retention.ends(conn, person)
    assert set(ends) == set(made)
    assert {round((end - datetime.now(UTC)) / DAY) for end in ends.values()} == {30}
    watch.on(29 * DAY)
    assert custody.ending.run() == []
    assert there(custody, person) == {"o", "f", "h"}
    watch.on(2 * DAY)
    (done,) = custody.ending.run()
    assert (done.stage, done.purpose, done.removed, done.failed) == ("done", "retention", 3, 0)
    assert there(custody, person) == set()
    assert shelves["head"].calls == ["h"]
    assert shelves["feature"].calls == ["f"]
    with pytest.raises(StoreError):
        b"".join(custody.vault.get(person, "deidentified", "o"))
    told = verify(of_withdrawal(custody, done.id))
    assert told.kind == "retention.done"
    assert told.fields["person"] == person
    assert [each["kind"] for each in told.fields["artefacts"]] == [
        "head",
        "feature",
        "deidentified",
    ]
    assert custody.ending.run() == []  # twice is once


def test_nothing_is_said_for_the_person_and_new_data_begin_a_time_of_their_own(
    custody: Custody, person: str, watch: Watch
) -> None:
    policy = publish(custody, retention_days=30)
    agree(custody, person, policy)
    family(custody, person, policy)
    watch.on(20 * DAY)
    family(custody, person, policy, "2")
    watch.on(11 * DAY)
    custody.ending.run()
    assert there(custody, person) == {"o2", "f2", "h2"}
    assert may(custody, person, "care", policy)
    with custody.store.read() as conn:
        said = select(statements.c.said).where(statements.c.person == person)
        assert conn.execute(said).scalars().all() == ["grant", "grant"]
    assert custody.vault.person_exists_or_erased(person) == "active"


def test_what_is_made_late_does_not_outlive_what_it_was_made_from(
    custody: Custody, person: str, watch: Watch
) -> None:
    policy = publish(custody, retention_days=30)
    agree(custody, person, policy)
    image = keep(custody, person, "deidentified", "o", policy=policy)
    watch.on(29 * DAY)
    note(custody, person, "feature", "f", policy, image)
    watch.on(2 * DAY)
    custody.ending.run()
    assert there(custody, person) == set()


def test_a_time_without_limit_never_ends(custody: Custody, person: str, watch: Watch) -> None:
    policy = publish(custody, retention_days="unlimited")
    agree(custody, person, policy)
    family(custody, person, policy)
    watch.on(36_500 * DAY)
    assert custody.ending.run() == []
    with custody.store.read() as conn:
        assert custody.retention.ends(conn, person) == {}


def test_a_purpose_with_a_longer_time_keeps_what_has_consent_of_its_own(
    custody: Custody, person: str, watch: Watch
) -> None:
    short = publish(custody, name="short", retention_days=30)
    long = publish(custody, name="long", retention_days=3650)
    say(custody, person, "care", policy=short)
    say(custody, person, "train-a-model", policy=long)
    image = keep(custody, person, "deidentified", "o", policy=short)
    note(custody, person, "feature", "f", long, image)
    watch.on(31 * DAY)
    custody.ending.run()
    assert there(custody, person) == {"f"}
    watch.on(3650 * DAY)
    custody.ending.run()
    assert there(custody, person) == set()


def test_a_later_version_with_fewer_days_holds_and_one_with_more_does_not(
    custody: Custody, person: str, watch: Watch
) -> None:
    first = publish(custody, retention_days=100)
    agree(custody, person, first)
    family(custody, person, first)
    with custody.store.read() as conn:
        assert custody.retention.days(conn, first) == 100
    publish(custody, retention_days=50)
    publish(custody, retention_days=500)  # a widening: consent is not carried to it
    with custody.store.read() as conn:
        assert custody.retention.days(conn, first) == 50
        assert custody.retention.days(conn, "sha256:" + "0" * 64) is None
    watch.on(51 * DAY)
    custody.ending.run()
    assert there(custody, person) == set()


def test_a_yes_until_a_day_ends_on_it(custody: Custody, person: str, watch: Watch) -> None:
    policy = publish(custody)
    until = datetime.now(UTC) + 10 * DAY
    say(custody, person, "care", policy=policy)
    say(custody, person, "train-a-model", policy=policy, until=until)
    family(custody, person, policy)
    with custody.store.read() as conn:
        ends = custody.retention.ends(conn, person)
    assert list(ends.values()).count(until) == 2
    watch.on(11 * DAY)
    custody.ending.run()
    assert there(custody, person) == {"o"}


def test_what_a_steward_says_has_ended_goes(custody: Custody, person: str) -> None:
    policy = publish(custody)
    agree(custody, person, policy)
    family(custody, person, policy)
    say(custody, person, "train-a-model", "expire", policy=policy)
    custody.ending.run()
    assert there(custody, person) == {"o"}


def test_recipients_of_what_goes_are_to_be_told(
    custody: Custody, person: str, watch: Watch
) -> None:
    policy = publish(custody, retention_days=30, grace_days=9)
    agree(custody, person, policy)
    said: dict[str, Any] = {
        "recipient": "Example University",
        "kind": "head",
        "count": 1,
        "what": "a head",
    }
    with custody.store.begin() as conn:
        custody.disclosures.recipient(
            conn, "Example University", address="Road 2", contact="d@example.org"
        )
        custody.disclosures.record(
            conn, person=person, purpose="care", policy=policy, actor="steward:1", **said
        )
    watch.on(DAY)
    family(custody, person, policy)
    with custody.store.begin() as conn:
        custody.disclosures.record(
            conn, person=person, purpose="train-a-model", policy=policy, actor="steward:1", **said
        )
    watch.on(31 * DAY)
    (done,) = custody.ending.run()
    with custody.store.read() as conn:
        answers = {one.purpose: one.answer for one in custody.disclosures.listed(conn, person)}
        (waiting,) = custody.disclosures.pending(conn)
    assert answers == {"care": "", "train-a-model": "to tell"}  # the first held none of it
    assert waiting.due_at is not None
    assert round((waiting.due_at - datetime.now(UTC)) / DAY) == 32 + 9
    assert done.recalled == 1
    assert [one["purpose"] for one in done.facts["not_recalled"]] == ["train-a-model"]


def test_what_cannot_go_now_is_tried_again(
    custody: Custody, person: str, shelves: dict[str, Shelf], watch: Watch
) -> None:
    policy = publish(custody, retention_days=30)
    agree(custody, person, policy)
    family(custody, person, policy)
    watch.on(31 * DAY)
    shelves["head"].broken = True
    (one,) = custody.ending.run()
    assert (one.stage, one.failed) == ("recalled", 1)
    assert custody.ending.run() == []  # one at a time
    with pytest.raises(WithdrawalError):
        custody.withdrawals.run(one.id)
    shelves["head"].broken = False
    (one,) = custody.withdrawals.resume()
    assert (one.stage, one.failed) == ("done", 0)
    assert there(custody, person) == set()


def test_a_withdrawal_of_everything_goes_before(
    custody: Custody, person: str, shelves: dict[str, Shelf], watch: Watch
) -> None:
    policy = publish(custody, retention_days=30)
    agree(custody, person, policy)
    family(custody, person, policy)
    watch.on(31 * DAY)
    shelves["head"].broken = True
    wanted = custody.withdrawals.start(person, actor="person:1")
    with pytest.raises(WithdrawalError):
        custody.withdrawals.run(wanted)
    assert custody.ending.run() == []
    shelves["head"].broken = False
    assert custody.withdrawals.run(wanted).facts["key_destroyed"] is True
    assert custody.ending.run() == []
