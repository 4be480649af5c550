"""Files as streams: resumable by offset for programs and scripts, multipart for plain forms."""

import re
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final
from urllib.parse import unquote

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from pydantic import ValidationError
from sqlalchemy import Row

from safelight.errors import LimitExceededError
from safelight.web.forms import BadRequestError, UnsupportedError
from safelight.web.intake import Taker
from safelight.web.models import Done, UploadView
from safelight.web.multipart import boundary_of, parts
from safelight.web.parcels import ConflictError
from safelight.web.render import plain, sent_to
from safelight.web.rooms import Rooms
from safelight.web.routes.give import GiveForm, open_parcel, parcel_of, upload_view
from safelight.web.sessions import Who
from safelight.web.who import MissingError, R, W

__all__ = ["router"]

router = APIRouter(responses=plain.responses())
_RAW: Final = "application/offset+octet-stream"
_KINDS: Final = (_RAW, "application/octet-stream")
_MOST_FIELD: Final = 10_000
_NUMBER: Final = re.compile(r"[0-9]{1,15}")
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "required": False,
    }
}
_FILES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "policy": {"type": "string"},
                        "agree": {"type": "array", "items": {"type": "string"}},
                        "person": {"type": "string"},
                        "file": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                        },
                    },
                }
            }
        },
    }
}
Length = Annotated[str, Header(alias="Upload-Length", description="Bytes of the whole file.")]
Name = Annotated[str, Header(alias="Upload-Name", description="Path as given, percent-encoded.")]
Offset = Annotated[str, Header(alias="Upload-Offset", description="Where the body begins.")]
Complete = Annotated[str, Header(alias="Upload-Complete", description="?1: the file ends here.")]


def _as_it_is(request: Request) -> None:
    """Refuse a body that says it is something else than the bytes of a file.

    Raises:
        UnsupportedError: It does; curl says so of its own accord.
    """
    kind = request.headers.get("content-type", _RAW).partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise UnsupportedError(
            "a file is sent as it is",
            place="Content-Type",
            todo="send the bytes of the file with Content-Type: application/octet-stream",
        )


def _number(text: str, what: str) -> int | None:
    """Return a number of a header; None when it is not there.

    Raises:
        BadRequestError: It is no number.
    """
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise BadRequestError("a header is no number", place=what)
    return int(text)


def _headers(row: Row[Any]) -> dict[str, str]:
    told = {"Upload-Offset": str(row.received), "Location": f"/uploads/{row.id}"}
    if row.length is not None:
        told["Upload-Length"] = str(row.length)
    return told


def _own(rooms: Rooms, who: Who, upload: str) -> Row[Any]:
    row = rooms.parcels.upload(upload)
    if row is None:
        raise MissingError("there is no such upload")
    parcel_of(rooms, who, row.parcel)
    return row


def _answer(rooms: Rooms, upload: str, status: int) -> Response:
    row = rooms.parcels.upload(upload)
    if row is None:
        raise MissingError("there is no such upload")
    body = upload_view(rooms, row, mine=True).model_dump_json()
    return Response(body, status, _headers(row), media_type="application/json")


async def _take(request: Request, rooms: Rooms, upload: str, offset: int, *, ends: bool) -> None:
    """Store the body of a request, from ``offset`` on."""
    taker = Taker(rooms, upload, offset)
    try:
        async for chunk in request.stream():
            await taker.add(chunk)
    except BaseException:
        await taker.keep()  # what came before the line broke is not sent again
        raise
    await taker.finish(ends=ends)


@router.post("/uploads", response_model=UploadView, status_code=201, openapi_extra=_BODY)
async def upload_new(
    request: Request,
    rooms: R,
    who: W,
    parcel: Annotated[str, Query(max_length=32)],
    length: Length = "",
    name: Name = "",
    complete: Complete = "",
) -> Response:
    """Begin a file, with all of it, its first part, or nothing yet in the body."""
    _as_it_is(request)
    size = _number(length, "Upload-Length")
    await run_in_threadpool(parcel_of, rooms, who, parcel)
    label = unquote(name[:_MOST_FIELD], errors="replace")
    made = await run_in_threadpool(rooms.parcels.begin_file, parcel, label, size)
    await _take(request, rooms, made, 0, ends=complete == "?1")
    return await run_in_threadpool(_answer, rooms, made, 201)


