"""Publishing: from a ledger to a version in service, and from a void one to its successor.

What takes long (solving, the audit) is done outside of any transaction, on a ledger as it stood.
The transaction that publishes looks whether it still stands so and whether everybody in it still
agrees; else all of it begins again.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from safelight.consent.book import Consents
from safelight.consent.journal import Journal
from safelight.errors import LeakageError, LearningError, SettingsError
from safelight.learning import agreed, guard, holding
from safelight.learning.carding import measure
from safelight.learning.contributions import opened, sums_of
from safelight.learning.derive import SAMPLE, Served, derive
from safelight.learning.leakage import CHECKS, LIMITS, REFERENCES, Limits, audit
from safelight.learning.ledger import Ledger
from safelight.learning.ledgers import SERVED, HeadOf, head_of
from safelight.learning.noise import Budget, Noise, Noised, taught
from safelight.learning.planning import Plan, cases_of, left, sample, to_public
from safelight.learning.sights import known_of
from safelight.learning.spaces import LOCK, Spaces
from safelight.learning.taking import take_back
from safelight.learning.totals import with_totals
from safelight.learning.trial import cost, quality
from safelight.learning.versions import (
    Version,
    document_of,
    document_text,
    newest,
    note_text,
)
from safelight.readers.registry import registry
from safelight.store.faults import reach
from safelight.store.schema.consent import artefacts
from safelight.store.schema.learning import contributions, models
from safelight.tlog import Log
from safelight.vault import Vault

__all__ = ["LEAST_PEOPLE", "Publisher"]

LEAST_PEOPLE: Final = 10  # fewer, and a ledger's hash could be tried out with one person's image
_TRIES: Final = 5
FULL = (REFERENCES, CHECKS)  # models of reference, canaries looked at after deletion
# Of a successor's audit: it is the version that was audited in full, without a person, and somebody
# waits for the receipt.
BRIEF = (48, 320)


class Publisher:
    """Publishes versions of the heads of one store.

    Args:
        vault: An open vault.
        log: The transparency log of the same store.
        limits: What a version may tell at most about who is in it; ``leakage.LIMITS`` by default.
        least: People who must have contributed to it.

    Attributes:
        cost: What the noise of the last training cost: for the steward alone; see ``trial.cost``.
    """

    def __init__(
        self, vault: Vault, log: Log, *, limits: Limits | None = None, least: int = LEAST_PEOPLE
    ) -> None:
        self._vault = vault
        self._store = vault.store
        self._journal = Journal(vault, log)
        self._consents = Consents(vault, self._journal)
        self._limits = limits or LIMITS
        self._least = least
        self.cost: dict[str, dict[str, str]] = {}

    def train(
        self,
        name: str,
        *,
        represented: Mapping[str, Any] | None = None,
        noise: Noise | None = None,
    ) -> Version:
        """Publish the next version of a head from all that was contributed.

        Contributions whose consent has run out are taken off first; labels of accounts that all
        others speak against are held back.

        Args:
            name: Of the head.
            represented: How the cohort compares with its population, for the card; see ``cohort``.
            noise: What to promise each person; None: the version learns from the sums themselves.

        Raises:
            LearningError: Too few people contributed, or a class has no row.
            LeakageError: The audit says no.
            NotOfferedError: Noise would destroy the head, or was promised and is not asked for.
        """
        for _ in range(_TRIES):
            with self._store.read() as conn:
                head = with_totals(conn, self._vault, head_of(conn, name))
            self._drop_lapsed(head.id, None)
            plan = self._plan(head, noise)
            self._enough(plan)
            served, card = self._solved(plan)
            card["represented"] = dict(represented or {})
            reach("learning.publish.solved")
            if done := self._commit(plan, served, card):
                return done
        raise LearningError("the ledger keeps changing", todo="train again when it is quiet")

    def successor(self, wanted: str) -> Version | None:
        """Publish what is left of a version that somebody has left; None when nothing can be.

        Where too few people are left, or the audit says no, the head goes back to its public start
        and everything contributed waits for the next training.
        """
        for _ in range(_TRIES):
            with self._store.read() as conn:
                head = with_totals(conn, self._vault, head_of(conn, wanted))
                before = newest(conn, head.id)
            if before is None or before.state != "void":
                return before
            since = agreed.Mark(**before.card["agreed"])
            self._drop_lapsed(head.id, since)
            with self._store.read() as conn:
                plan = left(conn, self._vault, head, before)
            try:
                self._enough(plan)
                plan = self._again(plan)
                served, card = self._solved(plan, brief=True)
            except (LearningError, SettingsError):
                plan = to_public(plan)
                try:
                    nothing = (plan.contributed, plan.tested, plan.known)
                    served = derive(head.base, *nothing, head.recipe)
                except SettingsError:  # nothing public: nothing is in service until next training
                    return None
                card = {"audit": {}, "quality": {}}
            reach("learning.successor.solved")
            if done := self._commit(plan, served, card):
                return done
        raise LearningError("the ledger keeps changing", todo="give the same command again")

    def renew(self, name: str) -> Version | None:
        """Publish what follows from other totals of other sites than before; None when nothing can.

        A head that has no version yet begins with them, and what was contributed here waits.
        """
        for _ in range(_TRIES):
            with self._store.read() as conn:
                head = with_totals(conn, self._vault, head_of(conn, name))
                before = newest(conn, head.id)
            if before is not None:
                return self.successor(name)
            plan = replace(to_public(self._plan(head)), reason="federated")
            try:
                served = derive(head.base, plan.contributed, plan.tested, plan.known, head.recipe)
            except SettingsError:  # a class without a row
                return None
            if done := self._commit(plan, served, {"audit": {}, "quality": {}}):
                return done
        raise LearningError("the ledger keeps changing", todo="give the same command again")

    def denied(self, conn: Connection, head: str, person: str) -> bool:
        """Return whether something of a person is in a ledger without their consent."""
        use = (contributions.c.purpose, contributions.c.policy)
        mine = (contributions.c.head == head, contributions.c.person == person)
        uses = conn.execute(select(*use).where(*mine).distinct()).all()
        return any(not self._consents.may(conn, person, *one).allowed for one in uses)

    def _drop_lapsed(self, head: str, since: agreed.Mark | None) -> None:
        """Take off everybody who no longer agrees and has not been taken off yet."""
        with self._store.read() as conn:
            if not agreed.lapsed(conn, self._consents, head, since):
                return
        with self._store.lock(LOCK):
            with self._store.begin() as conn:
                ids = agreed.lapsed(conn, self._consents, head, since)
                found = select(contributions).where(contributions.c.id.in_(ids))
                rows = conn.execute(found.order_by(contributions.c.person)).all()
                if rows:
                    take_back(conn, self._vault, head, rows)
                    agreed.note_gone(conn, self._store.clock, head, ids)
                reach("learning.lapsed.written")
            Spaces(self._vault).sweep()

    def _again(self, plan: Plan) -> Plan:
        """Return the plan with new noise, where the version that somebody left had some.

        Raises:
            NotOfferedError: There is not enough left of the budget, or too few people.
        """
        if plan.before is None or not plan.before.card.get("noise"):
            return plan
        noise = Noise.of_card(plan.before.card["noise"])
        with self._store.read() as conn:
            budget = Budget.of(conn, plan.head.id)
            some = taught(conn, self._vault, plan.head)
        return plan.noisy(Noised.make(plan.head, some, noise, budget))

    def _plan(self, head: HeadOf, noise: Noise | None = None) -> Plan:
        """Return what may be published of all that was contributed."""
        with self._store.read() as conn:
            mark = agreed.mark(conn)
            ledger = Ledger(self._vault, conn, head.id)
            both = ledger.read("published") + ledger.read("pending")
            found = select(contributions).where(contributions.c.head == head.id)
            rows = conn.execute(found.order_by(contributions.c.person)).all()
            some = list(opened(self._vault, conn, rows))
            before, number = newest(conn, head.id), ledger.number()
            budget = Budget.of(conn, head.id)
            released = holding.accounts(conn, head.id, "released")
            held = holding.accounts(conn, head.id, "held")
        found_now = holding.suspected(head, both, some, held, released)
        if found_now:
            holding.hold_all(self._vault, self._journal, head, found_now)
            held |= {one.account for one in found_now}
        out = [one for one in some if not guard.stands(one, held)]
        in_it = [one for one in some if guard.stands(one, held)]
        kept = sums_of(both, out)
        ours = sample([one for one in in_it if one.role == "calibrate"], both.width)
        known = sample([one for one in in_it if one.role == "learn"], both.width)
        budget.check(noise)
        made = Plan(
            head=head,
            number=number,
            mark=mark,
            before=before,
            contributed=both - kept,
            kept=kept,
            held=frozenset(one.id for one in out),
            tested=ours,
            known=known,
            cases=cases_of(in_it, ours, known),
            people=len({one.person for one in in_it}),
            shares=guard.shares(in_it),
            reason="trained",
        )
        if noise is None:
            return made
        noised = Noised.make(head, in_it, noise, budget)
        self.cost = cost(head, made.contributed, noised.sums, made.tested)
        return made.noisy(noised)

    def _enough(self, plan: Plan) -> None:
        if plan.people < self._least:
            raise LearningError(
                f"{plan.people} people contributed, and {self._least} are needed",
                todo="wait for more; their images stay in the ledger",
            )

    def _solved(self, plan: Plan, *, brief: bool = False) -> tuple[Served, dict[str, Any]]:
        """Return what follows from a plan, and the numbers for its card.

        Raises:
            LeakageError: The audit says no.
        """
        head, recipe = plan.head, plan.head.recipe
        if plan.shown is not None:  # the promise is in place of an audit, and of what would undo it
            served = derive(head.base, plan.shown.sums, plan.tested, plan.known, recipe)
            told = {"audit": {}, "quality": quality(head, served, plan.tested)}
            return served, told | {"noise": plan.shown.card} | self._measured(plan, served)
        sums = head.base.statistics + plan.contributed
        served = derive(head.base, plan.contributed, plan.tested, plan.known, recipe)
        fixed = replace(recipe, ridge=max(served.head.ridges))
        seed = int(served.head.statistics[:12], 16)
        references, checks = BRIEF if brief else FULL
        found = audit(sums, fixed, plan.known, seed=seed, references=references, checks=checks)
        if why := found.why_not(self._limits):
            numbers = ", ".join(f"{name} {value}" for name, value in found.told().items())
            raise LeakageError(why, place=numbers)
        card = {
            "audit": found.told(),
            "quality": quality(head, served, plan.tested),
            "ridges": [repr(one) for one in served.head.ridges],
        }
        if plan.shares is not None:
            accounts, largest = plan.shares
            card["labels"] = {"accounts": accounts, "largest_part": f"{largest:.4f}"}
        return served, card | self._measured(plan, served)

    def _measured(self, plan: Plan, served: Served) -> dict[str, Any]:
        """Return the card that the version answers with, or why it answers nobody."""
        head = plan.head
        parent = next((one for one in registry().readers if one.name == head.name), None)
        if parent is None:
            return {"reader": "", "here": "", "why_no_reader": "no reader has this head's name"}
        label = head.base.statistics.classes[-1]
        known = known_of(self._store, self._vault, plan.cases, plan.known, plan.tested, label=label)
        sums = plan.shown.sums if plan.shown else plan.contributed
        rows = int(sums.counts.sum())
        made = measure(head, served, known, parent=parent.card, version=plan.version, rows=rows)
        text = made.card.to_bytes().decode() if made.card is not None else ""
        return {"reader": text, "here": made.here, "why_no_reader": made.why_not}

    def _commit(self, plan: Plan, served: Served, card: dict[str, Any]) -> Version | None:
        """Publish, unless the ledger or somebody's consent has changed meanwhile: then None."""
        with self._store.lock(LOCK), self._store.begin() as conn:
            ledger = Ledger(self._vault, conn, plan.head.id)
            stale = ledger.number() != plan.number
            if stale or agreed.lapsed(conn, self._consents, plan.head.id, plan.mark):
                return None
            self._move(conn, ledger, plan)
            made = self._insert(conn, ledger, plan, served, card)
            reach("learning.publish.written")
        reach("learning.published")
        return made

    def _move(self, conn: Connection, ledger: Ledger, plan: Plan) -> None:
        """Bring sums and rows to where the plan has them."""
        mine = contributions.c.head == plan.head.id
        nobody = not plan.contributed.counts.sum() and plan.reason != "trained"
        event = "returned" if nobody else "published"
        parts = {"published": plan.contributed, "pending": plan.kept}
        now = self._store.clock.now()
        rows = conn.execute(select(func.count()).select_from(contributions).where(mine)).scalar()
        count = (rows or 0) - len(plan.held)
        ledger.write(parts, event=event, count=count, space=ledger.space, at=now)
        part = "pending" if nobody else "published"
        if plan.reason == "trained" or nobody:
            conn.execute(update(contributions).where(mine).values(part=part))
            held = sorted(plan.held)
            for start in range(0, len(held), SAMPLE):
                some = contributions.c.id.in_(held[start : start + SAMPLE])
                conn.execute(update(contributions).where(mine, some).values(part="pending"))

    def _insert(
        self,
        conn: Connection,
        ledger: Ledger,
        plan: Plan,
        served: Served,
        card: dict[str, Any],
    ) -> Version:
        head, before = plan.head, plan.before
        sums, people = plan.contributed, plan.people
        if plan.shown is not None:  # how many they are is told with noise, too
            sums = plan.shown.sums
            people = int(sums.counts.sum()) // int(plan.shown.card["rows_of_a_person"])
        document = document_of(head, sums, served, people=people)
        text = document_text(document)
        card = card | {"agreed": {"said": plan.mark.said, "policies": plan.mark.policies}}
        row = {"head": head.id, "version": plan.version, "state": "published", "document": text}
        digest = hashlib.sha256(text.encode()).hexdigest()
        fields = {
            "head": head.name,
            "version": plan.version,
            "model": digest,
            "ledger": document["ledger"],
            "before": before.hash if before else "",
            "card": hashlib.sha256(card.get("reader", "").encode()).hexdigest(),
            "reason": plan.reason,
        }
        leaf = self._journal.public(conn, "model.published", fields)
        card = card | {"leaf": leaf.to_bytes().decode()}
        note = ""
        if self._journal.log.can_sign:
            note = self._journal.log.sign(note_text(head.name, digest))
        mine = (models.c.head == head.id, models.c.state == "published")
        conn.execute(update(models).where(*mine).values(state="retired", served=None))
        sealed = self._vault.seal_small(ledger.space, SERVED, head.id, served.to_bytes(), conn)
        values = row | {"note": note, "card": json.dumps(card, sort_keys=True)}
        now = self._store.clock.now()
        conn.execute(insert(models).values(**values, entry=leaf.index, served=sealed, made=now))
        found = select(models).where(models.c.head == head.id, models.c.version == plan.version)
        made = Version.of(conn.execute(found).one())
        theirs_too = select(contributions.c.person).where(
            contributions.c.head == head.id, contributions.c.part == "published"
        )
        theirs = (artefacts.c.kind == "model", artefacts.c.object == head.id)
        alive = (artefacts.c.removed_at.is_(None), artefacts.c.person.in_(theirs_too))
        conn.execute(update(artefacts).where(*theirs, *alive).values(digest=made.name))
        return made
