"""For anybody: is it alive, is it ready, what does it count; how readers do."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from safelight.web.health import counts_of, ready
from safelight.web.records import BoardPage, HealthRow, Live
from safelight.web.render import shown
from safelight.web.who import R

__all__ = ["router"]

router = APIRouter()
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/healthz", response_model=Live)
def healthz() -> Response:
    """Return that the process answers."""
    return Response(Live(ok=True).model_dump_json(), media_type="application/json")


@router.get("/readyz", response_model=Live, responses={503: {"model": Live, "description": "No."}})
def readyz(rooms: R) -> Response:
    """Return whether requests can be served: the database writes, there is room, workers start."""
    checks = ready(rooms)
    if rooms.stopping:
        checks.append(HealthRow(name="server", ok=False, told="it is stopping"))
    well = all(one.ok for one in checks)
    page = Live(ok=well, checks=checks)
    return Response(page.model_dump_json(), 200 if well else 503, media_type="application/json")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus text format."}},
)
def metrics(request: Request, rooms: R) -> Response:
    """Return counts without any identifier."""
    del request
    for kind, count in counts_of(rooms).items():
        rooms.metrics.waiting.labels(kind).set(count)
    return Response(rooms.metrics.text(), media_type=_TEXT)


@router.get("/scoreboard", response_model=BoardPage)
def scoreboard(request: Request, rooms: R) -> Response:
    """Return how often each reader is right and wrong, as anyone may see it."""
    return shown(request, "board.html", rooms.board.page())