@router.patch("/uploads/{upload}", response_model=UploadView, openapi_extra=_BODY)
async def upload_more(
    request: Request,
    rooms: R,
    who: W,
    upload: str,
    offset: Offset = "",
    complete: Complete = "",
) -> Response:
    """Go on with a file where it stands."""
    _as_it_is(request)
    at = _number(offset, "Upload-Offset")
    row = await run_in_threadpool(_own, rooms, who, upload)
    if at is None:
        raise BadRequestError("a header is missing", place="Upload-Offset")
    if at != row.received or (row.whole and row.length != at):
        raise ConflictError(f"the file is at {row.received}")
    coming = _number(request.headers.get("content-length", ""), "Content-Length") or 0
    if row.length is not None and at + coming > row.length:
        raise LimitExceededError("this is more than the file was announced to have")
    if not row.whole:
        await _take(request, rooms, upload, at, ends=complete == "?1")
    return await run_in_threadpool(_answer, rooms, upload, 200)


@router.get("/uploads/{upload}", response_model=UploadView)
def upload_show(rooms: R, who: W, upload: str) -> Response:
    """Return how far a file is."""
    _own(rooms, who, upload)
    return _answer(rooms, upload, 200)


@router.head("/uploads/{upload}", response_class=Response)
def upload_head(rooms: R, who: W, upload: str) -> Response:
    """Return how far a file is, in headers alone (``Upload-Offset``)."""
    return Response(None, 200, _headers(_own(rooms, who, upload)))


@router.post("/give", response_model=Done, openapi_extra=_FILES)
async def give_files(request: Request, rooms: R, who: W) -> Response:
    """Hand files in with a plain form: fields first, then files; all of it or nothing."""
    kind = request.headers.get("content-type", "")
    if not kind.lower().startswith("multipart/form-data"):
        raise UnsupportedError(
            "files are handed in as multipart/form-data",
            place="Content-Type",
            todo="send a form with the fields policy and agree, then the files",
        )
    parcel = await _from_form(parts(request.stream(), boundary_of(kind)), rooms, who)
    await run_in_threadpool(rooms.parcels.send, parcel)
    return sent_to(request, f"/submissions/{parcel}", made=parcel)


async def _from_form(source: AsyncIterator[Any], rooms: Rooms, who: Who) -> str:
    """Take a form's files into a parcel of their own; return its id.

    Raises:
        BadRequestError: There is no file in it.
    """
    fields: dict[str, Any] = {}
    parcel, taker, text = "", None, bytearray()
    try:
        async for part in source:
            if part.filename is None:
                text = _grown(bytearray() if part.first else text, part.data)
                if part.last:
                    _field(fields, part.name, text.decode("utf-8", "replace"))
            elif part.first:
                if not part.filename:
                    continue  # a file button that was not used
                parcel = parcel or await run_in_threadpool(open_parcel, rooms, who, _form(fields))
                made = await run_in_threadpool(
                    rooms.parcels.begin_file, parcel, part.filename, None
                )
                taker = Taker(rooms, made, 0)
            elif part.last:
                if taker is not None:
                    await taker.finish(ends=True)
                taker = None
            elif taker is not None:
                await taker.add(part.data)
    except BaseException:
        if parcel:
            await run_in_threadpool(rooms.parcels.cancel, parcel)
        raise
    if not parcel:
        raise BadRequestError("there is no file in the form", place="file")
    return parcel


def _grown(text: bytearray, data: bytes) -> bytearray:
    """Return a field with more of it.

    Raises:
        LimitExceededError: It is too long.
    """
    if len(text) + len(data) > _MOST_FIELD:
        raise LimitExceededError("a field of the form is too long")
    return text + data


def _field(fields: dict[str, Any], name: str, value: str) -> None:
    if name == "agree":
        fields.setdefault(name, []).append(value)
    else:
        fields[name] = value


def _form(fields: dict[str, Any]) -> GiveForm:
    try:
        return GiveForm.model_validate(fields)
    except ValidationError:
        raise BadRequestError("a field of the form is missing or wrong") from None
