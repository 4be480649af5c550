"""What pages are made of, part three: readings, and answers to questions."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from safelight.web.models import Page, Problem

__all__ = [
    "AnswerView",
    "AskPage",
    "AskedView",
    "ExternalView",
    "ItemReading",
    "LabRow",
    "LabsView",
    "MeasurementView",
    "ReadingPage",
    "SentenceView",
    "UnreadRow",
]


class AnswerView(Page):
    """One reader's answer, as the one who looks may see it.

    A person sees ``words``, ``promise``, ``cannot_see`` and ``next_step``. The fields from
    ``p_seen`` on are filled in for clinicians, after their own impression.
    """

    reader: str
    version: str
    finding: str
    answer: str
    words: str
    promise: str = ""
    reason: str = ""
    cannot_see: list[str] = Field(default_factory=list)
    next_step: str = ""
    state: str
    research_only: bool = False
    p_seen: float | None = None
    p_not_seen: float | None = None
    score: float | None = None
    cells: list[list[float]] = Field(default_factory=list)
    neighbours: list[dict[str, Any]] = Field(default_factory=list)
    card: str = ""
    feedback: str = ""


class MeasurementView(Page):
    """A value with its unit, or why there is none; ``low`` and ``high`` are a lab's limits."""

    name: str
    value: float | None
    unit: str = ""
    place: str = ""
    method: str = ""
    refused: str = ""
    low: float | None = None
    high: float | None = None


class LabRow(Page):
    """One lab result: how it was read, what it was compared with, and how it lies.

    ``value`` is the number as it is printed, ``number`` the same to draw it. ``low`` and ``high``:
    the range that was used, from the report or a cited limit. ``flag`` follows from rules
    (docs/labs.md): ``within``, ``low``, ``high``, ``not-low``, ``not-high``, ``critical-low``,
    ``critical-high``, ``withheld`` or ``no-range``; ``reasons`` say why it is withheld.
    ``marked``: the report calls it critical, and no limit for alarm does.
    ``doubtful``: the number itself may be misread. ``day``: days after the first sample.
    """

    id: str
    name: str
    loinc: str
    known_by: Literal["code", "name"]
    value: str
    number: float
    comparator: str
    unit: str
    low: float | None
    high: float | None
    flag: str
    urgent: bool
    marked: bool
    doubtful: bool
    outside: bool
    basis: str
    source: str
    context: str
    reasons: list[str]
    place: str
    day: int | None


class UnreadRow(Page):
    """A line of a lab report that was not read: where, and why; never its text."""

    place: str
    reason: str


class LabsView(Page):
    """The results of one file; ``sentences`` say the same in English words."""

    rows: list[LabRow]
    unread: list[UnreadRow]
    sentences: list[str]
    notice: str


class AskedView(Page):
    """A finding that a clinician is asked about before they are shown what readers say of it."""

    subject: str
    finding: str


class ExternalView(Page):
    """What another system said of the study; not Safelight's, cleaned text only.

    ``n``: the file that it came in, null for what a clinician handed in. ``form``: ``sr``, ``fhir``
    or ``text``. ``shortened``: some of its words were left out, not being proven harmless.
    """

    n: int | None
    source: str
    form: Literal["sr", "fhir", "text"]
    lines: list[str]
    shortened: bool = False
    at: datetime | None = None
    by: str = ""


class ItemReading(Page):
    """What can be said of one item; ``asks`` is filled while the answers are withheld."""

    n: int
    state: Literal["none", "waiting", "done", "withheld"]
    kind: str = ""
    kind_why: str = ""
    disagree: bool = False
    quality: list[str] = Field(default_factory=list)
    measurements: list[MeasurementView] = Field(default_factory=list)
    answers: list[AnswerView] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    labs: LabsView | None = None
    asks: list[AskedView] = Field(default_factory=list)
    problem: Problem | None = None


class ReadingPage(Page):
    """``/submissions/{id}/reading``.

    ``blind``: the one who looks is a clinician who has not given an impression yet; answers are
    withheld until then (``POST …/impression``). ``external``: what other systems said; filled in
    for clinicians, after their own impression.
    """

    submission: str
    person: str
    items: list[ItemReading]
    blind: bool = False
    impression: str = ""
    may: list[str]
    disclaimer: str
    who_to_ask: list[str]
    external: list[ExternalView] = Field(default_factory=list)


class SentenceView(Page):
    """One sentence of an answer, and the ids of the facts that it says."""

    text: str
    facts: list[str]


class AskPage(Page):
    """``/submissions/{id}/ask``: a question and an answer made of what was read, nothing else.

    ``sources``: ids of all facts of the answer, in order. ``menu``: what can be asked instead, when
    it is ``unanswered``.
    """

    submission: str
    question: str
    answer: str
    sentences: list[SentenceView] = Field(default_factory=list)
    sources: list[str] = Field(default_factory=list)
    unanswered: bool = False
    menu: list[str] = Field(default_factory=list)
