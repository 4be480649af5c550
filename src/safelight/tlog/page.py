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
    "consent.grant": "Consent was given",
    "consent.refuse": "Consent was refused",
    "consent.withdraw": "Consent was withdrawn",
    "consent.expire": "Consent has expired",
    "withdrawal.done": "The withdrawal is complete",
    "retention.begun": "Something is past its time, and goes",
    "retention.done": "What was past its time is gone",
    "disclosed": "Something was handed to others",
    "recipient.told": "A recipient was told",
    "policy.published": "A policy was published",
    "submission.received": "A submission was taken in",
    "submission.cleaned": "A submission was de-identified",
}
_SECTIONS: Final = {
    "artefacts": "What was made, changed or deleted",
    "told": "Who was told",
    "not_recalled": "What could not be taken back",
}
# what the rows of a section may say, in this order, and what else they say after it
_COLUMNS: Final = {
    "id": "id",
    "recipient": "recipient",
    "contact": "contact",
    "disclosed_at": "given on",
    "date": "given on",
    "kind": "class",
    "what": "what",
    "count": "how many",
    "purpose": "what for",
    "action": "action",
    "before": "hash before",
    "after": "hash after",
    "told": "told on",
    "answer": "answer",
    "due_at": "answer due",
}
_FOOT: Final = (
    "<footer><p>This page holds no name, asks for nothing and runs no script.</p></footer>"
)
_HASH_SHOWN: Final = 23  # "sha256:" and 16 digits; the whole of it is in the receipt below
_ROWS_MOST: Final = 500
_DEPTH_MOST: Final = 6
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+(?:Z|[+-][0-9:]+))?$")
_DIGEST: Final = re.compile(r"(?:[a-z0-9]+:)?[0-9a-f]{32,}")
_ELSEWHERE: Final = {*_SECTIONS, "note", "record"}


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
            *(_rows(fields, name) for name in _SECTIONS),
            _record(fields),
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
    plain = {name: value for name, value in fields.items() if name not in _ELSEWHERE}
    pairs = [("event", _code(receipt.kind))]
    pairs += [(name.replace("_", " "), _nested(value)) for name, value in plain.items()]
    return f"<section><h2>What happened</h2>{_pairs(pairs)}</section>"


def _cell(name: str, value: object) -> str:
    text = "" if value is None else str(value)
    kind = ""
    if _DATE.match(text):
        text, kind = text[:10], ' class="date"'  # the day; the moment is in the receipt
    inner = escape(text)
    if name == "id" or _DIGEST.fullmatch(text):
        inner = _code(text if len(text) <= _HASH_SHOWN + 1 else text[:_HASH_SHOWN] + "…")
    return f'<td data-name="{escape(_label(name))}"{kind}>{inner}</td>'


def _label(name: str) -> str:
    return _COLUMNS.get(name, name.replace("_", " "))


def _rows(fields: Mapping[str, Any], name: str) -> str:
    rows, title = fields.get(name), escape(_SECTIONS[name])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return ""
    top = f"<section><h2>{title}</h2>"
    if not rows:
        return f'{top}<p class="soft">Nothing.</p></section>' if name == "not_recalled" else ""
    if name == "not_recalled":
        top += '<p class="warn">Others hold this, and nobody can prove that they deleted it.</p>'
    found = dict.fromkeys(one for row in rows for one in row if row[one] not in ("", None))
    used = [one for one in _COLUMNS if one in found]
    used += [one for one in found if one not in _COLUMNS]
    head = "".join(f'<th scope="col">{escape(_label(one))}</th>' for one in used)
    lines = "".join(
        "<tr>" + "".join(_cell(one, row.get(one)) for one in used) + "</tr>"
        for row in rows[:_ROWS_MOST]
    )
    rest = len(rows) - _ROWS_MOST
    more = f'<p class="soft">{rest} more are in the receipt below.</p>' if rest > 0 else ""
    return (
        f'{top}<div class="scroll" role="region" aria-label="{title}" tabindex="0"><table>'
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
    text = "" if value is None else str(value)
    return _code(text) if _DIGEST.fullmatch(text) else escape(text)


def _record(fields: Mapping[str, Any]) -> str:
    if not fields.get("record"):
        return ""
    title = "The record of consent (ISO/IEC TS 27560)"
    told = _nested(fields["record"])
    return f"<section><details><summary>{title}</summary>{told}</details></section>"


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
