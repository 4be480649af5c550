"""Every error a user can meet: what happened, to which input, what was kept, what to do.

No message may hold a value that could identify someone. An input is named by its code (a keyed
digest) or by the place inside it (a tag path); the terminal alone adds the path the user typed.
"""

from typing import ClassVar, Self

__all__ = [
    "AccessDeniedError",
    "ArchiveError",
    "BlindFirstError",
    "ConsentDeniedError",
    "ConsentError",
    "FederationError",
    "FeedbackError",
    "FeedbackLimitError",
    "FhirError",
    "KeyFileError",
    "LeakageError",
    "LearningError",
    "LimitExceededError",
    "LogError",
    "NeedsReviewError",
    "NotOfferedError",
    "OutOfReachError",
    "OutputError",
    "PolicyError",
    "QuarantineError",
    "ReceiptError",
    "RemoverMissingError",
    "SafelightError",
    "SettingsError",
    "UnreadableInputError",
    "WithdrawalError",
]


class SafelightError(Exception):
    """Base of all errors that Safelight raises on purpose.

    Args:
        what: One sentence, no full stop: what happened. Never a value from the input.
        place: Where in the input, e.g. ``(0008,1030)`` or ``frame 3``; empty when not applicable.
        kept: What was kept and where, e.g. ``the input is untouched``.
        todo: What the person can do next.
    """

    code: ClassVar[str] = "error"
    default_kept: ClassVar[str] = "the input is untouched; nothing was written"
    default_todo: ClassVar[str] = ""

    def __init__(self, what: str, *, place: str = "", kept: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.place = place
        self.kept = kept or self.default_kept
        self.todo = todo or self.default_todo

    def __str__(self) -> str:
        """Return the one-line form: what, and where inside the input."""
        return f"{self.what} (at {self.place})" if self.place else self.what

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        """Pickle by fields, so that a worker's error arrives whole."""
        return (_rebuild, (type(self), self.what, self.place, self.kept, self.todo))

    def unlisted(self, place: str = "") -> Self:
        """Return the error as it is where no list of a run holds the input.

        Args:
            place: The input, where the reader may see its name; put before the place inside it.
        """
        listed = self.kept in (QuarantineError.default_kept, NeedsReviewError.default_kept)
        advice = self.todo in (QuarantineError.default_todo, NeedsReviewError.default_todo)
        if not (place or listed or advice):
            return self
        return type(self)(
            self.what,
            place=", ".join(filter(None, (place, self.place))),
            kept=SafelightError.default_kept if listed else self.kept,
            todo="check the file at its source" if advice else self.todo,
        )

    def diagnostics(self, subject: str = "") -> str:
        """Return the full text for a person: what, to which input, what was kept, what to do.

        Args:
            subject: How to name the input to this reader (a path on their own terminal, or a code).
        """
        head = f"{subject}: {self}" if subject else str(self)
        lines = [head, f"  kept: {self.kept}"]
        if self.todo:
            lines.append(f"  to do: {self.todo}")
        return "\n".join(lines)


def _rebuild(
    cls: type[SafelightError], what: str, place: str, kept: str, todo: str
) -> SafelightError:
    return cls(what, place=place, kept=kept, todo=todo)


class QuarantineError(SafelightError):
    """The input cannot be handled safely; it goes to quarantine with this reason."""

    code = "quarantine"
    default_kept = "the input stays where it is and is listed in quarantine"
    default_todo = "check the file at its source; it was not passed on"


class UnreadableInputError(QuarantineError):
    """The input is not what it claims to be, is truncated, empty or cannot be parsed."""

    code = "unreadable"


class LimitExceededError(QuarantineError):
    """A size, depth, count or ratio limit was reached before memory or time was spent on it."""

    code = "limit"
    default_todo = "if the file is known to be good, raise the named limit in the settings"


class ArchiveError(QuarantineError):
    """A member of an archive is unsafe (a link, a path that leaves the archive, too many)."""

    code = "archive"


class NeedsReviewError(SafelightError):
    """The input was read, but what it holds cannot be proven harmless; it goes to review."""

    code = "review"
    default_kept = "the input stays where it is and is listed for review"
    default_todo = "look at it; release it by hand or leave it out"


class SettingsError(SafelightError):
    """A setting, preset or option is unknown or contradicts another."""

    code = "settings"
    default_todo = "correct it and give the command again"


class KeyFileError(SafelightError):
    """The project key is missing, unreadable, malformed or readable by others."""

    code = "key"


class OutputError(SafelightError):
    """The output cannot be written (disk full, no permission, inside the source)."""

    code = "output"
    default_kept = "no half-written file was left"


class AccessDeniedError(SafelightError):
    """This actor may not do this to this person's data; the refusal is in the access log."""

    code = "access"
    default_kept = "nothing was shown or changed; the attempt was logged"
    default_todo = "ask a steward for the role, or use break-glass if a life depends on it"


class ConsentDeniedError(SafelightError):
    """The person has not agreed to this use under this policy, or no longer does."""

    code = "consent-denied"
    default_kept = "nothing was used; the refusal was logged"
    default_todo = "ask the person, or leave their data out"


class ConsentError(SafelightError):
    """A statement about consent cannot be recorded as it was given."""

    code = "consent"
    default_kept = "nothing was recorded; consent stands as it stood"


class FhirError(SafelightError):
    """A FHIR resource is not valid, or says something that cannot be kept without loss."""

    code = "fhir"
    default_kept = "nothing was recorded; consent stands as it stood"


class PolicyError(SafelightError):
    """A policy document is malformed, or does not follow from the version before it."""

    code = "policy"
    default_kept = "nothing was published; the policies stand as they stood"


class RemoverMissingError(SafelightError):
    """A class of artefacts is in use that nothing knows how to remove."""

    code = "remover"
    default_kept = "nothing was started"
    default_todo = "install or register the part of Safelight that makes these artefacts"


class WithdrawalError(SafelightError):
    """A withdrawal is in force but not all of it could be carried out yet."""

    code = "withdrawal"
    default_kept = "every use is denied already; what was removed stays removed"
    default_todo = "give the same command again; it goes on where it stopped"


class StoreError(SafelightError):
    """The database or the object store cannot be used; the transaction was rolled back."""

    code = "store"
    default_kept = "nothing of this step was kept; what was stored before is whole"


class StoreBusyError(StoreError):
    """Another process holds the database, or a named lock, for longer than we wait."""

    code = "busy"
    default_todo = "try again; the step can be repeated without harm"


class StoreFullError(StoreError):
    """There is no room left for the database or for an object."""

    code = "full"
    default_todo = "make room, then try again; the step can be repeated without harm"


class MasterKeyError(SafelightError):
    """The master key is missing, malformed, readable by others, or not the one of this vault."""

    code = "master-key"
    default_kept = "nothing was overwritten; everything stays encrypted as it was"


class CorruptedError(SafelightError):
    """A stored object is not what was written: it was altered, cut, or swapped for another."""

    code = "corrupted"
    default_kept = "the object stays where it is, marked as quarantined; nothing was handed out"
    default_todo = "restore it from a backup; look for the cause on the storage"


class ErasedError(SafelightError):
    """The person's data were erased; there is no key any more."""

    code = "erased"
    default_kept = "nothing of this person is left to read"


class LogError(SafelightError):
    """The transparency log is not what was signed, or cannot be continued as it stands."""

    code = "log"
    default_kept = "nothing was added to the log and nothing was signed"
    default_todo = "run safelight log verify; it names the first bad place"


class BlindFirstError(AccessDeniedError):
    """A clinician asks for a reader's answer before their own impression is on record."""

    code = "blind-first"
    default_todo = "record your own impression first"


class FeedbackError(SafelightError):
    """Feedback cannot be recorded as it was given."""

    code = "feedback"
    default_kept = "nothing was recorded; what was said before stands"


class FeedbackLimitError(FeedbackError):
    """An account says more than one may in the time."""

    code = "feedback-limit"
    default_todo = "go on later; the limits stand in docs/feedback.md"


class FederationError(SafelightError):
    """A round between sites cannot be carried out, or its sum does not hold."""

    code = "federation"
    default_kept = "no sum was made and nothing was learnt from this round"


class OutOfReachError(FederationError):
    """The coordinator of a round does not answer now; asking again does no harm."""

    code = "out-of-reach"
    default_todo = "check its address and the way out of this site, then try again"


class LearningError(SafelightError):
    """A head cannot learn, be published or be verified as asked."""

    code = "learning"
    default_kept = "no head was changed; what is published stays as it is"


class LeakageError(LearningError):
    """The audit shows that a model would tell too much about who is in it."""

    code = "leakage"
    default_kept = "nothing was published; the version before stays in service"
    default_todo = "gather more contributors, or open a head on fewer features"


class NotOfferedError(LearningError):
    """What was asked for could not be forgotten exactly, so it is not done at all."""

    code = "not-offered"


class ReceiptError(SafelightError):
    """A receipt, or what should become one, does not hold."""

    code = "receipt"
    default_kept = "nothing was changed"
