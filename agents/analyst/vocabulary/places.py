"""Other names of values that are countries or languages: in both languages, by code, by who lives there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import yaml
from babel import Locale

from agents.analyst.grammar.text import fold, unaccented
from agents.analyst.vocabulary.names import FOLDER

# In which a column may be written; what is known of a value is said in the first two.
_LOCALES = ("en", "zh", "zh_Hant", "es", "pt", "fr", "de", "it", "nl", "ja", "ko", "pl", "tr", "sv", "ru")
_ENOUGH = 0.6
_LOOKED_AT = 200


def other_names(values: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """For each value that is one, where most of the values are countries, or most are languages."""
    looked_at = values[:_LOOKED_AT]
    for kind in ("territories", "languages"):
        known = _codes(kind)
        codes = {value: code for value in looked_at if (code := known.get(_plain(value)))}
        if len(codes) > 1 and len(codes) >= _ENOUGH * len(looked_at):
            return {value: _names(kind, code) for value, code in codes.items()}
    return {}


@cache
def _codes(kind: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for locale in _LOCALES:
        for code, name in getattr(Locale.parse(locale), kind).items():
            if code.isalpha():
                found.setdefault(_plain(name), code)
    for code in list(getattr(Locale.parse("en"), kind)):
        # In a column of yes and no the one is not Norway: most of the values have to be countries.
        if code.isalpha():
            found.setdefault(_plain(code), code)
    for code, names in _more().items() if kind == "territories" else ():
        for name in names:
            found.setdefault(_plain(name), code)
    return found


def _names(kind: str, code: str) -> Sequence[str]:
    names = [str(getattr(Locale.parse(locale), kind).get(code, "")) for locale in _LOCALES[:2]]
    return [name for name in (*names, *(_more().get(code, ()) if kind == "territories" else ())) if name]


@cache
def _more() -> Mapping[str, Sequence[str]]:
    loaded = yaml.load((FOLDER / "countries.yml").read_text("utf-8"), Loader=yaml.BaseLoader)
    return {str(code): tuple(names) for code, names in loaded.items()}


def _plain(text: str) -> str:
    return unaccented(fold(text)).strip()
