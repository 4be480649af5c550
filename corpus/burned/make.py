"""Makes a set: plans each image from the seed and its number alone, draws, stores, notes truth."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from corpus.burned import dicom, forms, photos
from corpus.burned.draw import Floats, Mark, compose, measure
from corpus.burned.fonts import INSTALL, Face, available, usable
from corpus.burned.hosts import Hosts
from corpus.burned.layout import FACTORS, Page, fill, loose
from corpus.burned.negatives import scribble
from corpus.burned.strings import make_subject
from corpus.burned.truth import Writer

__all__ = ["make"]

_MODALITIES = ("CT", "MR", "CR", "DX", "MG", "US", "US", "NM", "XA", "SC", "PHOTO", "PHOTO")
_SCRIPTS = ("latin",) * 10 + ("accented", "accented", "greek", "cyrillic", "han", "kana", "hangul")
_SIZES = {
    "CT": ((512, 512), (512, 512), (512, 512), (768, 768)),
    "MR": ((256, 256), (320, 320), (512, 512), (512, 448)),
    "CR": ((1024, 840), (1200, 1000), (880, 1060), (1760, 1456)),
    "DX": ((1024, 1024), (1400, 1200), (900, 1300), (2048, 2048)),
    "MG": ((1280, 1024), (1664, 1280), (1024, 800)),
    "US": ((480, 640), (600, 800), (768, 1024), (576, 720)),
    "NM": ((256, 256), (512, 512), (1024, 256)),
    "XA": ((512, 512), (1024, 1024)),
    "SC": ((768, 1024), (600, 800), (1024, 1280), (512, 512)),
    "PHOTO": ((900, 720), (1100, 900), (1280, 1000)),
}
_CLEAN_PERCENT = 36
_PALETTE_INKS = [(1.0, 1.0, 1.0), (1.0, 0.9, 0.1), (0.2, 1.0, 1.0)]


def make(
    folder: Path,
    *,
    seed: int,
    images: int,
    data: Path | None = None,
    faces: Sequence[Face] | None = None,
    factors: Sequence[str] = (),
) -> Counter[str]:
    """Write ``images`` files into ``folder`` and their truth beside it.

    Args:
        folder: New; the truth goes to the same name with ``.truth`` added.
        seed: The same seed gives the same files.
        images: How many files.
        data: Folder with ``images/labels.csv`` whose held-out share serves as hosts.
        faces: Fonts to write with; None takes the installed ones and wants enough of them.
        factors: When given, every written image carries one of these: a harder set to learn from.

    Returns:
        How many images, strings and characters there are, by kind.

    Raises:
        FileExistsError: The folder is there already.
        LookupError: Not enough fonts are installed, or no such factor.
    """
    unknown = sorted({*factors} - {*FACTORS})
    if unknown:
        raise LookupError(f"no such factor: {', '.join(unknown)}; there are {', '.join(FACTORS)}")
    faces = enough(available()) if faces is None else faces
    folder.mkdir(parents=True)
    hosts, counts = Hosts(data), Counter[str]()
    about = {"seed": seed, "images": images, "real hosts": hosts.names(), "factors": [*factors]}
    writer = Writer(folder, about)
    for index in range(images):
        facts, marks = _one(folder, seed, index, hosts, faces, factors)
        writer.add(facts, marks)
        counts["images"] += 1
        counts["clean images"] += not any(mark.ink for mark in marks)
        for mark in marks:
            kind = "identifying" if mark.identifying else "harmless"
            counts[f"{kind} strings"] += bool(mark.ink)
            counts[f"{kind} characters"] += len(mark.ink)
    writer.close()
    return counts


def enough(faces: Sequence[Face]) -> Sequence[Face]:
    """Return the fonts when they are enough: six held-out families, bitmaps, names of all scripts.

    Raises:
        LookupError: They are not; the message says how to install them.
    """
    held = {face.family for face in faces if not face.trained}
    scripts = {script for face in faces if not face.trained for script in face.scripts}
    wanted = {"latin", "greek", "cyrillic", "han", "kana", "hangul"}
    if len(held) < 6 or not any(face.strike for face in faces) or wanted - scripts:
        raise LookupError(f"fonts are missing; on Debian or Ubuntu:\n  {INSTALL}")
    return faces


def _one(  # what a set is made of
    folder: Path,
    seed: int,
    index: int,
    hosts: Hosts,
    faces: Sequence[Face],
    factors: Sequence[str],
) -> tuple[dict[str, Any], list[Mark]]:
    rng = random.Random(f"burned {seed} {index}")  # noqa: S311 - repeatable on purpose, guards nothing
    modality = _MODALITIES[index % len(_MODALITIES)]
    clean = (37 * index + seed) % 100 < _CLEAN_PERCENT
    share = 1.0 if factors else 0.3
    factor = rng.choice(factors or FACTORS) if not clean and rng.random() < share else ""
    rows, columns = rng.choice(_SIZES[modality])
    subject = make_subject(rng, rng.choice(_SCRIPTS))
    if not any(usable(face, subject.family + subject.given) for face in faces):
        subject = make_subject(rng, "latin")
    host = rng.choice(("CR", "DX", "CT", "MG")) if modality == "PHOTO" else modality
    picture, source = hosts.pick(rng, host, rows, columns)
    page = Page(
        rng=rng,
        faces=faces,
        picture=picture,
        subject=subject,
        modality=modality,
        factor=factor,
        colour=modality in {"US", "SC", "PHOTO"},
    )
    drawn = []
    if rng.random() < (0.55 if clean else 0.25):
        drawn = scribble(page.picture, rng, modality=modality)
    facts = {"index": index, "modality": modality, "host": source, "negatives": drawn}
    if modality == "PHOTO":
        return _photo(folder, page, facts, clean=clean)
    return _object(folder, page, facts, clean=clean)


def _photo(
    folder: Path, page: Page, facts: dict[str, Any], *, clean: bool
) -> tuple[dict[str, Any], list[Mark]]:
    rng = page.rng
    if not clean:
        if rng.random() < 0.7:
            photos.sticker(page, by_hand=rng.random() < 0.5)
        if rng.random() < 0.4:
            photos.scrawl(page)
        if rng.random() < 0.7 or not page.marks:
            page.modality = "CR"
            fill(page)
    picture = photos.shoot(page)
    name = f"{facts['index']:05d}.{rng.choice(('jpg', 'jpg', 'png'))}"
    photos.save(folder / name, picture, rng)
    for mark in page.marks:
        measure(picture, mark)
    rows, columns = picture.shape[:2]
    own = {"path": name, "rows": rows, "columns": columns, "frames": 1, "named": False}
    return {**facts, **own, "form": name[-3:]}, page.marks


def _object(
    folder: Path, page: Page, facts: dict[str, Any], *, clean: bool
) -> tuple[dict[str, Any], list[Mark]]:
    rng, modality = page.rng, page.modality
    colour = page.picture.ndim == 3 or (modality in {"US", "SC"} and rng.random() < 0.6)
    indexed = modality == "US" and page.picture.ndim == 2 and rng.random() < 0.45
    frames = rng.randint(2, 5) if modality == "US" and rng.random() < 0.5 else 1
    choices = forms.PALETTE if indexed else forms.COLOUR if colour else forms.GREY
    form = rng.choice(choices)
    page.colour, page.hard = colour and not indexed, indexed
    if not clean:
        fill(page)
        if not page.marks:
            loose(page, "name", page.factor, 12, tries=40)
    base = page.picture
    if colour and base.ndim == 2 and not indexed:
        base = np.repeat(base[..., None], 3, -1)
    named = rng.random() < 0.5
    ds = dicom.header(rng, page.subject, modality, frames, named=named)
    if modality == "US" and rng.random() < 0.5:
        dicom.regions(ds, *base.shape[:2])
    if indexed:
        _sole_colours(page)
    finished = _finished(page, base, frames)
    name = f"{facts['index']:05d}.dcm"
    g = np.random.default_rng(rng.getrandbits(64))
    if indexed:
        dicom.palette(ds, _PALETTE_INKS)
        source: Iterator[Any] = _indices(page, base, frames, g)
    else:
        source = _cine(page, base, finished, frames, g, form, ds)
    dicom.write(folder / name, ds, source, form)
    own = {
        "path": name,
        "rows": base.shape[0],
        "columns": base.shape[1],
        "frames": frames,
        "named": named,
        "form": f"{form.photometric} {form.bits} {form.syntax}",
    }
    return {**facts, **own}, page.marks


def _finished(page: Page, base: Floats, frames: int) -> Floats:
    """Return the picture with what stands in every frame; settle the ink of all."""
    finished = base.copy()
    if frames > 1 and len(page.marks) > 2 and page.factor != "jpeg":
        fleeting = page.rng.choice(page.marks)  # a clock, a counter: in one frame alone
        fleeting.frames = (page.rng.randrange(frames),)
    for mark in page.marks:
        if not mark.frames:
            compose(finished, mark)
    if page.factor == "jpeg":
        finished = _artefacts(finished, page.rng)
    shown = finished.copy()
    for mark in page.marks:
        if mark.frames:
            compose(shown, mark)
        measure(shown, mark)
    return finished


def _sole_colours(page: Page) -> None:
    for mark in page.marks:
        colour = page.rng.choice(_PALETTE_INKS)
        mark.style = replace(mark.style, colour=colour, halo=False)


def _artefacts(picture: Floats, rng: random.Random) -> Floats:
    """Return the picture after an earlier, rough JPEG."""
    pixels = np.rint(picture * 255).astype(np.uint8)
    quality = rng.randint(12, 40)
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    flag = cv2.IMREAD_COLOR if picture.ndim == 3 else cv2.IMREAD_GRAYSCALE
    return np.asarray(cv2.imdecode(data, flag), np.float32) / np.float32(255)


def _still(page: Page) -> NDArray[np.bool_]:
    """Return where writing stands: frames differ elsewhere only."""
    mask = np.zeros(page.taken.shape, np.bool_)
    for mark in page.marks:
        for g in mark.glyphs:
            y, x = max(g.y - 1, 0), max(g.x - 1, 0)
            mask[y : g.y + g.alpha.shape[0] + 1, x : g.x + g.alpha.shape[1] + 1] = True
    return mask


def _cine(
    page: Page,
    base: Floats,
    finished: Floats,
    frames: int,
    g: np.random.Generator,
    form: forms.Form,
    ds: Any,
) -> Iterator[Any]:
    still = _still(page) if frames > 1 else None
    for number in range(frames):
        frame = finished
        if number and still is not None:
            flicker = g.normal(0, 0.05, base.shape).astype(np.float32) * (base > 0.03)
            moving = np.clip(np.roll(base, number * 2, 1) + flicker, 0, 1)
            keep = still if base.ndim == 2 else still[..., None]
            frame = np.where(keep, finished, moving)
        for mark in page.marks:
            if number in mark.frames:
                frame = frame.copy()
                compose(frame, mark)
        if frame.ndim == 3:
            yield np.rint(np.clip(frame, 0, 1) * 255).astype(np.uint8)
        else:
            yield dicom.stored(ds, np.clip(frame, 0, 1), form, page.rng)


def _indices(
    page: Page, base: Floats, frames: int, g: np.random.Generator
) -> Iterator[NDArray[np.uint8]]:
    for number in range(frames):
        moving = np.roll(base, number * 2, 1) if number else base
        if number:
            moving = np.clip(moving + g.normal(0, 0.05, base.shape) * (moving > 0.03), 0, 1)
        frame = np.rint(moving * 239).astype(np.uint8)
        frame[moving < 0.02] = dicom.GROUND
        for mark in page.marks:
            if mark.frames and number not in mark.frames:
                continue
            ink = dicom.INK + _PALETTE_INKS.index(mark.style.colour or _PALETTE_INKS[0])
            for _, y, x, where in mark.ink:
                frame[y : y + where.shape[0], x : x + where.shape[1]][where] = ink
        yield frame
