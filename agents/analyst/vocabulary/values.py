"""The values of a project's categorical dimensions, found in a question's words.

An index is never changed: a new one is built beside it, so that readers need no lock.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from agents.analyst.grammar.chart import Phrase
from agents.analyst.grammar.text import Unit, fold, units, written_as
from agents.analyst.grammar.words import shipped, word
from agents.analyst.vocabulary.classes import class_words
from agents.analyst.vocabulary.names import chinese, spoken
from agents.analyst.vocabulary.phrases import LONGEST, spans
from agents.analyst.vocabulary.places import other_names
from warehouse.semantic import Dimension, SemanticLayer

BETWEEN = "|"
_FLAGS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("1", "0"), ("是", "否"), ("有", "无"))
_WHETHER = re.compile(
    r"^(?:is|has|was|are|had|does|did|can|flag)\b|\b(?:flag|\?)$|^(?:是否|有无|是不是)", re.IGNORECASE
)
# Of a column of no more values than that, a part of a name that no other has is known too: Okafor.
_FEW = 5_000


class Column(NamedTuple):
    """A column that one or more dimensions show: its values as they are written, and other words for them."""

    dimensions: tuple[str, ...]
    values: Sequence[str]
    synonyms: Mapping[str, Sequence[str]]


def columns(semantic: SemanticLayer, values: Mapping[str, Sequence[str]]) -> Iterator[Column]:
    """What is kept once, however many paths lead to it, with all that its values are called."""
    shown: dict[tuple[str, str], list[Dimension]] = defaultdict(list)
    for dimension in semantic.dimensions.values():
        if dimension.type == "categorical":
            shown[dimension.table, dimension.expression].append(dimension)
    alike = _alike(semantic.dimensions.values())
    for dimensions in shown.values():
        known = next((values[one.name] for one in dimensions if one.name in values), ())
        words: dict[str, list[str]] = defaultdict(list)
        for one in dimensions:
            for value, given in one.value_synonyms.items():
                words[value] += given
        for value in known:
            words[value] += alike.get(_written(units(fold(value))), ())
        for source in (other_names(known), flags(dimensions[0], known), class_words(dimensions, known)):
            for value, said in source.items():
                words[value] += said
        yield Column(
            tuple(one.name for one in dimensions),
            known,
            {value: said for value, said in words.items() if said},
        )


def flags(dimension: Dimension, values: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """What a yes and a no of a column that says whether something is so are called: paid and unpaid."""
    by_text = {value.lower(): value for value in values}
    pair = next((pair for pair in _FLAGS if set(by_text) <= set(pair)), None) if values else None
    if pair is None:
        return {}
    said: dict[str, list[str]] = defaultdict(list)
    for text in (spoken(dimension.name.rpartition("__")[2]), dimension.label, dimension.label_zh):
        bare = _WHETHER.sub("", text).strip()
        if not bare:
            continue
        own = [bare] if chinese(bare) else [bare, f"with {bare}"]
        others = [f"{no}{bare}" for no in ("未", "没", "没有", "不", "非", "无")]
        if not chinese(bare):
            others = [f"un{bare}", f"not {bare}", f"non {bare}", f"non{bare}", f"without {bare}"]
        said[pair[0]] += own
        said[pair[1]] += others
    return {by_text[end]: words for end, words in said.items() if end in by_text}


def _alike(dimensions: Iterable[Dimension]) -> Mapping[str, Sequence[str]]:
    """What a value of one column is called, by each of the names: Chicago is 芝加哥, of whatever it is."""
    found: dict[str, list[str]] = defaultdict(list)
    for dimension in dimensions:
        for value, words in dimension.value_synonyms.items():
            # Chicago is 芝加哥 whatever it is of, but women are not of each sex that is called so.
            own = _written(units(fold(value)))
            for one in (said for said in (value, *words) if _written(units(fold(said))) in own):
                found[_written(units(fold(one)))] += [other for other in (value, *words) if other != one]
    return found


class Values:
    """What is written in which columns, by how it is said."""

    def __init__(self, columns: Iterable[Column]) -> None:
        self._columns: list[tuple[str, ...]] = []
        # Column and spelling by turns, flat: of 100,000 values most are in one column, in one spelling.
        self._spelt: dict[str, tuple[int | str, ...]] = {}
        self._forms: dict[str, tuple[str, ...]] = {}
        self._parts: dict[str, tuple[str, ...]] = {}
        self._longest = 0
        for column in columns:
            at = len(self._columns)
            self._columns.append(column.dimensions)
            for value in column.values:
                self._add(value, at, value)
            for value, words in column.synonyms.items():
                for said in (value, *words):
                    self._add(said, at, value)
            if len(column.values) <= _FEW:
                self._add_parts(column.values)

    def __len__(self) -> int:
        return len(self._spelt)

    def match(self, text: Sequence[Unit], start: int) -> Iterator[Phrase]:
        for end, key, written in spans(text, start, self._longest):
            if written in self._spelt:
                yield self._phrase(start, end, written, text, "value:exact")
            else:
                alike = (key,) if key in self._spelt else ()
                for said in (*alike, *self._forms.get(key, ())):
                    yield self._phrase(start, end, said, text, "value:form")
                if not alike and key not in self._forms:
                    for said in self._parts.get(key, ()):
                        yield self._phrase(start, end, said, text, "value:part")

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
        for found in written_as(said):
            if 0 < len(found) <= LONGEST:
                self._add_units(found, column, value)

    def _add_units(self, found: Sequence[Unit], column: int, value: str) -> None:
        self._longest = max(self._longest, len(found))
        written = _written(found)
        known = self._spelt.get(written, ())
        if (column, value) not in zip(known[::2], known[1::2], strict=True):
            self._spelt[written] = (*known, column, value)
        key = " ".join(unit.key for unit in found if unit.text != "的")
        if key != written and written not in self._forms.get(key, ()):
            self._forms[key] = (*self._forms.get(key, ()), written)

    def _add_parts(self, values: Sequence[str]) -> None:
        """The words, and the beginnings, that only one of a column's values has."""
        found: dict[str, set[str]] = defaultdict(set)
        for value in values:
            said = [unit for unit in units(fold(value)) if unit.text != "的"]
            if 1 < len(said) <= LONGEST:
                for first, last in _parts(said):
                    found[" ".join(unit.key for unit in said[first:last])].add(_written(said))
        for key, of in found.items():
            if len(of) == 1:
                self._parts[key] = tuple(dict.fromkeys((*self._parts.get(key, ()), *of)))

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


def _parts(said: Sequence[Unit]) -> Iterator[tuple[int, int]]:
    """Of a name its beginnings of two words and more, and each longer word; none that is of the language."""
    own = [not any(one.end == 1 for one in shipped().match([unit], 0)) for unit in said]
    yield from ((0, end) for end in range(2, len(said)) if any(own[:end]))
    for at, unit in enumerate(said):
        if own[at] and not unit.chinese and unit.text.isalpha() and len(unit.text) > 3:
            yield at, at + 1
