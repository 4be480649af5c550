"""Who may be asked at this moment: readers of the package, plug-ins, and learnt versions.

Readers know nothing of learning, nor of the scoreboard; here they are joined. Without a vault there
are the readers that were installed, and nothing holds them back but their own gate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from safelight.readers.reading import Reading, State, family

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from safelight.consent.custody import Custody
    from safelight.learning.answering import Answering
    from safelight.pipeline.house import Places
    from safelight.readers.registry import Registry
    from safelight.readers.site import SiteStatus

__all__ = ["Panel", "Panels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Readers, and what holds them back.

    Attributes:
        registry: All of them.
        held: What the scoreboard lets them do, by name, where it is less than validated.
        site: For which of them this place is validated; None: nothing is known of it.
    """

    registry: "Registry"
    held: Mapping[str, State] = field(default_factory=dict)
    site: "SiteStatus | None" = None

    @classmethod
    def installed(cls) -> "Panel":
        """Return the readers that were installed."""
        from safelight.readers.registry import registry  # noqa: PLC0415  # start-up cost

        return cls(registry=registry())

    @classmethod
    def at(cls, places: "Places") -> "Panel":
        """Return the readers of a house, opened for this alone.

        Raises:
            StoreError: There is none, or it cannot be opened.
            MasterKeyError: Its key is missing, or another one's.
            KeyFileError: The log's key is missing.
        """
        from safelight.pipeline.house import House  # noqa: PLC0415  # start-up cost

        with House.open(places) as house:
            return Panels(house.custody).now()

    @property
    def learnt(self) -> frozenset[str]:
        """Names of the learnt versions among the readers."""
        names = (one.name for one in self.registry.readers)
        return frozenset(name for name in names if name != family(name))


class Panels:
    """Joins what is installed to what one store has learnt.

    Args:
        custody: Everything about consent in the store.
    """

    def __init__(self, custody: "Custody") -> None:
        self._custody = custody
        self._answering: Answering | None = None

    def now(self) -> Panel:
        """Return who may be asked now; what is no longer in service is not among them."""
        from safelight.feedback.book import Book  # noqa: PLC0415  # start-up cost
        from safelight.feedback.scoreboard import Scoreboard  # noqa: PLC0415  # as above
        from safelight.learning.answering import Answering  # noqa: PLC0415  # as above
        from safelight.readers.registry import registry  # noqa: PLC0415  # as above

        self._answering = self._answering or Answering(self._custody)
        learnt = self._answering.now()
        joined = registry().joined(learnt.readers)
        joined = replace(joined, broken=joined.broken + learnt.broken)
        versions = {reader.name: reader.card.release for reader in joined.readers}
        board = Scoreboard(self._custody, Book(self._custody))
        with self._custody.store.read() as conn:
            held = board.states(conn, versions)
        return Panel(registry=joined, held=held, site=learnt.site)

    @staticmethod
    def left(conn: "Connection", reading: Reading) -> Reading:
        """Return a reading without answers of learnt versions that are not in service any more.

        Asked in the transaction that keeps a reading: whoever withdrew while an image was read has
        taught none of the answers that are kept.
        """
        from safelight.learning.answering import in_service  # noqa: PLC0415  # start-up cost

        if all(one.reader == family(one.reader) for one in reading.findings):
            return reading
        now = in_service(conn)
        kept = tuple(
            one for one in reading.findings if one.reader == family(one.reader) or one.reader in now
        )
        return reading if len(kept) == len(reading.findings) else replace(reading, findings=kept)
