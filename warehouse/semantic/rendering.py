"""MetricFlow's SQL plans rendered so that they mean the same on every engine.

An engine's package derives its expressions from `ExpressionRenderer`. What matters for correct numbers: every
column is qualified and every name quoted, decimals are divided as floats, and nulls are last in every order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.expr_renderer import DefaultSqlExpressionRenderer, SqlExpressionRenderResult
from metricflow.sql.render.sql_plan_renderer import DefaultSqlPlanRenderer, SqlPlanRenderResult
from metricflow.sql.sql_plan import SqlPlanNode, SqlSelectColumn
from metricflow.sql.sql_select_node import SqlOrderByDescription, SqlSelectStatementNode
from metricflow_semantics.sql.sql_bind_parameters import SqlBindParameterSet
from metricflow_semantics.sql.sql_exprs import (
    SqlColumnAliasReferenceExpression,
    SqlColumnReferenceExpression,
    SqlGenerateUuidExpression,
    SqlStringExpression,
)
from sqlglot import exp

from warehouse.dialect import Dialect
from warehouse.errors import SemanticError
from warehouse.semantic.expressions import Source, qualified


def rendered(sql: str, arguments: Iterable[SqlExpressionRenderResult] = ()) -> SqlExpressionRenderResult:
    """SQL with the parameters of what it is made of."""
    return SqlExpressionRenderResult(
        sql=sql,
        bind_parameter_set=SqlBindParameterSet.merge_iterable([one.bind_parameter_set for one in arguments]),
    )


class ExpressionRenderer(DefaultSqlExpressionRenderer):
    """Expressions in a SELECT: what a name in them means depends on what it reads, its `sources`.

    `columns` are the names of what it selects.
    """

    def __init__(
        self, dialect: Dialect, sources: tuple[Source, ...] = (), columns: tuple[str, ...] = ()
    ) -> None:
        self._dialect = dialect
        self._sources = sources
        self._columns = columns

    def visit_string_expr(self, node: SqlStringExpression) -> SqlExpressionRenderResult:
        return SqlExpressionRenderResult(
            sql=_qualified(node.sql_expr, self._sources, self._dialect),
            bind_parameter_set=node.bind_parameter_set,
        )

    def visit_column_reference_expr(self, node: SqlColumnReferenceExpression) -> SqlExpressionRenderResult:
        # Always with its table, which MetricFlow would leave out where there is only one.
        return rendered(f"{node.col_ref.table_alias}.{quoted(node.col_ref.column_name, self._dialect)}")

    def visit_column_alias_reference_expr(
        self, node: SqlColumnAliasReferenceExpression
    ) -> SqlExpressionRenderResult:
        return rendered(quoted(node.column_alias, self._dialect))

    def visit_generate_uuid_expr(self, node: SqlGenerateUuidExpression) -> SqlExpressionRenderResult:
        # All that is asked of it is to tell the rows of one table apart.
        return rendered("row_number() OVER ()")


class _PlanRenderer(DefaultSqlPlanRenderer):
    def __init__(
        self,
        expressions: type[ExpressionRenderer],
        dialect: Dialect,
        sources: tuple[Source, ...] = (),
        columns: tuple[str, ...] = (),
    ) -> None:
        self._expressions = expressions
        self._dialect = dialect
        self.EXPR_RENDERER = expressions(dialect, sources, columns)

    def visit_select_statement_node(self, node: SqlSelectStatementNode) -> SqlPlanRenderResult:
        columns = tuple(column.column_alias for column in node.select_columns)
        _check_names(columns)
        sources = [_source(node.from_source, node.from_source_alias)]
        sources += [_source(join.right_source, join.right_source_alias) for join in node.join_descs]
        inner = _PlanRenderer(self._expressions, self._dialect, tuple(sources), columns)
        return super(_PlanRenderer, inner).visit_select_statement_node(node)

    def _render_select_columns_section(
        self, select_columns: Sequence[SqlSelectColumn], num_parents: int, distinct: bool
    ) -> SqlPlanRenderResult:
        columns = [self.EXPR_RENDERER.render_sql_expr(column.expr) for column in select_columns]
        lines = [
            f"{one.sql} AS {quoted(column.column_alias, self._dialect)}"
            for one, column in zip(columns, select_columns, strict=True)
        ]
        return SqlPlanRenderResult(
            f"SELECT{' DISTINCT' if distinct else ''}\n  " + "\n  , ".join(lines),
            SqlBindParameterSet.merge_iterable([one.bind_parameter_set for one in columns]),
        )

    def _render_order_by_section(
        self, order_bys: Sequence[SqlOrderByDescription]
    ) -> SqlPlanRenderResult | None:
        terms = [self.EXPR_RENDERER.render_sql_expr(order.expr) for order in order_bys]
        written = [
            f"{term.sql}{' DESC' if order.desc else ''} NULLS LAST"
            for term, order in zip(terms, order_bys, strict=True)
        ]
        if not written:
            return None
        parameters = SqlBindParameterSet.merge_iterable([term.bind_parameter_set for term in terms])
        return SqlPlanRenderResult(f"ORDER BY {', '.join(written)}", parameters)

    def _render_description_section(self, description: str) -> SqlPlanRenderResult | None:
        # The plan's own notes name internal nodes; a reader of the SQL learns nothing from them.
        return None


class MetricFlowClient:
    """All that MetricFlow's engine asks of a client when it only explains: which engine, which renderer."""

    def __init__(self, engine: SqlEngine, expressions: type[ExpressionRenderer], dialect: Dialect) -> None:
        self.sql_engine_type = engine
        self.sql_plan_renderer = _PlanRenderer(expressions, dialect)


@lru_cache(maxsize=4096)
def _qualified(sql: str, sources: tuple[Source, ...], dialect: Dialect) -> str:
    return dialect.render(qualified(sql, sources, dialect))


def quoted(name: str, dialect: Dialect) -> str:
    """A name as an identifier."""
    return dialect.render(exp.to_identifier(name, quoted=True))


def _source(node: SqlPlanNode, alias: str) -> Source:
    select, table = node.as_select_node, node.as_sql_table_node
    if select is not None:
        return Source(alias, columns=frozenset(column.column_alias for column in select.select_columns))
    return Source(alias, table=table.sql_table.table_name.strip('`"') if table else "")


def _check_names(columns: Sequence[str]) -> None:
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise SemanticError(
            f"{', '.join(twice)} would mean two things in one statement. Ask for these metrics one by one."
        )
