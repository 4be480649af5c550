"""Time one round over real TLS on this machine: python bench/federated.py [--runs N].

Prints wall-clock seconds from the start of the coordinator to the total, for sites of 512 features.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tests"))

from federated_fixtures import (  # type: ignore[import-not-found]  # tests are no package
    Round,
    papers_in,
)
from safelight.learning.federated.serving import served
from safelight.learning.federated.wire import Wire


def once(sites: int, certificate: str, key: str) -> float:
    """Return the seconds of one round; its total is compared with the central one."""
    made = Round(sites, width=512)
    begun = time.monotonic()
    with served(
        made.coordinator, host="127.0.0.1", port=0, certificate=certificate, key=key
    ) as port:
        wires = {
            name: Wire(f"https://127.0.0.1:{port}", authorities=certificate) for name in made.keys
        }
        made.run(wires)
        took = time.monotonic() - begun
    if made.coordinator.result().digest() != made.central().digest():
        raise SystemExit("the total is not the central one")
    return took


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = papers_in(folder)
        print("sites  median s  slowest s")
        for sites in (2, 3, 10):
            took = sorted(once(sites, certificate, key) for _ in range(runs))
            print(f"{sites:5}  {statistics.median(took):8.2f}  {took[-1]:9.2f}")


if __name__ == "__main__":
    main()
