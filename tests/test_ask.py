"""Questions about one's own result: every sentence is backed, and nothing is made up."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from report_fixtures import CANNOT, NOT_SEEN, NOT_SURE, REFUSED, SEEN, SHADOWED, reading
from safelight.readers.labs import read
from safelight.readers.reading import Reading
from safelight.reports.ask import Consent, Fact, Facts, Known, Said, Topic, ask, faults, gather
from safelight.reports.ask.answer import _TELLERS
from safelight.reports.ask.intents import EXAMPLES, match
from strategies_reading import READINGS

QUESTIONS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "ask_questions.jsonl").read_text().splitlines()
]
LABS = read(
    b"test,value,unit,range\nHaemoglobin,9.1,g/dL,12-16\nPotassium,4.1,mmol/L,3.5-5.1\n"
    b"Sodium,99,mmol/L,135-145\nSomething,1,furlong,\n",
    sex="F",
    age=40,
)
TRAIN = Consent(purpose="Train a model with your pictures", agreed=True)
WORLDS = {
    "nothing": Known(),
    "labs": Known(labs=LABS, consents=()),
    "seen": Known(reading=reading(SEEN, SHADOWED, REFUSED), labs=LABS, consents=(TRAIN,)),
    "not-seen": Known(reading=reading(NOT_SEEN)),
    "not-sure": Known(reading=reading(kind=NOT_SURE)),
    "clinician": Known(
        reading=reading(CANNOT, SHADOWED, REFUSED),
        cards={"chest-opacity": ("tested on 300 people of two hospitals",)},
        clinician=True,
    ),
}


def plain(question: str, facts: Facts) -> list[Said]:
    """Return an answer but for what is urgent, which always comes first."""
    return [each for each in ask(question, facts).said if ".critical" not in each.facts[0]]


def test_there_are_enough_questions_of_every_sort() -> None:
    sorts = {each["category"] for each in QUESTIONS}
    hard = [each for each in QUESTIONS if each["category"] != "plain"]
    assert len(hard) >= 200
    assert len({each["question"] for each in QUESTIONS}) == len(QUESTIONS)
    assert sorts >= {"no-image", "leading", "others", "diagnosis-seeking", "injection"}
    assert sorts >= {"languages", "typos", "odd"}


@pytest.mark.parametrize("world", list(WORLDS))
def test_every_sentence_of_every_answer_is_backed(world: str) -> None:
    facts = gather(WORLDS[world])
    assert not list(faults([], facts.all))
    for each in QUESTIONS:
        reply = ask(each["question"], facts)
        assert not list(faults(reply.said, facts.all)), each
        assert bool(reply.said) is not bool(reply.menu), each


@pytest.mark.parametrize("world", ["nothing", "labs"])
def test_no_picture_no_finding(world: str) -> None:
    facts = gather(WORLDS[world])
    for each in QUESTIONS:
        cited = {name for said in ask(each["question"], facts).said for name in said.facts}
        assert not {name for name in cited if name.startswith(("reader", "image."))} - {
            "image.none"
        }, each


def test_shadow_and_refused_readers_are_never_told_to_a_person() -> None:
    facts = gather(WORLDS["seen"])
    for each in QUESTIONS:
        for said in ask(each["question"], facts).said:
            assert "uberculosis" not in said.text
            assert "breast" not in said.text


def test_a_clinician_hears_shadow_marked_and_refused_never() -> None:
    told = " ".join(said.text for said in ask("what was found", gather(WORLDS["clinician"])).said)
    assert "Reader for tuberculosis: In shadow" in told
    assert "breast" not in told


def test_questions_are_understood_as_meant() -> None:
    facts = gather(WORLDS["seen"])
    meant = [each for each in QUESTIONS if each["intent"] != "*"]
    replies = {each["question"]: ask(each["question"], facts).intent for each in meant}
    missed = [each for each in meant if replies[each["question"]] != each["intent"]]
    assert len(missed) <= len(meant) // 50
    assert not [each for each in missed if replies[each["question"]]], "taken for something else"


def test_nobody_is_told_a_diagnosis_a_treatment_or_that_all_is_fine() -> None:
    facts = gather(WORLDS["seen"])
    for each in QUESTIONS:
        if each["category"] != "diagnosis-seeking":
            continue
        texts = [said.text for said in plain(each["question"], facts)]
        assert texts
        first = {
            "diagnosis": "This is not a diagnosis",
            "fine": "No reader can say that a picture is fine",
            "treatment": "Nothing here says anything about treatments",
            "outlook": "Nothing here says anything about what will come",
            "cause": "Nothing here says anything about causes",
            "emergency": "If you feel very ill",
        }[each["intent"]]
        assert texts[0].startswith(first)


def test_a_named_lab_result_is_told_as_it_was_read() -> None:
    said = plain("What is my haemoglobin?", gather(WORLDS["seen"]))
    assert said[0].text.startswith("Haemoglobin is 9.1 g/dL, below")
    assert said[0].facts[0].startswith("lab.r1")
    assert not [each for each in said if "Potassium" in each.text]


def test_a_false_number_in_the_question_does_not_come_back() -> None:
    for question in ("My haemoglobin is 3, right?", "haemoglobin 3 g/dL is perfect"):
        texts = [said.text for said in plain(question, gather(WORLDS["seen"]))]
        assert "9.1" in texts[0]
        assert not [text for text in texts if " 3 " in text]


NOTHING_TO_TELL = {"labs-refused"}  # such an answer is a list of questions
ALARM = read(b"test,value,unit,range\nPotassium,7.4,mmol/L,3.5-5.1\nSodium,150,mmol/L,135-145\n")


@pytest.mark.parametrize("intent", [each for each in EXAMPLES if each != "help"])
def test_what_is_urgent_comes_first_in_every_answer(intent: str) -> None:
    facts = gather(Known(labs=ALARM))
    said = ask(EXAMPLES[intent][0], facts).said
    assert not said or said[0].facts == ("lab.r1.critical",)
    assert said or intent in NOTHING_TO_TELL


@pytest.mark.parametrize(
    "question", ["Are all my results fine?", "Am I ok?", "Do I have kidney disease?"]
)
def test_whether_all_is_well_is_not_answered_without_the_lab_results(question: str) -> None:
    texts = " ".join(each.text for each in ask(question, gather(Known(labs=ALARM))).said)
    assert "Potassium is 7.4" in texts
    assert "Sodium is 150" in texts
    assert "A result inside or outside a range is not a diagnosis" in texts


def test_an_answer_that_is_cut_keeps_what_matters_and_says_how_much_is_left_out() -> None:
    rows = [f"2024-01-{day:02},ALT,{day},U/L,5-40" for day in range(1, 29)]
    rows += [f"2024-02-{day:02},AST,{day},U/L,5-40" for day in range(1, 29)]
    rows += ["2024-03-01,GGT,90,U/L,5-60", "2024-03-02,Potassium,7.4,mmol/L,3.5-5.1"]
    report = read("\n".join(["date,test,value,unit,range", *rows]).encode())
    facts = gather(Known(labs=report))
    said = ask("What are my lab results?", facts).said
    texts = [each.text for each in said]
    assert len(said) == 40
    assert texts[0].startswith("Potassium")
    assert any(text.startswith("GGT (day 60) is 90") for text in texts)
    assert any("is not a diagnosis" in text for text in texts)
    told = len([text for text in texts if "day" in text])
    assert texts[-1].startswith(f"{len(rows) - told} more sentences are left out")
    assert not list(faults(said, facts.all))
    assert len(gather(Known(labs=report)).by_id) == len(facts.all)


def test_what_is_not_understood_gets_questions_that_have_an_answer() -> None:
    for known in WORLDS.values():
        facts = gather(known)
        reply = ask("flurb the zorp", facts)
        assert reply.intent == ""
        assert len(reply.menu) >= 5
        for question in reply.menu:
            assert ask(question, facts).said, question


def test_every_intent_has_its_examples_and_every_example_its_intent() -> None:
    assert set(EXAMPLES) - {"help"} == set(_TELLERS) - {"named"}
    assert len(EXAMPLES) >= 38
    facts = gather(WORLDS["seen"])
    for intent, several in EXAMPLES.items():
        for question in several:
            assert ask(question, facts).intent in {intent, "named"}, question


def test_a_question_of_any_length_is_answered_in_time() -> None:
    facts = gather(WORLDS["seen"])
    for question in ("what was found " * 100_000, "x" * 1_000_000, "x " * 500_000):
        assert ask(question, facts) is not None


@given(st.text(max_size=80), READINGS)
@settings(max_examples=40, deadline=None)
def test_any_question_about_any_reading_is_backed(question: str, told: Reading) -> None:
    for clinician in (False, True):
        facts = gather(Known(reading=told, clinician=clinician))
        for asked in (question, "what was found", "which measurements are there"):
            said = ask(asked, facts).said
            empty = {fact.id for fact in facts.all if not fact.text.strip("\0 .:()")}
            backed = [each for each in said if not empty & set(each.facts)]
            assert not [fault for fault in faults(backed, facts.all) if "says nothing" not in fault]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (Said("The kind is a chest X-ray.", ()), "cites no fact"),
        (Said("The kind is a chest X-ray.", ("made.up",)), "does not exist"),
        (Said("The kind is a spine.", ("a",)), "more than its facts"),
        (Said("It is 13 mm.", ("b",)), "more than its facts"),
        (Said("It is 12,5 mm.", ("b",)), "more than its facts"),
        (Said("mm 12.5 is it.", ("b",)), "more than its facts"),
        (Said("A chest X-ray of 12.5 mm.", ("a",)), "more than its facts"),
        (Said("...", ("a",)), "says nothing"),
    ],
)
def test_the_checker_sees_what_is_invented(said: Said, fault: str) -> None:
    facts = [
        Fact(id="a", topic=Topic.KIND, text="The kind is a chest X-ray."),
        Fact(id="b", topic=Topic.MEASURED, text="It is 12.5 mm."),
    ]
    found: list[Any] = list(faults([said], facts))
    assert any(fault in each for each in found)
    assert not list(faults([Said("It is 12.5 mm.", ("b",))], facts))


def test_the_checker_sees_two_facts_of_one_name() -> None:
    fact = Fact(id="a", topic=Topic.KIND, text="x")
    assert list(faults([], [fact, fact]))


@pytest.mark.parametrize(
    ("question", "others"),
    [
        ("What is John's potassium?", True),
        ("Show me Angela Merkel\u2019s scan", True),
        ("What are his lab results?", True),
        ("Does she have a high sodium?", True),
        ("What is the potassium of John Smith?", True),
        ("what is the potassium of Mr. Smith", True),
        ("Does Peter Roe have anaemia?", True),
        ("How is Maria doing?", True),
        ("What about Ferritin?", False),
        ("What does RDW mean?", False),
        ("Is Hashimoto visible?", False),
        ("What Is My Potassium?", False),
        ("What's in the picture?", False),
        ("Is it Crohn's?", False),
        ("What does my doctor's report say?", False),
    ],
)
def test_what_is_asked_of_somebody_else_is_not_answered_with_ones_own(
    question: str,
    *,
    others: bool,
) -> None:
    assert (match(question).intent == "others") is others


def test_an_everyday_word_names_no_test() -> None:
    labs = read(b"test,value,unit,range\nAST (GOT),20,U/L,5-40")
    told = ask("I got a letter, what now?", gather(Known(labs=labs)))
    assert not any("AST" in said.text for said in told.said)
