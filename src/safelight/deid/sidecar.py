"""JSON sidecars of NIfTI files (BIDS, dcm2niix): acquisition numbers stay, people go.

Source: BIDS specification 1.10 (sidecar JSON), dcm2niix's BIDS fields, DICOM PS3.15 for what the
same-named attributes mean.
"""

import datetime as dt
import json
import re
from typing import Any, Final

from safelight.deid.context import Cleaned, Context
from safelight.deid.defined import is_defined_term
from safelight.deid.profile import Option
from safelight.deid.text import Mode
from safelight.dicomio.dictionary import uid_known
from safelight.errors import LimitExceededError, UnreadableInputError
from safelight.types import Action, Original

__all__ = ["clean_sidecar"]

_STRINGS: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS: Final = re.compile(r"[\[\]{}]")
_UID: Final = re.compile(r"[0-9]+(?:\.[0-9]+){3,}")
_DATE: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:([T ])(.*))?")
_TIME: Final = re.compile(r"\d\d:?\d\d(?::?\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+")
_CHARACTERISTICS: Final = frozenset(
    {"PatientSex", "PatientWeight", "PatientSize", "PatientAge", "PatientPosition", "Sex", "Age"}
)
_ALWAYS: Final = frozenset({"PatientPosition"})
# names, numbers and places of people, sites and machines
_IDENTIFYING: Final = re.compile(
    r"^(?:Patient|Subject|Participant|Person|Referring|Requesting|Operator|Performing|Performed(?!ProcedureStepDescription)"
    r"|Physician|Responsible|Scheduled|Requested(?!ProcedureDescription)|Accession|Institution|Institutional|Station"
    r"|DeviceSerial|DeviceUID|SerialNumber|Issuer|Other|Ethnic|Occupation|Mother|Father|StudyID"
    r"|Address|Telephone|Phone|Email|Admission|Admitting|Consulting|Reading|Author|Owner|User"
    r"|Hospital|Clinic|Site|Department|MedicalRecord|MRN|Name|ID)|"
    r"(?:SerialNumber|PhysicianName|PhysiciansName|OperatorsName|InstitutionName|PatientID"
    r"|PatientName|BirthDate|Comments)$"
)
_SITE: Final = re.compile(r"^(?:Institution|Hospital|Clinic|Site|Department)")
_DEVICE: Final = re.compile(r"^(?:Station|Device|SerialNumber)|SerialNumber$")
_WHO: Final = "sidecar: identifies a person, site or machine"
_OLDEST: Final = 89
# keys that have the defined terms of a DICOM attribute
_CODED: Final = {
    "Modality": 0x0008_0060,
    "ImageType": 0x0008_0008,
    "ImageTypeText": 0x0008_0008,
    "BodyPartExamined": 0x0018_0015,
    "ScanningSequence": 0x0018_0020,
    "SequenceVariant": 0x0018_0021,
    "ScanOptions": 0x0018_0022,
    "MRAcquisitionType": 0x0018_0023,
    "PatientPosition": 0x0018_5100,
    "PatientSex": 0x0010_0040,
}
# keys that dcm2niix and BIDS write and that say how a picture was made
_HARMLESS: Final = frozenset(
    [
        "BidsGuess",
        "BIDSVersion",
        "TaskName",
        "ConversionSoftware",
        "ConversionSoftwareVersion",
        "ImageType",
        "SliceTiming",
        "ImageOrientationPatientDICOM",
        "ImageOrientationText",
        "PhaseEncodingDirection",
        "PhaseEncodingAxis",
        "InPlanePhaseEncodingDirectionDICOM",
        "TotalReadoutTime",
        "EffectiveEchoSpacing",
        "DerivedVendorReportedEchoSpacing",
        "EchoTrainLength",
        "ShimSetting",
        "TxRefAmp",
        "WipMemBlock",
        "SAR",
        "PartialFourier",
        "BaseResolution",
        "AcquisitionMatrixPE",
        "ReconMatrixPE",
        "BandwidthPerPixelPhaseEncode",
        "ParallelReductionFactorInPlane",
        "MultibandAccelerationFactor",
        "ConsistencyInfo",
        "CoilString",
        "PulseSequenceDetails",
        "RefLinesPE",
        "TracerRadionuclide",
        "Radiopharmaceutical",
        "ScatterFraction",
        "MRAcquisitionType",
        "NonlinearGradientCorrection",
        "ReceiveCoilName",
        "ReceiveCoilActiveElements",
        "B0FieldIdentifier",
        "B0FieldSource",
        "IntendedFor",
        "Units",
        "EchoTime1",
        "EchoTime2",
        "DwellTime",
    ]
)


def clean_sidecar(original: Original, ctx: Context) -> Cleaned:
    """Return the sidecar with its acquisition values, and nobody in it.

    Raises:
        UnreadableInputError: It is not a JSON object.
        LimitExceededError: It is longer, deeper or has more values than the limits allow.
    """
    value = _parse(original.reveal(), ctx)
    cleaner = _Sidecar(ctx)
    kept = cleaner.mapping(value, "")
    text = json.dumps(kept, indent=2, ensure_ascii=False) + "\n"
    return Cleaned(parts=(text.encode("utf-8", "replace"),), actions=tuple(cleaner.actions))


