"""Names that no plain search finds: spread letters, codes, marks between letters, other forms."""

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.deid.text import Identity, Mode, Needles, TextCleaner
from safelight.deid.text.fold import fold_text
from strategies_text import name_parts

PERSON = Identity(names={"VANDRO^ÉLIK", "ROE^JANE"})
CLEANER = TextCleaner(Needles.compile(PERSON))
NOBODY = TextCleaner(Needles.compile(Identity()))
FULL = {ord("!") + i: 0xFF01 + i for i in range(94)}

VEILED = [
    "V A N D R O",
    "v a n d r o",
    "V.a.n.d.r.o",
    "V-A-N-D-R-O",
    "V - A - N - D - R - O",
    "V, a, n, d, r, o",
    "V_A_N_D_R_O",
    "R O E",
    "%56%61%6e%64%72%6F",
    "V%61ndro",
    "%2556%2561%256e%2564%2572%256f",
    "&#86;&#97;&#110;&#100;&#114;&#111;",
    "&#x56;andro",
    "&amp;#86;andro",
    "&Eacute;lik",
    "%C3%89lik",
    "=56=61=6E=64=72=6F",
    "V\u00ada\u200bn\u200dd\u2060r\ufeffo",
    "V\u0336a\u0336n\u0336d\u0336r\u0336o\u0336",
    "V\u20dda\u20ddn\u20ddd\u20ddr\u20ddo\u20dd",
    "VANDRO".translate(FULL),
    "V A N D R O".translate(FULL),
    "ⓋⒶⓃⒹⓇⓄ",
    "𝐕𝐚𝐧𝐝𝐫𝐨",  # noqa: RUF001 - the sign is the test
    "&#86; &#97; &#110; &#100; &#114; &#111;",
]


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("veiled", VEILED)
def test_a_veiled_name_goes_whole_in_every_mode(veiled: str, mode: Mode) -> None:
    cleaned = CLEANER.clean(f"CT CHEST {veiled}", mode)
    assert cleaned.rules
    assert cleaned.text == ("" if mode is Mode.CODE else "CT CHEST")
    if veiled.isascii() or "\u200b" not in veiled:
        assert Needles.compile(PERSON).spans(veiled)


@pytest.mark.parametrize("veiled", VEILED)
def test_a_veiled_name_that_nobody_listed_goes_too(veiled: str) -> None:
    if veiled != "R O E":
        assert NOBODY.clean(f"CT CHEST {veiled}").text == "CT CHEST"


@pytest.mark.parametrize(
    "text",
    ["A P L R", "B/L L/E VENOUS", "R/L A/P", "T R A", "F.L.A.I.R.", "HEAD &amp; NECK", "T2%20FLAIR",
     "Phase 40%50%", "C+ A P", "T1 W I", "SPINE C T L", "100 % O2", "a/b = 0.5"],
)  # fmt: skip
def test_short_rows_known_words_and_percentages_stay(text: str) -> None:
    assert NOBODY.clean(text) == (text, ())


@given(name_parts, st.sampled_from(" .-_/·,"), st.sampled_from(list(Mode)))
@settings(max_examples=150, deadline=None)
def test_no_spread_or_coded_name_survives(name: str, gap: str, mode: Mode) -> None:
    cleaner = TextCleaner(Needles.compile(Identity(names={name})))
    for text in (gap.join(name), quote(name), "".join(f"%{byte:02x}" for byte in name.encode())):
        left = fold_text(cleaner.clean(f"MR {text} T2", mode).text)
        assert left in {"mr t2", ""}, text
