"""Ages over 89 become 90+, in whatever way they are told; measures that look like them stay."""

# ruff: noqa: RUF001 - digits and letters of other scripts are what these tests are about

import pytest

from safelight.deid.text import Identity, Mode, Needles, TextCleaner
from safelight.deid.text.ages import ages, old

NOBODY = TextCleaner(Needles.compile(Identity()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("92Y", "90+ Y"),
        ("0092Y", "90+ Y"),
        ("CT_92Y", "CT_90+ Y"),
        ("F92Y", "F90+ Y"),
        ("92ys", "90+ y"),
        ("92J", "90+ J"),
        ("103 J", "90+ J"),
        ("92F", "90+ F"),
        ("92M", "90+ M"),
        ("92/F", "90+/F"),
        ("F/92", "F/90+"),
        ("m / 104", "m / 90+"),
        ("pt F92 CT", "pt F90+ CT"),
        ("Patient: M101", "Patient: M90+"),
        ("age 92.", "age 90+."),
        ("age of 92", "age of 90+"),
        ("1104 months", "90+ y"),
        ("1080-months old", "90+ y old"),
        ("1200 Monate", "90+ y"),
        ("ninety-two years old", "90+ years old"),
        ("Ninety two year old woman", "90+ year old woman"),
        ("aged ninety-two", "aged 90+ y"),
        ("age: ninety", "age: 90+ y"),
        ("one hundred and two years old", "90+ years old"),
        ("nonagenarian", "90+ y"),
        ("92 år", "90+ y"),
        ("92 jähriger Patient", "90+ y Patient"),
        ("92-jährig", "90+ y"),
        ("92 letni", "90+ y"),
        ("92 éves", "90+ y"),
        ("92 yaşında", "90+ y"),
        ("92 vuotta", "90+ y"),
        ("92 ετών", "90+ y"),
        ("92 лет", "90+ y"),
        ("92 años", "90+ años"),
        ("92岁女性", "90+ y 女性"),
        ("患者92岁", "90+ y"),
        ("92歳", "90+ y"),
        ("92세", "90+ y"),
        ("1104个月", "90+ y"),
        ("男性 年齢92", "男性 90+"),
        ("٩٢ سنة", "90+ y"),
        ("९२ year old", "90+ year old"),
        ("๙๒ ปี", "90+ y"),
    ],
)
def test_an_age_over_89_is_no_longer_told(text: str, expected: str) -> None:
    for mode in (Mode.WORDS, Mode.NARRATIVE):
        once = NOBODY.clean(text, mode)
        assert once.text == expected
        assert "age over 89" in once.rules
        assert NOBODY.clean(once.text, mode) == (once.text, ())
    assert NOBODY.clean(text, Mode.CODE).text == ""
    assert list(old(text))


@pytest.mark.parametrize(
    "text",
    ["F92", "F92.0", "M92", "M95", "90M", "100M", "100 J", "120J", "150 J", "92 J/cm", "T2 92",
     "TE 92", "92 mm", "120 kV", "b100", "140/90 mmHg", "ninety degrees", "one hundred percent",
     "hundred slices", "92 lat", "LAO 90 LAT", "w/ 92 mm", "98.6 F", "1100 mm", "1200 ms", "age 42",
     "54 yo", "89 years", "1079 months", "36 months", "90+ y", "90/10", "90 min", "FA 90/120",
     "T1 120 FS", "92 F", "MR/92 mm", "120 F", "900 y", "1.92 y", "B92f", "FOV 92/100", "v1.92F",
     "pt 92 mm", "F/92 mm", "sixty-two years old", "42F", "42/F"],
)  # fmt: skip
def test_measures_and_lesser_ages_stay(text: str) -> None:
    assert NOBODY.clean(text) == (text, ())
    assert ages(text) == text


def test_several_ages_of_one_text_all_go() -> None:
    text = "92/F, mother 101 years, father ninety-five years old; TE 92 ms"
    assert ages(text) == "90+/F, mother 90+ years, father 90+ years old; TE 92 ms"
    assert len(list(old(text))) == 3
