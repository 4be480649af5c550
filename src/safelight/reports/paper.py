"""One sheet that opens offline, asks for nothing, runs no script and prints well; reports fill it.

Plain text substitution instead of a template engine, whose import alone would cost as much as
cleaning 150 files. Who calls escapes every value; the sheet's policy forbids scripts and requests.
"""

import os
from html import escape
from typing import Final

__all__ = ["paper"]

_SHEET: Final = os.path.join(os.path.dirname(__file__), "templates", "paper.html")


def paper(title: str, body: str, *, style: str) -> str:
    """Return a whole HTML page.

    Args:
        title: Plain text.
        body: HTML.
        style: Path of a file of further CSS rules.
    """
    with open(_SHEET, encoding="utf-8") as file:
        head, _, rest = file.read().replace("$title", escape(title)).partition("$style")
    with open(style, encoding="utf-8") as file:
        rules = file.read().rstrip("\n")
    middle, _, tail = rest.partition("$body")
    return f"{head}{rules}{middle}{body}{tail}"
