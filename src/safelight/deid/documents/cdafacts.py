"""Observations of a CDA record that tell an age or a birth date, by what their code says."""

from collections.abc import Iterable, Mapping

from safelight.deid.concepts import fact_of, limit_of
from safelight.deid.context import Context
from safelight.deid.documents.cdarules import NUMBER
from safelight.deid.profile import Option

__all__ = ["fact_in", "told"]

_AGE = "age"
_AGE_ATTRIBUTE = 0x00101010
_BIRTH_ATTRIBUTE = 0x00100030


def fact_in(codes: Iterable[Mapping[str, str]]) -> str:
    """Return what an observation tells: ``age``, ``birth`` or nothing.

    Args:
        codes: Attributes of its code and of the translations of it.
    """
    facts = (fact_of(each.get("codeSystem", ""), each.get("code", "")) for each in codes)
    return next(filter(None, facts), "")


def told(attributes: Mapping[str, str], fact: str, ctx: Context) -> dict[str, str] | None:
    """Return the attributes of a value that tells a fact; None when the value goes whole.

    An age stays up to 89 years and is 90 above; a birth date goes.

    Args:
        attributes: Of the value, or of one of its bounds.
        fact: ``age`` or ``birth``.
        ctx: For the profile, whose exceptions count here too.
    """
    tag = _AGE_ATTRIBUTE if fact == _AGE else _BIRTH_ATTRIBUTE
    override = ctx.profile.overrides.get(tag, "")
    if override == "keep":
        return dict(attributes)
    retained = Option.RETAIN_PATIENT_CHARACTERISTICS in ctx.profile.options
    if fact != _AGE or override or not retained:
        return None
    most = limit_of(attributes.get("unit", ""))
    value = attributes.get("value", "")
    old = NUMBER.fullmatch(value) is not None and float(value) >= most
    return {**attributes, "value": str(most)} if old else dict(attributes)
