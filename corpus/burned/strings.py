"""What is written into the images: who it names, and marks that name nobody. All invented."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from corpus.burned.pools import (
    ADDRESSES,
    CLINIC_HEADS,
    CLINIC_PLACES,
    MONTHS,
    NAMES,
    OPERATORS,
    PHYSICIANS,
)

__all__ = ["HARMLESS", "IDENTIFYING", "Subject", "harmless", "identifying", "make_subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The invented person one image is of; dates as (year, month, day)."""

    family: str
    given: str
    script: str
    roman: str
    number: str
    accession: str
    born: tuple[int, int, int]
    taken: tuple[int, int, int]
    clock: tuple[int, int, int]
    sex: str
    clinic: str
    physician: str
    operator: str
    phone: str
    address: str

    @property
    def age(self) -> int:
        """Return the age in years on the day of the image."""
        return self.taken[0] - self.born[0]


def make_subject(rng: random.Random, script: str) -> Subject:
    """Return an invented person whose name is written in ``script``."""
    family, given, roman = rng.choice(NAMES[script])
    if script == "latin" and rng.random() < 0.5:
        other = rng.choice(NAMES[script])
        given, roman = other[1], f"{family}^{other[1]}"
    taken = (rng.randint(1996, 2025), rng.randint(1, 12), rng.randint(1, 28))
    number = rng.choice(
        (
            f"{rng.randrange(10**5, 10**8)}",
            f"{rng.choice('ABCHKMPQSW')}{rng.randrange(10**5, 10**7)}",
            f"{rng.randrange(10**3, 10**4)}-{rng.randrange(10**3, 10**5)}",
            f"00{rng.randrange(10**5, 10**6)}",
            f"{rng.choice(('PAT', 'MR', 'HN', 'KH'))}-{rng.randrange(10**4, 10**7)}",
        )
    )
    return Subject(
        family=family,
        given=given,
        script=script,
        roman=roman,
        number=number,
        accession=f"{rng.choice(('', 'A', 'RA', 'E'))}{rng.randrange(10**6, 10**9)}",
        born=(taken[0] - rng.randint(1, 94), rng.randint(1, 12), rng.randint(1, 28)),
        taken=taken,
        clock=(rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59)),
        sex=rng.choice("MF"),
        clinic=f"{rng.choice(CLINIC_PLACES)} {rng.choice(CLINIC_HEADS)}",
        physician=rng.choice(PHYSICIANS),
        operator=rng.choice(OPERATORS),
        phone=rng.choice(
            (
                f"+1 {rng.randint(200, 989)} 555 {rng.randint(1000, 9999)}",
                f"({rng.randint(200, 989)}) 555-{rng.randint(1000, 9999)}",
                f"0{rng.randint(20, 89)} {rng.randint(100, 999)} {rng.randint(1000, 9999)}",
            )
        ),
        address=f"{rng.randint(1, 399)} {rng.choice(ADDRESSES)}",
    )


def _day(rng: random.Random, day: tuple[int, int, int]) -> str:
    y, m, d = day
    return rng.choice(
        (
            f"{d:02d}/{m:02d}/{y}",
            f"{m}/{d}/{y}",
            f"{d:02d}.{m:02d}.{y}",
            f"{d:02d}.{m:02d}.{y % 100:02d}",
            f"{y}-{m:02d}-{d:02d}",
            f"{y}/{m:02d}/{d:02d}",
            f"{d:02d}-{MONTHS[m - 1]}-{y}",
            f"{d} {MONTHS[m - 1].title()} {y}",
            f"{MONTHS[m - 1].title()} {d:02d} {y}",
            f"{y}{m:02d}{d:02d}",
        )
    )


def _clock(rng: random.Random, at: tuple[int, int, int]) -> str:
    h, m, s = at
    return rng.choice(
        (
            f"{h:02d}:{m:02d}:{s:02d}",
            f"{h:02d}:{m:02d}",
            f"{(h - 1) % 12 + 1}:{m:02d}:{s:02d} {'PM' if h > 11 else 'AM'}",
        )
    )


def _name(rng: random.Random, s: Subject) -> str:
    if s.script in {"han", "kana", "hangul"}:
        return rng.choice((f"{s.family}{s.given}", f"{s.family} {s.given}"))
    upper = rng.random() < 0.5
    family, given = (s.family.upper(), s.given.upper()) if upper else (s.family, s.given)
    text = rng.choice(
        (
            f"{family}, {given}",
            f"{family}^{given}",
            f"{family} {given}",
            f"{given} {family}",
            f"{family}, {given[0]}.",
            f"{family}",
        )
    )
    if s.script in {"latin", "accented"}:
        text = rng.choice((text, text, text, f"Name: {text}", f"Pt: {text}", f"PATIENT {text}"))
    return text


def _age(rng: random.Random, s: Subject) -> str:
    form = rng.choice(("{f} {a}Y {x}", "{f} {g} {a}y", "{f}, {x}, {a}", "{g} {f} ({a})"))
    return form.format(f=s.family, g=s.given, a=s.age, x=s.sex)


