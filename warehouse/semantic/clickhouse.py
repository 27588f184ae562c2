"""MetricFlow's SQL plans rendered for ClickHouse, an engine that MetricFlow does not know.

The renderers derive from DuckDB's, the nearest known dialect, and the engine type stays DuckDB's because
MetricFlow only asks it which granularities exist. Three differences matter for correct numbers: casts must
keep NULL, an aggregate over no rows must be NULL and not 0 or 1970-01-01, and a day is a Date as a week is.
The SQL needs `join_use_nulls = 1`, which `warehouse.clickhouse` sets on every query.
"""

from __future__ import annotations

from collections.abc import Collection

from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlExpressionRenderer, DuckDbSqlPlanRenderer
from metricflow.sql.render.expr_renderer import SqlExpressionRenderer, SqlExpressionRenderResult
from metricflow.sql.render.sql_plan_renderer import SqlPlanRenderer, SqlPlanRenderResult
from metricflow_semantic_interfaces.type_enums.date_part import DatePart
from metricflow_semantic_interfaces.type_enums.time_granularity import TimeGranularity
from metricflow_semantics.sql.sql_bind_parameters import SqlBindParameterSet
from metricflow_semantics.sql.sql_exprs import (
    SqlAggregateFunctionExpression,
    SqlDateTruncExpression,
    SqlExtractExpression,
    SqlFunction,
    SqlGenerateUuidExpression,
    SqlPercentileExpression,
    SqlPercentileFunctionType,
)

_TRUNCATE = {
    TimeGranularity.YEAR: "toStartOfYear",
    TimeGranularity.QUARTER: "toStartOfQuarter",
    TimeGranularity.MONTH: "toStartOfMonth",
    TimeGranularity.WEEK: "toMonday",
    TimeGranularity.DAY: "toDate",
}
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


class _ExpressionRenderer(DuckDbSqlExpressionRenderer):
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
        function = _TRUNCATE.get(node.time_granularity)
        sql = (
            f"{function}({arg.sql})"
            if function
            else f"toStartOfInterval({arg.sql}, INTERVAL 1 {node.time_granularity.value})"
        )
        return SqlExpressionRenderResult(sql=sql, bind_parameter_set=arg.bind_parameter_set)

    def visit_extract_expr(self, node: SqlExtractExpression) -> SqlExpressionRenderResult:
        arg = self.render_sql_expr(node.arg)
        return SqlExpressionRenderResult(
            sql=f"{_EXTRACT[node.date_part]}({arg.sql})", bind_parameter_set=arg.bind_parameter_set
        )

    def visit_function_expr(self, node: SqlAggregateFunctionExpression) -> SqlExpressionRenderResult:
        function = _NULL_WHEN_EMPTY.get(node.sql_function)
        if function is None:
            return super().visit_function_expr(node)
        args = [self.render_sql_expr(arg) for arg in node.sql_function_args]
        return SqlExpressionRenderResult(
            sql=f"{function}({', '.join(arg.sql for arg in args)})",
            bind_parameter_set=SqlBindParameterSet.merge_iterable([arg.bind_parameter_set for arg in args]),
        )

    def visit_percentile_expr(self, node: SqlPercentileExpression) -> SqlExpressionRenderResult:
        arg = self.render_sql_expr(node.order_by_arg)
        level = node.percentile_args.percentile
        function = _QUANTILE.get(node.percentile_args.function_type)
        # ClickHouse's own exact quantiles are one position off PERCENTILE_DISC when level * n is whole.
        sql = (
            f"{function}({level})({arg.sql})"
            if function
            else f"arraySort(groupArray({arg.sql}))[greatest(1, toUInt64(ceil({level} * count({arg.sql}))))]"
        )
        return SqlExpressionRenderResult(sql=sql, bind_parameter_set=arg.bind_parameter_set)

    def visit_generate_uuid_expr(self, node: SqlGenerateUuidExpression) -> SqlExpressionRenderResult:
        return SqlExpressionRenderResult(sql="generateUUIDv4()", bind_parameter_set=SqlBindParameterSet())


class _PlanRenderer(DuckDbSqlPlanRenderer):
    EXPR_RENDERER = _ExpressionRenderer()

    @property
    def expr_renderer(self) -> SqlExpressionRenderer:
        return self.EXPR_RENDERER

    def _render_description_section(self, description: str) -> SqlPlanRenderResult | None:
        # The plan's own notes name internal nodes; a reader of the SQL learns nothing from them.
        return None


class ClickHouseDialect:
    """All that MetricFlow's engine asks of a client when it only explains: which engine, which renderer."""

    sql_engine_type = SqlEngine.DUCKDB
    sql_plan_renderer: SqlPlanRenderer = _PlanRenderer()
