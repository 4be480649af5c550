"""What readers say: the values that pass from readers to reports, pages, feedback and learning."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

__all__ = [
    "PROMISE",
    "Answer",
    "Code",
    "Finding",
    "KindAnswer",
    "Measurement",
    "Neighbour",
    "QualityIssue",
    "Reading",
    "State",
    "ViewKind",
    "family",
]

# The one promise of class-conditional split-conformal answers, in words.
PROMISE: Final = (
    "Of 100 people with {finding}, from those it was calibrated on, on average at most {missed} "
    "are told 'not seen'."
)


def family(reader: str) -> str:
    """Return the reader that a learnt version of it, ``NAME@VERSION``, belongs to; or itself."""
    return reader.partition("@")[0]


class Answer(StrEnum):
    """What a reader may say. None of them is ``normal``."""

    SEEN = "seen"
    NOT_SEEN = "not seen"
    CANNOT_TELL = "cannot tell"  # both answers are plausible
    UNLIKE = "unlike anything calibrated"  # neither is
    NOT_MY_KIND = "not my kind"
    SITE = "site not validated"
    UNREADABLE = "unreadable"

    @property
    def decided(self) -> bool:
        """Whether it answers the question at all."""
        return self in {Answer.SEEN, Answer.NOT_SEEN}


class State(StrEnum):
    """What the gate lets a reader do."""

    VALIDATED = "validated"
    SHADOW = "shadow"  # stored and compared; shown to clinicians only, and marked
    REFUSED = "refused"


class ViewKind(StrEnum):
    """What an image is. ``OTHER_*`` and below are answers too; no kind at all is "not sure"."""

    CHEST_XRAY_FRONTAL = "chest X-ray, frontal"
    CHEST_XRAY_LATERAL = "chest X-ray, lateral"
    LIMB_XRAY = "X-ray of a limb"
    DENTAL_PANORAMIC = "dental panoramic X-ray"
    MAMMOGRAM = "mammogram"
    BREAST_ULTRASOUND = "breast ultrasound"
    OTHER_ULTRASOUND = "other ultrasound"
    HEAD_CT = "CT of the head"
    BODY_CT = "CT of the body"
    HEAD_MR = "MR of the head"
    SPINE_MR = "MR of the spine"
    BREAST_MR = "MR of the breast"
    KNEE_MR = "MR of the knee"
    OTHER_MR = "other MR"
    PET = "PET"
    SCINTIGRAPHY = "scintigraphy"
    FUNDUS = "photograph of the fundus"
    FILM_PHOTO = "photograph of a film"
    SCREENSHOT = "screenshot"
    DOCUMENT = "document"
    PHOTO = "photograph, not medical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A coded concept (PS3.3 8.8): scheme designator as in PS3.16, value, meaning."""

    scheme: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KindAnswer:
    """What this is.

    Attributes:
        kind: The answer; ``None`` is "not sure", a full answer.
        by_header: What the header alone says; ``None`` when it does not.
        by_pixels: What the pixels alone say; ``None`` when they are unlike every known kind.
        distance: Of the pixels to the nearest kind, in units of its threshold: accepted up to 1.
        why: One sentence; header and pixels that disagree are told here.
    """

    kind: ViewKind | None
    by_header: ViewKind | None
    by_pixels: ViewKind | None
    distance: float
    why: str

    @property
    def disagree(self) -> bool:
        """Whether header and pixels name two different kinds, which leaves it open what it is.

        Where the header decides all the same, pixels cannot tell its kind from that kind's kin.
        """
        told = {self.by_header, self.by_pixels}
        return self.kind is None and None not in told and len(told) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityIssue:
    """Something about the picture that harms reading it.

    Attributes:
        code: ``clipped``, ``rotated``, ``inverted``, ``blurred``, ``cropped``, ``small``, …
        text: One sentence for a person.
    """

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A value computed from the standard, or the reason why it is not.

    Attributes:
        name: What is measured.
        value: ``None`` when refused.
        unit: UCUM.
        place: Where: ``frame 3``, ``frame 1, region 2``, a box ``x,y,w,h``; empty for the whole.
        method: The formula's source, e.g. ``QIBA SUV (body weight)``.
        refused: Why there is no value; names the missing attribute.
    """

    name: Code
    value: float | None
    unit: str
    place: str = ""
    method: str
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A nearest case whose owner consented: its code, what it was, and how near (0 is the same)."""

    case: str
    label: str
    distance: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One reader's answer to its one question.

    Attributes:
        reader: Name, e.g. ``chest-opacity``.
        version: Of the reader; its model version is ledger hash and recipe.
        card: SHA-256 of its card, hex.
        state: What the gate lets it do.
        finding: What it looks for.
        answer: Its answer. A person is shown ``decided`` answers of validated readers only.
        alpha: Error rate of the promise; 0 when there is no promise.
        p_seen: Conformal p-value of "has it"; ``None`` when the head did not run.
        p_not_seen: Of "does not have it".
        score: Of the head: larger is more like "has it"; ``None`` when it did not run.
        promise: The exact promise in words; empty when there is none.
        reason: Why it abstained; one sentence, empty when it did not.
        cannot_see: What this reader cannot see, in sentences.
        next_step: What to do next, one sentence.
        cells: Contributions over a grid of rows: they and ``bias`` add up to ``score`` exactly
            as far as floating point adds up; empty when the head is not linear.
        bias: See ``cells``.
        unverified: A plug-in's map, which no one can prove.
        neighbours: Nearest consented cases.
        features: SHA-256 of the integer features, hex.
        research_only: Its training data's terms allow research only.
    """

    reader: str
    version: str
    card: str
    state: State
    finding: Code
    answer: Answer
    alpha: float = 0.0
    p_seen: float | None = None
    p_not_seen: float | None = None
    score: float | None = None
    promise: str = ""
    reason: str = ""
    cannot_see: tuple[str, ...] = ()
    next_step: str = ""
    cells: tuple[tuple[float, ...], ...] = ()
    bias: float = 0.0
    unverified: bool = False
    neighbours: tuple[Neighbour, ...] = ()
    features: str = ""
    research_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that can be said of one de-identified input.

    Attributes:
        source: BLAKE3 digest of the ``Deidentified`` it was read from, hex.
        software: Version that read it.
        kind: What this is.
        quality: What harms reading it.
        measurements: Computed values and refusals.
        findings: One for each reader that was asked.
        notes: Sentences about the whole, e.g. which frame was read.
    """

    source: str
    software: str
    kind: KindAnswer
    quality: tuple[QualityIssue, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = field(default=())
