"""Emergency: a clinician or a steward sees a person's images for an hour, with a reason."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import select

from safelight.consent.access import GLASS_LASTS
from safelight.consent.roles import GLASS, Act
from safelight.errors import AccessDeniedError
from safelight.store.schema.consent import accesses
from safelight.web.forms import BadRequestError, Form, accepts, form_of
from safelight.web.models import Done
from safelight.web.records import EmergencyPage, EmergencyRow
from safelight.web.render import plain, sent_to, shown
from safelight.web.sessions import Who
from safelight.web.who import R, W

__all__ = ["router"]

router = APIRouter(responses=plain.responses())
_ROLES: Final = tuple(role for role, acts in GLASS.items() if Act.SEE_DERIVED in acts)
_MINUTES: Final = int(GLASS_LASTS.total_seconds()) // 60


class EmergencyForm(Form):
    """Whose images, and why; ``sure`` must say ``yes``."""

    person: str = Field(min_length=1, max_length=32)
    reason: str = Field(min_length=1, max_length=2000)
    sure: str = Field(default="", max_length=10)


def _may(who: Who) -> None:
    """Refuse those whose role has no such key.

    Raises:
        AccessDeniedError: Theirs has none.
    """
    if not who.has(*_ROLES):
        raise AccessDeniedError("an emergency is declared by a clinician or a steward")


@router.get("/emergency", response_model=EmergencyPage)
def emergency_page(
    request: Request, rooms: R, who: W, person: Annotated[str, Query(max_length=32)] = ""
) -> Response:
    """Return the form, and the emergencies of one's own that still last."""
    _may(who)
    mine = select(accesses.c.person).where(
        accesses.c.actor == who.actor,
        accesses.c.broke_glass,
        accesses.c.at > rooms.store.clock.now() - GLASS_LASTS,
    )
    with rooms.store.read() as conn:
        people = sorted(set(conn.execute(mine).scalars()))
    lasting = {one: until for one in people if (until := rooms.emergency(who, one))}
    page = EmergencyPage(
        person=person,
        minutes=_MINUTES,
        lasting=[EmergencyRow(person=one, until=until) for one, until in lasting.items()],
    )
    return shown(request, "emergency.html", page)


@router.post("/emergency", response_model=Done, openapi_extra=accepts(EmergencyForm))
def declare(
    request: Request,
    rooms: R,
    who: W,
    form: Annotated[EmergencyForm, Depends(form_of(EmergencyForm))],
) -> Response:
    """Declare an emergency: for an hour the person's images can be seen, and nothing else done."""
    _may(who)
    if form.sure != "yes":
        raise BadRequestError(
            "the person is told of it, and it cannot be undone",
            place="sure",
            todo="say that you are sure",
        )
    rooms.custody.accesses.break_glass(who.actor, Act.SEE_DERIVED, form.person, form.reason)
    return sent_to(request, f"/submissions?person={form.person}")
