"""The sentences of reports, from templates alone: no text is made up, and nothing is called normal.

A person hears answers of validated readers only. What a reader in shadow says is for clinicians,
and marked; what a refused reader would say is said to nobody.
"""

import math
import re
from collections.abc import Iterator
from typing import Final

from safelight.readers.reading import (
    Answer,
    Code,
    Finding,
    KindAnswer,
    Measurement,
    Reading,
    State,
    ViewKind,
)

__all__ = [
    "ASK_A_DOCTOR",
    "NOT_A_DIAGNOSIS",
    "RESEARCH",
    "SHADOW",
    "UNVERIFIED",
    "amount",
    "answer_of",
    "counts",
    "in_shadow",
    "kind_name",
    "kind_of",
    "name_of",
    "next_steps",
    "no_reader",
    "numbers_of",
    "plain",
    "shown",
    "unit_of",
    "value_of",
]

NOT_A_DIAGNOSIS: Final = (
    "This is not a diagnosis, and Safelight is not a medical device. What no reader looked for can "
    "still be there."
)
ASK_A_DOCTOR: Final = "Show the picture and this page to a doctor who knows you."
JUDGE_YOURSELF: Final = "Judge the picture yourself: an answer here is a second look at most."
RESEARCH: Final = (
    "This reader was made from data that may be used for research only: its answer is not for care."
)
SHADOW: Final = "In shadow: not validated, for comparison by clinicians only."
UNVERIFIED: Final = "This map comes from a plug-in, and nobody can check that it is true."
_NO_READER: Final = "No reader that may answer you looks at this kind of picture yet."
_DOCUMENT: Final = (
    "Readers look at pictures, not at documents; the command safelight labs reads lab results."
)
_NAMES: Final = {
    ViewKind.CHEST_XRAY_FRONTAL: "a chest X-ray, seen from the front or the back",
    ViewKind.CHEST_XRAY_LATERAL: "a chest X-ray, seen from the side",
    ViewKind.LIMB_XRAY: "an X-ray of a limb",
    ViewKind.DENTAL_PANORAMIC: "a panoramic X-ray of the teeth",
    ViewKind.MAMMOGRAM: "a mammogram",
    ViewKind.BREAST_ULTRASOUND: "an ultrasound picture of the breast",
    ViewKind.OTHER_ULTRASOUND: "an ultrasound picture, not of the breast",
    ViewKind.HEAD_CT: "a CT picture of the head",
    ViewKind.BODY_CT: "a CT picture of the body",
    ViewKind.HEAD_MR: "an MR picture of the head",
    ViewKind.SPINE_MR: "an MR picture of the spine",
    ViewKind.BREAST_MR: "an MR picture of the breast",
    ViewKind.KNEE_MR: "an MR picture of the knee",
    ViewKind.OTHER_MR: "an MR picture of another part of the body",
    ViewKind.PET: "a PET picture",
    ViewKind.SCINTIGRAPHY: "a scintigraphy, such as a bone scan",
    ViewKind.FUNDUS: "a photograph of the back of the eye",
    ViewKind.FILM_PHOTO: "a photograph of a film",
    ViewKind.SCREENSHOT: "a screenshot",
    ViewKind.DOCUMENT: "a document",
    ViewKind.PHOTO: "a photograph, not a medical picture",
}
_ANSWERS: Final = {
    Answer.SEEN: "It saw signs of {finding}.",
    Answer.NOT_SEEN: "The one thing it looks for, {finding}, was not seen.",
    Answer.CANNOT_TELL: "It looked for {finding} and cannot tell.",
    Answer.UNLIKE: (
        "It looks for {finding}, but this picture is unlike all that it was tested on, so it does "
        "not answer."
    ),
    Answer.NOT_MY_KIND: "It looks for {finding}, but not in pictures of this kind.",
    Answer.SITE: (
        "It looks for {finding}, but has not been tested on pictures from this place, so it does "
        "not answer."
    ),
    Answer.UNREADABLE: "It looks for {finding}, but this picture cannot be read.",
}
_UNITS: Final = {
    "[hnsf'U]": "HU",
    "[hnsf'u]": "HU",
    "cm2/ml": "cm\N{SUPERSCRIPT TWO}/ml",
    "mm2": "mm\N{SUPERSCRIPT TWO}",
    "cm2": "cm\N{SUPERSCRIPT TWO}",
    "1": "",
    "Cel": "\N{DEGREE SIGN}C",
    "deg": "\N{DEGREE SIGN}",
}
_REMARK: Final = re.compile(r"\{[^{}]*\}")
_FINE: Final = 1e-3
_LARGE: Final = 1e6
_WHOLE: Final = 1e-9


