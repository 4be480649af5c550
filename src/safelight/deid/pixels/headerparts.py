"""Parts of a pixel header: raw fields, how grey levels are shown, overlay planes, regions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from safelight.deid.boxes import Box
from safelight.deid.pixels.tables import Table
from safelight.dicomio.walker import Budget, Walker

__all__ = ["Fields", "Look", "UltrasoundRegion", "looks_of"]

_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_VOI_GROUP, _VALUES_GROUP = 0x00289132, 0x00289145

_MOST_WAYS: Final = 4
_NEAR: Final = 0.5  # of a width: windows that show about the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How stored values become grey levels (PS3.3 C.11.1, C.11.2).

    Attributes:
        slope: Rescale Slope.
        intercept: Rescale Intercept.
        modality: Modality table, used instead of slope and intercept; None when absent.
        windows: Centre and width, in rescaled values.
        function: ``LINEAR``, ``LINEAR_EXACT`` or ``SIGMOID``.
        voi: VOI tables.
    """

    slope: float = 1.0
    intercept: float = 0.0
    modality: Table | None = None
    windows: tuple[tuple[float, float], ...] = ()
    function: str = "LINEAR"
    voi: tuple[Table, ...] = ()

    def ways(self) -> "list[Look]":
        """Return looks of one window or table each: what a viewer offers, at most four.

        A window that differs little from one before it shows the same.
        """
        windows: list[tuple[float, float]] = []
        for centre, width in self.windows:
            near = (
                abs(centre - c) < _NEAR * min(width, w) and _NEAR < width / w < 1 / _NEAR
                for c, w in windows
            )
            if not any(near):
                windows.append((centre, width))
        found = [replace(self, windows=(one,), voi=()) for one in windows]
        found += [replace(self, windows=(), voi=(one,)) for one in self.voi]
        return found[:_MOST_WAYS] or [self]


@dataclass(frozen=True, slots=True, kw_only=True)
class UltrasoundRegion:
    """A calibrated region (PS3.3 C.8.5.5).

    Attributes:
        box: Where it is; its corners are part of it.
        spatial_format: 1 is 2D, 2 M-mode, 3 spectral, 4 wave form, 5 graphics.
        data_type: 1 is tissue, 2 colour flow, 3 PW, 4 CW, 0xA ECG, 0xC colour bar and so on.
        flags: Region Flags.
    """

    box: Box
    spatial_format: int
    data_type: int
    flags: int


