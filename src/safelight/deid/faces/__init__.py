"""Faces: in volumes of heads, in scouts, and in photographs."""

from safelight.deid.faces.deface import FaceMask
from safelight.deid.faces.judge import Examined, Verdict, examine
from safelight.deid.faces.nifti import NiftiImage
from safelight.deid.faces.photo import photo_faces, scout_face
from safelight.deid.faces.render import surface_png
from safelight.deid.faces.volume import SeriesVolume, Slice, Volume, slice_affine

__all__ = [
    "Examined",
    "FaceMask",
    "NiftiImage",
    "SeriesVolume",
    "Slice",
    "Verdict",
    "Volume",
    "examine",
    "photo_faces",
    "scout_face",
    "slice_affine",
    "surface_png",
]
