"""Where the tiles of one large picture lie, and the blocks they are looked at in.

Source: PS3.3 C.8.12.4.1 (total pixel matrix), C.7.6.17.3 (tiled dimensions), C.8.12.6.1 (places).
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from safelight.deid.boxes import Box, Region
from safelight.deid.pixels.headerparts import Fields

__all__ = ["Block", "Tile", "blocks_of", "scattered", "tiles_of"]

_MATRIX_COLUMNS, _MATRIX_ROWS = 0x00480006, 0x00480007
_PER_FRAME, _PLACE = 0x52009230, 0x0048021A
_COLUMN, _ROW = 0x0048021E, 0x0048021F
_WHOLE: Final = 1 << 23  # pixels of a picture that is looked at in one block
_SIDE: Final = 2048  # of the blocks of a larger one, in pixels, whole tiles at least


class Tile(NamedTuple):
    """Where one frame lies.

    Attributes:
        plane: Number of the picture, where focus or light make several.
        x: First column in the whole picture, from 0.
        y: First row, from 0.
    """

    plane: int
    x: int
    y: int


class Block(NamedTuple):
    """Neighbouring tiles that are looked at as one picture.

    Attributes:
        rows: Rows of that picture.
        columns: Its columns.
        frames: Frame number, column and row in it, of each tile.
    """

    rows: int
    columns: int
    frames: tuple[tuple[int, int, int], ...]


def tiles_of(fields: Fields, rows: int, columns: int, frames: int) -> tuple[Tile, ...]:
    """Return where each frame lies in its picture; empty when the frames are no tiles.

    Args:
        fields: Of the top level.
        rows: Rows of a frame.
        columns: Columns of a frame.
        frames: Number of frames.
    """
    width, height = fields.long(_MATRIX_COLUMNS) or 0, fields.long(_MATRIX_ROWS) or 0
    if frames < 2 or not width or not height or rows * columns > _WHOLE:  # noqa: PLR2004 - one tile is the picture
        return ()
    told = [_told(item) for item in fields.items(_PER_FRAME)]
    if len(told) == frames and all(told):
        planes: dict[tuple[int, int], int] = {}
        found = []
        for x, y in (place for place in told if place is not None):
            plane = planes[x, y] = planes.get((x, y), -1) + 1
            found.append(Tile(plane, x, y))
        return tuple(found)
    across, down = -(-width // columns), -(-height // rows)
    if frames % (across * down):
        return ()
    return tuple(
        Tile(plane, x * columns, y * rows)
        for plane in range(frames // (across * down))
        for y in range(down)
        for x in range(across)
    )


def _told(item: Fields) -> tuple[int, int] | None:
    """Return column and row, from 0, of a frame's place; None when its group says none."""
    for place in item.items(_PLACE)[:1]:
        x, y = place.long(_COLUMN), place.long(_ROW)
        if x and y:
            return x - 1, y - 1
    return None


def blocks_of(tiles: Sequence[Tile], rows: int, columns: int) -> Iterator[Block]:
    """Yield the blocks that tiles of a size are looked at in.

    A small picture is one block. Those of a large one share a row and a column of tiles with the
    next, so that what crosses a border is seen whole.
    """
    right, bottom = max(tile.x for tile in tiles) + columns, max(tile.y for tile in tiles) + rows
    whole = right * bottom <= _WHOLE
    wide = right if whole else max(1, _SIDE // columns) * columns
    high = bottom if whole else max(1, _SIDE // rows) * rows
    found: dict[tuple[int, int, int], list[tuple[int, int, int]]] = {}
    for number, (plane, x, y) in enumerate(tiles):
        for left in {x // wide, max(x - columns, 0) // wide}:
            for top in {y // high, max(y - rows, 0) // high}:
                place = number, x - left * wide, y - top * high
                found.setdefault((plane, top, left), []).append(place)
    for key in sorted(found):
        frames = tuple(found[key])
        yield Block(
            max(y for _number, _x, y in frames) + rows,
            max(x for _number, x, _y in frames) + columns,
            frames,
        )


def scattered(region: Region, block: Block, rows: int, columns: int) -> Iterator[Region]:
    """Yield what a region of a block is in each of its tiles of this size."""
    for number, left, top in block.frames:
        boxes = []
        for box in region.boxes:
            part = Box(box.x - left, box.y - top, box.w, box.h).clipped(rows, columns)
            if part is not None:
                boxes.append(part)
        if boxes:
            yield Region(
                boxes=tuple(boxes),
                verdict=region.verdict,
                rule=region.rule,
                confidence=region.confidence,
                frames=(number,),
            )
