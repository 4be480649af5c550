"""Strategies for texts: invented people, their values, and the templates these stand in."""

from hypothesis import strategies as st

__all__ = ["descriptors", "identified_texts", "name_parts", "people", "unicode_texts"]

# Syllables that form no word of the vocabulary; names made of them are nobody's.
_ONSETS = ("zw", "vr", "kj", "dz", "gw", "xh", "tz", "qu", "pf", "mb")
_VOWELS = ("o", "u", "a", "e", "i", "ö", "é", "ü", "å")
_CODAS = ("rk", "mpf", "ldt", "zz", "xl", "ngt", "lk", "vsk", "tsch")

PROTOCOL = (
    "CT CHEST W CONTRAST",
    "t2_tse_sag_p2",
    "AX T1 FSE +C",
    "MRI BRAIN",
    "KNEE AP LAT",
    "WB FDG",
    "US ABD",
    "Thorax 1.0 B31f",
)

name_parts = st.builds(
    lambda one, two, end: (one + end if two is None else one + two + end).capitalize(),
    st.builds(str.__add__, st.sampled_from(_ONSETS), st.sampled_from(_VOWELS)),
    st.none() | st.builds(str.__add__, st.sampled_from(_ONSETS), st.sampled_from(_VOWELS)),
    st.sampled_from(_CODAS),
)

people = st.tuples(name_parts, name_parts, st.integers(1_000_000, 99_999_999)).filter(
    lambda person: person[0] != person[1]
)

descriptors = st.lists(st.sampled_from(PROTOCOL), min_size=1, max_size=3).map(" ".join)

_FORMS = (
    "{first} {last}",
    "{last}, {first}",
    "{last}^{first}",
    "{first}_{last}",
    "{last}{first}",
    "{first}{last}",
    "{initial}. {last}",
    "{last} {initial}",
    "{last}'s",
    "{last}{number}",
    "{number}",
    "ID {number}",
    "({last})",
    "{last}-{first}",
    "MRN:{number}",
    "Dr. {last}",
)
_CASES = (str, str.upper, str.lower, str.title, str.swapcase)


@st.composite
def identified_texts(draw: st.DrawFn) -> tuple[str, str, str, str]:
    """Draw (text, family name, given name, number): the text holds the person in some form."""
    last, first, number = draw(people)
    form = draw(st.sampled_from(_FORMS)).format(
        first=first, last=last, initial=first[0], number=number
    )
    planted = draw(st.sampled_from(_CASES))(form)
    before, after = draw(st.sampled_from(("", *PROTOCOL))), draw(st.sampled_from(("", *PROTOCOL)))
    gap = draw(st.sampled_from((" ", " for ", ", ", "_", " - ", "; ", "\t", " by ")))
    return f"{before}{gap}{planted}{gap}{after}", last, first, str(number)


unicode_texts = st.text(max_size=60) | st.lists(
    st.sampled_from(
        (*PROTOCOL, "Dr.", "for", "by", "Zwork", "MD", "(", ")", ",", "-", "_", "12", "1960-01-02",
         "12:30", "造影", "胸部", "Müller", "92 yo", "\n", "^", "=", "\\", "J.", "brown", "Will",
         "+1 555 123 4567", "x@y.org", "'", "RT(R)", "and", "of", "91-year-old", "92F", "F/", "92",
         "ninety", "years", "1104 months", "1960", "60", "I", "01", "02", "2", "٩٢", "12 Quarry",
         "Lane", "4477", "010", "-", "/")
    ),
    max_size=12,
).flatmap(
    lambda words: st.sampled_from(("", " ", "_")).map(lambda gap: gap.join(words))
)  # fmt: skip
