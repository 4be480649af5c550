"""Submissions a minute from several clients at once, on SQLite, with de-identification stubbed out.

Each client is a process: it hands in files one by one for a person of its own and works on what
waits, through the same code as ``safelight submit``: encrypted quarantine, consent asked, lineage,
log, leases, original deleted. Afterwards every submission must be done and every result readable.

Usage: python bench/submissions.py [--clients 8] [--seconds 30] [--bytes 65536] [--dir DIR]
"""

import argparse
import json
import multiprocessing
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from safelight.consent.decision import Said
from safelight.pipeline import submissions as rows
from safelight.pipeline.house import House, Places
from safelight.pipeline.problem import Problem
from safelight.pipeline.submit import submit
from safelight.pipeline.work import DEIDENTIFIED, Cleaned, Opener, Worker

POLICY = {
    "name": "bench",
    "title": "Measuring",
    "summary": "Files of random bytes.",
    "withdrawal": "Delete the folder.",
    "jurisdiction": "DE",
    "controller": {"name": "Bench", "address": "Here", "contact": "a@example.org"},
    "purposes": ["care"],
    "recipients": [],
    "regions": ["DE"],
    "data": ["images"],
    "retention_days": 1,
    "grace_days": 1,
    "conditions": [],
}


class Stub:
    """Gives every file back as it came: what is measured is everything around it."""

    def clean(
        self, files: Sequence[tuple[int, str, Opener]], wanted: frozenset[int]
    ) -> Iterator[tuple[int, Cleaned | Problem]]:
        """Yield each file as its own outcome."""
        for position, _path, opener in files:
            if position in wanted:
                opener()
                yield position, Cleaned(parts=[b"cleaned"], manifest=b"{}")


def client(  # what one client needs to know
    places: Places, number: int, policy: str, seconds: float, size: int, told: str, start: Any
) -> None:
    """Hand in and work until the time is over."""
    folder = Path(told).parent / f"client{number}"
    folder.mkdir()
    made, slowest = 0, 0.0
    with House.open(places) as house:
        with house.store.begin() as conn:
            person = house.vault.create_person(conn)
            house.custody.consents.record(
                conn, person=person, purpose="care", said=Said.GRANT, actor="bench:1", policy=policy
            )
        worker = Worker(house.vault, Stub(), witness=house.witness)
        start.wait()  # until every client has imported and opened everything
        first, spent = time.monotonic(), time.process_time()
        while time.monotonic() - first < seconds:
            path = folder / f"{made}.bin"
            path.write_bytes(secrets.token_bytes(size))
            began = time.monotonic()
            use = ("care", policy)
            submit(house.vault, [str(path)], person=person, use=use, witness=house.witness)
            worker.run(1)
            slowest = max(slowest, time.monotonic() - began)
            path.unlink()
            made += 1
        took, cpu = time.monotonic() - first, time.process_time() - spent
    Path(told).write_text(
        json.dumps({"made": made, "slowest": slowest, "took": took, "cpu": cpu}), "utf-8"
    )


def check(places: Places, made: int) -> None:
    """Say whether everything that was handed in is done and can be read."""
    with House.open(places) as house:
        Worker(house.vault, Stub(), witness=house.witness).run()
        with house.store.read() as conn:
            found = rows.standing(conn)
        lost = made - len(found)
        undone = sum(each.state != "done" or each.items != {"done": 1} for each in found)
        unread = 0
        for each in found:
            data = house.vault.get(each.person, DEIDENTIFIED, rows.object_name(each.submission, 0))
            unread += b"".join(data) != b"cleaned"
        holds = house.custody.log.verify().holds
    print(f"lost {lost}, not done {undone}, unreadable {unread}, log holds: {holds}")
    if lost or undone or unread or not holds:
        sys.exit(1)


def main() -> None:
    """Run the clients and print the rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--bytes", type=int, default=1 << 16)
    parser.add_argument("--dir", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.dir or None) as folder:
        places = Places(data=os.path.join(folder, "data"), master_key=f"{folder}/k/master.key")
        with House.create(places) as house:
            policy = house.custody.consents.publish(POLICY, actor="bench:1")[0].hash
        context = multiprocessing.get_context("spawn")
        start = context.Barrier(given.clients)
        told = [os.path.join(folder, f"{number}.json") for number in range(given.clients)]
        running = [
            context.Process(
                target=client,
                args=(places, number, policy, given.seconds, given.bytes, path, start),
            )
            for number, path in enumerate(told)
        ]
        for one in running:
            one.start()
        for one in running:
            one.join()
        results = [json.loads(Path(path).read_text("utf-8")) for path in told]
        made = sum(result["made"] for result in results)
        slowest = max(result["slowest"] for result in results)
        took = max(result["took"] for result in results)
        cpu = sum(result["cpu"] for result in results)
        print(
            f"{given.clients} clients, {made} submissions of {given.bytes} bytes in {took:.1f} s:"
            f" {made / took * 60:,.0f} a minute; slowest {slowest:.2f} s;"
            f" {cpu / made * 1000:.0f} ms of CPU each;"
            f" load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        )
        check(places, made)


if __name__ == "__main__":
    main()
