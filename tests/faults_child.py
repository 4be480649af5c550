"""What a process does that a test kills: submit, and work, under a planned death."""

import os

from safelight.pipeline.house import House
from safelight.pipeline.submit import submit
from safelight.pipeline.work import Worker
from safelight.store import Store, faults
from safelight.tlog import Signer
from safelight.vault import MasterKey
from submit_fixtures import QuickCleaner

__all__ = ["Where", "open_house", "submit_and_work"]

Where = tuple[str, str, str]  # address of the database, data folder, folder of the keys


def open_house(where: Where) -> House:
    """Open the house of a test; its keys are made at the first time."""
    url, home, keys = where
    path = f"{keys}/master.key"
    if not os.path.exists(path):
        MasterKey.create(path)
    store = Store.open(url, objects=f"{home}/objects", home=home)
    return House(store, MasterKey.open(path), Signer.load_or_create(f"{keys}/log.key"))


def submit_and_work(
    where: Where, plan: str, folder: str, person: str, use: tuple[str, str]
) -> None:
    """Hand a folder in and work on it; the process dies where the plan says."""
    with open_house(where) as house:
        witness = house.witness if use[0] else None
        faults.arm(plan)
        submit(house.vault, [folder], person=person, use=use, witness=witness)
        Worker(house.vault, QuickCleaner(), witness=witness).run()
        faults.arm("")
