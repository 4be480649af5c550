"""The burned-in set and its scorer: truth that holds, and judgements that can go either way."""

import hashlib
import importlib
import json
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import reportlab
from PIL import Image as Picture

from corpus.__main__ import main
from corpus.burned import forms, truth
from corpus.burned.covered import Boxes, Outputs, changed, frames_of
from corpus.burned.fonts import Face
from corpus.burned.hosts import Hosts
from corpus.burned.intervals import bootstrap, clopper_pearson, wilson
from corpus.burned.make import enough, make
from corpus.burned.report import bars
from corpus.burned.score import score
from corpus.burned.show import display
from corpus.burned.truth import Char, Image, String

# Fonts that come with a Python package: a bare machine has no others.
FOLDER = Path(reportlab.__file__).parent / "fonts"
FACES = tuple(
    Face(family=name, path=str(FOLDER / f"{name}.ttf"), trained=name == "Vera")
    for name in ("Vera", "VeraBd", "VeraIt")
)
IMAGES = 24


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("burned") / "set"
    make(folder, seed=4, images=IMAGES, faces=FACES)
    return folder


def boxes(folder: Path, part: Callable[[int], bool] = lambda _: True) -> dict[str, Any]:
    """Return a box for each identifying character whose number ``part`` takes."""
    return {
        image.path: [
            [c.x, c.y, c.ink.shape[1], c.ink.shape[0]]
            for string in image.strings
            if string.identifying
            for number, c in enumerate(string.chars)
            if part(number)
        ]
        for image in truth.read(folder)
    }


def values(folder: Path, table: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value, *_ in bars(score(truth.read(folder), Boxes(table)))}


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    for name, seed in (("a", 9), ("b", 9), ("c", 10)):
        make(tmp_path / name, seed=seed, images=2, faces=FACES)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    assert digests(tmp_path / "a.truth") == digests(tmp_path / "b.truth")
    assert digests(tmp_path / "a") != digests(tmp_path / "c")


def test_every_written_image_of_a_harder_set_carries_one_of_its_factors(tmp_path: Path) -> None:
    make(tmp_path / "set", seed=9, images=8, faces=FACES, factors=["blur", "faint"])
    written = [image for image in truth.read(tmp_path / "set") if image.strings]
    factors = [{f for string in image.strings for f in string.factors} for image in written]
    assert len(written) > 3
    assert all(each & {"blur", "faint"} for each in factors)
    with pytest.raises(LookupError, match="no such factor: wet; there are blur"):
        make(tmp_path / "other", seed=9, images=8, faces=FACES, factors=["wet"])
    assert not (tmp_path / "other").exists()


def test_too_few_fonts_are_told_with_the_line_that_installs_them() -> None:
    with pytest.raises(LookupError, match="apt-get install -y fonts-liberation"):
        enough(FACES)


def test_the_set_holds_every_kind_and_enough_clean_images(made: Path) -> None:
    images = list(truth.read(made))
    assert len(images) == IMAGES
    assert {i.modality for i in images} == {
        "CT", "MR", "CR", "DX", "MG", "US", "NM", "XA", "SC", "PHOTO",
    }  # fmt: skip
    assert sum(i.clean for i in images) >= IMAGES / 3 - 1
    assert any(i.clean and i.negatives for i in images)
    assert {string.identifying for i in images for string in i.strings} == {True, False}


def test_each_character_of_the_truth_shows_in_the_file_that_was_written(made: Path) -> None:
    judged = 0
    for image in truth.read(made):
        strings = [s for s in image.strings if s.contrast > 0.2 and not s.frames]
        if not strings:
            continue
        frame = np.atleast_3d(next(iter(display(made / image.path)))).astype(float)
        for char in (c for s in strings for c in s.chars):
            h, w = char.ink.shape
            top, left = max(char.y - 3, 0), max(char.x - 3, 0)
            around = frame[top : char.y + h + 3, left : char.x + w + 3]
            ink = frame[char.y : char.y + h, char.x : char.x + w][char.ink].mean(0)
            ground = np.percentile(around.reshape(-1, around.shape[-1]), (1, 99), axis=0)
            assert np.abs(ground - ink).max() > 0.03 * 255
            judged += 1
    assert judged > 100


