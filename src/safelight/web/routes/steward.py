"""The steward's pages: what waits for a person, policies, people by code, the log, health."""

import tomllib
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import func, select

from safelight import __version__
from safelight.consent.decision import Said, standing
from safelight.consent.diff import compare
from safelight.consent.roles import Act, Role
from safelight.errors import LogError
from safelight.store.schema.submissions import items, submissions
from safelight.store.schema.web import accounts as account_rows
from safelight.web.forms import BadRequestError, Form, accepts, form_of
from safelight.web.health import counts_of, health_of
from safelight.web.models import Done, Problem
from safelight.web.records import (
    AccountRow,
    AccountsPage,
    ChangeRow,
    HealthPage,
    LogPage,
    NewLinkPage,
    PeoplePage,
    PersonRow,
    PoliciesPage,
    PolicyVersion,
    QueueRow,
    ScoreboardPage,
    StewardPage,
)
from safelight.web.render import plain, sent_to, shown
from safelight.web.rooms import Rooms
from safelight.web.routes.give import brief
from safelight.web.routes.submissions import N, item_of, see
from safelight.web.scores import cards_of
from safelight.web.who import MissingError, R, W, check, known

__all__ = ["router"]

router = APIRouter(prefix="/steward", responses=plain.responses())
_PAGE: Final = 100
Which = Literal["review", "quarantine"]
Reason = Annotated[str, Query(max_length=24)]
After = Annotated[str, Query(max_length=50, description="Go on after this: submission/n.")]


class PolicyForm(Form):
    """A policy as TOML or JSON text."""

    document: str = Field(min_length=2, max_length=256_000)


class InviteForm(Form):
    """An account for somebody: they get a one-time link."""

    roles: list[str] = Field(min_length=1, max_length=7)
    person: str = Field(default="", max_length=32)


def _queue(request: Request, rooms: Rooms, which: Which, reason: str, after: str) -> Response:
    """Return what waits in review or lies in quarantine, oldest first."""
    here = items.c.state == which
    joined = items.join(submissions, submissions.c.id == items.c.submission)
    columns = [items.c[name] for name in ("submission", "position", "person", "state", "kind")]
    columns += [items.c[name] for name in ("reason", "what", "place", "todo")]
    found = select(*columns, submissions.c.made).select_from(joined).where(here)
    if reason:
        found = found.where(items.c.reason == reason)
    last, _, number = after.partition("/")
    if last and number.isdecimal():
        later = (items.c.submission > last) | (
            (items.c.submission == last) & (items.c.position > int(number[:9]))
        )
        found = found.where(later)
    with rooms.store.read() as conn:
        grouped = select(items.c.reason, func.count()).where(here).group_by(items.c.reason)
        by_reason = {row[0] or "other": row[1] for row in conn.execute(grouped)}
        ordered = found.order_by(items.c.submission, items.c.position).limit(_PAGE + 1)
        rows = conn.execute(ordered).all()
    page = StewardPage(
        which=which,
        by_reason=by_reason,
        queue=[
            QueueRow(
                submission=row.submission,
                n=row.position,
                person=row.person,
                state=row.state,
                kind=row.kind,
                reason=row.reason,
                what=row.what,
                place=row.place,
                todo=row.todo,
                made=row.made,
            )
            for row in rows[:_PAGE]
        ],
        more=len(rows) > _PAGE,
        waiting=counts_of(rooms),
    )
    return shown(request, "steward.html", page)


@router.get("", response_model=StewardPage)
def queue(request: Request, rooms: R, who: W, reason: Reason = "", after: After = "") -> Response:
    """Return what waits for review."""
    check(rooms, who, Act.LIST_PEOPLE)
    return _queue(request, rooms, "review", reason, after)


@router.get("/quarantine", response_model=StewardPage)
def quarantine(
    request: Request, rooms: R, who: W, reason: Reason = "", after: After = ""
) -> Response:
    """Return what lies in quarantine."""
    check(rooms, who, Act.LIST_PEOPLE)
    return _queue(request, rooms, "quarantine", reason, after)


@router.post("/reject/{submission}/{n}", response_model=Done)
def reject(request: Request, rooms: R, who: W, submission: str, n: N) -> Response:
    """Leave a file that waits for review out for good."""
    row = known(rooms, submission)
    check(rooms, who, Act.LIST_PEOPLE)
    see(rooms, who, row, Act.SEE_ORIGINAL)
    item_of(rooms, submission, n)
    rooms.rework.reject(row, n)
    return sent_to(request, "/steward")


