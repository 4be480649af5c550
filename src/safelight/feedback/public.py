"""The scoreboard's public page as JSON: small cells are left out, and what would give them away."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from safelight.feedback.board import Slice
from safelight.feedback.notes import Event
from safelight.feedback.rates import Rate

if TYPE_CHECKING:
    from safelight.feedback.scoreboard import Row

__all__ = ["FORMAT", "SMALLEST", "hidden", "page"]

FORMAT: Final = "safelight-scoreboard/v1"
# The smallest count of people that is shown: the cell size policy of the US Centers for Medicare &
# Medicaid Services shows none of 1 to 10.
SMALLEST: Final = 11
FEWER: Final = f"fewer than {SMALLEST}"


def hidden(counts: Mapping[str, int]) -> set[str]:
    """Return the parts whose counts may not be shown beside their total.

    Parts of 1 to 10; and when what they hide together is still so small that the total gives it
    away, the next smallest parts too.
    """
    gone = {name for name, count in counts.items() if 0 < count < SMALLEST}
    rest = sorted((count, name) for name, count in counts.items() if count >= SMALLEST)
    # What is hidden together is the total less the rest.
    while gone and rest and (len(gone) == 1 or sum(counts[name] for name in gone) < SMALLEST):
        gone.add(rest.pop(0)[1])
    return gone


def page(
    rows: Sequence["Row"],
    events: Sequence[Event],
    now: datetime,
    cards: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Return the page."""
    return {
        "format": FORMAT,
        "made": now.isoformat(),
        "smallest": SMALLEST,
        "readers": [_row(row, cards.get(row.reader)) for row in rows],
        "log": [_event(one) for one in events],
    }


def _row(row: "Row", card: Mapping[str, Any] | None) -> dict[str, Any]:
    if card and card.get("version", row.version) != row.version:
        card = None  # it speaks of another version
    return {
        "reader": row.reader,
        "version": row.version,
        "about": row.about,
        "card": row.card,
        "state": str(row.state),
        "reason": row.reason,
        "promised": {
            "missed_at_most": row.gate.missed or None,
            "false_alarms_at_most": row.gate.false_alarms or None,
        },
        "card_says": dict(card) if card else None,
        "evidence_against": round(min(row.evidence, 1e6), 2),
        "all": _cell(row.whole),
        "by": {name: _parts(parts) for name, parts in row.parts.items()},
        "alarms": [
            {
                "kind": one.kind,
                "site": one.who,
                "test": one.what,
                "images": one.images,
                "distance": round(one.distance, 3),
                "p": float(f"{one.p:.2e}"),
            }
            for one in row.alarms
        ],
    }


def _parts(parts: Mapping[str, Slice]) -> dict[str, dict[str, Any]]:
    images = hidden({name: part.images for name, part in parts.items()})
    truths = hidden({name: part.confirmed for name, part in parts.items()})
    return {
        name: {"images": FEWER if part.images < SMALLEST else "not shown"}
        if name in images
        else _cell(part, truths=name not in truths)
        for name, part in parts.items()
    }


def _cell(part: Slice, *, truths: bool = True) -> dict[str, Any]:
    """Return one cell; counts of who has what are shown when none of them is small."""
    if 0 < part.images < SMALLEST:
        return {"images": FEWER}
    cell: dict[str, Any] = {
        "images": part.images,
        "answered": part.answered,
        "abstained": part.abstained,
    }
    if not truths or 0 < part.confirmed < SMALLEST:
        return cell | {"confirmed": FEWER if part.confirmed < SMALLEST else "not shown"}
    cell |= {"confirmed": part.confirmed, "right": part.right, "wrong": part.wrong}
    cell["agreement"] = _rate(part.agreement)
    sides = (part.missed, part.false_alarms)
    if not any(0 < side.of < SMALLEST for side in sides):
        cell |= {"missed": _rate(part.missed), "false_alarms": _rate(part.false_alarms)}
    return cell


def _rate(rate: Rate) -> dict[str, Any]:
    low, high = rate.interval
    value = rate.value
    return {
        "count": rate.count,
        "of": rate.of,
        "value": None if value is None else round(value, 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }


def _event(one: Event) -> dict[str, Any]:
    """Return a line of the log; accounts are counted, not named, on a public page."""
    about_account = one.kind in {"flood", "against-confirmed", "turned"}
    return {
        "number": one.number,
        "at": one.at.isoformat(),
        "kind": one.kind,
        "reader": one.reader,
        "version": one.version,
        "site": "" if about_account else one.who,
        "by_one_account": about_account,
        "detail": {name: told for name, told in one.detail.items() if name != "by"},
        "log_entry": one.entry,
    }
