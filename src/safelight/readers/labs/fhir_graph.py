"""The resources of a FHIR file, and what their references mean.

``#p`` is a resource inside the same one, ``Patient/1`` one of the same Bundle, and a whole address
one of the file. What could be two different resources is not known.
Source: HL7 FHIR R4 (4.0.1), References 2.3.0, Bundle 2.36.4 (resolving references in bundles).
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from safelight.errors import LimitExceededError

__all__ = ["Graph", "Held", "a_dict", "a_list", "a_str", "codings"]

_RESOURCES: Final = 200_000
_FILE: Final = -1  # the scope of whole addresses


def a_dict(value: Any) -> Mapping[str, Any]:
    """Return an object, an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def a_list(value: Any) -> list[Any]:
    """Return a list, an empty one where it is none."""
    return value if isinstance(value, list) else []


def a_str(value: Any) -> str:
    """Return a text, an empty one where it is none."""
    return value if isinstance(value, str) else ""


def codings(concept: Any) -> list[Mapping[str, Any]]:
    """Return the codings of a CodeableConcept."""
    return [a_dict(each) for each in a_list(a_dict(concept).get("coding"))]


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """One resource: where it stands, in which Bundle, and in which other one it is contained."""

    number: int
    place: str
    scope: int
    url: str
    resource: Mapping[str, Any]
    parent: "Held | None" = None

    @property
    def kind(self) -> str:
        """The type of the resource."""
        return a_str(self.resource.get("resourceType"))

    @property
    def name(self) -> str:
        """``Patient/1``, empty without an id."""
        own = a_str(self.resource.get("id"))
        return f"{self.kind}/{own}" if own else ""

    @property
    def base(self) -> str:
        """The address before ``Patient/1``, where the entry tells it."""
        root = self.parent or self
        whole = root.url and root.name and root.url.endswith("/" + root.name)
        return root.url.removesuffix(root.name) if whole else ""


@dataclass(slots=True)
class Graph:
    """All resources of one file, and the way from a reference to what it means."""

    every: list[Held] = field(default_factory=list)
    deleted: set[tuple[int, str]] = field(default_factory=set)
    _by: dict[tuple[int, str], list[Held]] = field(default_factory=dict)
    _inside: dict[tuple[int, str], list[Held]] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Any) -> "Graph":
        """Return what a parsed file holds.

        Raises:
            LimitExceededError: It holds more resources than are read.
        """
        graph = cls()
        scopes = 0
        pending: deque[tuple[str, int, str, Any]] = deque(
            ("", 0, "", each) for each in (told if isinstance(told, list) else [told])
        )
        count = 0
        while pending:
            place, scope, url, resource = pending.popleft()
            count += 1
            if count > _RESOURCES or len(graph.every) > _RESOURCES:
                raise LimitExceededError("the file holds more resources than are read for results")
            if not isinstance(resource, dict):
                continue
            kind = resource.get("resourceType")
            place = place or f"resource {count}"
            if kind == "Bundle":
                scopes += 1
                pending.extend(graph._entries(resource, scopes))
            elif kind == "Parameters":
                pending.extend((place, scope, "", each) for each in _parameters(resource))
            else:
                graph._add(place, scope, url, resource)
        return graph

    def _entries(
        self, bundle: Mapping[str, Any], scope: int
    ) -> Iterator[tuple[str, int, str, Any]]:
        for at, entry in enumerate(map(a_dict, a_list(bundle.get("entry"))), start=1):
            url = a_str(entry.get("fullUrl"))
            request = a_dict(entry.get("request"))
            if request.get("method") == "DELETE":  # a history tells what was deleted
                self.deleted |= {(scope, name) for name in (url, a_str(request.get("url"))) if name}
            yield f"entry {at}", scope, url, entry.get("resource")

    def _add(self, place: str, scope: int, url: str, resource: Mapping[str, Any]) -> None:
        held = Held(len(self.every), place, scope, url, resource)
        self.every.append(held)
        for key in {(scope, held.name), (scope, url), (_FILE, url)}:
            if key[1]:
                self._by.setdefault(key, []).append(held)
        for at, each in enumerate(a_list(resource.get("contained")), start=1):
            if isinstance(each, dict):
                where = f"{place} contained {at}"
                inner = Held(len(self.every), where, scope, "", each, held)
                self.every.append(inner)
                own = "#" + a_str(each.get("id"))
                self._inside.setdefault((held.number, own), []).append(inner)

    def find(self, source: Held, reference: str) -> list[Held]:
        """Return what a reference in ``source`` may mean; several are versions, or a conflict."""
        text = reference.partition("/_history/")[0]
        if not text:
            return []
        if text.startswith("#"):
            return self._inside.get(((source.parent or source).number, text), [])
        if ":" in text:
            return self._by.get((source.scope, text)) or self._by.get((_FILE, text), [])
        near = self._by.get((source.scope, source.base + text), []) if source.base else []
        return near or self._by.get((source.scope, text), [])

    def under(self, url: str) -> list[Held]:
        """Return what stands under a whole address anywhere in the file."""
        return self._by.get((_FILE, url), [])

    def who(self, held: Held) -> tuple[Any, ...]:
        """Return what tells one resource from another; versions of one are the same."""
        if held.parent is not None:
            return ("inside", held.parent.number, a_str(held.resource.get("id")) or held.number)
        if ":" in held.url:
            return ("whole", held.url)
        return ("own", held.scope, held.name or held.number)


def _parameters(told: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the resources of a Parameters resource, those of its parts too."""
    pending = [*a_list(told.get("parameter"))]
    while pending:
        each = a_dict(pending.pop())
        pending += a_list(each.get("part"))
        if "resource" in each:
            yield each["resource"]
