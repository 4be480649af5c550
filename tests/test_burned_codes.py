"""Codes are found upright, turned, on films, damaged; smooth pictures are passed over quickly."""

import cv2
import numpy as np
import pytest
import zxingcpp

from safelight.deid.burned.barcodes import codes, patches

SIDE = 320


def film() -> np.ndarray:
    """Return a smooth picture with a few soft edges, as anatomy has."""
    yy, xx = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    body = 90 + 60 * np.sin(xx / 40) * np.cos(yy / 55) + 40 * (np.hypot(xx - 160, yy - 160) < 120)
    return cv2.GaussianBlur(body, (0, 0), 2).clip(0, 255).astype(np.uint8)


def with_code(
    kind: zxingcpp.BarcodeFormat, angle: float = 0, scale: int = 3
) -> tuple[np.ndarray, np.ndarray]:
    """Return a film with a sticker that holds a code, and where its ink is."""
    image = np.array(zxingcpp.create_barcode("DOE196001", kind).to_image(scale=scale))
    image = image[: min(image.shape[0], 110)]
    rows, columns = image.shape
    plane, mask = film(), np.zeros((SIDE, SIDE), np.uint8)
    y, x = (SIDE - rows) // 2, (SIDE - columns) // 2
    plane[y : y + rows, x : x + columns] = np.where(image > 0, 235, 20)
    mask[y : y + rows, x : x + columns] = image == 0
    turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), angle, 1)
    plane = cv2.warpAffine(plane, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT)
    return plane, cv2.warpAffine(mask, turn, (SIDE, SIDE)) > 0


@pytest.mark.parametrize("angle", [0, 8, 90])
@pytest.mark.parametrize("name", ["QRCode", "DataMatrix", "Aztec", "PDF417", "Code128"])
def test_a_code_is_covered(name: str, angle: float) -> None:
    scale = {"PDF417": 2, "Code128": 2}.get(name, 4)
    plane, ink = with_code(getattr(zxingcpp.BarcodeFormat, name), angle, scale)
    covered = np.zeros_like(ink)
    for strip, _read in codes(plane):
        for box in strip.boxes(SIDE, SIDE):
            covered[box.y : box.y + box.h, box.x : box.x + box.w] = True
    assert (covered & ink).sum() >= 0.95 * ink.sum()


@pytest.mark.parametrize("contrast", [1.0, 0.35])
@pytest.mark.parametrize("name", ["QRCode", "DataMatrix", "Aztec", "Code128"])
def test_a_code_on_a_busy_ground_is_covered(name: str, contrast: float) -> None:
    image = np.array(zxingcpp.create_barcode("DOE1960", zxingcpp.BarcodeFormat[name]).to_image())
    image = np.kron(image[: min(image.shape[0], 60)], np.ones((2, 2), np.uint8))
    rows, columns = image.shape
    steps = np.random.default_rng(5).integers(0, 255, (45, 45), dtype=np.uint8)
    plane = np.kron(steps, np.ones((8, 8), np.uint8))[:SIDE, :SIDE].copy()  # a wall of mosaic
    inside = np.s_[80 : 80 + rows, 30 : 30 + columns]
    plane[inside] = 90 + image * contrast * 0.6
    covered = np.zeros((SIDE, SIDE), bool)
    for strip, _read in codes(plane):
        for box in strip.boxes(SIDE, SIDE):
            covered[box.y : box.y + box.h, box.x : box.x + box.w] = True
    assert covered[inside].mean() >= 0.75  # its quiet margin may stay


def test_a_damaged_code_is_found_by_its_look() -> None:
    plane, ink = with_code(zxingcpp.BarcodeFormat.QRCode, scale=4)
    ys, xs = np.nonzero(ink)
    inside = np.s_[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    # Mirrored upside down in strips: the finder patterns are broken, the look is the same.
    plane[inside] = np.concatenate([part[::-1] for part in np.array_split(plane[inside], 5)])
    assert zxingcpp.read_barcodes(plane) == []
    assert codes(plane)


def test_a_smooth_picture_has_no_patches() -> None:
    assert patches(film()) == []
    assert codes(film()) == []


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (12, 12), (300, 3)])
def test_any_size_is_looked_at(shape: tuple[int, int]) -> None:
    assert codes(np.zeros(shape, np.uint8)) == []
