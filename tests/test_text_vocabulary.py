"""The vocabulary: what it holds, what it refuses, and how unseen words are judged."""

import os
import time

import pytest

from safelight.deid.text import Identity, Needles, TextCleaner, vocabulary
from safelight.deid.text.vocabulary import kind


@pytest.mark.parametrize(
    "word",
    ["chest", "MPRAGE", "H30s", "B31f", "FC51", "2i21s", "tfl3d1", "b1000", "T2w", "BONEPLUS",
     "CHESTABDPELVIS", "HeadNeck", "perihepatic", "pancreaticoduodenectomy", "Übersicht", "thorax",
     "23x38x3", "patient's", "ангиография", "θώρακος", "Galaktographie", "Laminectomie",
     "Beinvenenthrombose", "Oberarmschaftfraktur", "heupprothese", "dell'aorta", "Schluesselbein"],
)  # fmt: skip
def test_technical_words_are_known(word: str) -> None:
    assert kind(word)


@pytest.mark.parametrize(
    "word",
    ["Smith", "Roe", "Jane", "Palma", "Roma", "Paloma", "Thelma", "Adamaitis", "SMITHCHEST",
     "JaneRoe", "WillYoung", "BrownLong", "Smith7", "12345", "A123456", "AB12CD34", "MR1234",
     "O'Brien", "Müller", "Иванов", "zz", "Xi", "Jo", "MacDonald", "January", "Tuesday",
     "Langbein", "Hohlbein", "Steinkopf", "Hartlage", "dell'Obuya"],
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


@pytest.mark.parametrize(
    "text",
    """LI-RADS LR-5|NI-RADS 2|Bosniak IIF|Deauville 4|ypT1bN0|Karnofsky 80|Kellgren-Lawrence 3
    Salter-Harris II|Spetzler-Martin 3|Hunt Hess 3|ECOG 1|NIHSS 7|PERCIST|Budd-Chiari
    Osgood-Schlatter|Wilson disease
    Chestwall_OAR|LN_Neck_VIIB|Lig_Hepatogastrc|SacralPlex|Spc_Retrosty|PTVpar|VBs|LumpCavity|BTV
    Lutathera|Herceptin|FOLFOX|Cisplatin|Knee MR|Chest DR|Vac-Lok|Orthopantomogramm|Coupe axiale
    TK jamy brzusznej|RTG klatki piersiowej|MR mozku|koponya CT|Beyin MR|Akciğer grafisi
    흉부 X선|복부 조영증강|骨盤部 単純CT|脳動脈瘤|腹部エコー
    双肾输尿管|乳腺钼靶|胸片正侧位|أشعة الصدر|головний мозок""".replace("\n", "|").split("|"),
)
def test_stages_structures_drugs_and_languages_stay(text: str) -> None:
    cleaner = TextCleaner(Needles.compile(Identity()))
    assert cleaner.clean(text.strip()).text == text.strip()


@pytest.mark.parametrize(
    "text",
    """Wilson|Hunt|Martin 3|Harris II|Weber B|Anderson|Schatzker|Budd|MR Kos|Tang|손|السيد الصدر
    Dr. Edw|Li|knee Mr. Weiss""".replace("\n", "|").split("|"),
)
def test_half_an_eponym_is_a_name(text: str) -> None:
    cleaner = TextCleaner(Needles.compile(Identity()))
    assert cleaner.clean(text.strip()).text in {"", "II", "MR", "knee", "3", "الصدر"}


def test_the_list_is_small_and_loads_fast() -> None:
    assert os.path.getsize(vocabulary._FILE) < 1_500_000
    vocabulary._load.cache_clear()
    start = time.process_time()
    vocabulary.listed("chest")
    assert time.process_time() - start < 0.15  # 30 ms on a quiet machine


@pytest.mark.parametrize(
    "text",
    [
        "Rundherd rechter Oberlappen, keine Lymphknotenmetastasen",
        "Ausschluss tiefe Beinvenenthrombose nach Osteosynthese",
        "Anévrisme de l'aorte abdominale sous-rénale",
        "Fracture de la malléole externe, contrôle post-opératoire",
        "Dolor lumbar irradiado a miembro inferior",
        "Aneurisma dell'aorta addominale sottorenale",
        "Verdenking longembolie bij hartfalen",
        "Fratura do colo do fêmur, controle pós-operatório",
    ],
)
def test_requests_in_other_languages_keep_every_word(text: str) -> None:
    assert TextCleaner(Needles.compile(Identity())).clean(text).text == text
