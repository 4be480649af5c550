"""What routes ask for: the desk, whoever the request is from, and what they may see."""

from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import Row, select

from safelight.consent.roles import Act
from safelight.errors import SafelightError
from safelight.store.schema.submissions import submissions
from safelight.web.rooms import Rooms
from safelight.web.sessions import NOBODY, Who

__all__ = ["MissingError", "R", "SignInError", "W", "check", "known", "rooms_of", "signed_in"]


class SignInError(SafelightError):
    """Nobody is signed in."""

    code = "sign-in"
    default_kept = "nothing was shown or changed"
    default_todo = "sign in, then try again"


class MissingError(SafelightError):
    """There is nothing of this name."""

    code = "missing"
    default_kept = "nothing was changed"


def rooms_of(request: Request) -> Rooms:
    """Return what the server stands on."""
    rooms: Rooms = request.app.state.rooms
    return rooms


def who_of(request: Request) -> Who:
    """Return whoever the request is from, looked up once."""
    if not hasattr(request.state, "who"):
        request.state.who = rooms_of(request).sessions.who(request.cookies)
    who: Who = request.state.who
    return who


def signed_in(request: Request) -> Who:
    """Return whoever the request is from.

    Raises:
        SignInError: Nobody is signed in.
    """
    who = who_of(request)
    if who is NOBODY:
        raise SignInError("sign in to see this page")
    return who


R = Annotated[Rooms, Depends(rooms_of)]
W = Annotated[Who, Depends(signed_in)]


def check(
    rooms: Rooms, who: Who, act: Act, person: str = "", *, purpose: str = "", policy: str = ""
) -> int:
    """Log that somebody wants to do something, and let them or not; see ``Accesses.check``.

    Raises:
        AccessDeniedError: They may not; the attempt is logged.
    """
    accesses = rooms.custody.accesses
    return accesses.check(who.actor, act, person, purpose=purpose, policy=policy)


def known(rooms: Rooms, submission: str) -> Row[Any]:
    """Return the row of a submission.

    Raises:
        MissingError: There is none.
    """
    with rooms.store.read() as conn:
        row = conn.execute(select(submissions).where(submissions.c.id == submission)).first()
    if row is None:
        raise MissingError("there is no such submission")
    return row
