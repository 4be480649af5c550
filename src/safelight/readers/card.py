"""A reader's card: what was measured of it, on whom, and what it cannot do.

A card holds numbers and words, no state: what a reader may do is worked out from the numbers each
time it is loaded (``gate.judge``). It names the digest of the head it speaks of, and the package
pins the digest of the card, so that neither can be changed alone.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from safelight.errors import UnreadableInputError
from safelight.readers.reading import Code, ViewKind

__all__ = ["Card", "External", "Interval", "Probe", "Subgroup"]

_FORMAT: Final = 1
_WORDS: Final = ("reader", "version", "called", "features", "head", "calibration", "statistics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A measured value with its 95 % interval, from resampling people."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What can be said without looking at the finding at all.

    Attributes:
        name: ``border``, ``size``, ``metadata``, ``intensity``.
        auc: Discrimination of the same head on that alone, on the same splits.
    """

    name: str
    auc: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """Discrimination on a source that no image was learnt from.

    Attributes:
        name: Of the source.
        auc: Discrimination there.
        people: With and without the finding.
        left_out: The source is one of the reader's own; a head without it was measured.
    """

    name: str
    auc: Interval
    people: tuple[int, int]
    left_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """Discrimination among some of the people, e.g. ``sex=F``."""

    name: str
    auc: Interval
    people: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is known of a reader.

    Attributes:
        reader: Name.
        version: Of the reader.
        called: The finding as it is named in sentences.
        kind: What it reads.
        ages: Youngest and oldest it was made for, in years; None when its data do not tell.
        finding: What it looks for.
        alpha: Share of a class that may be told the other.
        features: Version of the features and digest of their tables.
        head: SHA-256 of the head.
        calibration: SHA-256 of the calibration scores.
        statistics: SHA-256 of what the head was solved from.
        people: Learnt from and calibrated on, with and without the finding; near-duplicates and
            images of one patient count as one.
        images: All images.
        calibrated: People the calibration holds, with and without.
        inside: Discrimination on splits by people, inside its own sources.
        external: On other sources.
        probes: What a shortcut alone reaches.
        covered: Share of people with, and without, whose true class stayed possible, over splits.
        decided: Share of people who got an answer over the same splits.
        brier: Mean squared error of chances made from scores, over the same splits.
        subgroups: Inside.
        sources: Data sets with licence and number of images, in words.
        research_only: The terms of some of the data allow research only.
        cannot_see: In sentences.
        next_step: One sentence.
        method: How the numbers came about, and the command that gives them again.
    """

    reader: str
    version: str
    called: str
    kind: ViewKind
    ages: tuple[float, float] | None
    finding: Code
    alpha: float
    features: str
    head: str
    calibration: str
    statistics: str
    people: tuple[int, int]
    images: int
    calibrated: tuple[int, int]
    inside: Interval
    external: tuple[External, ...]
    probes: tuple[Probe, ...]
    covered: tuple[float, float]
    decided: float
    brier: float
    subgroups: tuple[Subgroup, ...] = ()
    sources: tuple[str, ...] = ()
    research_only: bool = False
    cannot_see: tuple[str, ...] = ()
    next_step: str = ""
    method: str = ""

    @property
    def release(self) -> str:
        """The version as answers name it: learning makes new statistics under one version."""
        return f"{self.version}+{self.statistics[:12]}"

    def to_bytes(self) -> bytes:
        """Return the canonical form: sorted JSON, one line for each entry, and a line end."""
        content = {"format": _FORMAT, **asdict(self)}
        text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=True, allow_nan=False)
        return text.encode() + b"\n"

    def digest(self) -> str:
        """Return the SHA-256 of the canonical form, hex."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Card":
        """Return what ``to_bytes`` wrote.

        Raises:
            UnreadableInputError: When it is not a card, or a number in it is out of range.
        """
        try:
            content = json.loads(data)
            if content.pop("format") != _FORMAT:
                raise UnreadableInputError("this card is of another format")
            card = _built(content)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnreadableInputError("this is not the card of a reader") from error
        if card.to_bytes() != data:
            raise UnreadableInputError("this card is not in its canonical form")
        return card


def _built(content: dict[str, Any]) -> Card:
    external = tuple(
        External(
            name=str(one["name"]),
            auc=_interval(one["auc"]),
            people=_pair(one["people"]),
            left_out=bool(one["left_out"]),
        )
        for one in content.pop("external")
    )
    probes = tuple(
        Probe(name=str(one["name"]), auc=_interval(one["auc"])) for one in content.pop("probes")
    )
    subgroups = tuple(
        Subgroup(name=str(one["name"]), auc=_interval(one["auc"]), people=_pair(one["people"]))
        for one in content.pop("subgroups")
    )
    ages = content.pop("ages")
    youngest_oldest = None if ages is None else (_number(ages[0], 200.0), _number(ages[1], 200.0))
    words: dict[str, Any] = {
        name: str(content.pop(name)) for name in (*_WORDS, "next_step", "method")
    }
    lists: dict[str, Any] = {
        name: tuple(map(str, content.pop(name))) for name in ("sources", "cannot_see")
    }
    covered = content.pop("covered")
    return Card(
        **words,
        **lists,
        kind=ViewKind(content.pop("kind")),
        ages=youngest_oldest,
        finding=Code(**content.pop("finding")),
        alpha=_number(content.pop("alpha"), 0.5),
        people=_pair(content.pop("people")),
        images=int(content.pop("images")),
        calibrated=_pair(content.pop("calibrated")),
        inside=_interval(content.pop("inside")),
        external=external,
        probes=probes,
        covered=(_number(covered[0]), _number(covered[1])),
        decided=_number(content.pop("decided")),
        brier=_number(content.pop("brier")),
        subgroups=subgroups,
        research_only=bool(content.pop("research_only")),
        **content,  # nothing may be left: an unknown name is a TypeError
    )


def _number(value: Any, most: float = 1.0) -> float:
    number = float(value)
    if not math.isfinite(number) or not 0.0 <= number <= most:
        raise ValueError("out of range")
    return number


def _pair(value: Any) -> tuple[int, int]:
    first, second = value
    if min(int(first), int(second)) < 0:
        raise ValueError("fewer than none")
    return int(first), int(second)


def _interval(value: Mapping[str, Any]) -> Interval:
    made = Interval(
        value=_number(value["value"]), low=_number(value["low"]), high=_number(value["high"])
    )
    if not made.low <= made.high:
        raise ValueError("an interval the wrong way round")
    return made
