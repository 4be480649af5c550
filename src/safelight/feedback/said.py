"""From a reading and a verdict to what holds according to whoever gave it."""

from typing import Final

from safelight.errors import FeedbackError
from safelight.feedback.values import (
    KIND,
    Basis,
    Case,
    Told,
    Verdict,
    Voice,
    age_band,
    subject,
)
from safelight.readers.reading import Answer, Reading

__all__ = ["cleaned", "shown", "start_of", "swayed", "told_by", "truth_of"]

_NOT_ASKED: Final = frozenset({Answer.NOT_MY_KIND})


def told_by(reading: Reading) -> tuple[Told, ...]:
    """Return what a reading says, subject by subject: the kind first, then each reader asked."""
    kind = reading.kind.kind
    what = Told(reader=KIND, version=reading.software, about=KIND, answer=str(kind or ""))
    findings = (
        Told(
            reader=one.reader,
            version=one.version,
            about=subject(one.finding),
            answer=str(one.answer),
            alpha=one.alpha,
            p_seen=one.p_seen,
            p_not_seen=one.p_not_seen,
            score=one.score,
            state=str(one.state),
            card=one.card,
        )
        for one in reading.findings
        if one.answer not in _NOT_ASKED
    )
    return (what, *findings)


def start_of(age: float | None) -> float | None:
    """Return the first year of an age's band: no more of an age is kept."""
    band = age_band(age)
    return float(band.rstrip("+").split("-")[0]) if band else None


def shown(case: Case, about: str, reader: str = "") -> Told:
    """Return the answer that feedback is about: the newest of a reader.

    Raises:
        FeedbackError: No reader, or more than one, answered.
    """
    fitting = [one for one in case.told if one.about == about and reader in ("", one.reader)]
    if not fitting:
        raise FeedbackError("no reader answered this about the case")
    if len({one.reader for one in fitting}) > 1:
        raise FeedbackError("more than one reader answered this", todo="say which one is meant")
    return fitting[-1]


def truth_of(answer: Told, verdict: Verdict, corrected: str) -> str:
    """Return what holds according to a verdict; empty when it does not say.

    An answer that is right holds, when it was one. An answer that needs work may be wrong in other
    ways than in itself (its place, its words): what holds then is only what was said to.

    Raises:
        FeedbackError: The verdict and the correction contradict each other.
    """
    if verdict == Verdict.CANNOT_TELL:
        if corrected:
            raise FeedbackError("who can't tell does not correct")
        return ""
    if verdict == Verdict.RIGHT:
        if corrected and corrected != answer.answer:
            raise FeedbackError("an answer that is right needs no correction")
        return answer.answer if answer.decided else ""
    if corrected and corrected == answer.answer:
        return corrected  # right in itself; its place or its words need work
    return corrected


def swayed(voice: Voice, basis: Basis, first: str, truth: str) -> bool:
    """Return whether a clinician's own reading follows the answer they were shown.

    What a report or a later look tells is no echo of the answer.
    """
    own = voice != Voice.PERSON and basis == Basis.OWN_READING
    return bool(own and truth and first != truth)


def cleaned(text: str) -> str:
    """Return words without what may identify anyone."""
    if not text.strip():
        return ""
    from safelight.deid.text import (  # noqa: PLC0415  # start-up cost
        Identity,
        Mode,
        Needles,
        TextCleaner,
    )

    return TextCleaner(Needles.compile(Identity())).clean(text, Mode.NARRATIVE).text.strip()
