"""Stage one: from a question to rows, through the semantic layer, the guard, a dry run and the reader's
query.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import sqlglot
from pydantic import BaseModel, Field

from agents.analyst.coverage import Coverage, Range
from agents.analyst.linker import Declined, Linker, Plan
from agents.analyst.linker.plan import PLAIN, Shape, Threshold
from agents.analyst.linker.times import floor
from agents.analyst.shaping import shaped_sql
from agents.analyst.table import Cell, Table, plain, read
from agents.runtime import errors
from agents.runtime.rules import Move
from agents.runtime.scoring import Score, weighted
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Stage
from agents.runtime.tools import Tool, ToolResult
from agents.runtime.work import Work
from warehouse import Catalogue, Limits, PermanentError, TransientError, Warehouse, guard
from warehouse.semantic import Filter, MetricQuery, SemanticLayer
from warehouse.semantic.expressions import quoted
from warehouse.semantic.model import GRAINS, METRIC_TIME

_PROMPT = """You answer questions from a data warehouse. Work only through the tools.
1. search_semantic_layer finds metrics and dimensions. Prefer compile_metrics: it writes correct SQL
for a metric
   query. Look up the exact value of a filter with lookup_values before using it.
2. Only when no metric fits, search_catalogue and write one read-only SELECT over the tables it shows,
in {dialect}
   SQL with database-qualified names.
3. dry_run the SQL, then execute_sql. When a tool reports an error, put the SQL right and try again.
4. When the data cannot answer the question, call decline with the reason in the question's language; never
   answer a different question and never invent a table, a column or a figure.
Now is {now} UTC. Time ranges are half-open and in UTC. "Last quarter" is the calendar quarter
before this one."""


class SearchText(BaseModel):
    text: str = Field(description="what to look for, in the question's words")


class LookupValues(BaseModel):
    dimension: str = Field(description="a categorical dimension's full name, such as user__country")
    text: str = Field(default="", description="part of the value; empty lists the most frequent ones")


class FilterArgument(BaseModel):
    dimension: str
    op: Literal["=", "!=", "in", "not in", ">", "<", ">=", "<=", "like"] = "="
    values: list[str | int | float | bool]


class OrderArgument(BaseModel):
    name: str
    direction: Literal["asc", "desc"] = "desc"


class ThresholdArgument(BaseModel):
    metric: str
    op: Literal[">", ">=", "<", "<="]
    value: float


class ShapeArgument(BaseModel):
    """At most one of share, average_per and growth."""

    share: bool = Field(default=False, description="adds <metric>_share, of the total of all groups")
    share_of: str = Field(default="", description="a filtered dimension: only its filter's values' share")
    average_per: Literal["", "minute", "hour", "day", "week", "month", "quarter", "year"] = ""
    growth: bool = Field(default=False, description="adds <metric>_change_rate along a time series")
    thresholds: list[ThresholdArgument] = Field(default_factory=list)

    @property
    def shape(self) -> Shape:
        thresholds = tuple(Threshold(t.metric, t.op, t.value) for t in self.thresholds)
        return Shape(self.share, self.share_of, self.average_per, self.growth, thresholds)


class CompileMetrics(BaseModel):
    """A question in the semantic layer's words. Ranges are half-open [start, end), ISO 8601, UTC."""

    metrics: list[str] = Field(min_length=1)
    group_by: list[str] = Field(
        default_factory=list,
        description="dimension names, or metric_time__<grain> such as metric_time__month",
    )
    filters: list[FilterArgument] = Field(default_factory=list)
    time_range: tuple[datetime, datetime] | None = None
    previous_range: tuple[datetime, datetime] | None = Field(
        default=None,
        description="an earlier range to compare with; adds <metric>_previous, _change, _change_rate",
    )
    shape: ShapeArgument = Field(default_factory=ShapeArgument)
    order_by: list[OrderArgument] = Field(default_factory=list)
    limit: int | None = Field(default=None, gt=0)
    assumptions: list[str] = Field(
        default_factory=list, description="what was assumed, in the question's language"
    )


class Sql(BaseModel):
    sql: str


class Decline(BaseModel):
    reason: str
    failed: bool = Field(
        default=False, description="true when a part broke, false when the data has no answer"
    )
    nearest: list[dict[str, str]] = Field(default_factory=list)


class SqlWork(Work):
    """What is known of a question's SQL. `compiled` is what `sql` was compiled from; it is empty when a
    model wrote the SQL itself. `columns` and `dry_columns` are (name, server type) pairs. `capped` says that
    the rows are as many as the SQL's LIMIT lets through; a compiled one lets through one more than was asked
    for. `days` are the first and last with data, where a text or a chart must know; `undated` says that there
    is data, and that none of it has a time.
    """

    question: str
    language: str
    domain: str
    now: datetime
    searched: bool = False
    compiled: CompileMetrics | None = None
    sql: str = ""
    guarded: bool = False
    dry_columns: tuple[tuple[str, str], ...] | None = None
    ran: bool = False
    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    capped: bool = False
    days: tuple[date, date] | None = None
    undated: bool = False
    elapsed: float = 0.0
    rows_read: int | None = None
    declined: Decline | None = None

    @property
    def assumptions(self) -> list[str]:
        return list(self.compiled.assumptions) if self.compiled else []

    @property
    def coverage(self) -> Coverage:
        if self.compiled is None:
            return Coverage(self.now)
        asked, previous = _utc(self.compiled.time_range), _utc(self.compiled.previous_range)
        return Coverage(self.now, asked, self.days, previous, self.compiled.shape.average_per, self.undated)

    def table(self, semantic: SemanticLayer, language: str) -> Table:
        """The rows that were asked for, with their meaning."""
        table = read(self.columns, self.rows, semantic, language, compiled=self.compiled is not None)
        if self.compiled is None:
            return replace(table, extent="cut" if self.capped else "all")
        shape, limit = self.compiled.shape.shape, self.compiled.limit
        order = tuple((shape.column(item.name), item.direction) for item in self.compiled.order_by)
        table = replace(table, order=order, extent="selected" if shape.selects else "all")
        if limit is None or len(table.rows) <= limit:
            return replace(table, extent="cut") if self.capped else table
        positions = [table.index(c.name) for c in table.columns if c.name in dict(order)]
        first, second = table.rows[limit - 1], table.rows[limit]
        tied = bool(positions) and all(first[position] == second[position] for position in positions)
        return replace(table, rows=table.rows[:limit], extent="top", tied=tied)


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

        previous = _utc(arguments.previous_range)
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
        asked = _utc(arguments.time_range)
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


