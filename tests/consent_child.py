"""What a process does that a test kills: consent, handing out, and withdrawal."""

from consent_fixtures import keep, open_custody, publish, say
from safelight.consent.custody import Custody
from safelight.consent.roles import Act
from safelight.store import Store, faults

__all__ = ["Where", "acts", "agree", "consenting", "expire", "open_at", "take_back"]

Where = tuple[str, str]  # address of the database, data folder


def open_at(where: Where) -> Custody:
    """Open consent over a store that another process has made."""
    url, home = where
    return open_custody(Store.open(url, objects=f"{home}/objects", home=home))


def agree(custody: Custody, policy: str) -> str:
    """Make a person who agreed, whose data is kept and was handed out; return their code."""
    person = custody.vault.create_person()
    for purpose in ("care", "general-research"):
        say(custody, person, purpose, policy=policy, note="DOE")
    made = keep(custody, person, "deidentified", "o1", policy=policy)
    keep(
        custody, person, "report", "r1", policy=policy, purpose="general-research", parents=(made,)
    )
    with custody.store.begin() as conn:
        custody.disclosures.recipient(
            conn, "Example University", address="Road 2", contact="d@example.org"
        )
        custody.disclosures.record(
            conn,
            person=person,
            recipient="Example University",
            kind="report",
            count=1,
            what="one report",
            purpose="general-research",
            policy=policy,
            actor="steward:1",
        )
    return person


def take_back(where: Where, plan: str, person: str, purpose: str) -> None:
    """Withdraw; the process dies where the plan says."""
    custody = open_at(where)
    faults.arm(plan)
    custody.withdrawals.run(custody.withdrawals.start(person, purpose, actor="person:1"))
    faults.arm("")
    custody.store.close()


def expire(where: Where, plan: str) -> None:
    """Remove what is past its time; the process dies where the plan says."""
    custody = open_at(where)
    faults.arm(plan)
    custody.ending.run()
    faults.arm("")
    custody.store.close()


def acts(custody: Custody, person: str, days: int) -> None:
    """Publish a policy, agree to it, refuse, look, and sign the log."""
    policy = publish(custody, grace_days=days)
    say(custody, person, "care", policy=policy)
    say(custody, person, "general-research", "refuse", policy=policy)
    custody.accesses.check("steward:1", Act.SEE_CONSENT, person)
    custody.log.checkpoint()


def consenting(where: Where, plan: str, person: str, days: int) -> None:
    """Do these acts; the process dies where the plan says."""
    custody = open_at(where)
    faults.arm(plan)
    acts(custody, person, days)
    faults.arm("")
    custody.store.close()
