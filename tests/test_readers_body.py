"""Features of the pretrained body: whole numbers, the same bits everywhere, explained exactly."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

import view_fixtures
from safelight.errors import SettingsError, UnreadableInputError
from safelight.readers import body, explain, features, gate_check, makers, probes, recipes, shown
from safelight.readers.asking import Seen
from safelight.readers.head import SCALE_BITS, Head, Recipe, solve
from safelight.readers.kind import net
from safelight.readers.linear import LinearReader, fixed_version
from safelight.readers.reading import Answer, KindAnswer, State, ViewKind
from safelight.readers.registry import Registry, registry
from safelight.readers.statistics import Statistics
from safelight.types import Kind

ON_IT = ("breast-malignancy", "breast-lesion", "head-bleed")
SAME = """
import numpy as np
from test_readers_body import ON_IT, digest
print(digest())
"""
# What the kind reader's places were before two more blocks could be asked for: the same bits.
PLACES = "d067f29f3d62b97aacd0af99694b53258c731e572615c2ab072867b737edfe09"


def picture(seed: int, shape: tuple[int, int] = (90, 70)) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    smooth = rng.normal(0, 1, shape).cumsum(axis=0).cumsum(axis=1)
    return np.asarray(np.clip(128 + smooth * 40 / (smooth.std() + 1), 0, 255), np.uint8)


def linear(name: str) -> LinearReader:
    reader = registry().named(name)
    assert isinstance(reader, LinearReader)
    return reader


def version() -> str:
    return makers.named(body.VERSION).version


def digest() -> str:
    """Return the SHA-256 of features and scores of some pictures, hex."""
    whole = hashlib.sha256()
    for shape in ((28, 28), (256, 210), (301, 64)):
        z = body.features(picture(3, shape))
        whole.update(z.astype("<i2").tobytes())
        for name in ON_IT:
            whole.update(linear(name).packed.head.exact(z).astype("<i8").tobytes())
    return whole.hexdigest()


def head_of(rows: NDArray[np.int16]) -> Head:
    names = ["yes" if seed % 2 else "no" for seed in range(len(rows))]
    pile = Statistics.empty(version(), ("no", "yes"), rows.shape[1]).add(rows, names)
    return solve(pile, Recipe(ridge=1.0))


@pytest.mark.parametrize(("threads", "kernel"), [("2", ""), ("1", "Prescott"), ("1", "Haswell")])
def test_threads_and_matrix_kernels_change_no_bit(threads: str, kernel: str) -> None:
    env = {
        **os.environ,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONPATH": os.pathsep.join((os.path.dirname(__file__), *sys.path)),  # text for it
    }
    if kernel:
        env["OPENBLAS_CORETYPE"] = kernel
    done = subprocess.run(
        [sys.executable, "-c", SAME], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest()


def test_no_optimiser_and_no_thread_of_the_runtime_changes_a_bit() -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    first = net.data(net.FILES[0])
    plain = onnxruntime.InferenceSession(first, options, providers=["CPUExecutionProvider"])
    planes = np.random.default_rng(2).integers(-128, 128, (2, 3, body.SIDE, body.SIDE))
    given = planes.astype(np.float32)
    found = plain.run(list(net.BLOCKS), {"planes": given})
    for one, other in zip(found, net.blocks(given), strict=True):
        assert np.array_equal(one, np.rint(one))
        assert np.abs(one).max() <= 511
        assert np.array_equal(one, other)


def test_the_first_body_has_the_numbers_it_always_had() -> None:
    planes = np.random.default_rng(3).integers(-128, 128, (4, 3, 64, 64)).astype(np.int16)
    found = net.embed(planes)[:, :1280].astype("<i8")
    assert hashlib.sha256(found.tobytes()).hexdigest() == PLACES


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (2, 3), (192, 192), (3100, 2100)])
def test_pictures_of_any_size_give_features_within_bounds(shape: tuple[int, int]) -> None:
    z = body.features(picture(1, shape))
    assert z.dtype == np.int16
    assert z.shape == (body.WIDTH,) == (makers.named(body.VERSION).width,)
    assert int(np.abs(z).max()) <= features.LIMIT


@pytest.mark.parametrize("level", [0, 7, 255])
def test_an_even_picture_has_features_too(level: int) -> None:
    even = np.full((40, 50), level, np.uint8)
    assert (body.features(even) == body.features(even.copy())).all()


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UnreadableInputError):
        body.features(np.zeros((0, 5), np.uint8))
    for wrong in (np.zeros((4, 4)), np.zeros((4, 4, 3), np.uint8), np.zeros(4, np.uint8)):
        with pytest.raises(SettingsError):
            body.features(wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_a_mirrored_picture_gives_the_same_numbers() -> None:
    one = picture(4, (192, 384))
    assert np.array_equal(body.features(one), body.features(np.ascontiguousarray(one[:, ::-1])))
    assert not np.array_equal(body.features(one), body.features(picture(5, (192, 384))))


def test_the_table_makes_whole_numbers_of_one_footing() -> None:
    held = body.table()
    assert held.centre.shape == held.gain.shape == (body.WIDTH,)
    assert held.gain.min() > 0
    most = 511 * 2 * 36  # of a sum over a quarter or the whole, of both pictures
    assert (most + np.abs(held.centre).max()) * held.gain.max() < 1 << 62
    assert not body.evened(held.centre).any()


def test_contributions_add_up_to_the_score() -> None:
    z = np.stack([body.features(picture(seed)) for seed in range(12)])
    head = head_of(z)
    pulled = explain.pulls(head)
    for seed in (1, 2, 30):
        numbers = body.parts(picture(seed))
        score = float(head.score(body.evened(body.folded(numbers)))[0])
        cells, bias = explain.contributions(score, pulled, numbers, version())
        assert cells.shape == (features.CELLS, features.CELLS) == (body.CELLS, body.CELLS)
        assert cells.sum() + bias == pytest.approx(score, abs=1e-9)
        # The rest is the head's bias and rounding alone: the same but for rounding everywhere.
        average = float(head.exact(body.evened(body.table().centre))[0, 0])
        assert bias == pytest.approx(average / (1 << SCALE_BITS), abs=0.15 * (1 + abs(score)))


def test_contributions_are_where_the_numbers_are() -> None:
    spot = np.zeros(body.parts(picture(1)).shape, np.int64)
    first = spot[: 2 * 112 * 12 * 12].reshape(2, 112, 12, 12)
    first[0, 5, 1, 2] = 100  # of the picture: upper left
    first[1, 5, 1, 2] = 100  # of the mirror image: upper right
    pulled = np.zeros(body.WIDTH)
    pulled[5 * 4] = 1.0  # that channel's upper left quarter
    empty, _bias = body.contributions(0.0, pulled, np.zeros_like(spot))
    cells, _bias = body.contributions(0.0, pulled, spot)
    given = cells - empty
    assert given.sum() == pytest.approx(200)
    # Place (1, 2) of 12 lies half in cell row 0 and half in row 1, in columns 1 and none else.
    assert given[0, 1] == pytest.approx(50)
    assert given[1, 1] == pytest.approx(50)
    assert given[0, 6] == pytest.approx(50)
    assert given[1, 6] == pytest.approx(50)


def test_painting_over_what_matters_lowers_the_score() -> None:
    rng = np.random.default_rng(9)
    rows = []
    for number in range(24):
        made = rng.integers(90, 110, (64, 64)).astype(np.uint8)
        if number % 2:
            made[4:14, 4:60:3] = 200  # a comb at the top left and right
        rows.append(made)
    fall = explain.reread(head_of(np.stack([body.features(one) for one in rows])), rows[1])
    assert fall[0].mean() > fall[1:].mean()
    assert fall[0].mean() > 0


def test_a_version_is_its_name_and_all_it_depends_on() -> None:
    assert version() == f"body-1 {body.tables_digest()[:16]}"
    assert fixed_version() == f"grid-1 {features.tables_digest()[:16]}"
    assert makers.find(version()) is makers.of(body.VERSION) is makers.of(version())
    for other in ("body-1 0000000000000000", "body-2", "grid-0 0000", ""):
        assert makers.find(other) is None
        with pytest.raises(SettingsError, match="other features"):
            makers.of(other)
    assert makers.find(body.VERSION) is None  # what is kept carries the digest
    with pytest.raises(SettingsError, match="grid-1, body-1"):
        makers.named("body-2")


def test_sums_of_one_version_take_no_rows_of_another() -> None:
    with pytest.raises(SettingsError, match="different features"):
        _ = Statistics.empty(version(), ("no", "yes"), 8) + Statistics.empty(
            fixed_version(), ("no", "yes"), 8
        )
    mine = Statistics.empty(version(), ("no", "yes"), body.WIDTH)
    with pytest.raises(SettingsError, match="shape"):
        mine.of(features.features(picture(1)), ["yes"])


def test_the_readers_made_on_it_say_so_and_others_are_as_they_were() -> None:
    for reader in registry().readers:
        name = body.VERSION if reader.name in ON_IT else features.VERSION
        assert reader.card.features == makers.named(name).version
    recipe = next(one for one in recipes.bundled() if one.name == "head-bleed")
    assert recipe.features == body.VERSION
    assert registry().named("head-bleed").card.method.endswith(recipe.chosen)


def test_a_body_with_another_digest_is_refused_and_asked_nothing() -> None:
    packed = linear("head-bleed").packed
    other = "body-1 0000000000000000"
    head = replace(packed.head, features=other)
    card = replace(packed.card, features=other, head=head.digest())
    reader = LinearReader(replace(packed, head=head, card=card))
    assert reader.state is State.REFUSED
    assert "other features" in reader.reasons[0]
    shown = view_fixtures.view(view_fixtures.photo(picture(1)), Kind.PNG)
    kind = ViewKind.HEAD_CT
    told = KindAnswer(kind=kind, by_header=None, by_pixels=kind, distance=0.5, why="told")
    found = Registry((reader,)).read(shown, told, names=["head-bleed"])[0]
    assert found.answer is Answer.CANNOT_TELL
    assert found.score is None


def test_an_answer_is_explained_and_colour_changes_nothing() -> None:
    kind = ViewKind.HEAD_CT
    told = KindAnswer(kind=kind, by_header=None, by_pixels=kind, distance=0.5, why="told")
    grey = picture(2, (200, 160))
    same = np.repeat(grey[:, :, None], 3, axis=2)
    views = [view_fixtures.view(view_fixtures.photo(each), Kind.PNG) for each in (grey, same)]
    found = [registry().read(view, told, names=["head-bleed"])[0] for view in views]
    z = body.features(shown.picture(views[0], kind))
    for finding in found:
        assert finding.score is not None
        assert np.sum(finding.cells) + finding.bias == pytest.approx(finding.score, abs=1e-9)
        assert not finding.unverified
        assert finding.features == hashlib.sha256(z.astype("<i2").tobytes()).hexdigest()
    assert found[0].score == found[1].score


def test_a_picture_is_made_once_for_each_version() -> None:
    shown = Seen(view_fixtures.view(view_fixtures.photo(picture(2)), Kind.PNG))
    assert shown.features(body.VERSION) is shown.features(version())
    assert shown.features() is shown.features(fixed_version())
    assert shown.features().shape != shown.features(version()).shape
    with pytest.raises(SettingsError, match="other features"):
        shown.features("body-1 0")


def test_the_border_probe_looks_through_the_readers_own_features() -> None:
    one, other = picture(1, (100, 100)), picture(1, (100, 100))
    other[30:60, 30:60] = 255
    assert (probes.border(one, version()) == probes.border(other, version())).all()
    assert probes.border(one, version()).shape == (body.WIDTH,)
    recipe = next(one for one in recipes.bundled() if one.name == "head-bleed")
    with pytest.raises(SettingsError, match="features of this name"):
        gate_check.check(replace(recipe, features="body-9"), [])
