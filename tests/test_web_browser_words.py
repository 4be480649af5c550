"""The words of the pages: every translation whole, its holes filled alike, the English plain."""

import re
import struct
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from safelight.consent.decision import Said
from safelight.consent.purposes import PURPOSES
from safelight.consent.roles import Act, Role
from safelight.consent.withdrawal import STAGES
from safelight.readers.reading import ViewKind

ROOT = Path(__file__).parents[1]
LOCALE = ROOT / "src" / "safelight" / "web" / "locale"
HOLE = re.compile(r"%\((\w+)\)s|\{(\w+)\}|%%")
WHOLE = ("de", "es")
GRADE = 4.0  # of a US school: what a child of nine or ten can read
PLURALS = ("num", "n")


def catalog(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def po(language: str) -> Catalog:
    return catalog(LOCALE / language / "LC_MESSAGES" / "safelight.po")


def texts(value: str | tuple[str, ...] | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def words() -> list[Message]:
    return [message for message in catalog(LOCALE / "safelight.pot") if message.id]


def test_the_catalog_is_what_the_templates_say() -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from make_locale import template  # noqa: PLC0415  # a script, not a package
    finally:
        sys.path.pop(0)
    said = {str(message.id) for message in template() if message.id}
    assert said == {str(message.id) for message in words()}
    assert len(said) > 300


@pytest.mark.parametrize("language", WHOLE)
def test_a_translation_is_whole(language: str) -> None:
    there = po(language)
    lacking = []
    for message in words():
        known = there.get(message.id)
        if known is None or not all(texts(known.string)) or known.fuzzy:
            lacking.append(message.id)
    assert lacking == []
    assert len(there) == len(words())


@pytest.mark.parametrize("language", [*WHOLE, "en"])
def test_a_translation_has_the_same_holes(language: str) -> None:
    wrong = []
    for message in po(language):
        if not message.id or not all(texts(message.string)):
            continue
        wanted = sorted(HOLE.findall(texts(message.id)[-1]))
        for text in texts(message.string):
            free = re.sub(r"%\(\w+\)s|%%", "", text)
            if sorted(HOLE.findall(text)) != wanted or "%" in free:
                wrong.append(text)
    assert wrong == []


@pytest.mark.parametrize("language", [*WHOLE, "en"])
def test_what_is_compiled_is_what_was_translated(language: str) -> None:
    data = (LOCALE / language / "LC_MESSAGES" / "safelight.mo").read_bytes()
    _magic, _version, count, at = struct.unpack_from("<4I", data)
    there = [message for message in po(language) if all(texts(message.string))]
    assert count == len(there)
    assert at == 28
    for message in there:
        if message.id:
            assert "\0".join(texts(message.string)).encode() in data


def test_words_of_programs_are_translated() -> None:
    told = {str(message.id) for message in words()}
    needed = {purpose.meaning for purpose in PURPOSES.values()} | {kind.value for kind in ViewKind}
    needed |= {act.value for act in Act} | {role.value for role in Role}
    needed |= {said.value for said in Said} | set(STAGES)
    assert needed - told == set()


def syllables(word: str) -> int:
    """Count groups of vowels, without a silent e at the end: good to a few in a hundred."""
    plain = re.sub(r"(?:[^laeiouy]es|[^l]e|ed)$", "", word.lower())
    return max(1, len(re.findall(r"[aeiouy]+", plain)))


def grade(sentences: list[str]) -> float:
    """Return the grade of Flesch and Kincaid (1975): 0.39 W/S + 11.8 Y/W - 15.59."""
    found = [re.findall(r"[A-Za-z']+", sentence) for sentence in sentences]
    count = sum(len(each) for each in found)
    sounds = sum(syllables(word) for each in found for word in each)
    return 0.39 * count / len(found) + 11.8 * sounds / count - 15.59


def test_the_grade_tells_plain_from_heavy_words() -> None:
    assert grade(["The cat sat on the mat.", "We take your name off."]) < 2
    heavy = "The de-identification of radiological examinations necessitates institutional review."
    assert grade([heavy]) > 15


def test_english_is_plain() -> None:
    sentences = []
    for message in words():
        text = HOLE.sub("five", texts(message.id)[-1])
        parts = re.split(r"(?<=[.!?:;…])\s+", text)
        sentences += [part for part in parts if len(part.split()) >= 4]
    assert len(sentences) > 150
    assert grade(sentences) <= GRADE
    long = [sentence for sentence in sentences if len(sentence.split()) > 25]
    assert [one for one in long if not one.startswith("+ and")] == []
