"""A policy and a diff as a person reads them: plain text, 80 columns, nothing left out."""

import json
import textwrap
from typing import Any, Final

from safelight.consent import purposes
from safelight.consent.diff import Diff, Effect
from safelight.consent.policy import ANY, PARTY, Policy

__all__ = ["changes", "policy"]

_WIDTH: Final = 80
_EFFECTS: Final = {
    Effect.EDITORIAL: "wording only",
    Effect.NARROWING: "less is done than before",
    Effect.WIDENING: "MORE IS DONE THAN BEFORE",
}
_CONDITION: Final = "Whoever uses it is bound by"


def _wrap(text: str, indent: str = "") -> str:
    lines = [
        textwrap.fill(line, _WIDTH, initial_indent=indent, subsequent_indent=indent)
        for line in text.splitlines()
    ]
    return "\n".join(lines)


def _list(title: str, items: list[str]) -> list[str]:
    return [f"{title}:", *(_wrap(f"- {item}", "  ") for item in items)]


def _named(values: frozenset[str], everything: str, nothing: str) -> list[str]:
    listed = sorted(values - {ANY})
    return [everything, *listed] if ANY in values else listed or [nothing]


def _days(days: int | None, none: str) -> str:
    if days is None:
        return "never (no limit is set)"
    return none if days == 0 else f"within {days} days"


def policy(this: Policy) -> str:
    """Return the whole policy in plain words; every field that binds is in it."""
    terms = purposes.terms()
    asked = [f"{name}: {purposes.parse(name).meaning}" for name in sorted(this.purposes)]
    conditions = [f"{terms[name].label} (DUO {name})" for name in sorted(this.conditions)]
    originals = "are kept" if this.originals_kept else "are deleted once the identity is off"
    extra = [f"{name} = {_value(value)}" for name, value in sorted(this.extra.items())]
    lines = [
        this.title,
        "=" * min(len(this.title), _WIDTH),
        f"{this.name}, version {this.version}, in the language {this.language}",
        this.hash,
        "",
        _wrap(this.summary),
        "",
        *_list("You are asked about each of these by itself", asked),
        *_list("Kinds of data", sorted(this.data)),
        *_list(
            "Who receives it besides the controller",
            _named(this.recipients, "ANYONE", "nobody"),
        ),
        *_list(
            "Models of others it is sent to",
            _named(this.third_party_ai, "ANY MODEL", "none"),
        ),
        *_list("Where it may be", _named(this.regions, "ANYWHERE", "nowhere")),
        f"Use for profit: {'YES' if this.commercial_use else 'no'}",
        f"Published for anyone to take: {'YES' if this.open_release else 'no'}",
        f"Originals {originals}.",
        f"Deleted: {_days(this.retention_days, 'as soon as the work on it is done')}",
        f"After you withdraw, recipients must delete: {_days(this.grace_days, 'at once')}",
        *_list(_CONDITION, conditions or ["no further condition"]),
        f"Law: {this.jurisdiction}",
        *_list("Who answers for it", [getattr(this.controller, n) for n in PARTY]),
        *_list("How to withdraw", [this.withdrawal]),
        *(_list("Fields that this version of Safelight does not know", extra) if extra else []),
    ]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def changes(diff: Diff) -> str:
    """Return what changed, worst first, and what it means for consent that was given."""
    if not diff.changes:
        return "Nothing changed.\n"
    lines = []
    for change in diff.changes:
        lines.append(f"{_EFFECTS[change.effect]}: {change.field}")
        lines.append(_wrap(f"before: {change.before}", "    "))
        lines.append(_wrap(f"after:  {change.after}", "    "))
    if diff.carries:
        lines.append("Consent that was given carries over; the people should be told.")
    else:
        lines.append("Consent that was given does not carry over: everyone is asked again.")
    return "\n".join(lines) + "\n"
