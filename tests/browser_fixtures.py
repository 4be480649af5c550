"""A real server and a real Chromium: what tests of the pages stand on.

The server is ``safelight serve`` in a process of its own, on a free port of the loopback. Nothing
in the test's own process opens a socket: the browser's driver is another process too.
"""

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Response, sync_playwright
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from browser import CHROMIUM
from safelight.pipeline.house import House, Places
from safelight.web.desk import server_actor

__all__ = [
    "SCREENS",
    "Site",
    "Watch",
    "browsing",
    "context",
    "film",
    "portraits",
    "serving",
    "write_dicom",
]

SCREENS = Path(__file__).parents[1] / "build" / "screens"
POLICY: dict[str, Any] = {
    "name": "imaging",
    "title": "Imaging at the clinic",
    "summary": "We read your images. If you like, a computer learns from them.",
    "withdrawal": "Press the button under My data.",
    "jurisdiction": "DE",
    "controller": {"name": "Clinic", "address": "Street 1", "contact": "ask@clinic.example"},
    "purposes": ["care", "train-a-model"],
    "regions": ["DE"],
    "data": ["images"],
    "retention_days": 3650,
}
_MAIN = "from safelight.cli import main; main()"
_PORTS = 20_000
_START = 90.0
SERVER = 500  # and above: a fault of the server
_OPTIONS = (
    "--no-sandbox",  # the tests may run as root in a container
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
)
_LISTEN = """
window.__csp = [];
addEventListener("securitypolicyviolation", (event) =>
  window.__csp.push(event.violatedDirective + " " + event.blockedURI));
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A running server: its address, the code of its first run, its process."""

    url: str
    code: str
    process: "subprocess.Popen[str]"


@contextmanager
def serving(folder: Path, *more: str) -> Iterator[Site]:
    """Make a house with a policy and serve it; everything ends with the block."""
    places = Places(data=str(folder / "data"), master_key=f"file:{folder / 'master.key'}")
    house = House.create(places)
    house.custody.accesses.bootstrap(server_actor())
    if "--open" not in more:
        house.custody.consents.publish(POLICY, actor=server_actor())
    house.close()
    port = 10_240 + (os.getpid() * 7 + len(str(folder))) % _PORTS
    for attempt in range(5):
        where = ["--data", places.data, "--master-key", places.master_key]
        command = [sys.executable, "-c", _MAIN, "serve", "--port", str(port + attempt)]
        process = subprocess.Popen(
            [*command, *where, *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "HOME": str(folder), "PYTHONUNBUFFERED": "1"},
        )
        told = _told(process)
        found = re.search(r"listens on (\S+)", told)
        if found:
            code = re.search(r"(?:with the code |/open/)(\S+)", told)
            try:
                yield Site(url=found[1], code=code[1] if code else "", process=process)
            finally:
                process.terminate()
                process.wait(60)
                if process.stdout is not None:
                    process.stdout.close()
            return
        process.kill()
        process.wait()
    raise RuntimeError(told)


def _told(process: "subprocess.Popen[str]") -> str:
    """Return what the server printed up to the line with its code; then let it print on."""
    lines: queue.Queue[str] = queue.Queue()
    out = process.stdout
    if out is None:
        raise RuntimeError("no output")

    def read() -> None:
        for line in out:
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    told = ""
    while True:
        line = lines.get(timeout=_START)
        told += line
        if not line or "code" in line or "/open/" in line:
            return told


@dataclass(slots=True)
class Watch:
    """What went wrong on the pages of a browser, gathered while it walks."""

    origin: str
    problems: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def follow(self, page: Page) -> Page:
        """Note everything that goes wrong on a page."""
        page.add_init_script(_LISTEN)
        page.on("console", lambda one: one.type == "error" and self._console(one.text))
        page.on("pageerror", lambda one: self.problems.append(f"script: {one}"))
        page.on("request", lambda one: self._request(one.url))
        page.on("response", lambda one: one.status >= SERVER and self._failed(one))
        return page

    def _console(self, text: str) -> None:
        self.problems.append(f"console: {text}")

    def _request(self, url: str) -> None:
        if not url.startswith((self.origin, "blob:", "data:")):
            self.problems.append(f"off origin: {url}")

    def _failed(self, response: Response) -> None:
        self.problems.append(f"{response.status}: {response.url}")

    def check(self, page: Page) -> None:
        """Look for violations of the policy, and of accessibility, on the page as it is."""
        self.problems += [f"policy: {one}" for one in page.evaluate("window.__csp ?? []")]
        found = Axe().run(page, options={"resultTypes": ["violations"], "runOnly": _RULES})
        for one in found.response["violations"]:
            where = [node["html"][:120] for node in one["nodes"][:3]]
            self.problems.append(f"axe {one['id']} on {page.url}: {where}")


