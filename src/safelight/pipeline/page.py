"""``report.html``: one page that opens offline, asks for nothing and runs no script.

Every value passes through ``escape``.
"""

import os
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

from safelight.reports.paper import paper

__all__ = ["page"]

_STYLE: Final = os.path.join(os.path.dirname(__file__), "templates", "report.css")
_ROWS_MOST: Final = 300
_OPEN_MOST: Final = 10  # inputs of a list that is shown unfolded
_WORDS: Final = {
    "remove": "removed",
    "empty": "emptied",
    "replace": "replaced",
    "clean": "cleaned",
    "shift": "shifted",
    "rebuild": "rebuilt",
    "mask": "masked",
    "keep": "kept",
}


def page(data: dict[str, Any]) -> str:
    """Return the whole page for the values of ``report.json``."""
    body = "\n".join(
        [
            _head(data),
            "<main>",
            _waiting(data),
            _rules(data),
            _kinds(data),
            _notes(data),
            _how(data),
            "</main>",
            _foot(data),
        ]
    )
    return paper("Safelight report", body, style=_STYLE)


def number(value: float) -> str:
    """Return a number with thin gaps between thousands."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _count(value: int, one: str, many: str) -> str:
    return f"{number(value)} {one if value == 1 else many}"


def _head(data: dict[str, Any]) -> str:
    inputs = _count(data["inputs"], "input", "inputs")
    sentence = f"{inputs} looked at, {number(data['done'])} de-identified, checked and written."
    if data["from_earlier_runs"]:
        sentence += f" {number(data['from_earlier_runs'])} of them stand from an earlier run."
    warn = ""
    if not data["finished"]:
        why = data["stopped"] or "it was asked to stop"
        warn = (
            '<p class="warn" role="status"><strong>This run did not finish:</strong> '
            f"{escape(why)}. The same command goes on where it stopped.</p>"
        )
    cards = "".join(
        f'<li class="{status}"><strong>{number(data[status])}</strong>{escape(label)}</li>'
        for status, label in (
            ("done", "done"),
            ("review", "wait for review"),
            ("quarantine", "in quarantine"),
        )
    )
    people = _count(data["groups"], "group", "groups")
    cards += f"<li><strong>{people.split(' ')[0]}</strong>{escape(_people(data['groups']))}</li>"
    links = "".join(
        f'<li><a href="#{anchor}">{escape(label)}</a></li>'
        for anchor, label in (
            ("waiting", "What waits for a person"),
            ("found", "What was found, and why it went"),
            ("kinds", "Kinds of input"),
            ("kept", "What was kept"),
            ("notes", "What to know"),
            ("how", "How it was done"),
        )
    )
    return (
        f'<header><h1>Safelight report</h1><p class="lead">{escape(sentence)}</p>{warn}'
        f'<ul class="cards">{cards}</ul><nav aria-label="On this page"><ul>{links}</ul></nav>'
        "</header>"
    )


def _people(groups: int) -> str:
    return "group by person and study" if groups == 1 else "groups by person and study"


def _table(
    head: Sequence[str], rows: Iterable[Sequence[str]], label: str, numeric: set[int]
) -> str:
    """Return a table; cells are HTML already, the first one of a row is its heading."""

    def cell(position: int, content: str) -> str:
        kind = ' class="n"' if position in numeric else ""
        if position == 0:
            return f'<th scope="row"{kind}>{content}</th>'
        return f"<td{kind}>{content}</td>"

    titles = "".join(
        f'<th scope="col"{" class=n" if at in numeric else ""}>{escape(title)}</th>'
        for at, title in enumerate(head)
    )
    lines = "".join(
        f"<tr>{''.join(cell(at, content) for at, content in enumerate(row))}</tr>" for row in rows
    )
    return (
        f'<div class="scroll" role="region" aria-label="{escape(label)}" tabindex="0"><table>'
        f"<thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _tag(status: str) -> str:
    return f'<span class="tag {escape(status)}">{escape(status)}</span>'


def _bar(share: float) -> str:
    width = round(100 * share)
    return f'<span class="bar" style="width:{width}%"></span>' if width else ""


def _waiting(data: dict[str, Any]) -> str:
    parts = ['<section id="waiting"><h2>What waits for a person</h2>']
    if not data["reasons"]:
        parts.append("<p>Nothing. Every input came out.</p></section>")
        return "".join(parts)
    parts.append(
        '<p class="soft">Nothing was written for these; the inputs stay where they are. Review: '
        "read, but not proven harmless. Quarantine: damaged, hostile, over a limit or not known."
        "</p>"
    )
    rows = (
        [escape(row["what"]), _tag(row["status"]), number(row["inputs"])]
        for row in data["reasons"][:_ROWS_MOST]
    )
    parts.append(_table(["reason", "status", "inputs"], rows, "Reasons", {2}))
    parts.append(
        '<p class="soft">Below, inputs are named by code; the list beside the project key '
        "(<code>sources-….csv</code>) says which path each is.</p>"
    )
    for status in ("review", "quarantine"):
        lines = data["waiting"][status]
        if not lines:
            continue
        more = data[status] - len(lines)
        rest = f"; the other {number(more)} are in <code>{status}.jsonl</code>" if more > 0 else ""
        inputs = (
            [
                _code(line["input"]),
                escape(line["kind"]),
                escape(line["what"]) + (f" {_code(line['place'])}" if line["place"] else ""),
                escape(line["todo"]),
            ]
            for line in lines
        )
        table = _table(["input", "kind", "what", "to do"], inputs, f"In {status}", set())
        parts.append(
            f"<details{' open' if len(lines) <= _OPEN_MOST else ''}><summary>In {status}: "
            f"{_count(len(lines), 'input', 'inputs')}{rest}</summary>{table}</details>"
        )
    return "".join([*parts, "</section>"])


def _rules(data: dict[str, Any]) -> str:
    rows = data["rules"]
    most = max((row["times"] for row in rows), default=1)
    top = (
        '<section id="found"><h2>What was found, and why it went</h2>'
        '<p class="soft">Each row is a rule and what it did, over all inputs that are done. The '
        "manifest has every place of every input. E.1-1 is the table of DICOM PS3.15 Annex E: "
        "X remove, Z empty, D dummy, U new UID, C clean.</p>"
    )
    if not rows:
        return f"{top}<p>Nothing was changed.</p></section>"
    cells = (
        [
            escape(row["rule"]),
            escape(_WORDS.get(row["action"], row["action"])),
            number(row["times"]) + _bar(row["times"] / most),
            number(row["places"]),
            "<br>".join(_code(place) for place in row["such_as"][:3]),
        ]
        for row in rows[:_ROWS_MOST]
    )
    head = ["rule", "action", "times", "places", "such as"]
    table = _table(head, cells, "Rules", {2, 3})
    rest = ""
    if len(rows) > _ROWS_MOST:
        more = number(len(rows) - _ROWS_MOST)
        rest = f"<p class='soft'>{more} more rows are in <code>report.json</code>.</p>"
    return f"{top}{table}{rest}</section>"


def _kinds(data: dict[str, Any]) -> str:
    rows = (
        [
            escape(row["kind"]),
            number(row["done"]),
            number(row["review"]),
            number(row["quarantine"]),
        ]
        for row in data["kinds"]
    )
    head = ["kind", "done", "review", "quarantine"]
    table = _table(head, rows, "Kinds", {1, 2, 3})
    return f'<section id="kinds"><h2>Kinds of input</h2>{table}</section>'


def _notes(data: dict[str, Any]) -> str:
    lines = [f"{escape(row['note'])} ({number(row['inputs'])})" for row in data["notes"]]
    if not data["pixels_searched"]:
        which = "Not all pixels were" if data["pixels_asked"] else "Pixels were not"
        lines.insert(0, f"{which} searched for text that is part of the picture.")
    if not data["faces_removed"]:
        lines.insert(1, "Faces that could be rebuilt from head scans were not removed.")
    if data["same_name"]:
        inputs = _count(data["same_name"], "input", "inputs")
        lines.append(
            f"{inputs} claimed a name that another input has; the outputs are kept apart by a "
            "number at the end of the name."
        )
    if data["not_among_the_inputs_any_more"]:
        lines.append(
            f"{_count(data['not_among_the_inputs_any_more'], 'output', 'outputs')} of earlier runs "
            "stay, though their inputs were not among the sources this time."
        )
    told = "".join(f"<li>{line}</li>" for line in lines)
    kept = (
        "<p>What no rule above names stayed as it was: elements that the profile keeps, text that "
        "is proven harmless, private elements known to be safe, and every pixel that no mask "
        "touches.</p>"
    )
    return (
        f'<section id="kept"><h2>What was kept</h2>{kept}</section>'
        f'<section id="notes"><h2>What to know</h2><ul>{told}</ul></section>'
    )


def _how(data: dict[str, Any]) -> str:
    profile = data["profile"]
    options = "".join(f"<li>{escape(option)}</li>" for option in profile["options"])
    methods = "".join(f"<li>{escape(method)}</li>" for method in data["methods"])
    missed = "".join(f"<li>{escape(option)}</li>" for option in data["asked_but_not_done"])
    limits = ", ".join(f"{name} = {number(value)}" for name, value in data["limits"].items())
    manifest = _count(data["manifest"]["lines"], "line", "lines")
    pairs = [
        (
            "Profile",
            f"<strong>{escape(profile['name'])}</strong>: {escape(profile['description'])}",
        ),
        ("Options asked for", f"<ul>{options}</ul>" if options else "none"),
        ("Asked for, not done", f"<ul>{missed}</ul>" if missed else "none"),
        ("Claimed in DICOM outputs", f"<ul>{methods}</ul>" if methods else "nothing"),
        ("Overrides in the profile", number(profile["overrides"])),
        ("Table", escape(data["table"])),
        ("Limits changed", escape(limits) or "none"),
        ("Project key", _code(data["key"])),
        ("Safelight", escape(data["version"])),
        ("Written", f"{number(round(data['bytes_written'] / 1e6, 1))} MB"),
        (
            "Time",
            f"{number(data['seconds'])} s, {_count(data['workers'], 'worker', 'workers')}",
        ),
        ("Manifest", f"{manifest}, BLAKE3 {_code(data['manifest']['blake3'])}"),
    ]
    told = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in pairs)
    return f'<section id="how"><h2>How it was done</h2><dl>{told}</dl></section>'


def _foot(data: dict[str, Any]) -> str:
    del data
    return (
        "<footer><p>Inputs are named by code: a keyed digest of their path. No value of an input "
        "stands in this report. <code>safelight verify</code> on this folder looks for what may "
        "be left in the outputs again and checks every digest and signature.</p></footer>"
    )
