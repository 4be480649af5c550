"""Rewrite a PDF from the words that were proven harmless, each at its place on the page.

Nothing of the original file is carried over: no font, no stream, no picture, no hidden layer. What
a reader of the output sees is exactly the text that the text engine let through, set anew in
standard fonts; so a font whose glyphs show something else than its text says cannot pass anything
on, and no picture is ever decoded. Words that went leave a grey bar, pictures an empty frame.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, groupby
from typing import Final

from safelight.deid.context import Cleaned, Context
from safelight.deid.documents import lablines
from safelight.deid.documents.pdfguard import check_bounds, check_structure
from safelight.deid.documents.pdfread import Box, Page, Word, around, read_pages
from safelight.deid.documents.pdfwrite import NewPage, drawable, write_pdf
from safelight.deid.documents.words import surviving
from safelight.errors import NeedsReviewError
from safelight.types import Action, Original

__all__ = ["clean_pdf"]

Unit = list[Word]

_SCAN: Final = 0.5  # share of a page under pictures from which it counts as a scan
_MOST_DRAWINGS: Final = 150  # curved shapes on a page from which they may well be letters
_UNMAPPED: Final = 0.1  # share of words whose font tells no characters
_GAP: Final = 1.5  # times the size of the font: a wider gap parts columns
_LEVEL: Final = 1e-3  # radians
_LEVEL_APART: Final = 0.2  # times the size of the font: baselines of one row of a table
_LETTERS: Final = 3  # single letters in a row that are read as one spaced-out word


def clean_pdf(original: Original, ctx: Context) -> Cleaned:
    """Return the PDF with its text cleaned and everything else left behind.

    Raises:
        UnreadableInputError: It is no PDF, or damaged.
        QuarantineError: It needs a password, or runs scripts.
        LimitExceededError: It is too big, has too many pages, or unpacks to too much.
        NeedsReviewError: It is a scan, a form, or holds files; or its writing cannot be read.
    """
    data = original.reveal()
    check_bounds(data, ctx.limits)
    reading = read_pages(data, ctx.limits)
    pages = chain([next(reading)], reading)  # page count and password are told before all else
    beside = check_structure(data)
    actions = [Action(name, "document: rebuilt from its text", "remove") for name in beside]
    notes: list[str] = []
    new: list[NewPage] = []
    for number, page in enumerate(pages, 1):
        place = f"page {number}"
        _check_page(page, place)
        words, masks, rules = _decide(page, ctx)
        kept = set(map(id, words))
        gone = "\n".join(w.text for line in page.lines for w in line if id(w) not in kept)
        digest = ctx.key.digest(gone.encode("utf-8", "surrogatepass"))
        actions += [Action(place, rule, "mask", digest) for rule in rules]
        if not all(drawable(word.text) for word in words):
            raise NeedsReviewError("it has writing that the standard fonts lack", place=place)
        frames = [_clip(box, page.box) for box in page.pictures]
        actions += [Action(place, "document: pictures are left out", "remove") for _ in frames]
        if page.drawings:
            notes.append(f"{place}: {page.drawings} drawn shapes were left out")
        new.append(NewPage(page, page.rules, words, masks, frames))
    actions.append(Action("document", "document: rebuilt from its text", "rebuild"))
    return Cleaned(parts=(write_pdf(new),), actions=tuple(actions), notes=tuple(notes))


def _check_page(page: Page, place: str) -> None:
    """Refuse a page on which pictures or shapes may be writing that no text stands for."""
    words = [word for line in page.lines for word in line]
    shown = [word for word in words if not word.hidden]
    if not shown and (page.pictures or page.drawings):
        raise NeedsReviewError("a page shows something, but has no text", place=place)
    if sum(_area(_clip(box, page.box)) for box in page.pictures) > _SCAN * _area(page.box):
        raise NeedsReviewError("a page is a picture for the most part", place=place)
    if page.drawings > _MOST_DRAWINGS:
        raise NeedsReviewError("a page has drawn shapes that may be letters", place=place)
    if sum(not word.mapped for word in shown) > _UNMAPPED * len(shown):
        raise NeedsReviewError("a font does not say what its letters are", place=place)


def _clip(box: Box, page: Box) -> Box:
    left, bottom = max(box[0], page[0]), max(box[1], page[1])
    return left, bottom, max(min(box[2], page[2]), left), max(min(box[3], page[3]), bottom)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


# --- Which words stay ---------------------------------------------------------------------------


def _decide(page: Page, ctx: Context) -> tuple[list[Word], list[Box], list[str]]:
    """Return the words that stay, the bars over those that go, and the rules that took them."""
    lines = [[w for w in line if not w.hidden] for line in _upright(page.lines)]
    units = [_units([w for w in line if w.mapped]) for line in lines]
    units, taken, text = surviving(units, _text, ctx, spare=_results(units))
    _check_breaks(text, ctx)
    words = [word for line in units for unit in line for word in unit]
    kept = {id(word) for word in words}
    rules = dict.fromkeys(taken)
    masks = [box for line in lines for box in _bars(line, kept)]
    if any(not word.mapped for line in lines for word in line):
        rules["text: its font does not say what it is"] = None
    if any(word.hidden for line in page.lines for word in line):
        rules["text: it cannot be seen on the page"] = None
    return words, masks, list(rules)


def _results(lines: list[list[Unit]]) -> Callable[[list[list[str]]], set[tuple[int, int]]]:
    """Return what tells the places of laboratory results, rows of a table read as one line."""
    rows: list[list[tuple[int, int]]] = []
    last: Word | None = None
    for at, line in enumerate(lines):
        if not line:
            continue
        places = [(at, place) for place in range(len(line))]
        if last is not None and _follows(last, line[0][0]):
            rows[-1] += places
        else:
            rows.append(places)
        last = line[-1][-1]

    def spare(texts: list[list[str]]) -> set[tuple[int, int]]:
        found = lablines.spared([[texts[at][place] for at, place in row] for row in rows])
        return {rows[row][place] for row, place in found}

    return spare


def _follows(last: Word, word: Word) -> bool:
    """Tell whether a word stands on the same level line, to the right of another."""
    level = abs(last.angle) < _LEVEL and abs(word.angle) < _LEVEL
    near = abs(last.origin[1] - word.origin[1]) < _LEVEL_APART * max(last.size, word.size)
    return level and near and word.origin[0] >= last.origin[0] + last.width


def _upright(lines: list[list[Word]]) -> Iterator[list[Word]]:
    """Read letters that stand one a line as one line: a name can be written downwards."""
    for alone, group in groupby(lines, lambda line: len(line) == 1 and len(line[0].text) == 1):
        run = list(group)
        if alone and len(run) >= _LETTERS:
            yield [line[0] for line in run]
        else:
            yield from run


def _units(line: list[Word]) -> list[Unit]:
    """Read single letters in a row as one spaced-out word."""
    out: list[Unit] = []
    for alone, group in groupby(line, lambda word: len(word.text) == 1 and word.text.isalpha()):
        run = list(group)
        out += [run] if alone and len(run) >= _LETTERS else [[word] for word in run]
    return out


def _text(unit: Unit) -> str:
    return "".join(word.text for word in unit)


def _bars(line: Iterable[Word], kept: set[int]) -> Iterator[Box]:
    """Yield one bar over each run of words that go, so that their number does not show."""
    bar: Box | None = None
    for word in line:
        stays, box = id(word) in kept, word.box
        if bar and (stays or not _beside(bar, box, word.size)):
            yield bar
            bar = None
        if not stays:
            bar = around(bar or box, box)
    if bar:
        yield bar


def _beside(bar: Box, box: Box, size: float) -> bool:
    """Tell whether a word goes on where the bar ends, and not in the next column."""
    near = max(bar[0], box[0]) - min(bar[2], box[2]) < _GAP * size
    return near and max(bar[1], box[1]) - min(bar[3], box[3]) < _GAP * size


def _check_breaks(text: str, ctx: Context) -> None:
    """Look for the person's values across hyphens at line ends, which the lines alone hide."""
    joined = text.replace("-\n", "")
    if joined != text and ctx.subject.needles.spans(joined):
        raise NeedsReviewError("a value of the person may stand across two lines")
