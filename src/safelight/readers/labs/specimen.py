"""In what a test was measured: blood, something else, or nothing is said of it.

One test for all that a report says around a result: panel, heading, order, specimen, names. Stems
of the languages that are read, since German writes ``Harnsediment`` and ``Sammelurin`` as one word.
"""

import re
import unicodedata
from typing import Final

__all__ = ["BLOOD", "HEADINGS", "blood", "cell_free", "elsewhere", "name_key", "turns_to_blood"]

_CELL_FREE: Final = {
    *("serum", "plasma", "suero", "serpl", "ser", "plas", "plasm", "ppp", "prp", "sst"),
}
# Words that say "in blood", which is what every analyte here is measured in.
BLOOD: Final = _CELL_FREE | {
    *("blood", "blut", "sang", "sangre", "vollblut", "wb", "wblood", "bld", "bldv", "bldc", "blda"),
    *("venous", "venoes", "venos", "venoso", "veineux", "capillary", "whole", "edta", "citrate"),
    *("citrat", "heparin", "heparinized", "ser/plas"),
}
_BLOOD_CODES: Final = {  # SNOMED CT: blood, serum, plasma, venous, capillary, arterial, whole blood
    *("119297000", "119364003", "119361006", "122555007", "122554006", "122552005", "258580003"),
}
# Words that say that it was measured in something else, so that it is not ours.
# These are spared by de-identification where they stand alone (scripts/make_lab_words.py).
HEADINGS: Final = {
    *("urine", "urinaire", "urinario", "urinaria", "orina", "urines", "sammelurin", "spoturin"),
    *("liquor", "stool", "stuhl", "selles", "heces", "saliva", "speichel", "ascites", "aszites"),
    *("pleural", "pleura", "punktat", "fluid", "synovial", "sweat", "schweiss", "semen"),
    *("ejakulat", "dialysate", "dialysat", "cerebrospinal", "faeces", "feces", "urinstatus"),
    *("urinalysis", "amniotic", "gastric", "drain", "peritoneal"),
}
_WORDS: Final = HEADINGS | {
    *("ur", "u", "uro", "24h", "24hr", "csf", "lcr", "lcs", "fluids"),
    *("sueur", "bal", "cord", "cordon", "sediment", "sedimento", "miction"),
    *("dipstick", "stix", "combur", "bandelette", "milk", "lait", "leche", "bile", "galle"),
    *("bilis", "hair", "haar", "haare", "cheveux", "cabello", "tears", "pus", "eiter", "vitreous"),
    *("marrow", "moelle", "medula", "kot", "aspirate", "aspirat", "nails", "urn", "msu", "csu"),
    # SNOMED CT: urine, midstream and of 24 hours, spinal fluid, stool, saliva, sputum
    *("122575003", "258574006", "276833005", "258450006", "119339001", "119342007", "119334006"),
}
_PANELS: Final = {"ua"}  # urinalysis as the name of a panel; as that of a test, uric acid
_INSIDE: Final = (
    *("urin", "orina", "stuhl", "speichel", "schweiss", "punktat", "flussigkeit", "fluessigkeit"),
    *("ejakulat", "sekret", "streifen", "rebrospin", "rebro spin", "knochenmark", "nabelschnur"),
    *("muttermilch", "magensaft", "fruchtwasser", "abstrich", "dialysat", "24356 8", "24357 6"),
)
_BEGIN: Final = (
    *("liquor", "stool", "feca", "fece", "faec", "saliv", "sweat", "sudor", "ascit", "aszit"),
    *("pleur", "punctat", "synov", "sperm", "semen", "seminal", "ejacul", "cephalorach", "rachid"),
    *("lumbal", "spinal", "bronch", "lavage", "sputum", "esput", "expector", "auswurf", "trache"),
    *("umbilic", "amni", "gastric", "drain", "periton", "pericard", "perikard", "biops", "tissue"),
    *("gewebe", "tejido", "swab", "hisop", "exudat", "exsudat", "transsud", "transud", "mecon"),
    *("mekon", "coprol", "koprol", "coprocult", "diures", "liquid", "secretion"),
)
_END: Final = ("uria", "urie", "uries")  # Glukosurie
_NOT_URINE: Final = re.compile(r"harn(?:stoff|saure|saeure|isch)")
_NOT_LETTER_U: Final = re.compile(  # U&E is a panel in blood, U/L a unit
    r"\bu\s*(?:&|/|and|und|et|y|,)\s*e\W?s?\b|\bk?u\s*/\s*[mdµ]?l\b", re.IGNORECASE
)
_DAY: Final = re.compile(r"\b24 (?:h|hr|hrs|hours?|std|stunden|heures|horas)\b")
# Headings of what is never measured in urine; chemistry and electrolytes may be.
_ONLY_BLOOD: Final = (
    *("hamatolog", "haematolog", "hematolog", "hamogram", "hemogram", "gerinnung", "coagul"),
    *("koagul", "hemosta", "hamosta", "blutbild", "blutgas", "differentialblut", "schilddrus"),
    *("thyroid", "tiroid", "serolog"),
)


def name_key(text: str) -> str:
    """Return a name without case, accents and punctuation, words parted by single spaces."""
    plain = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss"))
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9+]+", plain.replace("\u03b3", "gamma")))


def elsewhere(text: str, *, panel: bool = False) -> bool:
    """Tell whether a text says urine, stool, spinal fluid, or anything else that is not blood.

    Args:
        text: A name, a specimen, a heading, a panel.
        panel: It is no name of a test, so that ``UA`` is urinalysis and not uric acid.
    """
    key = name_key(_NOT_LETTER_U.sub(" ", text))
    if not key:
        return False
    words = set(key.split())
    if words & _WORDS or (panel and words & _PANELS) or _DAY.search(key):
        return True
    bare = _NOT_URINE.sub("", key)
    if "harn" in bare or any(stem in key for stem in _INSIDE):
        return True
    return any(word.startswith(_BEGIN) or word.endswith(_END) for word in words)


def blood(text: str) -> bool | None:
    """Tell whether a specimen is blood, serum or plasma; None where that is not said."""
    if elsewhere(text, panel=True):
        return False
    words = name_key(text).split()
    said = any(w in BLOOD or w in _BLOOD_CODES or w.endswith("blut") for w in words)
    return True if said else None


def cell_free(text: str) -> bool:
    """Tell whether a text says serum or plasma and nothing of whole blood."""
    words = set(name_key(text).split()) | ({"plasma"} if "119361006" in text else set())
    words |= {"serum"} if "119364003" in text else set()
    return bool(words & _CELL_FREE) and not any(
        word in BLOOD - _CELL_FREE or word.endswith("blut") for word in words
    )


def turns_to_blood(heading: str) -> bool:
    """Tell whether a heading ends a part of a report that is about another specimen."""
    if elsewhere(heading, panel=True):
        return False
    words = name_key(heading).split()
    return bool(blood(heading)) or any(word.startswith(_ONLY_BLOOD) for word in words)
