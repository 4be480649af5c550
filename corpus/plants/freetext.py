"""Plants inside sentences: names in every form, dates, contacts and numbers, and other people."""

from collections.abc import Callable

from corpus.kinds import register
from corpus.model import Work

__all__ = ["put"]

# The long text elements that a cleaner may keep, in turn.
_CARRIERS = (
    (0x00204000, "LT"),  # Image Comments
    (0x00324000, "LT"),  # Study Comments
    (0x001021B0, "LT"),  # Additional Patient History
    (0x00400280, "ST"),  # Comments on the Performed Procedure Step
    (0x00184000, "LT"),  # Acquisition Comments
    (0x00209158, "LT"),  # Frame Comments
    (0x00321070, "LO"),  # Requested Contrast Agent
    (0x00082111, "ST"),  # Derivation Description
)
_MONTHS = "January February March April May June July August September October November December"


def _put(w: Work, text: str) -> str:
    """Append ``text`` to the carrier of this kind and return its place."""
    tag, vr = _CARRIERS[_turn(w.kind) % len(_CARRIERS)]
    before = str(w.ds[tag].value) + " " if tag in w.ds else ""
    w.ds.add_new(tag, vr, before + text)
    return f"{tag:08X}"


def put(w: Work, make: Callable[[str], str]) -> str:
    """Append what ``make`` returns for the carrier's place; return the place."""
    tag, _ = _CARRIERS[_turn(w.kind) % len(_CARRIERS)]
    return _put(w, make(f"{tag:08X}"))


def _turn(name: str) -> int:
    return sum(name.encode())


def _template(name: str, template: str, every: int = 6) -> None:
    def plant(w: Work) -> bool:
        tag, _ = _CARRIERS[_turn(w.kind) % len(_CARRIERS)]
        _put(w, w.fill(template, f"{tag:08X}"))
        return True

    register(name, plant, every=every)


for _name, _text in (
    ("text.name", "Scan of {name} done."),
    ("text.name-reversed", "Report for {rev} sent."),
    ("text.name-comma", "{comma}: no change."),
    ("text.name-caps", "PATIENT {caps} SEEN"),
    ("text.name-lower", "pt {low} had cough"),
    ("text.name-initial", "{initial} coughs."),
    ("text.name-initial-after", "Seen: {initial_after}"),
    ("text.name-glued", "file {glued}"),
    ("text.name-underscore", "saved as {under}_1"),
    ("text.name-caret", "PN {caret}"),
    ("text.id", "Case {id}, normal."),
    ("text.doctor", "Discussed with Dr. {w} {w2}."),
    ("text.referrer", "ref by {w}"),
    ("text.professor", "Prof. {w} agrees."),
    ("text.nurse", "RN {w} present"),
    ("text.relative", "Mother {w} {w2} present."),
    ("text.mister", "Mr {w} and Mrs {w2} wait."),
    ("text.hospital", "Transferred from {w} General Hospital."),
    ("text.mrn", "MRN-{tok}"),
    ("text.mrn-colon", "MRN: {tok}"),
    ("text.accession", "Acc# {tok}"),
    ("text.email", "Mail {w}@{w2}.example today"),
    ("text.url", "See https://{w}.example/p?id={tok} there"),
    ("text.unc-path", "\\\\{w}\\share\\{w2}.dcm"),
    ("text.unix-path", "/home/{w}/scan"),
    ("text.hostname", "from {w}.{w2}.local"),
    ("text.quoted-name", 'asked "{w}" to hold breath'),
    ("text.parenthesis", "no change ({w} {w2})"),
    ("text.signature", "No effusion. -- {w} {w2}, MD"),
    ("text.key-value", "patient={w};op={w2}"),
    ("text.json", '{"patient": "{w}", "n": 1}'),
    ("text.xml", "<pat><n>{w}</n></pat>"),
    ("text.html-entity", "&lt;b&gt;{w}&lt;/b&gt;"),
    ("text.newline-name", "No change.\r\n{w}\r\n{w2}"),
    ("text.hyphenated", "with {w}-{w2}"),
    ("text.possessive", "{w}'s prior study"),
    ("text.slashes", "{w}/{w2}/CT"),
):
    _template(_name, _text)


def _value(name: str, make: Callable[[Work], tuple[str, str]], every: int = 6) -> None:
    """Register a kind whose sentence and needle are computed."""

    def plant(w: Work) -> bool:
        sentence, needle = make(w)
        w.plant(
            needle, _put(w, sentence), "date" if needle.isdigit() and len(needle) == 8 else "text"
        )
        return True

    register(name, plant, every=every)


