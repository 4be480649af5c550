"""Get pictures of further sources: ``python -m training.kind.more``, to learn from only.

    python -m training.kind.more --mirror DIR --data DIR --out DIR

``more.tsv`` names public repositories, commits and paths; the folder ``--mirror`` holds a clone of
each, ``owner+name/repo`` (bare, or with a work tree). Pictures are encoded as the shared ones are:
JPEG, longest side 256, grey but for fundus and what is no kind. What is nearly the same as any
shared picture, or as one already taken, is left out. Nothing of it is ever measured on.
"""

import argparse
import csv
import hashlib
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from safelight.readers.kind.net import embed
from safelight.readers.kind.shrink import reduced
from safelight.readers.reading import ViewKind
from training.kind.images import Item, read, squeezed
from training.kind.pool import seen_as
from training.kind.volumes import of_dicom, of_nifti

HERE = Path(__file__).parent
TABLE = HERE / "more.tsv"
_LONGEST: Final = 256
_LEAST: Final = 32  # of a side
_DULL: Final = 12.0  # standard deviation of the levels: less shows nothing
_EMPTY: Final = 0.12  # of the pixels that are not black: less shows hardly anything
_COPY: Final = 0.90  # likeness of places above which a picture, or its mirror, is a shared one
_AGAIN: Final = 0.97  # above which a source holds it twice
_VOLUMES: Final = (".nii", ".nii.gz")
_COLOURED: Final = (None, ViewKind.FUNDUS)

Array = NDArray[Any]
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A source: what it shows, where it is, which of its files are meant."""

    source: str
    kind: ViewKind | None
    kin: frozenset[str]
    terms: str
    most: int
    count: int
    digest: str
    repository: str
    commit: str
    paths: str
    without: str

    @classmethod
    def of(cls, line: str) -> Self:
        """Return the row that a line of the table is."""
        cells = line.rstrip("\n").split("\t")
        source, kind, kin, terms, most, count, digest, repository, commit, paths, without = cells
        return cls(
            source=source, kind=None if kind == "-" else ViewKind[kind],
            kin=frozenset() if kin == "-" else frozenset(kin.split("|")), terms=terms,
            most=int(most), count=int(count), digest=digest, repository=repository,
            commit=commit, paths=paths, without="" if without == "-" else without,
        )  # fmt: skip

    def line(self) -> str:
        """Return the line of the table."""
        kind = self.kind.name if self.kind else "-"
        cells = (self.source, kind, "|".join(sorted(self.kin)) or "-", self.terms, self.most,
                 self.count, self.digest, self.repository, self.commit, self.paths,
                 self.without or "-")  # fmt: skip
        return "\t".join(map(str, cells)) + "\n"


def table() -> list[Row]:
    """Return all sources of the table."""
    lines = TABLE.read_text().splitlines()
    return [Row.of(line) for line in lines if line and not line.startswith("#")]


def _git(place: Path, *args: str) -> bytes:
    return subprocess.run(  # noqa: S603  # fixed words and names of files
        ("/usr/bin/git", "-C", str(place), *args), capture_output=True, check=True
    ).stdout  # fmt: skip


def files(row: Row, mirror: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield path, Git's name and content of the files that are meant, evenly spread."""
    place = mirror / row.repository.replace("/", "+") / "repo"
    place = place / ".git" if (place / ".git").exists() else place
    listed = _git(place, "ls-tree", "-r", "-l", "-z", row.commit).decode().split("\0")
    meant = []
    for entry in filter(None, listed):
        about, path = entry.split("\t", 1)
        name, size = about.split()[2:]
        out = row.without and re.search(row.without, path)
        if size.isdigit() and re.search(row.paths, path) and not out:  # others are not there
            meant.append((path, name))
    meant.sort()
    spread = np.unique(np.linspace(0, len(meant) - 1, min(row.most, len(meant))).astype(int))
    for n in spread if meant else ():
        path, name = meant[int(n)]
        yield path, name, _git(place, "cat-file", "blob", name)


def pictures(row: Row, path: str, data: bytes, number: int) -> Iterator[Picture]:
    """Yield the pictures of a file, as they would be shown."""
    window = {ViewKind.HEAD_CT: "head", ViewKind.BODY_CT: "body"}.get(
        row.kind or ViewKind.PHOTO, ""
    )
    if path.endswith(_VOLUMES):
        yield from of_nifti(data, window=window)
        return
    if path.endswith(".dcm"):
        yield of_dicom(data, window=window, number=number)
        return
    way = cv2.IMREAD_COLOR if row.kind in _COLOURED else cv2.IMREAD_GRAYSCALE
    found = cv2.imdecode(np.frombuffer(data, np.uint8), way) if data else None
    if found is not None:
        yield np.asarray(found).astype(np.uint8)


