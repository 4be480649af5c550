"""The public API: the same as the commands, for programs.

Everything goes through the same engine and the same residual check as a run does.
"""

import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from safelight.errors import SettingsError
from safelight.settings import Settings, load
from safelight.types import Action

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from safelight.deid.engine import Engine
    from safelight.pipeline.inspect import Inspection
    from safelight.pipeline.request import Summary
    from safelight.pipeline.verify import Verified

__all__ = ["Result", "deidentify", "inspect", "verify"]

Path = str | os.PathLike[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One object in memory, de-identified and checked.

    Attributes:
        bytes: The whole output.
        kind: What it is, such as ``dicom`` or ``jpeg``.
        actions: What was done, in the order of the input.
        notes: Facts, such as what was not looked at.
        blake3: Digest of the output, hex.
    """

    bytes: bytes
    kind: str
    actions: tuple[Action, ...]
    notes: tuple[str, ...]
    blake3: str

    @property
    def dataset(self) -> "Dataset":
        """Return the output as a pydicom data set, read anew at each call.

        Raises:
            SettingsError: The output is not DICOM.
        """
        if self.kind != "dicom":
            raise SettingsError("the output is not DICOM", todo="use .bytes")
        import pydicom  # noqa: PLC0415  # start-up cost

        return pydicom.dcmread(io.BytesIO(self.bytes))

    def __repr__(self) -> str:
        return f"Result(<{len(self.bytes)} bytes, {self.kind}, {len(self.actions)} actions>)"


@overload
def deidentify(
    source: "bytes | Dataset",
    *,
    preset: str | None = None,
    key: Path | None = None,
    limits: Mapping[str, int] | None = None,
    pixels: bool | None = None,
    mask: Iterable[str] = (),
    mask_file: Path | None = None,
) -> Result: ...


@overload
def deidentify(
    source: Path | Iterable[Path],
    *,
    out: Path,
    preset: str | None = None,
    key: Path | None = None,
    workers: int | None = None,
    force: bool = False,
    limits: Mapping[str, int] | None = None,
    pixels: bool | None = None,
    mask: Iterable[str] = (),
    mask_file: Path | None = None,
) -> "Summary": ...


@overload
def deidentify(
    source: Path,
    *,
    out: None = None,
    preset: str | None = None,
    key: Path | None = None,
    limits: Mapping[str, int] | None = None,
    pixels: bool | None = None,
    mask: Iterable[str] = (),
    mask_file: Path | None = None,
) -> Result: ...


def deidentify(  # noqa: PLR0913  # keywords are the options of the command
    source: Any,
    *,
    out: Path | None = None,
    preset: str | None = None,
    key: Path | None = None,
    workers: int | None = None,
    force: bool = False,
    limits: Mapping[str, int] | None = None,
    pixels: bool | None = None,
    mask: Iterable[str] = (),
    mask_file: Path | None = None,
) -> "Result | Summary":
    """De-identify files and folders into a folder, or one object in memory.

    Args:
        source: With ``out``: a file, a folder, or several. Without: one file, the bytes of one
            object, or a pydicom data set (which is left as it is).
        out: Folder to write; outside of every source.
        preset: Name of a preset or path of a TOML file.
        key: Project key file; made if absent. Without it the default one is used.
        workers: Processes; 0 for one a core. With ``out`` only.
        force: Redo what an earlier run has done. With ``out`` only.
        limits: Limits on one input by name.
        pixels: Look at pictures: mask what is written in them. On unless a setting says otherwise.
        mask: Boxes masked by hand in every picture, each ``x,y,w,h``.
        mask_file: Boxes masked by hand, by kind of picture.

    Returns:
        A ``Summary`` of the run with ``out``, else a ``Result``. A run does not raise for a single
        input: it is listed in review or quarantine, and the summary's ``exit_code`` says so.

    Raises:
        QuarantineError: Without ``out``: the object cannot be handled safely.
        NeedsReviewError: Without ``out``: it cannot be proven harmless.
        OutputError: The output cannot be written.
        KeyFileError: The key cannot be used.
        SettingsError: A setting is wrong.
    """
    settings = _settings(preset, key, workers, limits, _Pixels(pixels, mask, mask_file))
    if out is not None:
        from safelight.pipeline.run import Request, run  # noqa: PLC0415  # start-up cost

        paths = [source] if isinstance(source, str | os.PathLike) else list(source)
        if not all(isinstance(path, str | os.PathLike) for path in paths):
            raise SettingsError(
                "out is for files and folders", todo="leave out= away for bytes or a data set"
            )
        request = Request(
            sources=[os.fspath(path) for path in paths],
            out=os.fspath(out),
            settings=settings,
            force=force,
        )
        return run(request)
    return _in_memory(source, _engine(settings))


def _in_memory(source: Any, engine: "Engine") -> Result:
    import json  # noqa: PLC0415  # start-up cost

    from safelight.pipeline.inspect import assemble, from_bytes  # noqa: PLC0415  # as above

    clean = from_bytes(_bytes(source), engine, header_only=hasattr(source, "save_as"))
    told = json.loads(clean.manifest)
    return Result(
        bytes=assemble(clean),
        kind=clean.kind.value,
        actions=tuple(Action(*each) for each in told["actions"]),
        notes=tuple(told["notes"]),
        blake3=clean.digest,
    )


def _bytes(source: Any) -> bytes:
    """Return the bytes of what was given.

    Raises:
        SettingsError: It is nothing that can be read.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str | os.PathLike):
        from safelight.pipeline.inspect import read_file  # noqa: PLC0415  # start-up cost

        return read_file(os.fspath(source))
    if hasattr(source, "save_as"):
        return _saved(source)
    raise SettingsError(
        "this is neither a path, nor bytes, nor a pydicom data set",
        todo="give one of those; several paths need out=",
    )


