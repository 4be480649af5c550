"""What readers are made from: pictures as readers see them, and nobody on both sides of a split."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from safelight.errors import SettingsError, UnreadableInputError
from safelight.readers import filters
from safelight.readers.datasets import Case, load
from safelight.readers.gate_check import check, rows_of
from safelight.readers.head import Recipe
from safelight.readers.recipes import parse
from safelight.readers.view import View
from safelight.types import Kind
from view_fixtures import clean

BODY: dict[str, Any] = {
    "version": "1",
    "called": "a made-up sign",
    "finding": {"scheme": "99TEST", "value": "1", "meaning": "Sign"},
    "kind": "chest X-ray, frontal",
    "has": ["first/with"],
    "without": ["first/not"],
}
OTHER = {"name": "second", "has": ["second/with"], "without": ["second/not"]}


def case(number: int, *, dataset: str = "first", group: str = "") -> Case:
    pixels = np.random.default_rng(number).integers(0, 256, (24, 24)).astype(np.uint8)
    return Case(
        key=f"{dataset}/{number}",
        dataset=dataset,
        label="with" if number % 2 else "not",
        group=group or str(number),
        pixels=pixels,
    )


def small(one: Case) -> Any:
    return filters.spread(filters.canvas(one.picture(), 8)).ravel().astype(np.int16)


def table(folder: Path, *rows: str) -> None:
    (folder / "labels.csv").write_text("\n".join(("image,dataset,label,group", *rows)), "utf-8")


@pytest.mark.parametrize("name", ["a.png", "a.tif", "turned.jpg"])
def test_pictures_are_learnt_from_as_they_are_read(tmp_path: Path, name: str) -> None:
    deep = np.random.default_rng(3).integers(900, 30_000, (48, 64)).astype(np.uint16)
    if name == "turned.jpg":
        image = Image.fromarray((deep >> 8).astype(np.uint8))
        turned = image.getexif()
        turned[0x0112] = 6
        image.save(tmp_path / name, exif=turned)
    else:
        Image.fromarray(deep).save(tmp_path / name)
    table(tmp_path, f"{name},d,x,g")
    learnt = load(tmp_path)[0].picture()
    assert np.ptp(learnt) > 100
    kind = {"a.png": Kind.PNG, "a.tif": Kind.TIFF, "turned.jpg": Kind.JPEG}[name]
    if kind is Kind.JPEG:
        assert learnt.shape == (64, 48)
    else:
        seen = View.of(clean((tmp_path / name).read_bytes(), kind)).picture()
        assert np.array_equal(learnt, seen)


def test_a_table_that_leads_nowhere_says_why(tmp_path: Path) -> None:
    table(tmp_path)
    with pytest.raises(SettingsError, match="names no image"):
        load(tmp_path)
    table(tmp_path, "a\0b.png,d,x,g")
    with pytest.raises(SettingsError, match="no path"):
        load(tmp_path)
    (tmp_path / "a.png").write_bytes(b"no picture")
    table(tmp_path, "a.png,d,x,g")
    with pytest.raises(UnreadableInputError, match="no PNG, JPEG"):
        load(tmp_path)[0].picture()


def test_people_who_share_a_picture_count_as_one() -> None:
    cases = [case(n, group=f"{n}-{copy}") for n in range(60) for copy in range(3)]
    found = rows_of([(one, one.label == "with") for one in cases], small)
    assert found.counts == (30, 30)
    # chains: 0 shares with 2, 2 shares with 4
    chain = [case(0, group="a"), case(0, group="b"), case(2, group="b"), case(2, group="c")]
    assert len(set(rows_of([(one, False) for one in chain], small).people)) == 1
    recipe = parse({"made-up": BODY})[0]
    card = check(recipe, cases, small, Recipe(even=True), small).card
    assert card.people == (30, 30)
    assert card.inside.low < 0.6  # noise: learnt by heart it would be 1


def test_another_source_holds_none_of_the_own_pictures() -> None:
    recipe = parse({"made-up": BODY | {"outside": [OTHER]}})[0]
    own = [case(n) for n in range(60)]
    copied = [case(n, dataset="second") for n in range(60)]
    card = check(recipe, own + copied, small, Recipe(even=True), small).card
    assert card.external == ()
    fresh = [case(n, dataset="second") for n in range(20, 120)]
    (told,) = check(recipe, own + fresh, small, Recipe(even=True), small).card.external
    assert told.people == (30, 30)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"outside": [OTHER | {"has": ["first/with"]}]}, "own data sets"),
        ({"outside": [OTHER | {"without": ["first/else"]}]}, "own data sets"),
        ({"ages": [5]}, "as it should be"),
        ({"ages": [50, 5]}, "youngest and the oldest"),
        ({"ages": [float("nan"), 5]}, "youngest and the oldest"),
        ({"has": "first/with"}, "as it should be"),
        ({"cannot_see": "nothing small"}, "as it should be"),
        ({"kind": "chest"}, "as it should be"),
    ],
)
def test_recipes_that_would_go_round_the_gate_are_refused(
    change: dict[str, Any], match: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(match)):
        parse({"made-up": BODY | change})
