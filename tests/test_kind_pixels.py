"""The pixel half of the kind reader: whole numbers, the same everywhere, and modest."""

import hashlib
import os
import subprocess
import sys

import cv2
import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from safelight.readers.kind import net, what
from safelight.readers.kind.net import INPUT, PLACE, TOP, embed, lit
from safelight.readers.kind.pixels import PixelReader, coloured, pixel_reader
from safelight.readers.kind.shrink import SIDE, content, planes, reduced, seen
from safelight.readers.quality import _chest, blur, judge
from safelight.readers.reading import KindAnswer, ViewKind
from safelight.types import Kind
from view_fixtures import dicom, photo, view

SOP = "1.2.840.10008.5.1.4.1.1."
PLANES = np.random.default_rng(3).integers(-128, 128, (4, 3, SIDE, SIDE)).astype(np.int16)


def chest(side: int = 320) -> NDArray[np.uint8]:
    """Return the mean of many chest films, enlarged: nobody's film, and a chest all the same."""
    pattern = _chest()
    levels = (pattern - pattern.min()) / np.ptp(pattern) * 255
    return np.asarray(
        cv2.resize(levels.astype(np.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
    )


def breast(side: int = 320) -> NDArray[np.uint8]:
    """Return a half round on black, brighter inside: as a mammogram is."""
    y, x = np.mgrid[0:side, 0:side] / side
    depth = np.clip(1 - (x / 0.6) ** 2 - ((y - 0.5) / 0.42) ** 2, 0, 1)
    grain = np.random.default_rng(4).normal(0, 6, (side, side))
    levels = ((70 + 150 * depth + grain) * (depth > 0)).clip(0, 255)
    return np.asarray(levels, np.uint8)


@given(
    rows=st.integers(1, 70),
    columns=st.integers(1, 70),
    side=st.integers(1, 20),
    seed=st.integers(0, 9),
)
def test_squeezing_keeps_the_mean_of_each_part(
    rows: int, columns: int, side: int, seed: int
) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (rows, columns), dtype=np.uint8)
    fine = np.kron(picture, np.ones((side, side)))  # each part is now whole pixels
    means = fine.reshape(side, rows, side, columns).mean((1, 3))
    assert np.abs(reduced(picture, side)[:, :, 0] - means).max() <= 0.5 + 1e-9


def test_margins_are_cut_and_full_pictures_are_not() -> None:
    picture = np.zeros((300, 200, 1), np.uint8)
    picture[100:200, 50:150] = np.random.default_rng(0).integers(100, 255, (100, 100, 1))
    left, top, right, bottom = content(reduced(picture, 96))
    assert (left, top, right, bottom) == (24, 32, 72, 64)
    full = np.random.default_rng(0).integers(0, 255, (96, 96, 1)).astype(np.uint8)
    assert content(full) == (0, 0, 96, 96)
    assert content(np.zeros((96, 96, 1), np.uint8)) == (0, 0, 96, 96)


def test_grey_and_grey_as_colours_are_the_same() -> None:
    grey = chest()
    one, three = seen(grey), seen(np.repeat(grey[:, :, None], 3, axis=2))
    assert one is not None
    assert three is not None
    assert np.array_equal(one, three)
    assert planes(np.full((SIDE, SIDE, 1), 9, np.uint8)) is None
    red = np.zeros((SIDE, SIDE, 3), np.uint8)
    red[:, :, 0] = np.arange(SIDE) * 4
    found = planes(red)
    assert found is not None
    assert coloured(found)


def test_what_the_body_is_shown_is_whole_and_twice_the_size() -> None:
    shown = lit(PLANES)
    assert shown.shape == (4, 3, INPUT, INPUT)
    assert np.array_equal(shown, np.rint(shown))
    assert np.abs(shown).max() <= 128
    flat = np.zeros((1, 3, SIDE, SIDE), np.int16)
    flat[:, 0] = 77
    assert np.array_equal(lit(flat), np.full((1, 3, INPUT, INPUT), 77))
    flat[:, 2] = 20  # more red: red goes up, green goes down, blue stays
    red, green, blue = lit(flat)[0, :, 5, 5]
    assert (red, green, blue) == (117, 57, 77)


def test_no_optimiser_and_no_thread_of_the_runtime_changes_a_bit() -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    places = []
    for name in net.FILES:
        body, cpu = net.data(name), ["CPUExecutionProvider"]
        plain = onnxruntime.InferenceSession(body, options, providers=cpu)
        places.append(plain.run(["places"], {"planes": lit(PLANES)})[0])
    found = np.hstack(places)
    assert found.shape == (4, PLACE)
    assert np.array_equal(found, np.rint(found))
    assert np.abs(found).max() <= TOP
    assert np.array_equal(embed(PLANES), found)


def digest_of_places() -> str:
    reader = pixel_reader()
    places = embed(PLANES)
    spread = reader.whitened(places)
    whole = (places, spread, reader.apart(spread))
    return hashlib.sha256(b"".join(each.astype("<i8").tobytes() for each in whole)).hexdigest()


def test_one_picture_alone_and_among_others_lies_in_the_same_place() -> None:
    together = embed(PLANES)
    assert all(np.array_equal(embed(PLANES[n : n + 1])[0], together[n]) for n in range(4))


def test_a_distance_is_exact() -> None:
    reader = pixel_reader()
    most = np.abs(reader.white.astype(np.int64)).sum(0).max() * TOP
    assert most < 1 << 53  # sums of the whitening, in float64
    reach = (most >> 12) + np.abs(reader.middles).max()
    assert float(reach) ** 2 * reader.middles.shape[1] < 1 << 63


@pytest.mark.parametrize(("threads", "kernel"), [("2", ""), ("1", "Prescott")])
def test_threads_and_blas_kernels_change_no_bit(threads: str, kernel: str) -> None:
    code = "import test_kind_pixels as t; print(t.digest_of_places())"
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONPATH": os.path.dirname(__file__),  # text for the environment
    }
    if kernel:
        environment["OPENBLAS_CORETYPE"] = kernel
    found = subprocess.run(  # this interpreter, this file
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert found.stdout.strip() == digest_of_places()


def test_a_reader_survives_being_written() -> None:
    reader = pixel_reader()
    again = PixelReader.of_arrays(reader.to_arrays())
    assert again.judge(PLANES) == reader.judge(PLANES)


def test_a_chest_film_is_read_as_a_chest_film() -> None:
    bare = what(view(photo(chest()), Kind.PNG))
    assert bare.kind in (ViewKind.CHEST_XRAY_FRONTAL, None)
    assert bare.by_pixels is not ViewKind.SPINE_MR
    header = {"SOPClassUID": SOP + "1", "Modality": "CR", "BodyPartExamined": "CHEST"}
    told = what(view(dicom(chest(), ViewPosition="PA", **header)))
    assert told.kind is ViewKind.CHEST_XRAY_FRONTAL
    spine = {"SOPClassUID": SOP + "4", "Modality": "MR", "BodyPartExamined": "LSPINE"}
    mislabelled = what(view(dicom(chest(), **spine)))
    assert mislabelled.by_header is ViewKind.SPINE_MR
    assert mislabelled.kind is None


def test_a_mammogram_is_a_mammogram_or_not_sure() -> None:
    for data, kind in (
        (photo(breast()), Kind.PNG),
        (photo(breast()[:, ::-1].copy()), Kind.PNG),
        (photo(breast(), "JPEG"), Kind.JPEG),
        (dicom(breast(), SOPClassUID=SOP + "1.2", Modality="MG"), Kind.DICOM),
        (dicom(breast(), SOPClassUID=SOP + "6.1", Modality="US", BodyPartExamined="BREAST"),
         Kind.DICOM),
    ):  # fmt: skip
        assert what(view(data, kind)).kind in (ViewKind.MAMMOGRAM, None)


def answer(kind: ViewKind | None) -> KindAnswer:
    return KindAnswer(kind=kind, by_header=None, by_pixels=kind, distance=0.5, why="")


def issues(pixels: NDArray[np.uint8], kind: ViewKind | None) -> set[str]:
    return {each.code for each in judge(view(photo(pixels), Kind.PNG), answer(kind))}


def test_quality_of_a_chest_film() -> None:
    kind = ViewKind.CHEST_XRAY_FRONTAL
    rng = np.random.default_rng(0)
    film = (
        (chest(400).astype(np.int16) + rng.normal(0, 8, (400, 400))).clip(1, 254).astype(np.uint8)
    )
    assert issues(film, kind) == set()
    assert issues(np.rot90(film).copy(), kind) == {"rotated"}
    assert issues(255 - film, kind) == {"inverted"}
    assert "blurred" in issues(np.asarray(cv2.GaussianBlur(film, (0, 0), 6)), kind)
    burnt = (film.astype(np.int16) * 2).clip(0, 255).astype(np.uint8)
    assert "clipped" in issues(burnt, kind)
    assert "small" in issues(np.ascontiguousarray(film[::4, ::4]), kind)
    assert "cropped" in issues(np.ascontiguousarray(film[:, 100:300]), kind)


def test_quality_says_nothing_of_what_is_no_medical_picture() -> None:
    assert issues(np.zeros((300, 300), np.uint8), None) == set()
    assert issues(np.zeros((30, 30), np.uint8), ViewKind.DOCUMENT) == {"small"}
    assert (
        judge(view(dicom(np.zeros((1, 1), np.uint8))), answer(ViewKind.BODY_CT))[0].code == "small"
    )


def test_inverted_and_cropped_sections() -> None:
    y, x = np.mgrid[0:300, 0:300] / 300 - 0.5
    head = (
        (x**2 + y**2 < 0.16) * 160 + np.random.default_rng(0).integers(0, 20, (300, 300))
    ).astype(np.uint8)
    assert issues(head, ViewKind.HEAD_CT) == set()
    assert "inverted" in issues(255 - head, ViewKind.HEAD_CT)
    assert "cropped" in issues(np.ascontiguousarray(head[60:240, 60:240]), ViewKind.HEAD_CT)


@given(st.floats(0.5, 4))
def test_blurring_raises_the_measure_of_blur(sigma: float) -> None:
    sharp = np.random.default_rng(0).integers(0, 256, (128, 128)).astype(np.uint8)
    assert blur(np.asarray(cv2.GaussianBlur(sharp, (0, 0), sigma))) > blur(sharp)
