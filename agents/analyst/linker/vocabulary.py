"""The semantic layer's words: what metrics, dimensions and values are called in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rapidfuzz import process
from rapidfuzz.distance import Indel

from agents.analyst.grammar.text import Unit, fold, keys, language, units
from warehouse.semantic import Dimension, Metric

Kind = Literal["metric", "dimension", "value"]


@dataclass(frozen=True)
class Meaning:
    """What a phrase may stand for. `weak`: only a part of the name, believed when nothing else claims it."""

    kind: Kind
    name: str
    value: str = ""
    weak: bool = False


@dataclass
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    meanings: set[Meaning] = field(default_factory=set)


class Vocabulary:
    """Phrases → meanings, matched on units; 的 may stand between any two Chinese characters."""

    def __init__(self, metrics: Iterable[Metric], dimensions: Mapping[str, Dimension]) -> None:
        self._root = _Node()
        self.words: set[str] = set()
        self.spoken: set[str] = set()
        for metric in metrics:
            self._add_metric(metric, dimensions)
        for dimension in dimensions.values():
            self._add_dimension(dimension)

    def add_values(self, dimension: str, values: Iterable[str]) -> None:
        """Let the values of a dimension be named in questions."""
        for value in values:
            if value.strip() and not value.replace(".", "").isdigit():
                self._add(value, Meaning("value", dimension, value))

    def matches(self, text: Sequence[Unit], start: int) -> list[tuple[int, frozenset[Meaning]]]:
        """The phrases that begin at `start`: (end, meanings)."""
        found = []
        node, position = self._root, start
        while position < len(text):
            key = text[position].key
            if key not in node.children:
                if key == "的" and position > start and text[position - 1].chinese:
                    position += 1
                    continue
                break
            node = node.children[key]
            position += 1
            if node.meanings:
                found.append((position, frozenset(node.meanings)))
        return found

    def nearest_word(self, unit: Unit) -> str | None:
        """The vocabulary word that a misspelt English word must be, or None when none is clearly the one."""
        if unit.chinese or len(unit.text) < 5 or not unit.text.isalpha() or unit.text in self.words:
            return None
        alike = [
            word for word in self.words if word[0] == unit.text[0] and abs(len(word) - len(unit.text)) <= 1
        ]
        found = process.extract(
            unit.text, alike, scorer=Indel.normalized_similarity, score_cutoff=0.88, limit=2
        )
        if len(found) == 2 and found[0][1] == found[1][1]:
            return None
        return found[0][0] if found else None

    def _add_metric(self, metric: Metric, dimensions: Mapping[str, Dimension]) -> None:
        names = [metric.name, metric.label, metric.label_zh, *metric.synonyms_en, *metric.synonyms_zh]
        for phrase in names:
            self._add(phrase, Meaning("metric", metric.name), spell=True)
        for phrase in (metric.label_zh, *metric.synonyms_zh):
            # 订单数 is also said 订单, and 销售额 销售.
            ending = r"(?:次数|件数|数|量|额)$" if phrase == metric.label_zh else r"(?<!件)数$"
            bare = re.sub(ending, "", phrase)
            if len(bare) >= 2 and bare != phrase:
                self._add(bare, Meaning("metric", metric.name, weak=True))
        entities = {
            keys(word)
            for name in metric.dimensions
            if name in dimensions
            for word in _names(dimensions[name])
        }
        for phrase in names:
            path = keys(phrase)
            for entity in entities:
                if entity and path[: len(entity)] == entity and len(path) > len(entity):
                    self._insert(path[len(entity) :], Meaning("metric", metric.name, weak=True))

    def _add_dimension(self, dimension: Dimension) -> None:
        for phrase in _names(dimension):
            self._add(phrase, Meaning("dimension", dimension.name), spell=True)
        # What a refusal of `name`, which several entities have, tells apart.
        self._add(dimension.name.replace("__", " "), Meaning("dimension", dimension.name))
        entity, _, own = dimension.name.rpartition("__")
        first, _, rest = own.partition("_")
        if rest and first in entity.split("_"):
            self._add(rest, Meaning("dimension", dimension.name, weak=True))
        for value, synonyms in dimension.value_synonyms.items():
            for phrase in (value, *synonyms):
                self._add(phrase, Meaning("value", dimension.name, value))

    def _add(self, phrase: str, meaning: Meaning, spell: bool = False) -> None:
        self._insert(keys(phrase), meaning)
        self.spoken.add(fold(phrase))
        if spell and language(phrase) == "en":
            self.words |= {unit.text for unit in units(fold(phrase)) if len(unit.text) >= 5}

    def _insert(self, path: Sequence[str], meaning: Meaning) -> None:
        if not path:
            return
        node = self._root
        for key in path:
            node = node.children.setdefault(key, _Node())
        node.meanings.add(meaning)


def _names(dimension: Dimension) -> list[str]:
    own = dimension.name.rpartition("__")[2]
    return [own, dimension.label, dimension.label_zh, *dimension.synonyms_en, *dimension.synonyms_zh]
