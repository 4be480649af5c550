"""What learning may need of an image that was read: its features, of those who agree, and no more.

They are written before the transaction that keeps the reading, and named in it; consent to
``train-a-model`` is asked at both. What is not named is discarded.
"""

from typing import TYPE_CHECKING

from sqlalchemy import Connection

from safelight.consent.custody import Custody
from safelight.errors import SafelightError
from safelight.pipeline.submissions import use_of
from safelight.vault import Stored

if TYPE_CHECKING:
    from safelight.readers.reading import Reading
    from safelight.readers.view import View

__all__ = ["Keeping"]


class Keeping:
    """Features of the images of one submission, between being read and being kept.

    Args:
        custody: Everything about consent in one store.
    """

    def __init__(self, custody: Custody) -> None:
        self._custody = custody
        self._waiting: dict[str, list[Stored]] = {}

    def prepare(self, person: str, name: str, view: "View | None", reading: "Reading") -> None:
        """Write the features of an image, where a reader is made for it and its person agrees.

        Beside them goes what shortcuts see of it, for the card of what is learnt.

        Args:
            person: Code of the person.
            name: Of the de-identified object.
            view: What was read; None when it could not be.
            reading: What was said of it.
        """
        from safelight.learning import sights  # noqa: PLC0415  # start-up cost
        from safelight.learning.gather import write_features  # noqa: PLC0415  # as above
        from safelight.readers import makers  # noqa: PLC0415  # as above
        from safelight.readers.asking import Seen  # noqa: PLC0415  # as above
        from safelight.readers.linear import fixed_version  # noqa: PLC0415  # as above
        from safelight.readers.registry import registry  # noqa: PLC0415  # as above

        mine = [one for one in registry().readers if one.kind == reading.kind.kind]
        if view is None or not mine:
            return
        # A head that was opened over the usual features goes on with them, whatever its reader has.
        versions = {fixed_version()} | {one.card.features for one in mine}
        with self._custody.store.read() as conn:
            policy = use_of(conn, name.rpartition("-")[0])[1]
            if not self._custody.consents.may(conn, person, "train-a-model", policy).allowed:
                return
        try:
            seen = Seen(view, reading.kind.kind)
            made = {
                one: seen.features(one) for one in sorted(versions) if makers.find(one) is not None
            }
            made[sights.VERSION] = sights.seen_of(seen.picture())
        except SafelightError:  # the reading says why it has no picture
            return
        for version, rows in made.items():
            stored = write_features(
                self._custody,
                person=person,
                digest=view.digest,
                version=version,
                features=rows,
                policy=policy,
            )
            if stored is not None:
                self._waiting.setdefault(name, []).append(stored)

    def keep(self, conn: Connection, name: str, parent: str, policy: str) -> None:
        """Name what was written, in the transaction that keeps the reading.

        Args:
            conn: The write transaction.
            name: Of the de-identified object.
            parent: Its artefact.
            policy: Hash of the policy it was read under.
        """
        from safelight.learning.gather import record_features  # noqa: PLC0415  # start-up cost

        waiting = self._waiting.pop(name, [])
        left = [
            stored
            for stored in waiting
            if not record_features(self._custody, conn, stored, policy=policy, parents=(parent,))
        ]
        if left:
            self._waiting[name] = left

    def clear(self) -> None:
        """Discard what was written and not kept."""
        for waiting in self._waiting.values():
            for stored in waiting:
                self._custody.vault.discard(stored)
        self._waiting.clear()
