"""What was removed: submissions, their files, masks by hand, approval."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Row

from safelight.consent.roles import Act
from safelight.errors import SafelightError
from safelight.types import Kind
from safelight.web.changes import changes_of, masks_of
from safelight.web.forms import Form, accepts, form_of
from safelight.web.models import (
    Done,
    FaceView,
    ItemPage,
    ItemRow,
    PictureSet,
    SubmissionPage,
    SubmissionsPage,
)
from safelight.web.parcels import ConflictError
from safelight.web.pictures import Pictures
from safelight.web.render import plain, sent_to, shown
from safelight.web.rooms import Rooms
from safelight.web.routes.give import parcel_view
from safelight.web.sessions import Who
from safelight.web.turning import face_of
from safelight.web.who import MissingError, R, W, check, known

__all__ = ["N", "item_of", "may_of", "router", "see"]

router = APIRouter(responses=plain.responses())
N = Annotated[int, Path(ge=0, le=10_000_000)]
_PAGE: Final = 100
_UNCOVERED: Final = frozenset((Kind.NIFTI, Kind.NIFTI_GZ))  # no part of them can be masked by hand
_ONE: Final = 1 << 20


class MaskBox(Form):
    """A box in pixels of the whole frame; ``frames`` is empty for every frame."""

    x: int = Field(ge=0, le=_ONE)
    y: int = Field(ge=0, le=_ONE)
    w: int = Field(ge=1, le=_ONE)
    h: int = Field(ge=1, le=_ONE)
    frames: list[int] = Field(default_factory=list, max_length=1000)


class MaskForm(Form):
    """Masks to add and masks to take off.

    ``x``, ``y``, ``w`` and ``h`` say one box to add without a script; ``remove`` names masks by
    their ``id``. ``scope``: this file alone, or every file of its series.
    """

    add: list[MaskBox] = Field(default_factory=list, max_length=200)
    remove: list[str] = Field(default_factory=list, max_length=200)
    scope: str = Field(default="item", pattern="item|series")
    x: int | None = Field(default=None, ge=0, le=_ONE)
    y: int | None = Field(default=None, ge=0, le=_ONE)
    w: int | None = Field(default=None, ge=1, le=_ONE)
    h: int | None = Field(default=None, ge=1, le=_ONE)

    def boxes(self) -> list[MaskBox]:
        """Return the boxes to add."""
        one = (self.x, self.y, self.w, self.h)
        if None in one:
            return self.add
        x, y, w, h = (each or 0 for each in one)
        return [*self.add, MaskBox(x=x, y=y, w=max(w, 1), h=max(h, 1))]


class BackForm(Form):
    """Which files are not right; none means all."""

    items: list[int] = Field(default_factory=list, max_length=10_000)


def see(
    rooms: Rooms, who: Who, row: Row[Any], act: Act = Act.SEE_DERIVED, *, glass: bool = True
) -> None:
    """Let somebody see a submission, or not; logged either way.

    Looking again at the same within a few minutes is one look. An emergency lets them look, unless
    ``glass`` is False: where they would do more than that.

    Raises:
        AccessDeniedError: They may not; the attempt is logged.
    """
    rooms.glance(
        *(who, act, row.person),
        purpose=row.purpose,
        policy=row.policy,
        about=row.id,
        glass=glass and act is Act.SEE_DERIVED,
    )


def may_of(rooms: Rooms, who: Who, row: Row[Any], *, before: bool) -> list[str]:
    """Return what somebody may do with a submission."""
    mine = who.owns(row.person)
    told = []
    reviewer = who.may(Act.SEE_ORIGINAL, row.person)
    if mine or reviewer:
        told += ["approve", "send-back", "mask"]
    if before and (mine or reviewer):
        told.append("see-before")
    if mine or who.may(Act.SEE_DERIVED, row.person) or rooms.emergency(who, row.person):
        told.append("read")
    return told


def item_of(rooms: Rooms, submission: str, n: int) -> Row[Any]:
    """Return one file of a submission.

    Raises:
        MissingError: There is none.
    """
    row = rooms.items.row(submission, n)
    if row is None:
        raise MissingError("there is no such file in this submission")
    return row


@router.get("/submissions", response_model=SubmissionsPage)
def submissions_page(
    request: Request,
    rooms: R,
    who: W,
    person: Annotated[str, Query(max_length=32)] = "",
    before: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """Return submissions, the newest first: one's own, or for staff those of all or of one."""
    if person:
        people: list[str] | None = [person]
        if person not in who.people and not rooms.emergency(who, person):
            check(rooms, who, Act.LIST_PEOPLE)
    elif who.people:
        people = who.people
    else:
        check(rooms, who, Act.LIST_PEOPLE)
        people = None
    rows = rooms.items.listed(people, limit=_PAGE + 1, before=before)
    page = SubmissionsPage(submissions=rows[:_PAGE], more=len(rows) > _PAGE)
    return shown(request, "submissions.html", page)


