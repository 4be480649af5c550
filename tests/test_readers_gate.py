"""The gate: passes what holds, refuses what is a shortcut, and nothing talks it round."""

import ast
import inspect as code
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from safelight.errors import SettingsError, UnreadableInputError
from safelight.readers import filters, gate, probes, scoring, site
from safelight.readers.card import Card, External, Interval, Probe
from safelight.readers.datasets import Case, load
from safelight.readers.gate_check import Made, check
from safelight.readers.head import Recipe
from safelight.readers.reading import State
from safelight.readers.recipes import ReaderRecipe, parse
from test_readers_data import BODY, OTHER

RECIPE = parse({"made-up": BODY | {"outside": [OTHER]}})[0]


def image(rng: np.random.Generator, *, sign: bool, frame: bool, noise: float) -> NDArray[np.uint8]:
    """Return a picture with a spot inside, and perhaps a frame round it.

    The sign is where the spot lies: nothing is brighter or larger for it.
    """
    made = rng.normal(100, noise, (40, 40))
    place = slice(8, 20) if sign else slice(20, 32)
    made[place, place] += 25
    if frame:
        made[:4] += 60
        made[-4:] += 60
    return np.clip(made, 0, 255).astype(np.uint8)


def cases(*, sign: bool = True, framed: bool = False, many: int = 150, seed: int = 1) -> list[Case]:
    """Return two sources; in the first, a frame may go with the label."""
    rng = np.random.default_rng(seed)
    made = []
    for name, count, noise in (("first", many, 20.0), ("second", 60, 24.0)):
        for number in range(2 * count):
            has = number % 2 == 0
            shown = has if sign else bool(rng.integers(0, 2))
            pixels = image(rng, sign=shown, frame=framed and has and name == "first", noise=noise)
            made.append(
                Case(
                    key=f"{name}/{number}",
                    dataset=name,
                    label="with" if has else "not",
                    group=str(number),
                    open=True,
                    facts={"sex": "F" if number % 4 < 2 else "M"},
                    pixels=pixels,
                )
            )
    return made


def small(case: Case) -> NDArray[np.int16]:
    """Return quick features: the gate does not mind which."""
    drawn = filters.spread(filters.canvas(case.picture(), 10))
    return drawn.ravel().astype(np.int16)


def ring(case: Case) -> NDArray[np.int16]:
    pixels = case.picture().copy()
    pixels[6:-6, 6:-6] = 100
    return small(replace(case, pixels=pixels))


def made(found: list[Case], recipe: ReaderRecipe = RECIPE) -> Made:
    return check(recipe, found, small, Recipe(even=True), ring)


@pytest.fixture(scope="module")
def clean() -> Made:
    return made(cases())


def test_a_clean_set_passes(clean: Made) -> None:
    verdict = gate.judge(clean.card)
    assert verdict.reasons == ()
    assert verdict.state is State.VALIDATED
    assert clean.card.inside.low > 0.9
    assert max(probe.auc.value for probe in clean.card.probes if probe.name != "intensity") < 0.65
    assert {group.name for group in clean.card.subgroups} == {"sex=F", "sex=M"}
    assert min(clean.card.covered) > 0.92


def test_a_reader_of_borders_is_refused_and_told_why() -> None:
    card = made(cases(sign=False, framed=True)).card
    verdict = gate.judge(card)
    assert card.inside.low > 0.9
    assert verdict.state is State.REFUSED
    told = " ".join(verdict.reasons)
    assert "border" in told
    assert "second" in told


def test_the_border_probe_sees_nothing_of_the_inside() -> None:
    rng = np.random.default_rng(4)
    one = rng.integers(0, 256, (60, 50)).astype(np.uint8)
    other = one.copy()
    other[9:-9, 7:-7] = rng.integers(0, 256, other[9:-9, 7:-7].shape)
    assert (probes.border(one) == probes.border(other)).all()
    other[0] = 255 - other[0]
    assert (probes.border(one) != probes.border(other)).any()


def test_a_reader_without_signal_is_refused() -> None:
    verdict = gate.judge(made(cases(sign=False)).card)
    assert verdict.state is State.REFUSED
    assert "chance" in verdict.reasons[0]


def test_a_reader_without_another_source_stays_in_the_shadow() -> None:
    alone = replace(RECIPE, outside=())
    verdict = gate.judge(made(cases(), alone).card)
    assert verdict.state is State.SHADOW
    assert "another source" in verdict.reasons[0]


def test_too_few_people_make_no_reader() -> None:
    with pytest.raises(SettingsError, match="20 people"):
        made(cases(many=10))


