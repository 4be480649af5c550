"""What pages are made of: one model a page, shown as HTML or handed out as JSON.

Times are UTC with a zone. People stand here as codes. ``label`` is the path a file was handed in
under: it is filled in for the file's owner alone, because a path may name somebody.
"""

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "ErrorPage",
    "FirstRunPage",
    "GivePage",
    "ItemPage",
    "Me",
    "ParcelView",
    "Problem",
    "SignInPage",
    "SubmissionPage",
    "SubmissionsPage",
    "UploadView",
]

_SHORT: Final = 400


class Page(BaseModel):
    """Base of all models here: fields are fixed, and every one is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Me(Page):
    """Who looks.

    Attributes:
        signed_in: Whether anybody is signed in.
        code: Of the account; empty when nobody is.
        name: What they signed in with; shown to themselves alone.
        roles: Role names, see docs/consent.md.
        person: Code of the person whose data are theirs; empty for staff.
        language: Of the page, a BCP 47 tag.
        desktop: The server serves one person on this computer; there is nothing to sign out of.
    """

    signed_in: bool = False
    code: str = ""
    name: str = ""
    roles: list[str] = Field(default_factory=list)
    person: str = ""
    language: str = "en"
    desktop: bool = False


class Problem(Page):
    """Something that did not work: what, what was kept, what to do."""

    code: str
    what: str
    place: str = ""
    kept: str = ""
    todo: str = ""


class ErrorPage(Page):
    """What is shown or returned with a status of 400 and above."""

    status: int
    problem: Problem


class SignInPage(Page):
    """``/sign-in``."""

    next: str = "/"
    failed: bool = False
    wait_seconds: int = 0
    passkeys: bool = True
    providers: list[str] = Field(default_factory=list)


class FirstRunPage(Page):
    """``/first-run``: the operator's account is made once."""

    least_letters: int
    problem: Problem | None = None


class LinkPage(Page):
    """``/link/{token}``: what somebody without an account is asked before the link is used up."""

    until: datetime
    person: str


class PurposeChoice(Page):
    """One purpose that the policy asks for; ``agreed`` is what stands now, off unless said."""

    name: str
    label: str
    meaning: str
    agreed: bool = False
    needed: bool = False


class PolicyBrief(Page):
    """A policy as a person reads it."""

    hash: str
    name: str
    version: int
    title: str
    summary: str
    withdrawal: str
    controller: str
    contact: str
    retention_days: int | None
    recipients: list[str]
    conditions: list[str]


class UploadView(Page):
    """One file on its way in.

    Attributes:
        id: Of the upload.
        parcel: What it belongs to.
        offset: Bytes that are stored for good; the next request goes on there.
        length: Bytes in all; null until the sender says.
        whole: All of it is here.
        known: The same bytes are in this parcel already, or were handed in before.
        label: As the sender named it.
    """

    id: str
    parcel: str
    offset: int
    length: int | None
    whole: bool
    known: bool = False
    label: str = ""


class ParcelView(Page):
    """Files that are handed in together, until they are a submission of the same id.

    ``state``: ``open`` (takes files), ``sent`` (being taken in), ``done`` (``submission`` says
    where), ``failed`` (``problem`` says why), ``gone``.
    """

    id: str
    person: str
    state: str
    made: datetime
    submission: str = ""
    files: int = 0
    known: int = 0
    skipped: list["SkippedFile"] = Field(default_factory=list)
    uploads: list[UploadView] = Field(default_factory=list)
    problem: Problem | None = None


class SkippedFile(Page):
    """An input that was not taken in, and why."""

    label: str = ""
    problem: Problem


class GivePage(Page):
    """``/``: hand something in."""

    policy: PolicyBrief | None
    purposes: list[PurposeChoice]
    most_bytes: int
    piece_bytes: int
    keep_hours: int
    may_name_person: bool
    parcels: list[ParcelView] = Field(default_factory=list)
    problem: Problem | None = None


class SubmissionRow(Page):
    """A submission in a list; ``state`` is ``sent``, ``waiting``, ``working`` or ``done``."""

    id: str
    person: str
    state: str
    made: datetime
    items: dict[str, int]
    readings: int = 0


class SubmissionsPage(Page):
    """``/submissions``: newest first."""

    submissions: list[SubmissionRow]
    more: bool = False


