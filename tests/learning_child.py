"""What a process does that a test kills: contribute, train, and leave."""

from consent_child import Where, open_at
from learning_fixtures import HEAD, TRAIN, offers
from safelight.learning.ledgers import Ledgers
from safelight.learning.publish import Publisher
from safelight.store import faults

__all__ = ["contributing", "leaving", "training"]


def contributing(where: Where, plan: str, person: str, policy: str, seed: int) -> None:
    """Contribute two images; the process dies where the plan says."""
    custody = open_at(where)
    faults.arm(plan)
    Ledgers(custody).contribute(HEAD, offers(person, 2, seed), policy=policy)
    faults.arm("")
    custody.store.close()


def training(where: Where, plan: str) -> None:
    """Train; the process dies where the plan says."""
    custody = open_at(where)
    faults.arm(plan)
    Publisher(custody.vault, custody.log).train(HEAD)
    faults.arm("")
    custody.store.close()


def leaving(where: Where, plan: str, person: str, purpose: str = TRAIN) -> None:
    """Withdraw; the process dies where the plan says."""
    custody = open_at(where)
    faults.arm(plan)
    custody.withdrawals.run(custody.withdrawals.start(person, purpose, actor="person:1"))
    faults.arm("")
    custody.store.close()
