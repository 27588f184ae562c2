"""Other names of countries, languages and cities: in both languages, by code, by who lives there."""

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
    found: dict[str, Sequence[str]] = {one: names for one in values if (names := _cities().get(_plain(one)))}
    for kind in ("territories", "languages"):
        known = _codes(kind)
        codes = {value: code for value in looked_at if (code := known.get(_plain(value)))}
        if len(codes) > 1 and len(codes) >= _ENOUGH * len(looked_at):
            return {value: _names(kind, code) for value, code in codes.items()}
    return found


@cache
def _cities() -> Mapping[str, Sequence[str]]:
    """The cities that a time zone is called by, in the other language."""
    named = [Locale.parse(locale).time_zones for locale in _LOCALES[:2]]
    found: dict[str, list[str]] = {}
    for zone in named[1]:
        english = named[0].get(zone, {}).get("city") or str(zone).rpartition("/")[2].replace("_", " ")
        chinese = named[1][zone].get("city", "")
        if chinese:
            found.setdefault(_plain(english), []).append(chinese)
            found.setdefault(_plain(chinese), []).append(english)
    return found


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
