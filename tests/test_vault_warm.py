"""Keys that are held for a few seconds: how much is looked at for each call, and when they go."""

import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import pytest

from safelight.store import Store
from safelight.vault import MasterKey, Vault

PEOPLE = 60


class Counted(OrderedDict[str, Any]):
    """A dictionary that counts the entries that somebody looked at."""

    looks = 0

    def __iter__(self) -> Iterator[str]:
        for name in super().__iter__():
            self.looks += 1
            yield name

    def __getitem__(self, name: str) -> Any:
        self.looks += 1
        return super().__getitem__(name)

    def items(self) -> Any:
        for pair in list(super().items()):
            self.looks += 1
            yield pair


@pytest.fixture
def database() -> str:
    return "sqlite"  # it is about memory


def test_a_call_looks_at_a_few_entries_however_many_there_are(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = Vault(store, MasterKey.generate())
    everybody = [vault.create_person() for _ in range(PEOPLE)]
    moment = [time.monotonic()]
    monkeypatch.setattr("safelight.vault.people.time.monotonic", lambda: moment[0])
    vault.people.cool()
    held = vault.people._warm = Counted()
    for _ in range(3):
        for person in everybody:
            vault.people.keys(person)
    assert len(held) == PEOPLE
    assert held.looks <= 4 * 3 * PEOPLE  # a scan at each call would be some 9,000
    held.looks = 0
    moment[0] += 3
    vault.people.cool()
    vault.people.keys(everybody[0])
    moment[0] += 3
    vault.people.keys(everybody[1])
    moment[0] += 3  # the first is over, the second is not
    vault.people.keys(everybody[2])
    assert set(held) == set(everybody[1:3])
    moment[0] += 100
    vault.people.keys(everybody[3])
    assert set(held) == {everybody[3]}
