"""Everything a route may reach for, made once when the server starts."""

import hmac
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row

from safelight.consent.roles import Act
from safelight.errors import StoreError
from safelight.pipeline.submissions import object_name
from safelight.types import Kind
from safelight.vault.originals import Originals
from safelight.web.accounts import Accounts
from safelight.web.desk import Desk
from safelight.web.items import Items
from safelight.web.labs import LABS
from safelight.web.limiter import Limiter
from safelight.web.metrics import Metrics
from safelight.web.parcels import Parcels
from safelight.web.passkeys import Passkeys
from safelight.web.rework import Rework
from safelight.web.scores import Board
from safelight.web.sessions import Sessions, Who

if TYPE_CHECKING:
    from safelight.web.pictures import Pictures

__all__ = ["Rooms"]

_GLANCE: Final = 600.0  # seconds in which looking again at the same thing is one look
_MOST_GLANCES: Final = 10_000
_MOST_HELD: Final = 96 << 20  # bytes of de-identified items that are kept to show more frames of


class Rooms:
    """The rooms behind one server.

    Args:
        desk: The house, the options and the secrets.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk: Final = desk
        self.options: Final = desk.options
        self.house: Final = desk.house
        self.store: Final = desk.house.store
        self.vault: Final = desk.house.vault
        self.custody: Final = desk.house.custody
        self.accounts: Final = Accounts(desk)
        self.sessions: Final = Sessions(desk, self.accounts)
        self.limiter: Final = Limiter(desk.options.rate)
        self.parcels: Final = Parcels(desk)
        self.items: Final = Items(desk)
        self.metrics: Final = Metrics()
        self.stopping = False
        self.workers_alive: Callable[[], int] = lambda: 0
        self.workers_stuck: Callable[[], bool] = lambda: False
        self.rework: Final = Rework(desk, self.items)
        self.passkeys: Final = Passkeys(desk)
        self.board: Final = Board(desk.house.custody)
        self._originals: Final = Originals(self.vault)
        self._token = desk.options.token if desk.options.desktop else ""
        self._lock = threading.Lock()
        self._glances: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self._shown: OrderedDict[tuple[str, int, bytes], tuple[int, Pictures]] = OrderedDict()

    def use_token(self, token: str) -> bool:
        """Tell whether this is the desktop's secret; it is good once."""
        with self._lock:
            right = bool(self._token) and hmac.compare_digest(token.encode(), self._token.encode())
            if right:
                self._token = ""
            return right

    def emergency(self, who: Who, person: str) -> datetime | None:
        """Return until when somebody may see a person's images in an emergency; None if not."""
        with self.store.read() as conn:
            return self.custody.accesses.emergency(conn, who.actor, Act.SEE_DERIVED, person)

    def glance(
        self,
        who: Who,
        act: Act,
        person: str,
        *,
        purpose: str,
        policy: str,
        about: str,
        glass: bool = False,
    ) -> None:
        """Let somebody see something of a person, logged once for ten minutes of looking.

        Roles and consent are asked each time. With ``glass``, an emergency lets them too.

        Raises:
            AccessDeniedError: They may not; the attempt is logged.
        """
        key = (who.token, str(act), about)
        now = time.monotonic()
        with self._lock:
            fresh = now - self._glances.get(key, -_GLANCE) < _GLANCE
        if fresh and who.owns(person) and who.may(act, person):
            return
        if fresh and who.may(act, person):
            with self.store.read() as conn:
                if self.custody.consents.may(conn, person, purpose, policy).allowed:
                    return
        if fresh and glass and self.emergency(who, person):
            return
        self.custody.accesses.check(
            who.actor, act, person, purpose=purpose, policy=policy, glass=glass
        )
        with self._lock:
            self._glances[key] = now
            while len(self._glances) > _MOST_GLANCES:
                self._glances.popitem(last=False)

    def original(self, item: Row[Any]) -> Iterator[bytes]:
        """Yield a file as it was handed in; into memory alone.

        Raises:
            StoreError: It is no longer there.
        """
        name = object_name(item.submission, item.position)
        if item.bytes > _MOST_HELD * 8:
            raise StoreError("it is too large to be shown", kept="nothing was changed")
        return self._originals.get(item.person, name)

    def pictures(self, item: Row[Any]) -> "Pictures":
        """Return the pictures of a de-identified item; the last few are kept open.

        Raises:
            StoreError: It is being worked on again, or waits for a person.
        """
        if item.state != "done":
            raise StoreError("there is no picture of this file now", kept="nothing was shown")
        key = (item.submission, item.position, item.manifest[-16:] if item.manifest else b"")
        with self._lock:
            held = self._shown.get(key)
            if held is not None:
                self._shown.move_to_end(key)
        if held is not None and self.vault.person_exists_or_erased(item.person) == "active":
            return held[1]
        from safelight.web.pictures import Pictures  # noqa: PLC0415  # start-up cost

        alone = self.items.manifest(item).get("profile") == LABS  # results in place of a picture
        kind = Kind.UNKNOWN if alone else self.items.kind(item)
        made = Pictures(kind, self.items.data(item))
        if item.bytes <= _MOST_HELD:
            with self._lock:
                self._shown[key] = (item.bytes, made)
                while sum(size for size, _ in self._shown.values()) > _MOST_HELD:
                    self._shown.popitem(last=False)
        return made
