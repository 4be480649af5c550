"""Making of a corpus: who is in it, which files, what is planted, and the answer key."""

import copy
import datetime as dt
import json
import random
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pydicom.config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import correct_ambiguous_vr

import corpus.plants  # noqa: F401 - fills the registry of kinds
from corpus.bases import BUNDLED, EXPLICIT, IMAGE_BASES, bundled
from corpus.encode import DEFLATED, assemble, deflate, meta_bytes
from corpus.fingerprint import fingerprint
from corpus.kinds import apply
from corpus.model import ROOT, FileKey, Plan, Work
from corpus.objects import OBJECT_BASES
from corpus.people import Person, make_people
from corpus.pixels import decoded
from corpus.search import Presence
from corpus.useful import collect

__all__ = ["EXPLICIT", "build", "build_with", "key_of", "make", "make_people", "plan_one", "plans"]

_BASES = IMAGE_BASES | OBJECT_BASES
# how often each base comes: the everyday objects most
_ROUND = (
    ["ct"] * 5
    + ["mr-siemens", "mr-siemens", "mr-ge", "mr-ge", "mr-philips", "mr-philips"]
    + ["pet", "nm", "cr", "dx", "mg", "us", "us", "sc", "sc"]
    + [
        "sr",
        "sr",
        "ko",
        "gsps",
        "seg",
        "rtstruct",
        "rtplan",
        "ecg",
        "pdf",
        "cda",
        "enhanced",
        "enhanced",
    ]
    + ["bundled"] * 8
)
_PACKED = ("1.2.840.10008.1.2.4", "1.2.840.10008.1.2.5")
_REFERRING = {"sr", "ko", "gsps", "seg", "rtstruct"}


