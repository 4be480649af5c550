"""A receipt as one page to read and to print; it holds the receipt itself, and runs no script."""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from safelight.tlog.receipt import Receipt

__all__ = ["VERIFIER", "page", "qr_text", "verifier_page"]

_PAGES: Final = os.path.join(os.path.dirname(__file__), "pages")
VERIFIER: Final = os.path.join(_PAGES, "verify.html")
_TITLES: Final = {
    "consent.granted": "Consent was given",
    "consent.refused": "Consent was refused",
    "consent.withdrawn": "Consent was withdrawn",
    "consent.expired": "Consent has expired",
    "withdrawal.completed": "The withdrawal is complete",
    "person.erased": "The key was destroyed",
    "disclosure.made": "Something was handed to others",
    "policy.published": "A policy was published",
    "submission.accepted": "A submission was taken in",
}
_KNOWN: Final = {
    "artefacts",
    "not_recalled",
    "note",
    "person",
    "policy",
    "purposes",
    "record",
    "told",
}
_ARTEFACT: Final = {
    "kind": "class",
    "id": "id",
    "action": "action",
    "before": "hash before",
    "after": "hash after",
}
_DISCLOSURE: Final = {
    "recipient": "recipient",
    "date": "given on",
    "what": "what",
    "purpose": "what for",
    "told": "told on",
    "answer": "answer",
}
_CODES: Final = {"id", "before", "after"}
_FOOT: Final = (
    "<footer><p>This page holds no name, asks for nothing and runs no script.</p></footer>"
)
_HASH_SHOWN: Final = 23  # "sha256:" and 16 digits; the whole of it is in the receipt below
_ROWS_MOST: Final = 500
_DEPTH_MOST: Final = 6
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def verifier_page() -> bytes:
    """Return the stand-alone page that checks receipts in a browser, without a network."""
    with open(VERIFIER, "rb") as file:
        return file.read()


def qr_text(receipt: Receipt) -> str:
    """Return what the QR code says: enough to find the entry, and to compare paper with file."""
    root = receipt.checkpoint.split("\n")[2]
    return "\n".join(
        [
            "Safelight receipt 1",
            receipt.origin,
            f"entry {receipt.index} of {receipt.size}",
            f"root {root}",
            f"key {receipt.fingerprint}",
            f"sha256 {hashlib.sha256(receipt.data).hexdigest()}",
        ]
    )


def page(receipt: Receipt) -> str:
    """Return the page; the same receipt gives the same page, byte for byte."""
    fields = receipt.fields
    body = "\n".join(
        [
            _head(receipt),
            "<main>",
            _said(receipt),
            _rows(fields, "artefacts", "What was made, changed or deleted", _ARTEFACT),
            _rows(fields, "told", "Who was told", _DISCLOSURE),
            _rows(fields, "not_recalled", "What could not be taken back", _DISCLOSURE),
            _more(fields),
            _proof(receipt),
            "</main>",
            _FOOT,
        ]
    )
    with open(os.path.join(_PAGES, "receipt.html"), encoding="utf-8") as file:
        return file.read().replace("$body", body)


def _head(receipt: Receipt) -> str:
    import segno  # noqa: PLC0415  # only a page needs it

    code = segno.make(qr_text(receipt), error="m", micro=False, boost_error=False)
    drawn = code.svg_inline(border=4, omitsize=True, title="", svgclass=None, lineclass=None)
    title = _TITLES.get(receipt.kind, receipt.kind)
    time = receipt.time.strftime("%Y-%m-%d, %H:%M:%S UTC")
    note = receipt.fields.get("note")
    said = f'<p class="lead">{escape(str(note))}</p>' if note else ""
    return (
        f'<header><div><p class="soft small">Safelight receipt</p><h1>{escape(title)}</h1>{said}'
        f'<p>{escape(time)}</p><p class="soft">Entry {receipt.index} of the log '
        f"<code>{escape(receipt.origin)}</code></p></div>"
        f"<figure>{drawn}<figcaption>Names the entry, the signed root, the log's key and this "
        "receipt's hash.</figcaption></figure></header>"
    )


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>" if text else ""


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    told = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in pairs if value)
    return f"<dl>{told}</dl>" if told else ""


