"""My data: what is held, for what, who saw it; receipts; taking it back."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy import Connection, Row, select

from safelight.consent.decision import Said
from safelight.consent.disclosures import NONE
from safelight.consent.outcome import steps_of
from safelight.consent.purposes import ALL, parse
from safelight.consent.receipts import of_statement, of_withdrawal
from safelight.consent.retention import RETENTION
from safelight.consent.roles import Act
from safelight.consent.withdrawal import STAGES
from safelight.errors import ConsentError, ErasedError
from safelight.store.schema.consent import statements, withdrawals
from safelight.tlog.page import page as printed
from safelight.tlog.receipt import verify
from safelight.web.forms import BadRequestError, Form, accepts, form_of
from safelight.web.holding import held, learned_by, soon
from safelight.web.models import Done
from safelight.web.records import (
    DisclosureRow,
    MinePage,
    ReceiptPage,
    SeenRow,
    StatementRow,
    StepRow,
    WithdrawalPage,
    WithdrawalRow,
)
from safelight.web.render import plain, sent_to, shown
from safelight.web.rooms import Rooms
from safelight.web.routes.give import brief, choices, newest
from safelight.web.sessions import Who
from safelight.web.who import MissingError, R, W, check

__all__ = ["router"]

router = APIRouter(responses=plain.responses())
Person = Annotated[str, Query(max_length=32, description="Whose; one's own without it.")]


class ConsentForm(Form):
    """What somebody says about purposes: those named are agreed to, the others of ``asked`` not."""

    policy: str = Field(max_length=80)
    asked: list[str] = Field(min_length=1, max_length=50)
    agree: list[str] = Field(default_factory=list, max_length=50)
    person: str = Field(default="", max_length=32)


class WithdrawForm(Form):
    """What is taken back: a purpose, or ``*`` for everything; ``sure`` must say ``yes`` for it."""

    purpose: str = Field(min_length=1, max_length=80)
    sure: str = Field(default="", max_length=10)
    person: str = Field(default="", max_length=32)


def whose(rooms: Rooms, who: Who, person: str, act: Act) -> str:
    """Return whose data a page is about, after the access was logged.

    Raises:
        MissingError: The account is nobody's own, and nobody is named.
        AccessDeniedError: They may not.
    """
    chosen = person or who.person
    if not chosen:
        raise MissingError("this account has no data of its own", todo="name a person")
    check(rooms, who, act, chosen)
    return chosen


@router.get("/mine", response_model=MinePage)
def mine_page(request: Request, rooms: R, who: W, person: Person = "") -> Response:
    """Return what is held of a person, for what, and who saw it."""
    chosen = whose(rooms, who, person, Act.SEE_CONSENT)
    own = who.owns(chosen)
    custody = rooms.custody
    with rooms.store.read() as conn:
        policy = newest(rooms, conn)
        names = {
            each.hash: f"{each.name} {each.version}"
            for name in custody.consents.names(conn)
            for each in custody.consents.versions(conn, name)
        }
        asked = choices(rooms, conn, chosen, policy) if policy else []
        page = MinePage(
            person=chosen,
            people=who.people,
            policy=brief(policy) if policy else None,
            purposes=asked,
            held=held(rooms, conn, chosen, names),
            statements=_statements(rooms, conn, chosen, names),
            withdrawals=_withdrawals(conn, chosen),
            seen=_seen(rooms, conn, chosen) if own else [],
            disclosed=_disclosed(rooms, conn, chosen) if own else [],
            learned_by=learned_by(rooms, conn, chosen),
            ends_soon=soon(rooms, conn, chosen),
        )
    return shown(request, "mine.html", page)


def _statements(
    rooms: Rooms, conn: Connection, person: str, names: dict[str, str]
) -> list[StatementRow]:
    told = []
    for one in rooms.custody.consents.history(conn, person):
        said = one.statement
        told.append(
            StatementRow(
                number=said.number,
                purpose=said.purpose,
                said=str(said.said),
                policy=said.policy,
                policy_name=names.get(said.policy, ""),
                at=said.at,
                until=said.until,
                recorded_by=one.recorded_by,
                method=one.method,
                receipt=f"/mine/receipts/s{said.number}",
            )
        )
    return told[::-1]


def _withdrawals(conn: Connection, person: str) -> list[WithdrawalRow]:
    found = select(withdrawals).where(withdrawals.c.person == person)
    rows = conn.execute(found.order_by(withdrawals.c.id.desc())).all()
    return [
        WithdrawalRow(
            id=row.id,
            purpose=row.purpose,
            asked_at=row.asked_at,
            stage=row.stage,
            receipt=f"/mine/receipts/w{row.id}" if row.stage == STAGES[-1] else "",
        )
        for row in rows
    ]


def _seen(rooms: Rooms, conn: Connection, person: str) -> list[SeenRow]:
    names = list(SeenRow.model_fields)
    return [
        SeenRow(**{name: getattr(one, name) for name in names})
        for one in rooms.custody.accesses.listed(conn, person, limit=200)
    ]


def _disclosed(rooms: Rooms, conn: Connection, person: str) -> list[DisclosureRow]:
    return [
        DisclosureRow(
            at=one.at,
            recipient=one.recipient,
            contact=one.contact,
            kind=one.kind,
            count=one.count,
            purpose=one.purpose,
            answer="" if one.answer == NONE else one.answer,
        )
        for one in rooms.custody.disclosures.listed(conn, person)
    ]


@router.post("/mine/consents", response_model=Done, openapi_extra=accepts(ConsentForm))
def consents(
    request: Request, rooms: R, who: W, form: Annotated[ConsentForm, Depends(form_of(ConsentForm))]
) -> Response:
    """Say yes to purposes, and no to those that were asked and not agreed to.

    A no to what was agreed to before is a withdrawal of that purpose, and is carried out.
    """
    person = whose(rooms, who, form.person, Act.RECORD_CONSENT)
    asked = sorted({parse(name).name for name in form.asked})
    agreed = {parse(name).name for name in form.agree}
    if not agreed <= set(asked):
        raise BadRequestError("a purpose is agreed to that was not asked for", place="agree")
    taken = []
    book = rooms.custody.consents
    with rooms.store.begin() as conn:
        for name in asked:
            now = book.may(conn, person, name, form.policy)
            if now.allowed and name not in agreed:
                taken.append(name)
                continue
            if now.allowed == (name in agreed) and now.given:
                continue
            book.record(
                conn,
                person=person,
                purpose=name,
                said=Said.GRANT if name in agreed else Said.REFUSE,
                actor=who.actor,
                policy=form.policy,
                method="web",
            )
    for name in taken:
        check(rooms, who, Act.WITHDRAW, person)
        rooms.custody.withdrawals.start(person, name, actor=who.actor, method="web")
    return sent_to(request, "/mine" if not form.person else f"/mine?person={person}")


@router.post("/mine/withdraw", response_model=Done, openapi_extra=accepts(WithdrawForm))
def withdraw(
    request: Request,
    rooms: R,
    who: W,
    form: Annotated[WithdrawForm, Depends(form_of(WithdrawForm))],
) -> Response:
    """Take consent back: from here on every such use is denied; a worker removes what was made."""
    person = whose(rooms, who, form.person, Act.WITHDRAW)
    purpose = ALL if form.purpose == ALL else parse(form.purpose).name
    if purpose == ALL and form.sure != "yes":
        raise BadRequestError(
            "everything would be gone for good", place="sure", todo="say that you are sure"
        )
    if rooms.vault.person_exists_or_erased(person) != "active":
        raise ErasedError("this person's data were erased")
    made = rooms.custody.withdrawals.start(person, purpose, actor=who.actor, method="web")
    return sent_to(request, f"/mine/withdrawals/{made}", made=made)


def _withdrawal(rooms: Rooms, who: Who, wanted: str) -> Row[Any]:
    """Return a withdrawal to whoever may see it.

    An erased person has no role any more; the session that asked for it may watch it to the end.

    Raises:
        MissingError: There is none.
        AccessDeniedError: It is another person's.
    """
    with rooms.store.read() as conn:
        row = conn.execute(select(withdrawals).where(withdrawals.c.id == wanted)).first()
    if row is None:
        raise MissingError("there is no such withdrawal")
    if row.asked_by != who.actor:
        check(rooms, who, Act.SEE_CONSENT, row.person)
    return row


@router.get("/mine/withdrawals/{wanted}", response_model=WithdrawalPage)
def withdrawal_page(request: Request, rooms: R, who: W, wanted: str) -> Response:
    """Return how far a withdrawal is."""
    row = _withdrawal(rooms, who, wanted)
    told = rooms.custody.withdrawals.outcome(wanted)
    counts: dict[tuple[str, str], int] = {}
    with rooms.store.read() as conn:
        for step in steps_of(conn, wanted):
            key = (step.kind, step.outcome)
            counts[key] = counts.get(key, 0) + 1
    done = told.stage == STAGES[-1]
    left_out = () if row.purpose == ALL else ("erased", "scrubbed")
    if row.purpose == RETENTION:  # nobody said anything
        left_out = (*left_out, "denied", "listed")
    stages = [name for name in STAGES if name not in left_out]
    page = WithdrawalPage(
        id=told.id,
        person=told.person,
        purpose=told.purpose,
        stage=told.stage,
        stages=stages,
        asked_at=told.asked_at,
        removed=told.removed,
        failed=told.failed,
        recalled=told.recalled,
        done=done,
        steps=[
            StepRow(kind=kind, outcome=outcome, count=count)
            for (kind, outcome), count in sorted(counts.items())
        ],
        receipt=f"/mine/receipts/w{told.id}" if done else "",
        not_recalled=list(told.facts.get("not_recalled", [])),
    )
    headers = {} if done else {"Refresh": "2"}
    return shown(request, "withdrawal.html", page, headers=headers)


def _receipt(rooms: Rooms, who: Who, name: str) -> bytes:
    """Return a receipt: ``s`` and the number of a statement, or ``w`` and a withdrawal's id.

    Raises:
        MissingError: There is none.
    """
    if name.startswith("w"):
        _withdrawal(rooms, who, name[1:])
        return of_withdrawal(rooms.custody, name[1:])
    number = int(name[1:]) if name[:1] == "s" and name[1:].isdecimal() and len(name) < 12 else 0  # noqa: PLR2004  # a database's number
    with rooms.store.read() as conn:
        found = select(statements.c.person).where(statements.c.number == number)
        person = conn.execute(found).scalar()
    if person is None:
        raise MissingError("there is no such receipt")
    check(rooms, who, Act.SEE_CONSENT, person)
    try:
        return of_statement(rooms.custody, number)
    except ConsentError as error:
        raise MissingError(error.what) from None


@router.get("/mine/receipts/{name}", response_model=ReceiptPage)
def receipt_page(request: Request, rooms: R, who: W, name: str) -> Response:
    """Return what a receipt says."""
    data = _receipt(rooms, who, name)
    told = verify(data)
    page = ReceiptPage(
        id=name,
        kind=told.kind,
        at=told.time.isoformat(),
        fields=dict(told.fields),
        log=told.origin,
        index=told.index,
        download=f"/mine/receipts/{name}/file",
        printable=f"/mine/receipts/{name}/print",
    )
    return shown(request, "receipt.html", page)


_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The receipt."}
}
_PRINT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/html": {}}, "description": "The receipt to print."}
}


@router.get("/mine/receipts/{name}/file", response_class=Response, responses=_FILE)
def receipt_file(rooms: R, who: W, name: str) -> Response:
    """Return a receipt to keep; it verifies offline."""
    data = _receipt(rooms, who, name)
    headers = {"Content-Disposition": 'attachment; filename="receipt.json"'}
    return Response(data, headers=headers, media_type="application/octet-stream")


@router.get("/mine/receipts/{name}/print", response_class=Response, responses=_PRINT)
def receipt_print(rooms: R, who: W, name: str) -> Response:
    """Return a receipt as one page to print, for a file of one's own."""
    data = printed(verify(_receipt(rooms, who, name)))
    headers = {"Content-Disposition": 'attachment; filename="receipt.html"'}
    return Response(data, headers=headers, media_type="text/html; charset=utf-8")
