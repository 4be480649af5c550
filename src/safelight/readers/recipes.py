"""What each reader looks for, in what, and which images it is made from: ``data/readers.toml``."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from safelight.errors import SettingsError
from safelight.readers.datasets import Case
from safelight.readers.reading import Code, ViewKind

__all__ = ["NAME", "Outside", "ReaderRecipe", "bundled", "parse", "read"]

_FEATURES: Final = "grid-1"  # when a recipe names none
_OLDEST: Final = 200.0  # years: what a card can hold
NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A source to be measured on, never learnt from."""

    name: str
    has: frozenset[str]
    without: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderRecipe:
    """How a reader is made.

    Attributes:
        name: Of the reader.
        version: Of the reader.
        called: The finding as it is named in sentences.
        finding: Coded.
        kind: What it reads.
        ages: In years, or None.
        alpha: Share of a class that may be told the other.
        features: Name of the features, one of ``makers.NAMES``.
        chosen: What was chosen by the very measurement that the card tells, in words; or empty.
        has: ``dataset/label`` of those with the finding.
        without: Of those without.
        outside: Other sources.
        cannot_see: In sentences.
        next_step: One sentence.
    """

    name: str
    version: str
    called: str
    finding: Code
    kind: ViewKind
    ages: tuple[float, float] | None
    alpha: float
    has: frozenset[str]
    without: frozenset[str]
    outside: tuple[Outside, ...]
    cannot_see: tuple[str, ...]
    next_step: str
    features: str = _FEATURES
    chosen: str = ""

    def of(self, cases: Iterable[Case]) -> list[tuple[Case, bool]]:
        """Return its own images with their truth."""
        return _chosen(cases, self.has, self.without)

    def beyond(self, cases: Iterable[Case], name: str) -> list[tuple[Case, bool]]:
        """Return the images of one other source with their truth."""
        one = next(place for place in self.outside if place.name == name)
        return _chosen(cases, one.has, one.without)


def _chosen(
    cases: Iterable[Case], has: frozenset[str], without: frozenset[str]
) -> list[tuple[Case, bool]]:
    named = ((case, f"{case.dataset}/{case.label}") for case in cases)
    return [(case, name in has) for case, name in named if name in has | without]


def parse(content: Mapping[str, Any]) -> tuple[ReaderRecipe, ...]:
    """Return the recipes of a parsed file.

    Raises:
        SettingsError: When one is not complete.
    """
    try:
        return tuple(_one(name, body) for name, body in content.items())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(
            "a recipe of a reader is not complete, or not as it should be"
        ) from error


def _one(name: str, body: Mapping[str, Any]) -> ReaderRecipe:
    if not NAME.fullmatch(name):
        raise SettingsError("a reader's name is lower-case letters, digits and hyphens")
    alpha = float(body.get("alpha", 0.05))
    has, without = _labels(body, "has"), _labels(body, "without")
    if has & without or not has or not without or not 0.005 <= alpha <= 0.5:  # noqa: PLR2004  # see docs
        raise SettingsError("a recipe names labels with, others without, and alpha of 0.005 to 0.5")
    outside = tuple(
        Outside(name=str(one["name"]), has=_labels(one, "has"), without=_labels(one, "without"))
        for one in body.get("outside", ())
    )
    if any(_sources(has | without) & _sources(one.has | one.without) for one in outside):
        raise SettingsError("a recipe names one of its own data sets as another source")
    return ReaderRecipe(
        name=name,
        version=str(body["version"]),
        called=str(body["called"]),
        finding=Code(**{name: str(value) for name, value in body["finding"].items()}),
        kind=ViewKind(body["kind"]),
        ages=_ages(body.get("ages")),
        alpha=alpha,
        has=has,
        without=without,
        outside=outside,
        cannot_see=_texts(body, "cannot_see"),
        next_step=str(body.get("next_step", "")),
        features=str(body.get("features", _FEATURES)),
        chosen=str(body.get("chosen", "")),
    )


def _texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = body.get(name, [])
    if not isinstance(found, list):
        raise TypeError(name)  # a text would be taken for its letters
    return tuple(map(str, found))


def _labels(body: Mapping[str, Any], name: str) -> frozenset[str]:
    if name not in body:
        raise KeyError(name)
    return frozenset(_texts(body, name))


def _sources(labels: Iterable[str]) -> set[str]:
    return {label.partition("/")[0] for label in labels}


def _ages(given: Any) -> tuple[float, float] | None:
    if given is None:
        return None
    youngest, oldest = map(float, given)
    if not 0 <= youngest <= oldest <= _OLDEST:
        raise SettingsError(f"ages are the youngest and the oldest, 0 to {_OLDEST:g} years")
    return youngest, oldest


def read(path: Path) -> tuple[ReaderRecipe, ...]:
    """Return the recipes of a file.

    Raises:
        SettingsError: When it cannot be read.
    """
    try:
        return parse(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError("the file of recipes cannot be read") from error


@cache
def bundled() -> tuple[ReaderRecipe, ...]:
    """Return the recipes of the package."""
    text = resources.files("safelight.readers").joinpath("data", "readers.toml").read_text("utf-8")
    return parse(tomllib.loads(text))
