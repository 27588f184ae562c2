"""Which of the things that one word may name the metrics have, and how far each is from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from warehouse.semantic import Metric, SemanticLayer

BETWEEN = "|"
# The readings of a question ask for the same few things again and again.
_KEPT = 4_096


@dataclass(frozen=True)
class Choice:
    """A dimension or entity. `distance` is the number of joins on the way, 0 in the metrics' own tables;
    what `fans_out` cannot be had: joined to it, rows would be counted more than once.
    """

    name: str
    distance: int
    fans_out: bool = False


class Reach:
    def __init__(self, semantic: SemanticLayer) -> None:
        self._semantic = semantic
        self._resolved = lru_cache(maxsize=_KEPT)(self._resolve)

    def resolve(self, candidates: str, metrics: Sequence[str]) -> list[Choice]:
        """What all the metrics have, the nearest first; where they have none, what would fan out."""
        return [*self._resolved(candidates, tuple(metrics))]

    def _resolve(self, candidates: str, metrics: tuple[str, ...]) -> list[Choice]:
        asked = [self._semantic.metrics[name] for name in metrics]
        reached: list[Choice] = []
        fanned: list[Choice] = []
        for name in dict.fromkeys(candidates.split(BETWEEN)):
            distances = [self._distance(name, metric) for metric in asked]
            if all(one is not None for one in distances):
                reached.append(Choice(name, max((one for one in distances if one is not None), default=0)))
            elif all(self._fans_out(name, metric) for metric in asked):
                fanned.append(Choice(name, 0, fans_out=True))
        return self._distinct(sorted(reached, key=lambda one: (one.distance, one.name))) or fanned

    def same(self, one: str, other: str, metric: str) -> bool:
        """Whether both are one column of the metric's own rows."""
        return len(self.resolve(f"{one}{BETWEEN}{other}", [metric])) == 1

    def has_entity(self, metric: str, candidates: str) -> bool:
        """Whether each row of a metric is of one such thing."""
        found = self._semantic.metrics[metric]
        return any(self._distance(name, found) is not None for name in candidates.split(BETWEEN))

    def has_several(self, entity: str, dimension: str) -> bool:
        """Whether one thing may be of several of a dimension's values: customers buy of many categories, and
        each is of one country.
        """
        known = self._semantic.entities
        keyed = set(known[entity].keyed) if entity in known else set()
        first = dimension.split("__")[0]
        own = first == entity or (first in known and keyed & set(known[first].tables))
        return bool(keyed) and not own and self._semantic.dimensions[dimension].table not in keyed

    def _distance(self, name: str, metric: Metric) -> int | None:
        if name in self._semantic.entities:
            return self._entity_distance(name, metric)
        if name not in metric.dimensions:
            return None
        path = name.split("__")[:-1]
        dimension = self._semantic.dimensions[name]
        return 0 if len(path) == 1 and dimension.table in metric.tables else len(path)

    def _entity_distance(self, name: str, metric: Metric) -> int | None:
        """Over how many joins to the one side each of the metric's tables leads to the entity."""
        farthest = 0
        for table in metric.tables:
            seen = {table}
            front, joins = {table}, 0
            while not any(one in self._semantic.entities[name].tables for one in front):
                front = {
                    next_
                    for entity in self._semantic.entities.values()
                    if any(one in entity.tables for one in front)
                    for next_ in entity.keyed
                } - seen
                seen |= front
                joins += 1
                if not front:
                    return None
            farthest = max(farthest, joins)
        return farthest

    def _fans_out(self, name: str, metric: Metric) -> bool:
        """Whether the thing's rows name an entity that a row of the metric has many of."""
        if name in self._semantic.entities:
            tables = set(self._semantic.entities[name].tables)
        else:
            tables = set(self._tables(name))
        own = set(metric.tables)
        return any(
            own & set(entity.keyed) and tables & set(entity.tables)
            for entity in self._semantic.entities.values()
        ) or any(
            own & set(entity.tables) and tables & set(entity.tables) - set(entity.keyed)
            for entity in self._semantic.entities.values()
        )

    def _tables(self, dimension: str) -> Iterable[str]:
        """The tables on the way to a dimension."""
        yield self._semantic.dimensions[dimension].table
        for entity in dimension.split("__")[:-1]:
            if entity in self._semantic.entities:
                yield from self._semantic.entities[entity].keyed

    def _distinct(self, choices: Sequence[Choice]) -> list[Choice]:
        """In the metrics' own tables a column is one thing, by whatever key its rows are named."""
        found: dict[tuple[str, str], Choice] = {}
        for one in choices:
            dimension = self._semantic.dimensions.get(one.name)
            own = dimension is not None and one.distance == 0
            key = (dimension.table, dimension.expression) if dimension and own else ("", one.name)
            found.setdefault(key, one)
        return list(found.values())
