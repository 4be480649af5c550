"""Histories of joining and leaving; ``python bench/histories.py`` runs ten thousand of them."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from bench.histories import history
from consent_fixtures import Maker, open_custody, say
from learning_fixtures import HEAD, TRAIN, Room, offers
from safelight.learning.contributions import opened, sums_of
from safelight.learning.ledgers import PARTS, head_of
from safelight.learning.verify import retrain

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = [("1", "Haswell", 1), ("2", "Nehalem", 7), ("2", "Haswell", 1000)]


@pytest.mark.parametrize("seed", range(40))
def test_what_is_left_is_as_if_the_leavers_had_never_been(seed: int) -> None:
    same, _ = history(seed, batch=1 + seed % 5)
    assert same


def test_threads_batches_and_kernels_give_the_same_ledgers() -> None:
    told = set()
    for threads, kernel, batch in SETTINGS:
        setting = {"OPENBLAS_NUM_THREADS": threads, "OPENBLAS_CORETYPE": kernel}
        command = [sys.executable, "bench/histories.py", "--histories", "5", "--digest"]
        command += ["--batch", str(batch)]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | setting, check=True, capture_output=True
        )
        told.add(done.stdout)
    assert len(told) == 1


@pytest.mark.parametrize("seed", range(2))
def test_a_stored_ledger_is_what_its_contributions_add_up_to(make_store: Maker, seed: int) -> None:
    room = Room(open_custody(make_store()))
    chance = random.Random(seed)  # noqa: S311  # reproducible, not secret
    there: list[str] = []
    for step in range(8):
        what = chance.random()
        if there and what < 0.4:
            person = there.pop(chance.randrange(len(there)))
            room.withdraw(person, chance.choice(["*", TRAIN]))
        elif there and what < 0.5:
            person = there.pop()
            say(room.custody, person, TRAIN, "withdraw")
            say(room.custody, person, TRAIN, policy=room.policy)  # changed their mind at once
            there.append(person)
        else:
            there.append(room.person())
            some = offers(there[-1], chance.randint(1, 4), 1000 * seed + step)
            room.ledgers.contribute(HEAD, some, policy=room.policy)
    with room.store.read() as conn:
        head = head_of(conn, HEAD)
        again = retrain(conn, room.custody.vault, head, batch=2)
        rows = [row for row in room.given() if row.person in there]
        mine = sums_of(room.start.statistics, list(opened(room.custody.vault, conn, rows)))
    total = again.parts[PARTS[0]] + again.parts[PARTS[1]]
    assert total.digest() == mine.digest()
    for part in PARTS:
        assert again.parts[part].digest() == room.sums(part).digest()