def name_of(code: Code) -> str:
    """Return what a code means as it stands inside a sentence: ``pneumonia``, ``TB``."""
    text = " ".join(code.meaning.split())
    first = text.split(" ", 1)[0]
    if first[1:] != first[1:].lower():  # an acronym or a name of its own
        return text
    return text[:1].lower() + text[1:]


def kind_name(kind: ViewKind) -> str:
    """Return a kind with its article, as it stands inside a sentence."""
    return _NAMES[kind]


def kind_of(answer: KindAnswer) -> Iterator[str]:
    """Yield the sentences on what a picture is, header and pixels that disagree among them."""
    if answer.kind is None:
        yield "What this is was not recognised, so no reader looked at it."
    else:
        yield f"This looks like {kind_name(answer.kind)}."
    if answer.disagree and answer.by_header and answer.by_pixels:
        yield (
            f"Its header says that it is {kind_name(answer.by_header)}, its pixels look like "
            f"{kind_name(answer.by_pixels)}: one of them is wrong."
        )
    if answer.why:
        yield plain(answer.why)


def plain(text: str) -> str:
    """Return a sentence with a capital and a full stop."""
    text = " ".join(text.split())
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?" else f"{text}."


def answer_of(finding: Finding) -> str:
    """Return the one sentence that a reader's answer is."""
    return _ANSWERS[finding.answer].format(finding=name_of(finding.finding))


def counts(finding: Finding) -> Iterator[str]:
    """Yield the promise behind a decided answer, in people out of 100; nothing without one.

    Both follow from class-conditional conformal answers: an answer is withheld from those who are
    like the class it would rule out (Vovk, Gammerman, Shafer 2005, 4.5).
    """
    if not finding.answer.decided or not finding.promise:
        return
    yield plain(finding.promise)
    if finding.answer is Answer.SEEN and finding.alpha > 0:
        yield (
            f"Of 100 people without {name_of(finding.finding)}, from those it was calibrated on, "
            f"on average at most {amount(100 * finding.alpha)} are told 'seen'."
        )


def shown(reading: Reading, *, clinician: bool) -> tuple[Finding, ...]:
    """Return the findings that may be shown: refused ones to nobody, shadow to clinicians.

    A reader that is only not validated for the site is in shadow there: a person is told that it
    does not answer, and none of its numbers.
    """
    allowed = {State.VALIDATED, State.SHADOW} if clinician else {State.VALIDATED}
    return tuple(
        each
        for each in reading.findings
        if each.state in allowed or (each.answer is Answer.SITE and each.state is State.SHADOW)
    )


def in_shadow(finding: Finding) -> bool:
    """Tell whether an answer is marked: one that a person would not be shown."""
    return finding.state is State.SHADOW and finding.answer is not Answer.SITE


def numbers_of(finding: Finding, *, clinician: bool) -> bool:
    """Tell whether p-values and score may be shown: to persons, those of validated readers."""
    return clinician or finding.state is State.VALIDATED


def next_steps(reading: Reading, *, clinician: bool) -> tuple[str, ...]:
    """Return what to do next, each once; a doctor is always among them."""
    steps = [plain(each.next_step) for each in shown(reading, clinician=clinician)]
    last = JUDGE_YOURSELF if clinician else ASK_A_DOCTOR
    return tuple(dict.fromkeys(step for step in (*steps, last) if step))


def no_reader(reading: Reading, *, clinician: bool) -> str:
    """Return why nobody answered; empty when somebody did, or when the kind says why."""
    if reading.kind.kind is None or shown(reading, clinician=clinician):
        return ""
    return _DOCUMENT if reading.kind.kind is ViewKind.DOCUMENT else _NO_READER


def amount(value: float) -> str:
    """Return a number as people read it: four significant digits, no needless zeros."""
    if not math.isfinite(value):
        return "no number"
    nearest = round(value)
    if abs(value - nearest) < _WHOLE and abs(value) < _LARGE:
        return str(nearest)
    if value and not _FINE <= abs(value) < _LARGE:
        return f"{value:.3e}"
    text = f"{value:.4g}" if abs(value) < 1000 else f"{value:.1f}"  # noqa: PLR2004  # then 4 digits
    return text.rstrip("0").rstrip(".") if "." in text else text


def unit_of(ucum: str) -> str:
    """Return a UCUM unit as a person writes it; nothing for a plain number.

    What stands in braces is a remark and no unit (UCUM 6): what is measured has a name.
    """
    plain = _REMARK.sub("", ucum)
    return _UNITS.get(plain, plain)


def value_of(measurement: Measurement) -> str:
    """Return value and unit, or an empty text when it was refused."""
    if measurement.value is None:
        return ""
    return f"{amount(measurement.value)} {unit_of(measurement.unit)}".strip()
