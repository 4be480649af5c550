"""The tools beside which Safelight is measured, each in its own environment."""

import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CACHE", "Tool", "installed", "interpreter", "ours", "tools"]

CACHE = Path(os.environ.get("SAFELIGHT_BENCH", "~/.cache/safelight-bench")).expanduser()
HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
ROOT = HERE.parent
# what follows our command; {source}, {target}, {workers} and {key} are filled in
OURS = (
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


def _environment(name: str, *packages: str, base: str = sys.executable) -> Path:
    """Return the Python of a tool's own environment, made on first use."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    mark = folder / ".ready"
    wanted = " ".join((base, *packages))
    if mark.exists() and mark.read_text() == wanted:
        return python
    print(f"installing {' '.join(packages)} into {folder}")
    uv = _uv()
    folder.parent.mkdir(parents=True, exist_ok=True)
    if uv:
        install = [uv, "pip", "install", "-q", "-p", str(python)]
        subprocess.run([uv, "venv", "-q", "--clear", "-p", base, str(folder)], check=True)
    else:
        install = [str(python), "-m", "pip", "install", "-q"]
        subprocess.run([base, "-m", "venv", "--clear", str(folder)], check=True)
    subprocess.run([*install, *packages], check=True)
    mark.write_text(wanted)
    return python


def _uv() -> str | None:
    return shutil.which("uv") or shutil.which("uv", path=str(BIN))


@functools.cache
def interpreter() -> str:
    """Return the Python that tools written in Python are timed with: the system's where it can be.

    gdcmanon comes from the distribution; so does an optimised build of Python. Without its headers
    (or version 3.11) it is the one that runs this, which may be built without optimisation.
    """
    probe = (
        "import os, sys, sysconfig; sys.exit(sys.version_info < (3, 11) or not "
        "os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h')))"
    )
    system = "/usr/bin/python3"
    fits = (
        os.path.exists(system) and not subprocess.run([system, "-c", probe], check=False).returncode
    )
    return system if fits else sys.executable


def _wheel() -> Path | None:
    """Return the wheel of the sources as they are, its engine compiled; None where it cannot be."""
    told = hashlib.sha256(interpreter().encode())
    for path in (
        *sorted((ROOT / "src").rglob("*")),
        ROOT / "pyproject.toml",
        ROOT / "hatch_build.py",
    ):
        told.update(path.read_bytes() if path.is_file() and path.suffix != ".pyc" else b"")
    folder = CACHE / f"wheel-{told.hexdigest()[:16]}"
    if not any(folder.glob("*.whl")):
        uv = _uv()
        print("compiling our engine (about two minutes)")
        build = (
            [uv, "build", "-q", "--wheel", "-p", interpreter(), "-o", str(folder)]
            if uv
            else [interpreter(), "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder)]
        )
        compiled = {**os.environ, "HATCH_BUILD_HOOK_ENABLE_CUSTOM": "1"}
        made = subprocess.run([*build, str(ROOT)], check=False, capture_output=True, env=compiled)
        if made.returncode:
            print(made.stderr.decode(errors="replace")[-600:])
            print("it could not be compiled, and is measured plain; see above")
            return None
    return next(folder.glob("*.whl"))


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


def _our_tool(name: str, command: Path, workers: int) -> Tool:
    key = CACHE / "project.key"
    return Tool(
        name=f"{name}, {workers} worker{'s' if workers > 1 else ''}",
        command=lambda source, target: [
            str(command),
            *(p.format(source=source, target=target, workers=workers, key=key) for p in OURS),
        ],
    )


def ours(workers: int) -> Tool:
    """Return the command of this checkout, plain Python, with that many workers."""
    return _our_tool("safelight, plain Python", BIN / "safelight", workers)


def installed(workers: int) -> Tool:
    """Return the command as it is installed from the compiled wheel; else that of this checkout."""
    wheel = _wheel()
    if wheel is None:
        return ours(workers)
    python = _environment("safelight", str(wheel), base=interpreter())
    return _our_tool("safelight, compiled", python.parent / "safelight", workers)


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
    found: list[Tool | None] = list({tool.name: tool for tool in (installed(1), ours(1))}.values())

    def wanted(name: str) -> bool:
        return not only or any(name.startswith(one) for one in only)

    if wanted("gdcmanon"):
        found.append(_gdcmanon())
    if wanted("dicom-anonymizer"):
        anonymizer = _environment("dicom-anonymizer", "dicom-anonymizer==2.1.0", base=interpreter())
        found.append(
            Tool(
                name=f"dicom-anonymizer {_version(anonymizer, 'dicom-anonymizer')}",
                command=lambda source, target: [
                    str(anonymizer.parent / "dicom-anonymizer"), str(source), str(target)
                ],
            )
        )  # fmt: skip
    if wanted("dicognito"):
        dicognito = _environment("dicognito", "dicognito", base=interpreter())
        found.append(
            Tool(
                name=f"dicognito {_version(dicognito, 'dicognito')}",
                command=lambda source, target: [
                    str(dicognito), "-m", "dicognito", "-q", "-o", str(target), str(source)
                ],
            )
        )  # fmt: skip
    if wanted("openmed"):
        openmed = _environment("openmed", "openmed[multimodal]", base=interpreter())
        found.append(
            Tool(
                name=f"openmed {_version(openmed, 'openmed')}",
                command=lambda source, target: [
                    str(openmed), str(HERE / "openmed_run.py"), str(source), str(target)
                ],
            )
        )  # fmt: skip
    if wanted("pydicom"):
        floor = _environment("pydicom", "pydicom>=3,<4", base=interpreter())
        found.append(
            Tool(
                name=f"pydicom {_version(floor, 'pydicom')}: read and write, nothing done",
                command=lambda source, target: [
                    str(floor), str(HERE / "floor.py"), str(source), str(target)
                ],
            )
        )  # fmt: skip
    return [one for one in found if one is not None]
