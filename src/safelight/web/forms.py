"""Reading the small bodies of forms: JSON, or what a browser sends without a script.

Bodies are bounded before they are read. Files come elsewhere, as streams (``web.multipart``).
"""

import json
from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError

from safelight.errors import LimitExceededError, SafelightError

__all__ = ["BadRequestError", "Form", "UnsupportedError", "accepts", "read_form"]

_MOST: Final = 1 << 20
_FIELDS: Final = 2_000

Model = TypeVar("Model", bound="Form")


class BadRequestError(SafelightError):
    """A request has a field that is missing, unknown or of the wrong form."""

    code = "request"
    default_kept = "nothing was changed"
    default_todo = "correct it and send it again"


class UnsupportedError(SafelightError):
    """A body is of a kind that is not read here."""

    code = "kind"
    default_kept = "nothing was changed"
    default_todo = "send JSON, or a form"


class Form(BaseModel):
    """Base of what forms send; a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


async def read_form(request: Request, model: type[Model]) -> Model:
    """Return what a form says.

    Raises:
        BadRequestError: It does not fit the model; the message names fields, never values.
        LimitExceededError: It is too long.
        UnsupportedError: It is neither JSON nor a form.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST:
            raise LimitExceededError(f"the form is longer than {_MOST} bytes")
    if kind == "application/json":
        given = _from_json(bytes(body))
    elif kind in ("application/x-www-form-urlencoded", ""):
        given = _from_fields(bytes(body), model)
    else:
        raise UnsupportedError("this kind of body is not read here")
    try:
        return model.model_validate(given)
    except ValidationError as error:
        places = {".".join(str(part)[:40] for part in one["loc"]) for one in error.errors()}
        known = set(model.model_fields)
        named = sorted(place for place in places if place.partition(".")[0] in known)
        place = ", ".join(named[:5]) or "a field that is not known"
        raise BadRequestError("a field is missing or wrong", place=place) from None


def _from_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequestError("the body is not JSON") from None


def _from_fields(body: bytes, model: type[Form]) -> dict[str, Any]:
    """Return a form's fields: a list where the model wants one, ``a.0.x`` for lists of objects."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=_FIELDS,
            errors="strict",
        )
    except (ValueError, UnicodeDecodeError):
        raise BadRequestError("the body is not a form") from None
    given: dict[str, Any] = {}
    for name, value in pairs:
        field = model.model_fields.get(name)
        if field is not None and getattr(field.annotation, "__origin__", None) is list:
            given.setdefault(name, []).append(value)
        else:
            given[name] = value
    return given


def accepts(model: type[Form]) -> dict[str, Any]:
    """Return the documentation of a route that reads this form (``openapi_extra``)."""
    schema = model.model_json_schema()
    schema = _inlined(schema, schema.pop("$defs", {}))
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema},
                "application/x-www-form-urlencoded": {"schema": schema},
            },
        }
    }


def _inlined(part: Any, known: dict[str, Any]) -> Any:
    """Return a schema with what it refers to put in its place."""
    if isinstance(part, list):
        return [_inlined(each, known) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(known[part["$ref"].rpartition("/")[2]], known)
    return {name: _inlined(each, known) for name, each in part.items()}


def form_of(model: type[Model]) -> Callable[[Request], Any]:
    """Return a dependency that reads this form."""

    async def read(request: Request) -> Model:
        return await read_form(request, model)

    return read
