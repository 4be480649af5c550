"""Whose the lines of a table or a page are, told from headers and labels.

What is compared here (names, numbers, dates of birth) stays in this module's values and is dropped
with them: nothing but the ordinal of a person leaves the reader.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from safelight.readers.labs.specimen import name_key

__all__ = ["BARE_NAMES", "Owners", "column_of_person", "told"]

_Told = Mapping[str, frozenset[str]]

BARE_NAMES: Final = {"name", "nom", "nombre", "full name"}  # of a test, or of a person
# A header names a person if one of its words is the first kind, and all others are the second.
_WHO: Final = re.compile(
    r"patient(?:en|in|s)?(?:name|nummer|nr|id)?|pacientes?|subject|usubjid|subjid|participant|"
    r"proband(?:in|en)?(?:nummer|nr|id|name)?|person|member|client|klient|mandant|animal|tier|"
    r"surname|lastname|firstname|forename|nachname|vorname|familienname|prenom|prenoms|"
    r"apellidos?|versichert(?:er|en)?(?:nummer|nr)?|versichertennummer|dob|birth|birthdate|"
    r"birthday|geburtsdatum|geburtstag|geburt|geb|naissance|nacimiento|mrn|uhid|ssn|nhs|nip|nhc|"
    r"cip|dni|mouse|maus|employee|mitarbeiter|child|individual"
)
_WITH: Final = {
    *("id", "ids", "no", "nos", "nr", "number", "num", "name", "names", "code", "key", "initials"),
    *("of", "the", "du", "de", "del", "der", "des", "la", "le", "y", "et", "and", "und", "full"),
    *("first", "last", "given", "family", "middle", "maiden", "hospital", "medical", "record"),
    *("unique", "external", "internal", "study", "nombre", "nom", "numero", "date", "datum"),
    *("fecha", "security", "social", "insurance", "anonymous", "anonymised", "identifier", "uid"),
}
_OF_NAMES: Final = {  # headers and labels that need two words to say so
    *("last name", "first name", "given name", "family name", "full name", "middle name"),
    *("medical record number", "medical record no", "hospital number", "hospital no"),
    *("nom de famille", "nom et prenom", "nombre y apellidos", "insurance number", "name vorname"),
    *("social security number", "historia clinica", "numero de historia clinica", "record id"),
}
_KINDS: Final = {  # labels on a page, by what stands behind them
    "name": (
        *("patient name", "name of patient", "patientenname", "patient", "patientin", "paciente"),
        *("nom du patient", "nombre del paciente", "nom et prénom", "nombre y apellidos"),
        *("name, vorname", "last name", "surname", "nachname", "full name", "name", "nom"),
        *("nombre",),
    ),
    "id": (
        *("patient id", "patient no.", "patient no", "patient number", "patient-id", "mrn"),
        *("medical record number", "hospital number", "hospital no", "nhs number", "uhid", "nhc"),
        *("patientennummer", "patienten-nr.", "patienten-nr", "patienten-id", "patient code"),
    ),
    "birth": (
        *("date of birth", "birth date", "birthdate", "dob", "d.o.b.", "geburtsdatum", "geb."),
        *("geb.-datum", "geb.datum", "date de naissance", "fecha de nacimiento", "f. nac."),
        *("born", "geboren", "geboren am", "né le", "née le"),
    ),
}
_KIND_OF: Final = {name_key(word): kind for kind, words in _KINDS.items() for word in words}
_ALONE: Final = {"patient", "patientin", "paciente", "born", *BARE_NAMES, "surname", "nachname"}
_LONGEST: Final = sorted((w for words in _KINDS.values() for w in words), key=len, reverse=True)
_LABEL: Final = re.compile(
    rf"(?<!\w)(?P<label>{'|'.join(map(re.escape, _LONGEST))})\s*[:#]\s*(?P<value>[^\n]*)",
    re.IGNORECASE,
)
_NEXT: Final = re.compile(r"\s{2,}|\s\S+\s*:|[;|]")  # another label, or another column


def column_of_person(head: str) -> bool:
    """Tell whether a header says that its column tells one person from another."""
    key = name_key(head)
    words = key.split()
    said = [word for word in words if _WHO.fullmatch(word)]
    return key in _OF_NAMES or (bool(said) and set(words) <= {*said, *_WITH})


def told(cells: Sequence[str], *, table: bool = False) -> dict[str, frozenset[str]]:
    """Return what a line says of a person behind labels (``Patient: ...``), by kind.

    Args:
        cells: Of the line.
        table: A label may stand in a cell without a colon, before the only other one.
    """
    parts = [cell.strip() for cell in cells if cell.strip()]
    if table and len(parts) == 2 and name_key(parts[0]) in _KIND_OF:  # noqa: PLR2004  # label, value
        parts = [f"{parts[0].rstrip(':# ')}: {parts[1]}"]
    line = "  ".join(parts)
    out: dict[str, frozenset[str]] = {}
    at = 0
    while found := _LABEL.search(line, at):
        at = found.start("value")
        key = name_key(found["label"])
        begins = found.start() == 0 or line[: found.start()].endswith("  ")
        value = _NEXT.split(found["value"], maxsplit=1)[0]
        words = _words(value)
        if words and (begins or key not in _ALONE):
            out.setdefault(_KIND_OF[key], words)
    return out


def _words(text: str) -> frozenset[str]:
    """Return the words of a name in any script, without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return frozenset(re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c))))


@dataclass(slots=True)
class Owners:
    """The people that labels of one file have named so far, and whose turn it is."""

    _known: list[dict[str, frozenset[str]]] = field(default_factory=lambda: [{}])
    _at: int = 0

    @property
    def person(self) -> int:
        """The ordinal of the person that what follows is of."""
        return self._at + 1

    def hear(self, said: _Told) -> None:
        """Take what a line says; what contradicts is somebody else, known already or new."""
        if not said or not _clash(self._known[self._at], said):
            self._known[self._at].update(said)
            return
        for at, each in enumerate(self._known):
            if each.keys() & said.keys() and not _clash(each, said):
                self._at = at
                each.update(said)
                return
        self._known.append(dict(said))
        self._at = len(self._known) - 1


def _clash(one: _Told, two: _Told) -> bool:
    """Tell whether two are different people; one may be written shorter than the other."""
    both = one.keys() & two.keys()
    if "id" in both and one["id"] == two["id"]:
        return False
    return any(not (one[kind] <= two[kind] or two[kind] <= one[kind]) for kind in both)
