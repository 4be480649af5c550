"""Workers may die, hang or raise without taking the run along."""

import mmap
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from safelight.pipeline.workers import NOTHING, Mark, Task, run_tasks

TASKS = 6
SIZE = 5


def go(
    work: Any, *, workers: int, stop_after: int = 10**6, seconds: float = 0.0
) -> tuple[list[int], list[tuple[int, str]]]:
    """Run thirty inputs; return those that were done and those that were lost."""
    finished: list[int] = []
    lost: list[tuple[int, str]] = []
    run_tasks(
        [Task(n, range(n * SIZE, n * SIZE + SIZE)) for n in range(TASKS)],
        work,
        workers=workers,
        done=lambda _task, found: finished.extend(found),
        lost=lambda index, how: lost.append((index, how)),
        tick=lambda begun: begun >= stop_after,
        seconds=seconds,
    )
    return sorted(finished), sorted(lost)


def each(task: Task, mark: Mark) -> list[int]:
    """Do every input of a task that is not to be skipped."""
    found = []
    for index in task.inputs:
        if mark.stopping():
            break
        if index not in task.skip:
            mark.at(index)
            found.append(index)
    return found


def dies_at(bad: set[int], how: Any) -> Any:
    def work(task: Task, mark: Mark) -> list[int]:
        for index in task.inputs:
            if index not in task.skip:
                mark.at(index)
                if index in bad:
                    how()
        return each(task, mark)

    return work


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_every_input_is_done_once(workers: int) -> None:
    assert go(each, workers=workers) == (list(range(30)), [])


def test_a_crash_costs_its_input_only() -> None:
    work = dies_at({7, 8, 22}, lambda: os.kill(os.getpid(), signal.SIGKILL))
    finished, lost = go(work, workers=2)
    assert lost == [(7, "signal 9"), (8, "signal 9"), (22, "signal 9")]
    assert finished == [n for n in range(30) if n not in {7, 8, 22}]


def test_a_panic_costs_its_input_only() -> None:
    class Panic(BaseException):
        """What a decoder written in Rust raises: no Exception."""

    def panic() -> None:
        os.close(2)  # its traceback is not part of the test's output
        raise Panic

    finished, lost = go(dies_at({3}, panic), workers=2)
    assert lost == [(3, "exit")]
    assert finished == [n for n in range(30) if n != 3]


def test_an_input_that_takes_too_long_is_given_up() -> None:
    finished, lost = go(dies_at({12}, lambda: time.sleep(60)), workers=2, seconds=0.3)
    assert lost == [(12, "signal 9")]
    assert len(finished) == 29


def test_a_worker_that_dies_at_no_input_does_not_loop() -> None:
    def work(task: Task, mark: Mark) -> list[int]:
        if task.number == 1:
            mark.at(NOTHING)
            os._exit(9)
        return each(task, mark)

    finished, lost = go(work, workers=2)
    assert [index for index, _ in lost] == list(range(5, 10))
    assert len(finished) == 25


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_run_itself_comes_out_whole(workers: int) -> None:
    def work(task: Task, mark: Mark) -> list[int]:
        if task.number == 2:
            raise ValueError("the disk is full")
        return each(task, mark)

    with pytest.raises(ValueError, match="the disk is full"):
        go(work, workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_asking_to_stop_ends_after_the_current_input(workers: int) -> None:
    def slow(task: Task, mark: Mark) -> list[int]:
        found = []
        for index in task.inputs:
            if mark.stopping():
                break
            mark.at(index)
            time.sleep(0.02)
            found.append(index)
        return found

    before = children()  # a decoder or a database server of another test may live on
    finished, lost = go(slow, workers=workers, stop_after=4)
    assert 4 <= len(finished) < 30
    assert lost == []
    assert children() <= before  # no worker is left behind


def test_runs_in_several_threads_do_not_wait_for_each_other() -> None:
    def slow(task: Task, mark: Mark) -> list[int]:
        time.sleep(0.01)
        return each(task, mark)

    ended: list[int] = []
    before = len(os.listdir("/proc/self/fd"))
    threads = [
        threading.Thread(target=lambda: ended.append(len(go(slow, workers=2)[0])), daemon=True)
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert ended == [30] * 4
    assert len(os.listdir("/proc/self/fd")) <= before


def children() -> set[str]:
    """Return the process numbers of this process's children, ended and unclaimed ones too."""
    listed = Path("/proc/self/task").glob("*/children")
    return {number for path in listed for number in path.read_text("ascii").split()}


def test_a_mark_is_never_read_half_written() -> None:
    """Else a busy worker could look late and be ended."""
    memory = mmap.mmap(-1, Mark.size(1))
    began = time.monotonic_ns()
    child = os.fork()
    if child == 0:
        writer = Mark(memoryview(memory).cast("q"), 0)
        for number in range(300_000):
            writer.at(number % 5)
        os._exit(0)
    reader = Mark(memoryview(memory).cast("q"), 0)
    seen = set()
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        index, since, _ = reader.read()
        assert since == 0 or began <= since <= time.monotonic_ns()
        seen.add(index)
    assert seen <= set(range(5))
