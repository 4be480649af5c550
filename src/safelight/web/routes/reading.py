"""Reading: what can be said of each item, who to ask, feedback, and the ask box."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import Field

from safelight.consent.roles import Act, Role
from safelight.errors import AccessDeniedError
from safelight.web import external
from safelight.web.asking import answered
from safelight.web.forms import Form, accepts, form_of
from safelight.web.models import Done
from safelight.web.opinions import given, thought
from safelight.web.parcels import ConflictError
from safelight.web.reading import Readings, page_of
from safelight.web.render import plain, sent_to, shown
from safelight.web.routes.submissions import may_of, see
from safelight.web.said import AskPage, ReadingPage
from safelight.web.who import R, W, known

__all__ = ["router"]

router = APIRouter(responses=plain.responses())


class FeedbackForm(Form):
    """Whether an answer is right; ``verdict``: ``right``, ``wrong`` or ``unsure``."""

    n: int = Field(ge=0, le=10_000_000)
    reader: str = Field(min_length=1, max_length=80)
    verdict: str = Field(pattern="right|wrong|unsure")
    says: str = Field(default="", max_length=60)
    basis: str = Field(default="own", pattern="own|follow-up|pathology")
    words: str = Field(default="", max_length=2000)


class ImpressionForm(Form):
    """What a clinician thinks before any answer is shown.

    ``thoughts``: ``n|subject|answer``, such as ``0|SCT:36118008|seen``, for what they are sure of.
    """

    words: str = Field(min_length=1, max_length=4000)
    thoughts: list[str] = Field(default_factory=list, max_length=100)


class ExternalForm(Form):
    """What another system said: ``form`` is ``text``, or ``fhir`` for a report or a bundle."""

    source: str = Field(min_length=1, max_length=80)
    form: str = Field(default="text", pattern="text|fhir")
    words: str = Field(min_length=1, max_length=100_000)


class AskForm(Form):
    """A question about this submission."""

    question: str = Field(min_length=1, max_length=1000)


@router.get("/submissions/{submission}/reading", response_model=ReadingPage)
def reading_page(request: Request, rooms: R, who: W, submission: str) -> Response:
    """Return what can be said, and what cannot."""
    row = known(rooms, submission)
    see(rooms, who, row)
    emergency = not who.owns(row.person) and rooms.emergency(who, row.person) is not None
    may = [] if emergency else may_of(rooms, who, row, before=False)
    page = page_of(Readings(rooms), who, row, may, emergency=emergency)
    return shown(request, "reading.html", page)


@router.post(
    "/submissions/{submission}/impression",
    response_model=Done,
    openapi_extra=accepts(ImpressionForm),
)
def impression(
    request: Request,
    rooms: R,
    who: W,
    submission: str,
    form: Annotated[ImpressionForm, Depends(form_of(ImpressionForm))],
) -> Response:
    """Keep a clinician's own impression; then the answers are shown."""
    row = known(rooms, submission)
    see(rooms, who, row, glass=False)
    thought(rooms, who, row, form.words, form.thoughts)
    return sent_to(request, f"/submissions/{submission}/reading")


@router.post(
    "/submissions/{submission}/external", response_model=Done, openapi_extra=accepts(ExternalForm)
)
def add_external(
    request: Request,
    rooms: R,
    who: W,
    submission: str,
    form: Annotated[ExternalForm, Depends(form_of(ExternalForm))],
) -> Response:
    """Keep what another system said of this study; clinicians see it, marked as not ours."""
    row = known(rooms, submission)
    see(rooms, who, row, glass=False)
    if not who.has(Role.CLINICIAN) or who.owns(row.person):
        raise AccessDeniedError("results of other systems are handed in by a clinician")
    if Readings(rooms).blind(who, row):
        raise ConflictError("write down your own view first")
    external.keep(rooms, who, row, form.model_dump())
    return sent_to(request, f"/submissions/{submission}/reading#external")


@router.post(
    "/submissions/{submission}/feedback", response_model=Done, openapi_extra=accepts(FeedbackForm)
)
def feedback(
    request: Request,
    rooms: R,
    who: W,
    submission: str,
    form: Annotated[FeedbackForm, Depends(form_of(FeedbackForm))],
) -> Response:
    """Say whether an answer is right or needs work."""
    row = known(rooms, submission)
    see(rooms, who, row, Act.GIVE_FEEDBACK)
    given(rooms, who, row, form.model_dump())
    return sent_to(request, f"/submissions/{submission}/reading#thanks")


@router.post(
    "/submissions/{submission}/ask", response_model=AskPage, openapi_extra=accepts(AskForm)
)
def ask(
    request: Request,
    rooms: R,
    who: W,
    submission: str,
    form: Annotated[AskForm, Depends(form_of(AskForm))],
) -> Response:
    """Answer a question from what was read, and from nothing else."""
    row = known(rooms, submission)
    see(rooms, who, row, glass=False)
    page = answered(Readings(rooms), who, row, form.question)
    return shown(request, "ask.html", page)
