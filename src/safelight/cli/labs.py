"""The command that reads lab results: ``labs``."""

import json
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli.opening import about
from safelight.errors import NeedsReviewError, SettingsError

if TYPE_CHECKING:
    from safelight.readers.labs import LabReport

__all__ = ["labs", "source"]

_STYLES: Final = {
    "low": "yellow",
    "high": "yellow",
    "critical-low": "bold red",
    "critical-high": "bold red",
    "withheld": "magenta",
    "no-range": "dim",
}


def source(path: str) -> dict[str, Any]:
    """Return what the lab reader wants to know of a file.

    A PDF is de-identified first. One that cannot be (a scan, a form) is read as pictures, as a
    photograph is: nothing but numbers and words of our own tables is taken over.
    """
    from safelight.pipeline.inspect import read_file  # noqa: PLC0415  # start-up cost

    data = read_file(path)
    if b"%PDF-" not in data[:1024]:
        return {"data": data}
    from safelight.api import deidentify  # noqa: PLC0415  # start-up cost

    try:
        return {"data": deidentify(data).bytes, "uncleaned": data}
    except NeedsReviewError:
        return {"data": data, "scanned": True}


def _text(path: str) -> str:
    """Return a site's file.

    Raises:
        SettingsError: It is no text.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        raise SettingsError(
            "the file of site limits cannot be read", todo="give a TOML file in UTF-8"
        ) from None


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@click.option("--fhir", "as_fhir", is_flag=True, help="Print a FHIR R4 Bundle and nothing else.")
@click.option("--sex", type=click.Choice(["F", "M"], case_sensitive=False), help="Of the person.")
@click.option("--age", type=click.FloatRange(0, 130), metavar="N", help="Of the person, in years.")
@click.option(
    "--pregnant",
    type=click.IntRange(0, 3),
    metavar="N",
    help="Third of the pregnancy, 1 to 3; 0 when not pregnant.",
)
@click.option(
    "--sites",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Limits of your own laboratory (TOML); they stand before the cited ones.",
)
@click.option(
    "--before",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="An earlier report of the same person, to compare with.",
)
@click.pass_context
def labs(  # noqa: PLR0913  # one for each option
    ctx: click.Context,
    /,
    file: str,
    *,
    as_json: bool,
    as_fhir: bool,
    sex: str | None,
    age: float | None,
    pregnant: int | None,
    sites: str | None,
    before: str | None,
) -> None:
    """Read lab results and say how each lies to its range.

    FILE is FHIR R4 JSON, HL7 v2, a table (CSV), a PDF, or a photograph or scan of the paper.

    What cannot be read for certain is refused, and what does not fit gets no flag. Names, numbers
    and dates that could identify somebody are not taken over. It is not a diagnosis.

    Exit code 1 where a result was refused or withheld, 4 where a file cannot be read as results.
    """
    from safelight.readers.labs import limits, out, read  # noqa: PLC0415  # start-up cost

    own, earlier = "", None
    if sites:
        with about(sites):
            own = _text(sites)
            limits.book(own)
    if before:
        with about(before):
            earlier = source(before)["data"]
            read(earlier)
    with about(file):
        report = read(
            **source(file),
            sex=sex or "",
            age=age,
            trimester=pregnant,
            sites=own,
            before=earlier,
        )
    if as_json or as_fhir:
        document: dict[str, Any] = out.as_fhir(report) if as_fhir else out.as_json(report)
        click.echo(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        _show(report)
    if not report.results and not report.refusals:
        click.secho("no lab result was found in this file", fg="yellow", err=True)
        ctx.exit(1)
    ctx.exit(1 if report.refusals or any(each.flag == "withheld" for each in report.results) else 0)


def _show(report: "LabReport") -> None:
    from rich.console import Console  # noqa: PLC0415  # start-up cost
    from rich.table import Table  # noqa: PLC0415  # as above
    from rich.text import Text  # noqa: PLC0415  # as above

    from safelight.readers.labs import words  # noqa: PLC0415  # as above

    urgent = [each for each in report.sentences if each.template in words.URGENT]
    for said in urgent:
        click.secho(said.text, fg="red", bold=True)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("", "test", "result", "range", "flag", "why"):
        table.add_column(head, overflow="fold")
    apart = words.differences(report.results)
    for each in report.results:
        why = "; ".join(words.reason(reason) for reason in each.reasons) or each.source
        table.add_row(
            each.row.id,
            Text(words.name_of(each, apart)),
            Text(words.shown_value(each)),
            Text(words.shown_range(each.span)),
            Text(each.flag.value, style=_STYLES.get(each.flag.value, "")),
            Text(why),
        )
    Console().print(table)
    for said in report.sentences:
        if said not in urgent:
            click.echo(f"{said.text} [{', '.join(said.rows)}]")
    click.secho(words.LOINC_NOTICE, dim=True)
