"""What is past its time: told beforehand on "My data", removed by a worker, shown afterwards."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from safelight.consent.roles import Role
from safelight.store.schema.consent import artefacts
from safelight.store.schema.learning import heads
from safelight.store.schema.submissions import items
from safelight.web.worker import Chores
from web_fixtures import JSON, Site, scans

DAY = timedelta(days=1)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "house")
    made.publish(retention_days=60)
    yield made
    made.close()


def test_a_person_is_told_before_and_after(
    site: Site, tmp_path: Path, later: list[timedelta]
) -> None:
    browser = site.someone("Jane")
    made = site.given(browser, scans(tmp_path / "in", 1))
    page = browser.get("/mine", headers=JSON).json()
    assert page["ends_soon"] is None
    assert {row["kind"] for row in page["held"] if row["until"]} >= {"deidentified", "reading"}
    assert "goes by itself" not in browser.get("/mine").text
    later.append(31 * DAY)
    fresh = site.account(Role.PERSON, person=site.people["Jane"])  # the first session is over
    page = fresh.get("/mine", headers=JSON).json()
    (end,) = {row["until"] for row in page["held"] if row["kind"] == "reading"}
    assert page["ends_soon"] == end
    assert "goes by itself on" in fresh.get("/mine").text
    assert site.chores.end(now=True) == 0
    later.append(30 * DAY)
    assert site.chores.end(now=True) == 1
    assert site.chores.end() == 0  # an hour has not passed
    fresh = site.account(Role.PERSON, person=site.people["Jane"])
    page = fresh.get("/mine", headers=JSON).json()
    assert page["held"] == []
    (ended,) = page["withdrawals"]
    assert (ended["purpose"], ended["stage"]) == ("retention", "done")
    text = fresh.get("/mine").text
    assert "What went by itself" in text
    assert "What you took back" not in text
    told = fresh.get(f"/mine/withdrawals/{ended['id']}", headers=JSON).json()
    assert told["done"] is True
    assert told["stages"] == ["planned", "removed", "recalled", "done"]
    assert "may be kept was over" in fresh.get(f"/mine/withdrawals/{ended['id']}").text
    receipt = fresh.get(ended["receipt"], headers=JSON).json()
    assert (receipt["kind"], receipt["fields"]["purpose"]) == ("retention.done", "retention")
    assert fresh.get(f"/submissions/{made}").status_code == 404
    with site.desk.house.store.read() as conn:
        assert conn.execute(select(items)).all() == []
    agreed = {one["name"]: one["agreed"] for one in page["purposes"]}
    assert agreed["care"] is True  # nothing was said for them


def test_a_worker_ends_it_while_it_works(
    site: Site, tmp_path: Path, later: list[timedelta]
) -> None:
    browser = site.someone("Jane")
    site.given(browser, scans(tmp_path / "in", 1))
    later.append(61 * DAY)
    chores = Chores(site.desk, site.chores._chosen)  # another worker, just started
    while chores.round():
        pass
    there = select(artefacts.c.kind).where(artefacts.c.removed_at.is_(None))
    with site.desk.house.store.read() as conn:
        assert conn.execute(there).all() == []


def test_what_learnt_from_an_image_is_told(site: Site, tmp_path: Path) -> None:
    browser = site.someone("Jane")
    person = site.people["Jane"]
    made = site.given(browser, scans(tmp_path / "in", 2))
    custody = site.desk.house.custody
    policy = browser.get("/", headers=JSON).json()["policy"]["hash"]
    body = {"policy": policy, "asked": ["train-a-model"], "agree": ["train-a-model"]}
    browser.post("/mine/consents", json=body)
    with custody.store.begin() as conn:
        values = {"id": "h" * 32, "name": "chest-opacity", "recipe": "{}", "base": b""}
        conn.execute(insert(heads).values(**values, made=custody.store.clock.now()))
        image = select(artefacts.c.id).where(
            artefacts.c.kind == "deidentified", artefacts.c.object == f"{made}-0"
        )
        custody.lineage.record(
            conn,
            person=person,
            kind="contribution",
            name=f"{'h' * 32}/c1",
            purpose="train-a-model",
            policy=policy,
            parents=(conn.execute(image).scalar_one(),),
        )
    page = browser.get("/mine", headers=JSON).json()
    assert page["learned_by"] == ["chest-opacity"]
    told = {row["name"]: row["learned_by"] for row in page["held"] if row["kind"] == "deidentified"}
    assert told == {f"{made}-0": ["chest-opacity"], f"{made}-1": []}
    assert "chest-opacity" in browser.get("/mine").text
    assert site.someone("Roe").get("/mine", headers=JSON).json()["learned_by"] == []
