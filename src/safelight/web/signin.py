"""Signing in elsewhere: OpenID Connect Core 1.0, authorization code flow with PKCE (RFC 7636).

The only module of the page with an HTTP client; it talks to the one issuer that the operator named.
It is an extra: ``pip install safelight[oidc]``.
"""

import base64
import hashlib
import json
import secrets
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy import delete, insert, select

from safelight.errors import SafelightError, SettingsError
from safelight.store.schema.web import challenges
from safelight.web.accounts import digest
from safelight.web.desk import Desk

__all__ = ["Elsewhere", "ProviderError"]

_PATH: Final = "/sign-in/oidc/back"
_SEALED: Final = "oidc-state"
_SECONDS: Final = 10.0
_LASTS: Final = 600
_MOST: Final = 1 << 20
_LEEWAY: Final = 60  # seconds between two clocks
_ALGORITHMS: Final = ("RS256", "ES256", "Ed25519")


class ProviderError(SafelightError):
    """The OpenID provider cannot be reached, or what it says does not hold."""

    code = "provider"
    default_kept = "nobody was signed in"
    default_todo = "try again, or sign in otherwise"


class Elsewhere:
    """Signing in at one OpenID provider.

    Args:
        desk: The house and its options.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.house.store
        self._issuer, self._client, self._secret = desk.options.oidc
        self._known: dict[str, Any] = {}

    def begin(self) -> tuple[str, str]:
        """Return where the browser is sent, and what its cookie must hold until it is back.

        Raises:
            ProviderError: The provider cannot be reached.
        """
        state, browser = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        kept = json.dumps({"verifier": verifier, "nonce": nonce, "browser": digest(browser)})
        token = digest(state)
        now = self._store.clock.now()
        row: dict[str, Any] = {"token": token, "kind": "oidc", "account": ""}
        row["until"] = now + timedelta(seconds=_LASTS)
        sealed = self._desk.secrets.seal(_SEALED, token, kept.encode())
        with self._store.begin() as conn:
            conn.execute(insert(challenges).values(**row, sealed=sealed))
        asked = {
            "response_type": "code",
            "client_id": self._client,
            "redirect_uri": f"{self._desk.options.public_url}{_PATH}",
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        start = str(self._told()["authorization_endpoint"])
        return f"{start}{'&' if '?' in start else '?'}{urlencode(asked)}", browser

    def end(self, state: str, code: str, browser: str) -> tuple[str, str]:
        """Return issuer and subject of whoever came back.

        Args:
            state: As the provider handed it back.
            code: The authorization code.
            browser: From the cookie of ``begin``.

        Raises:
            ProviderError: It is not what was begun in this browser, or the token does not hold.
        """
        token = digest(state)
        with self._store.begin() as conn:
            mine = (challenges.c.token == token, challenges.c.kind == "oidc")
            row = conn.execute(select(challenges).where(*mine)).first()
            conn.execute(delete(challenges).where(*mine))
        if row is None or row.until <= self._store.clock.now():
            raise ProviderError("this took too long, or was done before")
        kept = json.loads(self._desk.secrets.open(_SEALED, token, row.sealed))
        if not browser or not secrets.compare_digest(digest(browser), kept["browser"]):
            raise ProviderError("this was begun in another browser")
        claims = self._claims(code, kept)
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 1 <= len(subject) <= 255:  # noqa: PLR2004  # OIDC Core 2
            raise ProviderError("the provider does not say who it is")
        return self._issuer, subject

    def _claims(self, code: str, kept: dict[str, str]) -> dict[str, Any]:
        """Return what a verified ID token says (OIDC Core 3.1.3.7).

        Raises:
            ProviderError: It does not verify.
        """
        try:
            from joserfc import jwt  # noqa: PLC0415  # an extra
            from joserfc.errors import JoseError  # noqa: PLC0415  # as above
            from joserfc.jwk import KeySet  # noqa: PLC0415  # as above
        except ImportError:
            raise _extra() from None
        answer = self._redeem(code, kept["verifier"])
        known: Any = self._get(str(self._told()["jwks_uri"]))
        try:
            keys = KeySet.import_key_set(known)
            token = jwt.decode(str(answer["id_token"]), keys, algorithms=list(_ALGORITHMS))
            jwt.JWTClaimsRegistry(
                leeway=_LEEWAY,
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": self._client},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": kept["nonce"]},
            ).validate(token.claims)
        except (JoseError, KeyError, ValueError, TypeError):
            raise ProviderError("what the provider says does not hold") from None
        if token.claims.get("azp", self._client) != self._client:
            raise ProviderError("what the provider says was said to somebody else")
        return dict(token.claims)

    def _told(self) -> dict[str, Any]:
        """Return what the provider says of itself (OpenID Connect Discovery 1.0).

        Raises:
            ProviderError: It says something else than the operator did.
        """
        if not self._known:
            told = self._get(f"{self._issuer}/.well-known/openid-configuration")
            if str(told.get("issuer", "")).rstrip("/") != self._issuer:
                raise ProviderError("the provider is not the one that was named")
            self._known = told
        return self._known

    def _redeem(self, code: str, verifier: str) -> dict[str, Any]:
        """Return what the provider gives for a code (RFC 6749, 4.1.3)."""
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": f"{self._desk.options.public_url}{_PATH}",
            "code_verifier": verifier,
            "client_id": self._client,
        }
        if self._secret:
            sent["client_secret"] = self._secret
        return self._ask("POST", str(self._told()["token_endpoint"]), sent)

    def _get(self, address: str) -> dict[str, Any]:
        return self._ask("GET", address, None)

    @staticmethod
    def _ask(method: str, address: str, sent: dict[str, str] | None) -> dict[str, Any]:
        """Return a document of the provider's.

        Raises:
            ProviderError: It cannot be reached, or answers something else.
            SettingsError: The extra is not installed.
        """
        try:
            import httpx2  # noqa: PLC0415  # an extra
        except ImportError:
            raise _extra() from None
        try:
            with httpx2.Client(timeout=_SECONDS, follow_redirects=False) as client:
                answer = client.request(method, address, data=sent)
                answer.raise_for_status()
                told = answer.json() if len(answer.content) <= _MOST else None
        except (httpx2.HTTPError, ValueError):
            raise ProviderError("the provider cannot be reached") from None
        if not isinstance(told, dict):
            raise ProviderError("the provider's answer cannot be read")
        return told


def _challenge(verifier: str) -> str:
    """Return the challenge of a verifier (RFC 7636, 4.2: S256)."""
    digested = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digested).decode().rstrip("=")


def _extra() -> SettingsError:
    return SettingsError("signing in elsewhere is an extra", todo="pip install safelight[oidc]")
