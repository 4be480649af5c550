"""What is said of a reading, by whom, on what basis, and what it weighs."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from safelight.errors import FeedbackError
from safelight.readers.reading import Answer, Code, ViewKind

if TYPE_CHECKING:
    from safelight.readers.view import View

__all__ = [
    "KIND",
    "Basis",
    "Box",
    "Case",
    "Entry",
    "Facts",
    "Label",
    "Told",
    "Verdict",
    "Voice",
    "age_band",
    "subject",
    "weight_of",
]

KIND: Final = "kind"
_SUBJECT: Final = re.compile(r"[A-Za-z0-9_.-]{1,16}:[A-Za-z0-9_./-]{1,60}")
_PLACE: Final = re.compile(r"[A-Za-z0-9._:-]{0,64}")
_NO_CODE: Final = re.compile(r"[^A-Za-z0-9._]+")
_SEXES: Final = frozenset({"F", "M", "O", ""})
_BAND: Final = 5
_OLDEST: Final = 90


class Verdict(StrEnum):
    """How good an answer was."""

    RIGHT = "right"
    NEEDS_WORK = "needs work"
    CANNOT_TELL = "can't tell"


class Voice(StrEnum):
    """Who says so."""

    PERSON = "person"  # "my doctor said …"
    CLINICIAN = "clinician"  # an account with that role
    CONSENSUS = "consensus"  # of n readers, written down by one of them


class Basis(StrEnum):
    """What they know it from."""

    OWN_READING = "own reading"
    FOLLOW_UP = "follow-up"
    PATHOLOGY = "pathology"


# One account alone never reaches the 2.0 that make an answer confirmed (``voices.QUORUM``).
_WEIGHTS: Final = {
    (Voice.PERSON, Basis.OWN_READING): 0.5,
    (Voice.PERSON, Basis.FOLLOW_UP): 0.5,
    (Voice.PERSON, Basis.PATHOLOGY): 0.5,
    (Voice.CLINICIAN, Basis.OWN_READING): 1.0,
    (Voice.CLINICIAN, Basis.FOLLOW_UP): 1.25,
    (Voice.CLINICIAN, Basis.PATHOLOGY): 1.5,
    (Voice.CONSENSUS, Basis.OWN_READING): 1.5,
    (Voice.CONSENSUS, Basis.FOLLOW_UP): 1.5,
    (Voice.CONSENSUS, Basis.PATHOLOGY): 1.5,
}
_SWAYED: Final = 0.5  # of the weight is left to whoever changed their mind at the reader's answer


def weight_of(voice: Voice, basis: Basis, *, swayed: bool = False) -> float:
    """Return what one voice weighs, in units of one clinician's own blind reading.

    Args:
        voice: Who says so.
        basis: What they know it from.
        swayed: They thought otherwise, or could not tell, until they saw the reader's answer.
    """
    return _WEIGHTS[voice, basis] * (_SWAYED if swayed else 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A place in one frame, pixels from the top left; ``frame`` counts from 0."""

    frame: int = 0
    x: int
    y: int
    w: int
    h: int

    def __post_init__(self) -> None:
        small = min(self.frame, self.x, self.y) < 0 or min(self.w, self.h) < 1
        if small or max(self.frame, self.x, self.y, self.w, self.h) > 1 << 20:
            raise FeedbackError("a region does not lie in a picture")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the scoreboard is cut by, as far as it was given; empty texts stand for not given.

    Attributes:
        site: Code of where the image was made or handed in.
        age: Years, of the person when the image was made.
        sex: ``F``, ``M`` or ``O``.
        region: Code of the region the person lives in, such as ISO 3166.
        device: Maker or model.
    """

    site: str = ""
    age: float | None = None
    sex: str = ""
    region: str = ""
    device: str = ""

    def __post_init__(self) -> None:
        if self.sex not in _SEXES:
            raise FeedbackError("a sex is F, M, O or not given")
        named = (self.site, self.region, self.device)
        if not all(_PLACE.fullmatch(one) for one in named):
            raise FeedbackError("a site, region or device is a code of at most 64 characters")

    @classmethod
    def of_view(cls, view: "View", *, site: str = "", region: str = "") -> "Facts":
        """Return what the header of a de-identified input tells; what it does not is not given."""
        maker = _NO_CODE.sub("-", view.manufacturer.strip()).strip("-")[:64]
        return cls(site=site, age=view.age, sex=view.sex, region=region, device=maker)


def age_band(age: float | None) -> str:
    """Return the five-year band of an age: ``40-44``, ``90+``; empty when there is none.

    An age past 150 or below 0 is a mistake and counts as not given.
    """
    if age is None or not 0 <= age <= 150:  # noqa: PLR2004  # nobody was ever older; NaN fails too
        return ""
    start = int(age) // _BAND * _BAND
    return f"{_OLDEST}+" if start >= _OLDEST else f"{start}-{start + _BAND - 1}"


def subject(about: str | Code) -> str:
    """Return what feedback is about: ``kind``, or a finding's code as ``scheme:value``.

    The truth about an image belongs to the image: two readers of one finding share it.

    Raises:
        FeedbackError: It is neither.
    """
    text = f"{about.scheme}:{about.value}" if isinstance(about, Code) else about
    if text != KIND and not _SUBJECT.fullmatch(text):
        raise FeedbackError("feedback is about the kind, or about a finding's code SCHEME:VALUE")
    return text


def check_answer(about: str, answer: str) -> str:
    """Return a corrected answer if it is one for this subject; empty stays empty.

    Raises:
        FeedbackError: It is not.
    """
    allowed = {str(one) for one in ViewKind} if about == KIND else {Answer.SEEN, Answer.NOT_SEEN}
    if answer and answer not in allowed:
        raise FeedbackError(f"this is no answer about {about!r}", todo="see docs/feedback.md")
    return str(answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one reader answered about one subject of one case.

    Attributes:
        reader: Its name; ``kind`` for what the image is.
        version: Of the reader.
        about: The subject.
        answer: An ``Answer``, or a ``ViewKind``; empty when the kind is not sure.
        alpha: Error rate of its promise; 0 for none.
        p_seen: See ``Finding``.
        p_not_seen: See ``Finding``.
        score: See ``Finding``.
        state: What the gate let it do at the time.
        card: SHA-256 of its card, hex.
    """

    reader: str
    version: str
    about: str
    answer: str
    alpha: float = 0.0
    p_seen: float | None = None
    p_not_seen: float | None = None
    score: float | None = None
    state: str = ""
    card: str = ""

    @property
    def decided(self) -> bool:
        """Whether it answered the question at all."""
        if self.about == KIND:
            return bool(self.answer)
        return self.answer in {Answer.SEEN, Answer.NOT_SEEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One image that was read.

    Attributes:
        id: Opaque.
        person: Code of whose it is.
        at: When it was first read here.
        purpose: For which.
        policy: Hash of the policy.
        artefact: Its id in the lineage.
        digest: Of the de-identified input, hex.
        look: 1,024 bits of what it looks like (``looks.look``); None when too even to tell.
        facts: Site, age, sex … as given; the age is the start of its band.
        told: What readers answered, the newest reading of each version.
    """

    id: str
    person: str
    at: datetime
    purpose: str
    policy: str
    artefact: str
    digest: str
    look: int | None
    facts: Facts
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing said.

    Attributes:
        number: Grows with each.
        id: Opaque.
        case: Of which case.
        person: Whose image it is.
        about: The subject.
        account: Code of who said it.
        at: When.
        voice: As whom.
        basis: What they know it from.
        verdict: Of the answer that was shown.
        reader: Whose answer it was.
        version: Of that reader.
        shown: The answer.
        truth: What holds according to them; empty when they do not say.
        readers: How many agreed, in a consensus; else 1.
        swayed: They thought otherwise, or could not tell, until they saw the answer.
        region: Where.
        text: Their words, de-identified.
        entry: Index in the transparency log.
    """

    number: int
    id: str
    case: str
    person: str
    about: str
    account: str
    at: datetime
    voice: Voice
    basis: Basis
    verdict: Verdict
    reader: str
    version: str
    shown: str
    truth: str
    readers: int
    swayed: bool
    region: tuple[Box, ...]
    text: str
    entry: int

    @property
    def weight(self) -> float:
        """What it weighs."""
        return weight_of(self.voice, self.basis, swayed=self.swayed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What learning may take an image for.

    Attributes:
        person: Code of whose image it is; whether it may teach is for their consent to say.
        case: The case; of equal images the one that came first.
        digest: Of the de-identified input, hex.
        artefact: The case's id in the lineage, to be the parent of what is made from it.
        about: The subject.
        value: ``seen``, ``not seen``, or a kind.
        weight: 1.0 when confirmed, below when it is not.
        confirmed: Whether enough independent voices agree.
        basis: The best one behind it.
        accounts: Codes of those who say so now, the first one first.
    """

    person: str
    case: str
    digest: str
    artefact: str
    about: str
    value: str
    weight: float
    confirmed: bool
    basis: Basis
    accounts: tuple[str, ...] = ()

    @property
    def seen(self) -> bool:
        """Whether the finding is there."""
        return self.value == Answer.SEEN