@router.post("/retry/{submission}/{n}", response_model=Done)
def retry(request: Request, rooms: R, who: W, submission: str, n: N) -> Response:
    """Let a file that waits for review be worked on again."""
    row = known(rooms, submission)
    check(rooms, who, Act.LIST_PEOPLE)
    see(rooms, who, row, Act.SEE_ORIGINAL)
    item_of(rooms, submission, n)
    rooms.rework.edit(row, n, (), (), series=False, actor=who.actor)
    return sent_to(request, "/steward")


@router.get("/policies", response_model=PoliciesPage)
def policies(request: Request, rooms: R, who: W) -> Response:
    """Return every version of every policy, and what each changed."""
    check(rooms, who, Act.LIST_PEOPLE)
    return shown(request, "policies.html", _policies(rooms))


def _policies(rooms: Rooms, problem: Problem | None = None) -> PoliciesPage:
    told = []
    book = rooms.custody.consents
    with rooms.store.read() as conn:
        for name in book.names(conn):
            versions = book.versions(conn, name)
            for at, policy in enumerate(versions):
                diff = compare(versions[at - 1], policy) if at else None
                told.append(
                    PolicyVersion(
                        policy=brief(policy),
                        purposes=sorted(policy.purposes),
                        effect=diff.effect.name.lower() if diff else "",
                        carries_consent=diff.carries if diff else False,
                        changes=[
                            ChangeRow(
                                field=one.field,
                                effect=one.effect.name.lower(),
                                before=one.before,
                                after=one.after,
                            )
                            for one in (diff.changes if diff else ())
                        ],
                    )
                )
    return PoliciesPage(versions=told[::-1], problem=problem)


@router.post("/policies", response_model=Done, openapi_extra=accepts(PolicyForm))
def publish(
    request: Request, rooms: R, who: W, form: Annotated[PolicyForm, Depends(form_of(PolicyForm))]
) -> Response:
    """Publish the next version of a policy."""
    check(rooms, who, Act.PUBLISH_POLICY)
    try:
        document = tomllib.loads(form.document)
    except (ValueError, RecursionError):
        document = _json(form.document)
    made, _diff = rooms.custody.consents.publish(document, actor=who.actor)
    return sent_to(request, "/steward/policies", made=made.hash)


def _json(text: str) -> dict[str, Any]:
    import json  # noqa: PLC0415  # beside its one use

    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequestError("the policy is neither TOML nor JSON", place="document") from None
    if not isinstance(document, dict):
        raise BadRequestError("a policy is a table of fields", place="document")
    return document


@router.get("/people", response_model=PeoplePage)
def people(
    request: Request, rooms: R, who: W, after: Annotated[str, Query(max_length=32)] = ""
) -> Response:
    """Return people, by code."""
    check(rooms, who, Act.LIST_PEOPLE)
    told = []
    with rooms.store.read() as conn:
        codes = [
            (code, state)
            for state in ("active", "erased")
            for code in rooms.vault.people.listed(conn, state)
            if not after or code > after
        ]
        counted = select(account_rows.c.person, func.count()).group_by(account_rows.c.person)
        accounts: dict[str, int] = {row[0]: row[1] for row in conn.execute(counted)}
        for code, state in codes[:_PAGE]:
            said = [one.statement for one in rooms.custody.consents.history(conn, code)]
            names = sorted({one.purpose for one in said})
            agreed = [
                name
                for name in names
                if (last := standing(said, name)) is not None and last.said == Said.GRANT
            ]
            there = rooms.custody.lineage.of(conn, code)
            told.append(
                PersonRow(
                    person=code,
                    state=state,
                    agreed=agreed,
                    kept=sum(one.removed_at is None for one in there),
                    accounts=accounts.get(code, 0),
                )
            )
    page = PeoplePage(people=told, more=len(codes) > _PAGE)
    return shown(request, "people.html", page)


@router.post("/people", response_model=NewLinkPage)
def person_new(request: Request, rooms: R, who: W) -> Response:
    """Add a person, with an account that a one-time link opens."""
    check(rooms, who, Act.GIVE_ROLES)
    person = rooms.vault.create_person()
    return _link(request, rooms, who.actor, [Role.PERSON], person)


@router.post("/people/{person}/link", response_model=NewLinkPage)
def person_link(request: Request, rooms: R, who: W, person: str) -> Response:
    """Make a one-time link for a person, in place of a sign-in."""
    check(rooms, who, Act.GIVE_ROLES, person)
    if rooms.vault.person_exists_or_erased(person) != "active":
        raise MissingError("there is no such person, or their data were erased")
    return _link(request, rooms, who.actor, [Role.PERSON], person)


