"""Signing in and out: password, one-time link, the first run, the desktop's token."""

import hmac
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field

from safelight.errors import AccessDeniedError
from safelight.web.accounts import LEAST_LETTERS, LockedError, NameError_
from safelight.web.forms import Form, accepts, form_of
from safelight.web.models import Done, FirstRunPage, LinkPage, Problem, SignInPage
from safelight.web.records import AccountPage, PasskeyRow
from safelight.web.render import LANGUAGE, languages, plain, sent_to, shown, wants_json
from safelight.web.rooms import Rooms
from safelight.web.who import MissingError, R, SignInError, W

__all__ = ["router", "safe_next", "with_session"]

router = APIRouter(responses=plain.responses())
_YEAR: Final = 365 * 24 * 3600


class SignInForm(Form):
    """A name and a password."""

    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=400)
    next: str = Field(default="/", max_length=400)


class FirstRunForm(Form):
    """The operator's account; ``code`` is what the server printed when it started."""

    code: str = Field(max_length=200)
    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=400)


class PasswordForm(Form):
    """A new name and password of one's own."""

    name: str = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=400)


class LanguageForm(Form):
    """A language to show pages in."""

    language: str = Field(max_length=35)
    next: str = Field(default="/", max_length=400)


def safe_next(address: str) -> str:
    """Return an address of ours to go to; never another host's."""
    fits = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if fits and address.isprintable() and "\\" not in address else "/"


def with_session(request: Request, rooms: Rooms, account: str, way: str, to: str) -> Response:
    """Open a session, end the one that was there, and send the browser on."""
    before = rooms.sessions.who(request.cookies)
    if before.token:
        rooms.sessions.close(before.token)
    token = rooms.sessions.open(account, way)
    return _cookie(rooms, sent_to(request, to), token)


def _cookie(rooms: Rooms, answer: Response, token: str) -> Response:
    answer.set_cookie(
        rooms.sessions.cookie,
        token,
        path="/",
        secure=rooms.options.secure,
        httponly=True,
        samesite="lax",
    )
    return answer


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


@router.get("/sign-in", response_model=SignInPage)
def sign_in_page(
    request: Request, rooms: R, to: Annotated[str, Query(alias="next", max_length=400)] = "/"
) -> Response:
    """Return what is needed to sign in."""
    page = SignInPage(next=safe_next(to), providers=["oidc"] if rooms.options.oidc[0] else [])
    return shown(request, "sign-in.html", page)


@router.post("/sign-in", response_model=Done, openapi_extra=accepts(SignInForm))
def sign_in(
    request: Request, rooms: R, form: Annotated[SignInForm, Depends(form_of(SignInForm))]
) -> Response:
    """Sign in with a name and a password."""
    rooms.limiter.take(f"sign-in {_address(request)}")
    try:
        account = rooms.accounts.check(form.name, form.password)
    except LockedError:
        if wants_json(request):
            raise
        page = SignInPage(next=safe_next(form.next), failed=True, wait_seconds=60)
        return shown(request, "sign-in.html", page, status=429)
    if account is None:
        if wants_json(request):
            raise SignInError(
                "the name or the password is wrong",
                todo="give them again, or ask for a one-time link",
            )
        page = SignInPage(next=safe_next(form.next), failed=True)
        return shown(request, "sign-in.html", page, status=401)
    return with_session(request, rooms, account.id, "password", safe_next(form.next))


@router.post("/sign-out", response_model=Done)
def sign_out(request: Request, rooms: R, who: W) -> Response:
    """End this session."""
    rooms.sessions.close(who.token)
    answer = sent_to(request, "/sign-in")
    answer.delete_cookie(rooms.sessions.cookie, path="/")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@router.get("/open/{token}", response_model=Done)
def open_desktop(request: Request, rooms: R, token: str) -> Response:
    """Open the desktop mode with the secret that the command put into the address; once."""
    rooms.limiter.take(f"open {_address(request)}")
    if not rooms.use_token(token):
        raise MissingError("this address was used, or never was", todo="start safelight again")
    return _cookie(rooms, sent_to(request, "/"), rooms.sessions.desktop())


