"""Dates of strangers in other languages and calendars, numbers that states give, what is short."""

import pytest

from safelight.deid.text import Identity, Mode, Needles, TextCleaner

ROE = Identity(
    names={"ROE^JANE^Q"},
    ids={"PAT-4471", "P-9028", "X-77"},
    dates={"19550102"},
)
NOBODY = TextCleaner(Needles.compile(Identity()))
JANE = TextCleaner(Needles.compile(ROE))


@pytest.mark.parametrize(
    "date",
    """14 marca 1962|14. března 1962|1962. március 14.|14 Şubat 1962|14 มีนาคม 2505|14 مارس 1962
    14 मार्च 1962|14.III.1962|14 III 1962|14-III-62|14/3/2505|2505-03-14|1403/01/14|14 فروردین 1403
    9 Nisan 5784|1962 / 03 / 14|1962. 03. 14.|14~03~1962|14+03+1962|14,03,1962|14/03 2024|1962-W11-3
    14th of the 3rd 1962|Mar 14|14 Mar|Thu Mar 14 10:22:33 2024|fourteenth of March 1962
    March the fourteenth, nineteen sixty-two|vom 14.3.|on 14/03|b. 1955|*1955|né en 1955|1955年生
    14 tháng 3 năm 1962""".replace("\n", "|").split("|"),
)
def test_a_strangers_date_goes_whole(date: str) -> None:
    for mode in (Mode.WORDS, Mode.NARRATIVE):
        left = NOBODY.clean(f"liver {date.strip()}, contrast", mode).text
        assert not any(char.isdecimal() for char in left), left
        assert "teen" not in left
        assert left.startswith("liver")
        assert left.endswith("contrast")


@pytest.mark.parametrize(
    "number",
    """9a7f3c2e-1b4d-4e8f-9c1a-2b3c4d5e6f70|550102-1234|550102+1234|QQ 12 34 56 C|1EG4-TE5-MK73
    1 55 01 75 116 001 02|15 020155 R 012|A123456(7)|2123 45670 1|DE89 3704 0044 0532 0130 00
    tel: 123 45 67|〒100-0001|P.O. Box 4471|lat 52.5200 lon 13.4050|52.52001,13.40495
    (0172 / 88 41 377)|fe80::1ff:fe23:4567:890a|SN AX77-4471|beeper#4412|Pat_4471|S21-4471
    H/2021/4471|E 4471/21""".replace("\n", "|").split("|"),
)
def test_a_number_goes_whole(number: str) -> None:
    left = NOBODY.clean(f"liver {number.strip()}, contrast", Mode.WORDS).text
    assert not any(char.isdecimal() for char in left), left


@pytest.mark.parametrize(
    "text",
    """TR/TE/FA 1400/12/20|b0/50/400/800|TE90 1000 2000 3000|twenty minutes|two thousand ml
    on 1/2 dose|2-3-10 mm|12-10-14 mm|SUV 2.5-3.5|MAR 12|second pass 2 of 3|grade II 2010|C5/6
    95th percentile|b. 2000 ml|512 X 512|5-7 mm|P.A.|CT 1955|1/2 views""".replace("\n", "|").split(
        "|"
    ),
)
def test_technical_numbers_stay(text: str) -> None:
    assert JANE.clean(text.strip(), Mode.WORDS).text == text.strip()


@pytest.mark.parametrize(
    "text",
    """JR 1955|J.R. 1955|JR55|jr-1955|J.R.|R.J.|MRN4471|ID9028|4471 and 9028|X-77|x_77|Roe様|Roes
    Roe氏の胸部""".replace("\n", "|").split("|"),
)
def test_what_is_short_goes_beside_what_tells_it(text: str) -> None:
    left = JANE.clean(f"knee {text.strip()}", Mode.SUBJECT).text
    for part in ("JR", "J.R", "R.J", "jr", "1955", "55", "4471", "9028", "77", "Roe"):
        assert part not in left, left


def test_a_short_id_goes_as_it_is_written() -> None:
    cleaner = TextCleaner(Needles.compile(Identity(ids={"1-2-3", "12-34"})))
    for text in ("ID 1-2-3", "1_2_3", "12-34", "12/34"):
        assert not any(map(str.isdecimal, cleaner.clean(f"knee {text}").text)), text
    for text in ("12.34 mm", "1 2 3", "12 34", "123"):
        assert cleaner.clean(f"knee {text}").text == f"knee {text}"


def test_short_values_stay_where_they_may_be_chance() -> None:
    for text in ("TE 4471", "matrix 4471 x 512", "FOV x 77", "MR 1955", "JR 12", "a.p."):
        assert JANE.clean(text, Mode.SUBJECT).text == text, text


def test_a_name_of_two_letters_goes_where_it_is_written_as_one() -> None:
    cleaner = TextCleaner(Needles.compile(Identity(names={"Ng^Li"})))
    for text in ("CT CHEST for Ng", "pt NG knee", "Ng's knee", "knee Ng", "Ng様 頭部CT"):
        assert "ng" not in cleaner.clean(text, Mode.WORDS).text.lower(), text
    for text in ("NG tube", "5 ng"):
        assert cleaner.clean(text, Mode.WORDS).text == text


@pytest.mark.parametrize("text", ["her 95th birthday", "in her late nineties", "knee 95yF"])
def test_more_ages_above_89(text: str) -> None:
    left = NOBODY.clean(text, Mode.WORDS).text
    assert "90+" in left
    assert "95" not in left
    assert "nineties" not in left


@pytest.mark.parametrize(
    "text",
    ["b20-1000", "TR 2000/20", "T12-L1 C5/6", "SN 3 mm", "W 2000/20 L 400/20", "head::neck"],
)
def test_protocol_numbers_are_not_taken_for_records(text: str) -> None:
    assert NOBODY.clean(text).text == text


def test_a_short_date_of_a_japanese_era_goes() -> None:
    assert NOBODY.clean("R3.3.4 胸部単純").text == "胸部単純"
    assert NOBODY.clean("R3.3.4").text == "R3.3.4"  # a version


def test_initials_of_a_double_name_go() -> None:
    cleaner = TextCleaner(Needles.compile(Identity(names={"Unger-Orban^Eva"})))
    assert cleaner.clean("knee U.-O.").text == "knee"
    assert cleaner.clean("P.-A. knee").text == "P.-A. knee"