def _utc(time_range: tuple[datetime, datetime] | None) -> tuple[datetime, datetime] | None:
    if time_range is None:
        return None
    start, end = (m.astimezone(UTC) if m.tzinfo else m.replace(tzinfo=UTC) for m in time_range)
    return start, end


def _decline(work: SqlWork, arguments: Decline) -> ToolResult:
    return ToolResult("noted", {"declined": arguments})


def score(work: SqlWork) -> Score:
    """How far the SQL has come: written, guarded, dry run, run, and whether what came back makes sense."""
    if work.declined:
        return Score(0.0, (work.declined.reason,), final=True)
    names = [name for name, _ in work.columns]
    dry = work.dry_columns
    return weighted(
        (
            (0.10, bool(work.sql), "no SQL was written"),
            (0.20, work.guarded, "the SQL has not passed the guard"),
            (0.15, bool(dry), "the SQL has not passed a dry run"),
            (0.35, work.ran, "the SQL has not run"),
            (0.05, work.ran and len(set(names)) == len(names), "the result's columns are not distinct"),
            (
                0.05,
                work.ran and (not dry or [name for name, _ in dry] == names),
                "the result's columns are not those of the dry run",
            ),
            (0.10, any(value is not None for row in work.rows for value in row), "the result is empty"),
        )
    )


@dataclass(frozen=True)
class Rules:
    """The rules' moves: search, link, look values up, compile, dry run, execute."""

    linker: Linker

    def move(self, work: SqlWork) -> Move:
        """Whatever a model did before, the rules run their own query or decline: they can judge no other."""
        if not work.searched:
            return Move(
                "Look for the question's words in the semantic layer.",
                (("search_semantic_layer", {"text": work.question}),),
            )
        plan = self.linker.link(work.question, work.now, work.language, work.domain)
        if isinstance(plan, Declined):
            nearest = [asdict(item) for item in plan.nearest]
            return Move(plan.reason, (("decline", {"reason": plan.reason, "nearest": nearest}),))
        compiling = _compile_move(plan)
        if work.compiled != CompileMetrics.model_validate(compiling.calls[-1][1]):
            return _unless_refused(work, compiling)
        if work.dry_columns is None:
            return _unless_refused(
                work, Move("Check the SQL without running it.", (("dry_run", {"sql": work.sql}),))
            )
        return _unless_refused(
            work, Move("The dry run passed: run it.", (("execute_sql", {"sql": work.sql}),))
        )


def _unless_refused(work: SqlWork, move: Move) -> Move:
    """The rules cannot write other SQL than the semantic layer's, so an error in it ends the stage."""
    error = work.refusal(*move.calls[-1])
    return Move(error, (("decline", {"reason": error, "failed": True}),)) if error else move


def _compile_move(plan: Plan) -> Move:
    query = plan.query
    arguments = {
        "metrics": list(query.metrics),
        "group_by": list(query.group_by),
        "filters": [{"dimension": f.dimension, "op": f.op, "values": list(f.values)} for f in query.filters],
        "time_range": [moment.isoformat() for moment in query.time_range] if query.time_range else None,
        "previous_range": [moment.isoformat() for moment in plan.previous] if plan.previous else None,
        "shape": asdict(plan.shape),
        "order_by": [{"name": name, "direction": direction} for name, direction in query.order_by],
        "limit": query.limit,
        "assumptions": list(plan.assumptions),
    }
    lookups: tuple[tuple[str, Mapping[str, Any]], ...] = tuple(
        ("lookup_values", {"dimension": f.dimension, "text": str(value)})
        for f in query.filters
        for value in f.values
    )
    thought = f"The question asks for {', '.join(query.metrics)}" + (
        f" by {', '.join(query.group_by)}" if query.group_by else ""
    )
    return Move(f"{thought}.", (*lookups, ("compile_metrics", arguments)))


def stage(
    question: str, tools: SqlTools, linker: Linker, now: datetime, language: str, domain: str, dialect: str
) -> Stage[SqlWork]:
    """The SQL stage for one question."""
    goal = json.dumps({"question": question, "language": language, "domain": domain}, ensure_ascii=False)
    return Stage(
        name="sql",
        goal=goal,
        work=SqlWork(question=question, language=language, domain=domain, now=now),
        tools=tools.all(),
        system_prompt=_PROMPT.format(dialect=dialect, now=f"{now:%Y-%m-%d %H:%M}"),
        threshold=0.85,
        max_iterations=8,
        scorer=score,
        policy=Rules(linker).move,
    )
