"""The words that may stay: loaded once, from a list made by ``scripts/make_vocabulary.py``.

Sections in ``data/vocabulary.gz``:

- words, a line for each beginning of two letters with three classes: strong are medical, technical
  and protocol words, they stop a run of names (``Dr. Roe CT``); plain are common words that are no
  one's name as far as the sources know; ambiguous are words that are also names but that reports
  cannot do without (``white``, ``may``);
- terms: whole phrases that hold an eponym (``Ross procedure``);
- CJK terms, matched inside runs that have no blanks;
- words that may be joined without a blank, and names that the rules for unseen words would pass;
- eponyms, each with the words that must stand near for it to stay (``Waters`` near ``sinus``).
"""

import gzip
import os
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from safelight.deid.text.fold import fold, segments, words

__all__ = [
    "AMBIGUOUS",
    "PLAIN",
    "STRONG",
    "UNKNOWN",
    "cjk_unknown",
    "eponym_stays",
    "kind",
    "listed",
    "terms",
]

# A plain path: importlib.resources costs 11 ms of start-up for the same file.
_FILE: Final = os.path.join(os.path.dirname(__file__), "data", "vocabulary.gz")

UNKNOWN: Final = 0
AMBIGUOUS: Final = 1
PLAIN: Final = 2
STRONG: Final = 3

# Letters that may be glued to four digits; with other letters such a run looks like a record no.
_FOUR_DIGIT_LETTERS: Final = words(
    """b bv t te ti tr td t1 t2 e f v x s hz hu ms mm um kv ma w c l ww wl wc cm s k d n y"""
)
_SHORT_GLUED: Final = 2
_LONGEST_NUMBER: Final = 4
_MIN_CAMEL: Final = 3
_MIN_JOINED: Final = 3
_MIN_JOIN: Final = 6
_MOST_JOINS: Final = 4
_MIN_MEDICAL: Final = 9
_MIN_STEM: Final = 5
_LONGEST_ENDING: Final = 12
_DIMENSIONS: Final = re.compile(r"\d{1,4}(?:x\d{1,4}){1,3}(?:mm|cm|um)?")
_CAMEL: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MANY_SEGMENTS: Final = 4
_LONGEST_TERM: Final = 8
_LONGEST_RUN: Final = 64
_HEAD: Final = 2

# Endings of medical Greek and Latin, folded, that no family name of the sources has at this length.
_ENDING: Final = re.compile(
    r"(?:(?<!a)itis|itides|ectomy|ectomies|ostomy|otomy|otomies|graphy|graphic|ography|ogram|ograms|opathy|opathies"
    r"|opathic|osis|oses|oscopy|oscopic|oplasty|oplasties|emia|aemia|uria|algia|megaly|malacia"
    r"|sclerosis|stenosis|trophy|trophic|plasia|plastic|genesis|genic|lysis|lytic|metry|metric"
    r"|oma|omas|omatous|omatosis|cele|celes|centesis|pexy|rrhaphy|rrhagia|rrhage|rrhea|ectasia|ectasis|edema"
    r"|carcinoma|sarcoma|blastoma|adenoma|phobia|plegia|paresis|pnea|phagia|penia|philia|cytosis"
    r"|dynia|iasis|ological|ology|scopic|tomies|vascular|osseous|cutaneous|articular|muscular"
    # as German, French, Italian, Spanish, Portuguese and Dutch write them
    r"|gra(?:ph|f)(?:ien?|ias?|isch|ische|ique|iques|ic[oa]s?)|gramm[ea]?|gramas?|e[ck]tomi(?:en?|as?)"
    r"|[os]tomi(?:en?|as?)|s[ck]opi(?:en?|as?|sch|sche|que|c[oa])|megali(?:e|a)|pat(?:h?ie|ia)s?"
    r"|plasti(?:k|en?|a)|s[ck]lerose|stenose|th?rombose|fibrose|ne[ck]rose|arth?rose|algi(?:en?|as?)"
    r"|ozytose|ocytose|aemie|emie|urie|olyse|genese|plasie|tro(?:ph|f)i(?:e|a)|metrie|ometria"
    r"|ologi(?:e|a|sch|sche|que|ques|c[oa]s?|he)|plegi(?:e|a)|parese|paresia?|pnoe|pnee|ophagie|ofagia"
    r"|karzinome?|carcinom[ea]s?|carcinoom|sar[ck]ome?|blastome?|adenome?|adenoom|ozele)$"
)
_PREFIX: Final = re.compile(
    r"(?:peri|intra|extra|retro|hyper|hypo|supra|infra|inter|trans|para|post|multi|micro|macro|hemi"
    r"|endo|anti|non|pre|sub|super|ultra|un|bi|tri|poly|pseudo|neo|pan|mid|semi|juxta|epi|meso)"
)
_STEM: Final = re.compile(r"[a-z]{2,}(?:[aeiouy])")

