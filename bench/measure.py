"""Running of one whole process: CPU time, wall time, peak memory, outputs counted."""

import os
import resource
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Run", "outputs", "run"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process took.

    Attributes:
        cpu: User and system CPU-seconds, of the process and the children it waited for.
        wall: Seconds from start to end.
        peak: Highest sum of the resident memory of the process and its descendants, in MiB,
            sampled; at least the kernel's own peak of the largest one.
        files: DICOM outputs that exist afterwards.
    """

    cpu: float
    wall: float
    peak: float
    files: int
    code: int


def outputs(folder: Path) -> int:
    """Return how many DICOM files lie under ``folder``."""
    count = 0
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                file.seek(128)
                count += file.read(4) == b"DICM"
    return count


def _tree(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def _resident(pid: int) -> int:
    """Return the resident memory of a process and its descendants, in bytes (shared pages once)."""
    total = 0
    for one in _tree(pid):
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) * 1024
    return total


def run(
    command: Sequence[str],
    target: Path,
    *,
    core: int | None = None,
    log: Path | None = None,
    memory: bool = False,
) -> Run:
    """Run ``command`` to its end, pinned to one core where ``core`` is given.

    The target folder is made new, empty, before; some tools want it to exist.
    """
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    peak = 0
    with (log or Path(os.devnull)).open("wb") as sink:
        start = time.perf_counter()
        pinned = command if core is None else ["taskset", "-c", str(core), *command]
        # as installed programs run: Python may keep the bytecode of its modules
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        child = subprocess.Popen(pinned, stdout=sink, stderr=sink, env=env)
        stop = threading.Event()

        def watch() -> None:
            nonlocal peak
            while not stop.wait(0.05):
                try:
                    peak = max(peak, _resident(child.pid))
                except OSError:
                    continue

        watcher = threading.Thread(target=watch, daemon=True)
        if memory:
            watcher.start()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        stop.set()
        if memory:
            watcher.join()
    child.returncode = os.waitstatus_to_exitcode(status)
    largest = usage.ru_maxrss * 1024 if isinstance(usage, resource.struct_rusage) else 0
    return Run(
        cpu=usage.ru_utime + usage.ru_stime,
        wall=wall,
        peak=max(peak, largest) / (1 << 20),
        files=outputs(target),
        code=child.returncode,
    )
