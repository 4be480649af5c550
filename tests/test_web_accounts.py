"""Signing in, being locked out, links, passkeys; other sites and other names stay outside."""

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fastapi.testclient import TestClient

from safelight.consent.roles import Role
from safelight.web.binding import Binding
from safelight.web.desk import Options, server_actor
from web_fixtures import CODE, JSON, PASSWORD, Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("accounts"), options={"public_url": "http://testserver"})
    yield made
    made.close()


def sign_in(browser: TestClient, name: str, password: str) -> Any:
    return browser.post("/sign-in", data={"name": name, "password": password}, headers=JSON)


def test_the_first_run_makes_the_operator_once_and_needs_the_code(site: Site) -> None:
    browser = site.anybody()
    assert browser.get("/").url.path == "/first-run"
    form = {"name": "Op One", "password": PASSWORD, "code": "wrong"}
    assert browser.post("/first-run", data=form, headers=JSON).status_code == 403
    short = {**form, "code": CODE, "password": "short"}
    assert browser.post("/first-run", data=short, headers=JSON).status_code == 422
    told = browser.post("/first-run", data={**form, "code": CODE}, headers=JSON)
    assert told.status_code == 200
    assert browser.get("/steward.json").status_code == 200
    again = {**form, "code": CODE, "name": "two"}
    assert site.anybody().post("/first-run", data=again, headers=JSON).status_code == 404
    assert sign_in(site.anybody(), "\uff2f\uff30 one ", PASSWORD).status_code == 200  # folded


def test_the_session_is_an_opaque_cookie_that_changes_and_ends(site: Site) -> None:
    site.rooms.accounts.create((Role.AUDITOR,), by=server_actor(), name="roe", password=PASSWORD)
    browser = site.anybody()
    told = sign_in(browser, "roe", PASSWORD)
    cookie = told.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    first = browser.cookies["safelight"]
    assert len(first) >= 43
    sign_in(browser, "roe", PASSWORD)
    assert browser.cookies["safelight"] != first
    old = site.anybody()
    old.cookies.set("safelight", first)
    assert old.get("/account.json").status_code == 401
    kept = browser.cookies["safelight"]
    assert browser.post("/sign-out", headers=JSON).status_code == 200
    old.cookies.set("safelight", kept)
    assert old.get("/account.json").status_code == 401
    assert Options(public_url="https://x.example.org").secure


def test_too_many_wrong_passwords_lock_the_account_and_not_another(site: Site) -> None:
    for name in ("ann", "ben"):
        made = site.rooms.accounts.create(
            (Role.AUDITOR,), by=server_actor(), name=name, password=PASSWORD
        )
        assert made.label == name
    answers = [sign_in(site.anybody(), "ann", "wrong password").status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]
    resting = sign_in(site.anybody(), "ann", PASSWORD)
    assert resting.status_code == 429
    assert 0 < int(resting.headers["Retry-After"]) <= 30
    assert f"wait {resting.headers['Retry-After']} seconds" in resting.json()["problem"]["todo"]
    assert sign_in(site.anybody(), "ben", PASSWORD).status_code == 200
    assert sign_in(site.anybody(), "nobody at all", PASSWORD).status_code == 401


def test_an_address_has_so_many_tries_a_minute(tmp_path: Any) -> None:
    site = Site(tmp_path, options={"rate": 3})
    answers = [sign_in(site.anybody(), "x", "y").status_code for _ in range(4)]
    assert answers == [401, 401, 401, 429]
    site.close()


def test_a_link_works_once_and_looking_does_not_use_it_up(site: Site) -> None:
    steward = site.account(Role.STEWARD)
    told = steward.post("/steward/people", headers=JSON).json()
    path = told["address"].removeprefix("http://testserver")
    person = site.anybody()
    for _ in range(2):
        assert person.get(path).status_code == 200
    assert person.post(path, headers=JSON).status_code == 200
    assert person.get("/mine.json").json()["person"] == told["person"]
    assert site.anybody().post(path, headers=JSON).status_code == 404
    assert site.anybody().get("/link/unknown").status_code == 404


def test_other_sites_and_other_names_stay_outside(site: Site) -> None:
    browser = site.account(Role.STEWARD)
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ):
        assert browser.post("/steward/people", headers=headers).status_code == 403, headers
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://testserver"}, {}):
        told = browser.post("/language", json={"language": "en"}, headers={**JSON, **headers})
        assert told.status_code == 200, headers
    assert browser.get("/", headers={"Host": "rebound.example"}).status_code == 421
    told = browser.get("/sign-in")
    assert told.headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in told.headers["content-security-policy"]
    assert told.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("to", ["//evil.example", "/\\evil.example", "https://evil.example", "x"])
def test_nobody_is_sent_to_another_site(site: Site, to: str) -> None:
    assert site.anybody().get("/sign-in.json", params={"next": to}).json()["next"] == "/"


