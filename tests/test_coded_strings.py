"""Coded strings among their terms, layers that stay distinct, versions that are no addresses."""

import pytest

from safelight.deid import profile
from safelight.deid.context import Context
from safelight.deid.engine import Engine
from safelight.deid.evidence import Evidence
from safelight.deid.pseudonyms import ProjectKey
from safelight.deid.spelling import spells
from safelight.deid.table import Act, Rule
from safelight.deid.text import Identity
from safelight.deid.values import Values
from safelight.dicomio.charset import charset_of

KEY = ProjectKey(b"c" * 32)
SMOKING, SEX, LAYER = 0x001021A0, 0x00100040, 0x00700002


def values() -> Values:
    engine = Engine(key=KEY, profile=profile.load("share"))
    identity = Identity(names={"DOE^JANE"}, ids={"MRN471122"})
    subject = engine.subject([Evidence(patient_key="MRN471122|", identity=identity)])
    return Values(Context(key=KEY, profile=engine.profile, subject=subject, limits=engine.limits))


VALUES = values()


def out(tag: int, raw: bytes, act: Act, source: str = "test") -> bytes | None:
    return VALUES.verdict(tag, b"CS", raw, Rule(act, source), charset_of(b"")).out


@pytest.mark.parametrize("act", [Act.KEEP, Act.CLEAN])
def test_a_code_that_is_kept_is_one_of_its_terms(act: Act) -> None:
    assert out(SMOKING, b"YES ", act) == b"YES "
    assert out(SEX, b"O ", act) == b"O "
    assert out(SMOKING, b"QORVIMAX", act) == b"REMOVED "
    assert out(SEX, b"VRANJKOV", act) == b"REMOVED "


def test_a_code_that_someone_orders_to_keep_loses_the_persons_values_only() -> None:
    assert out(SMOKING, b"QORVIMAX", Act.KEEP, "override keep") == b"QORVIMAX"
    assert out(SMOKING, b"DOE ", Act.KEEP, "override keep") == b"REMOVED "


def test_graphic_layers_stay_distinct() -> None:
    assert out(LAYER, b"LAYER1", Act.CLEAN) == b"LAYER1"
    names = (b"DOE ", b"QORVIMAX", b"VRANJKOV", b"DOE_JANE")
    layers = [out(LAYER, name, Act.CLEAN) for name in names]
    assert len(set(layers)) == len(names)
    assert out(LAYER, b"DOE", Act.CLEAN) == layers[0]
    for name, layer in zip(names, layers, strict=True):
        assert layer
        assert len(layer) <= 16
        assert name.strip() not in layer


def test_a_short_table_whose_letters_are_in_order_by_chance_is_text() -> None:
    for name in (b"Mufotoxj", b"Zekorexm", b"Bahokuvy"):
        assert spells((name + b"\0\0") * 4, b"OW"), name
    ramp = b"".join((0x4142 + 0x0305 * step).to_bytes(2, "little") for step in range(8))
    assert not spells(ramp, b"OW")


@pytest.mark.parametrize("version", ["51.80.108.010", "2.6.3.6", "V8.32ER009", "5.00.02", "VB20A"])
def test_versions_of_software_stay(version: str) -> None:
    assert text(version) == version


@pytest.mark.parametrize(
    "other", ["192.168.1.7", "10.4.4.1", "14.03.62", "02.01.60", "MRN47.11.22", "1.2.840.113619.2"]
)
def test_what_is_no_version_of_software_goes(other: str) -> None:
    assert text(other) != other


@pytest.mark.parametrize("standard", ["IEC 60601-2-33", "IEC 60601-2-33:2010", "ISO 13485"])
def test_the_number_of_a_safety_standard_stays(standard: str) -> None:
    assert text(standard, 0x00189174) == standard
    assert "47110" not in text("IEC 60601-2-33 47110", 0x00189174)


def text(value: str, tag: int = 0x00181020) -> str:
    raw = value.encode() + b" " * (len(value) % 2)
    verdict = VALUES.verdict(tag, b"LO", raw, Rule(Act.CLEAN, "test"), charset_of(b""))
    return (verdict.out or b"").decode().strip()


def test_a_number_of_twelve_characters_stays() -> None:
    rule = Rule(Act.CLEAN, "test")
    raw = b"000000052637"
    assert VALUES.verdict(0x00200011, b"IS", raw, rule, charset_of(b"")).out == raw


def test_cardiograms_and_coders_are_described() -> None:
    cleaner = VALUES.ctx.subject.cleaner
    for words in (
        "RITMO SINUSALE",
        "MEDIAN BEAT",
        "IJG quality factor 90",
        "BQML",
    ):
        assert cleaner.clean(words).text == words
