"""The application: routes behind a gate, every error as a page, nothing of a value in it."""

import os
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from safelight import __version__, errors, log
from safelight.web.accounts import LockedError, NameError_
from safelight.web.desk import Desk
from safelight.web.forms import BadRequestError, UnsupportedError
from safelight.web.limiter import TooManyError
from safelight.web.models import Problem
from safelight.web.parcels import ConflictError
from safelight.web.passkeys import PasskeyError
from safelight.web.render import problem_page, wants_json
from safelight.web.rooms import Rooms
from safelight.web.routes import (
    elsewhere,
    emergency,
    frames,
    give,
    mine,
    ops,
    passkeys,
    reading,
    sign,
    steward,
    submissions,
    uploads,
)
from safelight.web.security import Gate
from safelight.web.signin import ProviderError
from safelight.web.who import MissingError, SignInError

__all__ = ["create"]

_HERE: Final = os.path.dirname(__file__)
_ABOUT: Final = (
    "Hand over a scan, see what was taken out, read what can be said, decide what may be done"
    " with it. Every page is JSON too: ask with `Accept: application/json`, or add `.json`."
)
# The first class in this order that an error belongs to gives its status.
_STATUS: Final[tuple[tuple[type[errors.SafelightError], int], ...]] = (
    (SignInError, 401),
    (MissingError, 404),
    (UnsupportedError, 415),
    (BadRequestError, 422),
    (TooManyError, 429),
    (LockedError, 429),
    (ConflictError, 409),
    (PasskeyError, 422),
    (ProviderError, 503),
    (NameError_, 422),
    (errors.AccessDeniedError, 403),
    (errors.ConsentDeniedError, 403),
    (errors.ErasedError, 410),
    (errors.LimitExceededError, 413),
    (errors.StoreBusyError, 503),
    (errors.StoreFullError, 507),
    (errors.WithdrawalError, 503),
    (errors.CorruptedError, 503),
    (errors.MasterKeyError, 503),
    (errors.LogError, 503),
    (errors.RemoverMissingError, 503),
    (errors.StoreError, 404),
    (errors.ConsentError, 422),
    (errors.PolicyError, 422),
    (errors.ReceiptError, 422),
    (errors.QuarantineError, 422),
    (errors.NeedsReviewError, 422),
    (errors.SettingsError, 422),
)
_SAID: Final = {
    400: "the request cannot be understood",
    404: "there is no such page",
    405: "this is not done in this way",
}


def create(desk: Desk, *, rooms: Rooms | None = None) -> Gate:
    """Return the application over an open house.

    Args:
        desk: The house and how the server is run; it is closed by whoever opened it.
        rooms: Rooms made before, where somebody else needs them too.
    """

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        yield
        app.state.rooms.stopping = True

    app = FastAPI(
        title="Safelight",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.rooms = rooms or Rooms(desk)
    app.add_exception_handler(errors.SafelightError, _told)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(404, _refused)
    app.add_exception_handler(405, _refused)
    app.add_exception_handler(RequestValidationError, _misfit)
    app.add_exception_handler(Exception, _unexpected)
    for module in (
        *(sign, passkeys, elsewhere, give, uploads, frames, submissions),
        *(reading, mine, emergency, steward, ops),
    ):
        app.include_router(module.router)
    static = os.path.join(_HERE, "static")
    if os.path.isdir(static):
        app.mount("/static", StaticFiles(directory=static), name="static")
    app.openapi = lambda: _documented(app)  # type: ignore[method-assign]  # as FastAPI's guide does
    return Gate(app, desk.options, app.state.rooms.metrics)


def _documented(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document: what is JSON to a program is a page to a browser."""
    if app.openapi_schema is None:
        told = get_openapi(
            title=app.title, version=app.version, description=_ABOUT, routes=app.routes
        )
        for operation in (each for path in told["paths"].values() for each in path.values()):
            answers = operation["responses"]
            answers.setdefault("303", {"description": "A browser is sent on."})
            for answer in answers.values():
                content = answer.get("content", {})
                if "application/json" in content:
                    content.setdefault("text/html", {"schema": {"type": "string"}})
        app.openapi_schema = told
    return app.openapi_schema


def _told(request: Request, error: Exception) -> Response:
    if not isinstance(error, errors.SafelightError):
        return _unexpected(request, error)
    error = error.unlisted()  # a request is no run: nothing is listed anywhere
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 422)
    if isinstance(error, SignInError) and request.method == "GET" and not wants_json(request):
        return RedirectResponse(_sign_in(request), 303)
    problem = Problem(
        code=error.code, what=error.what, place=error.place, kept=error.kept, todo=error.todo
    )
    headers = {"Retry-After": str(getattr(error, "seconds", 60))} if status in (429, 503) else {}
    return problem_page(request, status, problem, headers)


def _sign_in(request: Request) -> str:
    from urllib.parse import quote  # noqa: PLC0415  # beside its one use

    rooms: Rooms = request.app.state.rooms
    if not rooms.options.desktop and not rooms.accounts.count():
        return "/first-run"
    return f"/sign-in?next={quote(request.url.path, safe='/')}"


def _refused(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 400)
    what = _SAID.get(status, "the request cannot be served")
    headers: MutableMapping[str, str] = dict(getattr(error, "headers", None) or {})
    problem = Problem(code="request", what=what, kept="nothing was changed")
    return problem_page(request, status, problem, headers)


def _misfit(request: Request, error: Exception) -> Response:
    """Name the parameters that do not fit; their values stay out of it."""
    given: Any = error.errors() if isinstance(error, RequestValidationError) else []
    places = sorted({".".join(str(part)[:40] for part in one["loc"][:2]) for one in given})
    problem = Problem(
        code="request",
        what="a part of the request is missing or wrong",
        place=", ".join(places)[:200],
        kept="nothing was changed",
        todo="correct it and send it again",
    )
    return problem_page(request, 422, problem)


def _unexpected(request: Request, error: Exception) -> Response:
    """Answer for a fault of ours; neither its text nor a traceback leaves."""
    log.event("request-failed", type=type(error).__name__)
    problem = Problem(
        code="unexpected",
        what="something unexpected happened",
        kept="what was stored before is whole",
        todo="try again; if it happens again, tell whoever runs this server",
    )
    return problem_page(request, 500, problem)
