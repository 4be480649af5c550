"""The files of the speed bench: small CT, small MR and 512 x 512 CT, about 120 plants in each.

Text repeats over a series, as it does in life; what differs from file to file is what differs on
a scanner: UIDs, numbers, positions, times, pixels.
"""

import json
import random
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pydicom.config

from corpus import make as corpus_make
from corpus.bases import ct512, pixels
from corpus.kinds import KINDS
from corpus.model import Plan, Work

__all__ = ["generate"]

VERSION = 3
_ATTRIBUTES = """
    OtherPatientIDs OtherPatientNames PatientBirthName PatientMotherBirthName PatientAddress
    PatientTelephoneNumbers MilitaryRank Occupation EthnicGroup AdditionalPatientHistory
    PatientComments MedicalAlerts ResponsiblePerson InstitutionName InstitutionAddress
    InstitutionalDepartmentName ReferringPhysicianName ReferringPhysicianTelephoneNumbers
    PhysiciansOfRecord PerformingPhysicianName NameOfPhysiciansReadingStudy OperatorsName
    RequestingPhysician StationName DeviceSerialNumber StudyID AccessionNumber AdmissionID
    CurrentPatientLocation RequestingService ReasonForStudy PerformedProcedureStepID
    CommentsOnThePerformedProcedureStep OtherPatientIDsSequence InstitutionCodeSequence
    ReferringPhysicianIdentificationSequence RetrieveAETitle PatientReligiousPreference
"""
# about 120 plants: the attributes everyone lists, text off the table, nested, private, odd corners
_KINDS = (
    *(f"attribute.{name}" for name in _ATTRIBUTES.split()),
    "descriptor.StudyDescription",
    "descriptor.SeriesDescription",
    "descriptor.ProtocolName",
    "descriptor.ImageComments",
    "descriptor.RequestedProcedureDescription",
    "descriptor.ContrastBolusAgent",
    "offtable.ImageType-value-4",
    "offtable.ConvolutionKernel",
    "offtable.FilterType",
    "offtable.SequenceName",
    "offtable.BodyPartExamined",
    "offtable.WindowCenterWidthExplanation",
    "offtable.CodeMeaning",
    "nested.RequestAttributesSequence",
    "nested.OriginalAttributesSequence",
    "nested.unlisted-sequence",
    "nested.depth-3",
    "private.unknown-creator-text",
    "private.sequence",
    "overlay.text",
    "curve.data-and-text",
    "bytes.preamble",
    "meta.ae-titles",
    "meta.private-information",
    "bytes.trailing-padding-element",
)


def _large(w: Work) -> None:
    ct512(w)
    del w.ds.PixelData
    pixels(w, 512, 512)


def _build(plan: Plan, seed: int) -> tuple[bytes, dict[str, Any]]:
    series = random.Random(f"{seed} {plan.series_uid}")  # noqa: S311 - repeatable on purpose
    data, key = corpus_make.build_with(plan, series, _plant)
    return data, key.to_json()


def _plant(w: Work) -> None:
    for name in _KINDS:
        kind = KINDS[name]
        if not kind.families or w.family in kind.families:
            w.kind = name
            kind.plant(w)


def generate(folder: Path, *, files: int, people: int = 10, seed: int = 5) -> Path:
    """Write ``files`` files flat into ``folder`` (once; a finished folder is kept).

    Returns:
        The folder.
    """
    done = Path(f"{folder}.key.json")
    if done.exists() and json.loads(done.read_text()).get("version") == VERSION:
        return folder
    corpus_make._BASES["ct-512"] = ("CT", (corpus_make.EXPLICIT,), _large)  # noqa: SLF001 - a base of the bench alone
    bases = ("CT_small.dcm", "MR_small.dcm", "ct-512")
    rng, keys = random.Random(seed), []  # noqa: S311 - repeatable on purpose
    crowd = corpus_make.make_people(seed, people)
    folder.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
        pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
        for index in range(files):
            base, person = bases[index % 3], crowd[(index // 3) % people]
            study, series = (index // 30) % 3, (index // 90) % 2
            counts[base] += 1
            plan = corpus_make.plan_one(rng, seed, index, base, person, study, series, counts[base])
            plan.path, plan.odd = f"IM{index:05d}.dcm", False
            data, key = _build(plan, seed)
            (folder / plan.path).write_bytes(data)
            keys.append(key)
    key = corpus_make.key_of(seed, crowd, keys) | {"version": VERSION}
    done.write_text(json.dumps(key, ensure_ascii=False))
    return folder
