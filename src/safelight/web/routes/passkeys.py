"""Passkeys: make one, remove one, sign in with one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import Field

from safelight.web.forms import Form, accepts, form_of
from safelight.web.models import Ceremony, Done
from safelight.web.render import plain, sent_to
from safelight.web.routes.sign import safe_next, with_session
from safelight.web.who import MissingError, R, W

__all__ = ["router"]

router = APIRouter(responses=plain.responses())


class AnswerForm(Form):
    """What ``navigator.credentials`` gave, as JSON (WebAuthn 5.1)."""

    ceremony: str = Field(max_length=100)
    credential: dict[str, Any]
    next: str = Field(default="/", max_length=400)


class RemoveForm(Form):
    """Which passkey goes."""

    id: str = Field(min_length=16, max_length=16)


@router.post("/account/passkeys/options", response_model=Ceremony)
def passkey_options(rooms: R, who: W) -> Response:
    """Return what a browser needs to make a passkey."""
    if who.desktop:
        raise MissingError("there are no accounts here: this is your own computer")
    told = rooms.passkeys.ask_new(who.account, who.label)
    body = Ceremony.model_validate(told).model_dump_json()
    return Response(body, media_type="application/json")


@router.post("/account/passkeys", response_model=Done, openapi_extra=accepts(AnswerForm))
def passkey_new(
    request: Request, rooms: R, who: W, form: Annotated[AnswerForm, Depends(form_of(AnswerForm))]
) -> Response:
    """Keep a new passkey."""
    if who.desktop:
        raise MissingError("there are no accounts here: this is your own computer")
    made = rooms.passkeys.make(who.account, form.ceremony, form.credential)
    return sent_to(request, "/account", made=made)


@router.post("/account/passkeys/remove", response_model=Done, openapi_extra=accepts(RemoveForm))
def passkey_remove(
    request: Request, rooms: R, who: W, form: Annotated[RemoveForm, Depends(form_of(RemoveForm))]
) -> Response:
    """Remove a passkey."""
    rooms.passkeys.remove(who.account, form.id)
    return sent_to(request, "/account")


@router.post("/sign-in/passkey/options", response_model=Ceremony)
def passkey_ask(request: Request, rooms: R) -> Response:
    """Return what a browser needs to sign in with a passkey."""
    rooms.limiter.take(f"passkey {request.client.host if request.client else ''}")
    body = Ceremony.model_validate(rooms.passkeys.ask()).model_dump_json()
    return Response(body, media_type="application/json")


@router.post("/sign-in/passkey", response_model=Done, openapi_extra=accepts(AnswerForm))
def passkey_sign_in(
    request: Request, rooms: R, form: Annotated[AnswerForm, Depends(form_of(AnswerForm))]
) -> Response:
    """Sign in with a passkey."""
    rooms.limiter.take(f"sign-in {request.client.host if request.client else ''}")
    account = rooms.accounts.get(rooms.passkeys.check(form.ceremony, form.credential))
    return with_session(request, rooms, account.id, "passkey", safe_next(form.next))
