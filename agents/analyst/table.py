"""A result with its meaning: which column is time, category or measure, its name and its unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from agents.analyst import units
from warehouse.semantic import Additivity, Metric, SemanticLayer
from warehouse.semantic.model import METRIC_TIME

Role = Literal["time", "category", "measure"]
Extent = Literal["all", "selected", "top", "cut"]
Cell = str | int | float | bool | None
_UNPROVEN = Additivity("none")
# What is made of a metric: English, Chinese, unit if another. A rate of rates or of parts adds up to nothing.
_RATES = {
    "_change_rate": (" change rate", "变化率", "ratio"),
    "_share": (" share", "占比", "ratio"),
}
_SUFFIXES = _RATES | {
    "_previous": (" before", "（对比期）", ""),
    "_change": (" change", "变化", ""),
    "_per_minute": (" per minute", "（每分钟平均）", ""),
    "_per_hour": (" per hour", "（每小时平均）", ""),
    "_per_day": (" per day", "（日均）", ""),
    "_per_week": (" per week", "（周均）", ""),
    "_per_month": (" per month", "（月均）", ""),
    "_per_quarter": (" per quarter", "（季均）", ""),
    "_per_year": (" per year", "（年均）", ""),
}
_GRAINS_ZH = {
    "day": "日期",
    "week": "周",
    "month": "月份",
    "quarter": "季度",
    "year": "年份",
    "hour": "小时",
    "minute": "分钟",
}


@dataclass(frozen=True)
class ColumnMeaning:
    """A column. `unit` is a name of units.yml or empty; `grain` is set on time columns. What the semantic
    layer computed has its metric's `additivity` and `zero_without_rows`; of other SQL nothing is known.
    """

    name: str
    label: str
    role: Role
    unit: str = ""
    grain: str = ""
    additivity: Additivity = _UNPROVEN
    zero_without_rows: bool = False


@dataclass(frozen=True)
class Table:
    """Columns with their meanings and rows of plain JSON values; times are ISO text in UTC.

    `order` is what the rows are ordered by: (column, direction). `extent` says what they are of what was
    asked about: `all`, those `selected` by their own figures, the `top` ones asked for of more, or as many as
    one query may return of more (`cut`). `tied`: the first row left out equals the last one shown.
    """

    columns: tuple[ColumnMeaning, ...]
    rows: tuple[tuple[Cell, ...], ...]
    order: tuple[tuple[str, str], ...] = ()
    extent: Extent = "all"
    tied: bool = False

    def of_role(self, role: Role) -> list[ColumnMeaning]:
        return [column for column in self.columns if column.role == role]

    def index(self, name: str) -> int:
        return next(index for index, column in enumerate(self.columns) if column.name == name)

    def values(self, column: ColumnMeaning) -> list[Cell]:
        position = self.index(column.name)
        return [row[position] for row in self.rows]

    @property
    def empty(self) -> bool:
        """No rows, or no measure that is anything but missing or zero."""
        positions = [index for index, column in enumerate(self.columns) if column.role == "measure"]
        return not self.rows or (
            bool(positions) and all(not row[index] for row in self.rows for index in positions)
        )

    @property
    def ranked(self) -> bool:
        """Whether the rows stand in the order of their figures, not of their times or names."""
        return any(column.role == "measure" for column in self.columns if column.name in dict(self.order))

    def adds_up(self, column: ColumnMeaning) -> bool:
        """Whether the sum over the rows is the figure of the whole that was asked about."""
        groups = [other.name for other in self.columns if other.role != "measure"]
        known = column.zero_without_rows or all(value is not None for value in self.values(column))
        return self.extent == "all" and known and column.additivity.holds_over(groups)

    def shown(self, column: ColumnMeaning, value: Cell) -> str:
        return show(value, column)


def read(
    columns: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[Cell]],
    semantic: SemanticLayer,
    language: str,
    compiled: bool,
) -> Table:
    """Give (name, server type) columns their meaning: by the semantic layer's names if it `compiled` the SQL,
    else by their types. Figures are rounded to their unit here, once: all that is made of the rows agrees.
    """
    meanings = tuple(
        (_meaning(name, semantic, language) if compiled else None) or _by_type(name, kind)
        for name, kind in columns
    )
    return Table(
        meanings,
        tuple(tuple(_rounded(v, c.unit) for c, v in zip(meanings, row, strict=True)) for row in rows),
    )


def _rounded(value: Cell, unit: str) -> Cell:
    return units.unit(unit).rounded(value) if isinstance(value, float) else value


def plain(value: Any) -> Cell:
    """A warehouse value as JSON has it: times as ISO text, decimals as floats, NaN and infinities as None."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


def show(value: Cell, column: ColumnMeaning) -> str:
    """A value as people read it, in its unit."""
    if value is None:
        return "–"
    if column.role == "time":
        return show_time(str(value), column.grain)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return units.unit(column.unit).text(value)


def show_time(value: str, grain: str) -> str:
    moment = datetime.fromisoformat(value)
    if grain == "year":
        return f"{moment:%Y}"
    if grain == "quarter":
        return f"{moment:%Y} Q{(moment.month + 2) // 3}"
    if grain == "month":
        return f"{moment:%Y-%m}"
    if grain in ("day", "week") or (not grain and moment.hour == moment.minute == moment.second == 0):
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M}"


def _meaning(name: str, semantic: SemanticLayer, language: str) -> ColumnMeaning | None:
    zh = language == "zh"
    if name in semantic.metrics:
        return _measure(name, semantic.metrics[name], "", "", zh)
    for suffix, (english, chinese, unit) in _SUFFIXES.items():
        base = name.removesuffix(suffix)
        if base != name and base in semantic.metrics:
            column = _measure(name, semantic.metrics[base], english, chinese, zh)
            if suffix in _RATES:
                return replace(column, unit=unit, additivity=_UNPROVEN, zero_without_rows=False)
            if suffix == "_change":
                return replace(column, unit=units.unit(column.unit).changes_by or column.unit)
            return column
    head, _, grain = name.rpartition("__")
    if head == METRIC_TIME or (head in semantic.dimensions and semantic.dimensions[head].type == "time"):
        return ColumnMeaning(
            name, _GRAINS_ZH.get(grain, grain) if zh else grain.capitalize(), "time", grain=grain
        )
    if name in semantic.dimensions:
        dimension = semantic.dimensions[name]
        return ColumnMeaning(name, (dimension.label_zh if zh else "") or dimension.label, "category")
    return None


def _measure(name: str, metric: Metric, english: str, chinese: str, zh: bool) -> ColumnMeaning:
    label = f"{metric.label_zh or metric.label}{chinese}" if zh else f"{metric.label}{english}"
    return ColumnMeaning(
        name,
        label,
        "measure",
        metric.unit,
        additivity=metric.additivity,
        zero_without_rows=metric.zero_without_rows,
    )


def _by_type(name: str, kind: str) -> ColumnMeaning:
    return ColumnMeaning(name, name.replace("__", " ").replace("_", " ").capitalize(), _role_of_type(kind))


def _role_of_type(kind: str) -> Role:
    bare = kind.removeprefix("LowCardinality(").removeprefix("Nullable(")
    if bare.startswith(("Date", "date", "timestamp")):
        return "time"
    return "measure" if bare.startswith(("Int", "UInt", "Float", "Decimal")) else "category"