def test_half_of_the_headers_name_the_subject(made: Path) -> None:
    named = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for image in truth.read(made):
            if image.path.endswith(".dcm"):
                ds = pydicom.dcmread(made / image.path)
                assert bool(ds.PatientBirthDate) == image.named
                assert ("^" in str(ds.PatientName)) == image.named
                named.append(image.named)
    assert 0.2 < np.mean(named) < 0.8


def test_palette_writing_lies_one_index_from_its_ground(made: Path) -> None:
    palettes = [i for i in truth.read(made) if i.form.startswith("PALETTE") and i.strings]
    assert palettes
    for image in palettes:
        frame = next(iter(frames_of(made / image.path)))
        char = image.strings[0].chars[0] if not image.strings[0].frames else None
        assert {244, 245} & set(np.unique(frame).tolist())
        if char is not None:
            h, w = char.ink.shape
            inks = frame[char.y : char.y + h, char.x : char.x + w][char.ink]
            assert set(np.unique(inks).tolist()) <= {245, 246, 247}


def test_boxes_on_everything_identifying_meet_every_bar(made: Path) -> None:
    result = score(truth.read(made), Boxes(boxes(made)))
    found = {name: value for name, value, *_ in bars(result)}
    assert found["identifying characters removed"] == 1
    assert found["strings more than half exposed"] == 0
    assert found["images fully clean"] == 1
    assert found["other harmless marks kept"] > 0.9
    assert found["clean images touched"] == 0
    assert result.withheld == 0


def test_no_boxes_leave_everything_exposed(made: Path) -> None:
    found = values(made, {image.path: [] for image in truth.read(made)})
    assert found["identifying characters removed"] == 0
    assert found["strings more than half exposed"] == 1
    assert found["images fully clean"] == 0
    assert found["laterality and view marks kept"] == 1


def test_boxes_on_every_other_character_remove_about_half(made: Path) -> None:
    found = values(made, boxes(made, lambda number: number % 2 == 0))
    assert 0.45 < found["identifying characters removed"] < 0.7
    assert found["images fully clean"] < 0.3


def test_one_box_over_all_keeps_no_mark_and_touches_every_clean_image(made: Path) -> None:
    found = values(made, {i.path: [[0, 0, i.columns, i.rows]] for i in truth.read(made)})
    assert found["identifying characters removed"] == 1
    assert found["other harmless marks kept"] == 0
    assert found["masked area of clean images"] == 1
    assert found["clean images touched"] == 1


def test_an_image_that_is_not_released_keeps_no_mark_and_exposes_nothing(made: Path) -> None:
    result = score(truth.read(made), Boxes({}))
    found = {name: value for name, value, *_ in bars(result)}
    assert result.withheld == IMAGES
    assert result.removed.total == 0
    assert found["other harmless marks kept"] == 0
    assert found["clean images touched"] == 1


def one(ink: int, *, identifying: bool = True, frames: tuple[int, ...] = ()) -> Image:
    char = Char(char="A", y=0, x=0, ink=np.ones((1, ink), np.bool_))
    string = String(
        text="A", kind="name", identifying=identifying, script="latin", family="Vera",
        trained=True, size=10, contrast=1, factors=[], frames=list(frames), chars=[char],
    )  # fmt: skip
    return Image(
        index=0, path="a", modality="CT", rows=4, columns=ink, frames=2, named=True,
        form="MONOCHROME2 8 explicit", host="made:ct", negatives=[], strings=[string],
    )  # fmt: skip


@pytest.mark.parametrize(("width", "gone"), [(94, 0), (95, 1), (100, 1)])
def test_a_character_is_gone_from_95_percent_of_its_ink(width: int, gone: int) -> None:
    result = score([one(100)], Boxes({"a": [[0, 0, width, 4]]}))
    assert result.removed.count == gone


@pytest.mark.parametrize(("width", "kept"), [(0, 1), (4, 1), (5, 0)])
def test_a_mark_is_kept_under_5_percent_of_its_ink(width: int, kept: int) -> None:
    result = score([one(100, identifying=False)], Boxes({"a": [[0, 0, width, 4]]}))
    assert result.marks["name"].count == kept


