"""How any reader comes to its answer: all reasons to abstain first, then the promise."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safelight.errors import SafelightError, UnreadableInputError
from safelight.readers import conformal, features, makers, shown
from safelight.readers.card import Card
from safelight.readers.conformal import Calibration
from safelight.readers.gate import Verdict
from safelight.readers.reading import (
    Answer,
    Code,
    Finding,
    KindAnswer,
    Neighbour,
    State,
    ViewKind,
)
from safelight.readers.site import SiteStatus
from safelight.readers.view import View

__all__ = ["Asked", "Carded", "Scored", "Seen", "ask"]

_FLAT: Final = 4  # levels between darkest and brightest: less is no picture

Picture = NDArray[np.uint8]


class Seen:
    """The picture of a view that is read, and its numbers: made once for all readers.

    Args:
        view: What is read.
        kind: What it is: readers of some kinds see it in a window of their own.
        unfit: Why no answer holds for this picture; empty where one may.
    """

    def __init__(self, view: View, kind: ViewKind | None = None, unfit: str = "") -> None:
        self.view: Final = view
        self.unfit: Final = unfit
        self._kind: Final = kind
        self._picture: Picture | None = None
        self._parts: dict[str, NDArray[np.int64]] = {}
        self._features: dict[str, NDArray[np.int16]] = {}

    @property
    def note(self) -> tuple[str, ...]:
        """What is not seen, in sentences."""
        frames, middle = self.view.frames, self.view.middle
        return (f"Only picture {middle + 1} of {frames} was read.",) if frames > 1 else ()

    def picture(self) -> Picture:
        """Return the picture to read: the only one, or the middle one.

        Raises:
            UnreadableInputError: When there is none, or it shows nothing.
        """
        if self._picture is None:
            if self.view.frames < 1:
                raise UnreadableInputError(self.view.why_no_picture or "it has no picture")
            found = shown.picture(self.view, self._kind)
            if found.size == 0 or int(found.max()) - int(found.min()) < _FLAT:
                raise UnreadableInputError("it shows nothing")
            self._picture = found
        return self._picture

    def parts(self, version: str = features.VERSION) -> NDArray[np.int64]:
        """Return its numbers by place in a version of features; see ``makers``.

        Args:
            version: Name, with its digest or without.

        Raises:
            SettingsError: When this package has no such version.
            UnreadableInputError: See ``picture``.
        """
        made = makers.of(version)
        if made.version not in self._parts:
            self._parts[made.version] = made.parts(self.picture())
        return self._parts[made.version]

    def features(self, version: str = features.VERSION) -> NDArray[np.int16]:
        """Return its features in a version; see ``parts``."""
        made = makers.of(version)
        if made.version not in self._features:
            self._features[made.version] = made.project(self.parts(made.version))
        return self._features[made.version]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What a head says of one picture.

    Attributes:
        score: Larger is more like "has it".
        features: SHA-256 of the integer features, hex; empty when there are none.
        cells: Contributions, or empty.
        bias: What the cells leave over.
        unverified: The cells cannot be proven.
        neighbours: Nearest consented cases.
    """

    score: float
    features: str = ""
    cells: tuple[tuple[float, ...], ...] = ()
    bias: float = 0.0
    unverified: bool = False
    neighbours: tuple[Neighbour, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the asking needs to know of a reader."""

    card: Card
    digest: str
    verdict: Verdict
    calibration: Calibration


class Carded:
    """What every reader says of itself, from its card and the gate: the base of readers.

    Args:
        asked: The reader's card, what the gate lets it do, and its calibration.
    """

    def __init__(self, asked: Asked) -> None:
        self._asked: Final = asked

    @property
    def name(self) -> str:
        """Name of the reader."""
        return self.card.reader

    @property
    def version(self) -> str:
        """Of the reader."""
        return self.card.version

    @property
    def kind(self) -> ViewKind:
        """What it reads."""
        return self.card.kind

    @property
    def ages(self) -> tuple[float, float] | None:
        """Youngest and oldest it was made for, in years."""
        return self.card.ages

    @property
    def finding(self) -> Code:
        """What it looks for."""
        return self.card.finding

    @property
    def card(self) -> Card:
        """What was measured of it."""
        return self._asked.card

    @property
    def state(self) -> State:
        """What the gate lets it do."""
        return self._asked.verdict.state

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why not more."""
        return self._asked.verdict.reasons


def ask(
    asked: Asked,
    seen: Seen,
    kind: KindAnswer,
    site: SiteStatus,
    score: Callable[[Seen], Scored],
) -> Finding:
    """Return a reader's answer for a view.

    Args:
        asked: The reader.
        seen: What is read.
        kind: What it is.
        site: Where it comes from.
        score: Runs the head.
    """
    card = asked.card
    blank = Finding(
        reader=card.reader,
        version=card.release,
        card=asked.digest,
        state=asked.verdict.state,
        finding=card.finding,
        answer=Answer.UNREADABLE,
        cannot_see=card.cannot_see,
        next_step=card.next_step,
        research_only=card.research_only,
    )
    if kind.kind is not card.kind:
        found = "not known for certain" if kind.kind is None else f"taken for: {kind.kind}"
        why = f"It reads this only: {card.kind}. The image is {found}."
        return replace(blank, answer=Answer.NOT_MY_KIND, reason=why)
    if asked.verdict.state is State.REFUSED:
        why = f"This reader may not answer: {asked.verdict.reasons[0]}."
        return replace(blank, answer=Answer.CANNOT_TELL, reason=why)
    if why := _age(card, seen.view):
        return replace(blank, answer=Answer.UNLIKE, reason=why)
    if seen.unfit:
        return replace(blank, answer=Answer.UNLIKE, reason=seen.unfit)
    try:
        scored = score(seen)
    except SafelightError as error:
        return replace(blank, reason=f"The picture could not be read: {error.what}.")
    except MemoryError:
        return replace(blank, reason="The picture could not be read: it needs too much memory.")
    limits = (*card.cannot_see, *_unknown_age(card, seen.view), *seen.note)
    return _answered(asked, replace(blank, cannot_see=limits), site, scored)


def _age(card: Card, view: View) -> str:
    age = view.age
    if card.ages is None or age is None or card.ages[0] <= age <= card.ages[1]:
        return ""
    return f"It was made for people of {card.ages[0]:g} to {card.ages[1]:g} years."


def _unknown_age(card: Card, view: View) -> tuple[str, ...]:
    if card.ages is None or view.age is not None:
        return ()
    made = f"It was made for people of {card.ages[0]:g} to {card.ages[1]:g} years"
    return (f"{made}; how old this person is, is not known.",)


def _answered(asked: Asked, blank: Finding, site: SiteStatus, scored: Scored) -> Finding:
    card, known = asked.card, asked.calibration
    p_seen, p_not_seen = (
        float(known.p_seen([scored.score])[0]),
        float(known.p_not_seen([scored.score])[0]),
    )
    found = replace(
        blank,
        answer=conformal.answer(p_seen, p_not_seen, card.alpha),
        alpha=card.alpha,
        p_seen=p_seen,
        p_not_seen=p_not_seen,
        score=scored.score,
        promise=conformal.promise(card.called, card.alpha),
        features=scored.features,
        cells=scored.cells,
        bias=scored.bias,
        unverified=scored.unverified,
        neighbours=scored.neighbours,
    )
    if not known.enough(card.alpha):
        few = "Too few people were calibrated on to promise anything."
        return replace(found, answer=Answer.CANNOT_TELL, alpha=0.0, promise="", reason=few)
    why_not = site.why_not(card.reader)
    if why_not and asked.verdict.state is State.VALIDATED:
        # The p-values stay: clinicians compare them; people are shown no answer.
        why = f"Not for this site: {why_not}."
        return replace(found, state=State.SHADOW, answer=Answer.SITE, reason=why)
    reasons = {
        Answer.CANNOT_TELL: "Both answers stay possible at the promised error.",
        Answer.UNLIKE: "It is like neither group that the reader was calibrated on.",
    }
    return replace(found, reason=reasons.get(found.answer, ""))
