"""What the SQL stage's tools are given and give, and what is known of a question's SQL after each of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from agents.analyst.answer import Suggestion
from agents.analyst.coverage import Coverage, Range
from agents.analyst.linker.plan import Shape, Threshold
from agents.analyst.table import Cell, Extent, Table, read
from agents.runtime.tools import Result
from agents.runtime.work import ToolCall, Work
from warehouse.semantic import SemanticLayer


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


class Compiled(Result):
    """SQL of a metric query; it has not been checked yet."""

    asked: CompileMetrics
    sql: str

    def shown(self) -> dict[str, str]:
        return {"sql": self.sql}


class DryRun(Result):
    """SQL that passed the guard and a dry run: as it was given, as the guard printed it, and the (name,
    server type) pairs that it would return.
    """

    given: str
    sql: str
    columns: tuple[tuple[str, str], ...]
    estimated_rows: int | None
    estimated_bytes: int | None = None
    estimated_usd: float | None = None

    def shown(self) -> dict[str, Any]:
        return self.model_dump(exclude={"given", "sql"}, exclude_none=True)


class Preview(BaseModel):
    """What a language model is shown of a result."""

    columns: list[str]
    row_count: int
    rows: list[tuple[Cell, ...]]
    extent: Extent
    empty: bool
    data_range: tuple[date, date] | None


class Rows(Result):
    """What SQL returned: as it was given, as the guard printed it, (name, server type) pairs and rows.
    `capped` says that the rows are as many as the SQL's LIMIT lets through; a compiled one lets through one
    more than was asked for. `days` are the first and last with data, where a text or a chart must know;
    `undated` says that there is data, and that none of it has a time.
    """

    given: str
    sql: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Cell, ...], ...]
    capped: bool
    elapsed: float
    rows_read: int | None
    days: tuple[date, date] | None = None
    undated: bool = False
    preview: Preview | None = None

    def shown(self) -> Any:
        return self.preview.model_dump(mode="json") if self.preview else None


class Decline(Result):
    """Why there is no answer: `failed` when a part broke, not when the data has none."""

    reason: str
    failed: bool = False
    nearest: tuple[Suggestion, ...] = ()

    def shown(self) -> str:
        return "noted"


class FoundMetric(BaseModel):
    name: str
    label: str
    description: str
    unit: str
    finest_grain: str
    dimensions: tuple[str, ...]


class Found(Result):
    """Metrics that a text may mean, and the dimensions that they may be split by."""

    metrics: tuple[FoundMetric, ...]
    dimensions: dict[str, str]


class SqlWork(Work):
    """What is known of a question's SQL. `compiled` is what `sql` was compiled from; it is empty when a
    model wrote the SQL itself. `checked` and `found` are of `sql` as it is now.
    """

    question: str
    language: str
    domain: str
    now: datetime
    searched: bool = False
    compiled: CompileMetrics | None = None
    sql: str = ""
    checked: DryRun | None = None
    found: Rows | None = None
    declined: Decline | None = None

    def reduce(self, call: ToolCall, result: Any) -> Self:
        match result:
            case Found():
                return self.having(searched=True)
            case Compiled():
                return self.having(compiled=result.asked, sql=result.sql, checked=None, found=None)
            case DryRun():
                return self._of(result).having(checked=result, found=None)
            case Rows():
                return self.ran(result)
            case Decline():
                return self.having(declined=result)
        return self

    def ran(self, rows: Rows) -> Self:
        checked = self.checked if self.sql == rows.sql else None
        return self._of(rows).having(checked=checked, found=rows)

    def _of(self, result: DryRun | Rows) -> Self:
        """With the SQL as it is now, and what it was compiled from if it is the compiled SQL and no other."""
        compiled = self.compiled if self.sql in (result.given, result.sql) else None
        return self.having(sql=result.sql, compiled=compiled)

    @property
    def assumptions(self) -> list[str]:
        return list(self.compiled.assumptions) if self.compiled else []

    @property
    def coverage(self) -> Coverage:
        if self.compiled is None:
            return Coverage(self.now)
        asked, previous = utc(self.compiled.time_range), utc(self.compiled.previous_range)
        days, undated = (self.found.days, self.found.undated) if self.found else (None, False)
        return Coverage(self.now, asked, days, previous, self.compiled.shape.average_per, undated)

    def table(self, semantic: SemanticLayer, language: str) -> Table:
        """The rows that were asked for, with their meaning."""
        assert self.found is not None
        found, compiled = self.found, self.compiled is not None
        table = read(found.columns, found.rows, semantic, language, compiled=compiled)
        if self.compiled is None:
            return replace(table, extent="cut" if found.capped else "all")
        shape, limit = self.compiled.shape.shape, self.compiled.limit
        order = tuple((shape.column(item.name), item.direction) for item in self.compiled.order_by)
        table = replace(table, order=order, extent="selected" if shape.selects else "all")
        if limit is None or len(table.rows) <= limit:
            return replace(table, extent="cut") if found.capped else table
        positions = [table.index(c.name) for c in table.columns if c.name in dict(order)]
        first, second = table.rows[limit - 1], table.rows[limit]
        tied = bool(positions) and all(first[position] == second[position] for position in positions)
        return replace(table, rows=table.rows[:limit], extent="top", tied=tied)


def utc(time_range: tuple[datetime, datetime] | None) -> Range | None:
    """A range whose ends know that they are UTC."""
    if time_range is None:
        return None
    start, end = (m.astimezone(UTC) if m.tzinfo else m.replace(tzinfo=UTC) for m in time_range)
    return start, end
