"""The data dictionary (PS3.6 Tables 6-1, 7-1, 8-1) and the UID registry (PS3.6 Table A-1)."""

import json
from pathlib import Path

import highdicom
import pydicom
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._uid_dict import UID_dictionary
from pydicom._version import __dicom_version__

# Coding schemes and well-known roots whose UIDs name a standard, never a person (PS3.16 Table 8-1).
CODING_SCHEME_UIDS = (
    "2.16.840.1.113883.6.1",  # LOINC
    "2.16.840.1.113883.6.2",  # ICD-9-CM
    "2.16.840.1.113883.6.3",  # ICD-10
    "2.16.840.1.113883.6.5",  # SNOMED
    "2.16.840.1.113883.6.8",  # UCUM
    "2.16.840.1.113883.6.12",  # CPT
    "2.16.840.1.113883.6.24",  # MDC
    "2.16.840.1.113883.6.88",  # RxNorm
    "2.16.840.1.113883.6.90",  # ICD-10-CM
    "2.16.840.1.113883.6.96",  # SNOMED CT
    "2.16.840.1.113883.6.103",  # ICD-9-CM diagnoses
    "2.16.840.1.113883.6.104",  # ICD-9-CM procedures
    "2.16.840.1.113883.6.256",  # RadLex
    "2.16.840.1.113883.3.26.1.1",  # NCI Thesaurus
)

# Elements of PS3.15 Table E.1-1 that are newer than pydicom's dictionary (PS3.6 2025b, 2026c)
NEWER = {
    "00081301": ("SQ", "1", "PrincipalDiagnosisCodeSequence"),
    "00081302": ("SQ", "1", "PrimaryDiagnosisCodeSequence"),
    "00081303": ("SQ", "1", "SecondaryDiagnosesCodeSequence"),
    "00081304": ("SQ", "1", "HistologicalDiagnosesCodeSequence"),
    "00100011": ("SQ", "1", "PersonNamesToUseSequence"),
    "00100012": ("LT", "1", "NameToUse"),
    "00100013": ("UT", "1", "NameToUseComment"),
    "00100014": ("SQ", "1", "ThirdPersonPronounsSequence"),
    "00100015": ("SQ", "1", "PronounCodeSequence"),
    "00100016": ("UT", "1", "PronounComment"),
    "00100041": ("SQ", "1", "GenderIdentitySequence"),
    "00100042": ("UT", "1", "SexParametersForClinicalUseCategoryComment"),
    "00100043": ("SQ", "1", "SexParametersForClinicalUseCategorySequence"),
    "00100044": ("SQ", "1", "GenderIdentityCodeSequence"),
    "00100045": ("UT", "1", "GenderIdentityComment"),
    "00100046": ("SQ", "1", "SexParametersForClinicalUseCategoryCodeSequence"),
    "00100047": ("UR", "1", "SexParametersForClinicalUseCategoryReference"),
    "00102162": ("UC", "1-n", "EthnicGroups"),
    "0040a034": ("DT", "1", "EffectiveStartDateTime"),
    "0040a035": ("DT", "1", "EffectiveStopDateTime"),
    "0040b034": ("DT", "1", "AnnotationDateTime"),
    "0040b036": ("DT", "1", "SegmentDefinitionDateTime"),
    "0040b03b": ("LT", "1", "MontageName"),
    "0040b03f": ("LO", "1", "MontageChannelLabel"),
    "0040e012": ("UR", "1", "DisplayURI"),
}


def edition() -> str:
    """Where the rows come from, in words."""
    return f"PS3.6 edition {__dicom_version__} (through pydicom {pydicom.__version__})"


def elements() -> str:
    """One line an element: tag (``x`` any digit), VR, VM, keyword, ``R`` when retired."""
    lines = [
        "# Registry of DICOM data elements, PS3.6 Tables 6-1, 7-1 and 8-1 and PS3.7 Table E.1-1",
        f"# {edition()}, and newer rows that PS3.15 2026c names",
        "# made by scripts/make_tables.py",
        "# tag\tVR\tVM\tkeyword\tretired",
    ]
    rows = {f"{tag:08x}": row for tag, row in DicomDictionary.items()}
    rows |= {tag.lower(): row for tag, row in RepeatersDictionary.items()}
    newer = {tag: (vr, vm, "", "", keyword) for tag, (vr, vm, keyword) in NEWER.items()}
    for tag, (vr, vm, _name, retired, keyword) in sorted((newer | rows).items()):
        lines.append(f"{tag}\t{vr}\t{vm}\t{keyword}\t{'R' if retired else ''}")
    return "\n".join(lines) + "\n"


def _storage_classes() -> set[str]:
    """SOP Classes whose instances are stored as files: those with an IOD, and the retired ones."""
    path = Path(highdicom.__file__).parent / "_standard" / "sop_class_iod_map.json"
    classes = set(json.loads(path.read_text(encoding="utf-8")))
    for uid, (name, kind, *_rest) in UID_dictionary.items():
        if kind == "SOP Class" and "Storage" in name and "Commitment" not in name:
            classes.add(uid)
    return classes


def _mark(uid: str, storage: set[str]) -> str:
    """Tell what a UID stands for: ``S`` a storage SOP class, ``I`` one of images."""
    if uid not in storage:
        return ""
    name = UID_dictionary[uid][0] if uid in UID_dictionary else ""
    return "I" if " Image Storage" in name else "S"


def uids() -> str:
    """One line a UID: the UID and ``S`` for a storage SOP class."""
    storage = _storage_classes()
    known = set(UID_dictionary) | storage | set(CODING_SCHEME_UIDS)
    lines = [
        "# Registry of DICOM unique identifiers, PS3.6 Table A-1 and its siblings, and the UIDs of",
        "# well-known coding schemes (PS3.16 Table 8-1). S: storage SOP class, I: of images.",
        f"# {edition()}; made by scripts/make_tables.py",
    ]
    lines += [f"{uid}\t{_mark(uid, storage)}" for uid in sorted(known)]
    return "\n".join(lines) + "\n"
