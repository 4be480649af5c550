"""Coded entries: a code of a published scheme says what, never who (PS3.3 section 8, PS3.16)."""

import re
from typing import Final

from safelight.deid import defined
from safelight.deid.context import Context
from safelight.deid.text import Mode
from safelight.dicomio.charset import Charset

__all__ = ["CODE_TAGS", "SCHEME", "Codes"]

SCHEME: Final = 0x00080102
_VALUES: Final = frozenset((0x00080100, 0x00080119, 0x00080120))
_MEANING: Final = 0x00080104
_VERSION: Final = 0x00080103
CODE_TAGS: Final = _VALUES | {SCHEME, _MEANING, _VERSION}

# How the codes of the schemes of PS3.16 Table 8-1 look that medical images use most.
_SHAPES: Final = {
    "DCM": re.compile(r"\d{5,6}"),
    "SCT": re.compile(r"\d{6,18}"),
    "SRT": re.compile(r"[A-Z]\d?-[0-9A-F]{4,5}"),
    "SNM3": re.compile(r"[A-Z]\d?-[0-9A-F]{4,5}"),
    "99SDM": re.compile(r"[A-Z]\d?-[0-9A-F]{4,5}"),
    "LN": re.compile(r"(?:LP)?\d{1,6}-\d"),
    "UCUM": re.compile(r"[A-Za-z0-9%/.*{}\[\]()'^+-]{1,16}"),
    "FMA": re.compile(r"\d{1,6}"),
    "RADLEX": re.compile(r"RID\d{1,6}"),
    "I10": re.compile(r"[A-Z]\d\d(?:\.\d{1,2})?"),
    "I10C": re.compile(r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?"),
    "I9": re.compile(r"[VE]?\d{2,3}(?:\.\d{1,2})?"),
    "I9C": re.compile(r"[VE]?\d{2,3}(?:\.\d{1,2})?"),
    "C4": re.compile(r"\d{4}[0-9TF]"),
    "UMLS": re.compile(r"C\d{7}"),
    "NCIt": re.compile(r"C\d{3,6}"),
    "BI": re.compile(r"[0-9A-Za-z. ]{1,4}"),
    "RXNORM": re.compile(r"\d{3,7}"),
    "UNII": re.compile(r"[0-9A-Z]{10}"),
    "SCPECG": re.compile(r"\d{1,3}(?:\.\d{1,3}){0,4}(?:-\d{1,3}){0,3}"),
    "MDC": re.compile(r"\d{1,2}:\d{1,6}|\d{1,7}"),
    "ISO3166_1": re.compile(r"[A-Z]{2,3}"),
    "RFC5646": re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{2,4})?"),
}
_OTHER_SCHEMES: Final = frozenset(
    ("ASTM-sigpurpose", "ACR", "CD10", "CC", "CPT", "DC", "IBSI", "ITIS_TSN")
    + ("MAYO", "NDC", "NCDR", "NEU", "NICIP", "POS", "PATHLEX", "CTV3", "UNS", "UMLS", "ICDO3")
    + ("MSH", "NYU", "UBERON", "BARI", "MA", "PUBCHEM_CID", "RPO", "RADELEMENT", "99_OFFIS_DCMTK")
)
_VERSION_SHAPE: Final = re.compile(r"[0-9._/-]{1,16}|v?\d[0-9.]{0,14}|01|\d{8}")
_LONG: Final = 1024


class Codes:
    """Cleans code value, scheme, version and meaning for one subject."""

    __slots__ = ("_ctx",)

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def value(self, tag: int, raw: bytes, scheme: str, charset: Charset) -> bytes | None:
        """Return what takes the place of one attribute of a coded entry.

        Returns:
            The encoded value, the same when it is known harmless; None when the ordinary rules
            for text shall decide (an unknown meaning).
        """
        if not raw or len(raw) > _LONG:
            return None
        text = charset.decode(raw)[0].rstrip(" \0")
        if tag in _VALUES:
            return raw if self._known(text, scheme) else self._coded(text)
        if tag == SCHEME:
            known = text in _SHAPES or text in _OTHER_SCHEMES or not text
            return raw if known or self._harmless(text) else b"99LOCAL "
        if tag == _VERSION:
            return raw if _VERSION_SHAPE.fullmatch(text) and not self._hits(text) else None
        return raw if defined.is_coded_meaning(text) and not self._hits(text) else None

    def _known(self, code: str, scheme: str) -> bool:
        if defined.is_coded_term(code, scheme):
            return True
        shape = _SHAPES.get(scheme)
        if shape is None:
            return len(code) <= 4 and self._harmless(code)  # noqa: PLR2004 - too short to name
        return bool(shape.fullmatch(code)) and not self._hits(code)

    def _coded(self, code: str) -> bytes:
        """A private code keeps its identity under the project key: equal stays equal."""
        return self._ctx.key.code("code", code, 10).encode("ascii")

    def _hits(self, text: str) -> bool:
        return bool(self._ctx.subject.needles.spans(text))

    def _harmless(self, text: str) -> bool:
        return self._ctx.subject.cleaner.clean(text, Mode.WORDS).text == text
