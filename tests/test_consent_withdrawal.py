"""Withdrawal: at once, to the end, and nothing of it comes back; on SQLite and on PostgreSQL."""

import time

import pytest
from sqlalchemy import select

from consent_fixtures import (
    Ledger,
    Maker,
    Shelf,
    family,
    may,
    note,
    open_custody,
    publish,
    say,
)
from safelight.consent import removers
from safelight.consent.custody import Custody
from safelight.consent.decision import Reason
from safelight.errors import (
    ConsentDeniedError,
    ConsentError,
    ErasedError,
    RemoverMissingError,
    WithdrawalError,
)
from safelight.store import Store
from safelight.store.schema.consent import (
    accesses,
    disclosures,
    statements,
)


@pytest.fixture
def shelves() -> dict[str, Shelf]:
    return {"feature": Ledger(), "head": Shelf()}


@pytest.fixture
def custody(store: Store, shelves: dict[str, Shelf]) -> Custody:
    return open_custody(store, removers=shelves)


@pytest.fixture
def person(custody: Custody) -> str:
    return custody.vault.create_person()


def test_every_use_is_denied_in_less_than_a_second(custody: Custody, person: str) -> None:
    policy, _ = family(custody, person)
    begun = time.monotonic()
    custody.withdrawals.start(person, actor="person:1")
    assert not may(custody, person, "care", policy)
    assert not may(custody, person, "train-a-model", policy)
    assert time.monotonic() - begun < 1
    with pytest.raises(ConsentDeniedError):
        note(custody, person, "head", "h2", policy)


def test_one_purpose_goes_and_the_rest_stays(
    custody: Custody, person: str, shelves: dict[str, Shelf]
) -> None:
    policy, made = family(custody, person)
    done = custody.withdrawals.run(
        custody.withdrawals.start(person, "train-a-model", actor="person:1")
    )
    assert (done.stage, done.removed, done.failed) == ("done", 2, 0)
    assert shelves["head"].calls == ["h1"]
    assert shelves["feature"].calls == ["f1"]
    assert may(custody, person, "care", policy)
    assert not may(custody, person, "train-a-model", policy)
    assert b"".join(custody.vault.get(person, "deidentified", "o1"))
    with custody.store.read() as conn:
        left = [one.id for one in custody.lineage.of(conn, person) if one.removed_at is None]
    assert left == [made["original"]]
    assert [one["kind"] for one in done.facts["artefacts"]] == ["head", "feature"]
    assert done.facts["key_destroyed"] is False


def test_what_was_made_from_it_goes_too_unless_it_has_a_yes_of_its_own(
    custody: Custody, person: str, shelves: dict[str, Shelf]
) -> None:
    family(custody, person)
    done = custody.withdrawals.run(custody.withdrawals.start(person, "care", actor="person:1"))
    assert (done.removed, shelves["head"].calls) == (1, [])  # training was agreed to by itself
    say(custody, person, "train-a-model", "refuse")
    again = custody.withdrawals.run(custody.withdrawals.start(person, "care", actor="person:1"))
    assert again.removed == 0  # its parent is gone already; a refusal alone removes nothing
    last = custody.withdrawals.run(
        custody.withdrawals.start(person, "train-a-model", actor="person:1")
    )
    assert last.removed == 2


def test_all_of_it_ends_with_the_key(custody: Custody, person: str) -> None:
    policy, _ = family(custody, person)
    done = custody.withdrawals.run(custody.withdrawals.start(person, actor="person:1"))
    assert (done.stage, done.removed) == ("done", 3)
    assert done.facts["key_destroyed"] is True
    with pytest.raises(ErasedError):
        custody.vault.salt(person)
    with custody.store.read() as conn:
        assert custody.consents.may(conn, person, "care", policy).reason == Reason.ERASED
        for table in (statements, disclosures, accesses):
            found = select(table.c.sealed).where(table.c.person == person)
            assert set(conn.execute(found).scalars()) <= {None}
        assert [one.note for one in custody.consents.history(conn, person)] == ["", "", ""]
    with pytest.raises(ConsentError):
        custody.withdrawals.start(person, actor="person:1")
    with pytest.raises(ConsentError):
        say(custody, person, "care", policy=policy)
    assert custody.log.verify().holds


def test_what_fails_is_tried_again_and_the_key_waits_for_what_needs_it(
    custody: Custody, person: str, shelves: dict[str, Shelf]
) -> None:
    family(custody, person)
    shelves["feature"].broken = True
    wanted = custody.withdrawals.start(person, actor="person:1")
    with pytest.raises(WithdrawalError, match="1 artefacts could not be removed") as caught:
        custody.withdrawals.run(wanted)
    assert caught.value.place == "feature"
    assert custody.withdrawals.outcome(wanted).stage == "recalled"
    assert custody.vault.salt(person)
    shelves["feature"].broken = False
    assert custody.withdrawals.run(wanted).stage == "done"


