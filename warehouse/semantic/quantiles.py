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


def sums_some(metric: PydanticMetric, dialect: str) -> bool:
    """Whether a metric sums an amount of some rows only: `case when paid then price else 0 end`."""
    params, expression = metric.type_params.metric_aggregation_params, metric.type_params.expr
    if params is None or params.agg is not AggregationType.SUM or expression is None:
        return False
    found = _choice(expression, dialect)
    if found is None:
        return False
    amounts = [one.args["true"] for one in found.args.get("ifs") or [found]]
    return not all(isinstance(amount, exp.Literal) for amount in amounts)


def _of_what_counts(expression: str | None, dialect: str) -> str | None:
    """A sum counts a row that it is not about as 0 (`case when paid then price else 0 end`); such a row has
    no value among those that a quantile is of.
    """
    found = _choice(expression, dialect) if expression else None
    if found is None:
        return expression
    found.set(_otherwise(found), exp.null())
    return found.sql(dialect)


def _choice(expression: str, dialect: str) -> exp.Case | exp.If | None:
    """An expression that is 0 for the rows that do not count."""
    try:
        tree = parse_one(expression, dialect=dialect)
    except SqlglotError:
        return None
    chooses = isinstance(tree, exp.Case | exp.If) and tree.args.get(_otherwise(tree)) == exp.Literal.number(0)
    return tree if chooses else None  # type: ignore[return-value]


def _otherwise(tree: exp.Expr) -> str:
    return "default" if isinstance(tree, exp.Case) else "false"
