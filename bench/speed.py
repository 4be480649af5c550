"""Speed beside other tools: the same files in one run, whole process, one core, start-up included.

Writes ``bench/results/speed.json`` and ``speed.md``. Exit code 1 when a bar is missed: 8 times
dicom-anonymizer's files per CPU-second, 1.0 times gdcmanon's, 1.8 times in wall time with two
workers.
"""

import argparse
import datetime as dt
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from corpus.score import Score, load, score
from data import generate
from measure import Run, run
from peers import CACHE, Tool, installed, interpreter, tools

RESULTS = Path(__file__).resolve().parent / "results"
SAMPLE = 90
_FILE_BYTES = 200_000  # of a file of the bench, about
_ROOM = 4  # outputs of one run that must find room beside those that are kept
_MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--reps", type=int, default=3)
    parser.add_argument("--only", action="append", default=[], help="name prefix of a peer")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--no-score", action="store_true")
    parser.add_argument("--no-workers", action="store_true", help="leave out the two-worker runs")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args()


def _workspace(files: int) -> Path:
    """Return where outputs are written: memory where it has room, so that no disk decides."""
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > files * _FILE_BYTES * _ROOM
    # two benches at once must not share it
    return (_MEMORY if roomy else CACHE) / f"safelight-bench-{os.getpid()}"


def _fresh(work: Path, files: int) -> Path:
    """Return a folder that is not there yet.

    In memory the outputs before it are removed, and as much is written and removed once more: a
    virtual machine gives back what lay free for a while, and would charge whoever writes next.
    On a disk outputs stay until the end while there is room: ext4 passes over inodes that were
    deleted a moment ago one by one, which charges whoever writes next up to 0.5 ms a file.
    """
    work.mkdir(parents=True, exist_ok=True)
    in_memory = work.parent == _MEMORY
    if in_memory or shutil.disk_usage(work).free < files * _FILE_BYTES * _ROOM:
        shutil.rmtree(work)
        work.mkdir()
    if in_memory:
        warm = work / "warm"
        with warm.open("wb") as file:
            for _ in range(files):
                file.write(bytes(_FILE_BYTES))
        warm.unlink()
    return work / f"out-{len(list(work.iterdir()))}"


def _scored(tool: Tool, work: Path) -> Score:
    """Return the score of a small untimed run of the same kind of files."""
    sample = generate(CACHE / f"sample-{SAMPLE}", files=SAMPLE, seed=6)
    target = work / "scored"
    run(tool.command(sample, target), target)
    key, source = load(sample)
    result = score(key, source, target)
    shutil.rmtree(target)
    return result


def _row(tool: Tool, runs: list[Run], files: int, result: Score | None) -> dict[str, Any]:
    cpu = statistics.median(one.cpu for one in runs)
    row: dict[str, Any] = {
        "tool": tool.name,
        "files_written": min(one.files for one in runs),
        "cpu_seconds": round(cpu, 3),
        "cpu_all": [round(one.cpu, 3) for one in runs],
        "wall_seconds": round(statistics.median(one.wall for one in runs), 3),
        "files_per_cpu_second": round(files / cpu, 1),
        "exit_codes": sorted({one.code for one in runs}),
    }
    if result is not None:
        planted = sum(result.planted.values())
        relations = result.relations
        row |= {
            "needles": planted,
            "left": sum(result.left.values()) + len(result.side_leaks),
            "useful_kept": round(result.useful_kept / max(1, result.useful_total), 4),
            "descriptors_kept": round(
                result.descriptors_kept / max(1, result.descriptors_total), 4
            ),
            "people": f"{relations['people_good']}/{relations['people_total']}",
            "intervals": f"{relations['intervals_good']}/{relations['intervals_total']}",
        }
    return row


