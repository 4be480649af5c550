"""One model, two forms: a template for people, JSON for programs."""

import gettext
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from babel import Locale, negotiate_locale
from babel.core import UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from babel.units import format_unit
from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from safelight import __version__
from safelight.reports.words import unit_of
from safelight.web.models import Done, ErrorPage, Me, Page, Problem
from safelight.web.sessions import NOBODY, Who

__all__ = ["LANGUAGE", "me_of", "plain", "problem_page", "sent_to", "shown", "wants_json"]

_HERE: Final = os.path.dirname(__file__)
_LOCALE: Final = os.path.join(_HERE, "locale")
LANGUAGE: Final = "language"  # the cookie that holds the chosen one
_KILO: Final = 1000
_POWERS: Final = str.maketrans(
    "0123456789", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
)


@cache
def languages() -> tuple[str, ...]:
    """Return the languages there are, English first."""
    try:
        found = sorted(os.listdir(_LOCALE))
    except OSError:
        found = []
    there = [
        name
        for name in found
        if os.path.exists(os.path.join(_LOCALE, name, "LC_MESSAGES", "safelight.mo"))
    ]
    return ("en", *(name for name in there if name != "en"))


def language_of(request: Request) -> str:
    """Return the language for a request: the chosen one, else the browser's first that is there."""
    chosen = request.cookies.get(LANGUAGE, "")
    if chosen in languages():
        return chosen
    wanted = request.headers.get("accept-language", "")[:400]
    asked = []
    for part in wanted.split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            asked.append((-float(weight or 1), name.replace("-", "_")))
        except ValueError:
            continue
    names = [name for _, name in sorted(asked, key=lambda each: each[0])]
    return negotiate_locale(names, languages()) or "en"


@cache
def _environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(os.path.join(_HERE, "templates")),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = gettext.translation("safelight", _LOCALE, [language], fallback=True)
    made.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]  # i18n adds it
    made.filters.update(_filters(language))
    made.globals.update(version=__version__, languages=languages(), language=language)
    return made


def _filters(language: str) -> dict[str, Callable[..., str]]:
    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")

    def when(value: datetime | None, form: str = "medium") -> str:
        return format_datetime(value, form, locale=locale) + " UTC" if value else ""

    def day(value: datetime | None) -> str:
        return format_date(value, "long", locale=locale) if value else ""

    def number(value: float | None, digits: int = 0) -> str:
        form = "#,##0." + "#" * digits if digits else "#,##0"
        return "" if value is None else format_decimal(value, form, locale=locale)

    def exact(text: str) -> str:
        """Return a number with the digits that it is printed with."""
        digits = len(text.partition(".")[2])
        form = "#,##0." + "0" * digits if digits else "#,##0"
        return format_decimal(Decimal(text), form, locale=locale)

    def size(value: int) -> str:
        amount, unit = float(value), "byte"
        for larger in ("kilobyte", "megabyte", "gigabyte", "terabyte"):
            if amount < _KILO:
                break
            amount, unit = amount / _KILO, larger
        shown = round(amount, 1 if unit != "byte" else 0)
        return format_unit(shown, f"digital-{unit}", "short", locale=locale)

    told: dict[str, Callable[..., str]] = {"when": when, "day": day, "number": number}
    told.update(exact=exact, lab_unit=_lab_unit, size=size, unit=unit_of)
    return told


def _lab_unit(ucum: str) -> str:
    """Return a UCUM unit of a lab as it is printed: ``10*3/uL`` with its power and its micro."""
    powers = re.sub(r"10\*(\d+)", lambda found: "10" + found[1].translate(_POWERS), ucum)
    return re.sub(r"(^|/)u(?=[a-zA-Z])", "\\1\N{MICRO SIGN}", powers)


def wants_json(request: Request) -> bool:
    """Tell whether JSON is asked for: by ``.json``, or by ``Accept`` before HTML."""
    if request.scope.get("safelight.json"):
        return True
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def me_of(request: Request) -> Me:
    """Return whoever looks, for the page's frame."""
    who: Who = getattr(request.state, "who", NOBODY)
    return Me(
        signed_in=bool(who.account),
        code=who.actor,
        name=who.label,
        roles=sorted({str(role) for role, _ in who.roles}),
        person=who.person,
        language=language_of(request),
        desktop=who.desktop,
    )


def shown(
    request: Request,
    template: str,
    page: Page,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a page in the form that is asked for."""
    if wants_json(request):
        body = page.model_dump_json()
        return Response(body, status, headers, media_type="application/json")
    language = language_of(request)
    made = _environment(language).get_template(template)
    me, path = me_of(request), request.url.path
    if status >= _RARE:  # an address may hold anything; people send pictures of errors to others
        me, path = me.model_copy(update={"name": ""}), "/"
    told = {"page": page, "me": me, "path": path}
    more = {"Vary": "Accept, Accept-Language, Cookie", "Content-Language": language}
    return HTMLResponse(made.render(**told), status, {**more, **(headers or {})})


def sent_to(request: Request, to: str, *, made: str = "", status: int = 200) -> Response:
    """Return the answer to a change: a browser is sent on, a program told where."""
    if wants_json(request):
        body = Done(to=to, id=made).model_dump_json()
        return Response(body, status, media_type="application/json")
    return RedirectResponse(to, 303)


def problem_page(
    request: Request, status: int, problem: Problem, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error in the form that is asked for."""
    return shown(
        request,
        "error.html",
        ErrorPage(status=status, problem=problem),
        status=status,
        headers=headers,
    )


@dataclass(frozen=True, slots=True)
class plain:  # noqa: N801  # reads as a word where it is used
    """What every route may answer besides its page, for the OpenAPI document."""

    @staticmethod
    def responses(*more: int) -> dict[int | str, dict[str, Any]]:
        """Return the documentation of the errors that any route may end in, and of ``more``."""
        told: dict[int | str, dict[str, Any]] = {
            status: {"model": ErrorPage, "description": words}
            for status, words in _ERRORS.items()
            if status < _RARE or status in more or status in _ANYWHERE
        }
        return told


_RARE: Final = 400
_ANYWHERE: Final = frozenset({400, 401, 403, 404, 405, 409, 410, 413, 415, 421, 422, 429, 503, 507})
_ERRORS: Final = {
    400: "The request cannot be understood.",
    401: "Nobody is signed in.",
    403: "It is not allowed; the attempt is in the log of accesses.",
    404: "There is no such thing.",
    405: "It is not done in this way.",
    409: "It does not fit what is there.",
    410: "The person's data were erased.",
    413: "It is larger than a limit.",
    415: "It is of a kind that is not taken.",
    421: "The server is not known by this name.",
    422: "A field is missing or wrong, or an input cannot be handled.",
    429: "Too many in a short time.",
    503: "It cannot be done just now; try again.",
    507: "There is no room left.",
}
