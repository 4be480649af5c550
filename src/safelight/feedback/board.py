"""How often each reader is right and wrong by confirmed feedback, counted image by image."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from safelight.feedback.opened import Opened
from safelight.feedback.rates import Rate
from safelight.feedback.values import KIND, Case, Told
from safelight.readers.reading import Answer

__all__ = ["BANDS", "DIMENSIONS", "NOT_GIVEN", "Scored", "Slice", "scored", "slices"]

NOT_GIVEN: Final = "not given"
DIMENSIONS: Final = ("site", "age", "sex", "month")
# Five-year bands are too fine for a public page; these are unions of them.
BANDS: Final = ((0, "0-19"), (20, "20-39"), (40, "40-59"), (60, "60-79"), (80, "80+"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One reader's answer about one image, and what is confirmed of it.

    Attributes:
        reader: Its name; ``kind`` for what the image is.
        version: Of the reader.
        about: The subject.
        image: First case of the image.
        at: When it was read.
        confirmed_at: When the truth was confirmed; None when it is not.
        truth: What is confirmed; empty for nothing.
        told: The answer.
        site: Where, ``not given`` where nothing is known; likewise the others.
        age: Twenty-year band.
        sex: ``F``, ``M``, ``O``.
        month: ``2026-11``.
    """

    reader: str
    version: str
    about: str
    image: str
    at: datetime
    confirmed_at: datetime | None
    truth: str
    told: Told
    site: str
    age: str
    sex: str
    month: str

    @property
    def right(self) -> bool:
        """Whether it answered, and what is confirmed."""
        return bool(self.truth) and self.told.decided and self.told.answer == self.truth

    @property
    def wrong(self) -> bool:
        """Whether it answered something else than what is confirmed."""
        return bool(self.truth) and self.told.decided and self.told.answer != self.truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """Counts of one part of the images.

    Attributes:
        images: Read by this version; copies count once.
        answered: Of them, with an answer.
        abstained: The others, by what was said instead.
        confirmed: Images whose truth is confirmed.
        right: Answers that are what is confirmed.
        wrong: Answers that are not.
        missed: Told "not seen", of those confirmed to have it: what the reader's promise is about.
        false_alarms: Told "seen", of those confirmed not to have it.
    """

    images: int
    answered: int
    abstained: dict[str, int]
    confirmed: int
    right: int
    wrong: int
    missed: Rate
    false_alarms: Rate

    @property
    def agreement(self) -> Rate:
        """Right answers, of those answered and confirmed."""
        return Rate(count=self.right, of=self.right + self.wrong)


def scored(book: Opened) -> list[Scored]:
    """Return each reader's answer about each image, in the order they were read."""
    found: dict[tuple[str, str, str, str], Scored] = {}
    when = {entry.number: entry.at for entry in book.entries}
    for case in book.cases.values():
        image = book.image[case.id]
        for told in case.told:
            key = told.reader, told.version, told.about, image
            if key in found:
                continue  # a copy of an image that this version has read before
            truth = book.truths.get((image, told.about))
            sure = truth is not None and truth.confirmed
            found[key] = Scored(
                reader=told.reader,
                version=told.version,
                about=told.about,
                image=image,
                at=case.at,
                confirmed_at=when[truth.since] if truth and sure else None,
                truth=truth.value if truth and sure else "",
                told=told,
                site=case.facts.site or NOT_GIVEN,
                age=_band(case),
                sex=case.facts.sex or NOT_GIVEN,
                month=f"{case.at:%Y-%m}",
            )
    return list(found.values())


def _band(case: Case) -> str:
    age = case.facts.age
    if age is None:
        return NOT_GIVEN
    return next(name for start, name in reversed(BANDS) if age >= start)


def counted(rows: Sequence[Scored]) -> Slice:
    """Return the counts of some answers."""
    abstained = Counter(row.told.answer or "not sure" for row in rows if not row.told.decided)
    have = [row for row in rows if row.truth == Answer.SEEN]
    have_not = [row for row in rows if row.truth == Answer.NOT_SEEN]
    return Slice(
        images=len(rows),
        answered=sum(row.told.decided for row in rows),
        abstained=dict(sorted(abstained.items())),
        confirmed=sum(bool(row.truth) for row in rows),
        right=sum(row.right for row in rows),
        wrong=sum(row.wrong for row in rows),
        missed=_told(have, Answer.NOT_SEEN),
        false_alarms=_told(have_not, Answer.SEEN),
    )


def _told(rows: Sequence[Scored], answer: Answer) -> Rate:
    return Rate(count=sum(row.told.answer == answer for row in rows), of=len(rows))


def slices(rows: Sequence[Scored], dimension: str) -> dict[str, Slice]:
    """Return the counts of each part of a dimension, one of ``DIMENSIONS``."""
    parts: dict[str, list[Scored]] = {}
    for row in rows:
        parts.setdefault(str(getattr(row, dimension)), []).append(row)
    return {name: counted(parts[name]) for name in sorted(parts)}


def versions(rows: Iterable[Scored]) -> Iterator[tuple[tuple[str, str], list[Scored]]]:
    """Yield the answers of each version of each reader; the kind comes last."""
    parts: dict[tuple[str, str], list[Scored]] = {}
    for row in rows:
        parts.setdefault((row.reader, row.version), []).append(row)
    for key in sorted(parts, key=lambda one: (one[0] == KIND, one)):
        yield key, parts[key]