def test_others_are_served_over_tls_or_not_at_all() -> None:
    from safelight.errors import SettingsError  # noqa: PLC0415  # beside its one use

    Binding().check()
    public = "https://scans.example.org"
    Binding(host="0.0.0.0", certificate="c", key="k", public_url=public).check()  # noqa: S104  # what is checked
    for wrong in (
        Binding(host="0.0.0.0"),  # noqa: S104  # what is checked
        Binding(host="::"),
        Binding(host="0.0.0.0", certificate="c", key="k"),  # noqa: S104  # as above
        Binding(certificate="c"),
        Binding(host="::", proxy="127.0.0.1"),
        Binding(proxy="127.0.0.1", public_url="http://x.example"),
        Binding(proxy="nonsense", public_url=public),
        Binding(proxy="127.0.0.1,nonsense", public_url=public),
        *(
            Binding(public_url=url)
            for url in (
                ":::",
                "nonsense",
                "https://",
                "https://a:b",
                "https://a b",
                "ftp://x.example",
                "https://x.example/path",
                "https://me@x.example",
            )
        ),
    ):
        with pytest.raises(SettingsError):
            wrong.check()
    for right in ("http://localhost:8000/", "https://[::1]:8443", "https://scans.example.org:8443"):
        Binding(public_url=right).check()
    Binding(proxy="10.0.0.0/8,127.0.0.1", public_url=public).check()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Authenticator:
    """A passkey in software: ES256, no attestation (WebAuthn 6)."""

    def __init__(self, origin: str = "http://testserver", rp: str = "testserver") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = secrets.token_bytes(32)
        self.origin, self.rp, self.count = origin, rp, 0

    def _client(self, kind: str, challenge: str) -> bytes:
        told = {"type": f"webauthn.{kind}", "challenge": challenge, "origin": self.origin}
        return json.dumps(told).encode()

    def _data(self, flags: int, more: bytes = b"") -> bytes:
        self.count += 1
        head = hashlib.sha256(self.rp.encode()).digest() + bytes([flags])
        return head + self.count.to_bytes(4, "big") + more

    def make(self, options: dict[str, Any]) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        point = {-2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, **point})
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        data = self._data(0x45, attested)  # present, verified, attested
        whole = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("create", options["challenge"])
        return {
            "id": b64(self.id),
            "rawId": b64(self.id),
            "type": "public-key",
            "response": {"attestationObject": b64(whole), "clientDataJSON": b64(client)},
        }

    def answer(self, options: dict[str, Any]) -> dict[str, Any]:
        data = self._data(0x05)
        client = self._client("get", options["challenge"])
        signed = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return {
            "id": b64(self.id),
            "rawId": b64(self.id),
            "type": "public-key",
            "response": {
                "authenticatorData": b64(data),
                "clientDataJSON": b64(client),
                "signature": b64(signed),
            },
        }


def begin(browser: TestClient, path: str) -> tuple[str, dict[str, Any]]:
    told = browser.post(f"{path}/options", headers=JSON).json()
    return told["ceremony"], told["publicKey"]


def test_a_passkey_signs_in_and_a_copied_or_foreign_answer_does_not(site: Site) -> None:
    browser = site.account(Role.AUDITOR)
    device = Authenticator()
    ceremony, options = begin(browser, "/account/passkeys")
    body = {"ceremony": ceremony, "credential": device.make(options)}
    assert browser.post("/account/passkeys", json=body, headers=JSON).status_code == 200
    assert browser.post("/account/passkeys", json=body, headers=JSON).status_code == 422  # once
    fresh = site.anybody()
    ceremony, options = begin(fresh, "/sign-in/passkey")
    body = {"ceremony": ceremony, "credential": device.answer(options)}
    assert fresh.post("/sign-in/passkey", json=body, headers=JSON).status_code == 200
    mine = browser.get("/account.json").json()
    assert fresh.get("/account.json").json()["code"] == mine["code"]
    assert site.anybody().post("/sign-in/passkey", json=body, headers=JSON).status_code == 422
    device.origin = "http://evil.example"
    ceremony, options = begin(fresh, "/sign-in/passkey")
    body = {"ceremony": ceremony, "credential": device.answer(options)}
    assert site.anybody().post("/sign-in/passkey", json=body, headers=JSON).status_code == 422
    device.origin, device.count = "http://testserver", 0  # a copy counts from the beginning
    ceremony, options = begin(fresh, "/sign-in/passkey")
    body = {"ceremony": ceremony, "credential": device.answer(options)}
    assert site.anybody().post("/sign-in/passkey", json=body, headers=JSON).status_code == 422
    gone = {"id": mine["passkeys"][0]["id"]}
    told = browser.post("/account/passkeys/remove", json=gone, headers=JSON)
    assert told.status_code == 200


def test_the_desktop_opens_once_for_whoever_has_the_secret(tmp_path: Any) -> None:
    site = Site(tmp_path, options={"desktop": True, "token": "s" * 43})
    assert site.anybody().get("/open/guess").status_code == 404
    browser = site.anybody()
    assert browser.get("/open/" + "s" * 43, follow_redirects=False).status_code == 303
    assert site.anybody().get("/open/" + "s" * 43).status_code == 404
    assert browser.get("/mine.json").status_code == 200
    assert site.anybody().get("/mine.json").status_code == 401
    site.close()
