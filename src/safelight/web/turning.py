"""Heads from all around, before and after a face was taken off: written by workers, shown in parts.

What shows the face goes when the original goes: at its time, when its owner says that all is right,
when the file is worked on again, and when it is taken back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Connection, Row, select

from safelight.pipeline.submissions import object_name
from safelight.store.schema.vault import objects
from safelight.types import Kind
from safelight.web.models import FaceView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from safelight.deid.faces.turning import Turned
    from safelight.vault import Stored, Vault

__all__ = ["AFTER", "BEFORE", "KINDS", "Side", "face_of", "keep", "view_of", "write"]

BEFORE, AFTER = "head-before", "head-after"
KINDS: Final[Mapping[str, str]] = {"before": BEFORE, "after": AFTER}
Side = Literal["before", "after"]
_STILLS: Final = (0, 4, 9, 27)  # of 36: the front, from there to the left, the left, the right
_VOLUMES: Final = frozenset((Kind.DICOM, Kind.NIFTI, Kind.NIFTI_GZ))


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Sheets of one head that were written and that no row names yet.

    Attributes:
        after: Without the face.
        before: With it; None when nobody may see how it was.
        until: When ``before`` goes.
    """

    after: "Stored"
    before: "Stored | None"
    until: datetime | None

    @property
    def stored(self) -> "list[Stored]":
        """Return what was written."""
        return [self.after, *([self.before] if self.before is not None else [])]


def write(vault: "Vault", person: str, name: str, head: "Turned", until: datetime | None) -> Kept:
    """Write the sheets of a head.

    Args:
        vault: Where.
        person: Whose it is.
        name: Of the de-identified object.
        head: The sheets.
        until: Until when its owner can see how it was; None when they cannot.
    """
    after = vault.write(person, AFTER, name, [head.after])
    before = vault.write(person, BEFORE, name, [head.before]) if until is not None else None
    return Kept(after=after, before=before, until=until)


def keep(vault: "Vault", conn: Connection, kept: Kept) -> None:
    """Name what was written, in the caller's transaction."""
    vault.record(conn, [kept.after])
    if kept.before is not None:
        vault.shelf.record(conn, [kept.before], keep_until=kept.until)


def face_of(
    conn: Connection,
    item: Row[Any],
    series: Sequence[int],
    manifest: Mapping[str, Any],
    *,
    before: bool,
) -> FaceView | None:
    """Return what the page says of a face; None where there was none.

    Args:
        conn: A transaction.
        item: Row of the file.
        series: Positions of the files of its series, itself among them.
        manifest: What was done to it.
        before: Its owner looks, and may still see how it was.
    """
    taken = any(
        rule == "face" and action == "mask"
        for _place, rule, action, _digest in manifest.get("actions", ())
    )
    there = _sheets(conn, item, series)
    held = next((at for at in series if (AFTER, at) in there), None)
    if held is None:
        return FaceView(done=True) if taken and Kind(item.kind) in _VOLUMES else None
    base = f"/submissions/{item.submission}/items/{held}/head"
    told = {"after": f"{base}/after.jpg", "after_view": f"{base}/after/{{v}}.jpg"}
    if before and (BEFORE, held) in there:
        told |= {"before": f"{base}/before.jpg", "before_view": f"{base}/before/{{v}}.jpg"}
    from safelight.deid.faces.turning import ACROSS, VIEWS  # noqa: PLC0415  # start-up cost

    return FaceView(done=True, views=VIEWS, across=ACROSS, stills=list(_STILLS), **told)


def _sheets(conn: Connection, item: Row[Any], series: "Iterable[int]") -> set[tuple[str, int]]:
    """Return kind and position of the sheets that are there, of these files."""
    found = select(objects.c.kind, objects.c.object).where(
        objects.c.person == item.person,
        objects.c.kind.in_(KINDS.values()),
        objects.c.object.startswith(f"{item.submission}-"),
        objects.c.state == "whole",
    )
    names = {object_name(item.submission, at): at for at in series}
    return {(row.kind, names[row.object]) for row in conn.execute(found) if row.object in names}


def view_of(sheet: bytes, at: int) -> bytes | None:
    """Return one view of a sheet, as JPEG; None when there is no such view."""
    import cv2  # noqa: PLC0415  # start-up cost
    import numpy as np  # noqa: PLC0415  # as above

    from safelight.deid.faces.turning import ACROSS, VIEWS  # noqa: PLC0415  # as above

    if not 0 <= at < VIEWS:
        return None
    whole = cv2.imdecode(np.frombuffer(sheet, np.uint8), cv2.IMREAD_GRAYSCALE)
    if whole is None:
        return None
    rows, columns = whole.shape[0] // (VIEWS // ACROSS), whole.shape[1] // ACROSS
    down, across = divmod(at, ACROSS)
    part = whole[down * rows : (down + 1) * rows, across * columns : (across + 1) * columns]
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(part), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return bytes(data) if done else None
