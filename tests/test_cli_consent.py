"""The commands about people, policies, consent and withdrawal, as a person types them."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from consent_fixtures import POLICY, keep
from safelight import cli
from safelight.cli import consenting, ending, policies, proofs
from safelight.consent.decision import Said
from safelight.pipeline.house import House, Places
from safelight.tlog.receipt import verify

COMMANDS = (
    *(consenting.people, consenting.consent, consenting.withdraw),
    *(policies.policy, policies.disclosures, policies.audit, ending.retention, proofs.receipt),
)


@pytest.fixture
def program() -> click.Group:
    return cli._Main(commands={str(one.name): one for one in COMMANDS})


class Desk:
    """Types commands against one house."""

    def __init__(self, program: click.Group, folder: Path) -> None:
        self.program = program
        self.folder = folder
        self.places = Places(data=str(folder / "data"), master_key=str(folder / "k" / "master.key"))
        House.create(self.places).close()
        self.person = self.json("people", "add")["person"]
        self.policy = self.file("policy.json", POLICY)

    def file(self, name: str, document: Any) -> str:
        path = self.folder / name
        path.write_text(json.dumps(document), encoding="utf-8")
        return str(path)

    def run(self, *words: str, code: int = 0) -> Result:
        places = ["--data", self.places.data, "--master-key", self.places.master_key]
        group, rest = (words[:2], words[2:]) if words[0] in ("consent", "policy", "receipt") else (
            (words[:2], words[2:]) if words[:2] == ("people", "add") else (words[:1], words[1:])
        )  # fmt: skip
        done = CliRunner().invoke(self.program, [*group, *places, *rest])
        assert done.exit_code == code, done.output + str(done.exception)
        return done

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", code=code).stdout)


@pytest.fixture
def desk(program: click.Group, tmp_path: Path) -> Desk:
    return Desk(program, tmp_path)


def test_from_a_policy_to_an_erasure(desk: Desk, tmp_path: Path) -> None:
    told = desk.run("policy", "publish", desk.policy)
    assert "published: imaging version 1" in told.stdout
    assert desk.json("policy", "show", "imaging")["version"] == 1
    before = desk.run("consent", "show", desk.person).stdout
    assert "no  care under imaging version 1: nothing was said" in before
    receipt = str(tmp_path / "yes.json")
    told = desk.run(
        *("consent", "grant", desk.person, "care", "--policy", "imaging"),
        *("--method", "paper", "--given", "2026-01-02", "--receipt", receipt),
    )
    assert "recorded: agrees to care" in told.stdout
    seen = verify(Path(receipt).read_bytes())
    assert (seen.kind, seen.fields["purpose"]) == ("consent.grant", "care")
    now = {
        one["purpose"]: one["allowed"] for one in desk.json("consent", "show", desk.person)["now"]
    }
    assert now == {"care": True, "general-research": False, "train-a-model": False}
    assert desk.json("people")["people"][0] == {
        "person": desk.person,
        "state": "active",
        "agreed": 1,
        "kept": 0,
    }
    receipt = str(tmp_path / "gone.json")
    told = desk.run("withdraw", "--all", desk.person, "--yes", "--receipt", receipt)
    assert "the person's key is destroyed" in told.stdout
    seen = verify(Path(receipt).read_bytes())
    assert (seen.kind, seen.fields["key_destroyed"]) == ("withdrawal.done", True)
    assert desk.json("people")["people"][0]["state"] == "erased"


@pytest.mark.parametrize("place", ["nodir/r.json", "there.json"])
def test_where_no_receipt_can_lie_nothing_is_done(desk: Desk, tmp_path: Path, place: str) -> None:
    desk.run("policy", "publish", desk.policy)
    (tmp_path / "there.json").write_text("precious")
    receipt = str(tmp_path / place)
    words = ("consent", "grant", desk.person, "care", "--policy", "imaging", "--receipt", receipt)
    for line in (words, ("withdraw", "--all", desk.person, "--yes", "--receipt", receipt)):
        told = desk.run(*line, code=4)
        assert "the receipt cannot be written there" in told.output
        assert "nothing was done" in told.output
    assert desk.json("people")["people"][0]["state"] == "active"
    assert desk.json("consent", "show", desk.person)["said"] == []
    assert (tmp_path / "there.json").read_text() == "precious"


def test_a_receipt_is_got_again(desk: Desk, tmp_path: Path) -> None:
    desk.run("policy", "publish", desk.policy)
    missing = str(tmp_path / "none.json")
    told = desk.run("receipt", "get", desk.person, "-o", missing, code=4)
    assert "no such statement" in told.output
    assert not Path(missing).exists()
    for purpose in ("care", "general-research"):
        desk.run("consent", "grant", desk.person, purpose, "--policy", "imaging")
    desk.run("consent", "withdraw", desk.person, "general-research")

    def got(name: str, *more: str) -> tuple[str, str]:
        out = str(tmp_path / name)
        desk.run("receipt", "get", desk.person, *more, "-o", out)
        seen = verify(Path(out).read_bytes())
        return seen.kind, str(seen.fields["purpose"])

    first = desk.json("consent", "show", desk.person)["said"][0]["number"]
    assert f"  {first:>3} 2" in desk.run("consent", "show", desk.person).stdout
    assert got("first.json", "--number", str(first)) == ("consent.grant", "care")
    assert got("newest.json") == ("withdrawal.done", "general-research")
    (tmp_path / "left.json").touch()  # by a command that was killed
    desk.run("withdraw", "--all", desk.person, "--yes", "--receipt", str(tmp_path / "left.json"))
    assert got("erased.json") == ("withdrawal.done", "*")
    again = desk.run("receipt", "get", desk.person, "--number", "999", "-o", missing, code=4)
    assert "said nothing of that number" in again.output
    assert verify((tmp_path / "left.json").read_bytes()).fields["key_destroyed"] is True


def test_a_wider_policy_is_told_before_it_is_published(desk: Desk) -> None:
    desk.run("policy", "publish", desk.policy)
    wider = desk.file("wider.json", {**POLICY, "retention_days": 9999})
    told = desk.run("policy", "diff", wider, code=1).stdout
    assert "MORE IS DONE THAN BEFORE: retention_days" in told
    assert "everyone is asked again" in told
    narrower = desk.file("narrower.json", {**POLICY, "retention_days": 9})
    assert desk.json("policy", "diff", desk.policy, narrower)["effect"] == "narrowing"
    assert desk.json("policy", "diff", wider, "imaging")["carries"] is True
    assert "give two policies, or one file" in desk.run("policy", "diff", "imaging", code=2).stderr
    assert desk.json("policy", "publish", wider)["effect"] == "widening"
    assert len(desk.json("policy", "show")["policies"]) == 2


def test_a_policy_may_be_written_in_toml(desk: Desk) -> None:
    lines = [
        f"{name} = {json.dumps(value)}" for name, value in POLICY.items() if name != "controller"
    ]
    party = [f"{name} = {json.dumps(value)}" for name, value in POLICY["controller"].items()]
    path = desk.folder / "policy.toml"
    path.write_text("\n".join([*lines, "[controller]", *party]), encoding="utf-8")
    assert desk.json("policy", "diff", str(path), desk.policy)["effect"] == "none"
    path.write_text("name = ", encoding="utf-8")
    assert "not valid TOML" in desk.run("policy", "publish", str(path), code=4).stderr


def test_consent_goes_out_and_comes_in_as_fhir(desk: Desk) -> None:
    desk.run("policy", "publish", desk.policy)
    desk.run("consent", "grant", desk.person, "care", "--policy", "imaging")
    bundle = json.loads(desk.run("consent", "show", desk.person, "--fhir").stdout)
    other = desk.json("people", "add")["person"]
    path = desk.file("bundle.json", json.loads(json.dumps(bundle).replace(desk.person, other)))
    assert desk.json("consent", "import", path)["said"][0]["method"] == "fhir"
    assert desk.json("consent", "show", other)["now"][0]["allowed"] is True
    bundle["entry"][0]["resource"]["status"] = "inactive"
    bundle["entry"][0]["resource"]["provision"]["provision"][0]["type"] = "deny"
    path = desk.file("bundle.json", bundle)
    assert "0 statements, 1 withdrawals" in desk.run("consent", "import", path).stdout
    assert desk.json("consent", "show", desk.person)["now"][0]["reason"] == "withdrawn"


def test_every_look_is_in_the_list_of_accesses(desk: Desk) -> None:
    desk.run("consent", "show", desk.person)
    desk.run("audit")
    acts = [one["act"] for one in desk.json("audit", desk.person)["accesses"]]
    assert acts == ["see-accesses", "see-consent"]
    events = json.loads(desk.run("audit", desk.person, "--fhir").stdout)["entry"]
    assert {one["resource"]["resourceType"] for one in events} == {"AuditEvent"}
    assert desk.run("disclosures", desk.person).stdout == "nothing was handed out\n"


def test_what_is_wrong_is_said_in_words(desk: Desk) -> None:
    told = desk.run("consent", "grant", desk.person, "care", "--policy", "imaging", code=4).stderr
    assert "no such policy was published" in told
    assert "kept:" in told
    desk.run("policy", "publish", desk.policy)
    told = desk.run("consent", "grant", desk.person, "x", "--policy", "imaging", code=4).stderr
    assert "there is no such purpose" in told
    assert "train-a-model" in told
    told = desk.run("consent", "show", "JANE DOE", code=4).stderr
    assert "there is no such person" in told
    assert "JANE" not in told + str(desk.json("audit"))
    assert "give --all" in desk.run("withdraw", desk.person, code=2).stderr
    assert "gone for good" in desk.run("withdraw", "--all", desk.person, code=4).stdout


def test_advice_leads_to_what_is_there(desk: Desk) -> None:
    nobody = desk.run("consent", "show", "nobody", code=4).output
    assert "safelight people" in nobody
    assert "break-glass" not in nobody
    told = desk.run("policy", "show", "nosuch", code=4).output
    assert "nothing was changed" in told
    assert "lists those there are" in told


def test_what_is_past_its_time_is_listed_then_removed(desk: Desk) -> None:
    desk.run("policy", "publish", desk.policy)
    house = House.open(desk.places)
    with house.store.read() as conn:
        policy = house.custody.consents.policy(conn, "imaging").hash
    agreed = {"person": desk.person, "purpose": "care", "actor": "desk:1", "policy": policy}
    with house.store.begin() as conn:
        house.custody.consents.record(conn, said=Said.GRANT, **agreed)
    keep(house.custody, desk.person, "deidentified", "o1", policy=policy)
    assert desk.json("retention") == {"people": [], "removed": True, "swept": 0}
    with house.store.begin() as conn:
        house.custody.consents.record(conn, said=Said.EXPIRE, **agreed)
    house.close()
    told = desk.json("retention", "--dry-run")
    assert told["people"] == [{"person": desk.person, "artefacts": 1}]
    assert "1 artefacts past their time" in desk.run("retention", "--dry-run").output
    (one,) = desk.json("retention")["people"]
    assert (one["person"], one["artefacts"], one["stage"]) == (desk.person, 1, "done")
    assert "nothing is past its time" in desk.run("retention").output
