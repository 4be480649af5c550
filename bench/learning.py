"""Forgetting one person among many: how long until heads, receipt and hashes say so.

Exit code 1 when a bar is missed: the head is updated in less than 1 s, the receipt is there in less
than 60 s. Contributions of made-up features go through the vault, with consent, in batches; then
one person withdraws. Everything runs on one thread (``OPENBLAS_NUM_THREADS=1``). ``--url`` takes a
PostgreSQL database, made anew by whoever runs this.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: more threads are slower here

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from safelight.consent.custody import Custody
from safelight.consent.decision import Said
from safelight.consent.receipts import of_withdrawal
from safelight.learning import removal
from safelight.learning.contributions import Offer
from safelight.learning.examples import Base, role_of
from safelight.learning.ledger import Ledger
from safelight.learning.ledgers import Ledgers, head_of
from safelight.learning.publish import Publisher
from safelight.learning.verify import verify
from safelight.readers.head import Recipe, solve
from safelight.readers.statistics import Statistics
from safelight.store import Store, faults
from safelight.tlog import Log, Signer, receipt
from safelight.vault import MasterKey, Vault

HEAD_SECONDS, RECEIPT_SECONDS = 1.0, 60.0
CLASSES = ("no", "yes")
HEAD = "bench"
PURPOSE = "train-a-model"
POLICY = {
    "name": "bench",
    "title": "Bench",
    "summary": "We learn from made-up images.",
    "withdrawal": "Say so.",
    "jurisdiction": "DE",
    "controller": {"name": "Bench", "address": "Street 1", "contact": "a@example.org"},
    "purposes": [PURPOSE],
    "recipients": [],
    "regions": ["DE"],
    "data": ["images"],
    "retention_days": 1,
    "grace_days": 1,
    "conditions": [],
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--url", default="", help="database; else SQLite in a new folder")
    parser.add_argument("--folder", default=None, help="where the new folder is made")
    parser.add_argument("--verify", action="store_true", help="also train again from what remains")
    return parser.parse_args()


def _images(count: int, width: int, seed: int) -> tuple[Any, list[str]]:
    chance = np.random.default_rng(seed)
    truth = chance.random(count) < 0.5
    rows = chance.normal(0, 300, (count, width))
    rows[:, : width // 8] += np.where(truth, 120, -120)[:, None]
    told = [CLASSES[int(one)] for one in truth]
    return np.clip(np.round(rows), -2047, 2047).astype(np.int16), told


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    made = work()
    return made, time.perf_counter() - start


def _fill(custody: Custody, arguments: argparse.Namespace) -> list[str]:
    """Let people contribute; return their codes."""
    ledgers = Ledgers(custody)
    policy = custody.consents.publish(POLICY, actor="bench")[0].hash
    start = Base.empty("bench-1", CLASSES, arguments.width)
    ledgers.open(HEAD, base=start, recipe=Recipe(ridge=1.0))
    each = arguments.rows // arguments.people
    people: list[str] = []
    for number in range(arguments.people):
        with custody.store.begin() as conn:
            person = custody.vault.create_person(conn)
            custody.consents.record(
                conn, person=person, purpose=PURPOSE, said=Said.GRANT, actor="b", policy=policy
            )
        people.append(person)
        if len(people) % 20 and number + 1 < arguments.people:
            continue
        offers = []
        for giver in people[-(len(people) % 20 or 20) :]:
            rows, labels = _images(each, arguments.width, people.index(giver))
            offers += [
                Offer(person=giver, label=label, features=row, account=f"d:{number % 50}")
                for row, label in zip(rows, labels, strict=True)
            ]
        ledgers.contribute(HEAD, offers, policy=policy)
    return people


def _learner(custody: Custody, people: list[str]) -> str:
    """Return somebody whom the head has learnt from, and who is not only tested on."""
    with custody.store.read() as conn:
        head = head_of(conn, HEAD).id
    return next(one for one in people if role_of(head, one) == "learn")


def _leave(custody: Custody, person: str) -> tuple[float, float, dict[str, Any]]:
    """Withdraw; return seconds until the head is updated, until the receipt, and its facts."""
    marks: dict[str, float] = {}
    own = time.process_time()
    start = time.perf_counter()

    def look(name: str) -> None:
        marks.setdefault(name, time.perf_counter() - start)

    with faults.planned(look):
        wanted = custody.withdrawals.start(person, PURPOSE, actor="bench")
        done = custody.withdrawals.run(wanted)
        data = of_withdrawal(custody, wanted)
    took = time.perf_counter() - start
    receipt.verify(data, custody.log.key)
    print(f"  {time.process_time() - own:8.3f} s of CPU for the whole withdrawal")
    planned = marks["withdraw.planned"]
    print(f"  {marks['withdraw.denied']:8.3f} s  every use denied")
    print(f"  {marks['learning.removal.done'] - planned:8.3f} s  off the sums, all in one commit")
    print(f"  {marks['learning.key.destroyed'] - planned:8.3f} s  earlier sums unreadable")
    print(
        f"  {marks['learning.successor.solved']:8.3f} s  audited, calibrated, nearest cases drawn"
    )
    return marks["learning.removal.done"] - planned, took, done.facts


def _ratio(custody: Custody, arguments: argparse.Namespace) -> tuple[float, float, float]:
    """Return seconds to subtract a person from sums, to solve, and to sum everybody up anew."""
    with custody.store.read() as conn:
        head = head_of(conn, HEAD)
        sums = Ledger(custody.vault, conn, head.id).read("published")
    each = arguments.rows // arguments.people
    mine = _images(each, arguments.width, 1)
    everyone = _images(arguments.rows, arguments.width, 7)
    nothing = Statistics.empty("bench-1", CLASSES, arguments.width)
    subtract = min(_timed(lambda: sums.subtract(*mine))[1] for _ in range(5))
    solving = min(_timed(lambda: solve(sums, head.recipe))[1] for _ in range(3))
    again = min(_timed(lambda: nothing.of(*everyone))[1] for _ in range(2))
    return subtract, solving, again


def main() -> int:
    """Run the bench; print what it took; return 1 when a bar is missed."""
    arguments = _arguments()
    print(f"{arguments.rows:,} x {arguments.width} from {arguments.people:,} people;", end=" ")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {removal.__name__} plugged in")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        store = (
            Store.open(arguments.url, objects=f"{folder}/objects", home=folder)
            if arguments.url
            else Store.at(folder)
        )
        with store:
            vault = Vault(store, MasterKey.generate())
            custody = Custody(vault, Log(store, Signer("log.example.org/bench", bytes(32))))
            people, filling = _timed(lambda: _fill(custody, arguments))
            print(f"  {filling:8.1f} s  contributed, with consent")
            made, training = _timed(lambda: Publisher(vault, custody.log).train(HEAD))
            print(f"  {training:8.1f} s  trained, audited and published: {made.card['audit']}")
            subtract, solving, again = _ratio(custody, arguments)
            off, took, facts = _leave(custody, _learner(custody, people))
            print(f"  {off + solving:8.3f} s  until the head is updated (bar {HEAD_SECONDS})")
            print(f"  {took:8.3f} s  until the receipt (bar {RECEIPT_SECONDS})")
            print(
                f"  {subtract * 1e3:8.1f} ms to subtract, {solving * 1e3:.1f} ms to solve;", end=""
            )
            print(f" to sum everybody anew {again * 1e3:.0f} ms: {again / subtract:.0f} times that")
            last = next(one for one in facts["artefacts"] if one["kind"] == "model")
            print(f"  {last['before']} -> {last['after']}")
            if arguments.verify:
                told, took_again = _timed(lambda: verify(custody, HEAD))
                same = told.problems or "the same hashes"
                print(f"  {took_again:8.1f} s  trained again from what remains: {same}")
    return int(off + solving >= HEAD_SECONDS or took >= RECEIPT_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
