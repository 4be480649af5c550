"""From many voices to one truth: who counts how often, and what it takes to turn it over.

Rules, in the order the voices came:

- one account has one voice on a subject of an image, its latest; copies of an image are one image;
- an answer is confirmed once at least two accounts, a clinician among them, who together weigh at
  least 2.0, say the same, and weigh more than those who say otherwise;
- a confirmed answer stays until another one is confirmed by these same rules. So no single account
  can confirm, turn over or unsettle anything, whatever it says and how often.

Everything is computed from what is there: a voice that was taken back was never there.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from safelight.feedback.values import Basis, Entry, Voice

__all__ = ["ACCOUNTS", "QUORUM", "Truth", "fold"]

QUORUM: Final = 2.0  # clinicians' own blind readings
ACCOUNTS: Final = 2
_RANK: Final = (Basis.OWN_READING, Basis.FOLLOW_UP, Basis.PATHOLOGY)


@dataclass(slots=True, kw_only=True)
class Truth:
    """What holds about one subject of one image, as far as voices say.

    Attributes:
        image: First case of the image.
        about: The subject.
        value: The confirmed answer, or the heaviest while none is; empty when nobody says or two
            weigh the same.
        confirmed: Whether it is confirmed.
        since: Number of the entry that confirmed it; 0 when none did.
        voices: The latest voice of each account.
        against: For each account, how often it said something else than what was confirmed then.
        turned: For each account, how often it said something else than it had said before.
    """

    image: str
    about: str
    value: str = ""
    confirmed: bool = False
    since: int = 0
    voices: dict[str, Entry] = field(default_factory=dict)
    against: dict[str, int] = field(default_factory=dict)
    turned: dict[str, int] = field(default_factory=dict)

    @property
    def disputed(self) -> bool:
        """Whether voices that stand say different things."""
        return len({one.truth for one in self.voices.values() if one.truth}) > 1

    @property
    def weight(self) -> float:
        """What learning may give it: 1.0 when confirmed, else its share of the quorum below 1.0.

        Once confirmed it does not depend on who else joins in or objects.
        """
        if self.confirmed:
            return 1.0
        mine, rest = _weigh(self.voices.values(), self.value)
        return max(0.0, min(0.9, (mine - rest) / QUORUM)) if self.value else 0.0

    @property
    def basis(self) -> Basis:
        """The best basis behind the answer."""
        behind = [_RANK.index(one.basis) for one in self.voices.values() if one.truth == self.value]
        return _RANK[max(behind, default=0)]

    @property
    def accounts(self) -> tuple[str, ...]:
        """Who says so now, the first one first."""
        behind = (one for one in self.voices.values() if one.truth == self.value)
        return tuple(one.account for one in sorted(behind, key=lambda one: one.number))

    def hear(self, said: Entry) -> None:
        """Take the next voice in."""
        before = self.voices.get(said.account)
        if said.truth and before and before.truth and before.truth != said.truth:
            self.turned[said.account] = self.turned.get(said.account, 0) + 1
        if said.truth and self.confirmed and said.truth != self.value:
            self.against[said.account] = self.against.get(said.account, 0) + 1
        self.voices[said.account] = said
        values = {one.truth for one in self.voices.values() if one.truth}
        now = [value for value in sorted(values) if self._is_confirmed(value)]
        if now and not (self.confirmed and self.value in now):
            self.value, self.confirmed, self.since = now[0], True, said.number
        elif not self.confirmed:
            weights = sorted(
                ((_weigh(self.voices.values(), v)[0], v) for v in values), reverse=True
            )
            tied = len(weights) > 1 and weights[0][0] == weights[1][0]
            self.value = "" if tied or not weights else weights[0][1]

    def _is_confirmed(self, value: str) -> bool:
        """Return whether a value has its quorum; at most one has, since it outweighs the rest."""
        behind = [one for one in self.voices.values() if one.truth == value]
        if len(behind) < ACCOUNTS or all(one.voice == Voice.PERSON for one in behind):
            return False
        mine, rest = _weigh(self.voices.values(), value)
        return mine >= QUORUM and mine > rest


def _weigh(voices: Iterable[Entry], value: str) -> tuple[float, float]:
    """Return the weight behind a value, and behind all others together."""
    mine = rest = 0.0
    for one in voices:
        if one.truth == value:
            mine += one.weight
        elif one.truth:
            rest += one.weight
    return mine, rest


def fold(entries: Sequence[Entry], image: dict[str, str]) -> dict[tuple[str, str], Truth]:
    """Return what holds about each subject of each image.

    Args:
        entries: All that was said, in the order of their numbers.
        image: The first case of the image that each case shows (``looks.groups``).
    """
    truths: dict[tuple[str, str], Truth] = {}
    for said in _ordered(entries):
        key = image[said.case], said.about
        truths.setdefault(key, Truth(image=key[0], about=key[1])).hear(said)
    return truths


def _ordered(entries: Sequence[Entry]) -> Iterator[Entry]:
    yield from sorted(entries, key=lambda one: one.number)