def _birth(form: str) -> Callable[[Work], tuple[str, str]]:
    def make(w: Work) -> tuple[str, str]:
        date = w.person.birth
        month = _MONTHS.split()[date.month - 1]
        text = form.format(
            y=date.year, m=date.month, d=date.day, yy=date.year % 100, mon=month[:3], month=month
        )
        return f"Born {text}, well.", text

    return make


for _name, _form in (
    ("text.date-iso", "{y}-{m:02d}-{d:02d}"),
    ("text.date-compact", "{y}{m:02d}{d:02d}"),
    ("text.date-us", "{m:02d}/{d:02d}/{y}"),
    ("text.date-german", "{d:02d}.{m:02d}.{y}"),
    ("text.date-long", "{d} {month} {y}"),
    ("text.date-month-first", "{month} {d}, {y}"),
    ("text.date-dashes", "{d:02d}-{mon}-{y}"),
    ("text.date-caps", "{d:02d}{mon}{y}"),
):
    _value(_name, _birth(_form))


def _digits(form: str, lead: str) -> Callable[[Work], tuple[str, str]]:
    def make(w: Work) -> tuple[str, str]:
        text = "".join(w.digits(1) if c == "#" else c for c in form)
        return f"{lead} {text} ok", text

    return make


for _name, _form, _lead in (
    ("text.phone-us", "(###) 555-####", "Tel"),
    ("text.phone-dots", "###.555.####", "call"),
    ("text.phone-international", "+44 20 #### ####", "phone"),
    ("text.ssn", "###-##-####", "SSN"),
    ("text.long-number", "##########", "no."),
    ("text.ip", "192.168.1##.1##", "host"),
    ("text.iban", "DE## #### #### #### #### ##", "IBAN"),
    ("text.mac-address", "00:1A:##:##:##:##", "device"),
    ("text.letter-number-id", "HN#######", "case"),
    ("text.zip-town", "D-##### Xanvorbergheim", "lives in"),
):
    _value(_name, _digits(_form, _lead))


def _uid_in_text(w: Work) -> tuple[str, str]:
    uid = w.uid()
    return f"Prior image {uid} compared", uid


def _own_uid(w: Work) -> tuple[str, str]:
    return f"study {w.plan.study_uid} again", w.plan.study_uid


def _email_own(w: Work) -> tuple[str, str]:
    return f"write to {w.person.email}", w.person.email


def _phone_own(w: Work) -> tuple[str, str]:
    return f"reached on {w.person.phone}", w.person.phone


def _street_own(w: Work) -> tuple[str, str]:
    return f"lives at {w.person.street}", w.person.street.split()[1]


def _spaced(w: Work) -> tuple[str, str]:
    return f"ID {' '.join(w.person.patient_id)}", " ".join(w.person.patient_id)


def _dashed(w: Work) -> tuple[str, str]:
    pid = w.person.patient_id
    text = f"{pid[:3]}.{pid[3:6]}.{pid[6:]}"
    return f"nr {text}", text


_value("text.uid", _uid_in_text)
_value("text.own-uid", _own_uid)
_value("text.own-email", _email_own)
_value("text.own-phone", _phone_own)
_value("text.own-street", _street_own)
_value("text.id-spaced", _spaced, 12)
_value("text.id-punctuated", _dashed, 12)


def _native(w: Work) -> bool:
    if not w.person.native:
        return False
    place = _put(w, f"Scan: {' '.join(w.person.native[:2])} ok")
    for word in w.person.native[:2]:
        w.plant(word, place)
    return True


def _stripped(w: Work) -> bool:
    """Plant the name without its diacritics, or transliterated."""
    if not w.person.native or w.person.index not in {5, 2, 3, 4, 6, 7, 8}:
        return False
    w.plant(w.person.family, _put(w, f"also spelled {w.person.family}"))
    return True


def _no_diacritics(w: Work) -> bool:
    plain = {"Brueckenthaeler": "Bruckenthaler", "Szczebrzycki": "Wszebrzeslaw"}
    text = plain.get(w.person.family)
    if text is None:
        return False
    w.plant(text, _put(w, f"alias {text.upper()}"))
    return True


register("text.native-script", _native, every=2)
register("text.transliterated", _stripped, every=3)
register("text.without-diacritics", _no_diacritics, every=2)
