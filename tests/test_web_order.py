"""Files stand in the order a person expects, in whatever order they came."""

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from run_fixtures import sample
from safelight.web.items import number_of
from safelight.web.taking import _natural
from web_fixtures import Site

NAMES = ("IM2", "IM10", "IM9", "a/IM1", "b/IM01")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    made.publish()
    yield made
    made.close()


def slices(folder: Path, series: int, numbers: dict[str, Any]) -> list[Path]:
    """Write a series; file names and numbers go different ways."""
    folder.mkdir(exist_ok=True)
    made = []
    for name, number in numbers.items():
        data: pydicom.Dataset = sample("CT_small.dcm")
        data.SeriesInstanceUID = f"1.2.826.0.1.77.{series}"
        data.SOPInstanceUID = f"1.2.826.0.1.77.{series}.{len(made)}"
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.InstanceNumber = number
        data.save_as(folder / name)
        made.append(folder / name)
    return made


def test_a_series_stands_in_one_piece_by_its_numbers(site: Site, tmp_path: Path) -> None:
    first = slices(tmp_path, 1, {"b1.dcm": 3, "b2.dcm": 1, "d1.dcm": 2})
    second = slices(tmp_path, 2, {"a1.dcm": 12, "c9.dcm": 2, "c10.dcm": None})
    mixed = [first[2], second[1], first[0], second[2], first[1], second[0]]
    browser = site.someone()
    made = site.given(browser, mixed)
    page = browser.get(f"/submissions/{made}.json").json()["items"]
    order = ["c9.dcm", "a1.dcm", "c10.dcm", "b2.dcm", "d1.dcm", "b1.dcm"]
    assert [one["label"] for one in page] == order
    number = {one["label"]: one["n"] for one in page}
    middle = browser.get(f"/submissions/{made}/items/{number['d1.dcm']}.json").json()
    assert middle["previous"] == number["b2.dcm"]
    assert middle["next"] == number["b1.dcm"]
    assert middle["pictures"]["series"] == [number[each] for each in order[3:]]
    shown = browser.get(f"/submissions/{made}").text
    assert shown.count("and 2 more of the series") == 2
    assert [one["n"] for one in page] != sorted(number.values())


@pytest.mark.parametrize("names", list(permutations(NAMES))[::17])
def test_names_are_put_in_order_by_the_numbers_in_them(names: tuple[str, ...]) -> None:
    assert sorted(names, key=_natural) == ["a/IM1", "b/IM01", "IM2", "IM9", "IM10"]
    assert min(["x" + "9" * 9000, "x1"], key=_natural) == "x1"


@pytest.mark.parametrize(
    ("said", "number"),
    [(None, None), ("", None), ("7", 7), ("-3", -3), ("99999999999", None), ("0", 0)],
)
def test_the_number_of_a_file_is_what_its_header_says(said: Any, number: int | None) -> None:
    made = Dataset()
    if said is not None:
        made.add_new(0x00200013, "LO" if said == "99999999999" else "IS", said)
    assert number_of(made) == number
    assert number_of(None) is None