@router.get("/submissions/{submission}", response_model=SubmissionPage)
def submission_page(request: Request, rooms: R, who: W, submission: str) -> Response:
    """Return what was removed from a submission, in short for each file."""
    parcel = rooms.parcels.row(submission)
    if parcel is not None and parcel.state != "done":
        return shown(request, "submission.html", _coming(rooms, who, parcel))
    if parcel is not None and parcel.submission != submission:
        return sent_to(request, f"/submissions/{parcel.submission}", made=parcel.submission)
    row = known(rooms, submission)
    see(rooms, who, row)
    mine = who.owns(row.person)
    until = rooms.items.before_until(submission)
    look = rooms.items.look(submission)
    kept = rooms.items.kept(submission, row.person) if mine and until else frozenset()
    seen = rooms.items.seen(submission)
    files = rooms.items.ordered(rooms.items.rows(submission), seen)
    told = parcel_view(rooms, parcel) if parcel is not None else None
    page = SubmissionPage(
        id=row.id,
        person=row.person,
        state=row.state,
        made=row.made,
        purpose=row.purpose,
        items=[rooms.items.view(each, seen, mine=mine, kept=kept) for each in files],
        progress=sum(each.state != "waiting" for each in files),
        total=len(files),
        before_until=until if mine else None,
        mine=mine,
        may=may_of(rooms, who, row, before=bool(until)),
        approved=look is not None and look.approved is not None,
        known=told.known if told else 0,
        skipped=told.skipped if told and mine else [],
    )
    return shown(request, "submission.html", page)


def _coming(rooms: Rooms, who: Who, parcel: Row[Any]) -> SubmissionPage:
    """Return a submission whose files are being taken in."""
    if parcel.account != who.account:
        check(rooms, who, Act.SEE_ORIGINAL, parcel.person)
    told = parcel_view(rooms, parcel)
    return SubmissionPage(
        id=parcel.id,
        person=parcel.person,
        state="failed" if told.problem else parcel.state,
        made=parcel.made,
        purpose=parcel.purpose,
        items=[],
        progress=0,
        total=parcel.files,
        mine=who.owns(parcel.person),
        may=[],
        notes=[told.problem.what] if told.problem else [],
    )


