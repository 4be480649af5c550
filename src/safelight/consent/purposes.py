"""What somebody's data may be used for: GA4GH DUO terms, and two of our own.

The Data Use Ontology (DUO, https://github.com/EBISPOT/DUO, CC BY 4.0) names permissions and their
modifiers. It has no term for training a model or for sending data to somebody else's model, so
those two have codes of ours. No purpose implies another: each is asked for by itself.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from safelight.errors import ConsentError

__all__ = ["ALL", "DUO_SYSTEM", "OWN_SYSTEM", "PURPOSES", "Purpose", "Term", "parse", "terms"]

ALL: Final = "*"  # stands for every purpose, in a withdrawal only
DUO_SYSTEM: Final = "http://purl.obolibrary.org/obo/duo.owl"
OWN_SYSTEM: Final = "urn:safelight:purpose"
_TABLE: Final = Path(__file__).parent / "data" / "duo.tsv"
_DISEASE: Final = re.compile(r"MONDO:[0-9]{7}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of DUO.

    Attributes:
        code: ``DUO:`` and seven digits.
        shorthand: DUO's own, such as ``GRU``.
        kind: ``permission`` or ``modifier``.
        label: DUO's own words.
    """

    code: str
    shorthand: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """One thing a person can say yes or no to.

    Attributes:
        name: How policies, commands and the database write it, ``disease-research/MONDO:0005180``
            for research on one disease.
        code: The DUO code, or one of ours (``train-a-model``).
        system: The code system, a URI.
        label: The code system's own words.
        meaning: What a person is asked, in plain words.
        disease: The MONDO code of disease specific research; else empty.
    """

    name: str
    code: str
    system: str
    label: str
    meaning: str
    disease: str = ""


@cache
def terms() -> dict[str, Term]:
    """Return the terms of DUO by shorthand (``data/duo.tsv``, made by ``scripts/make_duo.py``)."""
    found = {}
    for line in _TABLE.read_text("utf-8").splitlines()[1:]:
        code, shorthand, kind, label = line.split("\t")
        found[shorthand] = Term(code=code, shorthand=shorthand, kind=kind, label=label)
    return found


def _duo(name: str, shorthand: str, meaning: str) -> Purpose:
    term = terms()[shorthand]
    return Purpose(name=name, code=term.code, system=DUO_SYSTEM, label=term.label, meaning=meaning)


def _own(name: str, label: str, meaning: str) -> Purpose:
    return Purpose(name=name, code=name, system=OWN_SYSTEM, label=label, meaning=meaning)


PURPOSES: Final = {
    purpose.name: purpose
    for purpose in (
        _duo("care", "CC", "Look after you: read your images and show the result to you."),
        _duo("general-research", "GRU", "Research of any kind, by the recipients named."),
        _duo("biomedical-research", "HMB", "Research about health and medicine only."),
        _duo("disease-research", "DS", "Research about one disease only."),
        _duo("ancestry-research", "POA", "Research about where populations come from only."),
        _own("train-a-model", "train a model", "Teach a computer model that reads images."),
        _own(
            "third-party-model",
            "send to a third-party model",
            "Send your images, without your name, to a model run by somebody else.",
        ),
    )
}


def parse(text: str) -> Purpose:
    """Return a purpose from its name, its code or DUO's shorthand.

    Args:
        text: For example ``train-a-model``, ``DUO:0000042``, ``GRU``, or
            ``disease-research/MONDO:0005180``.

    Raises:
        ConsentError: There is no such purpose, or a disease is missing or not wanted.
    """
    head, slash, disease = text.strip().partition("/")
    lower = head.lower()
    for purpose in PURPOSES.values():
        shorthand = next((s for s, term in terms().items() if term.code == purpose.code), "")
        if lower in {purpose.name, purpose.code.lower(), shorthand.lower() or purpose.name}:
            break
    else:
        raise ConsentError("there is no such purpose", todo=f"choose of: {', '.join(PURPOSES)}")
    if purpose.name != "disease-research":
        if slash:
            raise ConsentError(f"the purpose {purpose.name} takes no disease", todo="leave it out")
        return purpose
    if not _DISEASE.fullmatch(disease):
        raise ConsentError(
            "disease specific research needs a disease",
            todo="write for example disease-research/MONDO:0005180",
        )
    return Purpose(
        name=f"{purpose.name}/{disease}",
        code=purpose.code,
        system=purpose.system,
        label=purpose.label,
        meaning=f"{purpose.meaning.rstrip('.')}, {disease}.",
        disease=disease,
    )
