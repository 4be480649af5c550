"""The OpenAPI document against the application: no server error, no answer that is not documented.

A short pass here; ``SAFELIGHT_API_CASES=200 pytest tests/test_web_api.py`` makes many thousand.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks

from safelight.consent.roles import Role
from web_fixtures import Site, scans

CASES = int(os.environ.get("SAFELIGHT_API_CASES", "2"))
CHECKS = (
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
)
count = {"cases": 0, "answered": 0}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("api")
    site = Site(folder)
    site.publish()
    owner = site.someone("owner")
    submission = site.given(owner, scans(folder / "in", 1))
    parcel = owner.post("/parcels", json={"agree": []}, headers={"Accept": "application/json"})
    cookie = site.rooms.sessions.cookie
    staff = site.account(Role.STEWARD, Role.OPERATOR, Role.AUDITOR, Role.CLINICIAN)
    yield {
        "site": site,
        "cookies": [{cookie: each.cookies[cookie]} for each in (owner, staff)],
        "names": {
            "submission": submission,
            "parcel": parcel.json()["id"],
            "person": site.people["owner"],
            "n": 0,
            "f": 0,
        },
    }
    site.close()


@pytest.fixture(scope="module")
def schema(world: dict[str, Any]) -> Any:
    return schemathesis.openapi.from_asgi("/openapi.json", world["site"].app)


def ask(case: Any, world: dict[str, Any]) -> None:
    """Send one case as somebody, and hold the answer against the document."""
    count["cases"] += 1
    turn = count["cases"]
    if turn % 3:  # two of three cases are about things that are there
        known = world["names"]
        case.path_parameters = {
            name: known.get(name, value) for name, value in (case.path_parameters or {}).items()
        }
    case.headers = {**(case.headers or {}), "Accept": "application/json"}
    case.cookies = {**(case.cookies or {}), **world["cookies"][turn % 2]}
    answer = case.call(base_url="http://testserver", headers={"Accept": "application/json"})
    count["answered"] += answer.status_code < 400
    case.validate_response(answer, checks=CHECKS)


def test_every_answer_is_one_that_is_documented(schema: Any, world: dict[str, Any]) -> None:
    failed: list[str] = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in ("/sign-out", "/account/password"):
            continue  # they end the sessions that the other cases need

        @settings(
            max_examples=CASES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.generate),
        )
        @given(case=operation.as_strategy())
        def one(case: Any) -> None:
            ask(case, world)

        try:
            one()
        except Exception as error:  # noqa: BLE001  # every operation gets its turn
            failed.append(f"{operation.label}: {error}"[:2000])
    report = f"{count['cases']} cases, {count['answered']} answered, {len(failed)} failed\n"
    sys.stderr.write(report)
    assert "\n".join(failed) == ""


def test_enough_was_asked(world: dict[str, Any]) -> None:
    routes = world["site"].spread("paths")
    assert count["cases"] >= len(routes)
    assert count["answered"] > 0
    assert Path(world["site"].folder).is_dir()
