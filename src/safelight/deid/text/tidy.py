"""Join what is left after cuts, so that no separator, bracket or blank stands orphaned."""

# ruff: noqa: RUF001 - letters and signs of other scripts are what this module is about

import re
from typing import Final

__all__ = ["CUT", "join"]

#: Stands in for a cut while the text is put together; no input holds it (controls are taken out).
CUT: Final = "\x00"

_EMPTY_PAIR: Final = re.compile(
    r"[(\[{<（［【「『][\s,;:.\-/_\x00+&#]*\x00[\s,;:.\-/_\x00+&#]*[)\]}>）］】」』]"
    r"|([\"'])\s*\x00[\s\x00]*\1"
)
_AROUND: Final = re.compile(
    r"(?<![\s,;:_\-/^|=+&.#*~–—])(?P<l>[\s,;:_\-/^|=+&.#*~–—]*)(?:\x00(?P<r>[\s,;:_\-/^|=+&.#*~–—]*))+"
)
_CUTS: Final = re.compile(r"\x00[\s,;:_\-/^|=+&.#*~–—\x00]*\x00")
_PAIRED: Final = re.compile(r"[(\[{<>}\])（［【「『\"']")
_NESTED: Final = 40
_OPENERS: Final = "([{<"
_CLOSERS: Final = ")]}>"


def join(text: str) -> str:
    """Return the text with its cuts closed: one separator where two met, none at an end."""
    paired = _PAIRED.search(text) is not None
    for _ in range(_NESTED if paired or text.count(CUT) > 1 else 0):
        before = text
        text = _CUTS.sub(CUT, text)
        if not paired:
            break
        text = _EMPTY_PAIR.sub(CUT, text)
        if before == text:
            break
    text = _AROUND.sub(_close, text)
    return _brackets(text) if paired else text.strip(" ")


def _close(match: "re.Match[str]") -> str:
    left, right = match.group("l"), match.group("r") or ""
    text = match.string
    starts = match.start() == 0 or text[match.start() - 1] in _OPENERS + "\\"
    stops = match.end() == len(text) or text[match.end()] in _CLOSERS + "\\"
    lines = (left + right).count("\n")
    if lines:
        if starts or stops:
            return ""
        return _stop(right) + "\n" * min(lines, 2)
    if starts:
        return "*" if "*" in left else ""
    if stops:
        return _stop(right)
    if not left and not right:
        return " "
    if _stop(right) and not left.strip():
        return right if right[-1:].isspace() else right + " "
    return left if left.strip() or not right.strip() else right


def _stop(right: str) -> str:
    """Return the full stop that ended the sentence, if one did."""
    bare = right.strip()
    return "." if bare.startswith(".") else ""


def _brackets(text: str) -> str:
    """Take out brackets that lost their partner to a cut."""
    for opener, closer in zip(_OPENERS, _CLOSERS, strict=True):
        if text.count(opener) + text.count(closer) == 1 and opener != "<":
            text = text.replace(opener, "").replace(closer, "")
    return text.strip(" ")
