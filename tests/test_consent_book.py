"""Policies and statements in a store, and the answers from them; on SQLite and on PostgreSQL."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from consent_fixtures import DAY, PAST, POLICY, Maker, may, open_custody, publish, say
from safelight.consent.custody import Custody
from safelight.consent.decision import Basis, Reason
from safelight.consent.diff import Effect
from safelight.errors import ConsentDeniedError, ConsentError, PolicyError
from safelight.store import Store
from safelight.store.schema.consent import policies, statements


@pytest.fixture
def custody(store: Store) -> Custody:
    return open_custody(store)


@pytest.fixture
def person(custody: Custody) -> str:
    return custody.vault.create_person()


def test_nothing_is_allowed_before_anything_was_said(custody: Custody, person: str) -> None:
    policy = publish(custody)
    with custody.store.read() as conn:
        decision = custody.consents.may(conn, person, "care", policy)
    assert (decision.allowed, decision.reason) == (False, Reason.NEVER_ASKED)


def test_a_yes_is_for_one_person_and_one_purpose(custody: Custody, person: str) -> None:
    other = custody.vault.create_person()
    policy = publish(custody)
    say(custody, person, "train-a-model", policy=policy)
    assert may(custody, person, "train-a-model", policy)
    assert not may(custody, person, "general-research", policy)
    assert not may(custody, other, "train-a-model", policy)
    assert not may(custody, "0" * 32, "train-a-model", policy)


def test_consent_survives_a_narrower_policy_and_ends_at_a_wider_one(
    custody: Custody, person: str
) -> None:
    first = publish(custody)
    say(custody, person, "care", policy=first)
    second = publish(custody, retention_days=100)
    assert may(custody, person, "care", second)
    assert not may(custody, person, "care", first)  # nobody acts under what was narrowed
    third = publish(custody, retention_days=100, commercial_use=True, conditions=[])
    assert not may(custody, person, "care", third)
    assert may(custody, person, "care", second)  # what was agreed to still stands as it was
    say(custody, person, "care", policy=third)
    assert may(custody, person, "care", third)


def test_a_policy_follows_the_newest_version_or_is_refused(custody: Custody) -> None:
    first = publish(custody)
    new, diff = custody.consents.publish({**POLICY, "grace_days": 91}, actor="steward:1")
    assert diff is not None
    assert (new.version, new.previous, diff.effect) == (2, first, Effect.WIDENING)
    with pytest.raises(PolicyError, match="nothing is changed"):
        publish(custody, grace_days=91)
    with pytest.raises(PolicyError, match="does not follow"):
        publish(custody, grace_days=92, previous=first)
    with pytest.raises(PolicyError, match="does not follow"):
        publish(custody, grace_days=92, version=7)


def test_a_policy_that_was_changed_in_the_database_is_noticed(make_store: Maker) -> None:
    policy = publish(open_custody(make_store()))
    later = open_custody(make_store())
    with later.store.begin() as conn:
        document = conn.execute(select(policies.c.document)).scalar_one()
        altered = document.replace('"care"', '"third-party-model"')
        conn.execute(policies.update().values(document=altered))
    with later.store.read() as conn, pytest.raises(PolicyError):
        later.consents.policy(conn, policy)


@pytest.mark.parametrize("no", ["refuse", "withdraw", "expire"])
def test_a_no_ends_it_at_once_and_a_later_yes_begins_anew(
    custody: Custody, person: str, no: str
) -> None:
    policy = publish(custody)
    say(custody, person, "care", policy=policy)
    say(custody, person, "care", no)
    assert not may(custody, person, "care", policy)
    say(custody, person, "care", policy=policy, at=PAST)  # an old form comes in late
    assert not may(custody, person, "care", policy)
    say(custody, person, "care", policy=policy)
    assert may(custody, person, "care", policy)


def test_a_withdrawal_of_everything_reaches_every_purpose(custody: Custody, person: str) -> None:
    policy = publish(custody)
    for purpose in ("care", "general-research"):
        say(custody, person, purpose, policy=policy)
    say(custody, person, "*", "withdraw")
    assert not may(custody, person, "care", policy)
    assert not may(custody, person, "general-research", policy)


def test_a_yes_ends_on_its_day(custody: Custody, person: str) -> None:
    policy = publish(custody)
    now = custody.store.clock.now()
    say(custody, person, "care", policy=policy, until=now + DAY)
    assert may(custody, person, "care", policy)
    assert not may(custody, person, "care", policy, now=now + DAY)


def test_the_answer_does_not_change_back_when_the_clock_is_set_back(
    make_store: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    custody = open_custody(make_store())
    person, policy = custody.vault.create_person(), publish(custody)
    until = custody.store.clock.now() + timedelta(seconds=60)
    say(custody, person, "care", policy=policy, until=until)
    real = __import__("time").time_ns
    monkeypatch.setattr("time.time_ns", lambda: real() + 120 * 10**9)
    assert not may(custody, person, "care", policy)
    say(custody, person, "general-research", "refuse")  # a transaction keeps the later time
    monkeypatch.setattr("time.time_ns", lambda: real() - 3600 * 10**9)
    assert not may(open_custody(make_store()), person, "care", policy)


def test_a_guardian_speaks_until_the_minor_comes_of_age(custody: Custody, person: str) -> None:
    policy = publish(custody)
    now = custody.store.clock.now()
    eighteen = (now + 10 * DAY).date()
    minor: dict[str, Any] = {"basis": Basis.MINOR, "majority": eighteen}
    say(custody, person, "care", policy=policy)
    say(custody, person, "general-research", policy=policy, **minor)
    assert may(custody, person, "general-research", policy)
    assert not may(custody, person, "care", policy)  # a minor's own yes does not count
    assert not may(custody, person, "general-research", policy, now=now + 10 * DAY)
    say(custody, person, "general-research", "withdraw")  # a minor's own no does
    assert not may(custody, person, "general-research", policy)


def test_the_birthday_of_a_minor_is_nowhere_in_clear(custody: Custody, person: str) -> None:
    policy = publish(custody)
    day = date(custody.store.clock.now().year + 3, 2, 28)
    say(custody, person, "care", policy=policy, basis=Basis.MINOR, majority=day, note="DOE JANE")
    with custody.store.read() as conn:
        rows = repr(conn.execute(select(statements)).all())
        assert custody.consents.history(conn, person)[0].statement.majority == day
        assert custody.consents.history(conn, person)[0].note == "DOE JANE"
    assert day.isoformat() not in rows
    assert "DOE" not in rows


def test_what_cannot_mean_anything_is_not_recorded(custody: Custody, person: str) -> None:
    policy = publish(custody)
    now = custody.store.clock.now()
    wrong: list[dict[str, Any]] = [
        {"purpose": "third-party-model", "policy": policy},
        {"purpose": "no such thing", "policy": policy},
        {"purpose": "care", "policy": "sha256:" + "0" * 64},
        {"purpose": "care"},
        {"purpose": "*", "policy": policy},
        {"purpose": "care", "policy": policy, "at": now + DAY},
        {"purpose": "care", "policy": policy, "until": PAST},
        {"purpose": "care", "policy": policy, "method": "telepathy"},
        {"purpose": "care", "policy": policy, "basis": Basis.MINOR},
        {"purpose": "care", "policy": policy, "majority": date(2099, 1, 1)},
        {"purpose": "care", "policy": policy, "basis": Basis.MINOR, "majority": date(2001, 1, 1)},
    ]
    for given in wrong:
        with pytest.raises(ConsentError):
            say(custody, person, **given)
    with pytest.raises(ConsentError):
        say(custody, "0" * 32, "care", policy=policy)
    with custody.store.read() as conn:
        assert custody.consents.history(conn, person) == []


def test_require_tells_why_not(custody: Custody, person: str) -> None:
    policy = publish(custody)
    with custody.store.read() as conn, pytest.raises(ConsentDeniedError, match="nothing was said"):
        custody.consents.require(conn, person, "care", policy)


def test_every_statement_is_in_the_log_and_opens_with_its_salt(
    custody: Custody, person: str
) -> None:
    from safelight.tlog import Leaf  # noqa: PLC0415  # beside its use

    policy = publish(custody)
    before = custody.log.size()
    say(custody, person, "care", policy=policy)
    assert custody.log.size() == before + 1
    with custody.store.read() as conn:
        row = conn.execute(select(statements)).one()
        private = custody.consents.private(conn, row)
    leaf = Leaf.from_bytes(private["leaf"].encode())
    assert leaf.index == row.entry == before
    assert person.encode() in leaf.document
    assert custody.log.verify().holds


def test_two_processes_see_each_others_policies(make_store: Maker) -> None:
    one, two = open_custody(make_store()), open_custody(make_store())
    person = one.vault.create_person()
    first = publish(one)
    say(two, person, "care", policy=first)
    assert may(one, person, "care", first)
    second = publish(two, grace_days=10)
    assert may(one, person, "care", second)
    assert not may(one, person, "care", first)
