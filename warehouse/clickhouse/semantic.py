"""MetricFlow's SQL plans rendered for ClickHouse, an engine that MetricFlow does not know.

The renderers derive from DuckDB's, the nearest known dialect, and the engine type stays DuckDB's because
MetricFlow only asks it which granularities exist. What matters for correct numbers: casts must keep NULL, an
aggregate over no rows must be NULL and not 0 or 1970-01-01, a day is a Date as a week is, every column is
qualified and every name quoted, and decimals are divided as floats.
The SQL needs `join_use_nulls = 1`, which the client sets on every query.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from functools import lru_cache

from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.duckdb_renderer import DuckDbSqlExpressionRenderer, DuckDbSqlPlanRenderer
from metricflow.sql.render.expr_renderer import SqlExpressionRenderer, SqlExpressionRenderResult
from metricflow.sql.render.sql_plan_renderer import SqlPlanRenderer, SqlPlanRenderResult
from metricflow.sql.sql_plan import SqlPlanNode, SqlSelectColumn
from metricflow.sql.sql_select_node import SqlSelectStatementNode
from metricflow_semantic_interfaces.type_enums.date_part import DatePart
from metricflow_semantics.sql.sql_bind_parameters import SqlBindParameterSet
from metricflow_semantics.sql.sql_exprs import (
    SqlAggregateFunctionExpression,
    SqlColumnAliasReferenceExpression,
    SqlColumnReferenceExpression,
    SqlDateTruncExpression,
    SqlExtractExpression,
    SqlFunction,
    SqlGenerateUuidExpression,
    SqlPercentileExpression,
    SqlPercentileFunctionType,
    SqlStringExpression,
)
from sqlglot import exp

from warehouse.clickhouse.grains import start_of
from warehouse.dialect import Dialect
from warehouse.errors import SemanticError
from warehouse.semantic.expressions import Source, qualified

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
    def __init__(self, dialect: Dialect, sources: tuple[Source, ...] = ()) -> None:
        self._dialect = dialect
        self._sources = sources

    @property
    def double_data_type(self) -> str:
        return "Nullable(Float64)"

    @property
    def timestamp_data_type(self) -> str:
        return "Nullable(DateTime64(6, 'UTC'))"

    @property
    def supported_percentile_function_types(self) -> Collection[SqlPercentileFunctionType]:
        return (*_QUANTILE, SqlPercentileFunctionType.DISCRETE)

    def visit_string_expr(self, node: SqlStringExpression) -> SqlExpressionRenderResult:
        return SqlExpressionRenderResult(
            sql=_qualified(node.sql_expr, self._sources, self._dialect),
            bind_parameter_set=node.bind_parameter_set,
        )

    def visit_column_reference_expr(self, node: SqlColumnReferenceExpression) -> SqlExpressionRenderResult:
        # Always with its table, which MetricFlow would leave out where there is only one.
        column = node.col_ref
        return SqlExpressionRenderResult(
            sql=f"{column.table_alias}.{_quoted(column.column_name)}",
            bind_parameter_set=SqlBindParameterSet(),
        )

    def visit_column_alias_reference_expr(
        self, node: SqlColumnAliasReferenceExpression
    ) -> SqlExpressionRenderResult:
        return SqlExpressionRenderResult(
            sql=_quoted(node.column_alias), bind_parameter_set=SqlBindParameterSet()
        )

    def visit_date_trunc_expr(self, node: SqlDateTruncExpression) -> SqlExpressionRenderResult:
        arg = self.render_sql_expr(node.arg)
        sql = start_of(node.time_granularity.value, arg.sql)
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
        sql = f"{function}({level})(toFloat64({arg.sql}))" if function else _discrete(level, arg.sql)
        return SqlExpressionRenderResult(sql=sql, bind_parameter_set=arg.bind_parameter_set)

    def visit_generate_uuid_expr(self, node: SqlGenerateUuidExpression) -> SqlExpressionRenderResult:
        # All that is asked of it is to tell the rows of one table apart.
        return SqlExpressionRenderResult(sql="row_number() OVER ()", bind_parameter_set=SqlBindParameterSet())


@lru_cache(maxsize=4096)
def _qualified(sql: str, sources: tuple[Source, ...], dialect: Dialect) -> str:
    return dialect.render(qualified(sql, sources, dialect))


def _quoted(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql("clickhouse")


def _discrete(level: float, arg: str) -> str:
    """PERCENTILE_DISC; ClickHouse's own exact quantiles are one position off when level * n is whole."""
    part = Fraction(str(level))
    position = f"intDiv(count({arg}) * {part.numerator} + {part.denominator - 1}, {part.denominator})"
    return f"if(count({arg}) = 0, NULL, arraySort(groupArray({arg}))[greatest(1, {position})])"


class _PlanRenderer(DuckDbSqlPlanRenderer):
    def __init__(self, dialect: Dialect, sources: tuple[Source, ...] = ()) -> None:
        self._dialect = dialect
        self.EXPR_RENDERER = _ExpressionRenderer(dialect, sources)

    @property
    def expr_renderer(self) -> SqlExpressionRenderer:
        return self.EXPR_RENDERER

    def visit_select_statement_node(self, node: SqlSelectStatementNode) -> SqlPlanRenderResult:
        _check_aliases(node)
        sources = [_source(node.from_source, node.from_source_alias)]
        sources += [_source(join.right_source, join.right_source_alias) for join in node.join_descs]
        # What an expression of a SELECT means depends on what that SELECT reads.
        return super(_PlanRenderer, _PlanRenderer(self._dialect, tuple(sources))).visit_select_statement_node(
            node
        )

    def _render_select_columns_section(
        self, select_columns: Sequence[SqlSelectColumn], num_parents: int, distinct: bool
    ) -> SqlPlanRenderResult:
        columns = [self.EXPR_RENDERER.render_sql_expr(column.expr) for column in select_columns]
        lines = [
            f"{rendered.sql} AS {_quoted(column.column_alias)}"
            for rendered, column in zip(columns, select_columns, strict=True)
        ]
        return SqlPlanRenderResult(
            f"SELECT{' DISTINCT' if distinct else ''}\n  " + "\n  , ".join(lines),
            SqlBindParameterSet.merge_iterable([rendered.bind_parameter_set for rendered in columns]),
        )

    def _render_description_section(self, description: str) -> SqlPlanRenderResult | None:
        # The plan's own notes name internal nodes; a reader of the SQL learns nothing from them.
        return None


def _source(node: SqlPlanNode, alias: str) -> Source:
    select, table = node.as_select_node, node.as_sql_table_node
    if select is not None:
        return Source(alias, columns=frozenset(column.column_alias for column in select.select_columns))
    return Source(alias, table=table.sql_table.table_name.strip('`"') if table else "")


def _check_aliases(node: SqlSelectStatementNode) -> None:
    names = [column.column_alias for column in node.select_columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SemanticError(
            f"{', '.join(twice)} would mean two things in one statement. Ask for these metrics one by one."
        )


class MetricFlowClient:
    """All that MetricFlow's engine asks of a client when it only explains: which engine, which renderer."""

    sql_engine_type = SqlEngine.DUCKDB

    def __init__(self, dialect: Dialect) -> None:
        self.sql_plan_renderer: SqlPlanRenderer = _PlanRenderer(dialect)
