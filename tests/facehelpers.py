"""Heads and other things made of ellipsoids, for the tests of faces."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# (centre, radii) in mm, patient coordinates: x left, y back, z up; the brain's middle is 0.
HEAD = ((0, 0, 0), (76, 96, 92))
SKULL = ((0, 0, 2), (70, 90, 86))
BRAIN = ((0, 2, 4), (64, 82, 76))
JAW = ((0, -34, -72), (56, 54, 60))
NECK = ((0, 30, -110), (54, 54, 90))
NOSE = ((0, -98, -56), (14, 20, 18))
BRIDGE = ((0, -88, -44), (9, 10, 20))
EYES = (((-32, -72, -36), (12, 12, 12)), ((32, -72, -36), (12, 12, 12)))
LEVELS = {  # air, skin, bone, brain
    "CT": (-1000, 40, 900, 35),
    "MR": (5, 700, 60, 500),
    "PT": (20, 700, 500, 2500),
}


def within(places: Array, part: tuple[Any, Any]) -> Array:
    """Return which places, shape (3, …), lie inside an ellipsoid."""
    centre, radii = (np.array(one, float).reshape(3, *[1] * (places.ndim - 1)) for one in part)
    return np.asarray((((places - centre) / radii) ** 2).sum(0) <= 1)


def grid(shape: tuple[int, int, int], affine: Array) -> Array:
    """Return the patient coordinates of each voxel, shape (3, i, j, k)."""
    index = np.indices(shape).reshape(3, -1)
    placed = affine[:3, :3] @ index + affine[:3, 3:]
    return np.asarray(placed.reshape(3, *shape))


def centred(
    sizes: tuple[float, float, float], shape: tuple[int, int, int], turn: Array | None = None
) -> Array:
    """Return an affine whose grid lies around the head and its neck."""
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if turn is None else turn) @ np.diag(sizes)
    affine[:3, 3] = np.array([0, 0, -35]) - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


def about_x(degrees: float) -> Array:
    """Return a turn about the patient's x axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def head(
    places: Array, modality: str = "MR", *, nose: bool = True, seed: int = 1
) -> tuple[Array, Array]:
    """Return the values of a head at these places, and where its brain is."""
    air, skin, bone, tissue = LEVELS[modality]
    parts = [HEAD, JAW, NECK, *((NOSE, BRIDGE) if nose else ())]
    values = np.full(places.shape[1:], float(air))
    for part in parts:
        values[within(places, part)] = skin
    values[within(places, SKULL)] = bone
    brain = within(places, BRAIN) & (places[2] > -12 - 0.45 * (places[1] + 60))  # its base slopes
    values[brain] = tissue
    for eye in EYES:
        values[within(places, eye)] = skin * 0.8
    noise = np.random.default_rng(seed).normal(0, 3, values.shape)
    return (values + noise).astype(np.float32), brain