def _parse(data: bytes, ctx: Context) -> dict[str, Any]:
    limits = ctx.limits
    if len(data) > limits.value_bytes:
        raise LimitExceededError(f"a sidecar longer than {limits.value_bytes} bytes (value_bytes)")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableInputError(
            "the sidecar is not UTF-8", place=f"byte {error.start}"
        ) from None
    depth = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub("", text)):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > limits.depth_read:
            raise LimitExceededError(f"nested deeper than {limits.depth_read} (depth_read)")
    try:
        value = json.loads(text, parse_int=_number)
    except json.JSONDecodeError as error:
        raise UnreadableInputError("the sidecar is not JSON", place=f"byte {error.pos}") from None
    if not isinstance(value, dict):
        raise UnreadableInputError("the sidecar is not a JSON object")
    return value


def _number(digits: str) -> int | float:
    """Return a whole number; one of absurd length becomes a float instead of costing minutes."""
    return int(digits) if len(digits) <= 20 else float(digits)  # noqa: PLR2004 - 64 bits


class _Sidecar:
    """One walk over the values; the depth was bounded before."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._options = ctx.profile.options
        self.actions: list[Action] = []
        self._left = ctx.limits.values

    def mapping(self, value: dict[str, Any], place: str) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, inner in value.items():
            if not self._names_nobody(key):
                self._act(f"{place}(unknown key)", "key that is not known", "remove", [key, inner])
            elif self._identifies(key):
                self._act(place + key, _WHO, "remove", inner)
            else:
                out[key] = self._value(inner, place + key, key)
        return out

    def _value(self, value: Any, place: str, key: str) -> Any:
        self._left -= 1
        if self._left < 0:
            raise LimitExceededError(f"more than {self._ctx.limits.values} values (values)")
        if isinstance(value, dict):
            return self.mapping(value, place + ".")
        if isinstance(value, list):
            return [self._value(one, f"{place}[{at}]", key) for at, one in enumerate(value)]
        if key in ("PatientAge", "Age"):
            return self._age(value, place)
        if isinstance(value, str):
            return self._text(value, place, key)
        return self._plain_number(value, place, key)

    def _plain_number(self, value: Any, place: str, key: str) -> Any:
        """Keep a number unless it could be a date or a record's number under an unknown key."""
        if isinstance(value, bool) or not isinstance(value, int) or key in _HARMLESS:
            return value
        cleaned = self._ctx.subject.cleaner.clean(str(value), Mode.WORDS)
        if not cleaned.rules:
            return value
        self._act(place, f"text: {cleaned.rules[0]}", "empty", value)
        return None

    def _age(self, value: Any, place: str) -> Any:
        digits = re.match(r"\d+", str(value))
        years = not isinstance(value, str) or value.endswith(("Y", "y")) or value.isdigit()
        if not digits or not years or int(digits.group()[:6]) <= _OLDEST:
            return value if digits else self._text(str(value), place, "")
        self._act(place, "age over 89", "replace", value)
        return "090Y" if isinstance(value, str) else 90

    def _text(self, value: str, place: str, key: str) -> str:
        if _UID.fullmatch(value):
            return self._uid(value, place, key)
        if _DATE.fullmatch(value) and ("Date" in key or "T" in value or "-" in value):
            return self._date(value, place)
        if key.endswith("Time") and _TIME.fullmatch(value):
            return value
        if key in _CODED and is_defined_term(_CODED[key], value):
            return value
        cleaned = self._ctx.subject.cleaner.clean(value, Mode.WORDS)
        if cleaned.rules:
            self._act(place, f"text: {', '.join(cleaned.rules)}", "clean", value)
        return cleaned.text

    def _uid(self, value: str, place: str, key: str) -> str:
        if uid_known(value) or Option.RETAIN_UIDS in self._options or "Version" in key:
            return value
        self._act(place, "UID", "replace", value)
        return self._ctx.key.uid(value)

    def _date(self, value: str, place: str) -> str:
        """Move a date by the person's shift; the time of day stays, as intervals must."""
        if Option.RETAIN_FULL_DATES in self._options:
            return value
        year, month, day, mark, time = _DATE.fullmatch(value).groups()  # type: ignore[union-attr] # matched by the caller
        self._act(place, "date of the person", "shift", value)
        if Option.RETAIN_MODIFIED_DATES not in self._options:
            return ""
        try:
            then = dt.date(int(year), int(month), int(day))
            moved = then + dt.timedelta(days=self._ctx.subject.shift_days)
        except (ValueError, OverflowError):
            return ""
        text = moved.isoformat() if "-" in value[:5] else moved.strftime("%Y%m%d")
        return f"{text}{mark}{time}" if mark and _TIME.fullmatch(time) else text

    def _names_nobody(self, key: str) -> bool:
        """Tell whether a key is made of known words; a key can hold a name as well as a value."""
        if key in _HARMLESS or key in _CHARACTERISTICS:
            return True
        words = _CAMEL.sub(" ", key)
        return not self._ctx.subject.cleaner.clean(words, Mode.WORDS).rules

    def _identifies(self, key: str) -> bool:
        if key in _HARMLESS or key in _ALWAYS:
            return False
        if key in _CHARACTERISTICS:
            return Option.RETAIN_PATIENT_CHARACTERISTICS not in self._options
        if _SITE.search(key) and Option.RETAIN_INSTITUTION_IDENTITY in self._options:
            return False
        if _DEVICE.search(key) and Option.RETAIN_DEVICE_IDENTITY in self._options:
            return False
        return _IDENTIFYING.search(key) is not None

    def _act(self, place: str, rule: str, action: str, value: Any) -> None:
        raw = value if isinstance(value, str) else json.dumps(value)
        digest = self._ctx.key.digest(raw.encode("utf-8", "surrogatepass"))
        self.actions.append(Action(place=place, rule=rule, action=action, digest=digest))
