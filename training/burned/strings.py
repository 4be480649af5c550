"""Strings of every kind that gets burned into medical images, all invented, by script."""

import numpy as np

__all__ = ["SCRIPTS", "invent", "lone_mark"]

_VOWELS, _CONSONANTS = "aeiou", "bcdfghjklmnprstvwz"
_MARKS = (
    *("L", "R", "LT", "RT", "PA", "AP", "LAT", "SUPINE", "ERECT", "PORTABLE", "A", "P", "H", "F"),
    *("W 400 L 40", "kVp 120", "mA 210", "SL 5.0", "TE 90", "TR 4500", "TI 0.8", "MI 1.2", "cm"),
    *("5.0 mm", "10", "20", "0", "5", "100%", "1:1", "Zoom 1.5", "FR 28Hz", "2D G 54", "Se: 3"),
    *("Im: 12/48", "DFOV 24.0cm", "LIVER", "LT BREAST 2 O'CLOCK", "RCC", "LMLO", "T2 TSE", "ED"),
    *("Dist 1.24 cm", "+ 12.3 mm", "HR 72 bpm", "120 kV", "Dose 2.1 mGy", "STANDING", "WT", "dB"),
)
_HONORIFICS = (
    "",
    "",
    "",
    "Dr. ",
    "MR ",
    "MRS ",
    "Prof. ",
    "Name: ",
    "Pt: ",
    "ID: ",
    "DOB ",
    "Acc# ",
)
_PLACES = (
    " HOSPITAL",
    " CLINIC",
    " MEDICAL CENTER",
    " KLINIKUM",
    " RADIOLOGY",
    " UNIV.",
    " IMAGING",
)
_MONTHS = ("JAN", "Feb", "MAR", "Apr", "MAI", "Jun", "JUL", "Aug", "SEP", "Okt", "NOV", "Dec")

SCRIPTS = {
    "greek": [*range(0x391, 0x3A2), *range(0x3A3, 0x3AA), *range(0x3B1, 0x3CA)],
    "cyrillic": [*range(0x410, 0x450)],
    "accented": [c for c in range(0xC0, 0x180) if c not in (0xD7, 0xF7)],
    "cjk": [*range(0x4E00, 0x9FA0)],
    "kana": [*range(0x3042, 0x3094), *range(0x30A2, 0x30F4)],
    "hangul": [*range(0xAC00, 0xD7A0)],
    "arabic": [*range(0x627, 0x63B), *range(0x641, 0x64B)],
    "hebrew": [*range(0x5D0, 0x5EB)],
    "devanagari": [*range(0x905, 0x940)],
    "thai": [*range(0xE01, 0xE2F)],
}


def invent(rng: np.random.Generator, script: str = "latin", *, short: bool = False) -> str:
    """Return one line of text, 1 to about 40 characters, or up to 4 when ``short``."""
    if short:
        return invent(rng, script)[: int(rng.choice([1, 1, 2, 3, 4]))].strip() or "R"
    if script != "latin":
        return _foreign(rng, script)
    kind = rng.random()
    if kind < 0.3:
        text = _name(rng)
    elif kind < 0.45:
        text = _date(rng)
    elif kind < 0.6:
        text = _number(rng)
    elif kind < 0.82:
        text = str(rng.choice(_MARKS))
    elif kind < 0.9:
        text = _word(rng).upper() + str(rng.choice(_PLACES))
    else:
        text = "".join(chr(c) for c in rng.integers(33, 127, rng.integers(1, 16)))
    return text[:40].strip() or "X"


def lone_mark(rng: np.random.Generator) -> str:
    """Return what a lead marker or a technician's stamp shows: mostly one capital, at most five."""
    kind = rng.random()
    if kind < 0.35:
        return str(rng.choice(["L", "R"]))
    if kind < 0.6:
        return chr(int(rng.integers(65, 91)))
    if kind < 0.8:
        return str(rng.choice(["LT", "RT", "PA", "AP", "LAT", "ERECT", "CC", "MLO", "LCC", "RMLO"]))
    return "".join(chr(c) for c in rng.integers(65, 91, int(rng.integers(2, 4))))


def _word(rng: np.random.Generator) -> str:
    parts = [
        str(rng.choice(list(_CONSONANTS))) + str(rng.choice(list(_VOWELS)))
        for _ in range(rng.integers(1, 5))
    ]
    return "".join(parts) + (str(rng.choice(list(_CONSONANTS))) if rng.random() < 0.5 else "")


def _name(rng: np.random.Generator) -> str:
    last, first = _word(rng), _word(rng)
    joined = (f"{last}^{first}", f"{last}, {first}", f"{first} {last}", f"{first[0]}. {last}", last)
    text = joined[rng.integers(len(joined))]
    text = (text.upper(), text.title(), text.lower())[rng.choice(3, p=(0.5, 0.4, 0.1))]
    return str(rng.choice(_HONORIFICS)) + text


def _date(rng: np.random.Generator) -> str:
    year, month, day = rng.integers(1920, 2030), rng.integers(1, 13), rng.integers(1, 32)
    forms = (
        f"{year:04}-{month:02}-{day:02}",
        f"{day:02}.{month:02}.{year:04}",
        f"{month:02}/{day:02}/{year % 100:02}",
        f"{year:04}{month:02}{day:02}",
        f"{day} {_MONTHS[month - 1]} {year}",
        f"{rng.integers(24):02}:{rng.integers(60):02}:{rng.integers(60):02}",
        f"{rng.integers(1, 99):03}Y",
    )
    return forms[rng.integers(len(forms))]


def _number(rng: np.random.Generator) -> str:
    digits = "".join(str(d) for d in rng.integers(0, 10, rng.integers(1, 11)))
    letters = _word(rng).upper()[: rng.integers(0, 4)]
    return str(rng.choice(_HONORIFICS)) + letters + str(rng.choice(["", "", "-", "/"])) + digits


def _foreign(rng: np.random.Generator, script: str) -> str:
    pool = SCRIPTS[script]
    words = [
        "".join(chr(pool[i]) for i in rng.integers(0, len(pool), rng.integers(1, 7)))
        for _ in range(rng.integers(1, 4))
    ]
    if script in {"greek", "cyrillic", "accented"} and rng.random() < 0.6:
        words = [word.upper() if rng.random() < 0.6 else word.title() for word in words]
    if rng.random() < 0.25:
        words.append(_date(rng))
    return " ".join(words)[:24]