def test_every_frame_that_shows_a_character_counts() -> None:
    region = {"boxes": [[0, 0, 100, 4]], "frames": [1]}
    assert score([one(100)], Boxes({"a": [region]})).removed.count == 0
    assert score([one(100, frames=(1,))], Boxes({"a": [region]})).removed.count == 1


def test_what_waits_for_review_or_is_kept_covers_nothing() -> None:
    region = {"boxes": [[0, 0, 100, 4]], "verdict": "keep"}
    assert score([one(100)], Boxes({"a": [region]})).removed.count == 0


def picture() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(60, 200, (60, 80)).astype(np.uint8)


def test_a_flat_fill_is_seen_and_writing_in_its_colour_with_it() -> None:
    before = picture()
    before[20:30, 20:24] = 0  # writing as black as the fill
    after = before.copy()
    after[15:40, 10:60] = 0
    mask, area = changed(before, after, tolerance=0)
    assert mask[15:40, 10:60].all()
    assert mask.sum() == 25 * 50
    assert area == pytest.approx(25 * 50 / mask.size)


def test_a_fill_with_a_border_is_seen() -> None:
    before = picture()
    after = before.copy()
    after[15:40, 10:60] = 128
    after[16:39, 11:59] = 0
    assert changed(before, after, tolerance=0)[0][15:40, 10:60].mean() > 0.97


def test_blurring_hides_nothing() -> None:
    before = picture()
    after = before.copy()
    after[15:40, 10:60] = np.random.default_rng(2).integers(60, 200, (25, 50))
    assert changed(before, after, tolerance=0)[0].sum() < 0.3 * 25 * 50


def test_what_did_not_change_is_not_covered() -> None:
    before = picture()
    before[2:10, 2:10] = 0
    after = before.copy()
    after[40:55, 40:70] = 0
    assert not changed(before, after, tolerance=0)[0][2:10, 2:10].any()


