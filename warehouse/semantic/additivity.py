"""Which metrics add up, read from their definitions: aggregation, non-additive dimension, type, expression.

Unproven means none: a sum that is not the figure of the whole is a wrong figure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import sqlglot
from metricflow_semantic_interfaces.implementations.metric import PydanticMetric, PydanticMetricInput
from metricflow_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from metricflow_semantic_interfaces.type_enums.aggregation_type import AggregationType
from metricflow_semantic_interfaces.type_enums.metric_type import MetricType
from sqlglot import exp

from warehouse.semantic.model import METRIC_TIME, Additivity

ADDITIVE, DISTINCT, NONE = Additivity("additive"), Additivity("distinct"), Additivity("none")
_SUMS = {AggregationType.SUM, AggregationType.SUM_BOOLEAN, AggregationType.COUNT}
_COUNTS = {*_SUMS, AggregationType.COUNT_DISTINCT}
_LINEAR = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Paren)


class Additivities:
    """The additivity of each metric of a manifest, and whether it is 0 where there are no rows.

    `paths` are the qualified names of a time dimension by (semantic model, element); `dialect` is sqlglot's
    name of what the expressions are written in.
    """

    def __init__(
        self,
        manifest: PydanticSemanticManifest,
        paths: Mapping[tuple[str, str], Collection[str]],
        dialect: str,
    ) -> None:
        self._dialect = dialect
        self._metrics = {metric.name: metric for metric in manifest.metrics}
        self._paths = paths
        self._default_times = {
            model.name: model.defaults.agg_time_dimension if model.defaults else None
            for model in manifest.semantic_models
        }

    def of(self, name: str) -> Additivity:
        metric = self._metrics[name]
        if metric.type is MetricType.SIMPLE:
            return self._simple(metric)
        if metric.type is MetricType.CUMULATIVE:
            base = self._running(metric)
            return _over_no_time(self.of(base), self._times(base)) if base else NONE
        if metric.type is MetricType.DERIVED:
            return self._derived(metric)
        # A ratio of the whole is not the sum of the parts' ratios; nor are conversions, each counted once.
        return NONE

    def is_zero_without_rows(self, name: str) -> bool:
        """Whether nothing there means 0 and not unknown: sums, counts, their running totals; never a level,
        which is unknown where nobody took stock.
        """
        metric = self._metrics[name]
        if metric.type is MetricType.CUMULATIVE:
            base = self._running(metric)
            return bool(base) and self.is_zero_without_rows(base)
        if metric.type is MetricType.DERIVED:
            found = _linear_inputs(metric, self._dialect)
            filled = {one.alias or one.name for one in metric.input_metrics if self._is_filled(one)}
            return found is not None and found <= filled
        aggregation = metric.type_params.metric_aggregation_params
        if aggregation is None or aggregation.non_additive_dimension or metric.type_params.fill_nulls_with:
            return False
        return aggregation.agg in _COUNTS

    def _simple(self, metric: PydanticMetric) -> Additivity:
        aggregation = metric.type_params.metric_aggregation_params
        if aggregation is None:
            return NONE
        if aggregation.agg is AggregationType.COUNT_DISTINCT:
            return DISTINCT
        # What is filled with another number than 0 gains that number with each part.
        if aggregation.agg not in _SUMS or metric.type_params.fill_nulls_with:
            return NONE
        if aggregation.non_additive_dimension is None:
            return ADDITIVE
        level = (aggregation.semantic_model, aggregation.non_additive_dimension.name)
        return _over_no_time(ADDITIVE, self._paths.get(level, ()))

    def _derived(self, metric: PydanticMetric) -> Additivity:
        used = _linear_inputs(metric, self._dialect)
        if used is None:
            return NONE
        parts = []
        for one in metric.input_metrics:
            if (one.alias or one.name) in used:
                part = self.of(one.name)
                # Shifted in time, the months' figures are those of other months.
                shifted = one.offset_window or one.offset_to_grain
                parts.append(_over_no_time(part, self._times(one.name)) if shifted else part)
        return _weakest(parts)

    def _is_filled(self, one: PydanticMetricInput) -> bool:
        """Whether an input is 0 too in a group where only the other inputs have rows."""
        shifted = one.offset_window or one.offset_to_grain
        filled = self._metrics[one.name].type_params.fill_nulls_with == 0
        return filled and not shifted and self.is_zero_without_rows(one.name)

    def _running(self, metric: PydanticMetric) -> str:
        """The metric that a cumulative one accumulates."""
        cumulative = metric.type_params.cumulative_type_params
        return cumulative.metric.name if cumulative and cumulative.metric else ""

    def _times(self, name: str) -> Iterable[str]:
        """The names of the time that a metric is kept by, in any model that it is computed from."""
        metric = self._metrics[name]
        aggregation = metric.type_params.metric_aggregation_params
        if aggregation is None:
            inputs = [one.name for one in metric.input_metrics] or [self._running(metric)]
            return [time for one in inputs if one for time in self._times(one)]
        model = aggregation.semantic_model
        time = aggregation.agg_time_dimension or self._default_times[model]
        return self._paths.get((model, time or ""), ())


def _over_no_time(additivity: Additivity, times: Iterable[str]) -> Additivity:
    if additivity.kind not in ("additive", "semi-additive"):
        return additivity
    never = dict.fromkeys((METRIC_TIME, *additivity.never_over, *times))
    return Additivity("semi-additive", tuple(never))


def _weakest(parts: list[Additivity]) -> Additivity:
    """What can be said of a sum of parts: no more than of the weakest of them."""
    if any(part.kind == "none" for part in parts) or not parts:
        return NONE
    if any(part.kind == "distinct" for part in parts):
        return DISTINCT
    never = dict.fromkeys(time for part in parts for time in part.never_over)
    return Additivity("semi-additive", tuple(never)) if never else ADDITIVE


def _linear_inputs(metric: PydanticMetric, dialect: str) -> set[str] | None:
    """The inputs that a derived metric adds, subtracts or scales; None when its expression does more."""
    try:
        expression = sqlglot.parse_one(metric.type_params.expr or "", dialect=dialect)
    except sqlglot.errors.SqlglotError:
        return None
    names = {one.alias or one.name for one in metric.input_metrics}
    found: set[str] = set()
    return found if _is_linear(expression, names, found) else None


def _is_linear(node: exp.Expr, names: set[str], found: set[str]) -> bool:
    if isinstance(node, exp.Column):
        found.add(node.name)
        return node.name in names and not node.table
    if isinstance(node, exp.Paren | exp.Neg):
        return _is_linear(node.this, names, found)
    if isinstance(node, exp.Add | exp.Sub):
        return _is_linear(node.left, names, found) and _is_linear(node.right, names, found)
    if isinstance(node, exp.Mul) and _is_constant(node.left):
        return _is_linear(node.right, names, found)
    if isinstance(node, exp.Mul | exp.Div) and _is_constant(node.right):
        return _is_linear(node.left, names, found)
    return False


def _is_constant(node: exp.Expr) -> bool:
    return all(
        isinstance(one, _LINEAR) or (isinstance(one, exp.Literal) and not one.is_string)
        for one in node.walk()
    )
