"""What was changed in one file, as the page shows it: the header in red and green, the masks."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, cast

from sqlalchemy import Row

from safelight.errors import SafelightError
from safelight.pipeline.inspect import compare
from safelight.types import Kind
from safelight.web.heads import Head
from safelight.web.models import HeaderChange, MaskView

if TYPE_CHECKING:
    from safelight.web.rooms import Rooms

__all__ = ["changes_of", "masks_of", "why"]

_GONE: Final = frozenset({"remove", "empty"})
_PIXELS: Final = "(7FE0,"  # and behind them: headers are read no further
_WHY: Final = {
    "by hand": "somebody masked it by hand",
    "kept by hand": "somebody looked at it and took the mask off",
    "face": "a face could be recognised, or rebuilt from the slices",
    "bar code": "a bar code can hold a name or a number",
    "text": "writing that is not proven to be harmless",
}


def why(rule: str) -> str:
    """Return a rule as a sentence for a person."""
    if rule.startswith("template "):
        return "pictures of this machine have writing here"
    head, _, more = rule.partition(": ")
    if head == "text" and more:
        return f"writing: {more}"
    return _WHY.get(rule, _WHY.get(head, rule))


def _sign(sign: str) -> Literal["-", "~", "+", " "]:
    return "-" if sign == "-" else "~" if sign == "~" else "+" if sign == "+" else " "


def changes_of(
    rooms: "Rooms", item: Row[Any], manifest: Mapping[str, Any], *, values: bool
) -> list[HeaderChange]:
    """Return the places of the header that went, changed or came in.

    Args:
        rooms: Of the server.
        item: Row of the file.
        manifest: What was done to it.
        values: Its owner looks, and the original is still there: show what stood there.
    """
    if item.manifest is None:
        return []
    if values and item.kind == Kind.DICOM:
        try:
            pair = Head(rooms.original(item)), Head(rooms.items.stream(item))
            told = compare(cast("BinaryIO", pair[0]), cast("BinaryIO", pair[1]), manifest)
        except SafelightError:
            told = []
        if told:
            return [
                HeaderChange(
                    sign=_sign(row.sign),
                    place=row.place,
                    name=row.name,
                    vr=row.vr,
                    before=row.before,
                    after=row.after,
                    rule=row.rule,
                )
                for row in told
            ] + [one for one in _by_rules(manifest) if one.place >= _PIXELS]
    return _by_rules(manifest)


def _by_rules(manifest: Mapping[str, Any]) -> list[HeaderChange]:
    """Return what was done by the manifest, without values; masks are told beside the picture."""
    return [
        HeaderChange(sign="-" if action in _GONE else "~", place=place, rule=rule)
        for place, rule, action, _ in manifest.get("actions", ())
        if action not in ("mask", "keep")
    ]


def masks_of(rooms: "Rooms", item: Row[Any], seen: Row[Any] | None) -> list[MaskView]:
    """Return what was found in the pixels, and what people added or took off."""
    edits = [row for row in rooms.items.edits(item.submission) if row.position == item.position]
    drawn = {(row.x, row.y, row.w, row.h) for row in edits if not row.spare}
    told = [
        _mask(f"r{number}", one)
        for number, one in enumerate(rooms.items.regions(seen))
        # What was drawn here is told once, as what it is.
        if one["rule"] != "by hand" or not all(tuple(box) in drawn for box in one["boxes"])
    ]
    for row in edits:
        rule = "kept by hand" if row.spare else "by hand"
        told.append(
            MaskView(
                id=row.id,
                x=row.x,
                y=row.y,
                w=row.w,
                h=row.h,
                frames=json.loads(row.frames),
                verdict="keep" if row.spare else "mask",
                rule=rule,
                why=why(rule),
                by_hand=True,
                spare=row.spare,
            )
        )
    return told


def _mask(name: str, one: Mapping[str, Any]) -> MaskView:
    x, y, w, h = around(one["boxes"])
    return MaskView(
        id=name,
        x=x,
        y=y,
        w=w,
        h=h,
        frames=one["frames"],
        verdict=one["verdict"],
        rule=one["rule"],
        why=why(one["rule"]),
        confidence=one["confidence"],
    )


def around(boxes: Sequence[Sequence[int]]) -> tuple[int, int, int, int]:
    """Return the smallest box that holds all of these."""
    left = min(box[0] for box in boxes)
    top = min(box[1] for box in boxes)
    right = max(box[0] + box[2] for box in boxes)
    bottom = max(box[1] + box[3] for box in boxes)
    return left, top, right - left, bottom - top