# What German and Dutch medical compounds end with, and no family name does.
_HEADS: Final = words(
    """fraktur frakturen thrombose thrombosen prothese prothesen steine steinen tumor tumore tumoren
    schaden prellung prellungen kontrolle kontrollen karzinom karzinome metastase metastasen
    lasion lasionen laesion laesionen ruptur rupturen erguss ergusse erguesse odem odeme
    oedem oedeme zyste zysten blutung blutungen infarkt infarkte stenose stenosen verschluss
    verkalkung verkalkungen entzundung entzundungen entzuendung infektion infektionen abszess
    abszesse hernie hernien prolaps defekt defekte insuffizienz operation operationen aufnahme
    aufnahmen untersuchung untersuchungen darstellung biopsie biopsien punktion punktionen drainage
    drainagen resektion resektionen transplantation implantation schmerz schmerzen schwellung
    schwellungen verletzung verletzungen nekrose nekrosen degeneration atrophie hypertrophie
    hyperplasie dysplasie embolie embolien aneurysma aneurysmen dissektion erkrankung erkrankungen
    syndrom beschwerden symptomatik gefass gefasse gefaesse arterie arterien vene venen nerv nerven
    muskel muskulatur gelenk gelenke knochen material phase phasen sequenz sequenzen schicht
    schichten fenster messung messungen protokoll protokolle bereich region ebene ebenen volumen
    dichte gewebe flussigkeit fluessigkeit schwache stauung verlagerung veranderung veranderungen
    veraenderung veraenderungen serie serien szintigraphie sonographie angiographie
    fractuur fracturen trombose trombosen letsel letsels stenen carcinoom carcinomen kwab kwabben
    klier klieren slagader slagaders bloeding bloedingen ontsteking ontstekingen infarct infarcten
    breuk breuken operatie opname opnamen onderzoek foto fotos echo scan scans controle controles
    verlies vernauwing vernauwingen verkalking verkalkingen zwelling zwellingen vocht pijn klachten
    vaten holte holten aorta kanker trauma koliek insufficientie therapie wunde system
    cyste cysten scheur scheuren vergroting afwijking afwijkingen"""
)
#: Articles before a vowel (``dell'aorta``).
_ELIDED: Final = words("l d o un qu dell nell sull dall all")
_LINKS: Final = ("", "s", "n", "en", "es", "er")
_MIN_HEAD: Final = 4
_HEAD_ENDS: Final = frozenset(head[-_MIN_HEAD:] for head in _HEADS)
_IN_COMPOUNDS: Final = (AMBIGUOUS, STRONG)


class _Lists(NamedTuple):
    lines: dict[str, str]
    words: dict[str, dict[str, int]]
    terms: frozenset[str]
    cjk: frozenset[str]
    eponyms: dict[str, frozenset[str]]
    joinable: frozenset[str]
    refused: frozenset[str]


@lru_cache(maxsize=1)
def _load() -> _Lists:
    with open(_FILE, "rb") as handle:
        data = handle.read()
    lines, phrases, cjk, named, joinable, refused = gzip.decompress(data).decode().split("\n\n")
    eponyms = {}
    for line in named.split("\n"):
        name, *near = line.split(" ")
        eponyms[name] = frozenset(near)
    return _Lists(
        {line.partition("\t")[0]: line for line in lines.split("\n")},
        {},
        frozenset(phrases.split("\n")),
        frozenset(cjk.split("\n")),
        eponyms,
        frozenset(joinable.split("\n")),
        frozenset(refused.split("\n")),
    )


