"""A policy: what a person is asked to agree to, as a document whose hash is its name.

The fields bind and the texts explain: nothing may be done because a text says so. Fields that this
version does not know are kept, hashed, and count as a widening whenever they change.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from safelight.consent import purposes
from safelight.consent.canonical import canonical, content_hash
from safelight.errors import ConsentError, PolicyError

__all__ = ["ANY", "KNOWN", "MAX_BYTES", "PARTY", "Controller", "Policy", "read"]

ANY: Final = "*"  # anyone, anywhere, any service
MAX_BYTES: Final = 256 * 1024
_MAX_TEXT: Final = 20_000
_MAX_ITEMS: Final = 1_000
_MAX_DAYS: Final = 100 * 366
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_REGION: Final = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}")
# C0 and C1 controls but line feed, and marks that turn the direction of text: a document must
# read the same to a person as to a program.
_HIDDEN: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NO_COMMERCE: Final = frozenset({"NCU", "NPUNCU"})
_SETS: Final = ("purposes", "recipients", "regions", "data", "third_party_ai", "conditions")
_FLAGS: Final = ("commercial_use", "open_release", "originals_kept")
_DAYS: Final = ("retention_days", "grace_days")
_TEXTS: Final = ("title", "language", "summary", "withdrawal", "jurisdiction")
_FROM: Final = ("name", "version", "previous", "controller")
PARTY: Final = ("name", "address", "contact")
_REQUIRED: Final = frozenset(
    {"name", "title", "summary", "withdrawal", "jurisdiction", "controller", "purposes"}
    | {"regions", "data", "retention_days"}
)
_DEFAULTS: Final[dict[str, Any]] = {
    "version": 1,
    "previous": "",
    "language": "en",
    "recipients": [],
    "third_party_ai": [],
    "conditions": [],
    "grace_days": 0,
    "commercial_use": False,
    "open_release": False,
    "originals_kept": False,
}
KNOWN: Final = frozenset((*_SETS, *_FLAGS, *_DAYS, *_TEXTS, *_FROM))


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """Who answers for the data: an organisation, where it is, and how to reach it."""

    name: str
    address: str
    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of one policy; make it with ``Policy.from_document``, which checks it.

    Attributes:
        name: Stays the same over all versions: lower-case letters, digits, hyphens.
        version: 1, 2, 3 …
        previous: Hash of the version before; empty for the first.
        title: One line for a person.
        language: Of the texts, a BCP 47 tag.
        summary: In plain words; explains, binds nobody.
        withdrawal: How to take consent back.
        jurisdiction: Whose law, e.g. ``DE`` or ``US-CA``.
        controller: Who answers for the data.
        purposes: Names of purposes, each asked for by itself.
        recipients: Who may receive data beyond the controller; ``*`` is anyone.
        regions: Where data may be, ISO 3166 codes; ``*`` is anywhere.
        data: Kinds of data covered, such as ``images`` or ``features``.
        third_party_ai: Models of others that data may be sent to; ``*`` is any.
        conditions: DUO modifiers that bind users, by shorthand; each one narrows.
        retention_days: How long data is kept, in days; None means no limit.
        grace_days: How long recipients may take to delete after a withdrawal, in days.
        commercial_use: Whether use for profit is allowed.
        open_release: Whether data may be published for anyone to take.
        originals_kept: Whether originals are kept once they are de-identified.
        extra: Fields of the document that this version does not know.
    """

    name: str
    version: int
    previous: str
    title: str
    language: str
    summary: str
    withdrawal: str
    jurisdiction: str
    controller: Controller
    purposes: frozenset[str]
    recipients: frozenset[str]
    regions: frozenset[str]
    data: frozenset[str]
    third_party_ai: frozenset[str]
    conditions: frozenset[str]
    retention_days: int | None
    grace_days: int | None
    commercial_use: bool
    open_release: bool
    originals_kept: bool
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_document(cls, given: Mapping[str, Any]) -> Self:
        """Return the policy that a document states.

        Raises:
            PolicyError: A field is missing, of the wrong kind, or contradicts another.
        """
        document = {**_DEFAULTS, **json.loads(canonical(dict(given)))}
        if missing := sorted(_REQUIRED - set(document)):
            raise PolicyError("a field is missing", place=missing[0], todo="fill it in")
        party, more = _controller(document["controller"])
        extra = {name: value for name, value in document.items() if name not in KNOWN}
        if more:
            extra["controller"] = more
        checked: dict[str, Any] = {
            "name": _slug("name", document["name"]),
            "version": _version(document["version"]),
            "previous": _previous(document["previous"]),
            "controller": party,
            **{name: _days(name, document[name]) for name in _DAYS},
            **{name: _text(name, document[name]) for name in _TEXTS},
            **{name: _items(name, document[name]) for name in _SETS},
            **{name: _flag(name, document[name]) for name in _FLAGS},
        }
        made = cls(**checked, extra=extra)
        made._check()
        return made

    def _check(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            PolicyError: Two fields cannot both hold.
        """
        if not self.purposes:
            raise PolicyError("a policy without a purpose asks for nothing", place="purposes")
        if not _LANGUAGE.fullmatch(self.language):
            raise PolicyError("this is no language tag", place="language", todo="write en, de …")
        if self.commercial_use and self.conditions & _NO_COMMERCE:
            raise PolicyError("commercial use is both allowed and excluded", place="conditions")
        if "NMDS" in self.conditions and "train-a-model" in self.purposes:
            raise PolicyError("training a model is both asked for and excluded", place="conditions")
        if ("third-party-model" in self.purposes) != bool(self.third_party_ai):
            raise PolicyError(
                "the purpose third-party-model and the list third_party_ai go together",
                place="third_party_ai",
                todo="name the services, or leave both out",
            )
        if self.open_release and ANY not in self.recipients:
            raise PolicyError(
                "an open release goes to anyone",
                place="recipients",
                todo='write recipients = ["*"]',
            )

    def document(self) -> dict[str, Any]:
        """Return the policy as JSON values, with every field written out."""
        controller: dict[str, Any] = {name: getattr(self.controller, name) for name in PARTY}
        extra = dict(self.extra)
        controller.update(extra.pop("controller", {}))
        days = {name: getattr(self, name) for name in _DAYS}
        return {
            "name": self.name,
            "version": self.version,
            "previous": self.previous,
            "controller": controller,
            **{name: getattr(self, name) for name in _TEXTS},
            **{name: sorted(getattr(self, name)) for name in _SETS},
            **{name: getattr(self, name) for name in _FLAGS},
            **{name: "unlimited" if value is None else value for name, value in days.items()},
            **extra,
        }

    @property
    def hash(self) -> str:
        """Return the name of this very version: ``sha256:`` over its one spelling."""
        return content_hash(self.document())

    def to_json(self) -> bytes:
        """Return the document as it is hashed (RFC 8785)."""
        return canonical(self.document())


def read(data: bytes, *, toml: bool = False) -> dict[str, Any]:
    """Return the document in a file, unchecked; JSON unless told otherwise.

    Raises:
        PolicyError: It is larger than 256 KiB, no JSON or TOML, or no table of fields.
    """
    if len(data) > MAX_BYTES:
        raise PolicyError("the policy file is larger than 256 KiB")
    try:
        if toml:
            import tomllib  # noqa: PLC0415  # beside its use

            return tomllib.loads(data.decode("utf-8"))
        document = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        kind = "TOML" if toml else "JSON"
        raise PolicyError(f"the policy file is not valid {kind}", todo="correct it") from error
    if not isinstance(document, dict):
        raise PolicyError("the policy file holds no table of fields")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object of which no name stands twice (RFC 7493 section 2.3)."""
    table = dict(pairs)
    if len(table) != len(pairs):
        raise PolicyError("the policy file gives a field twice", todo="keep one of them")
    return table


def _text(place: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_TEXT:
        raise PolicyError("a text is missing or too long", place=place, todo="write one")
    if _HIDDEN.search(value):
        raise PolicyError("a text holds characters that nobody sees", place=place)
    return value.strip()


def _slug(place: str, value: Any) -> str:
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise PolicyError("a name has other than a-z, 0-9 and hyphens", place=place)
    return value


def _version(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise PolicyError("a version is 1, 2, 3 …", place="version")
    return value


def _previous(value: Any) -> str:
    if not isinstance(value, str) or (value and not _HASH.fullmatch(value)):
        raise PolicyError("this is no policy hash", place="previous")
    return value


def _days(place: str, value: Any) -> int | None:
    if value == "unlimited":
        return None
    if type(value) is not int or not 0 <= value <= _MAX_DAYS:
        raise PolicyError("a time is in whole days, or unlimited", place=place)
    return value


def _flag(place: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise PolicyError("this is either true or false", place=place)
    return value


def _items(place: str, value: Any) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > _MAX_ITEMS:
        raise PolicyError("this is a list of at most 1000 texts", place=place)
    return frozenset(_item(place, _text(place, item)) for item in value)


def _item(place: str, text: str) -> str:
    """Return one entry in the spelling of its field."""
    if place == "purposes":
        try:
            return purposes.parse(text).name
        except ConsentError as error:
            raise PolicyError(error.what, place=place, todo=error.todo) from error
    if place == "conditions":
        term = purposes.terms().get(text.upper())
        if term is None or term.kind != "modifier" or text.upper() == "CC":
            raise PolicyError("a condition is no DUO modifier", place=place)
        return term.shorthand
    if place == "regions" and text != ANY and not _REGION.fullmatch(text):
        raise PolicyError("a region is an ISO 3166 code, such as DE or US-CA", place=place)
    if place == "data":
        return _slug(place, text)
    return text


def _controller(value: Any) -> tuple[Controller, dict[str, Any]]:
    if not isinstance(value, dict):
        raise PolicyError("the controller has a name, an address and a contact", place="controller")
    texts = {name: _text(f"controller.{name}", value.get(name)) for name in PARTY}
    return Controller(**texts), {n: v for n, v in value.items() if n not in PARTY}