def _said(receipt: Receipt) -> str:
    fields = receipt.fields
    purposes = fields.get("purposes")
    listed = ", ".join(map(str, purposes)) if isinstance(purposes, list) else ""
    pairs = [
        ("Event", _code(receipt.kind)),
        ("Person", _code(str(fields.get("person") or ""))),
        ("Purposes", escape(listed)),
        ("Policy that was in force", _code(str(fields.get("policy") or ""))),
    ]
    return f"<section><h2>What happened</h2>{_pairs(pairs)}</section>"


def _cell(name: str, label: str, value: object) -> str:
    text = str(value)
    if name in _CODES:
        long = name != "id" and len(text) > _HASH_SHOWN + 1
        inner = _code(text[:_HASH_SHOWN] + "…" if long else text)
    else:
        inner = escape(text)
    date = ' class="date"' if _DATE.fullmatch(text) else ""
    return f'<td data-name="{escape(label)}"{date}>{inner}</td>'


def _rows(fields: Mapping[str, Any], name: str, title: str, columns: Mapping[str, str]) -> str:
    rows = fields.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return ""
    top = f"<section><h2>{escape(title)}</h2>"
    if not rows:
        return f'{top}<p class="soft">Nothing.</p></section>' if name == "not_recalled" else ""
    if name == "not_recalled":
        top += '<p class="warn">Others hold this, and nobody can prove that they deleted it.</p>'
    used = [one for one in columns if any(row.get(one) for row in rows)]
    head = "".join(f'<th scope="col">{escape(columns[one])}</th>' for one in used)
    lines = "".join(
        "<tr>" + "".join(_cell(one, columns[one], row.get(one, "")) for one in used) + "</tr>"
        for row in rows[:_ROWS_MOST]
    )
    rest = len(rows) - _ROWS_MOST
    more = f'<p class="soft">{rest} more are in the receipt below.</p>' if rest > 0 else ""
    return (
        f'{top}<div class="scroll" role="region" aria-label="{escape(title)}" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>{more}</section>"
    )


def _nested(value: object, depth: int = 0) -> str:
    if isinstance(value, dict) and depth < _DEPTH_MOST:
        pairs = ((key.replace("_", " "), _nested(one, depth + 1)) for key, one in value.items())
        return _pairs(pairs)
    if isinstance(value, list) and depth < _DEPTH_MOST:
        if all(isinstance(one, str | int) for one in value):
            return escape(", ".join(map(str, value)))
        items = "".join(f"<li>{_nested(one, depth + 1)}</li>" for one in value)
        return f"<ul>{items}</ul>"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else escape(str(value))


def _more(fields: Mapping[str, Any]) -> str:
    parts = []
    if fields.get("record"):
        told = _nested(fields["record"])
        parts.append(
            f"<details><summary>The record of consent (ISO/IEC TS 27560)</summary>{told}</details>"
        )
    rest = {name: value for name, value in fields.items() if name not in _KNOWN and value}
    if rest:
        parts.append(f"<h2>Also logged</h2>{_nested(rest)}")
    return f"<section>{''.join(parts)}</section>" if parts else ""


def _grouped(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _proof(receipt: Receipt) -> str:
    pairs: Sequence[tuple[str, str]] = [
        ("Log", _code(receipt.origin)),
        ("Entry", f"{receipt.index} of {receipt.size}"),
        ("Root that was signed", _code(receipt.checkpoint.split("\n")[2])),
        ("Key of the log", _code(_grouped(receipt.fingerprint))),
        ("Witnesses", escape(", ".join(receipt.witnesses)) or "none"),
    ]
    steps = (
        "<ol><li>Open Safelight's page for checking receipts in any browser (no network is needed) "
        "and give it this page, or run <code>safelight receipt verify</code> on it.</li>"
        "<li>Compare the key above with the one that the log's keeper has published.</li></ol>"
    )
    return (
        f"<section><h2>How to check it</h2>{_pairs(pairs)}{steps}"
        "<details><summary>The receipt itself</summary>"
        f'<pre id="receipt">{escape(receipt.data.decode())}</pre></details></section>'
    )
