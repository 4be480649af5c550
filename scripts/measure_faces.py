"""Measure the face masks on volumes of heads: ``python scripts/measure_faces.py DIR``.

DIR holds NIfTI volumes, ``NAME.nii`` or ``NAME.nii.gz``. Beside one may lie ``NAME.brain.nii.gz``,
a mask of the brain made by something else than this package, and ``NAME.landmarks.json``, with
``nasion`` and ``chin`` as patient coordinates of DICOM (x, y, z) in mm, placed by hand. Without
landmarks the surface is measured from the nasion that was found down to 120 mm below it.

The face is blanked in the file itself, which is then read anew: what is measured is what goes out.
"""

import json
import sys
from pathlib import Path
from time import perf_counter, process_time
from zlib import MAX_WBITS, decompressobj

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from safelight.deid.faces import Examined, NiftiImage, Verdict, Volume, examine, surface_png
from safelight.deid.faces.profile import profile_of
from safelight.deid.faces.surface import head_of
from safelight.deid.faces.volume import GRID

Mask = NDArray[np.bool_]

NEAR = 2.0  # mm
BEHIND = 45.0  # mm behind the nasion: in front of the ears
CHIN = 120.0  # mm below the nasion, without landmarks


def unpacked(path: Path) -> bytes:
    """Return a file's bytes, out of gzip."""
    data = path.read_bytes()
    return decompressobj(MAX_WBITS | 16).decompress(data) if path.suffix == ".gz" else data


def skin(head: Mask, inside: Mask) -> Mask:
    """Return the outermost voxels of a head; where the scan ends is no skin."""
    return np.asarray(head & ~ndimage.binary_erosion(head | ~inside, border_value=1))


def bounds(path: Path, volume: Volume, head: Mask) -> tuple[float, float, float] | None:
    """Return z of the nasion, z of the chin and y of the nasion, patient coordinates in mm."""
    beside = path.with_name(path.name.split(".nii")[0] + ".landmarks.json")
    if beside.is_file():
        marks = json.loads(beside.read_text("utf-8"))
        return marks["nasion"][2], marks["chin"][2], marks["nasion"][1]
    profile = profile_of(head)
    if profile is None:
        return None
    z, y = (
        at * GRID + volume.origin[axis] for at, axis in zip(profile.nasion, (2, 1), strict=True)
    )
    return z, z - CHIN, y


def left_percent(path: Path, before: Volume, after: Volume) -> float:
    """Return how much of the surface from nasion to chin still has a surface within 2 mm."""
    head = head_of(before)
    found = bounds(path, before, head)
    if found is None:
        return float("nan")
    nasion, chin, front = found
    z = np.arange(head.shape[0]) * GRID + before.origin[2]
    y = np.arange(head.shape[1]) * GRID + before.origin[1]
    part = ((z <= nasion) & (z >= chin))[:, None, None] & (y <= front + BEHIND)[None, :, None]
    surface = skin(head, before.inside) & part
    away = ndimage.distance_transform_edt(~skin(head_of(after), after.inside)) * GRID
    return 100 * float((away[surface] <= NEAR).mean())


def brain_ml(path: Path, found: Examined) -> float:
    """Return how much of the brain beside the volume is masked, mL; nan without one."""
    beside = path.with_name(path.name.split(".nii")[0] + ".brain.nii.gz")
    reference = NiftiImage.read(unpacked(beside)) if beside.is_file() else None
    if reference is None or reference.affine is None or found.mask is None:
        return float("nan")
    touched = sum(
        int(np.count_nonzero(mask & (reference.voxels[:, :, k] > 0)))
        for k, mask in enumerate(found.mask.of_array(reference.affine, reference.voxels.shape))
    )
    return touched * abs(float(np.linalg.det(reference.affine[:3, :3]))) / 1000


def measure(path: Path, pictures: Path | None) -> str:
    """Return one line on one volume."""
    data = unpacked(path)
    wall, start = perf_counter(), process_time()
    image = NiftiImage.read(data)
    before = image.volume() if image is not None else None
    if image is None or before is None:
        return f"{path.name}: not a volume"
    found = examine(before)
    wall, seconds = perf_counter() - wall, process_time() - start
    line = f"{path.name}: {found.verdict} ({found.reason}), {seconds:.1f} s CPU, {wall:.1f} s"
    picture = surface_png(found)
    if pictures is not None and picture is not None:
        (pictures / f"{path.name.split('.nii')[0]}.png").write_bytes(picture)
    if found.verdict is not Verdict.HEAD_WITH_FACE or found.mask is None:
        return line
    blanked = NiftiImage.read(b"".join(image.blanked(data, found.mask)))
    after = blanked.volume() if blanked is not None else None
    left = left_percent(path, before, after) if after is not None else float("nan")
    return f"{line}, brain {brain_ml(path, found):.2f} mL, left {left:.1f} %"


def main() -> None:
    """Print one line for each volume of the folder; pictures go into a second folder if named."""
    folder = Path(sys.argv[1])
    pictures = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    for path in sorted([*folder.glob("*.nii"), *folder.glob("*.nii.gz")]):
        if not path.name.endswith(".brain.nii.gz"):
            sys.stdout.write(measure(path, pictures) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
