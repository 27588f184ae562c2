"""A quantile of the single values that a metric sums or averages, as a metric of a manifest of its own."""

from __future__ import annotations

from metricflow_semantic_interfaces.implementations.elements.measure import (
    PydanticMeasureAggregationParameters,
)
from metricflow_semantic_interfaces.implementations.metric import PydanticMetric
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantic_interfaces.type_enums.aggregation_type import AggregationType
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from warehouse.errors import SemanticError

_OF_VALUES = ("sum", "average", "min", "max", "median", "percentile")


def with_quantile(
    manifest: PydanticSemanticManifest, name: str, level: float, aggregation: str, dialect: str
) -> PydanticSemanticManifest:
    """The manifest with nothing but that metric, which is a quantile under its own name; its `aggregation`
    is what the semantic layer calls it. Raises `SemanticError` for what counts or divides.
    """
    found = next(metric for metric in manifest.metrics if metric.name == name)
    if found.type_params.metric_aggregation_params is None or aggregation not in _OF_VALUES:
        raise SemanticError(
            f"{name} is not made of single values that one could take a quantile of. Ask for that of its "
            "figures in each day, or for each of something."
        )
    made: PydanticMetric = found.copy(deep=True)
    params = made.type_params.metric_aggregation_params
    assert params is not None
    params.agg = AggregationType.PERCENTILE
    params.agg_params = PydanticMeasureAggregationParameters(
        percentile=level, use_discrete_percentile=False, use_approximate_percentile=False
    )
    made.type_params.expr = _of_what_counts(made.type_params.expr, dialect)
    made.type_params.fill_nulls_with = None
    return manifest.copy(update={"metrics": [made], "saved_queries": []})


def _of_what_counts(expression: str | None, dialect: str) -> str | None:
    """A sum counts a row that it is not about as 0 (`case when paid then price else 0 end`); such a row has
    no value among those that a quantile is of.
    """
    if expression is None:
        return None
    try:
        tree = parse_one(expression, dialect=dialect)
    except SqlglotError:
        return expression
    otherwise = "default" if isinstance(tree, exp.Case) else "false"
    if isinstance(tree, exp.Case | exp.If) and tree.args.get(otherwise) == exp.Literal.number(0):
        tree.set(otherwise, exp.null())
    return tree.sql(dialect)
