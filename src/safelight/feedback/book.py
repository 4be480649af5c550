"""The book of feedback: what readers answered, and what people and clinicians said of it.

Nothing in it is ever changed: who changes their mind adds a line. Each line is committed to in the
transparency log in its own transaction, salted with the person's salt, and is recorded as an
artefact of the person whose image it is about; withdrawal takes it back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, insert

from safelight.consent.custody import Custody
from safelight.errors import BlindFirstError, FeedbackError, FeedbackLimitError
from safelight.feedback import opened
from safelight.feedback.door import Door, Limits
from safelight.feedback.looks import look
from safelight.feedback.notes import Event, Notes
from safelight.feedback.opened import Opened
from safelight.feedback.said import cleaned, shown, start_of, swayed, told_by, truth_of
from safelight.feedback.values import (
    Basis,
    Box,
    Case,
    Entry,
    Facts,
    Label,
    Told,
    Verdict,
    Voice,
    check_answer,
    subject,
)
from safelight.readers.reading import Answer, Code, Reading, family
from safelight.store.faults import reach
from safelight.store.ids import new_id
from safelight.store.schema.feedback import answers, cases, entries, impressions, reveals

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Book"]

_MAX_TEXT: Final = 4_000
_MAX_BOXES: Final = 50
_MAX_READERS: Final = 100
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


class Book:
    """The feedback of one store.

    Args:
        custody: Consent, roles, lineage, the vault and the log.
        limits: How much one account may say.
    """

    def __init__(self, custody: Custody, *, limits: Limits | None = None) -> None:
        self._custody = custody
        self._vault = custody.vault
        self._store = custody.store
        self._notes = Notes(custody)
        self._door = Door(custody, limits or Limits())

    # Cases

    def register(  # the fields of one case, by name
        self,
        person: str,
        reading: Reading,
        *,
        purpose: str,
        policy: str,
        picture: "np.ndarray[Any, Any] | None" = None,
        facts: Facts | None = None,
        parents: Sequence[str] = (),
        conn: Connection | None = None,
    ) -> str:
        """Take in that an image was read; return its case. The same image of a person is one case.

        Args:
            person: Code of whose image it is.
            reading: What the readers answered.
            purpose: For which it was read, such as ``care``.
            policy: Hash of the policy.
            picture: As displayed, uint8 (rows, columns): to know copies by.
            facts: Site, age, sex and the like, as far as known.
            parents: Artefacts it was made from.
            conn: The caller's write transaction; else one of its own.

        Raises:
            ConsentDeniedError: The person does not agree to the purpose.
        """
        seen = look(picture) if picture is not None else None
        given = facts or Facts()
        kept = {
            "digest": reading.source,
            "look": f"{seen:0256x}" if seen is not None else "",
            "facts": asdict(replace(given, age=start_of(given.age))),
        }
        told = [asdict(one) for one in told_by(reading)]
        if conn is not None:
            return self._register(conn, person, (purpose, policy), kept, told, parents)
        with self._store.begin() as own:
            return self._register(own, person, (purpose, policy), kept, told, parents)

    def _register(  # the parts of one case
        self,
        conn: Connection,
        person: str,
        use: tuple[str, str],
        kept: dict[str, Any],
        told: list[dict[str, Any]],
        parents: Sequence[str],
    ) -> str:
        self._custody.consents.require(conn, person, *use)
        mine = opened.of_person(self._vault, conn, person)
        known = [one.id for one in mine if one.digest == kept["digest"]]
        case = known[0] if known else new_id()
        now = self._store.clock.now()
        if not known:
            artefact = self._custody.lineage.record(
                conn,
                person=person,
                kind=opened.CASE,
                name=case,
                purpose=use[0],
                policy=use[1],
                parents=parents,
            )
            leaf = self._notes.commit(
                conn, person, "feedback.case", {"case": case, "purpose": use[0]}
            )
            sealed = self._notes.seal(conn, person, opened.CASE, case, kept | {"leaf": leaf[1]})
            row = {"id": case, "person": person, "at": now, "purpose": use[0], "policy": use[1]}
            conn.execute(
                insert(cases).values(**row, artefact=artefact, sealed=sealed, entry=leaf[0])
            )
        name = f"{case}/{now.isoformat()}"
        sealed = self._notes.seal(conn, person, opened.ANSWERS, name, {"told": told})
        conn.execute(insert(answers).values(case=case, person=person, at=now, sealed=sealed))
        reach("feedback.case.written")
        return case

    def case(self, conn: Connection, case: str) -> Case:
        """Return a case with every answer: for steps of the pipeline, never for a page.

        Pages show answers through ``uncover``.

        Raises:
            FeedbackError: There is none.
        """
        found = opened.open_case(self._vault, conn, case)
        if found is None:
            raise FeedbackError("there is no such case, or its person withdrew it")
        return found

    # Blind first

    def impress(self, account: str, case: str, about: str | Code, impression: str) -> int:
        """Put on record what a clinician thinks before they are shown the reader's answer.

        Args:
            account: Code of the clinician's account.
            case: The case.
            about: ``kind``, or a finding.
            impression: ``seen``, ``not seen``, a kind; ``cannot tell``.

        Returns:
            Index of the commitment in the transparency log.

        Raises:
            FeedbackError: It is on record already, or the answer was shown before.
            AccessDeniedError: The account is no clinician's, or consent is missing.
        """
        topic = subject(about)
        thought = (
            impression if impression == Answer.CANNOT_TELL else check_answer(topic, impression)
        )
        if not thought:
            raise FeedbackError("an impression is an answer, or 'cannot tell'")
        found = self._door.permitted(account, case)
        with self._store.begin() as conn:
            self._door.enter(conn, account, found, Voice.CLINICIAN)
            over = self._flooded(conn, account, case, topic)
            if not over:
                return self._impress(conn, found, topic, account, thought)
        raise FeedbackLimitError(f"this account said more than {over}")

    def _impress(self, conn: Connection, case: Case, topic: str, account: str, thought: str) -> int:
        if self._door.impression(conn, case, topic, account) is not None:
            raise FeedbackError("an impression is on record already and stays as it is")
        if self._door.was_shown(conn, case.id, topic, account):
            raise FeedbackError("the answer was shown to this account before")
        told = {"case": case.id, "about": topic, "by": account, "impression": thought}
        index, leaf = self._notes.commit(conn, case.person, "feedback.impression", told)
        value = {"impression": thought, "leaf": leaf}
        name = f"{case.id}/{topic}/{account}"
        sealed = self._notes.seal(conn, case.person, opened.IMPRESSION, name, value)
        row = {"case": case.id, "person": case.person, "about": topic, "account": account}
        now = self._store.clock.now()
        conn.execute(insert(impressions).values(**row, at=now, sealed=sealed, entry=index))
        reach("feedback.impression.written")
        return index

    def uncover(self, account: str, case: str, about: str | Code) -> tuple[Told, ...]:
        """Return what the readers answered about a subject, and note that it was shown.

        Raises:
            BlindFirstError: A clinician's own impression is not on record.
            AccessDeniedError: The account may not see it.
        """
        topic = subject(about)
        found = self._door.permitted(account, case)
        with self._store.begin() as conn:
            self._door.agreed(conn, found)
            own = self._door.is_own(conn, account, found.person)
            if not own and self._door.impression(conn, found, topic, account) is None:
                raise BlindFirstError("the reader's answer is shown after your own impression")
            if not self._door.was_shown(conn, case, topic, account):
                now = self._store.clock.now()
                row = {"case": case, "about": topic, "account": account, "at": now}
                conn.execute(insert(reveals).values(row))
        return tuple(one for one in found.told if one.about == topic)

    def impression(self, conn: Connection, account: str, case: str, about: str | Code) -> str:
        """Return an account's own impression; empty when none is on record."""
        return self._door.impression(conn, self.case(conn, case), subject(about), account) or ""

    # Feedback

    def give(  # noqa: PLR0913  # the fields of one line, by name
        self,
        account: str,
        case: str,
        about: str | Code,
        verdict: Verdict,
        *,
        voice: Voice,
        basis: Basis = Basis.OWN_READING,
        corrected: str = "",
        reader: str = "",
        readers: int = 1,
        region: Sequence[Box] = (),
        text: str = "",
    ) -> Entry:
        """Write down what somebody says of an answer.

        Args:
            account: Code of who says it.
            case: Of which case.
            about: ``kind``, or a finding.
            verdict: Right, needs work, or can't tell.
            voice: As whom.
            basis: What they know it from.
            corrected: What holds, where the answer needs work: ``seen``, ``not seen``, or a kind.
            reader: Whose answer, where several readers look for one finding.
            readers: How many agreed; at least 2 for a consensus.
            region: Where.
            text: Their words; what may identify anyone is taken out before they are kept.

        Raises:
            BlindFirstError: A clinician's own impression is not on record.
            FeedbackLimitError: The account says more than one may.
            FeedbackError: It contradicts itself, or there is no such case or answer.
            AccessDeniedError: They may not speak as this, or consent is missing.
        """
        topic = subject(about)
        self._check(voice, basis, readers, region, text)
        found = self._door.permitted(account, case)
        answer = shown(found, topic, reader)
        fields = {
            "voice": voice,
            "basis": basis,
            "verdict": verdict,
            "readers": readers,
            "reader": answer.reader,
            "version": answer.version,
            "shown": answer.answer,
            "truth": (truth := truth_of(answer, verdict, check_answer(topic, corrected))),
            "region": [asdict(box) for box in region],
            "text": cleaned(text),
        }
        with self._store.begin() as conn:
            self._door.enter(conn, account, found, voice)
            over = self._flooded(conn, account, case, topic)
            if not over:
                first = self._door.blind(conn, found, topic, account, voice)
                fields["swayed"] = swayed(voice, basis, first, truth)
                return self._write(conn, found, topic, account, fields)
        raise FeedbackLimitError(f"this account said more than {over}")

    def _flooded(self, conn: Connection, account: str, case: str, topic: str) -> str:
        """Return the limit that an account has reached, and note it; empty when none."""
        over = self._door.over(conn, account, case, topic)
        if over:
            self._notes.write(conn, "flood", who=account, detail={"limit": over})
        return over

    @staticmethod
    def _check(voice: Voice, basis: Basis, readers: int, region: Sequence[Box], text: str) -> None:
        """Refuse what cannot mean anything.

        Raises:
            FeedbackError: It contradicts itself.
        """
        many = voice == Voice.CONSENSUS
        if many != (readers > 1) or not 1 <= readers <= _MAX_READERS:
            raise FeedbackError("a consensus is one of 2 to 100 readers, anything else of one")
        if voice == Voice.PERSON and basis == Basis.OWN_READING:
            raise FeedbackError("a person says what a doctor found: by follow-up or pathology")
        if len(text) > _MAX_TEXT or len(region) > _MAX_BOXES:
            raise FeedbackError("the words or the regions are too many")

    def _write(
        self, conn: Connection, case: Case, topic: str, account: str, fields: dict[str, Any]
    ) -> Entry:
        name, now = new_id(), self._store.clock.now()
        told = {"id": name, "case": case.id, "about": topic, "by": account} | fields
        index, leaf = self._notes.commit(conn, case.person, "feedback.given", told)
        sealed = self._notes.seal(conn, case.person, opened.ENTRY, name, fields | {"leaf": leaf})
        row: dict[str, Any] = {"id": name, "case": case.id, "person": case.person, "about": topic}
        done: Any = conn.execute(
            insert(entries).values(**row, account=account, at=now, sealed=sealed, entry=index)
        )
        self._custody.lineage.record(
            conn,
            person=case.person,
            kind=opened.ENTRY,
            name=name,
            purpose=case.purpose,
            policy=case.policy,
            parents=(case.artefact,),
        )
        reach("feedback.entry.written")
        number = int(done.inserted_primary_key[0])
        boxes = tuple(Box(**box) for box in fields["region"])
        rest = fields | {"region": boxes}
        return Entry(number=number, **row, account=account, at=now, entry=index, **rest)

    # Looking back

    def of(self, conn: Connection, case: str) -> list[Entry]:
        """Return all that was said of a case, in the order it came: conflicts and all."""
        return opened.open_entries(self._vault, conn, case)

    def events(self, conn: Connection, *, limit: int = 1_000) -> list[Event]:
        """Return the scoreboard's log, the newest line first."""
        return self._notes.listed(conn, limit=limit)

    def open(self, conn: Connection) -> Opened:
        """Open the whole book: for the scoreboard and for learning."""
        return opened.open_all(self._vault, conn)

    def labels(
        self, conn: Connection, reader: str = "", *, about: str = "", provisional: bool = False
    ) -> Iterator[Label]:
        """Yield what learning may take images for: one label for each image and subject.

        Whether a person's image may teach is for their consent to say, at start and at commit.

        Args:
            conn: Any transaction; the write transaction where a head commits.
            reader: Of whose findings, those of its learnt versions too; empty for every subject.
            about: One subject alone: ``kind`` or ``SCHEME:VALUE``.
            provisional: Also what is not confirmed, with a weight below 1.0.
        """
        book = self.open(conn)
        told = (each for case in book.cases.values() for each in case.told)
        asked = {each.about for each in told if family(each.reader) == reader}
        for (image, topic), truth in sorted(book.truths.items()):
            if (about and topic != about) or (reader and topic not in asked):
                continue
            if truth.confirmed or (provisional and truth.weight > 0):
                case = book.cases[image]
                yield Label(
                    person=case.person,
                    case=case.id,
                    digest=case.digest,
                    artefact=case.artefact,
                    about=topic,
                    value=truth.value,
                    weight=truth.weight,
                    confirmed=truth.confirmed,
                    basis=truth.basis,
                    accounts=truth.accounts,
                )
