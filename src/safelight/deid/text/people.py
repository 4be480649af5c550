"""Other people: whoever is named by a title, a role, a credential, or beside a name that went."""

# ruff: noqa: RUF001 - letters and signs of other scripts are what this module is about

import re
from itertools import pairwise
from typing import Final

from safelight.deid.text.fold import words
from safelight.deid.text.tokens import Token
from safelight.deid.text.vocabulary import AMBIGUOUS, PLAIN, STRONG, UNKNOWN

__all__ = ["calls", "spans"]

_RULE: Final = "person named by title or role"
_RULE_BESIDE: Final = "stands beside a name"
_RULE_DANGLING: Final = "left dangling"

_TITLES: Final = words(
    """doctor doktor docteur prof professor professeur mister mrs miss herr herrn frau mme mlle
    dres monsieur madame senor senora senorita sra srta dra dott dottssa dottoressa dottore sig
    signor signora dhr mevr mevrouw meneer pani fru nurse sister captain major sergeant sir lord
    lady misses capt officer доктор проф профессор врач господин госпожа κυριος κυρια ιατρος δρ"""
)
#: Titles that are also technical: they count in mixed case (``Dr``, ``Mr``) or with a full stop.
_WEAK_TITLES: Final = words("dr mr ms sr hr fr m drs mw jr st pr")
_FAMILY: Final = words("mother father wife husband son daughter brother sister spouse")
#: Stand between a title and a name: degrees, particles.
_BETWEEN_TITLE: Final = words(
    """dr prof med phil dent rer nat habil univ von van de der den del di la da dos du ter ten"""
)
#: Before a colon they name whoever follows.
_COLON_ROLES: Final = words(
    """ref cc op rad req pat reporting reported interpreted performed dictated reviewed verified
    entered examiner requested ordered referring"""
)
#: Whoever was told something, or with whom it was talked over.
_TOLD: Final = words("per via informed notified called paged telephoned phoned contacted alerted")
_TALKED: Final = words("spoke discussed reviewed seen shared conferred")
_BY: Final = words("by durch par por da door von bei")
_BEFORE_BY: Final = words(
    """read reported signed dictated reviewed performed verified interpreted approved referred
    ordered requested transcribed scanned done written entered checked seen supervised
    acquired injected prepared validated authored created edited typed examined finalized
    attested consulted booked confirmed reading electronically observed measured"""
)
_ROLES: Final = words(
    """technologist tech operator radiologist physician nurse sonographer radiographer name
    reader author surgeon consultant resident fellow attending attn attention referrer referring
    interpreter dictator transcriptionist signed mother father wife husband son daughter
    brother sister spouse guardian contact anesthesiologist cardiologist oncologist patient pt
    mta mtra arzt aerztin medecin medico paziente patientin operador operateur tecnico
    untersucher befunder zuweiser врач лаборант пациент ιατρος ασθενης"""
)
_STRONG_ROLES: Final = words("attn attention")
_CREDENTIALS: Final = words(
    """md phd rn mbbs frcr facr dnp rdms rdcs rvt cnmt arrt dds dmd mba msc bsc mph mrcp frcs
    frcpc ranzcr edir mbchb esq dvm"""
)
_CONNECTIVES: Final = words(
    """for by of from to per via attn attention re ref the mr mrs ms miss dr drs prof doctor herr
    herrn frau mme sr sra jr de del della di da do dos das du van der den von la le el al fur
    durch par por pour para per sur chez name named called signed dear tech technologist
    operator und radiologist physician referrer hello cc d dna dott sig для от по к για απο
    του της"""
)
_PARTICLES: Final = words("le de der van von dos das del della dr prof mr mrs for by")
_MODALITIES: Final = words("mr dr")
_COLONS: Final = words("for c rt")
_TAIL_ONLY: Final = words("with w and & mit avec con com patient pt in at on is was")
_AND: Final = words("and und et y e ed en or и και")
_STOPWORDS: Final = words(
    """the a an of in on at to with and or for from is was are were has have had not no by as w
    wo this that which who who's be been if but so do did can per than then there"""
)
#: Ambiguous words that qualify a technical word after them (``POST CONTRAST``, ``LONG AXIS``).
_MODIFIERS: Final = words(
    """long short low high old new post port large small fast early late straight thin dual upper
    lower power fat water time field line mid max min le de del della di da dos das"""
)
#: Those that are common names: only before the words they really qualify.
_COLOURS: Final = words("black white dark brown deep gray grey green")
_COLOURED: Final = words("blood matter fluid fat hole holes vein veins venous scale")
#: Projections that are also family names: in capitals they are projections.
_VIEWS: Final = words("lao rao lad")
_TRIGGERS: Final = _TITLES | _WEAK_TITLES | _ROLES | _BY | _COLON_ROLES | _TOLD | _TALKED | {"for"}
_MARKED: Final = _CREDENTIALS | {"rt"}
_MARKED_ALONE: Final = words("md phd rn mbbs frcr")
_LETTERS_KEPT: Final = frozenset("lrwcat")
_NAME_GAP: Final = re.compile(r"[ \t.,:_^\-']{1,3}|\r?\n")
_TIGHT_GAP: Final = re.compile(r"[ \t.,_^\-'’]{1,2}")
_PAIR_GAP: Final = re.compile(r" ?[/&+] ?")
_LOOSE_GAP: Final = re.compile(r"[\s.,:;_^\-'’\"(\[#/&=]{0,4}")
_LONGEST_NAME: Final = 4
_SHORTEST: Final = 3


