"""What the generator knows about a file: plants, what must survive, and the data set itself."""

import datetime as dt
import random
from dataclasses import asdict, dataclass, field
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset

from corpus.people import Person, syllable_word

__all__ = ["FileKey", "Needle", "Plan", "Work"]

ROOT = "1.2.826.0.1.3680043.8.1055.77"


@dataclass(slots=True, kw_only=True)
class Needle:
    """One planted value.

    Attributes:
        kind: Name of the kind, as ``python -m corpus kinds`` prints it.
        text: What to look for.
        place: Tag path of the element that carries it (prefix), or a part name.
        how: ``text`` (anywhere), ``local`` (words of an ordinary name, at ``place`` only),
            ``uid`` (anywhere), ``date`` (anywhere in text), ``exact`` (whole value at ``place``).
    """

    kind: str
    text: str
    place: str
    how: str = "text"


@dataclass(slots=True, kw_only=True)
class Plan:
    """What a file will be, decided before any file is built, so that references can point."""

    index: int
    base: str
    person: Person
    study: int
    series: int
    study_uid: str
    series_uid: str
    sop_uid: str
    frame_uid: str
    moment: dt.datetime
    path: str = ""
    syntax: str = ""
    odd: bool = False
    targets: list["Plan"] = field(default_factory=list)
    sop_class: str = ""


@dataclass(slots=True, kw_only=True)
class FileKey:
    """The answer key of one file."""

    path: str
    person: int
    base: str
    syntax: str
    odd: bool
    sop_uid: str
    series_uid: str
    study_uid: str
    frame_uid: str
    fingerprint: dict[str, str] = field(default_factory=dict)
    needles: list[Needle] = field(default_factory=list)
    useful: list[dict[str, str]] = field(default_factory=list)
    descriptors: list[dict[str, Any]] = field(default_factory=list)
    references: list[dict[str, str]] = field(default_factory=list)
    moments: list[dict[str, str]] = field(default_factory=list)
    encapsulated: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values for the key file."""
        return asdict(self)


@dataclass(slots=True, kw_only=True)
class Work:
    """One file being built."""

    plan: Plan
    rng: random.Random
    ds: Dataset
    meta: FileMetaDataset
    key: FileKey
    family: str
    raw: list[tuple[int, bytes]] = field(default_factory=list)
    preamble: bytes = bytes(128)
    tail: bytes = b""
    undefined_lengths: bool = False
    kind: str = ""
    edits: list[tuple[bytes, bytes]] = field(default_factory=list)

    @property
    def person(self) -> Person:
        """Return whose file this is."""
        return self.plan.person

    @property
    def little(self) -> bool:
        """Return whether the data set is little endian."""
        return self.plan.syntax != "1.2.840.10008.1.2.2"

    @property
    def explicit(self) -> bool:
        """Return whether the data set has explicit VRs."""
        return self.plan.syntax != "1.2.840.10008.1.2"

    def word(self) -> str:
        """Return a new unique name-like word."""
        return syllable_word(self.rng)

    def token(self, prefix: str = "") -> str:
        """Return a new unique identifier of letters and digits."""
        letters = "".join(self.rng.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(3))
        return f"{prefix}{letters}{self.rng.randrange(10**6, 10**7)}"

    def digits(self, count: int) -> str:
        """Return a new run of digits, not starting with 0."""
        return str(self.rng.randrange(10 ** (count - 1), 10**count))

    def uid(self) -> str:
        """Return a new UID that must not survive."""
        return f"{ROOT}.{self.plan.index}.{self.rng.randrange(10**9, 10**10)}"

    def plant(self, text: str, place: str, how: str = "text") -> None:
        """Record that ``text`` stands at ``place`` under the kind being planted now."""
        self.key.needles.append(Needle(kind=self.kind, text=text, place=place, how=how))

    def plant_name(self, place: str) -> None:
        """Record that the person's own name stands at ``place``."""
        if self.person.ordinary:
            self.plant(self.person.family, place, "local")
            self.plant(self.person.given, place, "local")
        else:
            self.plant(self.person.family, place)

    def fill(self, template: str, place: str) -> str:
        """Return ``template`` with its plants filled in and recorded.

        Fields: ``{w}`` a unique word, ``{w2}`` another, ``{tok}`` a unique identifier, ``{name}``
        and its variants the person's own name, ``{id}`` the person's ID.
        """
        person = self.person
        own = {
            "name": f"{person.given} {person.family}",
            "rev": f"{person.family} {person.given}",
            "comma": f"{person.family}, {person.given}",
            "caps": f"{person.family} {person.given}".upper(),
            "low": f"{person.given} {person.family}".lower(),
            "initial": f"{person.given[0]}. {person.family}",
            "initial_after": f"{person.family} {person.given[0]}.",
            "glued": f"{person.family}{person.given}".upper(),
            "under": f"{person.family}_{person.given}",
            "caret": f"{person.family}^{person.given}".upper(),
        }
        text = template
        for name, value in own.items():
            mark = "{" + name + "}"
            if mark in text:
                text = text.replace(mark, value)
                self.plant_name(place)
        if "{id}" in text:
            text = text.replace("{id}", person.patient_id)
            self.plant(person.patient_id, place)
        for mark in ("{w}", "{w2}"):
            if mark in text:
                word = self.word()
                text = text.replace(mark, word)
                self.plant(word, place)
        if "{tok}" in text:
            token = self.token()
            text = text.replace("{tok}", token)
            self.plant(token, place)
        return text
