"""A worker keeps features of those who let a model learn, under their key, and of nobody else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from safelight.consent.decision import Said
from safelight.learning.gather import (
    KIND,
    keep_features,
    name_of,
    record_features,
    write_features,
)
from safelight.readers import features, makers
from safelight.readers.reading import KindAnswer, Reading, ViewKind
from safelight.store.schema.consent import artefact_parents, artefacts
from safelight.store.schema.vault import objects
from safelight.web.desk import server_actor
from safelight.web.keeping import Keeping
from test_kind_pixels import chest
from view_fixtures import dicom, view
from web_fixtures import JSON, Site

COMPUTED = "1.2.840.10008.5.1.4.1.1.1"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "house")
    made.publish()
    yield made
    made.close()


def test_features_are_kept_of_those_who_agree_and_go_when_they_do_not(
    site: Site, tmp_path: Path
) -> None:
    film = tmp_path / "film.dcm"
    header = {"SOPClassUID": COMPUTED, "Modality": "CR", "BodyPartExamined": "CHEST"}
    film.write_bytes(dicom(chest(), ViewPosition="PA", **header))
    custody = site.desk.house.custody
    willing, silent = site.someone("willing"), site.someone("silent")
    person = site.people["willing"]
    policy = willing.get("/", headers=JSON).json()["policy"]["hash"]
    with custody.store.begin() as conn:
        custody.consents.record(
            conn,
            person=person,
            purpose="train-a-model",
            said=Said.GRANT,
            actor=server_actor(),
            policy=policy,
        )
    given = {browser: site.given(browser, [film]) for browser in (willing, silent)}
    for browser, submission in given.items():
        told = browser.get(f"/submissions/{submission}/reading", headers=JSON).json()
        assert told["items"][0]["kind"] == "chest X-ray, frontal"
    with custody.store.read() as conn:
        both = conn.execute(select(artefacts).where(artefacts.c.kind == "feature")).all()
        by_width = {
            len(b"".join(custody.vault.get(one.person, "feature", one.object))): one for one in both
        }
        width = features.matrix().weights.shape[1]
        kept = by_width[2 * width]
        sight = by_width[2 * (width + 24)]  # what shortcuts see: size, brightness, border
        above = select(artefacts.c.kind, artefacts.c.object).join(
            artefact_parents, artefact_parents.c.parent == artefacts.c.id
        )
        parents = conn.execute(above.where(artefact_parents.c.child == kept.id)).all()
    assert len(both) == 2
    for one in (kept, sight):
        assert (one.person, one.purpose, one.policy) == (person, "train-a-model", policy)
    assert parents == [("deidentified", f"{given[willing]}-0")]
    data = b"".join(custody.vault.get(person, "feature", kept.object))
    rows = np.frombuffer(data, "<i2")
    assert rows.shape == (width,)
    withdrawals = custody.withdrawals
    done = withdrawals.run(withdrawals.start(person, "train-a-model", actor=server_actor()))
    assert done.stage == "done"
    with custody.store.read() as conn:
        held = select(objects.c.kind).where(objects.c.person == person, objects.c.state == "whole")
        kinds = set(conn.execute(held).scalars())
    assert "feature" not in kinds
    assert {"deidentified", "reading"} <= kinds


def test_a_kind_of_another_version_keeps_both(site: Site, tmp_path: Path) -> None:
    film = tmp_path / "film.dcm"
    header = {"SOPClassUID": COMPUTED, "Modality": "CR", "BodyPartExamined": "CHEST"}
    film.write_bytes(dicom(chest(), ViewPosition="PA", **header))
    custody = site.desk.house.custody
    browser = site.someone("willing")
    person = site.people["willing"]
    policy = browser.get("/", headers=JSON).json()["policy"]["hash"]
    with custody.store.begin() as conn:
        said: dict[str, Any] = {"person": person, "actor": server_actor(), "policy": policy}
        custody.consents.record(conn, purpose="train-a-model", said=Said.GRANT, **said)
    name = f"{site.given(browser, [film])}-0"
    shown = view(film.read_bytes())
    kind = ViewKind.BREAST_ULTRASOUND
    told = KindAnswer(kind=kind, by_header=None, by_pixels=kind, distance=0.5, why="told")
    keeping = Keeping(custody)
    keeping.prepare(person, name, shown, Reading(source="", software="", kind=told))
    with custody.store.begin() as conn:
        found = select(artefacts.c.id).where(artefacts.c.object == name)
        parent = conn.execute(found.where(artefacts.c.kind == "deidentified")).scalar_one()
        keeping.keep(conn, name, parent, policy)
    for version in makers.NAMES:
        made = makers.named(version)
        data = b"".join(custody.vault.get(person, KIND, name_of(made.version, shown.digest)))
        assert np.array_equal(np.frombuffer(data, "<i2"), made.features(shown.picture(0)))


def test_consent_that_goes_while_an_image_is_read_keeps_nothing(site: Site) -> None:
    custody = site.desk.house.custody
    policy = site.publish(name="other")
    person = site.person()
    with custody.store.begin() as conn:
        said: dict[str, Any] = {"person": person, "actor": server_actor(), "policy": policy}
        for purpose in ("care", "train-a-model"):
            custody.consents.record(conn, purpose=purpose, said=Said.GRANT, **said)
    row = np.arange(8, dtype=np.int16)
    named = {"person": person, "digest": "d" * 64, "version": "test-1", "policy": policy}
    stored = write_features(custody, features=row, **named)
    assert stored is not None
    with custody.store.begin() as conn:
        custody.consents.record(conn, purpose="train-a-model", said=Said.REFUSE, **said)
        assert not record_features(custody, conn, stored, policy=policy)
    custody.vault.discard(stored)
    assert write_features(custody, features=row, **named) is None
    assert not keep_features(custody, features=row, **named)
    with custody.store.read() as conn:
        assert not conn.execute(select(objects).where(objects.c.kind == "feature")).all()
        assert not conn.execute(select(artefacts).where(artefacts.c.kind == "feature")).all()