_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


def portraits(page: Page, name: str) -> None:
    """Take a screen in light and dark, on a desktop and a phone; nothing may stick out sideways."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    for size, (width, height) in _SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            raise AssertionError(f"{name} is {wide} wide on a {size} of {width}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(
                path=SCREENS / f"{name}-{size}-{scheme}.png", full_page=True, animations="disabled"
            )
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light")


@contextmanager
def browsing() -> Iterator[Browser]:
    """Start Chromium; it can reach the loopback alone."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=[*_OPTIONS, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
        )
        try:
            yield browser
        finally:
            browser.close()


def context(browser: Browser, **more: Any) -> BrowserContext:
    """Return a fresh profile: English, a zone that is not UTC."""
    made = browser.new_context(locale="en-GB", timezone_id="Europe/Berlin", **more)
    made.set_default_timeout(30_000)
    return made


def film(seed: int, rows: int, columns: int, text: str = "") -> "np.ndarray[Any, Any]":
    """Return a picture like a chest film, 12 bits, with writing at the top if there is any."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    across, down = (x - columns / 2) / columns, (y - rows / 2) / rows
    picture = np.exp(-((across / 0.33) ** 2) - (down / 0.42) ** 2) * 2600 + 300
    for side in (-0.17, 0.17):
        lung = ((across - side) / 0.1) ** 2 + ((down + 0.05) / 0.25) ** 2
        picture -= np.exp(-lung) * 1400
    noise = random.normal(0, 1, (rows, columns)).astype(np.float32)
    picture += cv2.GaussianBlur(noise, (0, 0), 2) * 120
    told = picture.clip(0, 4095).astype(np.uint16)
    if text:
        cv2.putText(told, text, (18, 40), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 4095, 2, cv2.LINE_AA)
    return told


def write_dicom(
    path: Path,
    pixels: "np.ndarray[Any, Any]",
    *,
    series: int,
    number: int = 1,
    window: tuple[int, int] = (2000, 4000),
) -> Path:
    """Write a picture as DICOM of an invented person: CT for series above 0, else a chest film."""
    kind = "1.2.840.10008.5.1.4.1.1.2" if series else "1.2.840.10008.5.1.4.1.1.1.1"
    root = "1.2.826.0.1.3680043.8.498.77"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = kind
    meta.MediaStorageSOPInstanceUID = f"{root}.{series}.{number}.{int(pixels.sum()) % 10**9}"
    made = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    made.update(_header(kind, root, series, number))
    made.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    made.WindowCenter, made.WindowWidth = window
    made.Rows, made.Columns = pixels.shape
    made.PixelData = pixels.tobytes()
    made["PixelData"].VR = "OW"
    made.save_as(path, enforce_file_format=True)
    return path


def _header(kind: str, root: str, series: int, number: int) -> pydicom.Dataset:
    made = pydicom.Dataset()
    values: dict[str, Any] = {
        "SOPClassUID": kind,
        "PatientName": "Doe^Jane",
        "PatientID": "4711-22",
        "PatientBirthDate": "19600312",
        "PatientSex": "F",
        "StudyDate": "20240311",
        "AccessionNumber": "A-99182",
        "ReferringPhysicianName": "Roe^Richard",
        "InstitutionName": "Hillside Hospital",
        "StudyDescription": "CHEST for Jane Doe",
        "StudyInstanceUID": f"{root}.9",
        "SeriesInstanceUID": f"{root}.9.{series}",
        "InstanceNumber": str(number),
        "Modality": "CT" if series else "DX",
        "BodyPartExamined": "CHEST",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
    }
    if series:
        values |= {
            "FrameOfReferenceUID": f"{root}.9.{series}.1",
            "ImagePositionPatient": [0, 0, number * 5],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [1, 1],
            "RescaleSlope": "1",
            "RescaleIntercept": "-1024",
        }
    for name, value in values.items():
        setattr(made, name, value)
    return made
