"""MetricFlow's SQL plans rendered for ClickHouse, an engine that MetricFlow does not know.

The expressions derive from DuckDB's, the nearest known dialect, and the engine type stays DuckDB's because
MetricFlow only asks it which granularities exist. What matters for correct numbers: casts must keep NULL, an
aggregate over no rows must be NULL and not 0 or 1970-01-01, and a day is a Date as a week is.
The SQL needs `join_use_nulls = 1`, which the client sets on every query.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlExpressionRenderer
from metricflow.sql.render.expr_renderer import SqlExpressionRenderResult
from metricflow_semantic_interfaces.type_enums.date_part import DatePart
from metricflow_semantics.sql.sql_exprs import (
    SqlAggregateFunctionExpression,
    SqlDateTruncExpression,
    SqlExtractExpression,
    SqlFunction,
    SqlPercentileExpression,
    SqlPercentileFunctionType,
)

from warehouse.clickhouse.grains import start_of
from warehouse.dialect import Dialect
from warehouse.semantic import rendering
from warehouse.semantic.rendering import rendered

_EXTRACT = {
    DatePart.YEAR: "toYear",
    DatePart.QUARTER: "toQuarter",
    DatePart.MONTH: "toMonth",
    DatePart.DAY: "toDayOfMonth",
    DatePart.DOW: "toDayOfWeek",
    DatePart.DOY: "toDayOfYear",
}
_NULL_WHEN_EMPTY = {
    SqlFunction.AVERAGE: "avgOrNull",
    SqlFunction.MAX: "maxOrNull",
    SqlFunction.MIN: "minOrNull",
}
_QUANTILE = {
    SqlPercentileFunctionType.CONTINUOUS: "quantileExactInclusiveOrNull",
    SqlPercentileFunctionType.APPROXIMATE_CONTINUOUS: "quantileTDigestOrNull",
}


class _ExpressionRenderer(rendering.ExpressionRenderer, DuckDbSqlExpressionRenderer):
    @property
    def double_data_type(self) -> str:
        return "Nullable(Float64)"

    @property
    def timestamp_data_type(self) -> str:
        return "Nullable(DateTime64(6, 'UTC'))"

    @property
    def supported_percentile_function_types(self) -> Collection[SqlPercentileFunctionType]:
        return (*_QUANTILE, SqlPercentileFunctionType.DISCRETE)

    def visit_date_trunc_expr(self, node: SqlDateTruncExpression) -> SqlExpressionRenderResult:
        arg = self.render_sql_expr(node.arg)
        return rendered(start_of(node.time_granularity.value, arg.sql), [arg])

    def visit_extract_expr(self, node: SqlExtractExpression) -> SqlExpressionRenderResult:
        arg = self.render_sql_expr(node.arg)
        return rendered(f"{_EXTRACT[node.date_part]}({arg.sql})", [arg])

    def visit_function_expr(self, node: SqlAggregateFunctionExpression) -> SqlExpressionRenderResult:
        function = _NULL_WHEN_EMPTY.get(node.sql_function)
        if function is None:
            return super().visit_function_expr(node)
        args = [self.render_sql_expr(arg) for arg in node.sql_function_args]
        return rendered(f"{function}({', '.join(arg.sql for arg in args)})", args)

    def visit_percentile_expr(self, node: SqlPercentileExpression) -> SqlExpressionRenderResult:
        arg = self.render_sql_expr(node.order_by_arg)
        level = node.percentile_args.percentile
        function = _QUANTILE.get(node.percentile_args.function_type)
        sql = f"{function}({level})(toFloat64({arg.sql}))" if function else _discrete(level, arg.sql)
        return rendered(sql, [arg])


def _discrete(level: float, arg: str) -> str:
    """PERCENTILE_DISC; ClickHouse's own exact quantiles are one position off when level * n is whole."""
    part = Fraction(str(level))
    position = f"intDiv(count({arg}) * {part.numerator} + {part.denominator - 1}, {part.denominator})"
    return f"if(count({arg}) = 0, NULL, arraySort(groupArray({arg}))[greatest(1, {position})])"


class MetricFlowClient(rendering.MetricFlowClient):
    """See `rendering`."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(SqlEngine.DUCKDB, _ExpressionRenderer, dialect)