def test_the_key_goes_although_something_else_fails(
    custody: Custody, person: str, shelves: dict[str, Shelf]
) -> None:
    family(custody, person)
    shelves["head"].broken = True
    wanted = custody.withdrawals.start(person, actor="person:1")
    with pytest.raises(WithdrawalError):
        custody.withdrawals.run(wanted)
    assert custody.withdrawals.outcome(wanted).stage == "scrubbed"
    with pytest.raises(ErasedError):
        custody.vault.salt(person)
    shelves["head"].broken = False
    assert [one.stage for one in custody.withdrawals.resume()] == ["done"]
    assert custody.withdrawals.resume() == []


def test_asking_twice_is_one_withdrawal(custody: Custody, person: str) -> None:
    family(custody, person)
    first = custody.withdrawals.start(person, actor="person:1")
    assert custody.withdrawals.start(person, actor="person:1") == first
    custody.withdrawals.run(first)
    assert custody.withdrawals.run(first).stage == "done"
    with custody.store.read() as conn:
        assert len(custody.consents.history(conn, person)) == 3


def test_whoever_received_it_is_told_and_listed(custody: Custody, person: str) -> None:
    policy = publish(custody)
    say(custody, person, "general-research", policy=policy)
    with custody.store.begin() as conn:
        custody.disclosures.recipient(
            conn, "Example University", address="Road 2", contact="d@example.org"
        )
        one = custody.disclosures.record(
            conn,
            person=person,
            recipient="Example University",
            kind="deidentified",
            count=2,
            what="two chest films",
            purpose="general-research",
            policy=policy,
            actor="steward:1",
        )
    assert (one.address, one.what, one.answer) == ("Road 2", "two chest films", "")
    done = custody.withdrawals.run(custody.withdrawals.start(person, actor="person:1"))
    assert done.recalled == 1
    (told,) = done.facts["not_recalled"]
    assert (told["recipient"], told["count"], told["answer"]) == (
        "Example University",
        2,
        "to tell",
    )
    with custody.store.begin() as conn:
        (left,) = custody.disclosures.pending(conn)
        assert (left.what, (left.due_at - done.asked_at).days) == ("", 90)
        custody.disclosures.told(conn, left.id)
        custody.disclosures.told(conn, left.id, "deleted")
        assert custody.disclosures.pending(conn) == []


def test_data_is_handed_to_named_recipients_only(custody: Custody, person: str) -> None:
    policy = publish(custody)
    say(custody, person, "general-research", policy=policy)
    with custody.store.begin() as conn:
        custody.disclosures.recipient(conn, "Roe Ltd", address="Road 3", contact="r@example.org")
        for name, purpose in (("Roe Ltd", "general-research"), ("Example University", "care")):
            with pytest.raises(ConsentDeniedError):
                custody.disclosures.record(
                    conn,
                    person=person,
                    recipient=name,
                    kind="deidentified",
                    count=1,
                    what="one film",
                    purpose=purpose,
                    policy=policy,
                    actor="steward:1",
                )


def test_a_class_that_nothing_removes_stops_the_start(
    make_store: Maker, shelves: dict[str, Shelf], monkeypatch: pytest.MonkeyPatch
) -> None:
    custody = open_custody(make_store(), removers=shelves)
    person = custody.vault.create_person()
    family(custody, person)
    with pytest.raises(RemoverMissingError, match=r"'(feature|head)'"):
        open_custody(make_store())
    with pytest.raises(RemoverMissingError, match="'painting'"):
        note(custody, person, "painting", "p1", "sha256:" + "0" * 64)
    monkeypatch.setattr(removers, "_declared", {*removers._declared, "sculpture"})
    with pytest.raises(RemoverMissingError, match="'sculpture'"):
        open_custody(make_store(), removers=shelves)


def test_an_artefact_is_made_from_ones_own_only(custody: Custody, person: str) -> None:
    policy, made = family(custody, person)
    other = custody.vault.create_person()
    say(custody, other, "train-a-model", policy=policy)
    with pytest.raises(ConsentError, match="another's"):
        note(custody, other, "feature", "f2", policy, made["original"])
    with pytest.raises(ConsentError, match="opaque"):
        note(custody, person, "feature", "DOE JANE", policy)
    assert note(custody, person, "head", "h1", policy) == made["head"]
