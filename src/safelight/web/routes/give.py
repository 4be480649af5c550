"""Hand something in: the page, and parcels of files on their way in."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Connection, Row

from safelight.consent.decision import Decision
from safelight.consent.policy import Policy
from safelight.consent.purposes import parse
from safelight.consent.roles import Act
from safelight.errors import AccessDeniedError, PolicyError
from safelight.web.forms import Form, accepts, form_of
from safelight.web.models import (
    Done,
    GivePage,
    ParcelView,
    PolicyBrief,
    Problem,
    PurposeChoice,
    SkippedFile,
    UploadView,
)
from safelight.web.render import plain, sent_to, shown
from safelight.web.rooms import Rooms
from safelight.web.sessions import Who
from safelight.web.who import MissingError, R, W, check

__all__ = [
    "GiveForm",
    "brief",
    "choices",
    "newest",
    "open_parcel",
    "parcel_of",
    "parcel_view",
    "router",
]

router = APIRouter(responses=plain.responses())
CARE: Final = "care"


class GiveForm(Form):
    """What is agreed to before the first byte is sent."""

    policy: str = Field(default="", max_length=80)
    agree: list[str] = Field(default_factory=list, max_length=20)
    person: str = Field(default="", max_length=32, pattern=r"[0-9a-f]*")


def newest(rooms: Rooms, conn: Connection) -> Policy | None:
    """Return the policy that people are asked under: the newest version of the first name."""
    names = rooms.custody.consents.names(conn)
    return rooms.custody.consents.policy(conn, names[0]) if names else None


def brief(policy: Policy) -> PolicyBrief:
    """Return a policy as a person reads it."""
    return PolicyBrief(
        hash=policy.hash,
        name=policy.name,
        version=policy.version,
        title=policy.title,
        summary=policy.summary,
        withdrawal=policy.withdrawal,
        controller=policy.controller.name,
        contact=policy.controller.contact,
        retention_days=policy.retention_days,
        recipients=sorted(policy.recipients),
        conditions=sorted(policy.conditions),
    )


def choices(rooms: Rooms, conn: Connection, person: str, policy: Policy) -> list[PurposeChoice]:
    """Return the purposes that a policy asks for, and what stands now."""
    told = []
    for name in sorted(policy.purposes, key=lambda each: (each != CARE, each)):
        purpose = parse(name)
        answer: Decision | None = None
        if person:
            answer = rooms.custody.consents.may(conn, person, name, policy.hash)
        told.append(
            PurposeChoice(
                name=name,
                label=purpose.label,
                meaning=purpose.meaning,
                agreed=answer is not None and answer.allowed,
                needed=name == CARE,
            )
        )
    return told


def upload_view(rooms: Rooms, row: Row[Any], *, mine: bool) -> UploadView:
    """Return a file on its way in."""
    return UploadView(
        id=row.id,
        parcel=row.parcel,
        offset=row.received,
        length=row.length,
        whole=row.whole,
        label=rooms.parcels.label(row) if mine else "",
    )


def parcel_view(rooms: Rooms, row: Row[Any]) -> ParcelView:
    """Return a parcel."""
    problem = None
    if row.reason:
        problem = Problem(code=row.reason, what=row.what, todo=row.todo)
    return ParcelView(
        id=row.id,
        person=row.person,
        state=row.state,
        made=row.made,
        submission=row.submission,
        files=row.files,
        known=row.known,
        skipped=[
            SkippedFile(
                label=one["label"],
                problem=Problem(code=one["reason"], what=one["what"], todo=one["todo"]),
            )
            for one in rooms.parcels.skipped(row)
        ],
        uploads=[upload_view(rooms, each, mine=True) for each in rooms.parcels.files(row.id)],
        problem=problem,
    )


def parcel_of(rooms: Rooms, who: Who, parcel: str) -> Row[Any]:
    """Return a parcel to whoever sends it.

    Raises:
        MissingError: There is none.
        AccessDeniedError: It is somebody else's; the attempt is logged.
    """
    row = rooms.parcels.row(parcel)
    if row is None:
        raise MissingError("there is no such parcel")
    if row.account != who.account:
        check(rooms, who, Act.SEE_ORIGINAL, row.person)
        raise AccessDeniedError("this parcel is somebody else's")
    return row


def open_parcel(rooms: Rooms, who: Who, form: GiveForm) -> str:
    """Record what is agreed to and open a parcel; return its id.

    Raises:
        AccessDeniedError: They may not hand in for this person.
        PolicyError: No policy was published, or not the one that was seen.
        ConsentDeniedError: The person does not agree to the purpose.
    """
    person = form.person or who.person
    check(rooms, who, Act.SUBMIT, person)
    if form.agree:
        check(rooms, who, Act.RECORD_CONSENT, person)
    with rooms.store.read() as conn:
        policy = newest(rooms, conn)
    if policy is None:
        raise PolicyError("no policy was published yet", todo="ask a steward to publish one")
    if form.policy and form.policy != policy.hash:
        raise PolicyError("the policy has changed since the page was made", todo="read it again")
    return rooms.parcels.open(
        account=who.account,
        actor=who.actor,
        person=person,
        policy=policy.hash,
        agreed=[parse(name).name for name in form.agree],
    )


@router.get("/", response_model=GivePage)
def give(request: Request, rooms: R, who: W) -> Response:
    """Return what is needed to hand something in."""
    options = rooms.options
    with rooms.store.read() as conn:
        policy = newest(rooms, conn)
        asked = choices(rooms, conn, who.person, policy) if policy else []
    problem = None
    if policy is None:
        problem = Problem(
            code="policy", what="no policy was published yet", todo="ask a steward to publish one"
        )
    page = GivePage(
        policy=brief(policy) if policy else None,
        purposes=asked,
        most_bytes=options.most_bytes,
        piece_bytes=options.piece,
        keep_hours=options.keep_hours,
        may_name_person=not who.person and who.may(Act.SUBMIT),
        parcels=[parcel_view(rooms, row) for row in rooms.parcels.listed(who.account, 20)],
        problem=problem,
    )
    return shown(request, "give.html", page)


@router.post("/parcels", response_model=Done, openapi_extra=accepts(GiveForm))
def parcel_new(
    request: Request, rooms: R, who: W, form: Annotated[GiveForm, Depends(form_of(GiveForm))]
) -> Response:
    """Say what is agreed to, and open a parcel for files."""
    made = open_parcel(rooms, who, form)
    return sent_to(request, f"/parcels/{made}", made=made)


@router.get("/parcels/{parcel}", response_model=ParcelView)
def parcel_show(request: Request, rooms: R, who: W, parcel: str) -> Response:
    """Return how far a parcel is."""
    return shown(request, "parcel.html", parcel_view(rooms, parcel_of(rooms, who, parcel)))


@router.post("/parcels/{parcel}/send", response_model=Done)
def parcel_send(request: Request, rooms: R, who: W, parcel: str) -> Response:
    """Close a parcel: its files are de-identified now."""
    parcel_of(rooms, who, parcel)
    rooms.parcels.send(parcel)
    return sent_to(request, f"/submissions/{parcel}", made=parcel)


@router.post("/parcels/{parcel}/cancel", response_model=Done)
def parcel_cancel(request: Request, rooms: R, who: W, parcel: str) -> Response:
    """Throw a parcel away that was not sent."""
    parcel_of(rooms, who, parcel)
    rooms.parcels.cancel(parcel)
    return sent_to(request, "/")
