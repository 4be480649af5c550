"""``safelight read`` and ``safelight ask``: readings on a terminal and in files; questions."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli.opening import PLACES, about, panel_of, placed, plain, tell_new_key
from safelight.errors import SettingsError
from safelight.pipeline.targets import check, put

if TYPE_CHECKING:
    from safelight.pipeline.panel import Panel
    from safelight.pipeline.readrun import Outcome, Run
    from safelight.readers.labs import LabReport
    from safelight.readers.reading import Reading
    from safelight.reports.report import Report

__all__ = ["ask", "read"]

_TRIES: Final = 3
_FILE: Final = click.Path(dir_okay=False)
_READ: Final = click.Path(exists=True, dir_okay=False)
_REPORTS: Final = (
    ("report", "out.html", "Write a page for the person, or with --clinician for one."),
    ("pdf", "out.pdf", "Write the same as a PDF."),
    ("sr", "out.dcm", "Write a DICOM Structured Report; numbered where several images were read."),
    ("sc", "out.dcm", "Write a DICOM secondary capture: the picture with what was read."),
    ("fhir", "out.json", "Write a FHIR R4 Bundle."),
)


def _options(command: Any) -> Any:
    for name, metavar, text in reversed(_REPORTS):
        command = click.option(f"--{name}", metavar=metavar, type=_FILE, help=text)(command)
    return command


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="SRC...", type=click.Path(exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@_options
@click.option(
    "--clinician",
    is_flag=True,
    help="Show p-values, maps and hashes, and readers in shadow, marked. Note your own view first.",
)
@click.option("--force", is_flag=True, help="Write over reports that are there.")
@click.option("--every", is_flag=True, help="Read every image of a series of slices.")
@click.option("--preset", metavar="NAME|FILE.toml", help="What is taken off first; see presets.")
@click.option("--key", "key_file", metavar="FILE", type=click.Path(dir_okay=False),
              help="Project key, as for deidentify.")  # fmt: skip
@click.option("--workers", type=click.IntRange(0), help="Processes; 0 means one for each core.")
@click.option("--no-progress", is_flag=True, help="Show no progress bar.")
@placed
@click.pass_context
def read(  # noqa: PLR0913  # one for each option
    ctx: click.Context,
    /,
    sources: tuple[str, ...],
    *,
    as_json: bool,
    clinician: bool,
    force: bool,
    every: bool,
    preset: str | None,
    key_file: str | None,
    workers: int | None,
    no_progress: bool,
    **files: str | None,
) -> None:
    """Say what images are, and what readers see in them or why they do not answer.

    The identity comes off first, in memory, as 'deidentify' takes it off; what waits for review or
    goes to quarantine is listed and not looked at, and nothing is kept. Not a diagnosis. Where
    there is a vault, what its people taught is asked too, as READER@VERSION.
    """
    from safelight import settings  # noqa: PLC0415  # start-up cost
    from safelight.cli.running import Looker, interruptible  # noqa: PLC0415  # as above
    from safelight.pipeline.readrun import Wanted, run  # noqa: PLC0415  # as above

    where = {name: files.pop(name) for name in PLACES}
    targets = {name: path for name, path in files.items() if path}
    _check(targets, sources, force=force)
    wanted = Wanted(
        clinician=clinician,
        every=every,
        sr="sr" in targets,
        sc="sc" in targets,
        fhir="fhir" in targets,
        maps=clinician and bool(targets.keys() & {"report", "pdf"}),
    )
    given = settings.load(preset=preset, key_file=key_file, workers=workers)
    tell_new_key(given.key_file)
    looker = Looker(bar=not no_progress and not as_json and sys.stderr.isatty())
    try:
        with interruptible(looker):
            for _ in range(_TRIES):
                panel = panel_of(where)
                done = run(sources, given, wanted, looker, panel)
                if not panel.learnt - panel_of(where).learnt:
                    break
            else:
                raise SettingsError("versions were withdrawn while this ran", todo="read again")
    finally:
        looker.close()
    report = _report(done, panel, clinician=clinician)
    made = dict(_made(targets, done, report))
    check(made, sources=sources, force=force)  # the numbered ones are known only now
    written = [put(path, data, force=force) for path, data in made.items()]
    if as_json:
        click.echo(json.dumps(_document(done), indent=1, ensure_ascii=True))
    else:
        _show(done, report, written)
    ctx.exit(done.exit_code)


def _check(targets: Mapping[str, str], sources: Sequence[str], *, force: bool) -> None:
    """Refuse an output that is, or lies in, what is read, or that is there already.

    Raises:
        SettingsError: One lies there, or two outputs are one file.
        OutputError: One exists already.
    """
    real = [os.path.realpath(path) for path in targets.values()]
    if len(set(real)) < len(real):
        raise SettingsError("two reports have the same file", todo="give each its own")
    check(targets.values(), sources=sources, force=force)


def _report(done: "Run", panel: "Panel", *, clinician: bool) -> "Report":
    from safelight.reports.cards import facts  # noqa: PLC0415  # as above
    from safelight.reports.report import Entry, Report, Waiting  # noqa: PLC0415  # as above

    return Report(
        entries=tuple(
            Entry(
                number=each.index + 1,
                reading=each.reading,
                images=each.images,
                maps={
                    name.removeprefix("map "): png
                    for name, png in each.made.items()
                    if name.startswith("map ")
                },
            )
            for each in done.outcomes
            if each.reading is not None
        ),
        waiting=tuple(
            Waiting(
                number=each.index + 1,
                status=each.problem.status.value,
                what=each.problem.what,
                todo=each.problem.todo,
            )
            for each in done.outcomes
            if each.problem is not None
        ),
        clinician=clinician,
        facts={reader.name: facts(reader.card) for reader in panel.registry.readers},
    )


def _made(targets: Mapping[str, str], done: "Run", report: "Report") -> Iterator[tuple[str, bytes]]:
    """Make what was asked for; yield paths with their bytes."""
    for name, path in targets.items():
        if name == "report":
            from safelight.reports.page import page  # noqa: PLC0415  # start-up cost

            yield path, page(report).encode("utf-8", "replace")
        elif name == "pdf":
            from safelight.reports.pdf import pdf  # noqa: PLC0415  # start-up cost

            yield path, pdf(report)
        else:
            made = [(each.index, each.made[name]) for each in done.outcomes if name in each.made]
            stem, end = os.path.splitext(path)
            for index, data in made:
                numbered = f"{stem}-{index + 1:04d}{end}"
                yield path if len(made) == 1 else numbered, data


def _document(done: "Run") -> dict[str, Any]:
    """Return the JSON document; inputs are named by number and code, never by path."""
    from safelight.readers.reading_json import as_json  # noqa: PLC0415  # start-up cost

    inputs: list[dict[str, Any]] = []
    for each in done.outcomes:
        told: dict[str, Any] = {"input": each.index + 1, "code": each.code}
        if each.problem is not None:
            told |= {
                "status": each.problem.status.value,
                "reason": each.problem.reason,
                "what": each.problem.what,
                "place": each.problem.place,
                "todo": each.problem.todo,
            }
        elif each.reading is not None:
            told |= {"status": "read", "images": each.images, "reading": as_json(each.reading)}
            if each.failed:
                told["not_made"] = dict(each.failed)
        else:
            told |= {"status": "same series", "read_as": (each.by or 0) + 1}
        inputs.append(told)
    return {"format": "safelight-readings", "exit_code": done.exit_code, "inputs": inputs}


def _show(done: "Run", report: "Report", written: Sequence[str]) -> None:
    """Print what was read, one input after the other."""
    from safelight.cli.reading import lines  # noqa: PLC0415  # start-up cost

    for each in done.outcomes:
        if each.reading is None and each.problem is None:
            continue
        click.secho(plain(done.paths[each.index]), bold=True)
        for text, style in _lines_of(each, report, lines):
            click.secho(f"  {text}", **style)
    for path in written:
        click.secho(f"written: {path}", err=True)
    if not done.finished:
        click.secho("stopped as asked; nothing was kept", fg="yellow", err=True)


def _lines_of(
    each: "Outcome", report: "Report", lines: Any
) -> Iterator[tuple[str, dict[str, Any]]]:
    if each.problem is not None:
        place = f" at {each.problem.place}" if each.problem.place else ""
        colour = "yellow" if each.problem.status.value == "review" else "red"
        yield f"{each.problem.status.value}: {each.problem.what}{place}", {"fg": colour}
        if each.problem.todo:
            yield f"to do: {each.problem.todo}", {"dim": True}
    else:
        entry = next(one for one in report.entries if one.number == each.index + 1)
        yield from lines(entry, report)
        for name, why in each.failed.items():
            yield f"no {name}: {why}", {"fg": "yellow"}


@click.command()
@click.argument("question", required=False, default="", metavar="[QUESTION]")
@click.option("--reading", "file", metavar="FILE", type=_READ, help="What read --json printed.")
@click.option("--labs", metavar="FILE", type=_READ, help="Lab results, as for labs.")
@click.option("--sex", type=click.Choice(["F", "M"], case_sensitive=False), help="For lab limits.")
@click.option("--age", type=click.FloatRange(0, 130), metavar="N", help="In years, likewise.")
@click.option("--input", "number", type=click.IntRange(1), metavar="N", help="Which input; the "
              "first that was read unless given.")  # fmt: skip
@click.option("--clinician", is_flag=True, help="Tell of readers in shadow as well, marked.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def ask(  # one for each option
    *,
    question: str,
    file: str | None,
    labs: str | None,
    sex: str | None,
    age: float | None,
    number: int | None,
    clinician: bool,
    as_json: bool,
) -> None:
    """Answer a question about a reading and lab results, from facts alone.

    Every sentence names its facts. Without a question, or where it is not understood, what can be
    asked is listed.
    """
    from safelight.readers.registry import registry  # noqa: PLC0415  # start-up cost
    from safelight.reports.ask import Known, gather  # noqa: PLC0415  # as above
    from safelight.reports.ask import ask as answer  # noqa: PLC0415  # as above
    from safelight.reports.cards import sentences  # noqa: PLC0415  # as above

    reading, results = None, None
    if file:
        with about(file):
            reading = _reading(file, number)
    if labs:
        with about(labs):
            results = _labs(labs, sex or "", age)
    known = Known(
        reading=reading,
        labs=results,
        cards={each.name: tuple(sentences(each.card)) for each in registry().readers},
        clinician=clinician,
    )
    reply = answer(question, gather(known))
    if as_json:
        said = [{"text": each.text, "facts": list(each.facts)} for each in reply.said]
        told = {"intent": reply.intent, "sentences": said, "menu": list(reply.menu)}
        click.echo(json.dumps(told, indent=1, ensure_ascii=True))
        return
    for each in reply.said:
        click.echo(each.text + click.style(f" [{', '.join(each.facts)}]", dim=True))
    if reply.menu:
        click.echo("That is not answered here. You can ask:" if question else "You can ask:")
        for line in reply.menu:
            click.echo(f"  {line}")


def _reading(path: str, number: int | None) -> "Reading":
    """Return the reading that a file of ``read --json`` holds.

    Raises:
        SettingsError: There is none, or not of this input.
    """
    from safelight.pipeline.inspect import read_file  # noqa: PLC0415  # start-up cost
    from safelight.readers.reading_json import from_json, parsed  # noqa: PLC0415  # as above

    document = parsed(read_file(path))
    if document.get("format") != "safelight-readings":
        return from_json(document)
    inputs = document.get("inputs")
    for each in inputs if isinstance(inputs, list) else []:
        if isinstance(each, dict) and "reading" in each and number in {None, each.get("input")}:
            return from_json(each["reading"])
    raise SettingsError("no such input was read", todo="see the numbers in the file; --input N")


def _labs(path: str, sex: str, age: float | None) -> "LabReport":
    """Return the lab results of a file.

    Raises:
        SettingsError: They are of several people; questions are asked about one's own.
    """
    from safelight.cli.labs import source  # noqa: PLC0415  # start-up cost
    from safelight.readers.labs import read as read_labs  # noqa: PLC0415  # as above

    report = read_labs(**source(path), sex=sex, age=age)
    if len({each.row.person for each in report.results}) > 1:
        raise SettingsError(
            "the file holds results of more than one person", todo="give those of one person alone"
        )
    return report
