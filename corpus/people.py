"""Invented people: names that cannot occur by chance, ordinary names, and other scripts."""

import datetime as dt
import random
from dataclasses import dataclass, field

__all__ = ["Person", "make_people", "syllable_word"]

_LEADS = "br dr kv zh v gl th sk m n pl tr sv kr j d f g h l p r st w z qu ch"
_ONSETS = _LEADS.split()
_VOWELS = ["a", "e", "i", "o", "u", "ae", "au", "ei", "ou", "y"]
_CODAS = ["l", "n", "r", "sk", "th", "m", "nd", "rv", "lt", "x", "z", "k", "st"]


def syllable_word(rng: random.Random, syllables: int = 3) -> str:
    """Return a capitalised pronounceable word of 8 letters or more that is in no dictionary."""
    while True:
        parts = [rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(syllables)]
        word = "".join(parts) + rng.choice(_CODAS)
        if 8 <= len(word) <= 12:
            return word.capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One invented person: every form of every value that identifies them.

    Attributes:
        given, family: Latin forms (ASCII), safe in every character set.
        pn: Full DICOM person name, up to three component groups.
        charset: Specific Character Set values under which ``pn`` can be written.
        native: Distinctive name words outside ASCII, as they stand in ``pn``.
        ordinary: The name is made of dictionary words, so single words prove nothing.
    """

    index: int
    given: str
    family: str
    pn: str
    charset: tuple[str, ...]
    native: tuple[str, ...] = ()
    ordinary: bool = False
    patient_id: str = ""
    other_id: str = ""
    birth: dt.date = field(default=dt.date(1950, 1, 1))
    age: str = "060Y"
    sex: str = "O"
    phone: str = ""
    email: str = ""
    street: str = ""
    town: str = ""
    ssn: str = ""
    insurer: str = ""
    issuer: str = ""

    @property
    def tokens(self) -> dict[str, str]:
        """Return needle text -> kind for the values that follow this person everywhere."""
        found = {
            self.patient_id: "id",
            self.other_id: "id",
            self.phone: "phone",
            self.email: "email",
            self.street: "address",
            self.town: "address",
            self.ssn: "ssn",
            self.insurer: "id",
            self.issuer: "id",
        }
        if not self.ordinary:
            found[self.given] = found[self.family] = "name"
        for word in self.native:
            found[word] = "name"
        return {text: kind for text, kind in found.items() if text}


# (family, given, pn, charset, native words): invented combinations, three component groups where
# the script has them.
_SCRIPTS: tuple[tuple[str, str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "Kurozawara",
        "Tamehisao",
        "Kurozawara^Tamehisao=黒澤原^玉比佐雄=くろざわら^たまひさお",
        ("", "ISO 2022 IR 87"),
        ("黒澤原", "玉比佐雄", "くろざわら", "たまひさお"),
    ),
    (
        "Vlachomitsakis",
        "Xenokritos",
        "Βλαχομιτσάκης^Ξενόκριτος",
        ("ISO_IR 126",),
        ("Βλαχομιτσάκης", "Ξενόκριτος"),
    ),
    (
        "Zhukhovertsev",
        "Lyubozar",
        "Жуховерцев^Любозар",
        ("ISO_IR 144",),
        ("Жуховерцев", "Любозар"),
    ),
    (
        "Brueckenthaeler",
        "Joergfried",
        "Brückenthäler^Jörgfried^Ägid^Dr.",
        ("ISO_IR 100",),
        ("Brückenthäler", "Jörgfried"),
    ),
    (
        "Ouyangzhuo",
        "Minglieqi",
        "Ouyangzhuo^Minglieqi=欧阳卓^明烈琪",
        ("GB18030",),
        ("欧阳卓", "明烈琪"),
    ),
    (
        "Namgunghwi",
        "Byeoljuran",
        "Namgunghwi^Byeoljuran=南宮輝^別周蘭=남궁휘^별주란",
        ("", "ISO 2022 IR 149"),
        ("남궁휘", "별주란", "南宮輝", "別周蘭"),
    ),
    (
        "Szczebrzycki",
        "Wszebrzeslaw",
        "Szczebrzycki^Wszebrzesław=鈴凪沢^真珠樹=Ščebžicki^Všebžeslav",
        ("ISO_IR 192",),
        ("鈴凪沢", "真珠樹", "Wszebrzesław", "Ščebžicki", "Všebžeslav"),
    ),
)
_ORDINARY = (("Brown", "Rose"), ("Long", "Grace"), ("Young", "May"), ("Stone", "Chase"))


def make_people(seed: int, count: int) -> list[Person]:
    """Return ``count`` distinct people: scripts, syllable names and ordinary names in turn.

    The twelfth person, where there is one, shares the name of the second (not the ID).
    """
    rng = random.Random(f"people {seed}")  # noqa: S311 - repeatable on purpose, guards nothing
    return [_person(rng, index) for index in range(count)]


def _person(rng: random.Random, index: int) -> Person:
    native: tuple[str, ...] = ()
    charset: tuple[str, ...] = ("ISO_IR 100",)
    ordinary = False
    slot = index % 10
    if index == 11 or slot == 1:
        ordinary = True
        family, given = _ORDINARY[0] if index == 11 else _ORDINARY[(index // 10) % 4]
        pn = f"{family}^{given}"
    elif slot in {2, 3, 4, 5, 6, 7, 8} and index < 10:
        family, given, pn, charset, native = _SCRIPTS[slot - 2]
    else:
        family, given = syllable_word(rng), syllable_word(rng)
        pn = f"{family}^{given}^^^"
        pn = pn.rstrip("^") if index % 2 else f"{family}^{given}^{syllable_word(rng, 3)}^^"
        native = (pn.split("^")[2],) if pn.count("^") == 4 else ()
    age = rng.choice((34, 47, 58, 63, 71, 92, 95))
    born = dt.date(2019 - age, rng.randint(1, 12), rng.randint(1, 28))
    digits = "".join(rng.choice("0123456789") for _ in range(9))
    town = syllable_word(rng) + "burgh"
    return Person(
        index=index,
        given=given,
        family=family,
        pn=pn,
        charset=charset,
        native=native,
        ordinary=ordinary,
        patient_id=rng.choice(("QX{0}", "{0}K", "PT-{0}", "{0}")).format(
            rng.randrange(10**8, 10**9)
        ),
        other_id=f"HX{rng.randrange(10**6, 10**7)}Z",
        birth=born,
        age=f"{age:03d}Y",
        sex=rng.choice("MF"),
        phone=f"+1 ({digits[:3]}) 555-{digits[3:7]}",
        email=f"{syllable_word(rng).lower()}@{syllable_word(rng).lower()}.example",
        street=f"{rng.randint(11, 999)} {syllable_word(rng)} Road",
        town=town,
        ssn=f"{rng.randint(100, 699)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
        issuer=f"{syllable_word(rng)}Trust",
        insurer=f"INS{rng.randrange(10**7, 10**8)}",
    )