class ItemRow(Page):
    """One file of a submission.

    Attributes:
        n: Its number, from 0.
        state: ``waiting``, ``done``, ``review`` or ``quarantine``.
        kind: What it is: ``dicom``, ``png``, …
        series: Code of its series; equal for files that masks can be applied to together.
        modality: As the cleaned header says, e.g. ``CT``.
        frames: How many pictures it has; 0 where there are none, or they are not out.
        masks: How many places are masked in its pixels.
        removed: How many places of the header went or were emptied.
        changed: How many were changed.
        before: Whether its owner can still see how it was.
        reading: ``none``, ``waiting`` or ``done``.
        problem: Why it is in review or quarantine.
    """

    n: int
    state: str
    kind: str
    bytes: int
    label: str = ""
    series: str = ""
    modality: str = ""
    frames: int = 0
    masks: int = 0
    removed: int = 0
    changed: int = 0
    before: bool = False
    reading: Literal["none", "waiting", "done"] = "none"
    problem: Problem | None = None


class SubmissionPage(Page):
    """``/submissions/{id}``: what was removed, in short, for each file.

    Attributes:
        progress: Files that are through, of ``total``.
        before_until: Until when its owner can see how it was; null when they no longer can.
        mine: The one who looks is the owner.
        may: What the one who looks may do here: ``approve``, ``send-back``, ``mask``, ``read``,
            ``see-before``.
        approved: The owner, or a steward, has said that it is right.
    """

    id: str
    person: str
    state: str
    made: datetime
    purpose: str
    items: list[ItemRow]
    progress: int
    total: int
    before_until: datetime | None = None
    mine: bool
    may: list[str]
    approved: bool = False
    known: int = 0
    skipped: list[SkippedFile] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


class HeaderChange(Page):
    """One place of the header.

    ``sign``: ``-`` went, ``~`` changed, ``+`` came in, a space stayed. ``before`` is the value
    for its owner in the short time, else its shape (``Xxxx^Xxxx (9)``) or empty.
    """

    sign: Literal["-", "~", "+", " "]
    place: str
    name: str = ""
    vr: str = ""
    before: str = ""
    after: str = ""
    rule: str = ""


class MaskView(Page):
    """One place in the pixels: ``x``, ``y``, ``w``, ``h`` in pixels of the whole frame.

    ``frames`` is empty for every frame. ``verdict``: ``mask``, ``keep`` (proven harmless) or
    ``review``. ``by_hand``: added on this page; ``spare``: a mask that a person took off.
    """

    id: str
    x: int
    y: int
    w: int
    h: int
    frames: list[int] = Field(default_factory=list)
    verdict: str
    rule: str
    why: str
    confidence: float = 1.0
    by_hand: bool = False
    spare: bool = False


class PictureSet(Page):
    """How to get the pictures of one item; ``{f}`` is a frame number from 0.

    ``preview`` and ``before_preview`` are small and lossy, to show first. ``raw`` is empty where
    there are no stored values to hand out, as for a file that waits for review.
    """

    frames: int
    rows: int
    columns: int
    colour: bool
    bits: int
    signed: bool
    slope: float = 1.0
    intercept: float = 0.0
    centre: float | None = None
    width: float | None = None
    inverted: bool = False
    png: str
    raw: str
    preview: str = ""
    before_png: str = ""
    before_preview: str = ""
    series: list[int] = Field(default_factory=list)


class FaceView(Page):
    """What was done about a face.

    Attributes:
        done: It was taken off.
        views: How many pictures there are of the head from all around; 0 where there are none.
        across: How many of them stand in a row of a sheet.
        stills: Views that a page shows without a script.
        after: Address of the sheet without the face, JPEG: the front first, then round to the
            patient's left.
        after_view: Of one view, with ``{v}`` for its number.
        before: Of the sheet with the face, for its owner and for a short time; else empty.
        before_view: Of one view of that.
    """

    done: bool
    views: int = 0
    across: int = 0
    stills: list[int] = Field(default_factory=list)
    after: str = ""
    after_view: str = ""
    before: str = ""
    before_view: str = ""


class ItemPage(Page):
    """``/submissions/{id}/items/{n}``: one file, all that was done to it, and its pictures."""

    submission: str
    person: str
    item: ItemRow
    previous: int | None
    next: int | None
    changes: list[HeaderChange]
    masks: list[MaskView]
    faces: FaceView | None = None
    pictures: PictureSet | None = None
    before_until: datetime | None = None
    may: list[str]
    notes: list[str] = Field(default_factory=list)
    profile: str = ""


class Done(Page):
    """What a request without a page of its own returns as JSON; a browser is sent to ``to``."""

    done: bool = True
    to: str
    id: str = ""


class Ceremony(Page):
    """What ``navigator.credentials`` needs (``publicKey``), and what comes back with its answer."""

    ceremony: str
    publicKey: dict[str, Any]  # noqa: N815  # the name that browsers want