def _saved(dataset: "Dataset") -> bytes:
    """Return a data set as a file.

    Raises:
        SettingsError: It is not one that can be written.
    """
    buffer = io.BytesIO()
    try:
        dataset.save_as(buffer, enforce_file_format=True)
    except Exception:  # noqa: BLE001  # its message may hold values
        raise SettingsError(
            "the data set cannot be written as a DICOM file",
            todo="give it a file_meta with its Transfer Syntax UID, a SOP class and a SOP instance",
        ) from None
    return buffer.getvalue()


def inspect(
    source: "Path | bytes | Dataset",
    *,
    preset: str | None = None,
    key: Path | None = None,
    values: bool = False,
    limits: Mapping[str, int] | None = None,
    pixels: bool | None = None,
    mask: Iterable[str] = (),
    mask_file: Path | None = None,
) -> "Inspection":
    """Return what a run would do to one input, without writing.

    Args:
        source: A file, the bytes of one object, or a pydicom data set.
        preset: Name of a preset or path of a TOML file.
        key: Project key file. Where there is none, pseudonyms are an example: none is made.
        values: Give the values themselves instead of their shapes.
        limits: Limits on one input by name.
        pixels: Look at pictures, as ``deidentify`` does.
        mask: Boxes masked by hand in every picture, each ``x,y,w,h``.
        mask_file: Boxes masked by hand, by kind of picture.

    Raises:
        QuarantineError: It would go to quarantine.
        NeedsReviewError: It would go to review.
    """
    from safelight.pipeline import inspect as room  # noqa: PLC0415  # start-up cost

    settings = _settings(preset, key, None, limits, _Pixels(pixels, mask, mask_file))
    engine = _engine(settings, keep_key=False)
    if isinstance(source, str | os.PathLike):
        return room.inspect(os.fspath(source), engine, values=values)
    header_only = hasattr(source, "save_as")
    return room.inspect_bytes(_bytes(source), engine, values=values, header_only=header_only)


def verify(out: Path, *, key: Path | None = None, workers: int | None = None) -> "Verified":
    """Check an output folder again: residual check, digests, signatures.

    Args:
        out: The output folder.
        key: Project key file. Without it, and with no default one, MACs are not checked.
        workers: Processes; 0 for one a core.

    Raises:
        OutputError: There is no manifest.
    """
    from safelight.pipeline import verify as room  # noqa: PLC0415  # start-up cost

    settings = _settings(None, key, workers, None, _Pixels())
    return room.verify_with(os.fspath(out), settings)


@dataclass(frozen=True, slots=True)
class _Pixels:
    look: bool | None = None
    mask: Iterable[str] = ()
    mask_file: Path | None = None


def _settings(
    preset: str | None,
    key: Path | None,
    workers: int | None,
    limits: Mapping[str, int] | None,
    pixels: "_Pixels",
) -> Settings:
    return load(
        preset=preset,
        key_file=None if key is None else os.fspath(key),
        workers=workers,
        limits=None if limits is None else dict(limits),
        pixels=pixels.look,
        mask=";".join(pixels.mask) or None,
        mask_file=None if pixels.mask_file is None else os.fspath(pixels.mask_file),
    )


def _engine(settings: Settings, *, keep_key: bool = True) -> "Engine":
    from safelight.pipeline.run import make_engine  # noqa: PLC0415  # start-up cost

    return make_engine(settings, keep_key=keep_key)
