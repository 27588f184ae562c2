"""A result with its meaning: which column is time, category or measure, its name and its unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from agents.analyst import units
from agents.analyst.intent import By, Change, Every, Intent, PartOf, Periods, Share
from agents.analyst.saying.labels import label
from agents.analyst.saying.names import Names
from agents.analyst.sql import Column, Statement
from agents.analyst.sql.statement import UNPROVEN
from warehouse.semantic import Additivity

Role = Literal["time", "category", "measure"]
Part = Literal["value", "before", "change", "change_rate"]
_PARTS: dict[str, Part] = {"before": "before", "change": "change", "change_rate": "change_rate"}
Extent = Literal["all", "selected", "top", "cut"]
Cell = str | int | float | bool | None


@dataclass(frozen=True)
class ColumnMeaning:
    """A column. `unit` is a name of units.yml or empty. `grain` is set on time columns, `own` on those of the
    metrics' own time. `values` are what the cells of a category are called where they are numbers: weekdays.
    `part` is which figure of two compared periods it is, of the measure whose values are in the column `of`.
    `steps` is how far back a change is from, where it is one along a series. What the semantic layer did not
    compute has no proven `additivity`.
    """

    name: str
    label: str
    role: Role
    unit: str = ""
    grain: str = ""
    own: bool = False
    values: tuple[str, ...] = ()
    part: Part = "value"
    of: str = ""
    steps: Literal["", "period", "year"] = ""
    additivity: Additivity = UNPROVEN
    zero_without_rows: bool = False


@dataclass(frozen=True)
class Table:
    """Columns with their meanings and rows of plain JSON values; times are ISO text in UTC.

    `order` is what the rows are ordered by: (column, direction). `extent` says what they are of what was
    asked about: `all`, those `selected` by their own figures, the `top` ones asked for of more, or as many as
    one query may return of more (`cut`). `tied`: a row left out equals the last one shown. The top ones are
    those of each `partition`, a combination of these columns' values.
    """

    columns: tuple[ColumnMeaning, ...]
    rows: tuple[tuple[Cell, ...], ...]
    order: tuple[tuple[str, str], ...] = ()
    extent: Extent = "all"
    tied: bool = False
    partition: tuple[str, ...] = ()

    def of_role(self, role: Role) -> list[ColumnMeaning]:
        return [column for column in self.columns if column.role == role]

    def index(self, name: str) -> int:
        return next(index for index, column in enumerate(self.columns) if column.name == name)

    def values(self, column: ColumnMeaning) -> list[Cell]:
        position = self.index(column.name)
        return [row[position] for row in self.rows]

    def part(self, column: ColumnMeaning, part: Part) -> ColumnMeaning | None:
        """The same measure's figure of the earlier period, or how they differ."""
        return next((one for one in self.columns if one.of == column.name and one.part == part), None)

    @property
    def compared(self) -> bool:
        """Whether the figures of two periods stand side by side."""
        return any(column.part == "before" for column in self.columns)

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
    statement: Statement,
    intent: Intent,
    rows: Sequence[Sequence[Cell]],
    names: Names,
    language: str,
    capped: bool = False,
) -> Table:
    """The rows that were asked for, with their meaning. `capped`: they are as many as one query may return.
    Figures are rounded to their unit here, once: all that is made of the rows agrees.
    """
    columns = meanings(statement.columns, names, language)
    table = Table(
        columns,
        tuple(tuple(_rounded(v, c.unit) for c, v in zip(columns, row, strict=True)) for row in rows),
        _order(statement.columns, intent),
        "selected" if intent.having or _is_selected(intent) else "all",
    )
    if statement.limit is not None:
        table = _limited(table, statement, intent)
    return replace(table, extent="cut") if capped and table.extent == "all" else table


def unproven(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Cell]], capped: bool) -> Table:
    """The rows of SQL that was not made from an intent: (name, server type) pairs are all that is known."""
    return Table(
        tuple(_by_type(name, kind) for name, kind in columns),
        tuple(map(tuple, rows)),
        extent="cut" if capped else "all",
    )


