"""``safelight deidentify``: progress, interruption, and what is said at the end."""

import gc
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import click

from safelight import log
from safelight.cli.opening import plain, tell_new_key
from safelight.pipeline.run import Request, Summary, run
from safelight.settings import Settings

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["Looker", "deidentify", "interruptible"]

_SHOWN_EVERY: Final = 0.1  # seconds
_STAGES: Final = {
    "list": "Listing",
    "survey": "Reading headers",
    "deidentify": "De-identifying",
    "report": "Writing the report",
    "verify": "Checking",
    "read": "Reading",
}


class Looker:
    """Watches a run: shows a bar on a terminal, and passes on that a person wants to stop."""

    def __init__(self, *, bar: bool) -> None:
        self.asked = False
        self._shown = 0.0
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        if bar:
            self._progress = _make_progress()
            self._progress.start()

    def stage(self, name: str, total: int) -> None:
        """Show the next step."""
        if self._progress is None:
            return
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._task = self._progress.add_task(_STAGES.get(name, name), total=total or None)
        self._progress.refresh()

    def advance(self, begun: int) -> bool:
        """Show how far the step is, ten times a second at most."""
        if self._progress is not None and self._task is not None:
            now = time.monotonic()
            if now - self._shown >= _SHOWN_EVERY:
                self._shown = now
                self._progress.update(self._task, completed=begun)
                self._progress.refresh()
        return self.asked

    def close(self) -> None:
        """Take the bar off the terminal."""
        if self._progress is not None:
            self._progress.stop()


def _make_progress() -> "Progress":
    from rich.console import Console  # noqa: PLC0415  # start-up cost: on a terminal only
    from rich.progress import (  # noqa: PLC0415  # as above
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        auto_refresh=False,  # its thread must not be there when workers are forked
        transient=True,
    )


@contextmanager
def interruptible(looker: Looker) -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into a request to stop; a second one ends at once."""

    def ask(number: int, _frame: FrameType | None) -> None:
        if looker.asked:
            raise KeyboardInterrupt
        looker.asked = True
        del number

    before = {each: signal.signal(each, ask) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def deidentify(
    sources: Sequence[str],
    out: str,
    settings: Settings,
    *,
    force: bool,
    as_json: bool,
    progress: bool,
    pictures: str = "",
) -> int:
    """Run, tell how it ended, return the exit code."""
    # What a run remembers are values without cycles; looking through them again and again for
    # garbage costs a tenth of its time.
    gc.freeze()
    gc.set_threshold(500_000, 20, 100)
    log.configure(settings.log_file)
    tell_new_key(settings.key_file)
    looker = Looker(bar=progress and not as_json and sys.stderr.isatty())
    request = Request(sources=sources, out=out, settings=settings, force=force, pictures=pictures)
    try:
        with interruptible(looker):
            summary = run(request, looker)
    finally:
        looker.close()
    if as_json:
        document = {"exit_code": summary.exit_code, "report_file": summary.report, **summary.data}
        click.echo(json.dumps(document, indent=1, sort_keys=True))
    else:
        for text, style in tell(summary):
            click.secho(text, err=True, **style)
    return summary.exit_code


def tell(summary: Summary) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the lines that a person reads at the end, each with its style."""
    data = summary.data
    if data:
        parts = [f"{data['done']:,} done"]
        if data["from_earlier_runs"]:
            parts[0] += f" ({data['from_earlier_runs']:,} by an earlier run)"
        parts += [
            f"{data[status]:,} {words}"
            for status, words in (("review", "for review"), ("quarantine", "in quarantine"))
            if data[status]
        ]
        yield (
            f"{summary.inputs:,} inputs in {summary.seconds:.1f} s: {', '.join(parts)}",
            {"bold": True},
        )
    for path, line in summary.waiting:
        colour = "yellow" if line["status"] == "review" else "red"
        place = f" at {line['place']}" if line["place"] else ""
        yield f"  {line['status']:<10} {plain(path)}: {line['what']}{place}", {"fg": colour}
    more = data.get("review", 0) + data.get("quarantine", 0) - len(summary.waiting)
    if more > 0:
        yield f"  and {more:,} more: see the report", {}
    if summary.report:
        yield f"report: {summary.report}", {}
    if summary.pictures:
        yield f"before and after, for your eyes only: {summary.pictures}", {}
    if summary.failed:
        yield summary.failed.diagnostics("safelight"), {"fg": "red"}
    elif not summary.finished:
        yield "stopped as asked; the same command goes on where it stopped", {"fg": "yellow"}
