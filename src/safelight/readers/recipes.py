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

__all__ = ["Outside", "ReaderRecipe", "bundled", "parse", "read"]

_FEATURES: Final = "grid-1"  # when a recipe names none
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,40}")


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
        raise SettingsError("a recipe of a reader is not complete") from error


def _one(name: str, body: Mapping[str, Any]) -> ReaderRecipe:
    if not _NAME.fullmatch(name):
        raise SettingsError("a reader's name is lower-case letters, digits and hyphens")
    alpha = float(body.get("alpha", 0.05))
    ages = body.get("ages")
    has, without = frozenset(body["has"]), frozenset(body["without"])
    if has & without or not has or not without or not 0.005 <= alpha <= 0.5:  # noqa: PLR2004  # see docs
        raise SettingsError("a recipe names labels with, others without, and alpha of 0.005 to 0.5")
    outside = tuple(
        Outside(name=one["name"], has=frozenset(one["has"]), without=frozenset(one["without"]))
        for one in body.get("outside", ())
    )
    return ReaderRecipe(
        name=name,
        version=str(body["version"]),
        called=str(body["called"]),
        finding=Code(**body["finding"]),
        kind=ViewKind(body["kind"]),
        ages=(float(ages[0]), float(ages[1])) if ages else None,
        alpha=alpha,
        has=has,
        without=without,
        outside=outside,
        cannot_see=tuple(map(str, body.get("cannot_see", ()))),
        next_step=str(body.get("next_step", "")),
        features=str(body.get("features", _FEATURES)),
        chosen=str(body.get("chosen", "")),
    )


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
