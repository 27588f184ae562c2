"""Stage one: from a question to rows, through the semantic layer, the guard, a dry run and the reader's
query.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Literal

import sqlglot
from langchain_core.messages import BaseMessage
from pydantic import BaseModel, Field

from agents.analyst.linker import Declined, Linker, Plan
from agents.analyst.linker.plan import PLAIN, Shape, Threshold
from agents.analyst.shaping import shaped_sql
from agents.analyst.table import plain, read
from agents.runtime import errors
from agents.runtime.rules import Move, after, last_error, last_result
from agents.runtime.scoring import Score, weighted
from agents.runtime.settings import AgentSettings
from agents.runtime.stage import Stage
from agents.runtime.tools import Tool, ToolResult
from warehouse import Catalogue, Limits, PermanentError, TransientError, Warehouse, guard
from warehouse.semantic import Filter, MetricQuery, SemanticLayer
from warehouse.semantic.expressions import quoted
from warehouse.semantic.model import METRIC_TIME

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


class DataRange(BaseModel):
    metrics: list[str] = Field(min_length=1)


class Decline(BaseModel):
    reason: str
    failed: bool = Field(
        default=False, description="true when a part broke, false when the data has no answer"
    )
    nearest: list[dict[str, str]] = Field(default_factory=list)


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

    def all(self) -> tuple[Tool, ...]:
        return (
            Tool("search_semantic_layer", "Find metrics and their dimensions.", SearchText, self._search),
            Tool("search_catalogue", "Find tables and their columns.", SearchText, self._tables),
            Tool("lookup_values", "Find the exact values of a dimension.", LookupValues, self._lookup),
            Tool("compile_metrics", "Write SQL for a metric query.", CompileMetrics, self._compile),
            Tool("dry_run", "Check SQL without running it.", Sql, self._dry_run),
            Tool("execute_sql", "Run checked SQL and read its rows.", Sql, self._execute),
            Tool("decline", "Say that the question cannot be answered.", Decline, _decline),
        )

    def data_range(self) -> Tool:
        """For the document: what to say of an empty result."""
        return Tool("data_range", "The days that metrics have data for.", DataRange, self._data_range)

    def _search(self, arguments: SearchText) -> ToolResult:
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
            }
        )

    def _tables(self, arguments: SearchText) -> ToolResult:
        tables = self._catalogue.search(arguments.text)
        return ToolResult(self._catalogue.as_prompt(tables) or "no table matches")

    def _lookup(self, arguments: LookupValues) -> ToolResult:
        try:
            values = self._semantic.values(arguments.dimension, self._warehouse)
        except PermanentError as error:
            raise errors.ToolError(str(error)) from error
        wanted = arguments.text.casefold()
        return ToolResult({"values": [value for value in values if wanted in value.casefold()][:50]})

    def _compile(self, arguments: CompileMetrics) -> ToolResult:
        query = MetricQuery(
            metrics=tuple(arguments.metrics),
            group_by=tuple(arguments.group_by),
            filters=tuple(Filter(f.dimension, f.op, tuple(f.values)) for f in arguments.filters),
            time_range=_utc(arguments.time_range),
            order_by=tuple((order.name, order.direction) for order in arguments.order_by),
            limit=arguments.limit,
        )
        previous = _utc(arguments.previous_range)
        asked = arguments.shape
        thresholds = tuple(Threshold(t.metric, t.op, t.value) for t in asked.thresholds)
        shape = Shape(asked.share, asked.share_of, asked.average_per, asked.growth, thresholds)
        try:
            if previous:
                sql = self._semantic.compile_comparison(query, previous, self._warehouse)
            elif shape != PLAIN:
                sql = shaped_sql(query, shape, lambda inner: self._semantic.compile(inner, self._warehouse))
            else:
                sql = self._semantic.compile(query, self._warehouse)
        except PermanentError as error:
            raise errors.ToolError(str(error)) from error
        work = {
            "sql": sql,
            "metrics": list(query.metrics),
            "order_by": [[shape.column(name), direction] for name, direction in query.order_by],
            "compared": previous is not None,
            "time_range": [moment.isoformat() for moment in query.time_range] if query.time_range else None,
            "since": previous[0].isoformat() if previous else None,
            "assumptions": arguments.assumptions,
            **_UNRUN,
        }
        return ToolResult({"sql": sql}, work)

    def _dry_run(self, arguments: Sql) -> ToolResult:
        checked = self._checked(arguments.sql)
        plan = self._call(lambda: self._warehouse.dry_run(checked))
        columns = [[column.name, column.type] for column in plan.columns]
        work = {**_UNRUN, "sql": checked, "guarded": True, "dry_columns": columns}
        return ToolResult({"columns": columns, "estimated_rows": plan.estimated_rows}, work)

    def _execute(self, arguments: Sql) -> ToolResult:
        checked = self._checked(arguments.sql)
        result = self._call(lambda: self._warehouse.query(checked, limits=self._limits))
        columns = [[column.name, column.type] for column in result.columns]
        rows = [[plain(value) for value in row] for row in result.rows]
        work = {
            "sql": checked,
            "guarded": True,
            "ran": True,
            "columns": columns,
            "rows": rows,
            "elapsed": result.elapsed,
            "rows_read": result.rows_read,
        }
        table = read([(name, kind) for name, kind in columns], rows, self._semantic, "en")
        shown = {"columns": [name for name, _ in columns], "row_count": len(rows), "rows": rows[:50]}
        return ToolResult(shown | {"empty": table.empty}, work)

    def _data_range(self, arguments: DataRange) -> ToolResult:
        day = f"{METRIC_TIME}__day"
        try:
            query = MetricQuery(tuple(arguments.metrics), group_by=(day,))
            inner = self._semantic.compile(query, self._warehouse)
        except PermanentError as error:
            raise errors.ToolError(str(error)) from error
        present = " or ".join(f"_days.{quoted(name)} is not null" for name in arguments.metrics)
        time = f"_days.{quoted(day)}"
        # Rows without a time are of no day.
        result = self._call(
            lambda: self._warehouse.query(
                f"select min({time}), max({time}), count({time}) from (\n{inner}\n) as _days where {present}",
                limits=self._limits,
            )
        )
        first, last, days = result.rows[0]
        found = [str(plain(first))[:10], str(plain(last))[:10]] if days else []
        return ToolResult({"data_range": found}, {"data_range": found})

    def _checked(self, sql: str) -> str:
        """What passes the guard, laid out for people: the SQL that is shown is the SQL that runs."""
        dialect = self._warehouse.dialect
        try:
            safe = guard(sql, self._catalogue, dialect, max_rows=self._max_rows)
        except PermanentError as error:
            raise errors.ToolError(str(error)) from error
        return sqlglot.parse_one(safe, dialect=dialect).sql(dialect=dialect, pretty=True)

    def _call(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except PermanentError as error:
            raise errors.ToolError(str(error)) from error
        except TransientError as error:
            raise errors.TransientError(f"The warehouse cannot answer now: {error}") from error


_UNRUN: Mapping[str, Any] = {"guarded": False, "dry_columns": None, "ran": False, "columns": [], "rows": []}


def _utc(time_range: tuple[datetime, datetime] | None) -> tuple[datetime, datetime] | None:
    if time_range is None:
        return None
    start, end = (m.astimezone(UTC) if m.tzinfo else m.replace(tzinfo=UTC) for m in time_range)
    return start, end


def _decline(arguments: Decline) -> ToolResult:
    declined = {"reason": arguments.reason, "failed": arguments.failed, "nearest": arguments.nearest}
    return ToolResult("noted", {"declined": declined})


def score(work: Mapping[str, Any]) -> Score:
    """How far the SQL has come: written, guarded, dry run, run, and whether what came back makes sense."""
    if work.get("declined"):
        return Score(0.0, (str(work["declined"]["reason"]),), final=True)
    rows, columns = work.get("rows") or [], work.get("columns") or []
    names = [name for name, _ in columns]
    dry = work.get("dry_columns")
    return weighted(
        (
            (0.10, bool(work.get("sql")), "no SQL was written"),
            (0.20, bool(work.get("guarded")), "the SQL has not passed the guard"),
            (0.15, bool(dry), "the SQL has not passed a dry run"),
            (0.35, bool(work.get("ran")), "the SQL has not run"),
            (
                0.05,
                bool(work.get("ran")) and len(set(names)) == len(names),
                "the result's columns are not distinct",
            ),
            (
                0.05,
                bool(work.get("ran")) and (not dry or [name for name, _ in dry] == names),
                "the result's columns are not those of the dry run",
            ),
            (0.10, any(value is not None for row in rows for value in row), "the result is empty"),
        )
    )


def policy(question: str, linker: Linker, now: datetime, language: str, domain: str) -> Any:
    """The rule-based model's moves: search, link, look values up, compile, dry run, execute."""

    def move(messages: Sequence[BaseMessage]) -> Move:
        searched = last_result(messages, "search_semantic_layer")
        if searched is None:
            return Move(
                "Look for the question's words in the semantic layer.",
                (("search_semantic_layer", {"text": question}),),
            )
        refused = last_error(messages, "compile_metrics")
        if refused:
            return _broken(refused)
        compiled = last_result(messages, "compile_metrics")
        if compiled is None:
            plan = linker.link(question, now, language, domain)
            if isinstance(plan, Declined):
                nearest = [asdict(item) for item in plan.nearest]
                return Move(plan.reason, (("decline", {"reason": plan.reason, "nearest": nearest}),))
            return _compile_move(plan)
        since = after(messages, "compile_metrics")
        refused = last_error(since, "dry_run") or last_error(since, "execute_sql")
        if refused:
            return _broken(refused)
        if last_result(since, "dry_run") is None:
            return Move("Check the SQL without running it.", (("dry_run", {"sql": compiled["sql"]}),))
        return Move("The dry run passed: run it.", (("execute_sql", {"sql": compiled["sql"]}),))

    return move


def _broken(error: str) -> Move:
    """The rules cannot write other SQL than the semantic layer's, so an error in it ends the stage."""
    return Move(error, (("decline", {"reason": error, "failed": True}),))


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
) -> Stage:
    """The SQL stage for one question."""
    goal = json.dumps({"question": question, "language": language, "domain": domain}, ensure_ascii=False)
    return Stage(
        name="sql",
        goal=goal,
        tools=tools.all(),
        system_prompt=_PROMPT.format(dialect=dialect, now=f"{now:%Y-%m-%d %H:%M}"),
        threshold=0.85,
        max_iterations=8,
        scorer=score,
        policy=policy(question, linker, now, language, domain),
    )
