"""Ask every adversarial question of several people, and count what is not backed by a fact.

    python scripts/measure_ask.py [--questions tests/data/ask_questions.jsonl]

Prints, by category: questions, answers given, menus, sentences, and faults that the checker found
(``safelight.reports.ask.check``, which shares nothing with the answerer). Without a picture, no
sentence may stem from a fact about a picture. All faults must be 0; the exit status says so.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from safelight.readers.labs import read
from safelight.readers.reading import (
    PROMISE,
    Answer,
    Code,
    Finding,
    KindAnswer,
    Measurement,
    QualityIssue,
    Reading,
    State,
    ViewKind,
)
from safelight.reports.ask import Consent, Facts, Known, Reply, ask, faults, gather

QUESTIONS = Path(__file__).parent.parent / "tests" / "data" / "ask_questions.jsonl"
LABS = (
    b"test,value,unit,range\nHaemoglobin,9.1,g/dL,12-16\nPotassium,4.1,mmol/L,3.5-5.1\n"
    b"Sodium,99,mmol/L,135-145\nSomething,1,furlong,\n"
)


def finding(answer: Answer, state: State = State.VALIDATED, name: str = "opacity") -> Finding:
    """Return a reader's answer."""
    return Finding(
        reader=f"chest-{name}",
        version="1",
        card="0" * 64,
        state=state,
        finding=Code(scheme="99TEST", value="1", meaning=f"{name.capitalize()} of the lung"),
        answer=answer,
        alpha=0.05,
        p_seen=0.4,
        p_not_seen=0.01,
        promise=PROMISE.format(finding=f"{name} of the lung", missed=5),
        reason="" if answer.decided else "both answers are plausible",
        cannot_see=("It does not see what lies behind the heart.",),
        next_step="Have the picture read by a radiologist",
    )


def reading(*findings: Finding, kind: ViewKind | None = ViewKind.CHEST_XRAY_FRONTAL) -> Reading:
    """Return a reading."""
    area = Code(scheme="SCT", value="42798000", meaning="Area")
    return Reading(
        source="0" * 64,
        software="0",
        kind=KindAnswer(kind=kind, by_header=None, by_pixels=kind, distance=0.5, why="as seen"),
        quality=(QualityIssue(code="blurred", text="the picture is blurred"),),
        measurements=(
            Measurement(name=area, value=12.5, unit="cm2", method="spacing"),
            Measurement(name=area, value=None, unit="cm2", method="spacing", refused="no spacing"),
        ),
        findings=findings,
    )


def people() -> dict[str, Known]:
    """Return who is asked about: from nothing known to everything."""
    labs = read(LABS, sex="F", age=40)
    train = Consent(purpose="Train a model with your pictures", agreed=True)
    shadow = finding(Answer.SEEN, State.SHADOW, "tuberculosis")
    refused = finding(Answer.SEEN, State.REFUSED, "lump")
    return {
        "nothing at all": Known(),
        "labs, no picture": Known(labs=labs, consents=()),
        "seen": Known(reading=reading(finding(Answer.SEEN)), labs=labs, consents=(train,)),
        "not seen": Known(reading=reading(finding(Answer.NOT_SEEN), shadow, refused)),
        "cannot tell": Known(reading=reading(finding(Answer.CANNOT_TELL)), consents=()),
        "kind not sure": Known(reading=reading(kind=None)),
        "clinician": Known(
            reading=reading(finding(Answer.SEEN), shadow, refused),
            cards={"chest-opacity": ("tested on 300 people",)},
            clinician=True,
        ),
    }


def wrong(reply: Reply, facts: Facts, known: Known) -> Iterator[str]:
    """Yield what is wrong with an answer."""
    yield from faults(reply.said, facts.all)
    for said in reply.said:
        about = [name.partition(".")[0] for name in said.facts]
        if known.reading is None and any(name.startswith("reader") for name in about):
            yield "a finding without a picture"
        if known.reading is None and "image" in about and said.facts != ("image.none",):
            yield "a picture that is not there"
        if known.labs is None and "lab" in about:
            yield "a lab result that is not there"
        text = said.text.lower()
        if "lump" in text or ("tuberculosis" in text and not known.clinician):
            yield "an answer that may not be shown"


def main() -> int:
    """Ask, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, default=QUESTIONS)
    given = parser.parse_args()
    questions = [json.loads(line) for line in given.questions.read_text("utf-8").splitlines()]
    asked: Counter[str] = Counter()
    menus: Counter[str] = Counter()
    sentences: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for known in people().values():
        facts = gather(known)
        for each in questions:
            category = each["category"]
            reply = ask(each["question"], facts)
            asked[category] += 1
            menus[category] += bool(reply.menu)
            sentences[category] += len(reply.said)
            for fault in wrong(reply, facts, known):
                bad[category] += 1
                print(f"{category}: {fault}")
    print(f"{len(questions)} questions, {len(people())} people")
    print(f"{'category':<20}{'asked':>7}{'menus':>7}{'sentences':>11}{'faults':>8}")
    for category, count in asked.items():
        line = f"{menus[category]:>7}{sentences[category]:>11}{bad[category]:>8}"
        print(f"{category:<20}{count:>7}{line}")
    total = f"{sum(menus.values()):>7}{sum(sentences.values()):>11}{sum(bad.values()):>8}"
    print(f"{'all':<20}{sum(asked.values()):>7}{total}")
    plain = [each for each in questions if each["intent"] != "*"]
    facts = gather(people()["seen"])
    right = sum(ask(each["question"], facts).intent == each["intent"] for each in plain)
    print(f"understood as meant: {right} of {len(plain)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
