"""Wrong labels on purpose, through the whole way: feedback, gathering, training, the log."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from feedback_fixtures import Clinic, reading
from learning_fixtures import CLASSES, HEAD, RECIPE, base, images
from safelight.feedback import Limits
from safelight.feedback.scoreboard import Scoreboard
from safelight.learning import holding
from safelight.learning.contributions import Contribution, sums_of
from safelight.learning.gather import gather_confirmed, keep_features
from safelight.learning.guard import shares, stands, suspects
from safelight.learning.ledgers import Ledgers, head_of
from safelight.learning.publish import Publisher
from safelight.learning.verify import verify
from safelight.learning.versions import Version
from safelight.readers.reading import Answer
from safelight.store import Store

PEOPLE, EACH = 10, 8
FLIPPED = 4  # images: 5 % of all
SAME = ("ledger", "weights", "tested", "known")
ANSWERS = (Answer.NOT_SEEN, Answer.SEEN)


class Told(Clinic):
    """A clinic whose images keep their features, and whose truth is known here."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, clinicians=6, limits=Limits(hour=9_999, day=9_999))
        Ledgers(self.custody).open(HEAD, base=base(), recipe=RECIPE)
        self.truth: dict[str, Answer] = {}
        self._next = 0

    def image(self, person: str, seed: int) -> str:
        """Let a person hand in one image; return its case."""
        (row,), (label,) = images(1, seed)
        self._next += 1
        truth = ANSWERS[CLASSES.index(label)]
        case = self.case(self._next, truth, person=person)
        self.truth[case] = truth
        assert keep_features(
            self.custody,
            person=person,
            digest=reading(self._next).source,
            version="test-1",
            features=row,
            policy=self.policy,
        )
        return case

    def confirm(self, case: str, accounts: Sequence[str], *, flip: bool = False) -> None:
        """Let accounts say what holds, or its contrary."""
        truth = self.truth[case]
        said = ANSWERS[1 - ANSWERS.index(truth)] if flip else truth
        for account in accounts:
            self.says(account, case, said)

    def train(self) -> Version:
        """Gather what is confirmed, and publish."""
        gather_confirmed(self.custody, HEAD)
        return Publisher(self.custody.vault, self.custody.log).train(HEAD)

    def noted(self) -> set[tuple[str, str]]:
        """Return kinds and accounts of the scoreboard's log."""
        Scoreboard(self.custody, self.book).update()
        with self.custody.store.read() as conn:
            return {(one.kind, one.who) for one in self.book.events(conn)}

    def held(self) -> set[str]:
        """Return the accounts whose labels are held."""
        with self.custody.store.read() as conn:
            return holding.accounts(conn, head_of(conn, HEAD).id, "held")


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Told]:
    """Give 80 images of 10 people that two of three clinicians agree on, by turns."""
    with Store.at(tmp_path / "data") as store:
        made = Told(store)
        honest = made.clinicians[:3]
        for number in range(PEOPLE):
            person = made.person()
            for each in range(EACH):
                case = made.image(person, 1_000 * number + each)
                turn = (number + each) % 3
                made.confirm(case, [honest[turn], honest[turn - 1]])
        yield made


def test_labels_flipped_by_one_and_by_two_change_no_published_head_and_are_seen(
    clinic: Told,
) -> None:
    evil, *pair = clinic.clinicians[3:]
    clean = clinic.train()
    assert clean.card["labels"]["accounts"] == 3
    assert float(clean.card["labels"]["largest_part"]) < 0.4
    known = list(clinic.truth)
    for case in known[:FLIPPED]:  # against what two have confirmed: 5 % of all labels
        clinic.confirm(case, [evil], flip=True)
    stranger = clinic.person()
    for seed in range(FLIPPED):  # and where nobody else has looked
        clinic.confirm(clinic.image(stranger, 90_000 + seed), [evil], flip=True)
    made = clinic.train()
    for name in SAME:
        assert made.document[name] == clean.document[name]
    assert ("against-confirmed", evil) in clinic.noted()
    assert clinic.held() == set()
    for seed in range(4 * FLIPPED):  # two of one mind, where nobody else has looked
        clinic.confirm(clinic.image(stranger, 95_000 + seed), pair, flip=True)
    again = clinic.train()
    for name in SAME:
        assert again.document[name] == clean.document[name]
    assert clinic.held() == set(pair)
    assert {("labels-held", account) for account in pair} <= clinic.noted()
    assert verify(clinic.custody, HEAD).problems == ()


def said(*accounts: str, seed: int = 1, flip: bool = False) -> Contribution:
    """Return a label that accounts stand behind."""
    (row,), (label,) = images(1, seed)
    told = CLASSES[1 - CLASSES.index(label)] if flip else label
    return Contribution(
        id=f"{seed}",
        person="p",
        part="pending",
        role="learn",
        accounts=accounts,
        label=told,
        weight=1,
        case="",
        features=row,
    )


def test_two_who_are_right_elsewhere_are_found_by_what_they_say_together() -> None:
    """Each agrees with honest ones on many images; together they slip sixteen in."""
    honest = [said("a", "b", seed=n) for n in range(60)]
    honest += [said("a", "evil", seed=100 + n) for n in range(30)]
    honest += [said("b", "other", seed=200 + n) for n in range(30)]
    start = base().statistics
    clean = start + sums_of(start, honest)
    assert suspects(clean, RECIPE, honest) == ()
    both = honest + [said("evil", "other", seed=300 + n, flip=True) for n in range(16)]
    sums = start + sums_of(start, both)
    found = suspects(sums, RECIPE, both)
    assert [one.account for one in found] == ["evil", "other"]
    assert all(one.rows == 16 for one in found)
    assert suspects(sums, RECIPE, both, {"evil", "other"}) == ()


def test_a_label_stands_while_two_who_are_not_held_say_so() -> None:
    assert stands(said("a", "b", "c"), {"a"})
    assert not stands(said("a", "b"), {"a"})
    assert stands(said("a"), set())
    assert not stands(said("a"), {"a"})
    accounts, largest = shares([said("a", "b"), said("a", "c"), said("b", "c", "d")])
    assert accounts == 4
    assert largest == pytest.approx(1 / 3)
    assert shares([]) == (0, 0.0)
