"""Time the scoreboard and the labels over many cases: python bench/feedback.py [--people N].

Fills a store (SQLite, in a temporary folder) with people, one case each, three voices on each case,
written as the book writes them, and prints seconds.
"""

import argparse
import json
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert

from safelight.consent.custody import Custody
from safelight.feedback import Book, Facts, Told
from safelight.feedback.scoreboard import Scoreboard
from safelight.store import Store
from safelight.store.ids import new_id
from safelight.store.schema.feedback import answers, cases, entries
from safelight.tlog import Log, Signer
from safelight.vault import MasterKey, Vault

ABOUT = "SCT:128477000"
POLICY = "sha256:" + "0" * 64


def fill(custody: Custody, people: int) -> None:
    """Write cases, answers and voices; consent and the log have benches of their own."""
    vault, now = custody.vault, custody.store.clock.now()
    with custody.store.begin() as conn:
        for number in range(people):
            person, case = vault.create_person(conn), new_id()
            truth = "seen" if number % 2 else "not seen"
            told = Told(
                reader="chest-opacity",
                version="1",
                about=ABOUT,
                answer=truth if number % 10 else "seen",
                alpha=0.1,
                p_seen=0.5,
                p_not_seen=0.5,
                score=number / people,
            )

            def seal(kind: str, name: str, value: dict[str, Any], who: str = person) -> bytes:
                return vault.seal_small(who, kind, name, json.dumps(value).encode(), conn)

            about = {"id": case, "person": person, "at": now, "purpose": "care", "policy": POLICY}
            kept = {
                "digest": secrets.token_hex(32),
                "look": secrets.token_hex(128),
                "facts": asdict(Facts(site=f"site-{number % 5}", age=float(number % 90), sex="F")),
                "leaf": "",
            }
            sealed = seal("feedback-case", case, kept)
            conn.execute(insert(cases).values(**about, artefact="", sealed=sealed, entry=0))
            said = seal("feedback-answers", f"{case}/{now.isoformat()}", {"told": [asdict(told)]})
            conn.execute(insert(answers).values(case=case, person=person, at=now, sealed=said))
            for account in range(3):
                name = new_id()
                value = {
                    "voice": "clinician",
                    "basis": "own reading",
                    "verdict": "right",
                    "reader": "chest-opacity",
                    "version": "1",
                    "shown": told.answer,
                    "truth": truth,
                    "readers": 1,
                    "swayed": False,
                    "region": [],
                    "text": "",
                    "leaf": "",
                }
                row = {"id": name, "case": case, "person": person, "about": ABOUT, "at": now}
                sealed = seal("feedback", name, value)
                conn.execute(
                    insert(entries).values(**row, account=f"c{account}", sealed=sealed, entry=0)
                )  # one row


def timed(call: Callable[[], object], runs: int = 3) -> float:
    """Return the median seconds of a call."""
    took = []
    for _ in range(runs):
        begun = time.monotonic()
        call()
        took.append(time.monotonic() - begun)
    return statistics.median(took)


def main() -> None:
    """Fill, time and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=5_000)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as folder, Store.at(os.path.join(folder, "data")) as store:
        key = os.path.join(folder, "master.key")
        vault = Vault(store, MasterKey.create(key))
        signer = Signer.load_or_create(os.path.join(folder, "log.key"))
        custody = Custody(vault, Log(store, signer))
        begun = time.monotonic()
        fill(custody, people)
        print(f"filled with {people} people, {3 * people} voices: {time.monotonic() - begun:.1f} s")
        book = Book(custody)
        board = Scoreboard(custody, book)
        with store.read() as conn:
            print(f"labels      {timed(lambda: list(book.labels(conn, 'chest-opacity'))):.2f} s")
            print(f"scoreboard  {timed(lambda: board.public(conn)):.2f} s")


if __name__ == "__main__":
    main()