def _table(rows: list[dict[str, Any]], files: int) -> str:
    base = rows[0]["files_per_cpu_second"]
    lines = [
        (
            "| tool | files written | files per CPU-second | ours is so many times this "
            "| needles left | useful kept | people | intervals |"
        ),
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        left = (
            f"{row['left']} ({row['left'] / max(1, row['needles']):.1%})" if "left" in row else "-"
        )
        useful = f"{row['useful_kept']:.1%}" if "useful_kept" in row else "-"
        lines.append(
            f"| {row['tool']} | {row['files_written']}/{files} | {row['files_per_cpu_second']} "
            f"| {base / row['files_per_cpu_second']:.2f} | {left} | {useful} "
            f"| {row.get('people', '-')} | {row.get('intervals', '-')} |"
        )
    return "\n".join(lines)


def _workers(source: Path, work: Path, files: int, reps: int) -> dict[str, float]:
    """Return wall seconds with one and two workers, medians of interleaved runs, not pinned."""
    walls: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(reps):
        for count, found in walls.items():
            tool = installed(count)
            target = _fresh(work, files)
            found.append(run(tool.command(source, target), target).wall)
    one, two = statistics.median(walls[1]), statistics.median(walls[2])
    return {"wall_1": round(one, 3), "wall_2": round(two, 3), "ratio": round(one / two, 2)}


def _bars(rows: list[dict[str, Any]], workers: dict[str, float]) -> list[tuple[str, float, float]]:
    speed = {row["tool"].split()[0]: row["files_per_cpu_second"] for row in rows}
    own = rows[0]["files_per_cpu_second"]
    found = []
    for peer, bar in (("dicom-anonymizer", 8.0), ("gdcmanon", 1.0)):
        if peer in speed:
            found.append((f"files per CPU-second over {peer}", own / speed[peer], bar))
    if workers:
        found.append(("wall time, two workers over one", workers["ratio"], 1.8))
    return found


def _version() -> str:
    """Return which Python the tools written in it ran on."""
    told = subprocess.run([interpreter(), "-VV"], check=True, capture_output=True, text=True)
    return f"{interpreter()}: {' '.join(told.stdout.split())}"


def main() -> int:
    """Measure, print, write; return 1 when a bar is missed."""
    args = _arguments()
    work = _workspace(args.files)
    source = generate(CACHE / f"data-{args.files}", files=args.files)
    crowd = tools(set(args.only))
    runs: dict[str, list[Run]] = {tool.name: [] for tool in crowd}
    for rep in range(args.reps):
        for tool in crowd:
            target = _fresh(work, args.files)
            one = run(
                tool.command(source, target), target, core=args.core, log=work.with_suffix(".log")
            )
            runs[tool.name].append(one)
            took = f"{one.cpu:.2f} CPU-s, {one.files} files, exit {one.code}"
            print(f"{rep + 1}/{args.reps} {tool.name}: {took}")
    results = {
        tool.name: None if args.no_score or "pydicom" in tool.name else _scored(tool, work)
        for tool in crowd
    }
    rows = [_row(tool, runs[tool.name], args.files, results[tool.name]) for tool in crowd]
    workers = {} if args.no_workers else _workers(source, work, args.files, args.reps)
    shutil.rmtree(work, ignore_errors=True)
    work.with_suffix(".log").unlink(missing_ok=True)
    bars = _bars(rows, workers)
    table = _table(rows, args.files)
    notes = [f"- {what}: {value:.2f} (bar {bar})" for what, value, bar in bars]
    head = f"{args.files} files, median of {args.reps}, {_version()}, {os.cpu_count()} cores"
    print(head, table, *notes, sep="\n")
    args.results.mkdir(parents=True, exist_ok=True)
    when = dt.datetime.now(tz=dt.UTC).strftime("%Y-%m-%d")
    body = {"when": when, "files": args.files, "rows": rows, "workers": workers, "bars": bars}
    (args.results / "speed.json").write_text(json.dumps(body, indent=1) + "\n")
    (args.results / "speed.md").write_text(
        f"{when}: {head}\n\n{table}\n\n" + "\n".join(notes) + "\n"
    )
    return 0 if all(value >= bar for _, value, bar in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