@router.get("/submissions/{submission}/items/{n}", response_model=ItemPage)
def item_page(request: Request, rooms: R, who: W, submission: str, n: N) -> Response:
    """Return all that was done to one file."""
    row = known(rooms, submission)
    item = item_of(rooms, submission, n)
    mine = who.owns(row.person)
    held = item.state in ("review", "quarantine")
    see(rooms, who, row, Act.SEE_ORIGINAL if held and not mine else Act.SEE_DERIVED)
    until = rooms.items.before_until(submission)
    kept = rooms.items.kept(submission, row.person)
    seen = rooms.items.seen(submission)
    view = rooms.items.view(item, seen, mine=mine, kept=kept if until else frozenset())
    numbers = [each.position for each in rooms.items.ordered(rooms.items.rows(submission), seen)]
    base = f"/submissions/{submission}/items/{n}"
    pictures, notes = None, []
    try:
        if item.state == "done":
            pictures = rooms.pictures(item).told(base)
        elif held and not mine:
            pictures = _as_it_was(rooms, item, base)
    except SafelightError as error:
        notes.append(error.what)
    same = [each for each in numbers if each in seen and seen[each].series == view.series]
    if pictures is not None and not held:
        more: dict[str, Any] = {"series": same if view.series else []}
        if view.before:
            more["before_png"] = f"{base}/before/{{f}}.png"
            more["before_preview"] = f"{base}/before/{{f}}.jpg?side=1024"
        pictures = pictures.model_copy(update=more)
    manifest = rooms.items.manifest(item)
    at = numbers.index(n)
    page = ItemPage(
        submission=submission,
        person=row.person,
        item=view,
        previous=numbers[at - 1] if at else None,
        next=numbers[at + 1] if at + 1 < len(numbers) else None,
        changes=changes_of(rooms, item, manifest, values=view.before),
        masks=masks_of(rooms, item, seen.get(n)),
        faces=_faces(rooms, item, [n, *same] if view.series else [n], manifest, view),
        pictures=pictures,
        before_until=until if view.before else None,
        may=[
            one
            for one in may_of(rooms, who, row, before=view.before)
            if one != "mask" or Kind(item.kind) not in _UNCOVERED
        ],
        notes=[*notes, *manifest.get("notes", [])],
        profile=manifest.get("profile", ""),
    )
    return shown(request, "item.html", page)


def _faces(
    rooms: Rooms,
    item: Row[Any],
    series: list[int],
    manifest: dict[str, Any],
    view: ItemRow,
) -> FaceView | None:
    """Return what was done about a face; nothing while a file is not through."""
    if item.state != "done":
        return None
    with rooms.store.read() as conn:
        return face_of(conn, item, series, manifest, before=view.before)


def _as_it_was(rooms: Rooms, item: Row[Any], base: str) -> PictureSet | None:
    """Return the pictures of a file that waits for review, to whoever reviews it."""
    told = Pictures(rooms.items.kind(item), b"".join(rooms.original(item))).told(base)
    if told is None:
        return None
    before = {"png": f"{base}/before/{{f}}.png", "preview": f"{base}/before/{{f}}.jpg?side=1024"}
    return told.model_copy(update={**before, "raw": ""})


@router.post(
    "/submissions/{submission}/items/{n}/masks",
    response_model=Done,
    openapi_extra=accepts(MaskForm),
)
def masks(
    request: Request,
    rooms: R,
    who: W,
    submission: str,
    n: N,
    form: Annotated[MaskForm, Depends(form_of(MaskForm))],
) -> Response:
    """Add masks or take some off; the file, or its series, is de-identified again with them."""
    row = known(rooms, submission)
    see(rooms, who, row, Act.SEE_ORIGINAL)
    if Kind(item_of(rooms, submission, n).kind) in _UNCOVERED:
        raise ConflictError(
            "covers cannot be drawn on a file of this kind",
            todo="say that something of you is left, so that a person looks at it",
        )
    boxes = [(box.x, box.y, box.w, box.h, tuple(box.frames)) for box in form.boxes()]
    rooms.rework.edit(row, n, boxes, form.remove, series=form.scope == "series", actor=who.actor)
    return sent_to(request, f"/submissions/{submission}/items/{n}")


@router.post("/submissions/{submission}/approve", response_model=Done)
def approve(request: Request, rooms: R, who: W, submission: str) -> Response:
    """Say that it is right: the originals that are still kept go now."""
    row = known(rooms, submission)
    see(rooms, who, row, Act.SEE_ORIGINAL)
    rooms.rework.approve(row, who.actor)
    return sent_to(request, f"/submissions/{submission}")


@router.post(
    "/submissions/{submission}/send-back", response_model=Done, openapi_extra=accepts(BackForm)
)
def send_back(
    request: Request,
    rooms: R,
    who: W,
    submission: str,
    form: Annotated[BackForm, Depends(form_of(BackForm))],
) -> Response:
    """Say that something is still to be seen: the files go to review, and nobody reads them."""
    row = known(rooms, submission)
    see(rooms, who, row, Act.SEE_ORIGINAL)
    rooms.rework.send_back(row, form.items, who.actor)
    return sent_to(request, f"/submissions/{submission}")
