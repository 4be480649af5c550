"""The survey: what a header says of a person, gathered before anything is written.

A name that stands in one file of a study must be known when another file's description is cleaned,
so every header is read up to its pixel data first. What is found stays in memory.
"""

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Final

from safelight.deid.evidence import Evidence
from safelight.deid.profile import Option, Profile
from safelight.deid.text import Identity
from safelight.dicomio.charset import Charset, charset_of
from safelight.dicomio.dictionary import lookup
from safelight.dicomio.limits import Limits
from safelight.dicomio.runs import Book, Run
from safelight.dicomio.walker import (
    PIXEL_DATA,
    UNKNOWN_SEQUENCE,
    Budget,
    Buffer,
    Element,
    Walker,
)
from safelight.errors import UnreadableInputError

__all__ = ["NOTED", "PERSON_TAGS", "Surveyor", "aliases_of", "person_of", "same_person"]

_CHARSET: Final = 0x00080005
_STUDY: Final = 0x0020000D
_SERIES: Final = 0x0020000E
_NAME: Final = 0x00100010
_ID: Final = 0x00100020
_ISSUER: Final = 0x00100021
_BIRTH: Final = 0x00100030
NOTED: Final = frozenset((_CHARSET, _STUDY, _SERIES, _NAME, _ID, _ISSUER, _BIRTH))

_SUBJECT_NAMES: Final = frozenset((_NAME, 0x00100101, 0x00101001, 0x00101005, 0x00101060))
_IDS: Final = frozenset(
    (_ID, 0x00101000, 0x00101090, 0x00080050, 0x00380010, 0x00380060, 0x00402016, 0x00402017)
    + (0x00401001, 0x00400009, 0x00200010, 0x00400253, 0x00120040, 0x00120042, 0x00120099)
    + (0x00400512, 0x00400551, 0x0040050A, 0x004006FA, 0x22000005)  # of specimens and slides
)
_DEVICE: Final = frozenset((0x00181000, 0x00081010, 0x00181002, 0x00181003, 0x00181007, 0x00181008))
_DATES: Final = frozenset((_BIRTH, 0x00100033, 0x00100034))
_INSTITUTION: Final = frozenset((0x00080080, 0x00080081, 0x00081040, 0x00081041))
_PHRASES: Final = frozenset(
    (0x00101040, 0x00080092, 0x00321033, 0x00380400, 0x00400243, 0x00102152, 0x00400242)
    + (0x00120021, 0x00120031, 0x00120060, 0x00321021, 0x00321020, 0x00101050, 0x00102299)
)
_CONTACTS: Final = frozenset((0x00102154, 0x00102155, 0x00080094, 0x00402010, 0x0040A353))
_MAY_NAME: Final = frozenset((b"PN", b"SQ", b"UN", b""))
_SEEN_BYTES: Final = 1 << 20
_LONGEST: Final = 1024  # bytes: identifiers are short
_SEEN_MOST: Final = 200_000
_IDENTITIES_MOST: Final = 512
_DEEPEST: Final = 8
_POOR_BYTES: Final = 4096
_POOR_MOST: Final = 1000
_TAG_BYTES: Final = 4  # the longest of what makes a sequence worth entering

_WORDS: Final = re.compile(r"[^\W_]+")
_BETWEEN: Final = re.compile(r"[\^,]")
# What is written as an ID or a name where there is none.
_NONE: Final = frozenset(
    """
    NA ND NK UNK UNKNOWN UNDEFINED UNSPECIFIED UNNAMED UNIDENTIFIED UNASSIGNED NONE NIL NULL NAN
    NO NOT ID IDS NUMBER NAME NOID NONAME NOBODY GIVEN KNOWN AVAILABLE APPLICABLE PROVIDED ASSIGNED
    ENTERED EMPTY BLANK MISSING INVALID DEFAULT DUMMY TEMP TEMPORARY TEST TESTING TESTPATIENT
    PATIENT PATIENTID ANON ANONYM ANONYME ANONYMOUS ANONYMIZED ANONYMISED ANONYMOUSPATIENT ANONIMO
    DEIDENTIFIED HIDDEN REMOVED REDACTED UNBEKANNT INCONNU DESCONOCIDO SCONOSCIUTO
    """.split()  # noqa: SIM905  # a list of a hundred quoted words is harder to read
)
_REPEATED: Final = 3  # digits

