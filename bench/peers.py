"""The tools beside which Safelight is measured, each in its own environment."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CACHE", "OURS", "Tool", "tools"]

CACHE = Path(os.environ.get("SAFELIGHT_BENCH", "~/.cache/safelight-bench")).expanduser()
HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
# our command; {source}, {target}, {workers} and {key} are filled in
OURS = (
    str(BIN / "safelight"),
    "deidentify",
    "{source}",
    "-o",
    "{target}",
    "--preset",
    "share",
    "--workers",
    "{workers}",
    "--key",
    "{key}",
    "--no-progress",
    "--no-pixels",  # no peer here looks at them; bench/burned.py is about those
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool: its name with version, and the command for a source and a target folder."""

    name: str
    command: Callable[[Path, Path], list[str]]


def _environment(name: str, *packages: str) -> Path:
    """Return the Python of the peer's own environment, made on first use."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    mark = folder / ".ready"
    if mark.exists() and mark.read_text() == " ".join(packages):
        return python
    print(f"installing {' '.join(packages)} into {folder}")
    uv = shutil.which("uv") or shutil.which("uv", path=str(BIN))
    folder.parent.mkdir(parents=True, exist_ok=True)
    if uv:
        subprocess.run([uv, "venv", "-q", "--clear", "-p", sys.executable, str(folder)], check=True)
        subprocess.run([uv, "pip", "install", "-q", "-p", str(python), *packages], check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)
    mark.write_text(" ".join(packages))
    return python


def _version(python: Path, package: str) -> str:
    probe = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.run(
        [str(python), "-c", probe], check=True, capture_output=True, text=True
    ).stdout.strip()


def _certificate() -> Path:
    """Return a throw-away certificate: gdcmanon encrypts what it takes off."""
    path = CACHE / "gdcmanon.pem"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650",
             "-subj", "/CN=bench", "-keyout", os.devnull, "-out", str(path)],
            check=True,
            capture_output=True,
        )  # fmt: skip
    return path


def ours(workers: int, key: Path) -> Tool:
    """Return our own command with that many workers."""
    return Tool(
        name=f"safelight ({workers} worker{'s' if workers > 1 else ''})",
        command=lambda source, target: [
            part.format(source=source, target=target, workers=workers, key=key) for part in OURS
        ],
    )


def _gdcmanon() -> Tool | None:
    if shutil.which("gdcmanon") is None:
        print("gdcmanon is missing; on Debian: apt-get install libgdcm-tools")
        return None
    text = subprocess.run(
        ["gdcmanon", "--version"], capture_output=True, text=True, check=False
    ).stdout
    version = text.split("gdcm ")[1].split()[0] if "gdcm " in text else ""
    certificate = str(_certificate())
    return Tool(
        name=f"gdcmanon {version}",
        command=lambda source, target: [
            "gdcmanon",
            "-e",
            "-c",
            certificate,
            "-i",
            str(source),
            "-o",
            str(target),
        ],
    )


def tools(only: set[str]) -> list[Tool]:
    """Return the tools to measure, ours first; ``only`` holds name prefixes, empty for all."""
    key = CACHE / "project.key"
    found: list[Tool | None] = [ours(1, key)]

    def wanted(name: str) -> bool:
        return not only or any(name.startswith(one) for one in only)

    if wanted("gdcmanon"):
        found.append(_gdcmanon())
    if wanted("dicom-anonymizer"):
        anonymizer = _environment("dicom-anonymizer", "dicom-anonymizer==2.1.0")
        found.append(
            Tool(
                name=f"dicom-anonymizer {_version(anonymizer, 'dicom-anonymizer')}",
                command=lambda source, target: [
                    str(anonymizer.parent / "dicom-anonymizer"), str(source), str(target)
                ],
            )
        )  # fmt: skip
    if wanted("dicognito"):
        dicognito = _environment("dicognito", "dicognito")
        found.append(
            Tool(
                name=f"dicognito {_version(dicognito, 'dicognito')}",
                command=lambda source, target: [
                    str(dicognito), "-m", "dicognito", "-q", "-o", str(target), str(source)
                ],
            )
        )  # fmt: skip
    if wanted("openmed"):
        openmed = _environment("openmed", "openmed[multimodal]")
        found.append(
            Tool(
                name=f"openmed {_version(openmed, 'openmed')}",
                command=lambda source, target: [
                    str(openmed), str(HERE / "openmed_run.py"), str(source), str(target)
                ],
            )
        )  # fmt: skip
    if wanted("pydicom"):
        floor = Path(sys.executable)
        found.append(
            Tool(
                name=f"pydicom {_version(floor, 'pydicom')}: read and write, nothing done",
                command=lambda source, target: [
                    str(floor), str(HERE / "floor.py"), str(source), str(target)
                ],
            )
        )  # fmt: skip
    return [one for one in found if one is not None]
