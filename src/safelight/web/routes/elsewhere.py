"""Signing in at an OpenID provider: there, and back."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from safelight.web.render import plain
from safelight.web.rooms import Rooms
from safelight.web.routes.sign import with_session
from safelight.web.signin import Elsewhere
from safelight.web.who import MissingError, R

__all__ = ["router"]

router = APIRouter(responses=plain.responses())
_COOKIE: Final = "safelight-oidc"
_SEEN: Final[dict[int | str, dict[str, Any]]] = {
    303: {"description": "The browser is sent on."},
    200: {"description": "Programs are told where."},
}


def _provider(rooms: Rooms) -> Elsewhere:
    """Return the provider.

    Raises:
        MissingError: There is none.
    """
    if not rooms.options.oidc[0]:
        raise MissingError("no OpenID provider is set up here")
    return Elsewhere(rooms.desk)


@router.get("/sign-in/oidc", response_class=Response, responses=_SEEN)
def sign_in_elsewhere(request: Request, rooms: R) -> Response:
    """Send the browser to the provider."""
    rooms.limiter.take(f"oidc {request.client.host if request.client else ''}")
    address, browser = _provider(rooms).begin()
    answer = RedirectResponse(address, 303)
    answer.set_cookie(
        _COOKIE,
        browser,
        max_age=600,
        path="/sign-in/oidc",
        secure=rooms.options.secure,
        httponly=True,
        samesite="lax",
    )
    return answer


@router.get("/sign-in/oidc/back", response_class=Response, responses=_SEEN)
def back(
    request: Request,
    rooms: R,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
) -> Response:
    """Take whoever comes back from the provider in; a new person gets a key of their own."""
    rooms.limiter.take(f"oidc {request.client.host if request.client else ''}")
    issuer, subject = _provider(rooms).end(state, code, request.cookies.get(_COOKIE, ""))
    account = rooms.accounts.of_subject(issuer, subject)
    return with_session(request, rooms, account.id, "oidc", "/")
