"""Pictures of items: as displayed, as stored values, and for a short time as they were."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from safelight.consent.roles import Act
from safelight.errors import AccessDeniedError
from safelight.pipeline.submissions import object_name
from safelight.web.pictures import Pictures
from safelight.web.render import plain
from safelight.web.rooms import Rooms
from safelight.web.routes.submissions import N, item_of, see
from safelight.web.sessions import Who
from safelight.web.turning import KINDS, Side, view_of
from safelight.web.who import MissingError, R, W, known

__all__ = ["router"]

router = APIRouter(responses=plain.responses())
F = Annotated[int, Path(ge=0, le=1_000_000)]
Level = Annotated[float | None, Query(ge=-1e7, le=1e7)]
_Told = dict[int | str, dict[str, Any]]
_PNG: _Told = {200: {"content": {"image/png": {}}, "description": "The picture."}}
_RAW: _Told = {200: {"content": {"application/octet-stream": {}}, "description": "The values."}}
Longest = Annotated[int, Query(ge=64, le=2048, description="Longest side at most, in pixels.")]
Shades = Annotated[
    bool,
    Query(
        description="After values of 16 bits, `X-Frame-Levels` bytes more: the level that each"
        " stored value from `X-Frame-Base` on is shown as."
    ),
]
_JPG: _Told = {200: {"content": {"image/jpeg": {}}, "description": "The picture, small."}}
View = Annotated[int, Path(ge=0, le=359, description="Its number; 0 is the front.")]
_SECRET = {"Cache-Control": "no-store"}
_PRIVATE = {"Cache-Control": "private, max-age=300", "Vary": "Cookie"}


@router.get(
    "/submissions/{submission}/items/{n}/frames/{f}.png", response_class=Response, responses=_PNG
)
def frame_png(
    rooms: R, who: W, submission: str, n: N, f: F, w: Level = None, c: Level = None
) -> Response:
    """Return one de-identified frame; ``c`` and ``w`` are centre and width of a window."""
    row = known(rooms, submission)
    see(rooms, who, row)
    pictures = rooms.pictures(item_of(rooms, submission, n))
    return Response(pictures.png(f, c, w), headers=_PRIVATE, media_type="image/png")


@router.get(
    "/submissions/{submission}/items/{n}/frames/{f}.jpg", response_class=Response, responses=_JPG
)
def frame_preview(rooms: R, who: W, submission: str, n: N, f: F, side: Longest = 1024) -> Response:
    """Return one de-identified frame, small and lossy: what a page shows first."""
    row = known(rooms, submission)
    see(rooms, who, row)
    pictures = rooms.pictures(item_of(rooms, submission, n))
    return Response(pictures.preview(f, side), headers=_PRIVATE, media_type="image/jpeg")


@router.get(
    "/submissions/{submission}/items/{n}/frames/{f}.raw", response_class=Response, responses=_RAW
)
def frame_raw(rooms: R, who: W, submission: str, n: N, f: F, *, levels: Shades = False) -> Response:
    """Return one de-identified frame's stored values, little-endian, rows after rows.

    ``X-Frame-Centre``, ``-Width`` and ``-Inverted`` tell the frame's own window.
    """
    row = known(rooms, submission)
    see(rooms, who, row)
    data, told = rooms.pictures(item_of(rooms, submission, n)).raw(f, levels=levels)
    return Response(data, headers={**_PRIVATE, **told}, media_type="application/octet-stream")


@router.get(
    "/submissions/{submission}/items/{n}/head/after.jpg", response_class=Response, responses=_JPG
)
def head_after(rooms: R, who: W, submission: str, n: N) -> Response:
    """Return a head without its face from all around, as one sheet."""
    data = _head(rooms, who, submission, n, "after")
    return Response(data, headers=_PRIVATE, media_type="image/jpeg")


@router.get(
    "/submissions/{submission}/items/{n}/head/before.jpg", response_class=Response, responses=_JPG
)
def head_before(rooms: R, who: W, submission: str, n: N) -> Response:
    """Return a head with its face from all around, as one sheet: for its owner, for a while."""
    data = _head(rooms, who, submission, n, "before")
    return Response(data, headers=_SECRET, media_type="image/jpeg")


@router.get(
    "/submissions/{submission}/items/{n}/head/after/{v}.jpg",
    response_class=Response,
    responses=_JPG,
)
def head_after_view(rooms: R, who: W, submission: str, n: N, v: View) -> Response:
    """Return a head without its face from one side."""
    data = _side(_head(rooms, who, submission, n, "after"), v)
    return Response(data, headers=_PRIVATE, media_type="image/jpeg")


@router.get(
    "/submissions/{submission}/items/{n}/head/before/{v}.jpg",
    response_class=Response,
    responses=_JPG,
)
def head_before_view(rooms: R, who: W, submission: str, n: N, v: View) -> Response:
    """Return a head with its face from one side: for its owner, for a while."""
    data = _side(_head(rooms, who, submission, n, "before"), v)
    return Response(data, headers=_SECRET, media_type="image/jpeg")


def _side(sheet: bytes, v: int) -> bytes:
    data = view_of(sheet, v)
    if data is None:
        raise MissingError("there is no such view")
    return data


def _head(rooms: Rooms, who: Who, submission: str, n: int, side: Side) -> bytes:
    """Return the sheet of a head.

    Raises:
        AccessDeniedError: It shows the face, and another looks than its owner.
        MissingError: There is none, or it can no longer be seen.
    """
    row = known(rooms, submission)
    see(rooms, who, row, Act.SEE_ORIGINAL if side == "before" else Act.SEE_DERIVED)
    if side == "before" and not who.owns(row.person):
        raise AccessDeniedError("only its owner can see how it was")
    if side == "before" and rooms.items.before_until(submission) is None:
        raise MissingError("how it was can no longer be seen", todo="hand it in again")
    if item_of(rooms, submission, n).state != "done":
        raise MissingError("there is no such picture")
    return b"".join(rooms.vault.get(row.person, KINDS[side], object_name(submission, n)))


def _before(rooms: Rooms, who: Who, submission: str, n: int) -> Pictures:
    """Return how an item was, to its owner or to whoever reviews it.

    Raises:
        AccessDeniedError: They are neither; the attempt is logged.
        MissingError: It can no longer be seen.
    """
    row = known(rooms, submission)
    item = item_of(rooms, submission, n)
    see(rooms, who, row, Act.SEE_ORIGINAL)
    held = item.state in ("review", "quarantine")
    if not who.owns(row.person) and not held:
        raise AccessDeniedError("only its owner can see how it was")
    if rooms.items.before_until(submission) is None and not held:
        raise MissingError("how it was can no longer be seen", todo="hand it in again")
    return Pictures(rooms.items.kind(item), b"".join(rooms.original(item)))


@router.get(
    "/submissions/{submission}/items/{n}/before/{f}.png", response_class=Response, responses=_PNG
)
def frame_before(rooms: R, who: W, submission: str, n: N, f: F) -> Response:
    """Return one frame as it was handed in: for its owner, or for whoever reviews it."""
    shown = _before(rooms, who, submission, n)
    return Response(shown.png(f), headers=_SECRET, media_type="image/png")


@router.get(
    "/submissions/{submission}/items/{n}/before/{f}.jpg", response_class=Response, responses=_JPG
)
def frame_before_preview(
    rooms: R, who: W, submission: str, n: N, f: F, side: Longest = 1024
) -> Response:
    """Return one frame as it was handed in, small and lossy."""
    shown = _before(rooms, who, submission, n)
    return Response(shown.preview(f, side), headers=_SECRET, media_type="image/jpeg")
