"""Show the way through the house on real files: plant a name, take it off, look for it again.

The files are the ones pydicom brings along. Two invented people are planted in them, the real
commands run as a person would run them, and the outputs are then searched from outside, with
nothing of Safelight's own.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import time
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
from PIL import ExifTags, Image, ImageDraw, TiffImagePlugin
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid
from rich.console import Console
from rich.table import Table

from furnish import furnish

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "build" / "demo"
SOURCE, OUT, KEY = HOME / "in", HOME / "out", HOME / "project.key"
# Nothing left for a person to do, some inputs wait for review, some are in quarantine.
EXPECTED_EXITS = (0, 1, 3)

FILES = {
    "CT": "CT_small.dcm",
    "MR": "MR_small.dcm",
    "MR, big endian": "MR_small_bigendian.dcm",
    "MR, implicit VR": "MR_small_implicit.dcm",
    "MR, RLE": "MR_small_RLE.dcm",
    "MR, JPEG-LS": "MR_small_jpeg_ls_lossless.dcm",
    "MR, JPEG 2000": "MR_small_jp2klossless.dcm",
    "NM, JPEG 2000": "JPEG2000.dcm",
    "US, 30 frames": "examples_ybr_color.dcm",
    "US, palette": "examples_palette.dcm",
    "SC, JPEG": "SC_rgb_jpeg_dcmtk.dcm",
    "SC, deflated": "image_dfl.dcm",
    "Structured report": "reportsi.dcm",
    "RT plan": "rtplan.dcm",
    "RT structures": "rtstruct.dcm",
    "RT dose": "rtdose.dcm",
    "ECG": "waveform_ecg.dcm",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An invented person; every field of theirs is looked for in the outputs."""

    name: str
    spoken: str
    number: str
    born: str
    clinic: str
    doctor: str

    def needles(self) -> list[str]:
        """Return what must be nowhere in any output, in the spellings a file may hold."""
        family, given = self.spoken.split()[::-1]
        named = [family, given, self.name.replace("^", " "), self.doctor.split("^")[0]]
        return [*named, self.number, self.born, self.clinic]


PEOPLE = (
    Person(
        name="WEXFORDIAN^JANETTE",
        spoken="Janette Wexfordian",
        number="MRN-7734120",
        born="19510314",
        clinic="Saint Quillon Infirmary",
        doctor="OSTERVAAL^PIET",
    ),
    Person(
        name="BRUNDLEMEYER^KASIMIR",
        spoken="Kasimir Brundlemeyer",
        number="MRN-9081557",
        born="19480907",
        clinic="Hartlespool General",
        doctor="QUENNEVILLE^ODA",
    ),
)
DESCRIPTION = "CT CHEST W CONTRAST"


def plant(data: Dataset, person: Person) -> None:
    """Write one person into the usual places, into free text, and below them."""
    data.PatientName = person.name
    data.PatientID = person.number
    data.PatientBirthDate = person.born
    study = str(data.get("StudyInstanceUID", ""))  # pydicom's files share some
    data.StudyInstanceUID = generate_uid(entropy_srcs=[person.number, study])
    data.InstitutionName = person.clinic
    data.ReferringPhysicianName = person.doctor
    data.StudyDescription = f"{DESCRIPTION} for {person.spoken}"
    data.PatientComments = f"{person.spoken}, {person.number}, seen at {person.clinic}"
    request = Dataset()
    request.RequestedProcedureDescription = f"{DESCRIPTION}, asked by {person.doctor}"
    request.RequestedProcedureComments = f"call {person.spoken} first"
    data.RequestAttributesSequence = Sequence([request])
    block = data.private_block(0x0099, "ACME CLINIC 1.0", create=True)
    block.add_new(0x01, "LO", person.spoken)


def photo(path: Path, person: Person) -> None:
    """Write a phone photo: a place, a device, a caption that names, bytes after the end."""
    image = Image.new("RGB", (640, 480), "#20242b")
    ImageDraw.Draw(image).ellipse((180, 60, 460, 420), fill="#9aa3ad")
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = person.spoken
    exif[ExifTags.Base.ImageDescription] = f"chest film of {person.spoken}"
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef] = "N"
    place[ExifTags.GPS.GPSLatitude] = tuple(
        TiffImagePlugin.IFDRational(number) for number in (52, 22, 12)
    )
    place[ExifTags.GPS.GPSLongitudeRef] = "E"
    place[ExifTags.GPS.GPSLongitude] = tuple(
        TiffImagePlugin.IFDRational(number) for number in (4, 53, 42)
    )
    image.save(path, exif=exif, quality=90)
    with path.open("ab") as file:
        file.write(f"sent by {person.spoken}".encode())