def _shows(picture: Picture) -> bool:
    told = min(picture.shape[:2]) >= _LEAST and float(picture.std()) > _DULL
    return told and float((picture > 8).mean()) > _EMPTY  # nearly black


def _kept(picture: Picture) -> bytes:
    """Return a picture as the shared ones are."""
    scale = _LONGEST / max(picture.shape[:2])
    if scale < 1:
        size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    return bytes(cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_QUALITY, 90))[1])


def _directions(places: Array, middle: Array) -> NDArray[np.float32]:
    apart = places - middle
    return np.asarray(apart / np.linalg.norm(apart, axis=1, keepdims=True)).astype(np.float32)


def _places(squeezed_pictures: Picture) -> Array:
    return np.concatenate(
        [embed(seen_as(reduced(each))[None]) for each in squeezed_pictures]
    ).astype(np.float32)


def main() -> None:
    """Read the sources, drop what is a copy, write pictures and their table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", type=Path, required=True, help="clones, owner+name")
    parser.add_argument("--data", type=Path, required=True, help="folder with images/labels.csv")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--told", action="store_true", help="write counts and digests to the table")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    rows = table()
    found: list[Item] = []
    for row in rows:
        found += _taken(row, given.mirror, given.out)
    shared = list(read(given.data))
    squeezed_pictures = squeezed(given.data, found)
    clear = distinct(
        found,
        (_places(squeezed_pictures), _places(squeezed_pictures[:, :, ::-1])),
        _places(squeezed(given.data, shared)),
    )
    _write(given.out, [item for item, ok in zip(found, clear, strict=True) if ok])
    _tell(rows, found, clear, write=given.told)


def _tell(rows: list[Row], found: list[Item], clear: list[bool], *, write: bool) -> None:
    """Print what there is of each source, and whether the table says so too."""
    told = []
    for row in rows:
        names = sorted(i.group for i, ok in zip(found, clear, strict=True)
                       if ok and i.source == row.source)  # fmt: skip
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
        told.append(replace(row, count=len(names), digest=digest))
        was = "" if told[-1] == row else ", unlike the table"
        print(f"{row.source}: {len(names)} pictures{was}")  # a command's output
    if write:
        lines = TABLE.read_text().splitlines(keepends=True)
        head = [line for line in lines if line.startswith("#")]
        TABLE.write_text("".join((*head, *(row.line() for row in told))))


def _taken(row: Row, mirror: Path, out: Path) -> list[Item]:
    """Write the pictures of a source, and return them."""
    (out / row.source).mkdir(parents=True, exist_ok=True)
    found = []
    for number, (path, name, data) in enumerate(files(row, mirror)):
        for n, picture in enumerate(pictures(row, path, data, number)):
            if not _shows(picture):
                continue
            at = out / row.source / f"{name[:16]}-{n}.jpg"
            at.write_bytes(_kept(picture))
            item = Item(
                path=str(at.resolve()), kind=row.kind, source=row.source, group=f"{name}-{n}",
                tier="B", kin=row.kin, shared=False,
            )  # fmt: skip
            found.append(item)
    return found


def distinct(found: list[Item], mine: tuple[Array, Array], known: Array) -> list[bool]:
    """Tell which pictures are no copies of shared ones, nor of earlier ones of their source.

    Args:
        found: The pictures.
        mine: Where they lie, and where their mirror images do, shape (n, PLACE).
        known: Where the shared pictures lie.
    """
    middle = known.mean(0)
    shared = _directions(known, middle)
    plain, mirrored = (_directions(each, middle) for each in mine)
    nearest = np.maximum((plain @ shared.T).max(1), (mirrored @ shared.T).max(1))
    clear: list[bool] = []
    for n, item in enumerate(found):
        earlier = [m for m in range(n) if clear[m] and found[m].source == item.source]
        again = bool(earlier) and float((plain[earlier] @ plain[n]).max()) > _AGAIN
        clear.append(float(nearest[n]) <= _COPY and not again)
    return clear


def _write(out: Path, items: list[Item]) -> None:
    with (out / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "kind", "source", "group", "kin"))
        writer.writerows(
            (i.path, i.kind.name if i.kind else "", i.source, i.group, "|".join(sorted(i.kin)))
            for i in items
        )


if __name__ == "__main__":
    main()
