"""A project's own words: its metrics, dimensions and their values, and what a name may be at a metric."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from agents.analyst.grammar.text import fold
from agents.analyst.grammar.words import Lexicon
from warehouse.semantic import Dimension, SemanticLayer

Candidates = str
_BETWEEN = "|"


class Project:
    """The semantic layer as words. `values` are those of each categorical dimension."""

    def __init__(self, semantic: SemanticLayer, values: Mapping[str, Sequence[str]]) -> None:
        self.semantic = semantic
        self.lexicon = Lexicon()
        self._values: dict[str, dict[str, str]] = defaultdict(dict)
        for metric in semantic.metrics.values():
            own = (metric.name, metric.label, metric.label_zh, *metric.synonyms_en, *metric.synonyms_zh)
            for phrase in filter(None, own):
                self.lexicon.add(phrase, "metric", metric.name)
        called: dict[str, set[str]] = defaultdict(set)
        for name, dimension in semantic.dimensions.items():
            for phrase in _names(dimension):
                called[fold(phrase)].add(name)
        for phrase, names in called.items():
            self.lexicon.add(phrase, "dimension", _BETWEEN.join(sorted(names)))
        valued: dict[str, set[str]] = defaultdict(set)
        for name, known in values.items():
            dimension = semantic.dimensions[name]
            said = {value: (value, *dimension.value_synonyms.get(value, ())) for value in known}
            said |= {v: (v, *more) for v, more in dimension.value_synonyms.items()}
            for value, phrases in said.items():
                for phrase in phrases:
                    valued[fold(phrase)].add(name)
                    self._values[fold(phrase)][name] = value
        for phrase, names in valued.items():
            self.lexicon.add(phrase, "value", (_BETWEEN.join(sorted(names)), phrase))

    def value(self, dimension: str, said: str) -> str | None:
        return self._values.get(said, {}).get(dimension)

    def resolve(self, candidates: Candidates, metrics: Sequence[str]) -> list[str]:
        """The nearest dimensions among the candidates that all the metrics have."""
        common = self.semantic.common_dimensions(metrics)
        reachable = [name for name in candidates.split(_BETWEEN) if name in common]
        tables = {table for name in metrics for table in self.semantic.metrics[name].tables}
        own = [name for name in reachable if self.semantic.dimensions[name].table in tables]
        return own or reachable

    def kind(self, metric: str) -> str:
        unit = self.semantic.metrics[metric].unit
        return {"USD": "money", "count": "count", "ratio": "ratio"}.get(unit, "unknown")

    def averaged(self, metric: str) -> bool:
        return self.semantic.metrics[metric].additivity.kind == "none"

    def is_entity(self, name: str) -> bool:
        return name not in self.semantic.dimensions

    def has_entity(self, metric: str, candidates: str) -> bool:
        return False


def _names(dimension: Dimension) -> Iterable[str]:
    own = dimension.name.rpartition("__")[2]
    names = (own, dimension.label, dimension.label_zh, *dimension.synonyms_en, *dimension.synonyms_zh)
    return dict.fromkeys(filter(None, names))
