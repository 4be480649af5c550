"""Names of tests that go on in the line above or below, and headings that say what was measured in.

A name on two lines may be of another test than its part beside the result (``Calcium,`` and below
it ``ionized``). A heading of urine holds for what stands below it until one of blood follows.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from safelight.readers.labs import analytes
from safelight.readers.labs.analytes import name_key
from safelight.readers.labs.model import Reason
from safelight.readers.labs.paper_lines import Line, Span
from safelight.readers.labs.table_in import role_of

__all__ = ["section_of", "wrapped"]

_NEAR: Final = 1.5  # times the height of the letters
_CLOSER: Final = 0.95  # of the distance of lines: less is within one cell
_TALLER: Final = 1.15
_OUT: Final = 0.3  # of the height, to the left: a heading
_HEADING: Final = 100  # letters
_OPEN: Final = (",", "-", "–", "/", "(")  # noqa: RUF001  # a name ends so that goes on
# Beginnings of words that make another test of a name.
_QUALIFIES: Final = (
    *(
        "ion",
        "free",
        "frei",
        "libre",
        "total",
        "gesamt",
        "direct",
        "direkt",
        "indirect",
        "indirekt",
    ),
    *("conjug", "konjug", "unconj", "unkonj", "ldl", "hdl", "vldl", "non", "glyc", "glyk", "glic"),
    *("correct", "korrig", "corrig", "fast", "nucht", "ayun", "jeun", "random", "post", "stimul"),
    *("activ", "aktiv", "bound", "gebund", "bioav", "anti", "absol", "relat", "ratio", "index"),
    *("saturat", "sattig", "pro", "hs", "hoch", "ultra", "reactive", "band", "immatur", "micro"),
)
# Beginnings and endings of words that name another specimen than blood, and such that are no
# specimen for all that.
_ELSEWHERE: Final = (
    *("urin", "harn", "orin", "liquor", "csf", "lcr", "stool", "stuhl", "selles", "heces"),
    *("faec", "fec", "saliv", "speichel", "sputum", "ascit", "aszit", "pleur", "punkt", "synov"),
    *("sweat", "schweiss", "semen", "sperm", "ejak", "dialys", "swab", "abstrich", "dipstick"),
    *("sediment", "streifentest", "amni", "cerebrosp", "peritone", "koprolog", "coprolog"),
)
_TAILS: Final = ("urin", "harn", "urine", "urins", "harns", "orina", "liquor", "stuhl", "sediment")
_NOT_ELSEWHERE: Final = (
    "harnstoff",
    "harnsaure",
    "harnsaeure",
    "fecha",
    "sedimentation",
    "purin",
    "taurin",
)
_BLOOD: Final = (
    *("serum", "plasma", "vollblut", "suero", "hamat", "haemat", "hemat", "blutbild", "hemogr"),
    *("gerinn", "coag", "koag", "hemost", "haemost", "hamost", "lipid", "elektrolyt", "electrolyt"),
    *("biochem", "biochim", "bioquim", "thyro", "schilddrus", "tiroid", "leberw", "hepati"),
    *("hormon", "vitamin", "immunolog", "tumormark", "endocrin", "endokrin"),
)
_BLOOD_WHOLE: Final = frozenset(
    {
        *("clinical chemistry", "klinische chemie", "chimie clinique", "quimica clinica"),
        *("blood count", "complete blood count", "cbc", "blood chemistry", "blood", "blut", "sang"),
        *("sangre", "numeration", "nfs", "metabolic panel", "comprehensive metabolic panel"),
        *("basic metabolic panel", "liver function tests", "leberwerte", "klinische chemie blut"),
    }
)
_URINE: Final = "urine"  # stands for any specimen but blood
_WORD: Final = re.compile(r"[a-z][a-z0-9]{2,}")
_RESULT: Final = re.compile(
    r"\d|[:+]|\b(?:neg|pos|nil|trace|spur|absent|normal|clear|klar|not|none|kein)", re.IGNORECASE
)


def section_of(line: Line, before: str) -> str:
    """Return the heading that holds behind a line that is no result.

    Args:
        line: It may be a heading, or the headers of a table with one among them.
        before: The heading that held so far.
    """
    cells = [cell for cell in line.cells if not role_of(cell)]
    text = " ".join(cells).rstrip(": ")
    head, _, tail = text.partition(":")
    text = tail.strip() if role_of(head) == "specimen" and tail.strip() else text
    if not text or len(text) > _HEADING:
        return before
    # numbers may be of a date, and letters alone of a name
    words = [word for word in name_key(text).split() if _WORD.fullmatch(word)]
    alone = len(line.cells) == 1 and analytes.blood(name_key(text).strip("0123456789 ")) is False
    if alone or analytes.blood(" ".join(words)) is False or any(map(_elsewhere, words)):
        return f"{text} ({_URINE})"
    if len(cells) > 1 or _RESULT.search(text):
        return before  # a line of a result in words, such as one of the urine
    panel = name_key(text) in _BLOOD_WHOLE or any(word.startswith(_BLOOD) for word in words)
    return text if panel or analytes.blood(text) else before


def _elsewhere(word: str) -> bool:
    if word.startswith(_NOT_ELSEWHERE):
        return False
    return word.startswith(_ELSEWHERE) or word.endswith(_TAILS)


def wrapped(lines: Sequence[Line], named: Mapping[Line, tuple[str, str]]) -> dict[Line, Reason]:
    """Return the lines of results whose name may go on in another line.

    Args:
        lines: All lines of the document, in their order.
        named: Those that name a test: the name, and what stands behind it.
    """
    apart = [
        one.middle - two.middle
        for one, two in pairwise(lines)
        if one in named and two in named and one.page == two.page and one.middle > two.middle
    ]
    pitch = min(apart, default=None)
    out: dict[Line, Reason] = {}
    for at, line in enumerate(lines):
        if line not in named:
            continue
        name = named[line][0]
        written = line.text[: len(line.text) - len(named[line][1])].rstrip(" :.…·")
        if written.endswith(_OPEN) or line.cells[0].rstrip().endswith(_OPEN):
            out[line] = Reason.AMBIGUOUS_ANALYTE
        for other, above in ((at - 1, True), (at + 1, False)):
            if 0 <= other < len(lines) and lines[other] not in named:
                beside = lines[other]
                if _near(line, beside) and _changes(line, name, beside, pitch, above=above):
                    out[line] = Reason.AMBIGUOUS_ANALYTE
    return out


def _near(line: Line, beside: Line) -> bool:
    """Tell whether a line of words alone stands close above or below the name of another."""
    if beside.page != line.page or len(beside.cells) != 1 or not line.at or not beside.at:
        return False
    if re.search(r"\d", beside.text) or not re.search(r"[^\W\d_]", beside.text):
        return False
    column = _name_column(line)
    starts = beside.at[0][0]
    return (
        abs(line.middle - beside.middle) <= _NEAR * max(line.height, beside.height)
        and starts < column[1]
        and beside.at[-1][1] > column[0]
    )


def _name_column(line: Line) -> Span:
    """Return where the name stands: up to the next cell."""
    spans = line.spans()
    return spans[0][1][0], spans[1][1][0] if len(spans) > 1 else spans[0][1][1]


def _changes(line: Line, name: str, beside: Line, pitch: float | None, *, above: bool) -> bool:
    """Tell whether a name with the words beside it may be another test."""
    words = beside.text.strip(" ,-")
    mine = analytes.by_name([name], "")
    both = analytes.by_name([f"{words} {name}" if above else f"{name} {words}"], "")
    turned = analytes.by_name([f"{name} {words}" if above else f"{words} {name}"], "")
    for joined in (both, turned):
        if joined in analytes.table() or joined is Reason.NO_UNIT:
            return joined != mine
    if analytes.blood(words) is not None or section_of(beside, ""):
        return False  # a heading that says what was measured in
    if any(word.startswith(_QUALIFIES) for word in name_key(words).split()):
        return True
    if words[:1].islower() or words.startswith("("):
        return not above
    left = line.at[0][0] - beside.at[0][0] > _OUT * line.height
    if left or words.endswith(":") or words.isupper() or beside.height > _TALLER * line.height:
        return False  # a heading
    return pitch is None or abs(line.middle - beside.middle) < _CLOSER * pitch
