"""The engine: survey what is known of a person, then take it out, one input at a time."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from safelight.deid.context import Context, Subject
from safelight.deid.decision import Decided
from safelight.deid.dicom import WALKERS, DicomCleaner
from safelight.deid.evidence import Evidence
from safelight.deid.kinds import cleaner_of
from safelight.deid.load import load
from safelight.deid.manifest import describe
from safelight.deid.photos import KINDS as PHOTOS
from safelight.deid.profile import Profile
from safelight.deid.pseudonyms import ProjectKey
from safelight.deid.residual import Residual
from safelight.deid.survey import Surveyor, aliases_of
from safelight.deid.table import compile_table
from safelight.deid.text import Identity, Needles, TextCleaner
from safelight.dicomio.envelope import Envelope, inflate, read_envelope
from safelight.dicomio.lenient import normalise
from safelight.dicomio.limits import Limits
from safelight.dicomio.walker import Buffer, OddEncodingError
from safelight.errors import (
    LimitExceededError,
    QuarantineError,
    SettingsError,
    UnreadableInputError,
)
from safelight.types import Action, Deidentified, Kind, Original

if TYPE_CHECKING:
    from safelight.deid.looking import Seen, Stretch
    from safelight.deid.retouch import Retoucher
    from safelight.deid.showing import Show

__all__ = ["Engine"]

_HEADER_BYTES: Final = 1 << 15
_CONTEXTS: Final = 64
_CODES: Final = 10_000
_NOBODY: Final = Evidence()


class Engine:
    """Takes the identity out of inputs under one key and profile.

    Args:
        key: The project key.
        profile: What is to be done.
        limits: What one input may cost.
        pixels: Look at pictures too. The profile then asks for both pixel options.
        mask: Boxes masked by hand in every picture (``pixels.handmade``), looked at or not.
        mask_file: File of boxes masked by hand.

    Raises:
        SettingsError: The boxes cannot be read.
    """

    def __init__(
        self,
        *,
        key: ProjectKey,
        profile: Profile,
        limits: Limits | None = None,
        pixels: bool = False,
        mask: str = "",
        mask_file: str = "",
    ) -> None:
        self.key = key
        self.profile = profile.with_pixels() if pixels else profile
        self.limits = limits or Limits()
        self.pixels = pixels
        self._retoucher: Retoucher | None = None
        self._by_hand = (mask, mask_file)
        if mask or mask_file:
            self._retouch()
        self._dicom = DicomCleaner(
            compile_table(self.profile),
            self.limits,
            pixels=self._retouch if pixels or mask or mask_file else None,
            looks=pixels,
        )
        self._surveyor = Surveyor(self.profile, self.limits, self._dicom.books)
        self._codes: dict[str, str] = {}
        self._contexts: dict[tuple[str, str], Context] = {}

    def _retouch(self) -> "Retoucher":
        """Return what looks at pictures; numpy and the models come with it."""
        if self._retoucher is None:
            from safelight.deid.retouch import ByHand, Retoucher  # noqa: PLC0415  # start-up cost

            by_hand = ByHand.read(self._by_hand[0], self._mask_file())
            self._retoucher = Retoucher(self.limits, by_hand, looks=self.pixels)
        return self._retoucher

    def _mask_file(self) -> bytes | None:
        """Return what the file of boxes holds; None without one.

        Raises:
            SettingsError: It cannot be read.
        """
        path = self._by_hand[1]
        try:
            return _whole(path, self.limits) if path else None
        except QuarantineError as error:
            raise SettingsError(
                f"the mask file cannot be used: {error.what}", place=path, todo="check its path"
            ) from error

    def by_hand_digest(self) -> str:
        """Return what changes with the boxes that were given by hand; empty without any."""
        mask, path = self._by_hand
        content = self._mask_file() or b""
        return self.key.digest(mask.encode() + b"\0" + content) if mask or path else ""

    def stretch(self) -> "Stretch | None":
        """Return an empty stretch for inputs that are looked at together; None without pixels."""
        return self._retouch().looker.stretch() if self.pixels else None

    def see(
        self, source: str | Original, stretch: "Stretch", *, kind: Kind = Kind.DICOM
    ) -> "Seen | None":
        """Look at the pictures of one input of a series, before any of them is decided.

        Args:
            source: Path of a file, or bytes.
            stretch: What is looked at together.
            kind: What it is, when ``source`` is a path.

        Returns:
            What ``deidentify`` wants to know of it; None when it has no pictures or is looked at
            alone.

        Raises:
            QuarantineError: It cannot be read.
            NeedsReviewError: Its pictures cannot be looked at.
        """
        if isinstance(source, Original):
            kind = source.kind
        if kind is not Kind.DICOM:
            return None
        data = source.reveal() if isinstance(source, Original) else load(source)[0]
        return self._dicom.see(data, stretch)

    def survey(
        self, source: str | Original, *, kind: Kind = Kind.DICOM, head: bytes = b""
    ) -> Evidence:
        """Return what one input says of its person; nothing for kinds without a header of names.

        Args:
            source: Path of a file, or bytes.
            kind: What it is, when ``source`` is a path.
            head: The first 32 KiB of the file, or all of it if it is shorter, when they have been
                read already.

        Raises:
            QuarantineError: It cannot be read.
        """
        if isinstance(source, Original):
            kind = source.kind
        if kind is not Kind.DICOM:
            return _NOBODY
        if isinstance(source, Original):
            return self._survey(source.reveal())
        head = head or _head(source)
        if len(head) < _HEADER_BYTES:
            return self._survey(head)
        try:
            return self._read(head, read_envelope(head, self.limits), whole=False)
        except (_IncompleteError, UnreadableInputError):
            return self._survey(load(source)[0])

    def _survey(self, data: Buffer) -> Evidence:
        try:
            return self._read(data, read_envelope(data, self.limits), whole=True)
        except OddEncodingError:
            plain = normalise(data, self.limits)
            return self._read(plain, read_envelope(plain, self.limits), whole=True)

    def _read(self, data: Buffer, envelope: Envelope, *, whole: bool) -> Evidence:
        start = envelope.start
        if envelope.encoding.deflated:
            if not whole:
                raise _IncompleteError("a deflated data set is read whole")
            data, start = inflate(data, start, self.limits), 0
        walker = WALKERS[envelope.encoding.implicit, envelope.encoding.big]
        evidence, end = self._surveyor.read(data, start, walker)
        if not whole and end + 8 > len(data):
            raise _IncompleteError("the header goes on")
        return evidence

    def subject(self, evidence: Sequence[Evidence]) -> Subject:
        """Return the person that a group of inputs is about.

        Args:
            evidence: Of all inputs of the group, the person's own first. Where they name several
                persons (one study under two IDs), the values of all are looked for in each
                input, and each input keeps the pseudonym of the person it names.
        """
        identity = Identity()
        for each in evidence:
            identity.update(each.identity)
        needles = Needles.compile(identity)
        keys = [each.patient_key for each in evidence if each.patient_key]
        aliases = aliases_of(evidence)
        first = aliases.get(keys[0], keys[0]) if keys else ""
        if not first:
            first = next((f"study|{each.study_uid}" for each in evidence if each.study_uid), "")
        same = sorted(f"{key}\t{other}" for key, other in aliases.items())
        values = "\n".join((*identity.digest_tokens(), *same)).encode("utf-8", "surrogateescape")
        code = self._code(first)
        return Subject(
            code=code,
            patient_id=code,
            patient_name=code,
            shift_days=self.key.shift_days(first),
            needles=needles,
            cleaner=TextCleaner(needles),
            aliases=aliases,
            digest=self.key.digest(values),
        )

    def _code(self, person: str) -> str:
        code = self._codes.get(person)
        if code is None:
            if len(self._codes) > _CODES:
                self._codes.clear()
            code = self._codes[person] = "SL" + self.key.code("patient", person, 10)
        return code

    def deidentify(
        self,
        source: str | Original,
        subject: Subject,
        *,
        kind: Kind = Kind.DICOM,
        header_only: bool = False,
        seen: "Seen | None" = None,
        show: "Show | None" = None,
    ) -> Deidentified:
        """Return the checked output of one input.

        Args:
            source: Path of a file, or bytes.
            subject: Of the group the input belongs to.
            kind: What it is, when ``source`` is a path.
            header_only: A DICOM image may come without its pixel data. Bytes and files that do
                may have been cut off, and go to review.
            seen: What ``see`` saw in its pictures; without it they are looked at alone.
            show: Is given pictures of what was found, before and after.

        Raises:
            QuarantineError: It cannot be handled safely.
            NeedsReviewError: It was read, but cannot be proven harmless.
        """
        if isinstance(source, Original):
            kind = source.kind
        if kind is Kind.DICOM:
            data, path = (source.reveal(), "") if isinstance(source, Original) else load(source)
            return self._dicom.clean(
                data,
                path,
                lambda own: self._context(subject, own),
                header_only=header_only,
                seen=seen,
                show=show,
            )
        if not isinstance(source, Original):
            source = Original(_whole(source, self.limits), kind=kind)
        return self._other(source, self._context(subject, ""), show)

    def _context(self, subject: Subject, own: str) -> Context:
        """Return the context; an object that names a person of its own gets that person's."""
        own = subject.aliases.get(own, own)
        code = self._code(own) if own else subject.code
        found = self._contexts.get((subject.digest, code))
        if found is None or found.subject.needles is not subject.needles:
            if code != subject.code:
                shift = self.key.shift_days(own)
                subject = replace(
                    subject, code=code, patient_id=code, patient_name=code, shift_days=shift
                )
            if len(self._contexts) >= _CONTEXTS:
                del self._contexts[next(iter(self._contexts))]
            found = Context(
                key=self.key,
                profile=self.profile,
                subject=subject,
                limits=self.limits,
                looked=self.pixels,
            )
            self._contexts[subject.digest, code] = found
        return found

    def _other(self, original: Original, ctx: Context, show: "Show | None") -> Deidentified:
        """Clean what is not DICOM, then sweep the whole of it."""
        pixels: list[Action] = []
        notes: list[str] = []
        if self.pixels or any(self._by_hand):
            if original.kind in PHOTOS:
                original, pixels = self._retouch().photo(original, ctx, show)
            elif original.kind in (Kind.NIFTI, Kind.NIFTI_GZ):
                original, pixels, notes = self._retouch().volume(original, ctx, show)
        cleaned = cleaner_of(original.kind)(original, ctx)
        notes += cleaned.notes
        cleaned = replace(cleaned, actions=[*pixels, *cleaned.actions], notes=notes)
        residual = Residual(ctx)
        residual.sweep(cleaned.parts, original.kind.value, pixels=False)
        done = [Decided(None, [(a.place, a.rule, a.action, a.digest)]) for a in cleaned.actions]
        actions = ",".join(
            json.dumps([a.place, a.rule, a.action, a.digest]) for a in cleaned.actions
        )
        told = describe(ctx, actions=actions, notes=tuple(cleaned.notes))
        return residual.seal(original.kind, cleaned.parts, told, [each.acts for each in done])


class _IncompleteError(Exception):
    """The first bytes of a file do not hold its whole header."""


def _head(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return os.read(descriptor, _HEADER_BYTES)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnreadableInputError(f"it cannot be read ({error.strerror})") from error


def _whole(path: str, limits: Limits) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(limits.decoded_bytes + 1)
    except OSError as error:
        raise UnreadableInputError(f"it cannot be read ({error.strerror})") from error
    if len(data) > limits.decoded_bytes:
        raise LimitExceededError(f"it is larger than {limits.decoded_bytes} bytes")
    return data