@router.get("/first-run", response_model=FirstRunPage)
def first_run_page(request: Request, rooms: R) -> Response:
    """Return the page that makes the operator's account, until there is one."""
    if rooms.options.desktop or rooms.accounts.count():
        raise MissingError("there is an operator already", todo="sign in")
    return shown(request, "first-run.html", FirstRunPage(least_letters=LEAST_LETTERS))


@router.post("/first-run", response_model=Done, openapi_extra=accepts(FirstRunForm))
def first_run(
    request: Request, rooms: R, form: Annotated[FirstRunForm, Depends(form_of(FirstRunForm))]
) -> Response:
    """Make the operator's account, and sign them in."""
    rooms.limiter.take(f"first-run {_address(request)}")
    if rooms.options.desktop or rooms.accounts.count():
        raise MissingError("there is an operator already", todo="sign in")
    known = hmac.compare_digest(form.code.strip().encode(), rooms.options.token.encode())
    if not (known and rooms.options.token):
        raise AccessDeniedError(
            "this is not the code of this server",
            kept="no account was made",
            todo="copy the code that safelight serve printed when it started",
        )
    try:
        account = rooms.accounts.first(form.name, form.password)
    except NameError_ as error:
        if wants_json(request):
            raise
        problem = Problem(code=error.code, what=error.what, todo=error.todo)
        page = FirstRunPage(least_letters=LEAST_LETTERS, problem=problem)
        return shown(request, "first-run.html", page, status=422)
    return with_session(request, rooms, account.id, "password", "/steward")


@router.get("/link/{token}", response_model=LinkPage)
def link_page(request: Request, rooms: R, token: str) -> Response:
    """Return what a one-time link opens; looking does not use it up."""
    rooms.limiter.take(f"link {_address(request)}")
    found = rooms.accounts.linked(token)
    if found is None:
        raise MissingError("this link was used, is too old, or never was", todo="ask for a new one")
    return shown(request, "link.html", LinkPage(until=found[1], person=found[0].person))


@router.post("/link/{token}", response_model=Done)
def link(request: Request, rooms: R, token: str) -> Response:
    """Use a one-time link up: whoever does is signed in."""
    rooms.limiter.take(f"link {_address(request)}")
    account = rooms.accounts.use_link(token)
    if account is None:
        raise MissingError("this link was used, is too old, or never was", todo="ask for a new one")
    return with_session(request, rooms, account.id, "link", "/" if account.person else "/account")


@router.get("/account", response_model=AccountPage)
def account_page(request: Request, rooms: R, who: W) -> Response:
    """Return one's own account: name, passkeys, sessions."""
    if who.desktop:
        raise MissingError("there are no accounts here: this is your own computer")
    account = rooms.accounts.get(who.account)
    page = AccountPage(
        code=who.actor,
        name=account.label,
        password=account.password,
        passkeys=[
            PasskeyRow(id=row.id[:16], made=row.made, used=row.used)
            for row in rooms.passkeys.listed(who.account)
        ],
        sessions=rooms.sessions.count(who.account),
        today=rooms.store.clock.now().date(),
    )
    return shown(request, "account.html", page)


@router.post("/account/password", response_model=Done, openapi_extra=accepts(PasswordForm))
def account_password(
    request: Request,
    rooms: R,
    who: W,
    form: Annotated[PasswordForm, Depends(form_of(PasswordForm))],
) -> Response:
    """Choose a name and a password; every session of the account but a new one ends."""
    if who.desktop:
        raise MissingError("there are no accounts here: this is your own computer")
    rooms.limiter.take(f"password {who.account}")
    rooms.accounts.set_password(who.account, form.name, form.password)
    return with_session(request, rooms, who.account, "password", "/account")


@router.post("/language", response_model=Done, openapi_extra=accepts(LanguageForm))
def language(
    request: Request, rooms: R, form: Annotated[LanguageForm, Depends(form_of(LanguageForm))]
) -> Response:
    """Choose the language of pages."""
    if form.language not in languages():
        raise MissingError("there are no pages in this language")
    answer = sent_to(request, safe_next(form.next))
    answer.set_cookie(
        LANGUAGE,
        form.language,
        max_age=_YEAR,
        secure=rooms.options.secure,
        httponly=True,
        samesite="lax",
    )
    return answer
