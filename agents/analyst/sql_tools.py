"""The SQL stage's tools: search, look up, compile, dry run, execute, decline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlglot

from agents.analyst.coverage import Range
from agents.analyst.linker.plan import PLAIN
from agents.analyst.linker.times import floor
from agents.analyst.shaping import shaped_sql
from agents.analyst.sql_work import CompileMetrics, Decline, LookupValues, SearchText, Sql, SqlWork, utc
from agents.analyst.table import Table, plain
from agents.runtime import errors
from agents.runtime.settings import AgentSettings
from agents.runtime.tools import Tool, ToolResult
from warehouse import Catalogue, Limits, PermanentError, TransientError, Warehouse, guard
from warehouse.semantic import Filter, MetricQuery, SemanticLayer
from warehouse.semantic.expressions import quoted
from warehouse.semantic.model import GRAINS, METRIC_TIME


class SqlTools:
    """The tools of the stage over one warehouse; errors that the model can mend become ToolError."""

    def __init__(
        self, warehouse: Warehouse, semantic: SemanticLayer, catalogue: Catalogue, settings: AgentSettings
    ) -> None:
        self._warehouse = warehouse
        self._semantic = semantic
        self._catalogue = catalogue
        self._limits = Limits(rows=settings.agent_max_rows)
        self._max_rows = settings.agent_max_rows

    def all(self) -> tuple[Tool[SqlWork], ...]:
        return (
            Tool("search_semantic_layer", "Find metrics and their dimensions.", SearchText, self._search),
            Tool("search_catalogue", "Find tables and their columns.", SearchText, self._tables),
            Tool("lookup_values", "Find the exact values of a dimension.", LookupValues, self._lookup),
            Tool("compile_metrics", "Write SQL for a metric query.", CompileMetrics, self._compile),
            Tool("dry_run", "Check SQL without running it.", Sql, self._dry_run),
            Tool("execute_sql", "Run checked SQL and read its rows.", Sql, self._execute),
            Tool("decline", "Say that the question cannot be answered.", Decline, _decline),
        )

    def _search(self, work: SqlWork, arguments: SearchText) -> ToolResult:
        from agents.analyst.linker.suggest import nearest

        metrics = list(self._semantic.metrics.values())
        found = [
            self._semantic.metrics[item.name]
            for item in nearest(arguments.text, metrics, self._semantic, "en")
        ]
        dimensions = dict.fromkeys(name for metric in found for name in metric.dimensions)
        return ToolResult(
            {
                "metrics": [
                    {
                        "name": metric.name,
                        "label": f"{metric.label} / {metric.label_zh}",
                        "description": metric.description,
                        "unit": metric.unit,
                        "finest_grain": metric.min_grain,
                        "dimensions": list(metric.dimensions),
                    }
                    for metric in found
                ],
                "dimensions": {name: self._semantic.dimensions[name].description for name in dimensions},
            },
            {"searched": True},
        )

    def _tables(self, work: SqlWork, arguments: SearchText) -> ToolResult:
        tables = self._catalogue.search(arguments.text)
        return ToolResult(self._catalogue.as_prompt(tables) or "no table matches")

    def _lookup(self, work: SqlWork, arguments: LookupValues) -> ToolResult:
        try:
            values = self._semantic.values(arguments.dimension, self._warehouse)
        except PermanentError as error:
            raise errors.ToolError(str(error)) from error
        wanted = arguments.text.casefold()
        return ToolResult({"values": [value for value in values if wanted in value.casefold()][:50]})

    def _compile(self, work: SqlWork, arguments: CompileMetrics) -> ToolResult:
        query = MetricQuery(
            metrics=tuple(arguments.metrics),
            group_by=tuple(arguments.group_by),
            filters=tuple(Filter(f.dimension, f.op, tuple(f.values)) for f in arguments.filters),
            time_range=self._until_now(arguments, work.now),
            order_by=tuple((order.name, order.direction) for order in arguments.order_by),
            # One more than asked for, to see whether there are more and whether the last is tied.
            limit=arguments.limit + 1 if arguments.limit else None,
        )

        def plain_sql(inner: MetricQuery) -> str:
            return self._semantic.compile(inner, self._warehouse)

        previous = utc(arguments.previous_range)
        shape = arguments.shape.shape
        try:
            if previous:
                sql = self._semantic.compile_comparison(query, previous, self._warehouse)
            elif shape != PLAIN:
                sql = shaped_sql(query, shape, self._semantic.metrics, plain_sql)
            else:
                sql = plain_sql(query)
        except PermanentError as error:
            raise errors.ToolError(str(error)) from error
        return ToolResult({"sql": sql}, {**_UNRUN, "sql": sql, "compiled": arguments})

    def _until_now(self, arguments: CompileMetrics, now: datetime) -> Range | None:
        """The range asked for; of a running total, which goes on as long as the calendar, until today."""
        asked = utc(arguments.time_range)
        known = self._semantic.metrics
        if not any(name in known and known[name].kind == "cumulative" for name in arguments.metrics):
            return asked
        tomorrow = floor(now, "day") + timedelta(days=1)
        start, end = asked or (datetime(1970, 1, 1, tzinfo=UTC), tomorrow)
        return (start, min(end, tomorrow)) if start < tomorrow else asked

    def _dry_run(self, work: SqlWork, arguments: Sql) -> ToolResult:
        checked = self._checked(arguments.sql)
        plan = self._call(lambda: self._warehouse.dry_run(checked))
        columns = [(column.name, column.type) for column in plan.columns]
        updates = {**_UNRUN, "guarded": True, "dry_columns": columns, **_origin(work, arguments.sql, checked)}
        return ToolResult({"columns": columns, "estimated_rows": plan.estimated_rows}, updates)

    def _execute(self, work: SqlWork, arguments: Sql) -> ToolResult:
        checked = self._checked(arguments.sql)
        result = self._call(lambda: self._warehouse.query(checked, limits=self._limits))
        columns = [(column.name, column.type) for column in result.columns]
        rows = [[plain(value) for value in row] for row in result.rows]
        updates = {
            "guarded": True,
            "dry_columns": work.dry_columns if work.sql == checked else None,
            "ran": True,
            "columns": columns,
            "rows": rows,
            "capped": len(rows) >= _row_limit(checked, self._warehouse.dialect),
            "elapsed": result.elapsed,
            "rows_read": result.rows_read,
            **_origin(work, arguments.sql, checked),
        }
        found = work.having(updates)
        table = found.table(self._semantic, "en")
        days, undated = self._days(found) if _may_be_partial(found, table) else (None, False)
        shown = {
            "columns": [name for name, _ in columns],
            "row_count": len(table.rows),
            "rows": [list(row) for row in table.rows[:50]],
            "extent": table.extent,
            "empty": table.empty,
            "data_range": days,
        }
        return ToolResult(shown, {**updates, "days": days, "undated": undated})

    def _days(self, work: SqlWork) -> tuple[tuple[date, date] | None, bool]:
        """The first and the last day with data for any of the metrics, or that no data has one."""
        assert work.compiled is not None
        metrics = tuple(work.compiled.metrics)
        kept = {grain for name in metrics for grain in self._semantic.metrics[name].grains}
        day = f"{METRIC_TIME}__{next(grain for grain in ('day', *GRAINS) if grain in kept)}"
        try:
            inner = self._semantic.compile(MetricQuery(metrics, group_by=(day,)), self._warehouse)
        except PermanentError:
            return None, False
        present = " or ".join(f"_days.{quoted(name)} is not null" for name in metrics)
        time = f"_days.{quoted(day)}"
        # Rows without a time are of no day.
        result = self._call(
            lambda: self._warehouse.query(
                f"select min({time}), max({time}), count({time}), count() from (\n{inner}\n) as _days "
                f"where {present}",
                limits=self._limits,
            )
        )
        first, last, days, groups = result.rows[0]
        return ((_day(first), _day(last)), False) if days else (None, groups > 0)

    def _checked(self, sql: str) -> str:
        """What the guard printed: the SQL that is judged is the SQL that is shown and runs."""
        try:
            return guard(sql, self._catalogue, self._warehouse.dialect, max_rows=self._max_rows)
        except PermanentError as error:
            raise errors.ToolError(str(error)) from error

    def _call(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except PermanentError as error:
            raise errors.ToolError(str(error)) from error
        except TransientError as error:
            raise errors.TransientError(f"The warehouse cannot answer now: {error}") from error


_UNRUN: Mapping[str, Any] = {
    "guarded": False, "dry_columns": None, "ran": False, "columns": (), "rows": (), "capped": False,
    "days": None, "undated": False,
}  # fmt: skip


def _origin(work: SqlWork, sql: str, checked: str) -> dict[str, Any]:
    """The SQL as it is now, and what it was compiled from if it is the compiled SQL and no other."""
    return {"sql": checked, "compiled": work.compiled if work.sql in (sql, checked) else None}


def _may_be_partial(work: SqlWork, table: Table) -> bool:
    """Whether what is missing, or not over yet, must be told from what is zero or whole."""
    asked = work.compiled
    if asked is None:
        return False
    return bool(table.empty or table.of_role("time") or asked.shape.average_per or asked.time_range)


def _row_limit(checked: str, dialect: str) -> int:
    """The LIMIT that the guard leaves on every statement."""
    return int(sqlglot.parse_one(checked, dialect=dialect).args["limit"].expression.name)


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value


def _decline(work: SqlWork, arguments: Decline) -> ToolResult:
    return ToolResult("noted", {"declined": arguments})