Found = tuple[tuple[str, str], ...]  # (field of Identity, value)
_OfRun = tuple[tuple[tuple[int, bytes], ...], Found]  # values of NOTED tags, and what was found


PERSON_TAGS: Final = (_CHARSET, _NAME, _ID, _ISSUER, _BIRTH)


@functools.lru_cache(maxsize=1024)
def person_of(charset: bytes, name: bytes, patient_id: bytes, issuer: bytes, birth: bytes) -> str:
    """Return what tells a person from others: the ID and its issuer, else name and birth date.

    An ID that stands where there is none (``UNKNOWN``, ``0000``) tells nobody from others, and
    neither does such a name.

    Args:
        charset: Raw value of (0008,0005).
        name: Raw Patient's Name.
        patient_id: Raw Patient ID.
        issuer: Raw Issuer of Patient ID.
        birth: Raw Patient's Birth Date.
    """
    decode = charset_of(charset).decode
    plain = " ".join(decode(patient_id)[0].upper().replace("\0", " ").split())
    named = next(iter(_forms(decode(name)[0])), "")
    if plain and not _stands_for_none(plain) and not (named and _one_digit(plain)):
        return f"{plain}|{' '.join(decode(issuer)[0].upper().split())}"
    born = "".join(char for char in decode(birth)[0] if char.isdecimal())
    return f"|{named}|{born}" if named else ""


def _forms(name: str) -> list[str]:
    """Return a person name as it is compared, by each of its component groups that say one."""
    groups = [" ".join(_BETWEEN.sub(" ", each).split()) for each in name.upper().split("=")]
    return [each for each in groups if each and not _stands_for_none(each)]


def _stands_for_none(value: str) -> bool:
    """Tell whether an upper-case ID or name only fills its place."""
    words = _WORDS.findall(value)
    return not "".join(words).strip("0X") or "".join(words) in _NONE or _NONE.issuperset(words)


def _one_digit(plain: str) -> bool:
    """Tell whether an ID is one digit over and over; 1 or 22 may number a small collection."""
    return len(plain) >= _REPEATED and plain.isdecimal() and len(set(plain)) == 1


def _uid(raw: bytes) -> str:
    return raw.decode("ascii", "replace").strip(" \0")


def same_person(keys: Sequence[str]) -> dict[str, str]:
    """Return, for person keys without an issuer, the key with the one issuer seen for their ID.

    Args:
        keys: Of the inputs of one group, which share a study or an ID.
    """
    issuers: dict[str, set[str]] = {}
    for key in keys:
        plain, _, issuer = key.partition("|")
        if plain and issuer:
            issuers.setdefault(plain, set()).add(key)
    return {f"{plain}|": next(iter(found)) for plain, found in issuers.items() if len(found) == 1}


def aliases_of(evidence: Sequence[Evidence]) -> dict[str, str]:
    """Return, for person keys that say less than others of the same person, the key that counts.

    Those are keys without an issuer (``same_person``), and keys without an ID whose name is that
    of one person in the same study: with an ID, or else with a birth date.

    Args:
        evidence: Of the inputs of one group.
    """
    aliases = same_person([each.patient_key for each in evidence])
    studies: dict[str, dict[str, set[str]]] = {}  # the names of each key, by study
    for each in evidence:
        if each.patient_key and each.study_uid:
            key = aliases.get(each.patient_key, each.patient_key)
            names = studies.setdefault(each.study_uid, {}).setdefault(key, set())
            for name in each.identity.names:
                names.update(_forms(name))
    numbered: dict[str, set[str]] = {}
    dated: dict[str, set[str]] = {}
    for people in studies.values():
        unnumbered = [key for key in people if key.startswith("|")]
        for key in unnumbered:
            named = key[1:].rpartition("|")[0]
            same = [other for other in people.keys() - unnumbered if named in people[other]]
            numbered.setdefault(key, set()).update(same)
            if key.endswith("|"):
                later = [other for other in unnumbered if other != key and other.startswith(key)]
                dated.setdefault(key, set()).update(later)
    for found in (numbered, dated):
        for key, others in found.items():
            if len(others) == 1 and key not in aliases:
                other = next(iter(others))
                aliases[key] = aliases.get(other, other)
    return aliases


