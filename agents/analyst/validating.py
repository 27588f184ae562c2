"""An intent that a model wrote against what there is: its size, names and values."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pydantic import BaseModel

from agents.analyst.intent import By, Compares, CountOf, Intent, Is, MetricOf, Missing, Period
from agents.analyst.vocabulary import Vocabulary
from warehouse import Warehouse
from warehouse.errors import SemanticError, UnknownDimensionError, UnknownMetricError
from warehouse.names import nearest
from warehouse.semantic import SemanticLayer

# Deeper, or with more parts, than any question that somebody asks.
_DEEPEST, _PARTS = 24, 2_000
# Further away no calendar can step to the year before or after, nor does a warehouse keep such days.
_YEARS = range(1900, 2200)
_NEAR, _VALUES, _SHOWN = 5, 50, 20


def refusals(intent: Intent, names: Vocabulary, warehouse: Warehouse) -> Iterator[str]:
    """Why it cannot be what was asked, with what there is in its place."""
    if any(depth > _DEEPEST or number > _PARTS for number, (depth, _) in enumerate(_parts(intent))):
        yield f"the intent is too large: at most {_PARTS:,} parts, {_DEEPEST} in one another"
        return
    for _, part in _parts(intent):
        if isinstance(part, Period):
            years = [moment.year for moment in (part.start, part.end) if moment]
            yield from (
                f"the year {year} is none that there is data of" for year in years if year not in _YEARS
            )
        elif error := _unknown_name(part, names.semantic):
            yield str(error)
        elif isinstance(part, Is):
            yield from _unknown_values(part, names, warehouse)


def values_like(dimension: str, text: str, semantic: SemanticLayer, warehouse: Warehouse) -> list[str]:
    """The values of a dimension that have a text in them, the most frequent ones first."""
    values = semantic.values(dimension, warehouse)
    return [value for value in values if text.casefold() in value.casefold()][:_VALUES]


def _unknown_name(part: Any, semantic: SemanticLayer) -> SemanticError | None:
    things = {**semantic.dimensions, **semantic.entities}
    match part:
        case MetricOf(name=name):
            return _metric(name, semantic.metrics)
        case CountOf(of=of, among=among):
            return _thing(of, things) or (_metric(among, semantic.metrics) if among else None)
        case By(dimension=name) | Is(dimension=name) | Compares(dimension=name) | Missing(dimension=name):
            return _thing(name, things)
    return None


def _metric(name: str, known: Collection[str]) -> SemanticError | None:
    return None if name in known else UnknownMetricError(name, nearest(name, known, _NEAR))


def _thing(name: str, known: Collection[str]) -> SemanticError | None:
    return None if name in known else UnknownDimensionError(name, nearest(name, known, _NEAR))


def _unknown_values(condition: Is, names: Vocabulary, warehouse: Warehouse) -> Iterator[str]:
    dimension = condition.dimension
    known = names.semantic.dimensions.get(dimension)
    if known is None or known.type != "categorical":
        return
    for value in condition.values:
        if isinstance(value, str) and value not in names.spellings(dimension, value):
            near = nearest(value, values_like(dimension, "", names.semantic, warehouse), _SHOWN)
            tried = (values_like(dimension, text, names.semantic, warehouse)[:_SHOWN] for text in (value, ""))
            found = near or next(filter(None, tried), [])
            yield f"{dimension} has no value {value[:80]!r}; it has {', '.join(found) or 'none'}"


def _parts(node: Any, depth: int = 0) -> Iterator[tuple[int, Any]]:
    """An intent's parts with how deep each lies, an outer one before those in it."""
    if isinstance(node, BaseModel):
        yield depth, node
        for _, value in node:
            yield from _parts(value, depth + 1)
    elif isinstance(node, tuple):
        for one in node:
            yield from _parts(one, depth)
    else:
        yield depth, node
