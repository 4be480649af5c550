"""Who may do what: every route for every role, cross-person access refused and logged."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from safelight.consent.roles import Role
from web_fixtures import JSON, Site, scans

ROLES = ("nobody", "owner", "other", "clinician", "steward", "auditor", "operator", "researcher")
EVERYBODY = frozenset(ROLES)
ACCOUNTS = EVERYBODY - {"nobody"}
OWNER, OWN = frozenset({"owner"}), frozenset({"owner", "other"})
READERS = frozenset({"owner", "clinician", "researcher"})  # the person agreed to care
LISTERS = frozenset({"steward", "auditor", "operator"})
STEWARD = frozenset({"steward"})
REVIEW = frozenset({"owner", "steward"})
GLASS = frozenset({"clinician", "steward"})
# Route: who gets further than "sign in" and "not allowed".
TABLE: dict[str, frozenset[str]] = {
    "GET /healthz": EVERYBODY,
    "GET /readyz": EVERYBODY,
    "GET /metrics": EVERYBODY,
    "GET /scoreboard": EVERYBODY,
    "GET /sign-in": EVERYBODY,
    "POST /sign-in": frozenset(),  # with a wrong password, below
    "POST /sign-in/passkey": EVERYBODY,
    "POST /sign-in/passkey/options": EVERYBODY,
    "GET /first-run": EVERYBODY,
    "POST /first-run": EVERYBODY,
    "GET /open/{token}": EVERYBODY,
    "GET /link/{token}": EVERYBODY,
    "POST /link/{token}": EVERYBODY,
    "POST /language": EVERYBODY,
    "GET /account": ACCOUNTS,
    "POST /account/password": ACCOUNTS,
    "POST /account/passkeys": ACCOUNTS,
    "POST /account/passkeys/options": ACCOUNTS,
    "POST /account/passkeys/remove": ACCOUNTS,
    "POST /sign-out": ACCOUNTS,
    "GET /": ACCOUNTS,
    "POST /give": frozenset({"owner", "other", "clinician", "steward"}),
    "POST /parcels": frozenset({"owner", "other", "clinician", "steward"}),
    "GET /parcels/{parcel}": OWNER,
    "POST /parcels/{parcel}/send": OWNER,
    "POST /parcels/{parcel}/cancel": OWNER,
    "POST /uploads": OWNER,
    "GET /uploads/{upload}": OWNER,
    "HEAD /uploads/{upload}": OWNER,
    "PATCH /uploads/{upload}": OWNER,
    "GET /submissions": frozenset({"owner", "other"}) | LISTERS,
    "GET /submissions/{submission}": READERS,
    "GET /submissions/{submission}/items/{n}": READERS,
    "GET /submissions/{submission}/items/{n}/frames/{f}.png": READERS,
    "GET /submissions/{submission}/items/{n}/frames/{f}.jpg": READERS,
    "GET /submissions/{submission}/items/{n}/frames/{f}.raw": READERS,
    "GET /submissions/{submission}/items/{n}/before/{f}.png": OWNER,
    "GET /submissions/{submission}/items/{n}/before/{f}.jpg": OWNER,
    "GET /submissions/{submission}/items/{n}/head/after.jpg": READERS,
    "GET /submissions/{submission}/items/{n}/head/before.jpg": OWNER,
    "GET /submissions/{submission}/items/{n}/head/after/{v}.jpg": READERS,
    "GET /submissions/{submission}/items/{n}/head/before/{v}.jpg": OWNER,
    "POST /submissions/{submission}/items/{n}/masks": REVIEW,
    "POST /submissions/{submission}/approve": REVIEW,
    "POST /submissions/{submission}/send-back": REVIEW,
    "GET /submissions/{submission}/reading": READERS,
    "POST /submissions/{submission}/impression": READERS,
    "POST /submissions/{submission}/external": frozenset({"clinician"}),
    "POST /submissions/{submission}/feedback": READERS - {"researcher"},
    "POST /submissions/{submission}/ask": READERS,
    "GET /mine": frozenset({"owner", "other", "clinician", "steward", "auditor"}),
    "POST /mine/consents": frozenset({"owner", "other", "clinician", "steward"}),
    "POST /mine/withdraw": frozenset({"owner", "other", "steward"}),
    "GET /mine/withdrawals/{wanted}": ACCOUNTS,  # there is none of this name
    "GET /mine/receipts/{name}": frozenset({"owner", "clinician", "steward", "auditor"}),
    "GET /mine/receipts/{name}/file": frozenset({"owner", "clinician", "steward", "auditor"}),
    "GET /mine/receipts/{name}/print": frozenset({"owner", "clinician", "steward", "auditor"}),
    "GET /emergency": GLASS,
    "POST /emergency": GLASS,
    "GET /steward": LISTERS,
    "GET /steward/quarantine": LISTERS,
    "GET /steward/policies": LISTERS,
    "POST /steward/policies": STEWARD,
    "GET /steward/people": LISTERS,
    "POST /steward/people": STEWARD,
    "POST /steward/people/{person}/link": STEWARD,
    "GET /steward/accounts": STEWARD,
    "POST /steward/accounts": STEWARD,
    "GET /steward/scoreboard": LISTERS,
    "GET /steward/log": LISTERS,
    "GET /steward/health": LISTERS,
    "POST /steward/reject/{submission}/{n}": STEWARD,
    "POST /steward/retry/{submission}/{n}": STEWARD,
}
BODIES: dict[str, dict[str, Any]] = {
    "POST /sign-in": {"name": "roe", "password": "wrong"},
    "POST /sign-in/passkey": {"ceremony": "x", "credential": {}},
    "POST /first-run": {"code": "x", "name": "roe", "password": "0123456789ab"},
    "POST /language": {"language": "en"},
    "POST /account/password": {"name": "x", "password": "short"},
    "POST /account/passkeys": {"ceremony": "x", "credential": {}},
    "POST /account/passkeys/remove": {"id": "0" * 16},
    "POST /parcels": {"agree": ["care"]},
    "POST /submissions/{submission}/items/{n}/masks": {"remove": ["unknown"]},
    "POST /submissions/{submission}/send-back": {"items": [99]},
    "POST /submissions/{submission}/impression": {"words": "a shadow"},
    "POST /submissions/{submission}/external": {"source": "PACS", "words": "a nodule"},
    "POST /submissions/{submission}/feedback": {"n": 0, "reader": "x", "verdict": "right"},
    "POST /submissions/{submission}/ask": {"question": "what is it?"},
    "POST /mine/consents": {"policy": "", "asked": ["care"], "agree": ["care"]},
    "POST /mine/withdraw": {"purpose": "ancestry-research"},
    "POST /emergency": {"person": "0" * 32, "reason": "nobody is sure of it"},
    "POST /steward/policies": {"document": "{}"},
    "POST /steward/accounts": {"roles": ["nothing"]},
}
ABOUT_A_PERSON = frozenset({"GET /mine", "POST /mine/consents", "POST /mine/withdraw"})


@dataclass
class World:
    """A page, somebody of each role, and what the owner has."""

    site: Site
    browsers: dict[str, TestClient]
    names: dict[str, str]
    person: str
    policy: str

    def ask(self, route: str, role: str) -> Any:
        """Send a request of a route as somebody of a role."""
        method, _, pattern = route.partition(" ")
        path = re.sub(r"\{(\w+)\}", lambda found: self.names[found[1]], pattern)
        more: dict[str, Any] = {"headers": dict(JSON)}
        if route in BODIES:
            more["json"] = dict(BODIES[route])
        if route == "POST /mine/consents":
            more["json"]["policy"] = self.policy
        if route in ABOUT_A_PERSON and role not in ("owner", "other"):
            more["json" if method == "POST" else "params"] = {
                **more.get("json", {}),
                "person": self.person,
            }
        if route == "POST /uploads":
            more["params"] = {"parcel": self.names["parcel"]}
        if route == "PATCH /uploads/{upload}":
            more["headers"]["Upload-Offset"] = "999"
        if route == "POST /give":
            more["files"] = [("file", ("a.bin", b"x"))]
            more["data"] = {"agree": "care"}
        return self.browsers[role].request(method, path, **more)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("access")
    site = Site(folder)
    policy = site.publish()
    browsers = {
        "nobody": site.anybody(),
        "owner": site.someone("owner"),
        "other": site.someone("other"),
        **{role: site.account(Role(role)) for role in ROLES[3:]},
    }
    owner = browsers["owner"]
    submission = site.given(owner, scans(folder / "in", 1))
    parcel = owner.post("/parcels", json={"agree": []}, headers=JSON).json()["id"]
    upload = owner.post(f"/uploads?parcel={parcel}", content=b"abc", headers=JSON).json()["id"]
    mine = owner.get("/mine.json").json()
    names = {
        "submission": submission,
        "n": "0",
        "f": "0",
        "v": "0",
        "parcel": parcel,
        "upload": upload,
        "person": site.people["owner"],
        "token": "unknown",
        "wanted": "unknown",
        "name": mine["statements"][0]["receipt"].rpartition("/")[2],
    }
    yield World(site, browsers, names, site.people["owner"], policy)
    site.close()


def test_the_table_names_every_route(world: World) -> None:
    told = world.site.spread("paths")
    routes = {
        f"{method.upper()} {path}"
        for path, operations in told.items()
        for method in operations
        if method in ("get", "post", "patch", "put", "delete", "head")
    }
    assert routes - {"GET /openapi.json"} - oidc_routes(routes) == set(TABLE)


def oidc_routes(routes: set[str]) -> set[str]:
    """Return the routes of signing in elsewhere, which have tests of their own."""
    return {route for route in routes if "/sign-in/oidc" in route}


# The owner signs out last, and what changes the owner's things comes after what looks at them.
ORDER = sorted(TABLE, key=lambda route: (route.startswith("POST"), "cancel" in route, route))


@pytest.mark.parametrize("route", ORDER)
def test_every_role_gets_what_the_table_says(world: World, route: str) -> None:
    reached = set()
    for role in sorted(ROLES, key="owner".__eq__):  # after the owner it may be gone
        if route == "POST /sign-out":
            continue
        told = world.ask(route, role)
        assert told.status_code < 500, (route, role, told.text)
        if told.status_code not in (401, 403):
            reached.add(role)
        if role == "nobody" and route not in {r for r in TABLE if TABLE[r] == EVERYBODY}:
            assert told.status_code == 401, (route, told.status_code)
    if route != "POST /sign-out":
        assert reached == TABLE[route]


def test_an_attempt_at_anothers_data_is_in_their_list(world: World) -> None:
    path = f"/submissions/{world.names['submission']}.json"
    assert world.browsers["other"].get(path).status_code == 403
    seen = world.browsers["owner"].get("/mine.json").json()["seen"]
    refused = [row for row in seen if not row["allowed"]]
    assert refused
    assert refused[0]["act"] == "see-derived"
    assert refused[0]["actor"].startswith("account:")


def test_a_clinician_sees_nothing_more_once_consent_is_gone(world: World, tmp_path: Path) -> None:
    site = world.site
    owner = site.someone("fickle")
    submission = site.given(owner, scans(tmp_path / "in", 1))
    clinician = world.browsers["clinician"]
    frame = f"/submissions/{submission}/items/0/frames/0.png"
    assert clinician.get(frame).status_code == 200
    assert owner.post("/mine/withdraw", json={"purpose": "care"}, headers=JSON).status_code == 200
    assert clinician.get(frame).status_code == 403  # before a worker has done anything


def test_one_look_is_one_line(world: World, tmp_path: Path) -> None:
    site = world.site
    owner = site.someone("looked-at")
    submission = site.given(owner, scans(tmp_path / "in", 1))
    clinician = site.account(Role.CLINICIAN)
    for _ in range(5):
        clinician.get(f"/submissions/{submission}/items/0/frames/0.png")
    seen = owner.get("/mine.json").json()["seen"]
    assert len([row for row in seen if row["role"] == "clinician"]) == 1


def test_a_role_that_is_taken_ends_at_once(world: World) -> None:
    site = world.site
    steward = site.account(Role.STEWARD)
    assert steward.get("/steward.json").status_code == 200
    accounts = steward.get("/steward/accounts.json").json()["accounts"]
    from safelight.web.desk import server_actor  # noqa: PLC0415  # beside its one use

    custody = site.desk.house.custody
    custody.accesses.take(accounts[0]["code"], Role.STEWARD, by=server_actor())
    assert steward.get("/steward.json").status_code == 403
