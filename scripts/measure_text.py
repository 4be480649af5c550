"""Measure free text: descriptors that keep every word, and names nobody listed that survive.

    uv run --with faker python scripts/measure_text.py [texts per locale]

The names come from the faker package, which the project does not depend on; without it only the
descriptors are measured.
"""

import random
import sys
from collections import Counter
from pathlib import Path

from safelight.deid.text import Identity, Mode, Needles, TextCleaner
from safelight.deid.text.fold import fold, runs

LOCALES = (
    "en_US en_GB en_IN en_NG de_DE fr_FR es_ES es_MX it_IT pt_BR nl_NL sv_SE da_DK no_NO fi_FI "
    "pl_PL cs_CZ hu_HU tr_TR ro_RO el_GR ru_RU uk_UA ja_JP zh_CN zh_TW ko_KR vi_VN id_ID ar_SA "
    "he_IL hi_IN th_TH"
)
TEMPLATES = (
    "CT CHEST W CONTRAST for {f} {l}",
    "{l}, {f} MRI BRAIN",
    "XR KNEE {F} {L} AP",
    "Read by {f} {l}, MD",
    "Dr. {l} CT HEAD",
    "{L}^{F} ABD",
    "t2_tse_sag_{l}",
    "MR {f} {l} T1 POST",
    "The patient {f} {l} was seen on follow up.",
    "pt {f} {l}: chest pain",
    "{l}{f}CT",
    "US ABD ({l})",
    "CHEST PA - {F} {L}",
    "Technologist: {f} {l}",
)


def descriptors(cleaner: TextCleaner) -> None:
    """Print the share of descriptors that keep every word."""
    path = Path(__file__).parent.parent / "tests/data/descriptors.txt"
    lines = [line for line in path.read_text("utf-8").splitlines() if line and line[0] != "#"]
    kept = sum(cleaner.clean(line).rules == () for line in lines)
    print(f"descriptors that keep every word: {kept} of {len(lines)}, {kept / len(lines):.1%}")


def strangers(cleaner: TextCleaner, count: int) -> None:
    """Print how many name words of unknown third persons survive."""
    from faker import Faker  # type: ignore[import-not-found]  # noqa: PLC0415 - not a dependency

    pick = random.Random(7)  # noqa: S311 - a measurement must repeat
    survivors: Counter[str] = Counter()
    names = texts = 0
    for locale in LOCALES.split():
        fake = Faker(locale)
        fake.seed_instance(3)
        for _ in range(count):
            first, last, template = fake.first_name(), fake.last_name(), pick.choice(TEMPLATES)
            text = template.format(f=first, l=last, F=first.upper(), L=last.upper())
            mode = Mode.NARRATIVE if "patient" in template else Mode.WORDS
            left = {fold(run.group()) for run in runs(cleaner.clean(text, mode).text)}
            own = {fold(run.group()) for run in runs(template)}
            texts += 1
            for run in runs(f"{first} {last}"):
                word = fold(run.group())
                names += len(word) > 1
                if len(word) > 1 and word in left - own:
                    survivors[word] += 1
    total = sum(survivors.values())
    print(f"name words of strangers left: {total} of {names} in {texts} texts, {total / names:.2%}")
    print(", ".join(f"{word} {times}" for word, times in survivors.most_common()))


def main() -> None:
    """Measure, and print."""
    cleaner = TextCleaner(Needles.compile(Identity()))
    descriptors(cleaner)
    strangers(cleaner, int(sys.argv[1]) if len(sys.argv) > 1 else 300)


if __name__ == "__main__":
    main()
