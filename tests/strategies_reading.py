"""Strategies for readings: every field, every word, odd numbers and other scripts."""

from hypothesis import strategies as st

from safelight.readers.reading import (
    Answer,
    Code,
    Finding,
    KindAnswer,
    Measurement,
    Neighbour,
    QualityIssue,
    Reading,
    State,
    ViewKind,
)

WORDS = st.text(max_size=30)
NUMBERS = st.floats(allow_nan=False)
SHARES = st.none() | st.floats(0, 1)
HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
KINDS = st.none() | st.sampled_from(ViewKind)
CODES = st.builds(Code, scheme=WORDS, value=WORDS, meaning=WORDS)
FINDINGS = st.builds(
    Finding,
    reader=WORDS,
    version=WORDS,
    card=HEX,
    state=st.sampled_from(State),
    finding=CODES,
    answer=st.sampled_from(Answer),
    alpha=st.floats(0, 1),
    p_seen=SHARES,
    p_not_seen=SHARES,
    score=st.none() | NUMBERS,
    promise=WORDS,
    reason=WORDS,
    cannot_see=st.lists(WORDS, max_size=3).map(tuple),
    next_step=WORDS,
    cells=st.lists(st.lists(NUMBERS, max_size=3).map(tuple), max_size=3).map(tuple),
    bias=NUMBERS,
    unverified=st.booleans(),
    neighbours=st.lists(
        st.builds(Neighbour, case=WORDS, label=WORDS, distance=NUMBERS), max_size=2
    ).map(tuple),
    features=HEX,
    research_only=st.booleans(),
)
MEASUREMENTS = st.builds(
    Measurement,
    name=CODES,
    value=st.none() | NUMBERS,
    unit=WORDS,
    place=WORDS,
    method=WORDS,
    refused=WORDS,
)
READINGS = st.builds(
    Reading,
    source=HEX,
    software=WORDS,
    kind=st.builds(
        KindAnswer, kind=KINDS, by_header=KINDS, by_pixels=KINDS, distance=NUMBERS, why=WORDS
    ),
    quality=st.lists(st.builds(QualityIssue, code=WORDS, text=WORDS), max_size=3).map(tuple),
    measurements=st.lists(MEASUREMENTS, max_size=3).map(tuple),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    notes=st.lists(WORDS, max_size=3).map(tuple),
)