def _link(request: Request, rooms: Rooms, actor: str, roles: list[Role], person: str) -> Response:
    mine = [one for one in rooms.accounts.listed() if person and one.person == person]
    account = mine[0] if mine else rooms.accounts.create(roles, by=actor, person=person)
    token, until = rooms.accounts.link(account.id, by=actor)
    address = f"{rooms.options.public_url}/link/{token}"
    page = NewLinkPage(person=person, address=address, until=until)
    return shown(request, "new-link.html", page)


@router.get("/accounts", response_model=AccountsPage)
def accounts_page(request: Request, rooms: R, who: W) -> Response:
    """Return accounts, by code, and what each may do."""
    check(rooms, who, Act.GIVE_ROLES)
    now = rooms.store.clock.now()
    told = []
    for one in rooms.accounts.listed():
        with rooms.store.read() as conn:
            held = rooms.custody.accesses.held(conn, one.actor)
        told.append(
            AccountRow(
                code=one.actor,
                roles=sorted({str(role) for role, _ in held}),
                person=one.person,
                passkeys=len(rooms.passkeys.listed(one.id)),
                locked=one.locked_until is not None and one.locked_until > now,
                made=one.made,
            )
        )
    return shown(request, "accounts.html", AccountsPage(accounts=told))


@router.post("/accounts", response_model=NewLinkPage, openapi_extra=accepts(InviteForm))
def invite(
    request: Request, rooms: R, who: W, form: Annotated[InviteForm, Depends(form_of(InviteForm))]
) -> Response:
    """Make an account for somebody; the one-time link lets them choose how to sign in."""
    check(rooms, who, Act.GIVE_ROLES, form.person)
    try:
        roles = [Role(name) for name in dict.fromkeys(form.roles)]
    except ValueError:
        raise BadRequestError("there is no such role", place="roles") from None
    own = [role for role in roles if role in (Role.PERSON, Role.GUARDIAN)]
    if bool(own) != bool(form.person):
        raise BadRequestError("a person or guardian acts for one person", place="person")
    if form.person and rooms.vault.person_exists_or_erased(form.person) != "active":
        raise MissingError("there is no such person, or their data were erased")
    account = rooms.accounts.create(roles, by=who.actor, person=form.person)
    token, until = rooms.accounts.link(account.id, by=who.actor)
    address = f"{rooms.options.public_url}/link/{token}"
    page = NewLinkPage(person=form.person, address=address, until=until)
    return shown(request, "new-link.html", page)


@router.get("/scoreboard", response_model=ScoreboardPage)
def scoreboard(request: Request, rooms: R, who: W) -> Response:
    """Return the readers, their cards, and what people said of them."""
    check(rooms, who, Act.LIST_PEOPLE)
    readers, feedback = cards_of(rooms)
    return shown(request, "scoreboard.html", ScoreboardPage(readers=readers, feedback=feedback))


@router.get("/log", response_model=LogPage)
def log_page(request: Request, rooms: R, who: W) -> Response:
    """Return the newest checkpoint of the transparency log, and whether the log verifies."""
    check(rooms, who, Act.LIST_PEOPLE)
    log = rooms.custody.log
    problem, told = None, None
    try:
        checkpoint = log.checkpoint()
        told = log.verify()
    except LogError as error:
        checkpoint = None
        problem = Problem(code=error.code, what=error.what, todo=error.todo)
    if told is not None and told.problems:
        first = told.problems[0]
        problem = Problem(code="log", what=first.what, place=first.place)
    page = LogPage(
        origin=checkpoint.origin if checkpoint else "",
        size=checkpoint.size if checkpoint else 0,
        root=checkpoint.root.hex() if checkpoint else "",
        checkpoint=checkpoint.note if checkpoint else "",
        verified=told is not None and not told.problems,
        problem=problem,
    )
    return shown(request, "log.html", page)


@router.get("/health", response_model=HealthPage)
def health(request: Request, rooms: R, who: W) -> Response:
    """Return the checks of the system."""
    check(rooms, who, Act.LIST_PEOPLE)
    checks = health_of(rooms)
    page = HealthPage(
        ok=all(one.ok for one in checks),
        checks=checks,
        version=__version__,
        counts=counts_of(rooms),
    )
    return shown(request, "health.html", page)