def calls(word: str) -> bool:
    """Return whether a folded word may name the person beside it, or dangle at an end."""
    return (
        word in _TRIGGERS or word in _CREDENTIALS or word in _MARKED_ALONE
        or word in _PARTICLES or word in _COLONS
    )  # fmt: skip


def spans(text: str, tokens: list[Token]) -> list[tuple[int, int, str]]:
    """Return what goes beside the tokens already marked as gone; marks those it takes."""
    out: list[tuple[int, int, str]] = []
    last = len(tokens) - 1
    for place, token in enumerate(tokens):
        word = token.word
        if place == last or (token.gone and token.kind != UNKNOWN):
            continue
        if word in _TRIGGERS:
            out += _after(text, tokens, place)
        elif word == "c" and tokens[place + 1].word == "o" and text[token.stop] == "/":
            out += _names(text, tokens, place + 2, strict=False, most=_LONGEST_NAME)
            if place + 2 < len(tokens) and tokens[place + 2].gone:
                for part in tokens[place : place + 2]:
                    part.gone = True
                    out.append((part.start, part.stop, _RULE_DANGLING))
    _credentials(text, tokens, out)
    if "." in text:
        _initialled(text, tokens, out)
    _trailing(text, tokens, out)
    if any(token.gone for token in tokens):
        _beside(text, tokens, out)
        _dangling(text, tokens, out)
    return out


def _after(text: str, tokens: list[Token], place: int) -> list[tuple[int, int, str]]:
    """Take the names after a title, a role or ``by``."""
    token = tokens[place]
    raw = text[token.start : token.stop]
    gap = text[token.stop : tokens[place + 1].start]
    if not _NAME_GAP.fullmatch(gap) and gap.strip() != ":":
        return []
    word = token.word
    if word in _TITLES or word in _WEAK_TITLES:
        titled = raw.istitle() or gap.startswith(".") or (word in _TITLES and word not in _ROLES)
        if not titled or (len(raw) == 1 and not gap.startswith(".")):
            return []
        start = place + 1
        while start < len(tokens) - 1 and tokens[start].word in _BETWEEN_TITLE:
            start += 1
        found = _names(text, tokens, start, strict=False, most=_LONGEST_NAME, titled=True)
        for each in tokens[place:start] if found else ():
            if not each.gone:
                each.gone = True
                found.append((each.start, each.stop, _RULE))
        return found
    if word in _BY:
        role = place > 0 and tokens[place - 1].word in _BEFORE_BY
        ends = raw.isupper() and place + 2 == len(tokens)  # BY BROWN
        return _names(text, tokens, place + 1, strict=not (role or ends), most=_LONGEST_NAME)
    label = ":" in gap or word in _STRONG_ROLES
    after = tokens[place + 1].word
    apart = (word in _TALKED and after == "with") or (word in _FAMILY and after == "of")
    if apart or (word not in _ROLES and word != "for"):
        told = apart or label or word in _TOLD or (word == "pat" and gap.startswith("."))
        start = place + 1 + apart
        if not told or _modifies(tokens, start):
            return []
        return _names(text, tokens, start, strict=True, most=_LONGEST_NAME)
    return _names(text, tokens, place + 1, strict=not label, most=_LONGEST_NAME)


