"""The spellings of a name that another keyboard, passport office or report writer would use."""

# ruff: noqa: RUF001 - letters and signs of other scripts are what this module is about

from typing import Final

from safelight.deid.text.fold import fold

__all__ = ["spellings"]


def letters(text: str) -> list[str]:
    """Return the sounds of a table written as one string."""
    return text.split()


# Sources: ELOT 743 and everyday Greek; BGN/PCGN, ISO 9 and passport practice for Cyrillic;
# modified Hepburn for kana; Revised Romanisation for Hangul.
_GREEK: Final = dict(zip(
    "αβγδεζηθικλμνξοπρστυφχψω",
    letters("a v g d e z i th i k l m n x o p r s t y f ch ps o"), strict=True))  # fmt: skip
_GREEK_PAIRS: Final = {
    "ου": "ou", "αυ": "av", "ευ": "ev", "γγ": "ng", "γξ": "nx", "γχ": "nch", "μπ": "b", "ντ": "nt",
}  # fmt: skip
_CYRILLIC: Final = dict(zip("абвгдежзиклмнопрстуфхцчшщъыьэюяіїєґўјљњћђџ", (
    "a b v g d e zh z i k l m n o p r s t u f kh ts ch sh shch . y . e yu ya i i ie g u j lj nj"
    " c dj dz").replace(".", "_").split(), strict=True))  # fmt: skip
_CYRILLIC_OTHER: Final = {
    "х": "h", "ц": "c", "щ": "sch", "ю": "iu", "я": "ia", "ы": "i", "ж": "j", "в": "w",
}  # fmt: skip
_HIRAGANA: Final = dict(zip(
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわをん",
    letters("a i u e o ka ki ku ke ko sa shi su se so ta chi tsu te to na ni nu ne no ha hi fu "
            "he ho ma mi mu me mo ya yu yo ra ri ru re ro wa o n"),
    strict=True))  # fmt: skip
_VOICED: Final = dict(zip(
    "がぎぐげござじずぜぞだぢづでどばびぶべぼぱぴぷぺぽ",
    letters("ga gi gu ge go za ji zu ze zo da ji zu de do ba bi bu be bo pa pi pu pe po"),
    strict=True))  # fmt: skip
_SMALL_Y: Final = {"ゃ": "a", "ゅ": "u", "ょ": "o"}
_HANGUL: Final = (
    letters("g kk n d tt r m b pp s ss _ j jj ch k t p h"),
    letters("a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i"),
    letters("_ k k k n n n t l k m l l l p l m p p t t ng t t k t p t"),
)
_HANGUL_BASE: Final = 0xAC00
_HANGUL_LAST: Final = 0xD7A3


def spellings(part: str) -> set[str]:
    """Return the folded spellings of one name part, the plain folded form among them."""
    plain = fold(part)
    found = {plain, plain.replace("'", "")}
    if not part.isascii():
        found |= _umlauts(part)
        found |= _romanised(plain, part)
    elif len(plain) > 4:  # noqa: PLR2004 - shorter names hold "ue" by nature (Sue)
        found.add(plain.replace("ue", "u").replace("oe", "o").replace("ae", "a"))
    found.discard("")
    return found


def _umlauts(part: str) -> set[str]:
    low = part.casefold()
    german = low.replace("ü", "ue").replace("ö", "oe").replace("ä", "ae")
    nordic = low.replace("å", "aa").replace("ø", "oe").replace("ö", "oe").replace("ä", "ae")
    return {fold(german), fold(nordic)}


def _romanised(plain: str, part: str) -> set[str]:
    first = plain[:1]
    if "α" <= first <= "ω":
        return _greek(plain)
    if "а" <= first <= "џ":
        return _cyrillic(part.casefold())
    if any("\u3041" <= char <= "\u30fe" or "\uff66" <= char <= "\uff9f" for char in part):
        return _kana(part)
    if _HANGUL_BASE <= ord(first or " ") <= _HANGUL_LAST:
        return {_hangul(plain)}
    return set()


def _greek(plain: str) -> set[str]:
    paired = plain
    for pair, latin in _GREEK_PAIRS.items():
        paired = paired.replace(pair, latin)
    one = "".join(_GREEK.get(char, char) for char in paired)
    other = {"η": "e", "υ": "u", "φ": "ph", "χ": "h", "β": "b"}
    two = "".join(other.get(char, _GREEK.get(char, char)) for char in paired)
    return {one, two, one.replace("ch", "h"), one.replace("f", "ph")}


def _cyrillic(low: str) -> set[str]:
    low = low.replace("ё", "е")
    ends = "ий", "ый"
    found = set()
    for base in (_CYRILLIC, {**_CYRILLIC, **_CYRILLIC_OTHER}):
        for short_i in ("y", "i", "j"):
            table = {**base, "й": short_i}
            found.add("".join(table.get(char, char) for char in low).replace("_", ""))
        if low.endswith(ends):
            found.add("".join(base.get(char, char) for char in low[:-2]).replace("_", "") + "y")
    return {fold(one) for one in found}


def _kana(part: str) -> set[str]:
    import unicodedata  # noqa: PLC0415 - start-up cost: kana names only

    wide = unicodedata.normalize("NFKC", part)
    kana = "".join(chr(ord(c) - 0x60) if "\u30a1" <= c <= "\u30f6" else c for c in wide)
    out = ""
    double = False
    for char in kana:
        if char == "っ":
            double = True
            continue
        if char in _SMALL_Y and out.endswith("i"):
            glide = "" if out.endswith(("shi", "chi", "ji")) else "y"
            out = out[:-1] + glide + _SMALL_Y[char]
            continue
        sound = _HIRAGANA.get(char) or _VOICED.get(char) or ("" if char == "ー" else char)
        out += sound[:1] + sound if double else sound
        double = False
    short = out.replace("ou", "o").replace("oo", "o").replace("uu", "u")
    return {fold(kana), out, short, short.replace("o", "oh") if short != out else out}


def _hangul(plain: str) -> str:
    out = ""
    for char in plain:
        code = ord(char) - _HANGUL_BASE
        if 0 <= code <= _HANGUL_LAST - _HANGUL_BASE:
            lead, rest = divmod(code, 588)
            out += _HANGUL[0][lead] + _HANGUL[1][rest // 28] + _HANGUL[2][rest % 28]
    return out.replace("_", "")
