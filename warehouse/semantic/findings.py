"""What `tidemark check` finds in a project's definitions, without asking the warehouse for figures."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import sqlglot
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantic_interfaces.implementations.semantic_model import PydanticSemanticModel
from sqlglot import exp

from warehouse.semantic.model import Dimension, Metric

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that goes wrong (error) or that answers are poorer for (warning), and what to do about it."""

    level: Level
    kind: str
    subject: str
    told: str


def collisions(metrics: Iterable[Metric], dimensions: Iterable[Dimension]) -> Iterator[Finding]:
    """Words that several things are called by: one finding a word."""
    owners: dict[str, dict[str, None]] = {}
    for one, owner in _owned(metrics, dimensions):
        words = (one.label, one.label_zh, *one.synonyms_en, *one.synonyms_zh)
        for word in (word for word in words if word):
            owners.setdefault(word.casefold(), {})[owner] = None
    for word, found in owners.items():
        if len(found) > 1:
            yield Finding(
                "warning",
                "same words",
                ", ".join(found),
                f"{len(found)} things are called {word!r}: a question that says no more asks back. Give them "
                "labels or synonyms that differ.",
            )


def _owned(
    metrics: Iterable[Metric], dimensions: Iterable[Dimension]
) -> Iterator[tuple[Metric | Dimension, str]]:
    for metric in metrics:
        yield metric, metric.name
    # The same column by another path is the same thing.
    seen: dict[tuple[str, str], str] = {}
    for dimension in dimensions:
        column = (dimension.table, dimension.name.rpartition("__")[2])
        yield dimension, seen.setdefault(column, f"{dimension.model}.{column[1]}")


def missing_units(metrics: Iterable[Metric]) -> Iterator[Finding]:
    """Metrics whose figures are written as plain numbers."""
    lacking = [metric.name for metric in metrics if not metric.unit]
    if lacking:
        yield Finding(
            "warning",
            "no unit",
            f"{len(lacking)} metrics",
            f"{', '.join(lacking)}: their figures are written as plain numbers. Say config.meta.unit or "
            "config.meta.currency, or draft an overlay (--write-overlay).",
        )


def unreachable(manifest: PydanticSemanticManifest, dimensions: Iterable[Dimension]) -> Iterator[Finding]:
    """Dimensions that are declared, and that no metric can be grouped or filtered by."""
    reached = {(one.model, one.name.rpartition("__")[2]) for one in dimensions}
    for model in manifest.semantic_models:
        for dimension in model.dimensions:
            if (model.name, dimension.name) not in reached:
                yield Finding(
                    "warning",
                    "out of reach",
                    f"{model.name}.{dimension.name}",
                    "No metric can be grouped by it: no metric is of this semantic model, and none that has "
                    "metrics names its entity as a foreign one.",
                )


def shadows(
    manifest: PydanticSemanticManifest, columns: Mapping[str, Collection[str]], dialect: str
) -> Iterator[Finding]:
    """Names of measures, metrics and dimensions that are a column of their table and mean something else."""
    for model in manifest.semantic_models:
        there = columns.get(table_of(model), ())
        for name, expression in _named(model, manifest):
            if name in there and _column(expression, dialect) != name:
                yield Finding(
                    "warning",
                    "shadows a column",
                    f"{model.name}.{name}",
                    f"{table_of(model)} has a column {name}, and this is {expression}: where a name is not "
                    "qualified, engines such as ClickHouse take the one for the other. Name it otherwise.",
                )


def table_of(model: PydanticSemanticModel) -> str:
    """A semantic model's table, qualified."""
    return f"{model.node_relation.schema_name}.{model.node_relation.alias}"


def _named(model: PydanticSemanticModel, manifest: PydanticSemanticManifest) -> Iterator[tuple[str, str]]:
    for one in (*model.measures, *model.dimensions):
        yield one.name, one.expr or one.name
    measures = {one.name: one.expr or one.name for one in model.measures}
    for metric in manifest.metrics:
        measure = metric.type_params.measure
        if measure is not None and measure.name in measures and metric.name not in measures:
            yield metric.name, measures[measure.name]


def _column(expression: str, dialect: str) -> str:
    """The column that an expression is, if it is no more than that."""
    try:
        tree = sqlglot.parse_one(expression, dialect=dialect)
    except sqlglot.errors.SqlglotError:
        return ""
    return tree.name if isinstance(tree, exp.Column) else ""
