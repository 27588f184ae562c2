"""Phrases of a project by the keys of their words, and the spans of a text that may be one."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence

from agents.analyst.grammar.chart import Phrase
from agents.analyst.grammar.text import Unit, written_as
from agents.analyst.grammar.words import INFLECTED, NAMES, plain, word

_LENT = "name:alike"
LONGEST = 16
"""In words, or in Chinese characters: what is longer is nobody's name for anything."""


class Phrases:
    """Phrase → category, meaning and features of each thing it may stand for, and how it is written."""

    def __init__(self) -> None:
        self._meanings: dict[str, dict[tuple[str, Hashable, tuple[str, ...]], set[str]]] = {}
        self._longest: dict[str, int] = {}

    def add(self, phrase: str, category: str, meaning: Hashable, *features: str) -> None:
        for found in written_as(phrase):
            path = [unit for unit in found if unit.text != "的"]
            if not path:
                continue
            known = self._meanings.setdefault(" ".join(unit.key for unit in path), {})
            self._longest[path[0].key] = max(len(path), self._longest.get(path[0].key, 0))
            written = " ".join(plain(unit.text) for unit in path)
            known.setdefault((category, meaning, features), set()).add(written)

    def meanings(self, path: Sequence[str], category: str, but_for: Collection[str] = ()) -> set[str]:
        """The names of all the things of a category that are called so, but for those by these features."""
        found = self._meanings.get(" ".join(path), ())
        return {
            name
            for one, meaning, features in found
            if one == category and not set(but_for) & set(features)
            for name in str(meaning).split("|")
        }

    def written(self) -> Iterator[str]:
        """Every phrase as it is written."""
        for meanings in self._meanings.values():
            for texts in meanings.values():
                yield from texts

    def match(self, text: Sequence[Unit], start: int) -> Iterator[Phrase]:
        for end, key, said in spans(text, start, self._longest.get(text[start].key, 0)):
            for (category, meaning, features), written in self._meanings.get(key, {}).items():
                bare = " ".join(map(plain, said.split(" ")))
                inflected = () if bare in written or category not in NAMES else (INFLECTED,)
                if inflected and end > start + 1 and _LENT in features:
                    # People order are no ordering customers.
                    continue
                yield word(category, start, end, meaning, *features, *inflected)


def spans(text: Sequence[Unit], start: int, longest: int) -> Iterator[tuple[int, str, str]]:
    """Each end of a phrase from `start` on, of so many words at most, the phrase's key and how it is written;
    的 within is no part.
    """
    keys: list[str] = []
    written: list[str] = []
    for position in range(start, min(len(text), start + LONGEST)):
        unit = text[position]
        if unit.text == "的":
            if position == start:
                return
            continue
        if len(keys) == longest:
            return
        keys.append(unit.key)
        written.append(unit.text)
        yield position + 1, " ".join(keys), " ".join(written)
