"""Signing in at an OpenID provider that really answers: discovery, PKCE, a signed token.

The provider listens on loopback, so these tests need a socket on this machine.
"""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from web_fixtures import JSON, Site

SECRET = "s-3"  # noqa: S105  # of a provider that lives for one test
pytestmark = pytest.mark.enable_socket  # the provider is asked over loopback


class Provider(ThreadingHTTPServer):
    """An OpenID provider of one client; ``lie`` changes what its tokens say."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.codes: dict[str, dict[str, str]] = {}
        self.lie: dict[str, Any] = {}
        self.subject = "janine-roe"

    def agreed(self, address: str) -> str:
        """Do what a person does at the provider: agree; return the way back."""
        asked = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return f"/sign-in/oidc/back?state={asked['state']}&code={code}"


class Answers(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_: object) -> None:
        """Stay quiet."""

    def _say(self, told: dict[str, Any], status: int = 200) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        issuer = self.server.issuer
        if self.path == "/.well-known/openid-configuration":
            ends = {f"{name}_endpoint": f"{issuer}/{name}" for name in ("authorization", "token")}
            self._say({"issuer": issuer, "jwks_uri": f"{issuer}/keys", **ends})
        else:
            self._say({"keys": [self.server.key.as_dict(private=False)]})

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        sent = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode()).items()}
        asked = self.server.codes.pop(sent["code"], None)
        digested = hashlib.sha256(sent["code_verifier"].encode()).digest()
        proof = base64.urlsafe_b64encode(digested).decode().rstrip("=")
        if asked is None or proof != asked["code_challenge"] or sent["client_secret"] != SECRET:
            self._say({"error": "invalid_grant"}, 400)
            return
        now = int(time.time())
        claims = {
            "iss": self.server.issuer,
            "aud": "page",
            "sub": self.server.subject,
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
            **self.server.lie,
        }
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.server.key)
        self._say({"id_token": token, "access_token": "x", "token_type": "Bearer"})


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def site(tmp_path: Path, provider: Provider) -> Iterator[Site]:
    made = Site(tmp_path, options={"oidc": (provider.issuer, "page", SECRET)})
    made.publish()
    yield made
    made.close()


def begin(browser: Any) -> str:
    told = browser.get("/sign-in/oidc", follow_redirects=False)
    assert told.status_code == 303, told.text
    return str(told.headers["location"])


def test_a_person_comes_in_and_is_known_the_next_time(site: Site, provider: Provider) -> None:
    people = set()
    for _ in range(2):
        browser = site.anybody()
        back = provider.agreed(begin(browser))
        assert browser.get(back, headers=JSON).status_code == 200
        people.add(browser.get("/mine.json").json()["person"])
    assert len(people) == 1
    provider.subject = "somebody else"
    browser = site.anybody()
    assert browser.get(provider.agreed(begin(browser)), headers=JSON).status_code == 200
    assert browser.get("/mine.json").json()["person"] not in people


def test_a_way_back_is_good_once_and_in_one_browser(site: Site, provider: Provider) -> None:
    browser = site.anybody()
    back = provider.agreed(begin(browser))
    assert site.anybody().get(back, headers=JSON).status_code == 503
    back = provider.agreed(begin(browser))
    assert browser.get(back, headers=JSON).status_code == 200
    assert browser.get(back, headers=JSON).status_code == 503


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "http://evil.example"},
        {"aud": "another"},
        {"exp": 1},
        {"nonce": "replayed"},
        {"sub": ""},
        {"azp": "another"},
    ],
    ids=lambda lie: next(iter(lie)),
)
def test_a_token_that_does_not_hold_lets_nobody_in(
    site: Site, provider: Provider, lie: dict[str, Any]
) -> None:
    provider.lie = lie
    browser = site.anybody()
    assert browser.get(provider.agreed(begin(browser)), headers=JSON).status_code == 503
    assert browser.get("/mine.json").status_code == 401


def test_a_provider_that_is_away_is_told(site: Site, provider: Provider) -> None:
    site.options["oidc"] = ("http://127.0.0.1:9", "page", "s3")
    site.close()
    site.open()
    assert site.anybody().get("/sign-in/oidc", headers=JSON).status_code == 503
    assert provider.issuer