def listed(folded: str) -> int:
    """Return the class of one folded word, as listed; no morphology, no splitting."""
    lists = _load()
    head = folded[:_HEAD]
    words = lists.words.get(head)
    if words is None:
        words = lists.words[head] = _words(lists.lines.get(head, "\t\t\t"))
    return words.get(folded, UNKNOWN)


def _words(line: str) -> dict[str, int]:
    """Read the words of one head; of the heads most are never asked for."""
    _head, strong, plain, ambiguous = line.split("\t")
    words = dict.fromkeys(plain.split(), PLAIN)
    words.update(dict.fromkeys(strong.split(), STRONG))
    words.update(dict.fromkeys(ambiguous.split(), AMBIGUOUS))
    return words


def terms() -> frozenset[str]:
    """Return the folded phrases that may stay whole though a word in them is a name."""
    return _load().terms


def eponym_stays(folded: str, near: Iterable[str]) -> bool:
    """Return whether an unknown word is an eponym and one of its own words stands near it."""
    eponyms = _load().eponyms
    stem = folded.removesuffix("'s").removesuffix("'")
    contexts = eponyms.get(stem)
    if contexts is None:
        return False
    wanted = contexts or eponyms["nouns"]
    return any(word in wanted for word in near)


def kind(run: str) -> int:
    """Return the class of a run of letters and digits as it stands in the text.

    ``UNKNOWN`` means that the run must go. Runs that mix letters and digits are judged part by
    part; unseen words may stay by medical suffix or as a join of two known words.
    """
    return _kind(run) if len(run) <= _LONGEST_RUN else UNKNOWN


@lru_cache(maxsize=1 << 14)
def _kind(run: str) -> int:
    folded = fold(run)
    found = listed(folded)
    if found:
        return found
    if "'" in folded:
        return _possessive(folded)
    parts = segments(folded)
    if len(parts) > 1:
        return _mixed(run, parts)
    if not parts:
        return UNKNOWN
    if folded.isdecimal():
        return PLAIN if len(folded) <= _LONGEST_NUMBER else UNKNOWN
    if len(folded) == 1:
        return PLAIN if folded.isascii() else UNKNOWN
    return _camel(run) or _derived(folded)


def _possessive(folded: str) -> int:
    stem, _, tail = folded.partition("'")
    if tail in {"s", "t", "re", "ll", "ve", "d"} or stem in _ELIDED:
        known = PLAIN if stem in _ELIDED else kind(stem)
        return min(known, kind(tail)) if len(tail) > _SHORT_GLUED else known
    return UNKNOWN


def _mixed(run: str, parts: list[str]) -> int:
    if _DIMENSIONS.fullmatch("".join(parts)):
        return PLAIN
    digits = sum(len(part) for part in parts if part.isdecimal())
    if digits > _LONGEST_NUMBER:
        return UNKNOWN
    shown = segments(run) if run.isascii() else parts
    kinds = [
        _glued(part, raw) for part, raw in zip(parts, shown, strict=False) if not part.isdecimal()
    ]
    if not all(kinds):
        return UNKNOWN
    if digits == _LONGEST_NUMBER:
        words = [part for part in parts if not part.isdecimal()]
        allowed = all(
            word in _FOUR_DIGIT_LETTERS or (len(word) > _SHORT_GLUED and listed(word))
            for word in words
        )
        if not allowed or len(parts) >= _MANY_SEGMENTS:
            return UNKNOWN
    return min(kinds, default=STRONG)


def _glued(part: str, raw: str) -> int:
    """Judge one alphabetic part of a run that also holds digits."""
    if len(part) <= _SHORT_GLUED and part.isascii():
        return STRONG
    return listed(part) or _camel(raw) or _derived(part)


