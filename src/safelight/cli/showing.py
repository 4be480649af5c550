"""The commands that show: ``inspect``, ``verify``, ``presets`` and ``key``."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click

from safelight import log
from safelight.cli.opening import plain
from safelight.errors import NeedsReviewError, QuarantineError
from safelight.pipeline import targets
from safelight.pipeline.inspect import Inspection, Row
from safelight.pipeline.inspect import inspect as look
from safelight.pipeline.run import make_engine
from safelight.pipeline.verify import Verified
from safelight.pipeline.verify import verify_with as check
from safelight.settings import Settings

if TYPE_CHECKING:
    from safelight.deid.engine import Engine

__all__ = ["inspect", "key_new", "key_show", "presets", "verify"]

_COLOURS: Final = {"-": "red", "~": "yellow", "+": "green", " ": None}
_SIGNS: Final = {"-": "goes", "~": "changes", "+": "comes in", " ": "stays"}
_FINDINGS_SHOWN: Final = 50


def _print(document: dict[str, Any]) -> None:
    click.echo(json.dumps(document, indent=1, sort_keys=True))


def inspect(
    path: str,
    settings: Settings,
    *,
    as_json: bool,
    values: bool,
    everything: bool,
    picture: str = "",
    force: bool = False,
) -> int:
    """Show what a run would do to one file; return the exit code a run would give."""
    targets.check([picture], sources=[path], force=force)
    engine = _engine(settings)
    frame = _Frame(picture, force=force)
    try:
        told = look(path, engine, values=values, show=frame.show if picture else None)
    except (NeedsReviewError, QuarantineError) as error:
        code = 1 if isinstance(error, NeedsReviewError) else 3
        status = "review" if code == 1 else "quarantine"
        if as_json:
            _print(
                {
                    "exit_code": code,
                    "status": status,
                    "reason": error.code,
                    "what": error.what,
                    "place": error.place,
                    "todo": error.unlisted().todo,
                }
            )
        else:
            click.secho(
                error.unlisted().diagnostics(f"{status}: {plain(path)}"), fg="red", err=True
            )
            frame.tell()
        return code
    counts = {word: told.count(sign) for sign, word in _SIGNS.items()}
    if as_json:
        rows = [asdict(row) for row in told.rows if everything or row.sign != " "]
        _print(
            {
                "exit_code": 0,
                "status": "done",
                "kind": told.kind.value,
                "profile": engine.profile.name,
                "counts": counts,
                "rows": rows,
                "notes": told.notes,
            }
        )
        return 0
    _show(told, everything=everything, values=values)
    summary = ", ".join(f"{count} {word}" for word, count in counts.items())
    click.secho(f"{told.kind.value}, profile {engine.profile.name}: {summary}", bold=True)
    for note in told.notes:
        click.echo(f"  note: {note}")
    frame.tell()
    return 0


def _engine(settings: Settings) -> "Engine":
    """Return the engine; a key is not made to look at one file."""
    if not os.path.lexists(settings.key_path):
        click.secho(
            f"there is no project key at {settings.key_path}: pseudonyms are shown as an example",
            fg="yellow",
            err=True,
        )
    return make_engine(settings, keep_key=False)


class _Frame:
    """Writes the picture that a person asked for, and says so."""

    def __init__(self, path: str, *, force: bool) -> None:
        self._path = path
        self._force = force
        self._written = False

    def show(self, when: str, png: bytes) -> None:
        """Write the picture from before, which shows what was found."""
        if when != "before":
            return
        targets.put(self._path, png, force=self._force or self._written)
        self._written = True

    def tell(self) -> None:
        """Say where the picture lies."""
        if self._written:
            click.echo(f"  picture, for your eyes only: {self._path}")
        elif self._path:
            click.echo("  nothing was found in the pixels; no picture was written")


def _show(told: Inspection, *, everything: bool, values: bool) -> None:
    from rich.console import Console  # noqa: PLC0415  # start-up cost
    from rich.table import Table  # noqa: PLC0415  # as above
    from rich.text import Text  # noqa: PLC0415  # as above

    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("", "place", "name", "now" if values else "now (shape)", "then", "why"):
        table.add_column(head, overflow="fold")
    for row in told.rows:
        if row.sign == " " and not everything:
            continue
        style = _COLOURS[row.sign] or ""
        cells = (row.sign, row.place, row.name, row.before, _after(row), row.rule)
        table.add_row(*(Text(cell) for cell in cells), style=style)  # Text: no markup is read
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)


def _after(row: Row) -> str:
    return "(removed)" if row.sign == "-" else row.after


def verify(out: str, settings: Settings, *, as_json: bool, progress: bool) -> int:
    """Check an output folder; return 0 if everything holds, else 3."""
    from safelight.cli.running import Looker, interruptible  # noqa: PLC0415  # beside its use

    log.configure(settings.log_file)
    looker = Looker(bar=progress and not as_json and sys.stderr.isatty())
    try:
        with interruptible(looker):
            result = check(out, settings, looker)
    finally:
        looker.close()
    code = 4 if looker.asked else result.exit_code
    if as_json:
        _print(
            {
                "exit_code": code,
                "holds": result.holds,
                "outputs": result.outputs,
                "lines": result.lines,
                "key_at_hand": result.keyed,
                "findings": result.count,
                "found": [asdict(finding) for finding in result.found],
            }
        )
    else:
        for text, style in _told(result, stopped=looker.asked):
            click.secho(text, err=True, **style)
    return code


def _told(result: Verified, *, stopped: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    for finding in result.found[:_FINDINGS_SHOWN]:
        where = f" at {finding.place}" if finding.place else ""
        name = f"{finding.output}: " if finding.output else ""
        yield f"  {finding.rule:<10} {name}{finding.what}{where}", {"fg": "red"}
    if result.count > _FINDINGS_SHOWN:
        yield f"  and {result.count - _FINDINGS_SHOWN:,} more", {}
    checked = f"{result.outputs:,} outputs and {result.lines:,} manifest lines"
    if stopped:
        yield f"stopped as asked; not all of {checked} were checked", {"fg": "yellow"}
    elif result.holds:
        yield f"everything holds: {checked} checked", {"fg": "green", "bold": True}
    else:
        yield f"{result.count:,} findings in {checked}", {"fg": "red", "bold": True}
    if not result.keyed:
        yield "its project key is not at hand: the lines' MACs were not checked (--key)", {}


def presets(*, as_json: bool) -> None:
    """List the presets."""
    from safelight.deid.profile import PRESETS  # noqa: PLC0415  # start-up cost

    if as_json:
        _print(
            {
                name: {
                    "description": preset.description,
                    "options": [f"{option} {option.meaning}" for option in sorted(preset.options)],
                }
                for name, preset in PRESETS.items()
            }
        )
        return
    width = max(map(len, PRESETS))
    for name, preset in PRESETS.items():
        click.echo(f"{click.style(f'{name:<{width}}', bold=True)}  {preset.description}")


def key_show(settings: Settings, *, as_json: bool) -> None:
    """Show where the key lies and its fingerprint."""
    from safelight.deid.pseudonyms import ProjectKey  # noqa: PLC0415  # start-up cost

    _key(settings.key_path, ProjectKey.load(settings.key_path).fingerprint, as_json=as_json)


def key_new(path: str, *, as_json: bool) -> None:
    """Make a new key file."""
    from safelight.deid.pseudonyms import ProjectKey  # noqa: PLC0415  # start-up cost

    _key(path, ProjectKey.create(path).fingerprint, as_json=as_json)


def _key(path: str, fingerprint: str, *, as_json: bool) -> None:
    if as_json:
        _print({"path": path, "fingerprint": fingerprint})
    else:
        click.echo(f"{path}\nfingerprint {fingerprint}")