def _names(
    text: str, tokens: list[Token], place: int, *, strict: bool, most: int, titled: bool = False
) -> list[tuple[int, int, str]]:
    """Take up to ``most`` name-like words from ``place`` on.

    Strict: only words that are also names and stand capitalised. Otherwise also the first two
    capitalised words that are not medical, and words that are also names in any case.
    """
    out = []
    taken = 0
    for at in range(place, min(place + most, len(tokens))):
        token = tokens[at]
        gap = text[tokens[at - 1].stop : token.start] if at > place else " "
        paired = titled and token.kind == AMBIGUOUS and _PAIR_GAP.fullmatch(gap)
        if not (_NAME_GAP.fullmatch(gap) or paired):
            break
        if token.gone:
            taken += 1
            continue
        raw = text[token.start : token.stop]
        first = titled and not taken and raw.istitle() and token.word not in _STOPWORDS
        lower = titled and not taken and token.kind == AMBIGUOUS
        if not (first or lower or _name_like(token, raw, taken, strict=strict)):
            break
        taken += 1
        token.gone = True
        out.append((token.start, token.stop, _RULE))
    return out


def _name_like(token: Token, raw: str, taken: int, *, strict: bool) -> bool:
    if token.word in _STOPWORDS or not raw[0].isalpha():
        return False
    capital = raw[0].isupper()
    title = capital and (raw[1:].islower() or len(raw) == 1)
    if token.kind == UNKNOWN:
        return True  # an eponym that its context kept: after a title it is a person
    if token.kind == AMBIGUOUS:
        return title if strict else capital
    if strict or not title:
        return False
    if len(raw) == 1:
        return True
    if token.kind == STRONG:
        return False
    return token.kind == PLAIN and taken <= 1


def _credentials(text: str, tokens: list[Token], out: list[tuple[int, int, str]]) -> None:
    """Take the names before ``, MD``; and the letters themselves when a name went."""
    for place in range(1, len(tokens)):
        token = tokens[place]
        if token.gone or not (token.word in _MARKED or token.word in _MARKED_ALONE):
            continue
        if token.word == "rt" and not _registered(text, token):
            continue
        raw = text[token.start : token.stop]
        gap = text[tokens[place - 1].stop : token.start]
        if gap == " " and raw.isupper() and token.word in _MARKED_ALONE:
            _take_if_name(text, tokens[place - 1], out)
        if "," in gap and _TIGHT_GAP.fullmatch(gap):
            for at in range(place - 1, max(place - 4, -1), -1):
                before = tokens[at]
                shown = text[before.start : before.stop]
                if before.gone:
                    continue
                named = before.kind != STRONG or (at > 0 and tokens[at - 1].gone)
                if not named or not shown[:1].isupper() or before.word in _STOPWORDS:
                    break
                before.gone = True
                out.append((before.start, before.stop, _RULE))
        if tokens[place - 1].gone and _TIGHT_GAP.fullmatch(gap) and not raw.islower():
            token.gone = True
            out.append((token.start, token.stop, _RULE_DANGLING))
            follower = tokens[place + 1] if place + 1 < len(tokens) else None
            if follower and text[token.stop : follower.start] == "(" and len(follower.word) <= 2:  # noqa: PLR2004 - RT(R)
                follower.gone = True
                out.append((follower.start, follower.stop, _RULE_DANGLING))


def _take_if_name(text: str, token: Token, out: list[tuple[int, int, str]]) -> None:
    """Take a capitalised word that is also a name."""
    if token.kind == AMBIGUOUS and not token.gone and text[token.start].isupper():
        token.gone = True
        out.append((token.start, token.stop, _RULE))


