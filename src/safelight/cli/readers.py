"""``safelight readers``: which readers there are, what their cards say, and how to make one."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from safelight.cli.opening import panel_of, placed
from safelight.errors import SettingsError
from safelight.pipeline import targets

if TYPE_CHECKING:
    from safelight.pipeline.panel import Panel
    from safelight.readers.card import Card, Interval
    from safelight.readers.contract import Reader
    from safelight.readers.gate import Verdict
    from safelight.readers.gate_check import Made
    from safelight.readers.reading import State
    from safelight.readers.recipes import ReaderRecipe

__all__ = ["readers"]

_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="Folder with labels.csv and the images it names.",
)
_RECIPE = click.option(
    "--recipe",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Your own file of recipes, instead of the package's.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_FORCE = click.option("--force", is_flag=True, help="Write over files that are there.")


@click.group()
def readers() -> None:
    """What reads images here, how well, and what the gate lets it do."""


@readers.command("list")
@_JSON
@placed
def list_(as_json: bool, **where: str | None) -> None:  # noqa: FBT001  # click passes flags by name
    """List the readers with what they look for and what they may do; learnt versions too.

    Those are of the vault that is named, or of the usual one.
    """
    panel = panel_of(where)
    held = panel.registry
    if as_json:
        rows = [
            {
                "name": one.name,
                "version": one.version,
                "kind": one.kind.value,
                "finding": one.finding.meaning,
                "state": _state(panel, one).value,
                "reasons": list(one.reasons),
                "card": one.card.digest(),
                "research_only": one.card.research_only,
            }
            for one in held.readers
        ]
        click.echo(json.dumps({"readers": rows, "broken": list(held.broken)}, indent=2))
        return
    for one in held.readers:
        research = ", research only" if one.card.research_only else ""
        click.echo(f"{one.name}: {_state(panel, one)}{research}")
        click.echo(f"  looks for {one.card.called} in: {one.kind}")
    for line in held.broken:
        click.echo(f"not loaded: {line}")


def _state(panel: "Panel", reader: "Reader") -> "State":
    """Return what its gate and the scoreboard let a reader do."""
    from safelight.readers.registry import worse  # noqa: PLC0415  # start-up cost

    return worse(reader.state, panel.held.get(reader.name, reader.state))


@readers.command("show")
@click.argument("name")
@_JSON
@placed
def show(name: str, as_json: bool, **where: str | None) -> None:  # noqa: FBT001  # as above
    """Show a reader's card: what was measured, on whom, and what it cannot see."""
    from safelight.readers.gate import Verdict  # noqa: PLC0415  # start-up cost

    reader = panel_of(where).registry.named(name)
    _print(reader.card, Verdict(state=reader.state, reasons=reader.reasons), as_json=as_json)


@readers.command("check")
@click.argument("name")
@_DATA
@_RECIPE
@_JSON
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the card here as JSON.",
)
@_FORCE
def check(
    name: str,
    data: Path,
    recipe: Path | None,
    as_json: bool,  # noqa: FBT001  # click passes flags by name
    out: Path | None,
    force: bool,  # noqa: FBT001  # as above
) -> None:
    """Measure a reader from images: splits by people, other sources, shortcuts; then judge it.

    Exit code 1 when the gate refuses it.
    """
    from safelight.readers.gate import judge  # noqa: PLC0415  # start-up cost

    targets.check([str(out or "")], sources=[str(data)], force=force)
    made = _made(name, data, recipe)
    verdict = judge(made.card)
    _print(made.card, verdict, as_json=as_json)
    if out is not None:
        targets.put(str(out), made.card.to_bytes(), force=force, private=False)
    if verdict.state.value == "refused":
        raise click.exceptions.Exit(1)


@readers.command("train")
@click.argument("name")
@_DATA
@_RECIPE
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for NAME.npz and NAME.card.json.",
)
@_FORCE
def train(
    name: str,
    data: Path,
    recipe: Path | None,
    out: Path,
    force: bool,  # noqa: FBT001  # click passes flags by name
) -> None:
    """Make a reader from labelled images and write it with its card."""
    from safelight.readers.gate import judge  # noqa: PLC0415  # start-up cost
    from safelight.readers.gate_check import packed  # noqa: PLC0415  # start-up cost

    weights, card = str(out / f"{name}.npz"), str(out / f"{name}.card.json")
    targets.check([weights, card], sources=[str(data)], force=force, folders=False)
    made = _made(name, data, recipe)
    out.mkdir(parents=True, exist_ok=True)
    targets.put(weights, packed(made).to_bytes(), force=force, private=False)
    targets.put(card, made.card.to_bytes(), force=force, private=False)
    _print(made.card, judge(made.card), as_json=False)


def _recipe(name: str, path: Path | None) -> "ReaderRecipe":
    from safelight.readers import recipes  # noqa: PLC0415  # start-up cost

    known = recipes.bundled() if path is None else recipes.read(path)
    for one in known:
        if one.name == name:
            return one
    names = ", ".join(one.name for one in known)
    raise SettingsError(f"there is no recipe of this name; there are {names}")


def _made(name: str, data: Path, recipe: Path | None) -> "Made":
    from safelight.readers.datasets import load  # noqa: PLC0415  # start-up cost
    from safelight.readers.gate_check import check as measure  # noqa: PLC0415  # start-up cost

    return measure(_recipe(name, recipe), load(data))


def _print(card: "Card", verdict: "Verdict", *, as_json: bool) -> None:
    if as_json:
        content = {
            "state": verdict.state.value,
            "reasons": list(verdict.reasons),
            "card": json.loads(card.to_bytes()),
            "digest": card.digest(),
        }
        click.echo(json.dumps(content, indent=2))
        return
    click.echo(f"{card.reader} {card.version}: {verdict.state}")
    for reason in verdict.reasons:
        click.echo(f"  - {reason}")
    click.echo(f"looks for {card.called} in: {card.kind}")
    click.echo(
        f"people: {card.people[0]} with, {card.people[1]} without ({card.images} images); "
        f"calibrated on {card.calibrated[0]} and {card.calibrated[1]}"
    )
    click.echo(f"inside its sources   AUC {_told(card.inside)}")
    for place in card.external:
        how = "left out" if place.left_out else "other source"
        click.echo(
            f"{how:<20} AUC {_told(place.auc)}  {place.name} "
            f"({place.people[0]} with, {place.people[1]} without)"
        )
    for probe in card.probes:
        click.echo(f"{probe.name + ' alone':<20} AUC {_told(probe.auc)}")
    for group in card.subgroups:
        click.echo(f"among {group.name}: AUC {_told(group.auc)}")
    click.echo(
        f"at {1 - card.alpha:.0%}: {card.covered[0]:.3f} of those with and {card.covered[1]:.3f} "
        f"of those without covered, {card.decided:.3f} decided; Brier {card.brier:.3f}"
    )
    for line in (*card.sources, *card.cannot_see):
        click.echo(f"  {line}")
    if card.research_only:
        click.echo("research only: some of the data may not be used otherwise")
    click.echo(f"card {card.digest()}")


def _told(one: "Interval") -> str:
    return f"{one.value:.3f} [{one.low:.3f} to {one.high:.3f}]"