IDENTIFYING: dict[str, Callable[[random.Random, Subject], str]] = {
    "name": _name,
    "name and age": _age,
    "number": lambda r, s: r.choice(("{}", "ID: {}", "MRN {}", "ID {}", "PID:{}", "#{}")).format(
        s.number
    ),
    "accession": lambda r, s: r.choice(("Acc: {}", "Acc#{}", "{}", "ACC {}")).format(s.accession),
    "birth": lambda r, s: r.choice(("DOB: {}", "DOB {}", "*{}", "geb. {}", "Born {}")).format(
        _day(r, s.born)
    ),
    "date": lambda r, s: _day(r, s.taken),
    "time": lambda r, s: _clock(r, s.clock),
    "date and time": lambda r, s: f"{_day(r, s.taken)} {_clock(r, s.clock)}",
    "clinic": lambda r, s: r.choice((s.clinic, s.clinic.upper())),
    "address": lambda _, s: s.address,
    "phone": lambda r, s: r.choice(("{}", "Tel {}", "Ph: {}")).format(s.phone),
    "physician": lambda r, s: r.choice(("Dr. {}", "Ref: {}", "DR {}", "Phys: {}", "{} MD")).format(
        s.physician
    ),
    "initials": lambda _, s: s.operator,
    "age and sex": lambda r, s: r.choice(("{a}Y {x}", "{a} Y", "{x} {a:03d}Y", "{a}y/{x}")).format(
        a=s.age, x=s.sex
    ),
}


def _one(*forms: str) -> Callable[[random.Random], str]:
    def pick(rng: random.Random) -> str:
        return rng.choice(forms).format(
            a=rng.randint(2, 99),
            b=rng.randint(100, 999),
            c=rng.choice((60, 70, 80, 90, 100, 110, 120, 130, 140)),
            d=f"{rng.uniform(0.1, 12):.1f}",
            e=f"{rng.uniform(0.1, 30):.2f}",
            k=rng.randint(1, 20),
            m=rng.randint(21, 120),
            n=rng.choice((-600, -500, 40, 50, 60, 300, 500)),
            w=rng.choice((80, 150, 350, 400, 1500, 2000)),
            z=f"{rng.uniform(-400, 400):.1f}",
        )

    return pick


HARMLESS: dict[str, Callable[[random.Random], str]] = {
    "laterality": _one("L", "R", "L", "R", "LT", "RT", "LEFT", "RIGHT", "Left", "Right"),
    "view": _one(
        "PA", "AP", "LAT", "PA", "AP", "MLO", "CC", "LATERAL", "OBL", "RMLO", "LMLO", "RCC", "LCC",
        "R MLO", "L CC", "AX", "COR", "SAG",
    ),
    "position": _one(
        "ERECT", "SUPINE", "PORTABLE", "UPRIGHT", "PRONE", "SEMI-ERECT", "MOBILE", "STANDING"
    ),
    "technique": _one(
        "{c} kV", "kVp {c}", "{b} mA", "{a} mAs", "TR {b}", "TE {a}", "FA {a}", "SL {d} mm",
        "ST {d}mm", "FOV {b}", "THK {d}", "{c}kV {b}mA", "TR: {b}.0 TE: {a}.0", "NEX 2", "T1", "T2",
    ),
    "window": _one("W {w} L {n}", "WW: {w} WL: {n}", "W:{w} C:{n}", "W{w} L{n}", "W {w}", "L {n}"),
    "orientation": _one("A", "P", "H", "F", "I", "S", "R", "L"),
    "scale": _one("{k} cm", "{k}cm", "{a} mm", "5 cm", "10 cm"),
    "zoom": _one("Zoom {b}%", "ZOOM {d}", "x{d}", "Mag {d}x", "{b}%"),
    "slice": _one("Im: {k}/{m}", "Slice {k}/{m}", "IMA {k}", "SP {z}", "Se: {k}", "{k}/{m}"),
    "ultrasound": _one(
        "MI {d}", "TIS {e}", "TIB {d}", "Gn {a}", "{a}Hz", "FR {a} Hz", "2D", "DR {a}", "P {a}%",
        "C {a}", "Depth {d} cm", "PRF {d} kHz", "WF {a} Hz", "{d} MHz", "HGen", "THI", "Res",
    ),
    "measure": _one(
        "Dist {e} cm", "D1 {e} mm", "{e} cm", "Area {e} cm2", "HR {a} bpm", "EF {a}%", "1 L {e} cm",
        "Vol {e} ml", "+ {e} cm",
    ),
}  # fmt: skip


def identifying(rng: random.Random, subject: Subject, kind: str) -> str:
    """Return a string of that kind that leads to the person."""
    return IDENTIFYING[kind](rng, subject)


def harmless(rng: random.Random, kind: str) -> str:
    """Return a mark of that kind that names nobody."""
    return HARMLESS[kind](rng)