class Surveyor:
    """Gathers evidence; what it has seen once it does not decode again.

    Args:
        profile: What it retains is not gathered as something to be removed.
        limits: Bounds on one header.
        books: Runs known, by the walker of each encoding; shared with the second pass.
    """

    def __init__(self, profile: Profile, limits: Limits, books: Mapping[Walker, Book]) -> None:
        self._limits = limits
        self._books = books
        self._runs: dict[tuple[tuple[str, ...], Run], _OfRun] = {}
        self._seen: dict[tuple[tuple[str, ...], bytes], Found] = {}
        self._poor: dict[tuple[int, int], bytes] = {}  # sequences not worth entering
        # By the places in memory of what was found, which is kept beside and so stays there.
        self._identities: dict[tuple[int, ...], tuple[list[Found], Identity]] = {}
        phrases = set(_PHRASES)
        ids = set(_IDS)
        if Option.RETAIN_INSTITUTION_IDENTITY not in profile.options:
            phrases |= _INSTITUTION
        if Option.RETAIN_DEVICE_IDENTITY not in profile.options:
            ids |= _DEVICE
        self._fields = dict.fromkeys(ids, "ids")
        self._fields |= dict.fromkeys(phrases, "phrases")
        self._fields |= dict.fromkeys(_CONTACTS, "contacts")
        self._fields |= dict.fromkeys(_DATES, "dates")
        self._fields |= dict.fromkeys(_SUBJECT_NAMES, "names")
        # What a sequence in explicit VR must hold somewhere to be worth entering.
        groups: dict[bytes, list[bytes]] = {}
        for tag in sorted(self._fields):
            group, element = (tag >> 16).to_bytes(2, "little"), (tag & 0xFFFF).to_bytes(2, "little")
            groups.setdefault(re.escape(group), []).append(re.escape(element))
        tags = (group + b"(?:" + b"|".join(each) + b")" for group, each in groups.items())
        self._worth = re.compile(b"PN|UN|" + b"|".join(tags))

    def read(self, data: Buffer, begin: int, walker: Walker) -> tuple[Evidence, int]:
        """Return the evidence of one data set, and where the walk over its header ended.

        Raises:
            UnreadableInputError: The header cannot be walked (``OddEncodingError`` if a more
                lenient reader may still).
            LimitExceededError: It is too large or nested too deep.
        """
        budget = Budget(self._limits)
        segments = walker.segments(
            data, begin, len(data), budget, self._books[walker], stop_tag=PIXEL_DATA
        )
        charset = charset_of(b"")
        keys: dict[int, bytes] = {}
        found: list[Found] = []
        end = begin
        for segment in segments:
            if isinstance(segment, Run):
                end += segment.size
                run = self._runs.get((charset.terms, segment))
                if run is None:
                    run = self._of_run(segment, walker, charset, budget)
                noted, known = run
                for tag, raw in noted:
                    if not keys.get(tag):
                        keys[tag] = raw
            else:
                tag, vr, _start, value, value_stop, end = segment
                if tag in NOTED and not keys.get(
                    tag
                ):  # of a tag that stands twice the first counts
                    keys[tag] = data[value:value_stop]
                    if tag == _CHARSET:
                        charset = charset_of(keys[tag])
                if tag not in self._fields and vr not in _MAY_NAME:
                    continue
                known = self._of_element(data, segment, walker, charset, budget)
            if known:
                found.append(known)
        if len(self._seen) > _SEEN_MOST:
            self._seen.clear()
            self._runs.clear()
        person = person_of(*(keys.get(tag, b"") for tag in PERSON_TAGS))
        study, series = _uid(keys.get(_STUDY, b"")), _uid(keys.get(_SERIES, b""))
        return Evidence(person, study, self._identity(found), series), end

    def _identity(self, found: list[Found]) -> Identity:
        """Return all that was found; the same object for the same findings, so never changed."""
        key = tuple(map(id, found))
        known = self._identities.get(key)
        if known is not None:
            return known[1]
        identity = Identity()
        for each in found:
            for place, text in each:
                getattr(identity, place).add(text)
        if len(self._identities) >= _IDENTITIES_MOST:
            self._identities.clear()
        self._identities[key] = found, identity
        return identity

    def _of_run(self, run: Run, walker: Walker, charset: Charset, budget: Budget) -> _OfRun:
        found: list[tuple[str, str]] = []
        for element in run.elements:
            if element[0] in self._fields or element[1] in _MAY_NAME:
                found += self._of_element(run.raw, element, walker, charset, budget)
        noted = tuple((tag, raw) for tag, raw in run.values.items() if tag in NOTED)
        known = self._runs[charset.terms, run] = noted, tuple(found)
        return known

    def _of_element(
        self, data: Buffer, element: Element, walker: Walker, charset: Charset, budget: Budget
    ) -> Found:
        """Return what an element of ``_fields``, or of a VR that may name people, says of them."""
        tag, vr, start, _value, _value_stop, stop = element
        raw = data[start : min(stop, start + _SEEN_BYTES)]
        if vr == b"SQ" and not walker.big and self._is_barren(tag, raw):
            return ()
        key = (charset.terms, raw)
        known = self._seen.get(key)
        if known is None:
            known = tuple(self._look(data, element, walker, charset, budget, 0))
            if stop - start <= _SEEN_BYTES:
                self._seen[key] = known
        return known

    def _is_barren(self, tag: int, raw: bytes) -> bool:
        """Tell whether a sequence holds nothing that makes it worth entering.

        The sequences of a series differ in a UID or two: where one of the same length was searched
        before, only the bytes in which they differ, and their neighbours, are searched again.
        """
        size = len(raw)
        low, high = 0, size
        key = (tag, size)
        before = self._poor.get(key)
        if before is not None:
            differ = int.from_bytes(raw, "big") ^ int.from_bytes(before, "big")
            low = max(0, size - (differ.bit_length() + 7) // 8 - _TAG_BYTES)
            high = size - ((differ & -differ).bit_length() - 1) // 8 + _TAG_BYTES if differ else 0
        if self._worth.search(raw, low, high):
            return False
        if before is None and size <= _POOR_BYTES:
            if len(self._poor) >= _POOR_MOST:
                self._poor.clear()
            self._poor[key] = raw
        return True

    def _look(
        self,
        data: Buffer,
        element: Element,
        walker: Walker,
        charset: Charset,
        budget: Budget,
        depth: int,
    ) -> list[tuple[str, str]]:
        """Return what one element says of people, sequences entered."""
        tag, vr, _start, value, value_stop, _stop = element
        if tag & 0x10000:
            return []
        entry = None if tag in self._fields and vr != b"SQ" else lookup(tag)
        if vr == b"SQ" or (entry is not None and entry.vr == "SQ"):
            return self._enter(data, element, walker, charset, budget, depth)
        place = self._fields.get(tag, "")
        if not place:
            person = vr == b"PN" or (entry is not None and entry.vr == "PN")
            if not person:
                return []
            place = "people"
        if value_stop - value > _LONGEST:
            return []
        text = charset.decode(data[value:value_stop])[0]
        return [(place, part.strip()) for part in text.strip(" \0").split("\\") if part.strip()]

    def _enter(
        self,
        data: Buffer,
        element: Element,
        walker: Walker,
        charset: Charset,
        budget: Budget,
        depth: int,
    ) -> list[tuple[str, str]]:
        _tag, vr, _start, value, value_stop, _stop = element
        if depth >= _DEEPEST:
            return []
        inner = UNKNOWN_SEQUENCE if vr == b"UN" else walker
        found: list[tuple[str, str]] = []
        outer = charset
        try:
            for start, stop in inner.items(data, value, value_stop, budget, depth):
                elements = inner.elements(data, start, stop, budget, depth=depth + 1)
                charset = outer
                for child in elements:
                    if child[0] == _CHARSET:
                        charset = charset_of(data[child[3] : child[4]])
                    found += self._look(data, child, inner, charset, budget, depth + 1)
        except UnreadableInputError:
            return found  # the second pass decides what becomes of it
        return found