def plans(seed: int, people: int, files: int) -> list[Plan]:
    """Return what each file will be: base, person, study, series, UIDs, moment, targets."""
    rng = random.Random(f"plans {seed}")  # noqa: S311 - repeatable on purpose, guards nothing
    crowd = make_people(seed, people)
    found: list[Plan] = []
    counts: dict[str, int] = {}
    for index in range(files):
        base = _ROUND[(index * 7) % len(_ROUND)]
        person = crowd[(index + index // len(_ROUND)) % people]
        study, series = rng.randrange(3), rng.randrange(3)
        if base == "bundled":
            base = list(BUNDLED)[counts.get("bundled", 0) % len(BUNDLED)]
            counts["bundled"] = counts.get("bundled", 0) + 1
        counts[base] = counts.get(base, 0) + 1
        found.append(plan_one(rng, seed, index, base, person, study, series, counts[base]))
    for plan in found:
        if plan.base in _REFERRING:
            same = [p for p in found if p.person is plan.person and p.base in IMAGE_BASES]
            near = [p for p in same if p.study == plan.study] or same
            plan.targets = near[:3]
    return found


def plan_one(
    rng: random.Random,
    seed: int,
    index: int,
    base: str,
    person: Person,
    study: int,
    series: int,
    count: int,
) -> Plan:
    """Return one planned file; ``count`` is how many of its base there are with it."""
    first = dt.datetime(2016, 2, 27, 23, 10, 30) + dt.timedelta(days=37 * person.index)  # noqa: DTZ001 - DICOM times carry no zone
    day = first + dt.timedelta(days=(0, 45, 401)[study], hours=study)
    moment = day + dt.timedelta(minutes=20 * series, seconds=index % 60, microseconds=125000)
    root = f"{ROOT}.{seed}.{person.index}.{study}"
    if base in _BASES:
        syntaxes = _BASES[base][1]
        syntax = syntaxes[count % len(syntaxes)]
    else:
        meta = bundled(base).file_meta
        syntax = str(meta.TransferSyntaxUID)
    modality = base.split(".", maxsplit=1)[0]
    folder = f"{person.family}_{person.given}" if index % 3 == 0 else f"patient{person.index:02d}"
    return Plan(
        index=index,
        base=base,
        person=person,
        study=study,
        series=series,
        study_uid=root,
        series_uid=f"{root}.{series}.{sum(modality.encode()) % 97}",
        sop_uid=f"{root}.{series}.{index}.{rng.randrange(10**6, 10**7)}",
        frame_uid=f"{root}.9.{series}",
        moment=moment,
        path=f"{folder}/study{study}/IM{index:05d}.dcm",
        syntax=syntax,
        odd=index % 9 == 4 or (base in BUNDLED and count % 2 == 1 and syntax.startswith(_PACKED)),
        sop_class=_sop_class(base),
    )


def _sop_class(base: str) -> str:
    known = {
        "ct": "2",
        "mr-siemens": "4",
        "mr-ge": "4",
        "mr-philips": "4",
        "pet": "128",
        "nm": "20",
        "cr": "1",
        "dx": "1.1",
        "mg": "1.2",
        "us": "3.1",
        "sc": "7",
    }
    return "1.2.840.10008.5.1.4.1.1." + known.get(base, "7")


def _common(w: Work) -> None:
    """Set what every object has: identity, study, series, dates, sizes."""
    ds, plan, person = w.ds, w.plan, w.person
    ds.SpecificCharacterSet = list(person.charset) if len(person.charset) > 1 else person.charset[0]
    ds.SOPInstanceUID, ds.StudyInstanceUID = plan.sop_uid, plan.study_uid
    ds.SeriesInstanceUID, ds.InstanceNumber = plan.series_uid, plan.index + 1
    ds.SeriesNumber = plan.series + 1
    ds.PatientName, ds.PatientID = person.pn, person.patient_id
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = (
        person.birth.strftime("%Y%m%d"),
        person.sex,
        person.age,
    )
    ds.PatientWeight, ds.PatientSize = f"{50 + person.index * 3.5:g}", f"1.{60 + person.index}"
    start = plan.moment - dt.timedelta(minutes=20 * plan.series)
    study = start.replace(second=0, microsecond=0)
    for name, stamp in (
        ("Study", study),
        ("Series", start),
        ("Content", plan.moment),
        ("Acquisition", plan.moment),
    ):
        setattr(ds, f"{name}Date", stamp.strftime("%Y%m%d"))
        setattr(ds, f"{name}Time", stamp.strftime("%H%M%S"))
    ds.ContentTime = plan.moment.strftime("%H%M%S.%f")
    ds.InstanceCreationDate, ds.InstanceCreationTime = (
        ds.ContentDate,
        plan.moment.strftime("%H%M%S"),
    )
    ds.TimezoneOffsetFromUTC = "+0100"


def _identity_plants(w: Work) -> None:
    person = w.person
    w.kind = "identity.header"
    w.plant(person.patient_id, "00100020")
    if person.ordinary:
        w.plant(person.family, "00100010", "local")
        w.plant(person.given, "00100010", "local")
    else:
        for word in (person.family, person.given, *person.native):
            if word in str(person.pn):
                w.plant(word, "00100010")
    w.kind = "identity.uids"
    for place, uid in (
        ("00080018", w.plan.sop_uid),
        ("0020000D", w.plan.study_uid),
        ("0020000E", w.plan.series_uid),
    ):
        w.plant(uid, place, "uid")
    w.kind = "identity.dates"
    w.plant(w.ds.PatientBirthDate, "00100030", "exact")
    w.plant(w.ds.StudyDate, "00080020", "exact")
    w.kind = "file.path"
    if person.family in w.plan.path and not person.ordinary:
        w.plant(person.family, "path")


def _moments(w: Work) -> None:
    for date, time in (
        ("00080020", "00080030"),
        ("00080021", "00080031"),
        ("00080023", "00080033"),
        ("00080022", "00080032"),
    ):
        spliced = {tag for tag, _ in w.raw}
        if int(date, 16) in spliced or int(time, 16) in spliced:
            continue
        day, clock = w.ds.get(int(date, 16)), w.ds.get(int(time, 16))
        if day is not None and clock is not None:
            w.key.moments.append({"date": date, "time": time, "value": f"{day.value}{clock.value}"})
    for keyword in ("AcquisitionDateTime",):
        elem = w.ds.get(keyword)
        if elem and 0x0008002A not in {tag for tag, _ in w.raw}:
            w.key.moments.append({"date": "0008002A", "time": "", "value": str(elem)})


def _bundled(w: Work, name: str) -> str:
    """Copy a bundled file into the data set under this plan's identity; return its family."""
    keep = {elem.tag for elem in w.ds}
    for elem in bundled(name):
        if elem.tag not in keep and elem.tag.group > 2:
            w.ds.add(copy.deepcopy(elem))
    if (
        name in {"JPEG2000.dcm", "JPEG-lossy.dcm", "JPGExtended.dcm"}
        and "FrameOfReferenceUID" in w.ds
    ):
        w.ds.FrameOfReferenceUID = w.plan.frame_uid
    return BUNDLED[name]


def build(plan: Plan, seed: int, turn: int, used: Counter[str]) -> tuple[bytes, FileKey]:
    """Return the bytes and the answer key of one planned file."""
    rng = random.Random(f"{seed} file {plan.index}")  # noqa: S311 - repeatable on purpose
    return build_with(plan, rng, lambda w: apply(w, turn, used))


def build_with(
    plan: Plan, rng: random.Random, plant: Callable[[Work], None]
) -> tuple[bytes, FileKey]:
    """Return the bytes and the answer key of one file, planted by ``plant``."""
    key = FileKey(
        path=plan.path,
        person=plan.person.index,
        base=plan.base,
        syntax=plan.syntax,
        odd=plan.odd,
        sop_uid=plan.sop_uid,
        series_uid=plan.series_uid,
        study_uid=plan.study_uid,
        frame_uid=plan.frame_uid,
    )
    w = Work(plan=plan, rng=rng, ds=Dataset(), meta=FileMetaDataset(), key=key, family="")
    _common(w)
    if plan.base in _BASES:
        w.family, _, builder = _BASES[plan.base]
        builder(w)
    else:
        w.family = _bundled(w, plan.base)
    clean = collect(w.ds)
    _identity_plants(w)
    plant(w)
    return _finish(w, clean), key


def _finish(w: Work, clean: dict[str, str]) -> bytes:
    final, spliced = collect(w.ds), {f"{tag:08X}" for tag, _ in w.raw}
    w.key.useful = [
        {"place": place, "value": value}
        for place, value in clean.items()
        if final.get(place) == value and place.split("/")[0] not in spliced
    ]
    _moments(w)
    w.meta.FileMetaInformationVersion = b"\0\1"
    w.meta.MediaStorageSOPClassUID = w.ds.get("SOPClassUID", "1.2.840.10008.5.1.4.1.1.7")
    w.meta.MediaStorageSOPInstanceUID = w.plan.sop_uid
    w.meta.TransferSyntaxUID = w.plan.syntax
    if "ImplementationClassUID" not in w.meta:
        w.meta.ImplementationClassUID = "1.2.826.0.1.3680043.8.1055.1"
    for tag, _ in w.raw:
        if tag in w.ds:
            del w.ds[tag]
    correct_ambiguous_vr(w.ds, w.little)
    body = assemble(w.ds, explicit=w.explicit, little=w.little, raw=w.raw)
    _verify(w, w.preamble + meta_bytes(w.meta) + body + w.tail)
    if w.plan.syntax == DEFLATED:
        body = deflate(body)
    data = w.preamble + b"DICM" + meta_bytes(w.meta) + body + w.tail
    w.key.fingerprint = fingerprint(data)
    elem = w.ds.get(0x7FE00010)
    # the frames of compressed objects are compared decoded, where something here decodes them
    w.key.encapsulated = bool(elem is not None and elem.is_undefined_length and decoded(data))
    return data


def _verify(w: Work, plain: bytes) -> None:
    """Drop needles that are not in the file after all (a later plant took their place)."""
    hidden = {"vr.base64-in-text", "pdf.text", "pdf.metadata", "file.path", "hard.fullwidth"}
    kept, verdict = [], {}
    file = Presence(plain, w.person.charset)
    for needle in w.key.needles:
        text = needle.text
        if text not in verdict:
            verdict[text] = text in file
        if verdict[text] or needle.kind in hidden:
            kept.append(needle)
    w.key.needles = kept


def make(folder: Path, *, seed: int, people: int, files: int) -> dict[str, Any]:
    """Write a corpus into ``folder`` and its key beside it (``folder`` + ``.key.json``).

    Returns:
        The answer key.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        modes = pydicom.config.settings
        before = modes.reading_validation_mode, modes._writing_validation_mode  # noqa: SLF001 - the property alone hides "unset"
        modes.reading_validation_mode = modes.writing_validation_mode = pydicom.config.IGNORE
        try:
            key = _write(folder, seed, people, files)
        finally:
            modes.reading_validation_mode, modes._writing_validation_mode = before  # noqa: SLF001 - as above
    Path(f"{folder}.key.json").write_text(json.dumps(key, ensure_ascii=False, indent=0))
    return key


def _write(folder: Path, seed: int, people: int, files: int) -> dict[str, Any]:
    turns: Counter[str] = Counter()
    used: Counter[str] = Counter()
    keys = []
    for plan in plans(seed, people, files):
        turn = turns[plan.base]
        turns[plan.base] = turn + 1
        data, key = build(plan, seed, turn + len(plan.base) + seed, used)
        path = folder / plan.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        keys.append(key.to_json())
    return key_of(seed, make_people(seed, people), keys)


def key_of(seed: int, crowd: list[Person], files: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the whole answer key."""
    return {
        "seed": seed,
        "people": [
            {
                "index": p.index,
                "patient_id": p.patient_id,
                "ordinary": [p.given, p.family] if p.ordinary else [],
                "tokens": p.tokens,
                "charset": list(p.charset),
            }
            for p in crowd
        ],
        "files": files,
    }
