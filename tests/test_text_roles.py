"""Strangers whose names are words too: a title, a role, a degree or an initial gives them away."""

import pytest

from safelight.deid.text import Identity, Mode, Needles, TextCleaner

CLEANER = TextCleaner(Needles.compile(Identity()))


@pytest.mark.parametrize(
    "text",
    """dr.white|Dr. med. White|Prof. Dr. med. White
    Dr. van den Long|Drs. White & Brown|Dres. White/Brown
    Brown MD|BROWN MD|White RN|R. Brown|J. White|Ref: Brown|cc: White|Reporting: Brown
    Pat. Lang|per Brown|discussed with Brown|seen with Brown|notified Brown|called Brown
    Son of White|Sir Long|Officer White|Capt. Long|fellow Brown|knee BY BROWN|White, J.""".replace(
        "\n", "|"
    ).split("|"),
)
def test_a_word_that_names_a_stranger_goes(text: str) -> None:
    for mode in (Mode.WORDS, Mode.NARRATIVE):
        left = CLEANER.clean(f"knee normal. {text.strip()}", mode).text.lower()
        for name in ("white", "brown", "long", "lang"):
            assert name not in left, left


@pytest.mark.parametrize(
    "text",
    """T. Long axis|CC: White matter changes|Performed: Long axis|OP: Black blood|L CC
    seen with contrast|called normal
    White matter|Brown fat|reviewed with Long axis|Rev. B|No. 5|Q.Freeze|per view
    via port|Ref: liver|DR CHEST|POST contrast""".replace("\n", "|").split("|"),
)
def test_words_that_describe_stay(text: str) -> None:
    assert CLEANER.clean(text.strip()).text == text.strip()
