"""The readers of the package: each only as far as its gate lets it, and for its own kind alone."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

import view_fixtures
from safelight import cli
from safelight.errors import SettingsError, UnreadableInputError
from safelight.readers import gate
from safelight.readers.card import External, Interval, Probe
from safelight.readers.linear import LinearReader, Packed
from safelight.readers.pins import PINS
from safelight.readers.reading import Answer, KindAnswer, State, ViewKind
from safelight.readers.registry import Registry, load_bundled, registry, worse
from safelight.readers.site import SiteStatus
from safelight.readers.view import View
from safelight.types import Kind

ROOT = Path(__file__).resolve().parents[1]


def told(kind: ViewKind | None) -> KindAnswer:
    return KindAnswer(kind=kind, by_header=None, by_pixels=kind, distance=0.5, why="told")


def picture(seed: int = 1) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    smooth = rng.normal(0, 1, (80, 90)).cumsum(axis=0).cumsum(axis=1)
    return np.clip(128 + smooth * 40 / smooth.std(), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def shown() -> View:
    return view_fixtures.view(view_fixtures.photo(picture()), Kind.PNG)


def linear(name: str) -> LinearReader:
    reader = registry().named(name)
    assert isinstance(reader, LinearReader)
    return reader


def lifted(name: str, **changes: object) -> LinearReader:
    """Return a reader with a card that the gate passes, and perhaps other changes."""
    packed = linear(name).packed
    good = Interval(value=0.95, low=0.93, high=0.97)
    flat = Interval(value=0.5, low=0.45, high=0.55)
    probes = tuple(Probe(name=one, auc=flat) for one in ("border", "intensity", "metadata", "size"))
    card = replace(
        packed.card,
        people=(400, 400),
        inside=good,
        external=(External(name="there", auc=good, people=(90, 90)),),
        probes=probes,
        covered=(0.95, 0.95),
        alpha=0.2,
    )
    return LinearReader(replace(packed, card=replace(card, **changes)))  # type: ignore[arg-type]  # fields of a card


def test_all_bundled_readers_load_and_match_their_pins() -> None:
    held = registry()
    assert held.broken == ()
    assert [reader.name for reader in held.readers] == list(PINS)
    assert {reader.kind for reader in held.readers} == {
        ViewKind.CHEST_XRAY_FRONTAL,
        ViewKind.BREAST_ULTRASOUND,
        ViewKind.MAMMOGRAM,
        ViewKind.HEAD_CT,
        ViewKind.HEAD_MR,
    }
    for reader in held.readers:
        assert reader.state is gate.judge(reader.card).state
        assert reader.card.research_only == (reader.name != "chest-opacity")
        assert "normal" not in " ".join((*reader.card.cannot_see, reader.card.next_step)).split()


def test_the_readers_that_must_not_answer_are_refused_and_say_why() -> None:
    tuberculosis, mammogram = registry().named("tuberculosis"), registry().named("mammogram-lesion")
    assert tuberculosis.state is mammogram.state is State.REFUSED
    assert any("another source" in reason for reason in tuberculosis.reasons)
    assert any("border" in reason for reason in tuberculosis.reasons)
    assert any("chance" in reason for reason in mammogram.reasons)


def test_no_reader_answers_for_a_kind_that_is_not_its_own(shown: View) -> None:
    chest = told(ViewKind.CHEST_XRAY_FRONTAL)
    everybody = registry().read(shown, chest, names=list(PINS))
    assert len(everybody) == len(PINS)
    for finding in everybody:
        if registry().named(finding.reader).kind is ViewKind.CHEST_XRAY_FRONTAL:
            assert finding.answer is Answer.CANNOT_TELL  # refused by the gate
            assert "may not answer" in finding.reason
        else:
            assert finding.answer is Answer.NOT_MY_KIND
        assert finding.score is None
    assert registry().read(shown, chest) == ()
    assert registry().read(shown, told(None)) == ()
    assert registry().read(shown, told(ViewKind.SPINE_MR)) == ()
    with pytest.raises(SettingsError, match="no reader"):
        registry().read(shown, chest, names=["brain"])


def test_a_shadow_reader_answers_marked_with_p_values_and_contributions(shown: View) -> None:
    found = registry().read(shown, told(ViewKind.HEAD_CT), names=["head-bleed"])[0]
    assert found.state is State.SHADOW
    assert found.p_seen is not None
    assert found.p_not_seen is not None
    assert found.score is not None
    assert sum(map(sum, found.cells)) + found.bias == pytest.approx(found.score, abs=1e-9)
    assert len(found.features) == 64
    assert found.research_only
    again = registry().read(shown, told(ViewKind.HEAD_CT), names=["head-bleed"])[0]
    assert again == found


def test_a_validated_reader_is_for_validated_sites_alone(shown: View) -> None:
    reader = lifted("brain-glioma")
    assert reader.state is State.VALIDATED
    held, kind = Registry((reader,)), told(ViewKind.HEAD_MR)
    away = held.read(shown, kind)[0]
    assert away.answer is Answer.SITE
    assert away.state is State.SHADOW
    assert away.p_seen is not None
    here = SiteStatus(name="here", validated=frozenset({"brain-glioma"}))
    home = held.read(shown, kind, site=here)[0]
    assert home.state is State.VALIDATED
    assert home.answer is not Answer.SITE
    assert "Of 100 people with" in home.promise
    less = held.read(shown, kind, site=here, held={"brain-glioma": State.SHADOW})[0]
    assert less.state is State.SHADOW
    assert held.read(shown, kind, site=here, held={"brain-glioma": State.REFUSED}) == ()
    assert worse(State.SHADOW, State.VALIDATED) is State.SHADOW


def test_what_cannot_be_read_is_told_so() -> None:
    reader, kind = lifted("brain-glioma"), told(ViewKind.HEAD_MR)
    held = Registry((reader,))
    even = view_fixtures.view(view_fixtures.photo(np.full((20, 20), 9, np.uint8)), Kind.PNG)
    found = held.read(even, kind)[0]
    assert found.answer is Answer.UNREADABLE
    assert "shows nothing" in found.reason
    tiny = view_fixtures.view(view_fixtures.photo(np.zeros((1, 1), np.uint8)), Kind.PNG)
    assert held.read(tiny, kind)[0].answer is Answer.UNREADABLE


def test_ages_that_a_reader_was_not_made_for_are_not_answered() -> None:
    reader = lifted("brain-glioma", ages=(40.0, 90.0))
    child = view_fixtures.view(view_fixtures.bundled("MR_small.dcm", PatientAge="007Y"))
    found = Registry((reader,)).read(child, told(ViewKind.HEAD_MR))[0]
    assert found.answer is Answer.UNLIKE
    assert "40 to 90 years" in found.reason


def test_an_age_that_is_not_known_is_told() -> None:
    reader = lifted("brain-glioma", ages=(40.0, 90.0))
    for age, known in (("050Y", True), (None, False)):
        seen = view_fixtures.view(view_fixtures.bundled("MR_small.dcm", PatientAge=age))
        found = Registry((reader,)).read(seen, told(ViewKind.HEAD_MR))[0]
        said = "; ".join(found.cannot_see)
        assert ("40 to 90 years; how old this person is, is not known" in said) is not known


def test_an_edited_card_is_refused() -> None:
    packed = linear("tuberculosis").packed
    edited = replace(packed, card=replace(packed.card, external=(), probes=()))
    reader = load_bundled("tuberculosis", edited.to_bytes())
    assert reader.state is State.REFUSED
    assert "pinned" in reader.reasons[0]
    renamed = load_bundled("head-bleed", packed.to_bytes())
    assert renamed.state is State.REFUSED
    assert load_bundled("tuberculosis", packed.to_bytes()).reasons == reader_reasons()


def reader_reasons() -> tuple[str, ...]:
    return registry().named("tuberculosis").reasons


def test_a_card_of_another_head_is_no_reader() -> None:
    packed = linear("head-bleed").packed
    for changed in (
        replace(packed, head=linear("tuberculosis").packed.head),
        replace(packed, calibration=linear("tuberculosis").packed.calibration),
        replace(packed, card=replace(packed.card, calibrated=(500, 500))),
    ):
        with pytest.raises(UnreadableInputError):
            Packed.from_bytes(changed.to_bytes())
    for damaged in (b"", b"PK\x03\x04", packed.to_bytes()[:-9], b"\x93NUMPY"):
        with pytest.raises(UnreadableInputError):
            Packed.from_bytes(damaged)
    with io.BytesIO() as file:
        np.savez(file, card=np.array([{"a": 1}], dtype=object))
        with pytest.raises(UnreadableInputError):
            Packed.from_bytes(file.getvalue())


def test_a_reader_of_other_features_is_refused() -> None:
    packed = linear("brain-glioma").packed
    head = replace(packed.head, features="grid-0 0000")
    card = replace(packed.card, features="grid-0 0000", head=head.digest())
    reader = LinearReader(replace(packed, head=head, card=card))
    assert reader.state is State.REFUSED
    assert "other features" in reader.reasons[0]


def test_the_command_line_lists_and_shows_cards() -> None:
    run = CliRunner().invoke
    listed = run(cli.main, ["readers", "list", "--json"], catch_exceptions=False)
    rows = {row["name"]: row for row in json.loads(listed.output)["readers"]}
    assert set(rows) == set(PINS)
    assert rows["tuberculosis"]["state"] == "refused"
    shown = run(cli.main, ["readers", "show", "tuberculosis"], catch_exceptions=False)
    assert "refused" in shown.output
    assert "border alone" in shown.output
    plain = run(cli.main, ["readers", "list"], catch_exceptions=False)
    assert "head-bleed: shadow, research only" in plain.output


def test_the_documents_are_the_cards() -> None:
    for reader in registry().readers:
        page = (ROOT / "docs" / "models" / f"{reader.name}.md").read_text("utf-8")
        assert reader.card.digest() in page
        assert f"State: **{reader.state}**" in page
        assert f"{reader.card.inside.value:.3f}" in page
