"""Relations that must hold across a corpus: references, identities, time."""

import datetime as dt
import re
from collections import defaultdict
from typing import Any

from corpus.match import Matched
from corpus.read import resolve

__all__ = ["intervals", "moment", "people", "references"]

_GROUPS = (
    ("study_uid", "StudyInstanceUID"),
    ("series_uid", "SeriesInstanceUID"),
    ("sop_uid", "SOPInstanceUID"),
)


def references(key: dict[str, Any], found: Matched) -> dict[str, Any]:
    """Return how many references resolve, and what breaks the mapping of UIDs."""
    now = {
        file["sop_uid"]: str(found.data_set(i).get("SOPInstanceUID", ""))
        for i, file in enumerate(key["files"])
        if i in found.views
    }
    total = good = 0
    broken: list[dict[str, str]] = []
    for i, file in enumerate(key["files"]):
        if i not in found.views:
            continue
        for one in file["references"]:
            if one["target"] not in now:
                continue
            total += 1
            value = resolve(found.data_set(i), one["place"])
            if value is not None and str(value) == now[one["target"]]:
                good += 1
            else:
                broken.append({"file": file["path"], "place": one["place"]})
    return {
        "references_total": total,
        "references_good": good,
        "references_broken": broken[:50],
        "uid_faults": _faults(key, found),
    }


def _faults(key: dict[str, Any], found: Matched) -> list[str]:
    faults = []
    for name, keyword in _GROUPS:
        forward: dict[str, set[str]] = defaultdict(set)
        back: dict[str, set[str]] = defaultdict(set)
        for i, file in enumerate(key["files"]):
            if i in found.views:
                new = str(found.data_set(i).get(keyword, ""))
                forward[file[name]].add(new)
                back[new].add(file[name])
        faults += [f"{keyword}: one became {len(v)}" for v in forward.values() if len(v) > 1]
        faults += [f"{keyword}: {len(v)} became one" for v in back.values() if len(v) > 1]
        faults += [f"{keyword}: blank" for new in back if not new]
        faults += [f"{keyword}: unchanged" for new, v in back.items() if new in v]
    for i in found.views:
        ds = found.data_set(i)
        meta = getattr(ds, "file_meta", {})
        if meta.get("MediaStorageSOPInstanceUID") != ds.get("SOPInstanceUID"):
            faults.append(f"meta and data set disagree: {key['files'][i]['path']}")
    frames: dict[str, set[str]] = defaultdict(set)
    for i, file in enumerate(key["files"]):
        if (
            i in found.views
            and found.data_set(i).get("FrameOfReferenceUID")
            and "." not in file["base"]
        ):
            frames[file["frame_uid"]].add(str(found.data_set(i).FrameOfReferenceUID))
    faults += [f"FrameOfReferenceUID: one became {len(v)}" for v in frames.values() if len(v) > 1]
    return faults


def people(key: dict[str, Any], found: Matched) -> dict[str, Any]:
    """Return how many people stay one and distinct, by Patient ID."""
    forward: dict[int, set[str]] = defaultdict(set)
    back: dict[str, set[int]] = defaultdict(set)
    for i, file in enumerate(key["files"]):
        if i in found.views:
            new = str(found.data_set(i).get("PatientID", "") or "")
            forward[file["person"]].add(new)
            back[new].add(file["person"])
    good = sum(
        len(ids) == 1 and "" not in ids and len(back[next(iter(ids))]) == 1
        for ids in forward.values()
    )
    return {
        "people_total": len(forward),
        "people_good": good,
        "people_split": sum(len(ids) > 1 for ids in forward.values()),
        "people_merged": sum(len(who) > 1 for who in back.values()),
        "people_blank": len(back.get("", ())),
    }


def moment(text: str) -> dt.datetime | None:
    """Return a DICOM DT (or DA and TM joined) as a naive or zoned moment, or None."""
    match = re.fullmatch(r"(\d{8})(\d{2})(\d{2})(\d{2})(\.\d{1,6})?([+-]\d{4})?", text.strip())
    if match is None:
        return None
    day, hour, minute, second, fraction, zone = match.groups()
    try:
        stamp = dt.datetime.strptime(day + hour + minute + second, "%Y%m%d%H%M%S")  # noqa: DTZ007 - the zone follows
    except ValueError:
        return None
    stamp += dt.timedelta(seconds=float(fraction or 0))
    if zone:
        stamp -= dt.timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[3:]))
    return stamp


def intervals(key: dict[str, Any], found: Matched) -> dict[str, Any]:
    """Return whether each person's moments moved by one amount, into the past, by how many."""
    moved: dict[int, set[dt.timedelta]] = defaultdict(set)
    total = good = 0
    wrong: list[dict[str, str]] = []
    seen: list[tuple[int, dict[str, Any], dict[str, str], dt.timedelta | None]] = []
    now = dt.datetime.now(tz=dt.UTC).replace(tzinfo=None)
    for i, file in enumerate(key["files"]):
        if i not in found.views:
            continue
        for one in file["moments"]:
            ds = found.data_set(i)
            text = str(resolve(ds, one["date"]) or "")
            if one["time"]:
                text += str(resolve(ds, one["time"]) or "")
            before, after = moment(one["value"]), moment(text)
            if before is None:
                continue
            delta = None if after is None or after > now else after - before
            seen.append((file["person"], file, one, delta))
            if delta is not None:
                moved[file["person"]].add(delta)
    usual = {
        who: max(all_, key=lambda d: sum(x[3] == d for x in seen if x[0] == who))
        for who, all_ in moved.items()
    }
    for who, file, one, delta in seen:
        total += 1
        if delta is not None and delta == usual.get(who) and delta != dt.timedelta(0):
            good += 1
        else:
            wrong.append({"file": file["path"], "place": one["date"], "moved": str(delta)})
    return {
        "intervals_total": total,
        "intervals_good": good,
        "intervals_wrong": wrong[:50],
        "shifts": {who: str(delta) for who, delta in usual.items()},
    }
