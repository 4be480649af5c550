"""Readings made by hand, for the tests of reports and questions."""

from dataclasses import replace

from safelight.readers.reading import (
    PROMISE,
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

OPACITY = Code(scheme="SCT", value="128601007", meaning="Opacity of the lung")
SEEN = Finding(
    reader="chest-opacity",
    version="1.2",
    card="a1" * 32,
    state=State.VALIDATED,
    finding=OPACITY,
    answer=Answer.SEEN,
    alpha=0.05,
    p_seen=0.61,
    p_not_seen=0.012,
    score=1.5,
    promise=PROMISE.format(finding="opacity of the lung", missed=5),
    cannot_see=(
        "It does not see what lies behind the heart",
        "It does not look for small nodules.",
    ),
    next_step="Have the picture read by a radiologist this week",
    cells=((1.0, 0.25), (-0.5, 0.5)),
    bias=0.25,
    features="b2" * 32,
)
NOT_SEEN = replace(SEEN, answer=Answer.NOT_SEEN, p_seen=0.02, p_not_seen=0.8, score=-1.0)
CANNOT = replace(
    SEEN,
    answer=Answer.CANNOT_TELL,
    p_seen=0.3,
    p_not_seen=0.4,
    score=0.1,
    promise="",
    reason="both answers are plausible",
)
SHADOWED = replace(
    SEEN,
    reader="chest-tuberculosis",
    state=State.SHADOW,
    finding=Code(scheme="SCT", value="56717001", meaning="Tuberculosis"),
    neighbours=(Neighbour(case="case-7f", label="tuberculosis", distance=0.2),),
)
REFUSED = replace(
    SEEN,
    reader="breast-lesion",
    state=State.REFUSED,
    finding=Code(scheme="SCT", value="290077003", meaning="Lump of the breast"),
)
AREA = Measurement(
    name=Code(scheme="SCT", value="42798000", meaning="Area"),
    value=1234.5,
    unit="mm2",
    place="frame 1",
    method="Pixel Spacing (PS3.3 10.7.1.3)",
)
SUV = Measurement(
    name=Code(scheme="DCM", value="126401", meaning="SUVbw"),
    value=None,
    unit="g/ml",
    method="QIBA SUV (body weight)",
    refused="Patient's Weight (0010,1030) is missing",
)
CHEST = KindAnswer(
    kind=ViewKind.CHEST_XRAY_FRONTAL,
    by_header=ViewKind.CHEST_XRAY_FRONTAL,
    by_pixels=ViewKind.CHEST_XRAY_FRONTAL,
    distance=0.4,
    why="header and pixels agree",
)
NOT_SURE = KindAnswer(
    kind=None, by_header=None, by_pixels=None, distance=3.0, why="it is unlike every known kind"
)


def reading(*findings: Finding, kind: KindAnswer = CHEST, **given: object) -> Reading:
    """Return a reading with these findings."""
    values: dict[str, object] = {
        "source": "5c" * 32,
        "software": "0.1.0",
        "kind": kind,
        "quality": (QualityIssue(code="rotated", text="the picture is turned by 90 degrees"),),
        "measurements": (AREA, SUV),
        "findings": findings,
        "notes": ("frame 1 of 2 was read",),
    }
    return Reading(**(values | given))  # type: ignore[arg-type]  # checked at run time
