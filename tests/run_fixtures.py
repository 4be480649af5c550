"""Small folders of planted files for the tests of runs and commands."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pydicom
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from safelight.pipeline.run import Request, Summary, run
from safelight.settings import Settings

NEEDLES = ("WEXFORDIAN", "JANETTE", "BRUNDLEMEYER", "KASIMIR", "MRN7734120", "MRN9081557")
PEOPLE = (("WEXFORDIAN^JANETTE", "MRN7734120"), ("BRUNDLEMEYER^KASIMIR", "MRN9081557"))
LOOKING = (sys.executable, "-c", "from safelight.cli import main; main()")
# Pictures are looked at only when a test is about them: models take a second to load.
COMMAND = ("env", "SAFELIGHT_PIXELS=0", *LOOKING)


def sample(name: str = "CT_small.dcm") -> Dataset:
    """Return one of pydicom's own files."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    return pydicom.dcmread(path)


def planted(folder: Path, count: int, *, frames: int = 1) -> Path:
    """Write ``count`` planted CT images below ``folder``, in turn for each person."""
    data = sample()
    pixels = data.PixelData
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the sample has odd values
        for number in range(count):
            name, patient_id = PEOPLE[number % len(PEOPLE)]
            data.PatientName, data.PatientID = name, patient_id
            data.StudyInstanceUID = f"1.2.826.0.1.{number % len(PEOPLE) + 1}"
            data.SOPInstanceUID = f"1.2.826.0.2.{number + 1}"
            data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
            data.StudyDescription = f"CT CHEST for {name.replace('^', ' ')}"
            data.PixelData = pixels * frames
            if frames > 1:
                data.NumberOfFrames = frames
            place = folder / name.replace("^", "_") / "series"
            place.mkdir(parents=True, exist_ok=True)
            data.save_as(place / f"IM{number:04d}.dcm")
    return folder


def do(source: Path, out: Path, key: Path, **given: object) -> Summary:
    """Run in this process; pictures are left alone unless ``pixels`` is given."""
    given.setdefault("pixels", False)
    force, pictures = bool(given.pop("force", False)), str(given.pop("pictures", ""))
    settings = Settings(key_file=str(key), **given)  # type: ignore[arg-type]  # checked at run time
    asked = Request(
        sources=[str(source)], out=str(out), settings=settings, force=force, pictures=pictures
    )
    return run(asked)


def command(
    *arguments: str | Path, pixels: bool = False, **given: object
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person would, in a process of its own."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    return subprocess.run(
        [*(LOOKING if pixels else COMMAND), *map(str, arguments)],
        check=False,
        text=True,
        capture_output=True,
        env=environment,
        timeout=120,
        **given,  # type: ignore[call-overload]  # preexec_fn and the like
    )


def outputs(out: Path) -> dict[str, bytes]:
    """Return every output and every list that has no clock in it."""
    clocked = {"report.html", "report.json", ".lock"}
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name not in clocked
    }


def leaks(folder: Path) -> list[str]:
    """Return where a planted value stands below a folder, in names or in bytes."""
    found = []
    for path in sorted(folder.rglob("*")):
        text = path.relative_to(folder).as_posix().encode().upper()
        if path.is_file():
            text += path.read_bytes().upper()
        found += [str(path) for needle in NEEDLES if needle.encode() in text]
    return found
