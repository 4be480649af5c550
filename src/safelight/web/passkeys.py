"""Passkeys (Web Authentication Level 3, W3C): credentials of accounts, and the two ceremonies."""

import hashlib
import json
import secrets
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, update
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from safelight.errors import SafelightError
from safelight.store.schema.web import challenges, passkeys
from safelight.web.accounts import digest
from safelight.web.desk import Desk

__all__ = ["PasskeyError", "Passkeys"]

_LASTS: Final = timedelta(minutes=5)
_SEALED: Final = "challenge"
_NAME: Final = "Safelight"
_MOST: Final = 10  # of one account


class PasskeyError(SafelightError):
    """A passkey's answer does not hold."""

    code = "passkey"
    default_kept = "nobody was signed in, and no passkey was kept"
    default_todo = "try again, or sign in otherwise"


class Passkeys:
    """The passkeys of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._store = desk.house.store

    def listed(self, account: str) -> list[Row[Any]]:
        """Return the passkeys of an account."""
        found = select(passkeys).where(passkeys.c.account == account).order_by(passkeys.c.made)
        with self._store.read() as conn:
            return list(conn.execute(found).all())

    def remove(self, account: str, name: str) -> None:
        """Remove a passkey by the start of its id.

        Raises:
            PasskeyError: There is none.
        """
        mine = (passkeys.c.account == account, passkeys.c.id.startswith(name, autoescape=True))
        with self._store.begin() as conn:
            if len(name) < 16 or not conn.execute(delete(passkeys).where(*mine)).rowcount:  # noqa: PLR2004  # as shown
                raise PasskeyError("there is no such passkey", kept="nothing was changed")

    # Registration

    def ask_new(self, account: str, label: str) -> dict[str, Any]:
        """Return what a browser needs to make a passkey; ``ceremony`` comes back with it.

        Raises:
            PasskeyError: There are too many.
        """
        there = self.listed(account)
        if len(there) >= _MOST:
            raise PasskeyError("there are too many passkeys", todo="remove one first")
        options = generate_registration_options(
            rp_id=self._desk.options.domain,
            rp_name=_NAME,
            user_id=hashlib.sha256(account.encode()).digest(),
            user_name=label or account[:12],
            exclude_credentials=[PublicKeyCredentialDescriptor(row.credential) for row in there],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
        )
        ceremony = self._begin("new", account, options.challenge)
        return {"ceremony": ceremony, "publicKey": json.loads(options_to_json(options))}

    def make(self, account: str, ceremony: str, answer: dict[str, Any]) -> str:
        """Keep a new passkey; return the start of its id.

        Raises:
            PasskeyError: The answer does not hold.
        """
        challenge = self._end("new", account, ceremony)
        try:
            told = verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._desk.options.domain,
                expected_origin=self._desk.options.public_url,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            raise PasskeyError("the passkey's answer does not hold") from None
        name = hashlib.sha256(told.credential_id).hexdigest()
        with self._store.begin() as conn:
            if conn.execute(select(passkeys.c.id).where(passkeys.c.id == name)).first():
                raise PasskeyError("this passkey is known already")
            conn.execute(
                insert(passkeys).values(
                    id=name,
                    account=account,
                    credential=told.credential_id,
                    public=told.credential_public_key,
                    signs=told.sign_count,
                    made=self._store.clock.now(),
                )
            )
        return name[:16]

    # Signing in

    def ask(self) -> dict[str, Any]:
        """Return what a browser needs to sign in with any passkey of ours."""
        options = generate_authentication_options(
            rp_id=self._desk.options.domain,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        ceremony = self._begin("sign-in", "", options.challenge)
        return {"ceremony": ceremony, "publicKey": json.loads(options_to_json(options))}

    def check(self, ceremony: str, answer: dict[str, Any]) -> str:
        """Return the account whose passkey answered.

        Raises:
            PasskeyError: The answer does not hold, or the passkey is not known, or was copied.
        """
        challenge = self._end("sign-in", "", ceremony)
        try:
            credential = base64url_to_bytes(str(answer["rawId"]))
        except (KeyError, ValueError):
            raise PasskeyError("the passkey's answer does not hold") from None
        name = hashlib.sha256(credential).hexdigest()
        with self._store.read() as conn:
            row = conn.execute(select(passkeys).where(passkeys.c.id == name)).first()
        if row is None:
            raise PasskeyError("this passkey is not known")
        try:
            told = verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self._desk.options.domain,
                expected_origin=self._desk.options.public_url,
                credential_public_key=row.public,
                credential_current_sign_count=row.signs,
                require_user_verification=True,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            raise PasskeyError("the passkey's answer does not hold") from None
        with self._store.begin() as conn:
            values = {"signs": told.new_sign_count, "used": self._store.clock.now()}
            conn.execute(update(passkeys).where(passkeys.c.id == name).values(**values))
        return str(row.account)

    # Ceremonies

    def _begin(self, kind: str, account: str, challenge: bytes) -> str:
        token = secrets.token_urlsafe(32)
        now = self._store.clock.now()
        row = {"token": digest(token), "kind": kind, "account": account, "until": now + _LASTS}
        sealed = self._desk.secrets.seal(_SEALED, digest(token), challenge)
        with self._store.begin() as conn:
            conn.execute(delete(challenges).where(challenges.c.until <= now))
            if conn.execute(select(func.count()).select_from(challenges)).scalar_one() > 10_000:  # noqa: PLR2004  # bounded
                raise PasskeyError("too many people are signing in just now", todo="try again")
            conn.execute(insert(challenges).values(**row, sealed=sealed))
        return token

    def _end(self, kind: str, account: str, ceremony: str) -> bytes:
        """Return the challenge of a ceremony, once.

        Raises:
            PasskeyError: It is over, or another one's.
        """
        token = digest(ceremony)
        mine = (challenges.c.token == token, challenges.c.kind == kind)
        with self._store.begin() as conn:
            row = conn.execute(select(challenges).where(*mine)).first()
            conn.execute(delete(challenges).where(*mine))
        if row is None or row.account != account or row.until <= self._store.clock.now():
            raise PasskeyError("this took too long, or was done before")
        return self._desk.secrets.open(_SEALED, token, row.sealed)