SURE = Interval(value=0.97, low=0.95, high=0.99)


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({"inside": Interval(value=0.65, low=0.60, high=0.70)}, State.REFUSED),
        ({"people": (19, 500)}, State.REFUSED),
        ({"external": (0.68, 0.64, 0.72)}, State.REFUSED),
        ({"external": (0.63, 0.58, 0.68)}, State.REFUSED),
        ({"border": 0.95}, State.REFUSED),
        ({"border": 0.80}, State.SHADOW),
        ({"border": 0.70}, State.VALIDATED),
        ({"calibrated": (37, 500)}, State.SHADOW),
        ({"covered": (0.90, 0.95)}, State.SHADOW),
        ({"probes": ()}, State.SHADOW),
        ({"outside_people": (39, 400)}, State.SHADOW),
        ({}, State.VALIDATED),
    ],
)
def test_each_number_has_its_say(clean: Made, changed: dict[str, object], state: State) -> None:
    told = dict(changed)
    outside = told.pop("external", (0.95, 0.92, 0.97))
    people = told.pop("outside_people", (60, 60))
    border = float(told.pop("border", 0.5))  # type: ignore[arg-type]  # a number by the table
    value, low, high = outside  # type: ignore[misc]  # three numbers by the table
    names = ("size", "metadata", "intensity")
    flat = Interval(value=0.5, low=0.4, high=0.6)
    probes = (
        Probe(name="border", auc=Interval(value=border, low=border, high=border)),
        *(Probe(name=name, auc=flat) for name in names),
    )
    auc = Interval(value=value, low=low, high=high)
    external = (External(name="there", auc=auc, people=people),)  # type: ignore[arg-type]  # as above
    card = replace(clean.card, inside=SURE, external=external, probes=probes)
    assert gate.judge(replace(card, **told)).state is state  # type: ignore[arg-type]  # by the table


def test_nothing_that_can_be_set_is_asked(clean: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(code.signature(gate.judge).parameters) == ["card"]
    tree = ast.parse(code.getsource(gate))
    taken = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    mine = {"card", "conformal", "reading"}
    assert {name for name in taken if name and name.startswith("safelight")} == {
        f"safelight.readers.{name}" for name in mine
    }
    assert taken - {f"safelight.readers.{name}" for name in mine} == {
        "collections.abc",
        "dataclasses",
        "typing",
    }
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    bad = replace(clean.card, external=())
    for name in ("SAFELIGHT_READERS_STATE", "SAFELIGHT_READERS_FORCE", "SAFELIGHT_GATE"):
        monkeypatch.setenv(name, "validated")
    assert gate.judge(bad).state is State.SHADOW


def test_cards_are_read_strictly(clean: Made) -> None:
    data = clean.card.to_bytes()
    assert Card.from_bytes(data) == clean.card
    for damaged in (
        data.replace(b'"brier"', b'"brief"'),
        data.replace(b'"format": 1', b'"format": 2'),
        data.replace(b'"alpha": 0.05', b'"alpha": NaN'),
        data.replace(b'"alpha": 0.05', b'"alpha": 7'),
        data.replace(b"\n", b"\r\n"),
        data[:-20],
        b"",
    ):
        with pytest.raises(UnreadableInputError):
            Card.from_bytes(damaged)


def test_people_never_stand_on_both_sides_of_a_split() -> None:
    people = [f"p{number % 37}" for number in range(400)]
    fold = scoring.folds(people)
    assert all(len({fold[i] for i, p in enumerate(people) if p == one}) == 1 for one in set(people))
    assert len(set(fold)) == 5


def test_intervals_draw_people_not_images() -> None:
    rng = np.random.default_rng(2)
    has = np.repeat(rng.integers(0, 2, 40), 10)
    scores = has + np.repeat(rng.normal(0, 1.0, 40), 10)
    by_people = scoring.interval(scores, has, [str(i // 10) for i in range(400)])
    by_image = scoring.interval(scores, has, [str(i) for i in range(400)])
    assert by_people.high - by_people.low > 1.5 * (by_image.high - by_image.low)
    assert by_people.low <= by_people.value <= by_people.high
    assert scoring.auc([1, 2, 2, 3], [0, 0, 1, 1]) == 0.875


def test_a_site_is_told_from_another_by_forty_images() -> None:
    rng = np.random.default_rng(3)
    reference = rng.normal(0, 300, (120, 64)).astype(np.int16)
    same = rng.normal(0, 300, (45, 64)).astype(np.int16)
    other = (rng.normal(0, 300, (45, 64)) + 300).astype(np.int16)
    people = [str(number) for number in range(45)]
    alike = site.compare(reference, same, people)
    foreign = site.compare(reference, other, people)
    assert alike.alike
    assert not foreign.alike
    assert foreign.auc.value > 0.95
    has = np.arange(45) % 2 == 0
    assert site.judge_site(alike, has + rng.normal(0, 0.3, 45), has, people) == (True, "")
    assert "differ" in site.judge_site(foreign, has * 1.0, has, people)[1]
    assert "chance" in site.judge_site(alike, rng.normal(0, 1, 45), has, people)[1]
    assert "needed" in site.judge_site(alike, has[:30], has[:30], people[:30])[1]
    with pytest.raises(SettingsError):
        site.compare(reference, same[:39], people[:39])
    with pytest.raises(SettingsError):
        site.compare(reference, same, ["one"] * 45)


def test_tables_of_images_are_read_strictly(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no labels\.csv"):
        load(tmp_path)
    table = tmp_path / "labels.csv"
    table.write_text("image,label\na.png,x\n", "utf-8")
    with pytest.raises(SettingsError, match="lacks the columns"):
        load(tmp_path)
    table.write_text("image,dataset,label,group\n../a.png,d,x,g\n", "utf-8")
    with pytest.raises(SettingsError, match="outside"):
        load(tmp_path)
    table.write_text(
        "image,dataset,label,group,patient,note,age\na.png,d,x,g,p,view=pa; x,64\n", "utf-8"
    )
    case = load(tmp_path)[0]
    assert case.group == "p"
    assert case.facts == {"view": "pa", "dataset": "d", "age": "60 to 79"}
    with pytest.raises(UnreadableInputError):
        case.picture()
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(UnreadableInputError):
        case.picture()
