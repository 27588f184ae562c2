"""What the SQL stage's tools are given, and what is known of a question's SQL after each of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from agents.analyst.coverage import Coverage, Range
from agents.analyst.linker.plan import Shape, Threshold
from agents.analyst.table import Cell, Table, read
from agents.runtime.work import Work
from warehouse.semantic import SemanticLayer


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
        asked, previous = utc(self.compiled.time_range), utc(self.compiled.previous_range)
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


def utc(time_range: tuple[datetime, datetime] | None) -> Range | None:
    """A range whose ends know that they are UTC."""
    if time_range is None:
        return None
    start, end = (m.astimezone(UTC) if m.tzinfo else m.replace(tzinfo=UTC) for m in time_range)
    return start, end
