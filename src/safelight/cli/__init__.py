"""The command line: arguments, colours and exit codes; what is done is done by the rooms below.

Each command imports what it needs when it runs, so that ``--help`` and a short run start fast.
"""

import atexit
import errno
import io
import os
import sys
import threading
from typing import Any, Final, NoReturn

import click

from safelight import __version__
from safelight.errors import OutputError, SafelightError, SettingsError

__all__ = ["main"]

_EPILOG: Final = """\b
Exit codes (the highest that applies):
  0  all done
  1  some inputs wait in review
  2  wrong usage: an unknown option, preset or setting
  3  some inputs are in quarantine; for verify: something does not hold
  4  the run could not finish (disk full, key unreadable, interrupted)
"""


# Commands that are imported when they are asked for: name to module.
_ELSEWHERE: Final = {
    "ask": "read",
    "audit": "policies",
    "backup": "custody",
    "consent": "consenting",
    "disclosures": "policies",
    "federate": "federate",
    "feedback": "feedback",
    "forget": "learning",
    "init": "custody",
    "labs": "labs",
    "log": "proofs",
    "model": "learning",
    "people": "consenting",
    "policy": "policies",
    "read": "read",
    "readers": "readers",
    "receipt": "proofs",
    "represent": "feedback",
    "restore": "custody",
    "retention": "ending",
    "rotate": "custody",
    "scoreboard": "feedback",
    "serve": "serve",
    "submit": "custody",
    "train": "learning",
    "withdraw": "consenting",
}


_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class _Main(click.Group):
    """Imports a room's commands when they are wanted; tells a person what went wrong.

    No traceback reaches them: it may hold values.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as the program; then end the process without taking its memory apart.

        What a large run remembers takes a fiftieth of its time to free, and the system frees it
        at once.
        """
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # where a terminal knows few characters
        try:
            return super().__call__(*args, **kwargs)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            _refuse(_unwritten(error))
        except SystemExit as end:
            if not args and not kwargs and isinstance(end.code, int):
                _leave(end.code)
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        room = _ELSEWHERE.get(cmd_name)
        if room is None:
            return super().get_command(ctx, cmd_name)
        from importlib import import_module  # noqa: PLC0415  # beside its one use

        found = getattr(import_module(f"safelight.cli.{room}"), cmd_name)
        return found if isinstance(found, click.Command) else None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SafelightError as error:
            _refuse(error.unlisted())
        except (KeyboardInterrupt, click.Abort) as error:
            _refuse(_stopped(error))
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except Exception as error:  # noqa: BLE001  # its message and traceback may hold values
            if isinstance(error, OSError) and error.errno in _FULL:
                _refuse(_unwritten(error))
            from safelight.pipeline.problem import name_of  # noqa: PLC0415  # rarely needed

            click.echo(
                f"safelight: an unexpected error ended the command ({name_of(error)})\n"
                "  kept: the inputs are untouched; no half-written file was left\n"
                "  to do: report this with the command's options, not with the files",
                err=True,
            )
            sys.exit(4)


def _refuse(error: SafelightError) -> NoReturn:
    """Tell a person what went wrong, and end."""
    click.echo(error.diagnostics("safelight"), err=True)
    sys.exit(2 if isinstance(error, SettingsError) else 4)


def _stopped(error: BaseException) -> SafelightError:
    """Return what is said when somebody pressed Ctrl-C, or did not say yes to a question."""
    if isinstance(error, click.Abort) and not isinstance(error.__context__, KeyboardInterrupt):
        click.echo(err=True)  # the question's line has no end yet
        return SafelightError(
            "nobody said yes, so nothing was done",
            kept="everything is as it was",
            todo="answer y, or give the option that says so (see --help)",
        )
    return SafelightError(
        "stopped as asked",
        kept="what was finished before stays; no half-written file was left",
        todo="give the same command again to go on or to begin anew",
    )


def _unwritten(error: OSError) -> SafelightError:
    """Return what is said when what a command prints, or writes, finds no room."""
    return OutputError(
        f"what the command prints or writes finds no place ({error.strerror})",
        kept="the inputs are untouched; what was finished before stays",
        todo="make room, then give the same command again",
    )


def _leave(code: int) -> None:
    """End the process as the interpreter would; return where that is better left to it."""
    if threading.active_count() > 1:
        return
    atexit._run_exitfuncs()  # noqa: SLF001  # what the interpreter would call
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # a closed pipe: the interpreter says so
    os._exit(code)


def _settings(**given: Any) -> Any:
    from safelight import settings  # noqa: PLC0415  # start-up cost: not for --help

    limits = given.pop("limit", ())
    if given.pop("no_pixels", False):
        given["pixels"] = False
    given["mask"] = ";".join(given.pop("mask", ())) or None
    if limits:
        given["limits"] = settings.parse_limits(limits)
    return settings.load(**given)


