"""A report as one HTML page that opens offline, asks for nothing, runs no script, and prints well.

Every value passes through ``escape``; the page's policy forbids scripts and requests anyway.
"""

import base64
import os
from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from safelight.reports.blocks import (
    Block,
    Bullets,
    Fold,
    Heading,
    Pairs,
    Picture,
    Rows,
    Text,
    Tone,
)
from safelight.reports.paper import paper
from safelight.reports.report import Report, blocks

__all__ = ["page"]

_STYLE: Final = os.path.join(os.path.dirname(__file__), "templates", "reading.css")
_FOOT: Final = (
    "Inputs are named by number and digest. No name, number or date of a person stands on this "
    "page. Print it, or save it as a PDF, with your browser."
)
_CLASSES: Final = {
    Tone.PLAIN: "",
    Tone.LEAD: ' class="lead"',
    Tone.SOFT: ' class="soft"',
    Tone.WARN: ' class="warn" role="note"',
}


def page(report: Report) -> str:
    """Return the whole page."""
    title = "Safelight reading, for clinicians" if report.clinician else "Safelight reading"
    told = list(blocks(report))
    body = "\n".join(
        [
            f"<header><h1>{escape(title)}</h1>{_all(told[:1])}</header>",
            f"<main>{_all(told[1:])}</main>",
            f"<footer><p>{escape(_FOOT)}</p></footer>",
        ]
    )
    return paper(title, body, style=_STYLE)


def _all(told: Iterable[Block]) -> str:
    return "\n".join(part for block in told for part in _one(block))


def _one(block: Block) -> Iterator[str]:
    match block:
        case Heading(text, level):
            yield f"<h{level}>{escape(text)}</h{level}>"
        case Text(text, tone):
            yield f"<p{_CLASSES[tone]}>{escape(text)}</p>"
        case Bullets(items):
            yield f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"
        case Pairs(pairs):
            told = "".join(f"<dt>{escape(n)}</dt><dd>{escape(v)}</dd>" for n, v in pairs)
            yield f'<dl class="pairs">{told}</dl>'
        case Rows():
            yield _table(block)
        case Picture(png, alt, legend):
            data = base64.b64encode(png).decode("ascii")
            yield (
                f'<figure><img src="data:image/png;base64,{data}" alt="{escape(alt)}">'
                f"<figcaption>{escape(legend)}</figcaption></figure>"
            )
        case Fold(title, inner):
            yield f"<details><summary>{escape(title)}</summary>{_all(inner)}</details>"


def _table(block: Rows) -> str:
    def cell(position: int, text: str) -> str:
        kind = ' class="n"' if position in block.numeric else ""
        name = 'th scope="row"' if position == 0 else "td"
        return f"<{name}{kind}>{escape(text)}</{name.split(' ', 1)[0]}>"

    head = "".join(
        f'<th scope="col"{" class=n" if at in block.numeric else ""}>{escape(title)}</th>'
        for at, title in enumerate(block.head)
    )
    lines = "".join(
        f"<tr>{''.join(cell(at, text) for at, text in enumerate(row))}</tr>" for row in block.rows
    )
    return (
        f'<div class="scroll" role="region" aria-label="{escape(block.label)}" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )
