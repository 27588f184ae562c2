"""MetricFlow's SQL plans rendered for BigQuery.

MetricFlow's own renderer makes a DATETIME of each time, which BigQuery does not compare with a TIMESTAMP,
and has no exact percentiles. Here a day and what is coarser is a DATE, what is finer a TIMESTAMP, and a
percentile is what it is on the other engines.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.big_query import BigQuerySqlExpressionRenderer
from metricflow.sql.render.expr_renderer import SqlExpressionRenderResult
from metricflow.sql.sql_plan import SqlSelectColumn
from metricflow_semantic_interfaces.type_enums.time_granularity import TimeGranularity
from metricflow_semantics.sql.sql_exprs import (
    SqlAddTimeExpression,
    SqlDateTruncExpression,
    SqlExpressionNode,
    SqlPercentileExpression,
    SqlPercentileFunctionType,
    SqlSubtractTimeIntervalExpression,
)

from warehouse.bigquery.grains import start_of
from warehouse.bigquery.quantiles import continuous, discrete
from warehouse.dialect import Dialect
from warehouse.semantic import rendering
from warehouse.semantic.rendering import rendered

_FINER = ("hour", "minute", "second", "millisecond", "microsecond")


class _ExpressionRenderer(rendering.ExpressionRenderer, BigQuerySqlExpressionRenderer):
    @property
    def timestamp_data_type(self) -> str:
        return "TIMESTAMP"

    @property
    def supported_percentile_function_types(self) -> Collection[SqlPercentileFunctionType]:
        return tuple(SqlPercentileFunctionType)

    def render_group_by_expr(self, group_by_column: SqlSelectColumn) -> SqlExpressionRenderResult:
        # By its place: its name may be that of a column that is read, too.
        return rendered(str(self._columns.index(group_by_column.column_alias) + 1))

    def visit_date_trunc_expr(self, node: SqlDateTruncExpression) -> SqlExpressionRenderResult:
        arg = self.render_sql_expr(node.arg)
        return rendered(start_of(node.time_granularity.value, arg.sql), [arg])

    def visit_subtract_time_interval_expr(
        self, node: SqlSubtractTimeIntervalExpression
    ) -> SqlExpressionRenderResult:
        arg = self.render_sql_expr(node.arg)
        return rendered(_shifted(arg.sql, node.arg, "SUB", str(node.count), node.granularity), [arg])

    def visit_add_time_expr(self, node: SqlAddTimeExpression) -> SqlExpressionRenderResult:
        arg, count = self.render_sql_expr(node.arg), self.render_sql_expr(node.count_expr)
        return rendered(_shifted(arg.sql, node.arg, "ADD", f"({count.sql})", node.granularity), [arg, count])

    def visit_percentile_expr(self, node: SqlPercentileExpression) -> SqlExpressionRenderResult:
        arg = self.render_sql_expr(node.order_by_arg)
        level = Fraction(str(node.percentile_args.percentile))
        asked = node.percentile_args.function_type
        if asked is SqlPercentileFunctionType.CONTINUOUS:
            return rendered(continuous(level, arg.sql), [arg])
        if asked is SqlPercentileFunctionType.DISCRETE:
            return rendered(discrete(level, arg.sql), [arg])
        sql = f"APPROX_QUANTILES({arg.sql}, {level.denominator})[OFFSET({level.numerator})]"
        return rendered(sql, [arg])


def _shifted(moment: str, node: SqlExpressionNode, way: str, steps: str, grain: TimeGranularity) -> str:
    """A moment so many periods later, of its own type, which the grain at the end of its name tells."""
    column = node.as_column_reference_expression
    own = column.col_ref.column_name.rpartition("__")[2] if column else ""
    later = f"DATETIME_{way}(CAST({moment} AS DATETIME), INTERVAL {steps} {grain.value.upper()})"
    if own in _FINER:
        return f"CAST({later} AS TIMESTAMP)"
    return later if grain.value in _FINER else f"CAST({later} AS DATE)"


class MetricFlowClient(rendering.MetricFlowClient):
    """See `rendering`."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(SqlEngine.BIGQUERY, _ExpressionRenderer, dialect)