_PRESET: Final = click.option(
    "--preset",
    metavar="NAME|FILE.toml",
    help="What to take off and what to keep: a name from 'safelight presets', or a file of yours.",
)
_KEY: Final = click.option(
    "--key",
    "key_file",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Project key. Without it: SAFELIGHT_KEY_FILE, else one of your own, made on first use.",
)
_PIXELS: Final = click.option(
    "--no-pixels",
    "no_pixels",
    is_flag=True,
    help="Leave the pixels as they are: nothing written in them is masked, no face taken off.",
)
_MASK: Final = click.option(
    "--mask",
    multiple=True,
    metavar="X,Y,W,H",
    help="Mask this box in every picture as well, in pixels from the top left. May be given again.",
)
_MASK_FILE: Final = click.option(
    "--mask-file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Boxes to mask by kind of picture: size, maker, model, SOP class.",
)
_LIMIT: Final = click.option(
    "--limit",
    multiple=True,
    metavar="NAME=VALUE",
    help="Raise or lower a limit on one input, e.g. depth_read=32. May be given again.",
)
_JSON: Final = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
)


@click.group(
    cls=_Main,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="safelight", message="%(prog)s %(version)s")
def main() -> None:
    """Take the identity out of medical images first, and prove it."""


@main.command(epilog=_EPILOG)
@click.argument("sources", nargs=-1, required=True, metavar="SRC...", type=click.Path(exists=True))
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    type=click.Path(file_okay=False),
    help="Folder for the outputs; outside of every SRC.",
)
@_PRESET
@_PIXELS
@_MASK
@_MASK_FILE
@click.option(
    "--pictures",
    metavar="DIR",
    type=click.Path(file_okay=False),
    help="Private folder for pictures of what was found, before and after: they show who it is.",
)
@_KEY
@click.option("--workers", type=click.IntRange(0), help="Processes; 0 means one for each core.")
@click.option("--force", is_flag=True, help="Redo what an earlier run has done.")
@_LIMIT
@_JSON
@click.option("--no-progress", is_flag=True, help="Show no progress bar.")
@click.pass_context
def deidentify(
    ctx: click.Context,
    /,
    sources: tuple[str, ...],
    *,
    out: str,
    force: bool,
    as_json: bool,
    no_progress: bool,
    pictures: str | None,
    **given: Any,
) -> None:
    """Take the identity out of files and folders and write the results to OUT.

    Sources are only read. What cannot be handled safely, or not be proven harmless, is listed in
    quarantine or review and not written. A run that was interrupted goes on where it stopped when
    the same command is given again.
    """
    from safelight.cli import running  # noqa: PLC0415  # start-up cost: not for --help

    code = running.deidentify(
        sources,
        out,
        _settings(**given),
        force=force,
        as_json=as_json,
        progress=not no_progress,
        pictures=pictures or "",
    )
    ctx.exit(code)


@main.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@_PRESET
@_PIXELS
@_MASK
@_MASK_FILE
@_KEY
@_LIMIT
@_JSON
@click.option(
    "--show-values",
    is_flag=True,
    help="Show the values themselves, on this terminal only; else their shape, like Xxxx^Xxxx (8).",
)
@click.option("--all", "everything", is_flag=True, help="Show what stays as well.")
@click.option(
    "--pixels",
    "picture",
    metavar="PNG",
    type=click.Path(dir_okay=False),
    help="Write the picture with what was found drawn around: red goes, green stays.",
)
@click.option("--force", is_flag=True, help="Write over a picture that is there.")
@click.pass_context
def inspect(
    ctx: click.Context,
    /,
    file: str,
    *,
    as_json: bool,
    show_values: bool,
    everything: bool,
    picture: str | None,
    force: bool,
    **given: Any,
) -> None:
    """Show what would go (-), change (~), come in (+) and stay in one file. Nothing is written."""
    from safelight.cli import showing  # noqa: PLC0415  # start-up cost: not for --help

    if show_values and (as_json or not sys.stdout.isatty()):
        raise click.UsageError("--show-values shows values on a terminal only")
    ctx.exit(
        showing.inspect(
            file,
            _settings(**given),
            as_json=as_json,
            values=show_values,
            everything=everything,
            picture=picture or "",
            force=force,
        )
    )


@main.command()
@click.argument("out", metavar="OUT", type=click.Path(exists=True, file_okay=False))
@_KEY
@_JSON
@click.option("--no-progress", is_flag=True, help="Show no progress bar.")
@click.pass_context
def verify(
    ctx: click.Context, /, out: str, *, as_json: bool, no_progress: bool, **given: Any
) -> None:
    """Check the outputs in OUT again: what may be left in them, their digests and signatures."""
    from safelight.cli import showing  # noqa: PLC0415  # start-up cost: not for --help

    ctx.exit(showing.verify(out, _settings(**given), as_json=as_json, progress=not no_progress))


@main.command()
@_JSON
def presets(*, as_json: bool) -> None:
    """List the presets and what each is for."""
    from safelight.cli import showing  # noqa: PLC0415  # start-up cost: not for --help

    showing.presets(as_json=as_json)


@main.group()
def key() -> None:
    """Show or make the project key, which every pseudonym and signature derives from."""


@key.command("show")
@_KEY
@_JSON
def key_show(*, as_json: bool, **given: Any) -> None:
    """Show where the key lies and its fingerprint; never the key."""
    from safelight.cli import showing  # noqa: PLC0415  # start-up cost: not for --help

    showing.key_show(_settings(**given), as_json=as_json)


@key.command("new")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False))
@_JSON
def key_new(file: str, *, as_json: bool) -> None:
    """Make a new key in FILE, which must not exist yet."""
    from safelight.cli import showing  # noqa: PLC0415  # start-up cost: not for --help

    showing.key_new(file, as_json=as_json)
