"""Coded strings: among their terms, or gone; names that other items refer to stay distinct."""

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
