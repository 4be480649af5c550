"""Gather the words of the pages, add new ones to each translation, and compile them.

Usage: python scripts/make_locale.py

Words that were translated stay; words that no page says any more go. English has entries only for
codes, such as names of roles, that read better in other words.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

WEB: Final = Path(__file__).resolve().parents[1] / "src" / "safelight" / "web"
LOCALE: Final = WEB / "locale"
LANGUAGES: Final = ("en", "de", "es")
NAME: Final = "safelight"
_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)  # a date that does not change the file
_OPTIONS: Final = {"**.html": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}}


def template() -> Catalog:
    """Return a catalog of every word that the templates say."""
    made = Catalog(
        project="Safelight",
        version="1",
        charset="utf-8",
        creation_date=_EPOCH,
        header_comment="# Words of Safelight's pages.",
        msgid_bugs_address="",
    )
    method_map = [("**.html", "jinja2.ext.babel_extract")]
    found = extract_from_dir(str(WEB / "templates"), method_map, options_map=_OPTIONS)
    for name, _line, message, _comments, context in sorted(found, key=lambda each: each[0]):
        made.add(message, None, [(name, 0)], context=context)
    return made


def translated(words: Catalog, language: str) -> Catalog:
    """Return a translation with exactly these words, those that were there kept."""
    path = LOCALE / language / "LC_MESSAGES" / f"{NAME}.po"
    before = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            before = read_po(file, locale=language)
    made = Catalog(
        locale=language,
        project="Safelight",
        version="1",
        charset="utf-8",
        creation_date=_EPOCH,
        revision_date=_EPOCH,
        last_translator="",
        language_team="",
        header_comment="# Words of Safelight's pages.",
    )
    for message in words:
        if not message.id:
            continue
        known = before.get(message.id, message.context)
        made.add(message.id, known.string if known else None, message.locations)
    return made


def said(made: Catalog) -> Catalog:
    """Return only what is translated: an empty plural would be shown as nothing."""
    known = Catalog(locale=made.locale, project="Safelight", version="1", charset="utf-8")
    known.creation_date = known.revision_date = _EPOCH
    for message in made:
        text = message.string
        if message.id and text and all([text] if isinstance(text, str) else text):
            known.add(message.id, text)
    return known


def main() -> None:
    """Write every file below ``locale``."""
    words = template()
    LOCALE.mkdir(exist_ok=True)
    with (LOCALE / f"{NAME}.pot").open("wb") as file:
        write_po(file, words, include_lineno=False, width=100, sort_output=True)
    for language in LANGUAGES:
        made = translated(words, language)
        folder = LOCALE / language / "LC_MESSAGES"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{NAME}.po").open("wb") as file:
            write_po(
                file, made, include_lineno=False, width=100, sort_output=True, no_location=True
            )
        with (folder / f"{NAME}.mo").open("wb") as file:
            write_mo(file, said(made))
        missing = len(made) - len(said(made))
        print(f"{language}: {len(made)} words, {missing} without a translation")


if __name__ == "__main__":
    main()