def make_inputs() -> int:
    """Write the planted files; give how many."""
    shutil.rmtree(HOME, ignore_errors=True)
    count = 0
    for number, (label, file_name) in enumerate(FILES.items()):
        person = PEOPLE[number % len(PEOPLE)]
        found = get_testdata_file(file_name, download=False)
        if not isinstance(found, str):
            raise SystemExit(f"pydicom's own {file_name} ({label}) is missing: reinstall pydicom")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # these files are odd on purpose
            data = pydicom.dcmread(found, force=True)  # one of them has no file meta at all
            plant(data, person)
            folder = SOURCE / person.spoken.replace(" ", "_")
            folder.mkdir(parents=True, exist_ok=True)
            data.save_as(folder / file_name)
        count += 1
    photo(SOURCE / f"{PEOPLE[0].spoken} film.jpg", PEOPLE[0])
    return count + 1


def safelight(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real command, as a person would."""
    command = [str(Path(sys.executable).with_name("safelight")), *arguments]
    shown = (os.path.relpath(each) if os.path.isabs(each) else each for each in arguments)
    print("$ safelight", *shown, flush=True)
    return subprocess.run(command, check=False, text=True)


def layers(raw: bytes) -> Iterator[bytes]:
    """Yield a file's bytes and what a reader would unpack from them."""
    yield raw
    if raw[128:132] == b"DICM":
        data = pydicom.dcmread(io.BytesIO(raw))
        if data.file_meta.TransferSyntaxUID == pydicom.uid.DeflatedExplicitVRLittleEndian:
            start = 132 + 12 + int(data.file_meta.FileMetaInformationGroupLength)
            yield zlib.decompress(raw[start:], -zlib.MAX_WBITS)
    elif raw[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            yield from (archive.read(member) for member in archive.namelist())


def left_over(folder: Path) -> list[str]:
    """Search every byte and every name below a folder for what was planted; give the places."""
    needles = {needle for person in PEOPLE for needle in person.needles()}
    found = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        texts = [path.relative_to(folder).as_posix().encode(), *layers(path.read_bytes())]
        spellings = [
            needle.casefold().encode(code) for needle in needles for code in ("utf-8", "utf-16-le")
        ]
        if any(spelling in text.lower() for text in texts for spelling in spellings):
            found.append(path.relative_to(folder).as_posix())
    return found


def statuses() -> Counter[str]:
    """Count how the inputs ended, from the manifest."""
    lines = (OUT / "_safelight" / "manifest.jsonl").read_text("utf-8").splitlines()
    return Counter(json.loads(line)["status"] for line in lines)


def ct_output() -> Dataset | None:
    """Return the header of the CT among the outputs."""
    for path in OUT.rglob("*.dcm"):
        data = pydicom.dcmread(path, stop_before_pixels=True)
        if data.get("Modality") == "CT":
            return data
    return None


def photo_place(folder: Path) -> str:
    """Return where the photo in a folder says it was taken; empty when it does not say."""
    with Image.open(next(folder.glob("*.jpg"))) as image:
        place = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    return " ".join(str(place[tag]) for tag in sorted(place))


def before_and_after(console: Console) -> None:
    """Print one header, and the place of the photo, as they came and as they went."""
    before = pydicom.dcmread(SOURCE / "Janette_Wexfordian" / "CT_small.dcm")
    after = ct_output() or Dataset()
    table = Table(title="CT_small.dcm and the photo, before and after", title_justify="left")
    for heading in ("", "before", "after"):
        table.add_column(heading)
    words = ("PatientName", "PatientID", "PatientBirthDate", "StudyDate", "StudyDescription")
    for word in (*words, "InstitutionName", "PatientComments", "Manufacturer", "KVP"):
        gone = "" if word in after else "(removed)"
        table.add_row(word, str(before.get(word, "")), gone or str(after.get(word, "")))
    table.add_row("photo: GPS", photo_place(SOURCE), photo_place(OUT) or "(removed)")
    console.print(table)


def main() -> int:
    """Plant, de-identify, verify, search; give the exit status."""
    started = time.monotonic()
    console = Console(highlight=False)
    count = make_inputs()
    print(f"{count} real files, two invented people planted in them: {SOURCE}\n", flush=True)
    run = safelight("deidentify", str(SOURCE), "-o", str(OUT), "--key", str(KEY))
    check = safelight("verify", str(OUT), "--key", str(KEY))
    if run.returncode not in EXPECTED_EXITS or check.returncode != 0:
        console.print(f"[bold red]deidentify gave {run.returncode}, verify {check.returncode}")
        return 1
    before_and_after(console)
    ends = statuses()
    planted, found = left_over(SOURCE), left_over(OUT)
    place = photo_place(OUT)
    told = ", ".join(f"{number} {status}" for status, number in sorted(ends.items()))
    print(f"\n{count} inputs: {told}")
    print(
        f"a plain search of every byte finds what was planted in {len(planted)} inputs and in",
        end=" ",
    )
    console.print(f"[bold red]{', '.join(found)}" if found else "[bold green]no output")
    print(f"report: {OUT / '_safelight' / 'report.html'}")
    print(f"the page, on the same files: .venv/bin/{furnish(HOME / 'page', SOURCE)}")
    print(f"took {time.monotonic() - started:.1f} s")
    return 1 if found or place or not len(planted) == sum(ends.values()) == count else 0


if __name__ == "__main__":
    sys.exit(main())
