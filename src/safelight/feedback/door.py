"""What is asked of whoever speaks: role, the person's consent, their own view first, limits."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from safelight.consent.custody import Custody
from safelight.consent.roles import OWN, Act, Role
from safelight.errors import AccessDeniedError, BlindFirstError, FeedbackError
from safelight.feedback import opened
from safelight.feedback.values import Case, Voice
from safelight.store.schema.feedback import cases, entries, impressions, reveals

__all__ = ["Door", "Limits"]

_SPANS: Final = (("hour", timedelta(hours=1)), ("day", timedelta(days=1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one account may say: impressions and feedback together.

    Attributes:
        hour: In any 60 minutes.
        day: In any 24 hours.
        subject: About one subject of one case, ever.
    """

    hour: int = 240
    day: int = 1_000
    subject: int = 5


class Door:
    """Lets those in who may give feedback.

    Args:
        custody: Consent, roles, the vault.
        limits: How much one account may say.
    """

    def __init__(self, custody: Custody, limits: Limits) -> None:
        self._custody = custody
        self._vault = custody.vault
        self._store = custody.store
        self._limits = limits

    def permitted(self, account: str, case: str) -> Case:
        """Return a case to whoever may give feedback on it; the access is logged either way.

        Returns:
            The case, under the version of its policy that holds now.

        Raises:
            FeedbackError: There is no such case.
            AccessDeniedError: They may not.
        """
        with self._store.read() as conn:
            found = opened.open_case(self._vault, conn, case)
        if found is None:
            raise FeedbackError("there is no such case, or its person withdrew it")
        found = self._under(found)
        self._custody.accesses.check(
            account, Act.GIVE_FEEDBACK, found.person, purpose=found.purpose, policy=found.policy
        )
        return found

    def _under(self, case: Case) -> Case:
        """Return a case under the newest version of its policy that the person's consent reaches.

        A version that was narrowed since is no longer acted under; the consent it carried on is.
        """
        consents = self._custody.consents
        with self._store.read() as conn:
            if consents.may(conn, case.person, case.purpose, case.policy).allowed:
                return case
            name = consents.policy(conn, case.policy).name
            for version in reversed(consents.versions(conn, name)):
                if consents.may(conn, case.person, case.purpose, version.hash).allowed:
                    return replace(case, policy=version.hash)
        return case

    def enter(self, conn: Connection, account: str, case: Case, voice: Voice) -> None:
        """Ask again, inside the transaction that commits, for consent and for a role.

        Raises:
            ConsentDeniedError: The person does not, or no longer, agree.
            AccessDeniedError: The account has no role for this voice.
        """
        self.agreed(conn, case)
        self.voiced(conn, account, case, voice)

    def agreed(self, conn: Connection, case: Case) -> None:
        """Ask again inside the transaction that commits.

        Raises:
            ConsentDeniedError: The person does not, or no longer, agree.
            FeedbackError: The case went meanwhile.
        """
        self._custody.consents.require(conn, case.person, case.purpose, case.policy)
        if conn.execute(select(cases.c.id).where(cases.c.id == case.id)).first() is None:
            raise FeedbackError("there is no such case, or its person withdrew it")

    def is_own(self, conn: Connection, account: str, person: str) -> bool:
        """Tell whether an account is the person's own, or their guardian's."""
        held = self._custody.accesses.held(conn, account)
        return any(role in OWN and who == person for role, who in held)

    def voiced(self, conn: Connection, account: str, case: Case, voice: Voice) -> None:
        """Refuse a voice that the account has no role for.

        Raises:
            AccessDeniedError: It has none, or would confirm its own image as a clinician.
        """
        own = self.is_own(conn, account, case.person)
        held = self._custody.accesses.held(conn, account)
        clinician = any(role == Role.CLINICIAN and who in ("", case.person) for role, who in held)
        if not (own if voice == Voice.PERSON else clinician and not own):
            raise AccessDeniedError(f"this account does not speak as {voice} here")

    def blind(self, conn: Connection, case: Case, about: str, account: str, voice: Voice) -> str:
        """Return a clinician's own impression; empty for a person.

        Raises:
            BlindFirstError: There is none.
        """
        if voice == Voice.PERSON:
            return ""
        first = self.impression(conn, case, about, account)
        if first is None:
            raise BlindFirstError("feedback comes after your own impression")
        return first

    def impression(self, conn: Connection, case: Case, about: str, account: str) -> str | None:
        """Return what an account thought before it was shown the answer; None for nothing."""
        mine = (impressions.c.about == about, impressions.c.account == account)
        found = select(impressions.c.sealed).where(impressions.c.case == case.id, *mine)
        sealed = conn.execute(found).scalar()
        if sealed is None:
            return None
        name = f"{case.id}/{about}/{account}"
        read = self._vault.open_small(case.person, opened.IMPRESSION, name, sealed, conn)
        return str(json.loads(read)["impression"])

    @staticmethod
    def was_shown(conn: Connection, case: str, about: str, account: str) -> bool:
        """Tell whether an account was shown the answer."""
        mine = (reveals.c.case == case, reveals.c.about == about, reveals.c.account == account)
        return conn.execute(select(reveals.c.at).where(*mine)).first() is not None

    def over(self, conn: Connection, account: str, case: str, about: str) -> str:
        """Return the limit that an account has reached, in words; empty when none."""
        now = self._store.clock.now()
        for name, span in _SPANS:
            spoke = 0
            for table in (entries, impressions):
                mine = (table.c.account == account, table.c.at > now - span)
                found = select(func.count()).select_from(table).where(*mine)
                spoke += conn.execute(found).scalar_one()
            if spoke >= (limit := int(getattr(self._limits, name))):
                return f"{limit} times in one {name}"
        one = (entries.c.case == case, entries.c.about == about, entries.c.account == account)
        spoke = conn.execute(select(func.count()).select_from(entries).where(*one)).scalar_one()
        if spoke >= self._limits.subject:
            return f"{self._limits.subject} times about one subject of a case"
        return ""