def meanings(columns: Sequence[Column], names: Names, language: str) -> tuple[ColumnMeaning, ...]:
    """Of a statement's columns."""
    values = {column.meaning: column.name for column in columns if column.role in ("value", "order")}
    return tuple(_meaning(column, values, names, language) for column in columns)


def _meaning(column: Column, values: dict[Any, str], names: Names, language: str) -> ColumnMeaning:
    said, of = label(column, names, language), column.meaning
    match of:
        case Every():
            return ColumnMeaning(column.name, said, "time", grain=of.grain, own=True)
        case By() if grain := _grain(of, names):
            return ColumnMeaning(column.name, said, "time", grain=grain)
        case PartOf():
            return ColumnMeaning(column.name, said, "category", values=_part_values(of.part, language))
        case By() | Periods():
            return ColumnMeaning(column.name, said, "category")
    part = _PARTS.get(column.role, "value")
    return ColumnMeaning(
        column.name,
        said,
        "measure",
        column.unit,
        part=part,
        of="" if part == "value" else values.get(of, ""),
        steps=of.back if isinstance(of, Change) else "",
        additivity=column.additivity,
        zero_without_rows=column.zero_without_rows,
    )


def _grain(group: By, names: Names) -> str:
    """Of a time that is not the metrics' own; empty for what is no time."""
    dimension = names.semantic.dimensions.get(group.dimension)
    return (group.grain or "day") if dimension and dimension.type == "time" else ""


def _is_selected(intent: Intent) -> bool:
    """Whether the rows are parts of a whole that was not asked for."""
    return any(isinstance(measure, Share) and measure.of_which for measure in intent.measures)


def _order(columns: Sequence[Column], intent: Intent) -> tuple[tuple[str, str], ...]:
    """What the rows are ordered by."""
    order = intent.ordering
    if order is None:
        return ()
    # How large a change is, up or down, is no column's own order.
    roles = ("order",) if order.part == "absolute_change" else ("order", order.part, "key")
    found = (column.name for column in columns if column.meaning == order.by and column.role in roles)
    return tuple((name, order.direction) for name in [next(found, "")] if name)


def _limited(table: Table, statement: Statement, intent: Intent) -> Table:
    """Without the one row more that each part was asked for to see what is left out."""
    limit = statement.limit
    assert limit is not None
    parts = [column.name for column in statement.columns if column.meaning in intent.partition]
    keys = [table.index(name) for name in parts]
    ordered = [table.index(name) for name, _ in table.order]
    kept: list[tuple[Cell, ...]] = []
    seen: dict[tuple[Cell, ...], list[tuple[Cell, ...]]] = {}
    more = tied = False
    for row in table.rows:
        part = seen.setdefault(tuple(row[key] for key in keys), [])
        if len(part) < limit:
            part.append(row)
            kept.append(row)
            continue
        more = True
        tied = tied or (bool(ordered) and all(row[at] == part[-1][at] for at in ordered))
    return replace(
        table,
        rows=tuple(kept),
        extent="top" if more else table.extent,
        tied=tied,
        partition=tuple(parts),
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
    if column.values:
        return column.values[int(value)]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return units.unit(column.unit).text(value) if column.role == "measure" else str(value)


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


@cache
def _part_values(part: str, language: str) -> tuple[str, ...]:
    """What the numbers of weekdays, hours, ... are called, by number."""
    texts = yaml.safe_load(Path(__file__).with_name("labels.yml").read_text(encoding="utf-8"))["values"]
    named = texts[part][language]
    return tuple(named) if isinstance(named, list) else tuple(named.format(number) for number in range(32))


def _by_type(name: str, kind: str) -> ColumnMeaning:
    return ColumnMeaning(name, name.replace("__", " ").replace("_", " ").capitalize(), _role_of_type(kind))


def _role_of_type(kind: str) -> Role:
    bare = kind.removeprefix("LowCardinality(").removeprefix("Nullable(")
    if bare.startswith(("Date", "date", "timestamp")):
        return "time"
    return "measure" if bare.startswith(("Int", "UInt", "Float", "Decimal")) else "category"
