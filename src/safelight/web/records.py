"""What pages are made of, part two: people's own data, the steward's pages, requests."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from safelight.web.models import Page, PolicyBrief, Problem, PurposeChoice

__all__ = ["EmergencyPage", "MinePage", "ReceiptPage", "StewardPage", "WithdrawalPage"]


class HeldRow(Page):
    """Something that is held: its class, for what, under which policy.

    ``until``: when it goes by itself, by its policy, by what was agreed, or as an original; null
    when it stays as long as it is agreed to. ``learned_by``: readers that learnt from it.
    """

    kind: str
    name: str
    purpose: str
    policy: str
    made: datetime
    until: datetime | None = None
    learned_by: list[str] = Field(default_factory=list)


class StatementRow(Page):
    """Something said about one purpose; ``receipt`` is the address of its receipt."""

    number: int
    purpose: str
    said: str
    policy: str
    policy_name: str
    at: datetime
    until: datetime | None
    recorded_by: str
    method: str
    receipt: str


class SeenRow(Page):
    """An access to the person's data; a refused one too."""

    at: datetime
    actor: str
    role: str
    act: str
    purpose: str
    allowed: bool
    reason: str
    broke_glass: bool
    claim: str = ""


class DisclosureRow(Page):
    """A handing-out."""

    at: datetime
    recipient: str
    contact: str
    kind: str
    count: int
    purpose: str
    answer: str


class WithdrawalRow(Page):
    """A withdrawal in the list of one's own data; ``retention``: what was past its time."""

    id: str
    purpose: str
    asked_at: datetime
    stage: str
    receipt: str = ""


class MinePage(Page):
    """``/mine``: what is held, for what, until when, who saw it; and taking it back.

    ``ends_soon``: when the first of it goes by itself, if that is within 30 days.
    """

    person: str
    people: list[str]
    policy: PolicyBrief | None
    purposes: list[PurposeChoice]
    held: list[HeldRow]
    statements: list[StatementRow]
    withdrawals: list[WithdrawalRow]
    seen: list[SeenRow]
    disclosed: list[DisclosureRow]
    learned_by: list[str] = Field(default_factory=list)
    ends_soon: datetime | None = None


class EmergencyRow(Page):
    """An emergency that was declared, and until when it lasts."""

    person: str
    until: datetime


class EmergencyPage(Page):
    """``/emergency``: seeing a person's images for ``minutes`` without their yes, on record."""

    person: str
    minutes: int
    lasting: list[EmergencyRow]


class StepRow(Page):
    """One class of artefacts of a withdrawal."""

    kind: str
    outcome: str
    count: int


class WithdrawalPage(Page):
    """``/mine/withdrawals/{id}``: how far it is; ``done`` when nothing is left to do."""

    id: str
    person: str
    purpose: str
    stage: str
    stages: list[str]
    asked_at: datetime
    removed: int
    failed: int
    recalled: int
    done: bool
    steps: list[StepRow]
    receipt: str = ""
    not_recalled: list[dict[str, Any]] = Field(default_factory=list)


class ReceiptPage(Page):
    """``/mine/receipts/{id}``: the receipt itself is ``document``; ``download`` gives the bytes."""

    id: str
    kind: str
    at: str
    fields: dict[str, Any]
    log: str
    index: int
    download: str
    printable: str


class QueueRow(Page):
    """One file that waits for a steward."""

    submission: str
    n: int
    person: str
    state: Literal["review", "quarantine"]
    kind: str
    reason: str
    what: str
    place: str
    todo: str
    made: datetime


class StewardPage(Page):
    """``/steward``: the queue by reason; ``/steward/quarantine`` is the same page."""

    which: Literal["review", "quarantine"]
    by_reason: dict[str, int]
    queue: list[QueueRow]
    more: bool
    waiting: dict[str, int]


class ChangeRow(Page):
    """One field that differs between two versions of a policy."""

    field: str
    effect: str
    before: str
    after: str


class PolicyVersion(Page):
    """A published version, and what it changed."""

    policy: PolicyBrief
    purposes: list[str]
    effect: str
    carries_consent: bool
    changes: list[ChangeRow]


class PoliciesPage(Page):
    """``/steward/policies``: every version, the newest first."""

    versions: list[PolicyVersion]
    problem: Problem | None = None


class PersonRow(Page):
    """A person, by code."""

    person: str
    state: str
    agreed: list[str]
    kept: int
    accounts: int


class PeoplePage(Page):
    """``/steward/people``."""

    people: list[PersonRow]
    more: bool = False


class NewLinkPage(Page):
    """A one-time link: shown once, to whoever made it."""

    person: str
    address: str
    until: datetime


class ReaderCard(Page):
    """A reader on the scoreboard."""

    reader: str
    version: str
    state: str
    finding: str
    kind: str
    numbers: dict[str, Any]
    card: str = ""
    summary: str = ""


class ScoreboardPage(Page):
    """``/steward/scoreboard``."""

    readers: list[ReaderCard]
    feedback: dict[str, int]


class BoardPage(Page):
    """``/scoreboard``: the readers as anyone may see them; what counts fewer is left out.

    ``readers`` and ``log`` are as in docs/scoreboard.md; ``smallest``: the smallest count shown.
    """

    format: str
    made: datetime
    smallest: int
    readers: list[dict[str, Any]]
    log: list[dict[str, Any]]


class LogPage(Page):
    """``/steward/log``: the newest checkpoint and how it verifies."""

    origin: str
    size: int
    root: str
    checkpoint: str
    verified: bool
    problem: Problem | None = None


class HealthRow(Page):
    """One check of the system."""

    name: str
    ok: bool
    told: str


class HealthPage(Page):
    """``/steward/health``."""

    ok: bool
    checks: list[HealthRow]
    version: str
    counts: dict[str, int]


class Live(Page):
    """``/healthz`` and ``/readyz``."""

    ok: bool
    checks: list[HealthRow] = Field(default_factory=list)


class AccountRow(Page):
    """An account, by code."""

    code: str
    roles: list[str]
    person: str
    passkeys: int
    locked: bool
    made: datetime


class AccountsPage(Page):
    """``/steward/accounts``."""

    accounts: list[AccountRow]
    problem: Problem | None = None


class PasskeyRow(Page):
    """A passkey of one's own."""

    id: str
    made: datetime
    used: datetime | None


class AccountPage(Page):
    """``/account``: one's own passkeys and sessions."""

    code: str
    name: str
    password: bool
    passkeys: list[PasskeyRow]
    sessions: int
    today: date
