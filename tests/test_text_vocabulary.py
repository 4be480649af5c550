"""The vocabulary: what it holds, what it refuses, and how unseen words are judged."""

import os
import time

import pytest

from safelight.deid.text import vocabulary
from safelight.deid.text.vocabulary import kind


@pytest.mark.parametrize(
    "word",
    ["chest", "MPRAGE", "H30s", "B31f", "FC51", "2i21s", "tfl3d1", "b1000", "T2w", "BONEPLUS",
     "CHESTABDPELVIS", "HeadNeck", "perihepatic", "pancreaticoduodenectomy", "Übersicht", "thorax",
     "23x38x3", "patient's", "ангиография", "θώρακος"],
)  # fmt: skip
def test_technical_words_are_known(word: str) -> None:
    assert kind(word)


@pytest.mark.parametrize(
    "word",
    ["Smith", "Roe", "Jane", "Palma", "Roma", "Paloma", "Thelma", "Adamaitis", "SMITHCHEST",
     "JaneRoe", "WillYoung", "BrownLong", "Smith7", "12345", "A123456", "AB12CD34", "MR1234",
     "O'Brien", "Müller", "Иванов", "zz", "Xi", "Jo", "MacDonald", "January", "Tuesday"],
)  # fmt: skip
def test_names_and_numbers_are_not(word: str) -> None:
    assert not kind(word)


@pytest.mark.parametrize(
    ("run", "unknown"),
    [
        ("胸部造影", ()),
        ("山田太郎", ((0, 4),)),
        ("胸部山田", ((2, 4),)),
        ("前田胸部", ((0, 2),)),
    ],
)
def test_chinese_and_japanese_terms(run: str, unknown: tuple[tuple[int, int], ...]) -> None:
    assert vocabulary.cjk_unknown(run) == unknown


def test_eponyms_need_their_context() -> None:
    assert vocabulary.eponym_stays("waters", ["skull"])
    assert not vocabulary.eponym_stays("waters", ["knee"])
    assert vocabulary.eponym_stays("hodgkin", ["lymphoma"])
    assert not vocabulary.eponym_stays("smithers", ["disease"])


def test_the_list_is_small_and_loads_fast() -> None:
    assert os.path.getsize(vocabulary._FILE) < 1_500_000
    vocabulary._load.cache_clear()
    start = time.process_time()
    vocabulary.listed("chest")
    assert time.process_time() - start < 0.15  # 30 ms on a quiet machine
