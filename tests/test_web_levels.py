"""The window of each frame: told with its stored values, as the server itself draws it."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from run_fixtures import sample
from safelight.deid.pixels.headerparts import Look
from safelight.types import Kind
from safelight.web.heads import Head
from safelight.web.levels import levels_of
from safelight.web.pictures import Pictures
from web_fixtures import Site, scans

FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    made.publish()
    yield made
    made.close()


def ramp(**values: Any) -> pydicom.Dataset:
    """Return an object whose stored values run from 0 to 4095."""
    made = sample("MR_small.dcm")
    made.Rows = made.Columns = 64
    made.PixelRepresentation = 0
    made.BitsStored, made.HighBit = 12, 11
    made.PixelData = np.arange(4096, dtype="<u2").tobytes()
    for name in ("SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue"):
        made.pop(name, None)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def whole(made: pydicom.Dataset) -> bytes:
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def shown(pictures: Pictures, frame: int) -> "tuple[np.ndarray[Any, Any], dict[str, float]]":
    """Return what a viewer draws from values and levels, and what it is told."""
    data, headers = pictures.raw(frame, levels=True)
    told = {name.removeprefix("X-Frame-"): float(value) for name, value in headers.items()}
    rows, columns, count = int(told["Rows"]), int(told["Columns"]), int(told["Levels"])
    size = rows * columns * 2
    assert len(data) == size + count
    values = np.frombuffer(data[:size], "<i2" if told["Signed"] else "<u2").reshape(rows, columns)
    table = np.frombuffer(data[size:], np.uint8)
    return table[values.astype(int) - int(told["Base"])], told


def drawn(pictures: Pictures, frame: int) -> "np.ndarray[Any, Any]":
    return np.asarray(Image.open(io.BytesIO(pictures.png(frame))))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_window_of_the_header_is_told_in_stored_values(function: str, photometric: str) -> None:
    made = ramp(
        WindowCenter=1500,
        WindowWidth=900,
        VOILUTFunction=function,
        RescaleSlope=2,
        RescaleIntercept=-1000,
        PhotometricInterpretation=photometric,
    )
    pictures = Pictures(Kind.DICOM, whole(made))
    levels, told = shown(pictures, 0)
    assert (levels == drawn(pictures, 0)).all()
    assert told["Centre"] == pytest.approx(1250, abs=1)
    assert told["Width"] == pytest.approx(450, abs=1)
    assert told["Inverted"] == (photometric == "MONOCHROME1")


def test_a_falling_scale_and_a_table_of_the_header_are_drawn_as_they_are() -> None:
    falling = Pictures(
        Kind.DICOM,
        whole(ramp(WindowCenter=-2000, WindowWidth=1000, RescaleSlope=-1, RescaleIntercept=0)),
    )
    levels, told = shown(falling, 0)
    assert (levels == drawn(falling, 0)).all()
    assert told["Inverted"] == 1
    assert told["Centre"] == pytest.approx(2000, abs=1)
    table = Dataset()
    table.LUTDescriptor = [256, 1000, 8]
    table.LUTData = bytes(round(255 * (n / 255) ** 0.4) for n in range(256))
    made = ramp(VOILUTSequence=Sequence([table]))
    del made.WindowCenter, made.WindowWidth
    pictures = Pictures(Kind.DICOM, whole(made))
    levels, told = shown(pictures, 0)
    assert (levels == drawn(pictures, 0)).all()
    assert len(np.unique(levels)) > 100
    assert told["Centre"] == pytest.approx(1128, abs=3)
    assert told["Width"] == pytest.approx(255, abs=4)


def test_each_frame_of_one_object_has_its_own_window() -> None:
    made = ramp(NumberOfFrames=3)
    made.PixelData = np.tile(np.arange(4096, dtype="<u2"), 3).tobytes()
    del made.WindowCenter, made.WindowWidth
    groups = []
    for centre in (500, 1500, 3000):
        voi, group = Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = centre, 400
        group.FrameVOILUTSequence = Sequence([voi])
        groups.append(group)
    made.PerFrameFunctionalGroupsSequence = Sequence(groups)
    pictures = Pictures(Kind.DICOM, whole(made))
    for frame, centre in enumerate((500, 1500, 3000)):
        levels, told = shown(pictures, frame)
        assert (levels == drawn(pictures, frame)).all()
        assert (told["Centre"], told["Width"]) == (centre, 400)


@given(
    low=st.integers(-32768, 32767),
    spread=st.integers(0, 65535),
    seed=st.integers(0, 2**16),
    window=st.none() | st.tuples(st.floats(-5000, 5000), st.floats(0.1, 9000)),
)
def test_any_levels_come_back_as_they_were(
    low: int, spread: int, seed: int, window: tuple[float, float] | None
) -> None:
    rng = np.random.default_rng(seed)
    stored = rng.integers(low, min(low + spread, 32767) + 1, (5, 7)).astype(np.int16)
    table = rng.integers(0, 256, 65536).astype(np.uint8)
    grey = table[stored.astype(int) + 32768]
    look = Look(windows=(window,)) if window else None
    found = levels_of(stored, grey, look)
    back = np.frombuffer(found.table, np.uint8)[stored.astype(int) - found.base]
    assert (back == grey).all()
    assert found.width > 0
    assert np.isfinite(found.centre)


def test_a_slice_tells_its_window_and_values_stay_what_they_were(
    site: Site, tmp_path: Path
) -> None:
    browser = site.someone()
    made = site.given(browser, scans(tmp_path / "in", 1))
    base = f"/submissions/{made}/items/0/frames"
    plain, more = browser.get(f"{base}/0.raw"), browser.get(f"{base}/0.raw?levels=1")
    assert more.content.startswith(plain.content)
    assert len(more.content) - len(plain.content) == int(more.headers["x-frame-levels"])
    assert {"x-frame-centre", "x-frame-width", "x-frame-inverted"} <= set(plain.headers)


def test_of_a_header_no_more_is_opened_than_is_read(site: Site, tmp_path: Path) -> None:
    browser = site.someone()
    made = ramp(Rows=2048, Columns=2048, PixelData=bytes(2048 * 2048 * 2))
    path = tmp_path / "large.dcm"
    made.save_as(path, enforce_file_format=True)
    told = site.given(browser, [path])
    row = site.rooms.items.row(told, 0)
    assert row is not None
    head = Head(site.rooms.original(row))
    data = pydicom.dcmread(head, stop_before_pixels=True)
    assert data.Rows == 2048
    assert head.fetched < path.stat().st_size / 4
    head.seek(-4, io.SEEK_END)
    assert head.read() == path.read_bytes()[-4:]
    changes = browser.get(f"/submissions/{told}/items/0.json").json()["changes"]
    assert {"-", "~", "+"} <= {one["sign"] for one in changes}
