"""What stands still from frame to frame is read once; what changes is read again."""

from collections.abc import Sequence

import cv2
import numpy as np

from safelight.deid.burned.memory import Memory
from safelight.deid.burned.read import Grey, Reader, Reading
from safelight.deid.burned.strip import Strip

STRIP = Strip(x=110.0, y=40.0, length=180.0, height=26.0)


def frame(text: str, noise: int = 0) -> Grey:
    picture = np.full((80, 220), 20, np.uint8)
    cv2.putText(picture, text, (22, 50), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 230, 2)
    jitter = np.random.default_rng(7).integers(-noise, noise + 1, picture.shape)
    return np.clip(picture + jitter, 0, 255).astype(np.uint8)


def counted(reader: Reader) -> list[int]:
    """Count the crops that reach the network."""
    seen: list[int] = []
    inner = reader._run

    def run(crops: Sequence[Grey], width: int, turn: int) -> list[Reading]:
        seen.append(len(crops))
        return inner(crops, width, turn)

    reader._run = run  # type: ignore[method-assign]  # to see what is run
    return seen


def test_an_overlay_that_stands_still_is_read_once() -> None:
    reader = Reader()
    ran = counted(reader)
    first = reader.read(frame("DOE 1951"), [STRIP])
    runs = len(ran)
    moved = Strip(x=110.5, y=40.5, length=181.0, height=26.0)
    assert reader.read(frame("DOE 1951", noise=4), [moved]) == first
    assert len(ran) == runs


def test_a_letter_that_changes_is_read_again() -> None:
    reader = Reader()
    assert reader.read(frame("DOE 1951"), [STRIP])[0].text == "DOE 1951"
    assert reader.read(frame("DOE 1957"), [STRIP])[0].text == "DOE 1957"
    assert reader.read(frame("ROE 1951"), [STRIP])[0].text == "ROE 1951"


def test_an_answer_is_not_taken_for_another_size_or_direction() -> None:
    known: Memory[str] = Memory()
    picture = frame("DOE")
    known.keep(picture, STRIP, "DOE")
    assert known.find(picture, STRIP) == "DOE"
    assert known.find(picture[:79], STRIP) is None
    turned = Strip(x=110.0, y=40.0, length=180.0, height=26.0, angle=4.0)
    assert known.find(picture, turned) is None


def test_only_the_newest_are_kept() -> None:
    known: Memory[int] = Memory()
    picture = frame("DOE")
    for number in range(200):
        known.keep(picture, Strip(x=110.0, y=10.0 * number, length=30.0, height=10.0), number)
    assert known.find(picture, Strip(x=110.0, y=0.0, length=30.0, height=10.0)) is None
    assert known.find(picture, Strip(x=110.0, y=1990.0, length=30.0, height=10.0)) == 199


def test_a_faint_letter_that_changes_is_no_noise() -> None:
    known: Memory[str] = Memory()
    faint = [(120 + (frame(text) > 100) * 10).astype(np.uint8) for text in ("DOE", "ROE")]
    known.keep(faint[0], STRIP, "DOE")
    assert known.find(faint[0] + 1, STRIP) == "DOE"
    assert known.find(faint[1], STRIP) is None