class Fields:
    """Raw values of one level, read leniently: what can't be read is as if it were absent.

    Args:
        values: Raw value by tag.
        walker: Of their encoding.
        budget: What is left of the object's limits.
        depth: Nesting of this level.
    """

    def __init__(
        self, values: Mapping[int, bytes], walker: Walker, budget: Budget, depth: int = 0
    ) -> None:
        self.values: Final = values
        self.walker: Final = walker
        self._budget: Final = budget
        self._depth: Final = depth

    def raw(self, tag: int) -> bytes:
        """Return a raw value; empty when absent."""
        return self.values.get(tag, b"")

    def text(self, tag: int) -> str:
        """Return a value as text without padding."""
        return self.raw(tag).decode("latin-1").strip(" \0")

    def shorts(self, tag: int, *, signed: bool = False) -> tuple[int, ...]:
        """Return 16-bit values."""
        raw, order = self.raw(tag), self.walker.order
        return tuple(
            int.from_bytes(raw[at : at + 2], order, signed=signed)
            for at in range(0, len(raw) // 2 * 2, 2)
        )

    def number(self, tag: int, *, signed: bool = False) -> int | None:
        """Return the first 16-bit value; None when absent."""
        found = self.raw(tag)[:2]
        return int.from_bytes(found, self.walker.order, signed=signed) if len(found) > 1 else None

    def long(self, tag: int) -> int | None:
        """Return the first 32-bit value; None when absent."""
        found = self.raw(tag)[:4]
        return int.from_bytes(found, self.walker.order) if len(found) > 3 else None  # noqa: PLR2004 - four bytes

    def decimals(self, tag: int) -> tuple[float, ...]:
        """Return decimal strings as numbers; nothing when one cannot be read or is not finite."""
        try:
            found = tuple(float(part) for part in self.text(tag).split("\\") if part.strip())
        except ValueError:
            return ()
        return found if all(abs(one) < 1e300 for one in found) else ()  # noqa: PLR2004 - not NaN, not infinite

    def integer(self, tag: int) -> int | None:
        """Return an integer string; None when absent or not a number."""
        head = self.text(tag).split("\\")[0].strip()
        return int(head) if head.isdecimal() else None

    def items(self, tag: int) -> list["Fields"]:
        """Return the items of a sequence."""
        raw = self.raw(tag)
        if not raw:
            return []
        found = []
        for start, stop in self.walker.items(raw, 0, len(raw), self._budget, self._depth):
            elements = self.walker.elements(
                raw, start, stop, self._budget, depth=min(self._depth + 1, 1)
            )
            values = {one[0]: raw[one[3] : one[4]] for one in elements}
            found.append(Fields(values, self.walker, self._budget, self._depth + 1))
        return found

    def table(
        self, descriptor: int, data: int, segmented: int = 0, *, signed: bool
    ) -> Table | None:
        """Return a look-up table; None when it is absent or its descriptor makes no sense."""
        head = self.shorts(descriptor)
        raw = self.raw(data)
        chain = b"" if raw or not segmented else self.raw(segmented)
        if len(head) != 3 or not (raw or chain):  # noqa: PLR2004 - entries, first, bits
            return None
        entries, first, bits = head
        if signed and first > 0x7FFF:  # noqa: PLR2004 - the sign bit
            first -= 1 << 16
        if not 8 <= bits <= 16:  # noqa: PLR2004 - PS3.3 C.11.1.1.1
            return None
        return Table(
            entries=entries or 1 << 16,
            first=first,
            bits=bits,
            data=raw or chain,
            big=self.walker.big,
            segmented=bool(chain),
        )


def looks_of(fields: Fields, frames: int, *, signed: bool) -> tuple[Look, ...]:
    """Return how frames are shown: one look for all, or one a frame."""
    shared = _look(fields, fields, Look(), signed=signed)
    for group in fields.items(_SHARED)[:1]:
        shared = _grouped(group, shared, signed=signed)
    apart = fields.items(_PER_FRAME)[:frames]  # of one frame too: any group may stand there
    found = tuple(_grouped(group, shared, signed=signed) for group in apart)
    if len(found) != frames or len(set(found)) == 1:
        return found[:1] or (shared,)
    return found


def _grouped(group: Fields, base: Look, *, signed: bool) -> Look:
    values, voi = group.items(_VALUES_GROUP), group.items(_VOI_GROUP)
    return _look(values[0] if values else None, voi[0] if voi else None, base, signed=signed)


def _look(values: Fields | None, voi: Fields | None, base: Look, *, signed: bool) -> Look:
    slope, intercept, modality = base.slope, base.intercept, base.modality
    windows, function, tables = base.windows, base.function, base.voi
    if values is not None:
        slope = (values.decimals(0x00281053) or (slope,))[0] or 1.0
        intercept = (values.decimals(0x00281052) or (intercept,))[0]
        for item in values.items(0x00283000)[:1]:
            modality = item.table(0x00283002, 0x00283006, signed=signed) or modality
    if voi is not None:
        pairs = zip(voi.decimals(0x00281050), voi.decimals(0x00281051), strict=False)
        windows = tuple((centre, width) for centre, width in pairs if width > 0) or windows
        function = voi.text(0x00281056) or function
        found = (
            item.table(0x00283002, 0x00283006, signed=signed) for item in voi.items(0x00283010)
        )
        tables = tuple(one for one in found if one is not None) or tables
    return Look(
        slope=slope,
        intercept=intercept,
        modality=modality,
        windows=windows,
        function=function,
        voi=tables,
    )
