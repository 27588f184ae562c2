"""The values of a project's categorical dimensions, found in a question's words.

An index is never changed: a new one is built beside it, so that readers need no lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from agents.analyst.grammar.chart import Phrase
from agents.analyst.grammar.text import Unit, fold, units
from agents.analyst.grammar.words import shipped, word
from agents.analyst.vocabulary.phrases import LONGEST, spans

BETWEEN = "|"


class Column(NamedTuple):
    """A column that one or more dimensions show: its values as they are written, and other words for them."""

    dimensions: tuple[str, ...]
    values: Sequence[str]
    synonyms: Mapping[str, Sequence[str]]


class Values:
    """What is written in which columns, by how it is said."""

    def __init__(self, columns: Iterable[Column]) -> None:
        self._columns: list[tuple[str, ...]] = []
        # Column and spelling by turns, flat: of 100,000 values most are in one column, in one spelling.
        self._spelt: dict[str, tuple[int | str, ...]] = {}
        self._forms: dict[str, tuple[str, ...]] = {}
        for column in columns:
            at = len(self._columns)
            self._columns.append(column.dimensions)
            for value in column.values:
                self._add(value, at, value)
            for value, words in column.synonyms.items():
                for said in (value, *words):
                    self._add(said, at, value)

    def __len__(self) -> int:
        return len(self._spelt)

    def match(self, text: Sequence[Unit], start: int) -> Iterator[Phrase]:
        for end, key, written in spans(text, start):
            if written in self._spelt:
                yield self._phrase(start, end, written, text, "value:exact")
            else:
                alike = (key,) if key in self._spelt else ()
                for said in (*alike, *self._forms.get(key, ())):
                    yield self._phrase(start, end, said, text, "value:form")

    def spellings(self, dimension: str, said: str) -> tuple[str, ...]:
        """How the warehouse writes a value; several where it writes it in more than one way."""
        found = self._spelt.get(said) or self._spelt.get(_written(units(fold(said))), ())
        return tuple(
            str(value)
            for at, value in zip(found[::2], found[1::2], strict=True)
            if dimension in self._columns[int(at)]
        )

    def words(self) -> Iterator[str]:
        """Every value as it is said."""
        return iter(self._spelt)

    def _add(self, said: str, column: int, value: str) -> None:
        found = units(fold(said))
        if not found or len(found) > LONGEST:
            return
        written = _written(found)
        known = self._spelt.get(written, ())
        if (column, value) not in zip(known[::2], known[1::2], strict=True):
            self._spelt[written] = (*known, column, value)
        key = " ".join(unit.key for unit in found if unit.text != "的")
        if key != written and written not in self._forms.get(key, ()):
            self._forms[key] = (*self._forms.get(key, ()), written)

    def _phrase(self, start: int, end: int, said: str, text: Sequence[Unit], *features: str) -> Phrase:
        found = self._spelt[said]
        names = dict.fromkeys(name for at in found[::2] for name in self._columns[int(at)])
        # "Active" and "Plus" are words of the language too, 3 is a number and A an article.
        if any(one.end == end for one in shipped().match(text, start)):
            features = (*features, "value:word")
        if said.replace(".", "").isdigit():
            features = (*features, "value:number")
        elif len(said) == 1:
            features = (*features, "value:letter")
        return word("value", start, end, (BETWEEN.join(sorted(names)), said), *features)


def _written(found: Sequence[Unit]) -> str:
    return " ".join(unit.text for unit in found if unit.text != "的")
