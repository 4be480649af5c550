"""What a FHIR file says around an Observation: its person, specimen, reports, panel and order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from safelight.readers.labs import analytes, specimen
from safelight.readers.labs.fhir_graph import Graph, Held, a_dict, a_list, a_str, codings
from safelight.readers.labs.model import Person, Reason
from safelight.readers.labs.people import Birth, Lived, given, moment, sex_of

__all__ = ["Scene"]

_GONE: Final = {"entered-in-error", "cancelled", "revoked"}
_NO_LAB: Final = {  # categories of things that are no laboratory's
    *("vital-signs", "imaging", "exam", "social-history", "survey", "therapy", "activity"),
    *("procedure", "sdoh", "functional-status", "disability-status", "cognitive-status"),
}
_UP: Final = {"DiagnosticReport": "result", "Observation": "hasMember"}


def _texts(concept: Any) -> Iterator[str]:
    yield a_str(a_dict(concept).get("text"))
    for coding in codings(concept):
        yield a_str(coding.get("display"))
        yield a_str(coding.get("code"))


def _reference(told: Any) -> str:
    return a_str(a_dict(told).get("reference"))


@dataclass(slots=True)
class Scene:
    """One file, and what it says around each of its Observations."""

    graph: Graph
    told: Person
    _people: dict[tuple[Any, ...], int] = field(default_factory=dict)
    _ups: dict[int, list[Held]] = field(default_factory=dict)
    _faults: dict[int, Reason] = field(default_factory=dict)
    _other: dict[int, str] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], tuple[int, Birth]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        versions: dict[tuple[Any, ...], list[Held]] = {}
        for held in self.graph.every:
            versions.setdefault((held.kind, self.graph.who(held)), []).append(held)
            for told in a_list(held.resource.get(_UP.get(held.kind, ""))):
                for found in self.graph.find(held, _reference(told)):
                    self._ups.setdefault(found.number, []).append(held)
            if held.parent is not None and held.parent.kind in _UP:
                self._ups.setdefault(held.number, []).append(held.parent)
        for same in versions.values():
            self._faults |= _outdated(same)
        for held in self.graph.every:
            if {(held.scope, held.url), (held.scope, held.name)} & self.graph.deleted:
                self._faults[held.number] = Reason.RETRACTED
            self._other[held.number] = self._says_other(held)

    def laboratory(self, held: Held) -> bool:
        """Tell whether an Observation may be a laboratory's: by its category, or by its code."""
        each = held.resource
        said = {
            a_str(c.get("code")) for kind in a_list(each.get("category")) for c in codings(kind)
        }
        parts = [each, *map(a_dict, a_list(each.get("component")))]
        known = {a_str(c.get("code")) for part in parts for c in codings(part.get("code"))}
        return (
            not said & _NO_LAB
            or "laboratory" in said
            or not known.isdisjoint(analytes.known_codes())
        )

    def base(self, held: Held) -> Mapping[str, Any]:
        """Return the fields of a row that do not depend on its number."""
        clock = _clock(held.resource)
        when = moment(clock)
        person, birth = self._who(held)
        around = {self._other[held.number], *self._around(held)}
        return {
            "person": person,
            "group": clock,
            "when": when,
            "about": given(birth, when, self.told),
            "specimen": self._specimen(held),
            "context": tuple(sorted(around - {""})),
            "refused": self._refused(held),
            "corrects": bool(clock) and held.resource.get("status") in _GONE and not held.name,
        }

    def lived(self, held: Held) -> Lived | None:
        """Return how long the person had lived, where birth and time are known."""
        return Lived.of(self._who(held)[1].born, moment(_clock(held.resource)))

    def _says_other(self, held: Held) -> str:
        """Return words of a resource itself that say another specimen."""
        each = held.resource
        concepts = [each.get("code"), each.get("method"), each.get("bodySite")]
        concepts += a_list(each.get("category"))
        for concept in concepts:
            for text in _texts(concept):
                # the code of a test is no panel: UA may be uric acid
                if specimen.elsewhere(text, panel=held.kind != "Observation"):
                    return text
        return ""

    def _orders(self, held: Held) -> Iterator[Held]:
        for told in a_list(held.resource.get("basedOn")):
            yield from self.graph.find(held, _reference(told))

    def _above(self, held: Held) -> Iterator[Held]:
        """Yield reports, panels and orders that a result belongs to, and those that these do."""
        for each in (*self._ups.get(held.number, ()), *self._orders(held)):
            yield each
            yield from self._ups.get(each.number, ())
            yield from self._orders(each)

    def _around(self, held: Held) -> set[str]:
        return {self._other[each.number] for each in self._above(held)}

    def _refused(self, held: Held) -> Reason | None:
        if fault := self._faults.get(held.number):
            return fault
        if any(each.resource.get("status") in _GONE for each in (held, *self._above(held))):
            return Reason.RETRACTED
        return None

    def _subject(self, held: Held) -> tuple[Held, Mapping[str, Any]]:
        """Return who a result is of, and from where that is said: its own word, else a report's."""
        if own := a_dict(held.resource.get("subject")):
            return held, own
        found: dict[tuple[Any, ...], tuple[Held, Mapping[str, Any]]] = {}
        for each in self._above(held):
            if told := a_dict(each.resource.get("subject")):
                found[self._key(each, told)] = (each, told)
        return next(iter(found.values())) if len(found) == 1 else (held, {})

    def _key(self, source: Held, subject: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what tells a person from others of the file."""
        text = _reference(subject).partition("/_history/")[0]
        if not text:
            number = a_dict(subject.get("identifier"))
            said = (a_str(number.get("system")), a_str(number.get("value")))
            return ("said", source.scope, *said, a_str(subject.get("display")))
        found = self.graph.find(source, text)
        keys = {self.graph.who(each) for each in found}
        if len(keys) > 1:
            return ("unclear", source.scope, text)
        if not keys:
            if text.startswith("#"):
                return ("inside", (source.parent or source).number, text[1:])
            return ("whole", text) if ":" in text else ("own", source.scope, text)
        key = keys.pop()
        clash = key[0] == "whole" and self._several(str(key[1]))
        return (*key, source.scope) if clash else key

    def _several(self, url: str) -> bool:
        """Tell whether different people stand under one address in different Bundles."""
        return len({_said(each) for each in self.graph.under(url)}) > 1

    def _who(self, held: Held) -> tuple[int, Birth]:
        """Return the ordinal of the person of a result, and sex and birth as the file says."""
        source, subject = self._subject(held)
        text = _reference(subject)
        inside = (source.parent or source).number if text.startswith("#") else -1
        memo = (inside, source.scope, source.base, text) if text else (held.number,)
        if memo not in self._known:
            key = self._key(source, subject)
            number = self._people.setdefault(key, len(self._people) + 1)
            self._known[memo] = number, self._birth(source, subject)
        return self._known[memo]

    def _birth(self, source: Held, subject: Mapping[str, Any]) -> Birth:
        """Return sex and birth date, each only where all that the reference may mean agree."""
        found = self.graph.find(source, _reference(subject))
        births = [_said(each) for each in found if each.kind == "Patient"]
        sexes = {birth.sex for birth in births}
        days = {birth.born for birth in births}
        return Birth(
            sex=sexes.pop() if len(sexes) == 1 else "", born=days.pop() if len(days) == 1 else None
        )

    def _specimen(self, held: Held) -> str:
        """Return what was taken: as the result says, else as its reports do."""
        told = [(held, a_dict(held.resource.get("specimen")))]
        if not told[0][1]:
            told = [
                (each, a_dict(taken))
                for each in self._above(held)
                for taken in a_list(each.resource.get("specimen"))
            ]
        words: dict[str, None] = {}
        for source, taken in told:
            words[a_str(taken.get("display"))] = None
            for found in self.graph.find(source, _reference(taken)):
                words |= dict.fromkeys(_texts(found.resource.get("type")))
        return " ".join(filter(None, words))


def _clock(each: Mapping[str, Any]) -> str:
    for key in ("effectiveDateTime", "effectiveInstant"):
        if text := a_str(each.get(key)):
            return text
    return a_str(a_dict(each.get("effectivePeriod")).get("start"))


def _said(held: Held) -> Birth:
    born = moment(a_str(held.resource.get("birthDate")))
    return Birth(sex=sex_of(a_str(held.resource.get("gender"))), born=born.date() if born else None)


def _outdated(same: list[Held]) -> dict[int, Reason]:
    """Return what is wrong with versions of one resource: all but the newest are taken back.

    Where it cannot be told which is the newest, none of those that differ is used.
    """
    if all(each.resource == same[0].resource for each in same):
        return {}
    for key in ("versionId", "lastUpdated"):
        marks = [a_str(a_dict(each.resource.get("meta")).get(key)) for each in same]
        if key == "versionId" and not all(mark.isascii() and mark.isdigit() for mark in marks):
            continue
        ranks = [(len(mark.lstrip("0")), mark.lstrip("0")) for mark in marks]
        if key == "lastUpdated":
            ranks = [(0, mark if mark.endswith("Z") else "") for mark in marks]
        newest = max(ranks)
        if newest[1] and ranks.count(newest) == 1 and len(set(ranks)) == len(ranks):
            return {
                each.number: Reason.RETRACTED
                for each, rank in zip(same, ranks, strict=True)
                if rank != newest
            }
    return {each.number: Reason.DUPLICATE for each in same}
