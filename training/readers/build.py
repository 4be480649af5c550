"""Make every bundled reader: head, calibration, card, pins and documents.

``python -m training.readers.build --data DIR [--cache FILE]``. The same images give the same files.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from safelight.readers import features, gate_check, makers, recipes
from safelight.readers.card import Card
from safelight.readers.datasets import Case, load
from safelight.readers.gate import judge
from safelight.readers.pins import PINS as PINS_NOW

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(features.__file__).parent / "data"
PINS = DATA.parent / "pins.py"
CARDS = ROOT / "docs" / "models"

Array = NDArray[Any]


class Cache:
    """Features by image, kept between runs for one version of the features.

    Args:
        path: Where; None keeps nothing. Other features than the usual ones go beside it.
        name: Of the features.
    """

    def __init__(self, path: Path | None, name: str = features.VERSION) -> None:
        if path is not None and name != features.VERSION:
            path = path.with_stem(f"{path.stem}-{name}")
        self.path, self.version = path, makers.named(name).version
        self.held: dict[str, Array] = {}
        if path is not None and path.is_file():
            with np.load(path, allow_pickle=False) as file:
                if str(file["version"]) == self.version:
                    self.held = dict(zip(map(str, file["keys"]), file["rows"], strict=True))

    def of(self, case: Case) -> Array:
        """Return the features of an image."""
        if case.key not in self.held:
            self.held[case.key] = gate_check.features_of(case, self.version)
        return self.held[case.key]

    def border(self, case: Case) -> Array:
        """Return the features of an image's border."""
        key = f"border {case.key}"
        if key not in self.held:
            self.held[key] = gate_check.border_of(case, self.version)
        return self.held[key]

    def save(self) -> None:
        """Write what is held."""
        if self.path is not None and self.held:
            np.savez(
                self.path,
                version=np.array(self.version),
                keys=np.array(list(self.held)),
                rows=np.stack(list(self.held.values())),
            )


def training(cases: list[Case]) -> list[Case]:
    """Return the images readers may be made from: a publisher's test split is none of them."""
    return [case for case in cases if case.split != "test"]


def page(card: Card) -> str:
    """Return a card as a document."""
    verdict = judge(card)
    told = "research only, " if card.research_only else ""
    lines = [
        f"# Reader card: {card.reader}",
        "",
        (
            f"Looks for {card.called} in: {card.kind}. State: **{verdict.state}** ({told}not a "
            "medical device). Made by `training/readers`; the same card as JSON: "
            f"`safelight readers show {card.reader} --json`."
        ),
        "",
    ]
    if verdict.reasons:
        lines += ["Why not more:", "", *(f"- {reason}." for reason in verdict.reasons), ""]
    lines += [
        (
            f"Measured by `safelight readers check {card.reader} --data DIR`: five heads, each "
            "without a fifth of the people; 95 % intervals from drawing people again."
        ),
        "",
        *_chosen(card),
        "| what | AUC | 95 % interval | people with, without |",
        "|---|---|---|---|",
        (
            f"| inside its own sources | {card.inside.value:.3f} | {card.inside.low:.3f} to "
            f"{card.inside.high:.3f} | {card.people[0]}, {card.people[1]} |"
        ),
    ]
    for place in card.external:
        how = "left out of learning" if place.left_out else "another source"
        lines.append(
            f"| {place.name} ({how}) | {place.auc.value:.3f} | {place.auc.low:.3f} to "
            f"{place.auc.high:.3f} | {place.people[0]}, {place.people[1]} |"
        )
    lines += [
        f"| shortcut: {probe.name} alone | {probe.auc.value:.3f} | {probe.auc.low:.3f} to "
        f"{probe.auc.high:.3f} | |"
        for probe in card.probes
    ]
    lines += [
        f"| among {group.name} | {group.auc.value:.3f} | {group.auc.low:.3f} to "
        f"{group.auc.high:.3f} | {group.people[0]}, {group.people[1]} |"
        for group in card.subgroups
    ]
    lines += _rest(card)
    return "\n".join(lines)


def _chosen(card: Card) -> list[str]:
    """Return what was chosen by the measurement itself, as a paragraph, or nothing."""
    usual = gate_check.METHOD.format(name=card.reader)
    told = card.method.removeprefix(usual).removeprefix("; ")
    return [f"Features `{card.features}`. {told[0].upper()}{told[1:]}.", ""] if told else []


def _rest(card: Card) -> list[str]:
    """Return the lines below the table."""
    return [
        "",
        (
            f"At {1 - card.alpha:.0%}, over halves of people: {card.covered[0]:.3f} of those "
            f"with and {card.covered[1]:.3f} of those without covered, {card.decided:.3f} "
            f"decided; Brier score {card.brier:.3f}. The shipped calibration holds "
            f"{card.calibrated[0]} people with and {card.calibrated[1]} without."
        ),
        "",
        "Data:",
        "",
        *(f"- {source}" for source in card.sources),
        "",
        "What it cannot see:",
        "",
        *(f"- {sentence}" for sentence in card.cannot_see),
        "",
        f"Card `{card.digest()}`, head `{card.head[:16]}`, statistics `{card.statistics[:16]}`.",
        "",
    ]


def main() -> None:
    """Make all readers and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--only", help="one reader; the others stay as they are")
    given = parser.parse_args()
    cases = training(load(given.data))
    caches = {name: Cache(given.cache, name) for name in makers.NAMES}
    pins = {one.name: PINS_NOW.get(one.name, "") for one in recipes.bundled()}
    for recipe in recipes.bundled():
        if given.only not in {None, recipe.name}:
            continue
        cache = caches[recipe.features]
        make: Callable[[Case], Array] = cache.of
        made = gate_check.check(recipe, cases, make, border=cache.border)
        cache.save()
        packed = gate_check.packed(made)
        (DATA / f"{recipe.name}.npz").write_bytes(packed.to_bytes())
        (CARDS / f"{recipe.name}.md").write_text(page(made.card), "utf-8")
        pins[recipe.name] = packed.digest()
        verdict = judge(made.card)
        print(
            recipe.name, verdict.state, made.card.inside, *verdict.reasons, sep="\n  ", flush=True
        )
    lines = [
        '"""Digests of the readers that the package carries; written by ``training/readers``."""',
        "",
        "from typing import Final",
        "",
        "PINS: Final[dict[str, str]] = {",
        *(f'    "{name}": "{digest}",' for name, digest in pins.items()),
        "}",
        "",
    ]
    PINS.write_text("\n".join(lines), "utf-8")


if __name__ == "__main__":
    main()
