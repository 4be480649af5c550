"""Who may do what, break-glass, and the log of it all; on SQLite and on PostgreSQL."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from consent_fixtures import Maker, open_custody, publish, say
from safelight.consent import balp
from safelight.consent.custody import Custody
from safelight.consent.roles import ACTS, GLASS, OWN, Act, Role
from safelight.errors import AccessDeniedError, ConsentError
from safelight.store import Store
from safelight.store.schema.consent import accesses

STEWARD = "steward:1"


@pytest.fixture
def custody(store: Store) -> Custody:
    made = open_custody(store)
    made.accesses.bootstrap(STEWARD)
    return made


@pytest.fixture
def person(custody: Custody) -> str:
    return custody.vault.create_person()


def allowed(custody: Custody, actor: str, act: Act, person: str = "", **more: str) -> bool:
    try:
        custody.accesses.check(actor, act, person, **more)
    except AccessDeniedError:
        return False
    return True


def lines(custody: Custody, person: str = "") -> list[tuple[str, str, bool]]:
    with custody.store.read() as conn:
        listed = custody.accesses.listed(conn, person)
    return [(one.actor, one.act, one.allowed) for one in listed]


def test_no_role_sees_everything() -> None:
    assert all(set(acts) != set(Act) for acts in ACTS.values())
    assert Act.SEE_ORIGINAL not in ACTS[Role.RESEARCHER] | ACTS[Role.AUDITOR] | ACTS[Role.OPERATOR]
    assert Act.SEE_DERIVED not in ACTS[Role.AUDITOR] | ACTS[Role.OPERATOR] | ACTS[Role.STEWARD]
    assert set(GLASS) == {Role.CLINICIAN, Role.STEWARD}
    assert {Role.PERSON, Role.GUARDIAN} == OWN


def test_the_first_one_becomes_steward_and_nobody_after(custody: Custody) -> None:
    assert custody.accesses.bootstrap("somebody:2") is False
    assert allowed(custody, STEWARD, Act.PUBLISH_POLICY)
    assert not allowed(custody, "somebody:2", Act.PUBLISH_POLICY)


def test_a_person_sees_their_own_and_no_one_elses(custody: Custody, person: str) -> None:
    other = custody.vault.create_person()
    custody.accesses.give("p:1", Role.PERSON, by=STEWARD, person=person)
    for act in (Act.SEE_ORIGINAL, Act.SEE_CONSENT, Act.SEE_ACCESSES, Act.WITHDRAW):
        assert allowed(custody, "p:1", act, person)
        assert not allowed(custody, "p:1", act, other)
        assert not allowed(custody, "p:1", act)
    assert not allowed(custody, "p:1", Act.PUBLISH_POLICY)
    with pytest.raises(ConsentError):
        custody.accesses.give("p:1", Role.PERSON, by=STEWARD)
    with pytest.raises(AccessDeniedError):
        custody.accesses.give("p:1", Role.STEWARD, by="p:1")


def test_data_is_seen_with_the_persons_consent_only(custody: Custody, person: str) -> None:
    policy = publish(custody)
    custody.accesses.give("r:1", Role.RESEARCHER, by=STEWARD)
    use = {"purpose": "general-research", "policy": policy}
    assert not allowed(custody, "r:1", Act.SEE_DERIVED, person, **use)
    say(custody, person, "general-research", policy=policy)
    assert allowed(custody, "r:1", Act.SEE_DERIVED, person, **use)
    assert not allowed(custody, "r:1", Act.SEE_DERIVED, person)  # nobody looks for no purpose
    assert not allowed(custody, "r:1", Act.SEE_ORIGINAL, person, **use)
    say(custody, person, "general-research", "withdraw")
    assert not allowed(custody, "r:1", Act.SEE_DERIVED, person, **use)


def test_a_role_that_was_taken_is_gone(custody: Custody) -> None:
    custody.accesses.give("a:1", Role.AUDITOR, by=STEWARD)
    assert allowed(custody, "a:1", Act.SEE_ACCESSES)
    custody.accesses.take("a:1", Role.AUDITOR, by=STEWARD)
    assert not allowed(custody, "a:1", Act.SEE_ACCESSES)
    custody.accesses.give("a:1", Role.AUDITOR, by=STEWARD)
    assert allowed(custody, "a:1", Act.SEE_ACCESSES)


def test_refused_accesses_are_logged_too_and_outlive_the_process(
    make_store: Maker,
) -> None:
    custody = open_custody(make_store())
    person = custody.vault.create_person()
    size = custody.log.size()
    assert not allowed(custody, "x:1", Act.SEE_ORIGINAL, person)
    assert custody.log.size() == size + 1
    later = open_custody(make_store())
    assert lines(later, person) == [("x:1", "see-original", False)]
    assert later.log.verify().holds


def test_an_access_that_cannot_be_logged_does_not_take_place(
    custody: Custody, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(custody.log, "append", full)
    with pytest.raises(OSError, match="No space"):
        custody.accesses.check(STEWARD, Act.SEE_CONSENT, person)
    assert lines(custody, person) == []


def test_the_glass_is_broken_with_a_reason_that_the_person_finds(
    custody: Custody, person: str
) -> None:
    custody.accesses.give("c:1", Role.CLINICIAN, by=STEWARD)
    custody.accesses.give("p:1", Role.PERSON, by=STEWARD, person=person)
    for actor, reason in (("c:1", "  "), ("p:2", "the patient is unconscious, trauma")):
        with pytest.raises(AccessDeniedError):
            custody.accesses.break_glass(actor, Act.SEE_ORIGINAL, person, reason)
    with pytest.raises(AccessDeniedError):
        custody.accesses.break_glass("c:1", Act.PUBLISH_POLICY, person, "because I want to")
    custody.accesses.break_glass("c:1", Act.SEE_ORIGINAL, person, "unconscious, DOE, trauma room")
    with custody.store.read() as conn:
        newest, *refused = custody.accesses.listed(conn, person)[:4]
        stored = repr(conn.execute(select(accesses)).all())
    assert (newest.broke_glass, newest.allowed) == (True, True)
    assert newest.claim == "unconscious, DOE, trauma room"
    assert [one.allowed for one in refused] == [False, False, False]
    assert "DOE" not in stored


def test_a_name_given_for_a_code_reaches_no_column(custody: Custody) -> None:
    assert not allowed(custody, STEWARD, Act.SEE_CONSENT, "JANE DOE", purpose="JANE", policy="DOE")
    with custody.store.read() as conn:
        stored = repr(conn.execute(select(accesses)).all())
    assert "JANE" not in stored
    assert "DOE" not in stored
    with pytest.raises(ConsentError):
        custody.accesses.check("JANE DOE", Act.SEE_CONSENT)


def test_audit_events_are_valid_and_follow_the_patterns(custody: Custody, person: str) -> None:
    policy = publish(custody)
    say(custody, person, "general-research", policy=policy)
    custody.accesses.give("r:1", Role.RESEARCHER, by=STEWARD)
    use = {"purpose": "general-research", "policy": policy}
    assert allowed(custody, "r:1", Act.SEE_DERIVED, person, **use)
    assert not allowed(custody, "r:1", Act.SEE_ORIGINAL, person, **use)
    with custody.store.begin() as conn:
        custody.disclosures.recipient(conn, "Example University", address="R 2", contact="d@e.org")
        handed = custody.disclosures.record(
            conn,
            person=person,
            recipient="Example University",
            kind="deidentified",
            count=3,
            what="three films",
            actor=STEWARD,
            **use,
        )
        listed = custody.accesses.listed(conn)
    events = [balp.access_event(one) for one in listed]
    refused, passed = events[0], events[1]
    assert (refused["outcome"], passed["outcome"]) == ("8", "0")
    assert passed["meta"]["profile"][0].endswith("IHE.BasicAudit.AuthZconsent")
    assert [one["type"]["coding"][0]["code"] for one in passed["agent"]] == [
        *("110150", "IRCP", "PROV", "authserver"),
    ]
    assert "meta" not in events[2]  # a role was given: about nobody's data
    event = balp.disclosure_event(handed)
    assert [one["type"]["coding"][0]["code"] for one in event["agent"]][:2] == ["110153", "110152"]
    assert event["agent"][0]["who"] == event["source"]["observer"]
    assert event["entity"][0]["what"]["identifier"]["value"] == person
    assert "three films" not in str(event)
    whole = balp.bundle([*events, event], custody.store.clock.now() + timedelta(days=1))
    assert len(whole["entry"]) == len(events) + 1
    assert balp.bundle([], custody.store.clock.now())["type"] == "collection"