def test_outputs_are_found_by_their_pixels_and_judged_by_them(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    table, listed = boxes(made), list(truth.read(made))
    written = [i for i in listed if i.path.endswith(".dcm") and "16 explicit" in i.form][:2]
    photos = [i for i in listed if i.path.endswith(".png") and table[i.path]][:1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for image in written:
            ds = pydicom.dcmread(made / image.path)
            pixels = next(iter(forms.decode(ds))).copy()
            for x, y, w, h in table[image.path]:
                pixels[y : y + h, x : x + w] = 0
            ds.PixelData = pixels.tobytes()
            ds.save_as(out / f"X{image.index * 7 % 13}.dcm")
    for image in photos:
        with Picture.open(made / image.path) as shot:
            pixels = np.asarray(shot.convert("RGB")).copy()
        for x, y, w, h in table[image.path]:
            pixels[y : y + h, x : x + w] = 0
        Picture.fromarray(pixels).save(out / "Y.png")
    (out / "_safelight").mkdir()
    (out / "_safelight" / "run.json").write_text("{}")
    result = score(listed, Outputs(made, out, listed))
    assert written
    assert result.withheld == IMAGES - len(written) - len(photos)
    assert result.removed.count == result.removed.total
    assert result.problems == []


def test_an_output_that_was_not_masked_is_exposed(made: Path) -> None:
    listed = list(truth.read(made))
    result = score(listed, Outputs(made, made, listed))
    assert result.withheld == 0
    assert result.removed.count == 0
    assert result.touched == 0


def test_an_output_of_another_shape_counts_as_exposed(made: Path, tmp_path: Path) -> None:
    listed = [i for i in truth.read(made) if i.path.endswith("png") and not i.clean][:1]
    Picture.new("RGB", (20, 20)).save(tmp_path / listed[0].path)
    result = score(listed, Outputs(made, tmp_path, listed))
    assert result.removed.count == 0
    assert len(result.problems) == 1


def form_id(form: forms.Form) -> str:
    return f"{form.photometric}-{form.bits}-{form.syntax}-{form.planar}-{form.signed}"


@pytest.mark.parametrize(
    "form", sorted({*forms.GREY, *forms.COLOUR, *forms.PALETTE}, key=form_id), ids=form_id
)
def test_what_is_stored_is_read_back(form: forms.Form) -> None:
    ramp = np.linspace(0, 1, 48 * 64).reshape(48, 64)
    if form.photometric.startswith(("RGB", "YBR")):
        frame = np.rint(np.stack([ramp, 1 - ramp, ramp / 2], -1) * 255).astype(np.uint8)
    elif form.bits == 8:
        frame = np.rint(ramp * 255).astype(np.uint8)
    else:
        frame = np.rint(ramp * ((1 << form.bits) - 1)).astype("i2" if form.signed else "u2")
        frame = np.rint(ramp * 4000 - 1000).astype("i2") if form.signed else frame
    ds = pydicom.Dataset()
    forms.store(ds, iter([frame, frame[::-1].copy()]), form)
    ds.file_meta = pydicom.dataset.FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = forms.SYNTAXES[form.syntax]
    first, second = forms.decode(ds)
    exact = not form.lossy and not form.photometric.startswith("YBR_FULL")
    for read, wrote in ((first, frame), (second, frame[::-1])):
        off = read.astype(float) - wrote.astype(float)
        if exact:
            assert not off.any()
        else:  # 40 dB
            assert np.sqrt((off**2).mean()) <= (float(frame.max()) - float(frame.min())) / 100


def test_intervals_are_the_published_ones() -> None:
    assert wilson(0, 10) == pytest.approx((0, 0.27753), abs=1e-4)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I
    assert clopper_pearson(81, 263) == pytest.approx((0.2527, 0.3676), abs=1e-4)
    assert clopper_pearson(0, 1000)[1] == pytest.approx(0.003682, abs=1e-5)
    assert bootstrap([(9, 10)] * 5) == (0.9, 0.9)
    low, high = bootstrap([(10, 10)] * 9 + [(0, 10)])
    assert low < 0.9 < high


def test_real_hosts_are_the_held_out_ones_on_the_list_alone(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    groups = [f"g{k}" for k in range(40)]
    held = [g for g in groups if zlib.crc32(f"busi|{g}".encode()) % 5 == 0]
    rows = [f"busi/00666823{g}.jpg,busi,{g}" for g in groups]
    rows += [f"busi/ffffffff{g}.jpg,busi,{g}" for g in groups]
    (tmp_path / "images" / "labels.csv").write_text("\n".join(["image,dataset,group", *rows]))
    assert held
    assert Hosts(tmp_path).names() == {"US": len(held)}


def test_the_command_scores_boxes_and_says_what_is_missed(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "none.json"
    table.write_text(json.dumps({image.path: [] for image in truth.read(made)}))
    out = tmp_path / "score.json"
    assert main(["burned", "score", str(made), str(table), "--json", str(out)]) == 1
    assert "MISSED" in capsys.readouterr().out
    assert json.loads(out.read_text())["characters exposed"] > 0
    assert main(["burned", "score", str(tmp_path), str(table)]) == 2


def test_a_contact_sheet_shows_every_image(made: Path, tmp_path: Path) -> None:
    assert main(["burned", "sheet", str(made), str(tmp_path / "s.png"), "--count", "8"]) == 0
    with Picture.open(tmp_path / "s.png") as sheet:
        assert sheet.size == (8 * 400, 414)


def test_peers_are_given_the_frames_of_a_big_endian_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend("bench")
    bench = importlib.import_module("bench.burned")
    source = Path(pydicom.__file__).parent / "data" / "test_files" / "MR_small_bigendian.dcm"
    (frame,) = display(source)
    bench._plain(source, frame, tmp_path / "plain.dcm")
    plain, stored = pydicom.dcmread(tmp_path / "plain.dcm"), pydicom.dcmread(source)
    assert not stored.file_meta.TransferSyntaxUID.is_little_endian
    assert plain.file_meta.TransferSyntaxUID.is_little_endian
    assert (plain.pixel_array == frame).all()
    assert plain.PatientID == stored.PatientID
    assert plain.PixelSpacing == stored.PixelSpacing