def _camel(run: str) -> int:
    """Judge ``HeadNeck``: every part known, one of them strong; at most one also a name."""
    if run.isupper() or run.islower() or not run.isascii():
        return UNKNOWN
    parts = [part.lower() for part in _CAMEL.findall(run)]
    if len(parts) < _SHORT_GLUED:
        return UNKNOWN
    kinds = [listed(part) or _derived(part) for part in parts]
    strong = sum(
        one == STRONG and len(part) >= _MIN_CAMEL for one, part in zip(kinds, parts, strict=True)
    )
    named = kinds.count(AMBIGUOUS)
    if UNKNOWN in kinds or not strong or named > 1 or (named and strong < _SHORT_GLUED):
        return UNKNOWN
    if any(one == PLAIN and len(part) < _MIN_CAMEL for one, part in zip(kinds, parts, strict=True)):
        return UNKNOWN
    return PLAIN


def _derived(folded: str) -> int:
    """Judge an unseen word by its build: strong words joined (``BONEPLUS``), medical endings."""
    if len(folded) < _MIN_JOIN or folded in _load().refused:
        return UNKNOWN
    if _joins(folded, _MOST_JOINS):
        return STRONG
    if (
        len(folded) >= _MIN_MEDICAL
        and folded.isascii()
        and _STEM.match(folded)
        and _ENDING.search(folded, max(len(folded) - _LONGEST_ENDING, 0))
    ):
        return PLAIN
    if folded.startswith("re") and listed(folded[2:]) >= PLAIN:
        return PLAIN
    if _is_compound(folded):
        return PLAIN
    prefix = _PREFIX.match(folded)
    if prefix and len(folded) - prefix.end() >= _MIN_STEM:
        return PLAIN if listed(folded[prefix.end() :]) == STRONG else UNKNOWN
    return UNKNOWN


def _is_compound(folded: str) -> bool:
    """Tell whether a word is medical words before a finding or the like (``Knietumor``)."""
    if folded[-_MIN_HEAD:] not in _HEAD_ENDS:
        return False
    for cut in range(_MIN_HEAD, len(folded) - _MIN_HEAD + 1):
        if folded[cut:] not in _HEADS:
            continue
        stem = folded[:cut]
        if _is_medical(stem):
            return True
        for at in range(_MIN_HEAD, len(stem) - _MIN_HEAD + 1):
            if _is_medical(stem[:at]) and _is_medical(stem[at:]):
                return True
    return False


def _is_medical(part: str) -> bool:
    """Tell whether a part of a compound is a medical word, with a letter or two that link it."""
    for link in _LINKS:
        size = len(part) - len(link)
        if size >= _MIN_HEAD and part.endswith(link) and listed(part[:size]) in _IN_COMPOUNDS:
            return True
    return False


def _joins(folded: str, most: int) -> bool:
    words = _load().joinable
    for cut in range(len(folded) - _MIN_JOINED, _MIN_JOINED - 1, -1):
        if folded[:cut] not in words:
            continue
        rest = folded[cut:]
        if rest in words or (most > 2 and _joins(rest, most - 1)):  # noqa: PLR2004 - two words at the end
            return True
    return False


@lru_cache(maxsize=1 << 12)
def cjk_unknown(run: str) -> tuple[tuple[int, int], ...]:
    """Return the unknown stretches of a run of Chinese or Japanese, as (start, stop).

    Terms are matched longest first. Beside an unknown stretch a term of one character goes too,
    since it may be part of a name.
    """
    folded = unicodedata.normalize("NFKC", run)
    known = _load().cjk
    covered: list[bool] = []
    at = 0
    singles = []
    while at < len(folded):
        size = next(
            (n for n in range(min(_LONGEST_TERM, len(folded) - at), 0, -1)
             if folded[at : at + n] in known),
            0,
        )  # fmt: skip
        if size == 1:
            singles.append(at)
        covered += [bool(size)] * (size or 1)
        at += size or 1
    if all(covered):
        return ()
    if len(folded) != len(run):
        return ((0, len(run)),)
    for place in singles:
        covered[place] = False
    out = []
    start = None
    for place, known_here in enumerate([*covered, True]):
        if not known_here and start is None:
            start = place
        elif known_here and start is not None:
            out.append((start, place))
            start = None
    return tuple(out)