def _initialled(text: str, tokens: list[Token], out: list[tuple[int, int, str]]) -> None:
    """Take words that are also names after or before an initial with its dot: ``J. White``."""
    for one, two in pairwise(tokens):
        gap = text[one.stop : two.start]
        if len(one.word) == 1 and gap == ". ":
            initial, name = one, two
        elif len(two.word) == 1 and gap in {", ", " "} and text[two.stop : two.stop + 1] == ".":
            initial, name = two, one
        else:
            continue
        raw = text[name.start : name.stop]
        kept = initial.word in _LETTERS_KEPT and initial is two
        if kept or not text[initial.start].isupper() or not raw.istitle() or len(raw) < _SHORTEST:
            continue
        if name.kind == AMBIGUOUS and not _modifies(tokens, tokens.index(name)):
            for each in (initial, name):
                if not each.gone:
                    each.gone = True
                    out.append((each.start, each.stop, _RULE))


def _trailing(text: str, tokens: list[Token], out: list[tuple[int, int, str]]) -> None:
    """Take particles at the end of a value: they lead to nothing, or are a name (``Le``).

    ``Knee MR`` ends with a modality, unless something that stood behind it went.
    """
    cut = False
    for token in reversed(tokens):
        if token.gone:
            cut = True
            continue
        if token.word not in _PARTICLES:
            break
        if not cut and token.word in _MODALITIES and text[token.start : token.stop].isupper():
            break
        token.gone = True
        out.append((token.start, token.stop, _RULE_DANGLING))


def _registered(text: str, token: Token) -> bool:
    """Tell ``RT(R)`` (a registered technologist) from ``RT`` (right)."""
    return re.match(r"\((?:R|T|N|MR|CT|M)\)", text[token.stop :]) is not None


def _beside(text: str, tokens: list[Token], out: list[tuple[int, int, str]]) -> None:
    """Take words that are also names, and initials, beside a name that went."""
    for order in (range(len(tokens)), range(len(tokens) - 1, -1, -1)):
        for place in order:
            token = tokens[place]
            if token.gone or not _touches(text, tokens, place):
                continue
            raw = text[token.start : token.stop]
            if token.kind == AMBIGUOUS:
                modifies = _modifies(tokens, place)
                view = token.word in _VIEWS and raw.isupper()
                take = raw[0].isupper() and not (modifies or view or token.word in _STOPWORDS)
            else:
                initial = len(raw) == 1 and raw.isalpha()
                dotted = text[token.stop : token.stop + 1] == "."
                take = initial and (dotted or token.word not in _LETTERS_KEPT)
            if take:
                token.gone = True
                out.append((token.start, token.stop, _RULE_BESIDE))


def _modifies(tokens: list[Token], place: int) -> bool:
    """Tell whether a word that is also a name says more of the technical word after it."""
    token = tokens[min(place, len(tokens) - 1)]
    follower = tokens[place + 1] if place + 1 < len(tokens) else None
    return (
        follower is not None
        and not follower.gone
        and (
            (token.word in _MODIFIERS and follower.kind == STRONG)
            or (token.word in _COLOURS and follower.word in _COLOURED)
        )
    )


def _touches(text: str, tokens: list[Token], place: int) -> bool:
    token = tokens[place]
    if place and tokens[place - 1].gone:
        gap = text[tokens[place - 1].stop : token.start]
        if _TIGHT_GAP.fullmatch(gap):
            return True
    if place + 1 < len(tokens) and tokens[place + 1].gone:
        gap = text[token.stop : tokens[place + 1].start]
        return _TIGHT_GAP.fullmatch(gap) is not None
    return False


def _dangling(text: str, tokens: list[Token], out: list[tuple[int, int, str]]) -> None:
    """Take connectives and titles that now lead to nothing."""
    end = len(tokens)
    while end and tokens[end - 1].gone:
        end -= 1
    for place in range(len(tokens) - 2, -1, -1):
        token, after = tokens[place], tokens[place + 1]
        if token.gone and place < end <= place + 1:
            end = place
        if token.gone or not after.gone:
            continue
        gap = text[token.stop : after.start]
        if not _LOOSE_GAP.fullmatch(gap):
            continue
        tail = place + 1 >= end
        between = token.word in _AND and place > 0 and tokens[place - 1].gone
        label = ":" in gap and token.word in _ROLES
        raw = text[token.start : token.stop]
        if token.word in _WEAK_TITLES and raw.isupper() and "." not in gap and place == 0:
            continue  # MR and DR are modalities where a value begins with them
        if token.word in _CONNECTIVES or between or label or (tail and token.word in _TAIL_ONLY):
            token.gone = True
            end = place if tail else end
            out.append((token.start, token.stop, _RULE_DANGLING))
