"""The SQL stage's tools: search, look up, compile, dry run, execute, decline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Annotated, Any

from langchain_core.tools import InjectedToolArg, tool
from pydantic import Field
from sqlglot import exp

from agents.analyst.answer import Suggestion
from agents.analyst.coverage import Range
from agents.analyst.linker import Linker
from agents.analyst.linker.plan import PLAIN
from agents.analyst.linker.suggest import nearest
from agents.analyst.linker.times import floor
from agents.analyst.shaping import shaped_sql
from agents.analyst.sql_work import (
    Compiled,
    CompileMetrics,
    Decline,
    DryRun,
    Found,
    FoundMetric,
    Preview,
    Rows,
    SqlWork,
    utc,
)
from agents.analyst.table import Table, plain
from agents.runtime import errors
from agents.runtime.tools import REGISTRY, ToolContext
from warehouse import Catalogue, Limits, PermanentError, Warehouse
from warehouse.dialect import Dialect, column
from warehouse.guard import guard
from warehouse.semantic import Filter, MetricQuery, SemanticLayer
from warehouse.semantic.model import GRAINS, METRIC_TIME

NAMES = (
    "search_semantic_layer",
    "search_catalogue",
    "lookup_values",
    "compile_metrics",
    "dry_run",
    "execute_sql",
    "decline",
)


@dataclass(frozen=True)
class Sources:
    """What the tools ask: one warehouse, what is in it and what that means. A query returns `max_rows`."""

    warehouse: Warehouse
    semantic: SemanticLayer
    catalogue: Catalogue
    max_rows: int

    def values(self, dimension: str) -> list[str]:
        return self.semantic.values(dimension, self.warehouse)

    @cached_property
    def linker(self) -> Linker:
        return Linker(self.semantic, self.values)


Context = Annotated[ToolContext[SqlWork, Sources], InjectedToolArg]


@REGISTRY.register(effects={"reads"})
@tool
def search_semantic_layer(
    text: Annotated[str, Field(description="what to look for, in the question's words")], context: Context
) -> Found:
    """Find metrics and their dimensions."""
    semantic = context.deps.semantic
    metrics = list(semantic.metrics.values())
    found = [semantic.metrics[item.name] for item in nearest(text, metrics, semantic, "en")]
    dimensions = dict.fromkeys(name for metric in found for name in metric.dimensions)
    return Found(
        metrics=tuple(
            FoundMetric(
                name=metric.name,
                label=f"{metric.label} / {metric.label_zh}",
                description=metric.description,
                unit=metric.unit,
                finest_grain=metric.min_grain,
                dimensions=metric.dimensions,
            )
            for metric in found
        ),
        dimensions={name: semantic.dimensions[name].description for name in dimensions},
    )


@REGISTRY.register(effects={"reads"})
@tool
def search_catalogue(
    text: Annotated[str, Field(description="what to look for, in the question's words")], context: Context
) -> str:
    """Find tables and their columns."""
    catalogue = context.deps.catalogue
    return catalogue.as_prompt(catalogue.search(text)) or "no table matches"


@REGISTRY.register(effects={"reads"}, retries=1)
@tool
def lookup_values(
    dimension: Annotated[
        str, Field(description="a categorical dimension's full name, such as user__country")
    ],
    context: Context,
    text: Annotated[str, Field(description="part of the value; empty lists the most frequent ones")] = "",
) -> dict[str, list[str]]:
    """Find the exact values of a dimension."""
    values = _call(lambda: context.deps.values(dimension))
    return {"values": [value for value in values if text.casefold() in value.casefold()][:50]}


@REGISTRY.register(effects={"reads"}, retries=1)
@tool(args_schema=CompileMetrics)
def compile_metrics(context: Context, **arguments: Any) -> Compiled:
    """Write SQL for a metric query: a question in the semantic layer's words. Ranges are half-open
    [start, end), ISO 8601, UTC.
    """
    asked, sources = CompileMetrics.model_validate(arguments), context.deps
    query = MetricQuery(
        metrics=tuple(asked.metrics),
        group_by=tuple(asked.group_by),
        filters=tuple(Filter(f.dimension, f.op, tuple(f.values)) for f in asked.filters),
        time_range=_until_now(asked, sources.semantic, context.work.now),
        order_by=tuple((order.name, order.direction) for order in asked.order_by),
        # One more than asked for, to see whether there are more and whether the last is tied.
        limit=asked.limit + 1 if asked.limit else None,
    )

    def sql() -> str:
        previous, shape = utc(asked.previous_range), asked.shape.shape
        if previous:
            return sources.semantic.compile_comparison(query, previous, sources.warehouse)
        if shape != PLAIN:
            known, dialect = sources.semantic.metrics, sources.warehouse.dialect
            return shaped_sql(query, shape, known, plain_sql, dialect)
        return plain_sql(query)

    def plain_sql(inner: MetricQuery) -> str:
        return sources.semantic.compile(inner, sources.warehouse)

    return Compiled(asked=asked, sql=_call(sql))


@REGISTRY.register(effects={"reads"}, retries=1)
@tool
def dry_run(sql: str, context: Context) -> DryRun:
    """Check SQL without running it."""
    checked = _checked(sql, context.deps)
    plan = _call(lambda: context.deps.warehouse.dry_run(checked))
    columns = tuple((one.name, one.type) for one in plan.columns)
    return DryRun(
        given=sql,
        sql=checked,
        columns=columns,
        estimated_rows=plan.cost.rows,
        estimated_bytes=plan.cost.bytes,
        estimated_usd=plan.cost.usd,
    )


@REGISTRY.register(effects={"reads"}, retries=1)
@tool
def execute_sql(sql: str, context: Context) -> Rows:
    """Run checked SQL and read its rows."""
    sources = context.deps
    checked = _checked(sql, sources)
    result = _call(lambda: sources.warehouse.query(checked, limits=Limits(rows=sources.max_rows)))
    rows = Rows(
        given=sql,
        sql=checked,
        columns=tuple((one.name, one.type) for one in result.columns),
        rows=tuple(tuple(plain(value) for value in row) for row in result.rows),
        capped=len(result.rows) >= _row_limit(checked, sources.warehouse.dialect),
        elapsed=result.elapsed,
        rows_read=result.cost.rows,
    )
    work = context.work.ran(rows)
    table = work.table(sources.semantic, "en")
    days, undated = _days(work, sources) if _may_be_partial(work, table) else (None, False)
    preview = Preview(
        columns=[name for name, _ in rows.columns],
        row_count=len(table.rows),
        rows=list(table.rows[:50]),
        extent=table.extent,
        empty=table.empty,
        data_range=days,
    )
    return rows.model_copy(update={"days": days, "undated": undated, "preview": preview})


@REGISTRY.register()
@tool
def decline(
    reason: str,
    failed: Annotated[
        bool, Field(description="true when a part broke, false when the data has no answer")
    ] = False,
    nearest: Sequence[Suggestion] = (),
) -> Decline:
    """Say that the question cannot be answered."""
    return Decline(reason=reason, failed=failed, nearest=tuple(nearest))


def _until_now(asked: CompileMetrics, semantic: SemanticLayer, now: datetime) -> Range | None:
    """The range asked for; of a running total, which goes on as long as the calendar, until today."""
    given, known = utc(asked.time_range), semantic.metrics
    if not any(name in known and known[name].kind == "cumulative" for name in asked.metrics):
        return given
    tomorrow = floor(now, "day") + timedelta(days=1)
    start, end = given or (datetime(1970, 1, 1, tzinfo=UTC), tomorrow)
    return (start, min(end, tomorrow)) if start < tomorrow else given


def _days(work: SqlWork, sources: Sources) -> tuple[tuple[date, date] | None, bool]:
    """The first and the last day with data for any of the metrics, or that no data has one."""
    assert work.compiled is not None
    metrics = tuple(work.compiled.metrics)
    kept = {grain for name in metrics for grain in sources.semantic.metrics[name].grains}
    day = f"{METRIC_TIME}__{next(grain for grain in ('day', *GRAINS) if grain in kept)}"
    try:
        inner = sources.semantic.compile(MetricQuery(metrics, group_by=(day,)), sources.warehouse)
    except PermanentError:
        return None, False
    time = column(day, "_days")
    # Rows without a time are of no day.
    asked = (
        exp.select(exp.Min(this=time), exp.Max(this=time), exp.Count(this=time), "count(*)")
        .from_(sources.warehouse.dialect.parse(inner).subquery("_days"))
        .where(exp.or_(*(column(name, "_days").is_(exp.null()).not_() for name in metrics)))
    )
    result = _call(lambda: sources.warehouse.query(asked, limits=Limits(rows=sources.max_rows)))
    first, last, days, groups = result.rows[0]
    return ((_day(first), _day(last)), False) if days else (None, groups > 0)


def _checked(sql: str, sources: Sources) -> str:
    """What the guard printed: the SQL that is judged is the SQL that is shown and runs."""
    dialect = sources.warehouse.dialect
    return str(_call(lambda: guard(sql, sources.catalogue, dialect, max_rows=sources.max_rows)))


def _call(ask: Callable[[], Any]) -> Any:
    """Errors that the model can mend become ToolError."""
    try:
        return ask()
    except PermanentError as error:
        raise errors.ToolError(str(error)) from error


def _may_be_partial(work: SqlWork, table: Table) -> bool:
    """Whether what is missing, or not over yet, must be told from what is zero or whole."""
    asked = work.compiled
    if asked is None:
        return False
    return bool(table.empty or table.of_role("time") or asked.shape.average_per or asked.time_range)


def _row_limit(checked: str, dialect: Dialect) -> int:
    """The LIMIT that the guard leaves on every statement."""
    return int(dialect.parse(checked).args["limit"].expression.name)


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value
