"""Strategies for policies, changes of policies, and histories of what people said."""

from typing import Any

from hypothesis import strategies as st

RECIPIENTS = ("Example University", "Roe Imaging Ltd", "Doe Registry", "*")
REGIONS = ("DE", "FR", "US", "US-CA", "*")
DATA = ("images", "features", "reports")
SERVICES = ("Example Chat", "Roe Vision", "*")
CONDITIONS = ("IRB", "PUB", "NCU", "US", "TS")
PURPOSES = ("care", "general-research", "biomedical-research", "train-a-model")
DAYS = st.one_of(st.just("unlimited"), st.integers(0, 4000))


def _some(values: tuple[str, ...], least: int = 0) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), unique=True, min_size=least)


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "title": st.sampled_from(["Imaging", "Imaging research", "Bildgebung"]),
    "language": st.sampled_from(["en", "de"]),
    "summary": st.sampled_from(["In plain words.", "In other words."]),
    "withdrawal": st.sampled_from(["Write to us.", "Come to our desk between 9 and 10."]),
    "jurisdiction": st.sampled_from(["DE", "US-CA"]),
    "purposes": _some(PURPOSES, 1),
    "recipients": _some(RECIPIENTS),
    "regions": _some(REGIONS, 1),
    "data": _some(DATA, 1),
    "third_party_ai": _some(SERVICES),
    "conditions": _some(CONDITIONS),
    "retention_days": DAYS,
    "grace_days": DAYS,
    "commercial_use": st.booleans(),
    "originals_kept": st.booleans(),
    "new_field": st.sampled_from([0, 1, True, "yes", ["yes"], {"yes": 1}]),
    "hash": st.sampled_from(["a", "b"]),  # unknown fields with names that mean something to us
    "controller.contact": st.sampled_from(["a", "b"]),
}
OPTIONAL = {"new_field", "hash", "controller.contact"}


def settle(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without contradictions between its fields."""
    made = dict(document)
    if made["commercial_use"]:
        made["conditions"] = [one for one in made["conditions"] if one != "NCU"]
    purposes = [one for one in made["purposes"] if one != "third-party-model"]
    made["purposes"] = [*purposes, *(["third-party-model"] if made["third_party_ai"] else [])]
    return made


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a policy document that is free of contradictions."""
    made = {name: draw(value) for name, value in FIELDS.items() if name not in OPTIONAL}
    made |= draw(st.fixed_dictionaries({}, optional={name: FIELDS[name] for name in OPTIONAL}))
    party = {
        "name": draw(st.sampled_from(["Clinic", "Another clinic"])),
        "address": draw(st.sampled_from(["Street 1", "Street 2"])),
        "contact": draw(st.sampled_from(["a@example.org", "b@example.org"])),
    }
    party |= draw(st.fixed_dictionaries({}, optional={"owner": st.sampled_from(["x", "y"])}))
    return settle({"name": "imaging", "controller": party, **made})


@st.composite
def pairs(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a policy and another that differs in few fields, so that most changes are small."""
    old = draw(documents())
    if draw(st.integers(0, 9)) == 0:
        return old, draw(documents())
    new = dict(old)
    for name in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=3, unique=True)):
        if name in OPTIONAL and draw(st.booleans()):
            new.pop(name, None)
        else:
            new[name] = draw(FIELDS[name])
    if draw(st.integers(0, 3)) == 0:
        new["controller"] = {**old["controller"], "contact": "c@example.org"}
    return old, settle(new)


# One thing that happens, for a model of consent over time: what, and its numbers.
MOMENTS = st.one_of(
    st.tuples(st.just("publish"), st.sampled_from(["title", "wider", "narrower", "drop", "add"])),
    st.tuples(
        st.just("grant"),
        st.sampled_from(PURPOSES),
        st.integers(0, 5),  # which version, from the newest backwards
        st.sampled_from([None, 0, 3, 20]),  # days until it ends
        st.sampled_from(["self", "guardian-of-minor", "guardian-of-adult"]),
        st.sampled_from([0, 0, 0, 1, 5]),  # given so many days before it was recorded
        st.integers(-3, 9),  # comes of age in so many days, where a guardian speaks for a minor
    ),
    st.tuples(st.sampled_from(["refuse", "withdraw", "expire"]), st.sampled_from(PURPOSES)),
    st.tuples(st.just("withdraw"), st.just("*")),
    st.tuples(st.just("wait"), st.sampled_from([0, 0.5, 1, 4, 30])),
)
HISTORIES = st.lists(MOMENTS, max_size=14)
