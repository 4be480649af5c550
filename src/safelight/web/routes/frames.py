"""Pictures of items: as displayed, as stored values, and for a short time as they were."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from safelight.consent.roles import Act
from safelight.errors import AccessDeniedError
from safelight.web.pictures import Pictures
from safelight.web.render import plain
from safelight.web.routes.submissions import N, item_of, see
from safelight.web.who import MissingError, R, W, known

__all__ = ["router"]

router = APIRouter(responses=plain.responses())
F = Annotated[int, Path(ge=0, le=1_000_000)]
Level = Annotated[float | None, Query(ge=-1e7, le=1e7)]
_PNG = {200: {"content": {"image/png": {}}, "description": "The picture."}}
_RAW = {200: {"content": {"application/octet-stream": {}}, "description": "The values."}}
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
    "/submissions/{submission}/items/{n}/frames/{f}.raw", response_class=Response, responses=_RAW
)
def frame_raw(rooms: R, who: W, submission: str, n: N, f: F) -> Response:
    """Return one de-identified frame's stored values, little-endian, rows after rows."""
    row = known(rooms, submission)
    see(rooms, who, row)
    data, told = rooms.pictures(item_of(rooms, submission, n)).raw(f)
    return Response(data, headers={**_PRIVATE, **told}, media_type="application/octet-stream")


@router.get(
    "/submissions/{submission}/items/{n}/before/{f}.png", response_class=Response, responses=_PNG
)
def frame_before(rooms: R, who: W, submission: str, n: N, f: F) -> Response:
    """Return one frame as it was handed in: for its owner, or for whoever reviews it."""
    row = known(rooms, submission)
    item = item_of(rooms, submission, n)
    see(rooms, who, row, Act.SEE_ORIGINAL)
    held = item.state in ("review", "quarantine")
    if not who.owns(row.person) and not held:
        raise AccessDeniedError("only its owner can see how it was")
    if rooms.items.before_until(submission) is None and not held:
        raise MissingError("how it was can no longer be seen", todo="hand it in again")
    shown = Pictures(rooms.items.kind(item), rooms.original(item))
    return Response(shown.png(f), headers={"Cache-Control": "no-store"}, media_type="image/png")
