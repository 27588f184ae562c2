"""Every number of a text traced to a cell of the result, or to a declared computation over its columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from statistics import fmean
from typing import Literal

from agents.analyst import dates
from agents.analyst.saying.table import ColumnMeaning, Table
from agents.analyst.units import units

Operation = Literal["sum", "mean", "min", "max", "count", "difference", "ratio"]
# A figure: sign, currency, digits with separators, decimals, and what scales it.
_BEFORE = "|".join({re.escape(unit.before) for unit in units().values() if unit.before} | {"¥", "€"})
_AFTER = {unit.after.strip(): 1 / unit.scale for unit in units().values() if unit.scale != 1}
_WHOLE_WORD = r"(?![A-Za-z0-9_])"
_SCALED = "|".join(re.escape(sign) + (_WHOLE_WORD if sign.isalnum() else "") for sign in _AFTER)
_FIGURE = re.compile(
    rf"(?<![A-Za-z0-9_.])([-−+]?)\s?((?:{_BEFORE})?)([-−]?)"
    r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"\s?({_SCALED}|百分|[kKmMbB]{_WHOLE_WORD}|[亿万])?"
)
_SCALES = _AFTER | {"k": 1e3, "m": 1e6, "b": 1e9, "万": 1e4, "亿": 1e8}
_LIST_MARKERS = re.compile(r"(?m)^\s*(?:[-*]\s+)?\d+[.)、]\s")


@dataclass(frozen=True)
class Derived:
    """A number that is no cell: an operation over a column's values (rows empty: all of them)."""

    operation: Operation
    column: str
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A number as written: its text, its value, and half a unit of its last digit."""

    text: str
    value: float
    tolerance: float


def figures(text: str) -> list[Figure]:
    """The numbers of a text, without list markers."""
    bare = _LIST_MARKERS.sub(lambda match: " " * len(match.group()), text)
    found = []
    for match in _FIGURE.finditer(bare):
        sign, _, inner, digits, scale = match.groups()
        factor = _SCALES.get((scale or "").lower(), 1.0)
        decimals = len(digits.partition(".")[2])
        value = float(digits.replace(",", "")) * factor
        negative = sign in ("-", "−") or inner in ("-", "−")
        found.append(
            Figure(match.group().strip(), -value if negative else value, 0.5 * 10**-decimals * factor)
        )
    return found


def untraced(
    text: str,
    table: Table,
    derived: Sequence[Derived] = (),
    context: Sequence[str] = (),
    days: Iterable[date] = (),
) -> list[str]:
    """The dates and numbers of a text that are in no cell, no declared computation, not in `context` and none
    of the `days`. A cell's date may be written in any way at its grain.
    """
    surrounding = " ".join(context)
    names = [table.shown(column, v) for column in table.of_role("category") for v in table.values(column)]
    labels = [column.label for column in table.columns]
    keys = {*dates.read(surrounding), *_keys(table)}
    keys |= {key for day in days for key in dates.keys_of(datetime(day.year, day.month, day.day), "day")}
    bare, missing = dates.unknown(_blank(text, [*names, *labels]), keys)
    cells = _cells(table)
    computed = [value for item in derived if (value := compute(item, table)) is not None]
    allowed = [figure.value for figure in figures(dates.unknown(surrounding, keys)[0])]
    for figure in figures(bare):
        sources = (cells, computed, allowed)
        if not any(_matches(figure, value) for values in sources for value in values):
            missing.append(figure.text)
    return missing


def _keys(table: Table) -> set[str]:
    """The keys of the dates in the result's time cells, each at its grain."""
    return {
        key
        for column in table.of_role("time")
        for value in table.values(column)
        if value is not None
        for key in dates.keys_of(datetime.fromisoformat(str(value)), column.grain or "minute")
    }


def _blank(text: str, phrases: Iterable[str]) -> str:
    """The text without phrases that hold digits but no figure, values such as `501 Jeans`; a value that is
    all digits is none of a longer number's.
    """
    for phrase in sorted((item for item in phrases if re.search(r"\d", item)), key=len, reverse=True):
        alone = rf"(?<![A-Za-z0-9])(?<!\d[.,]){re.escape(phrase)}(?![A-Za-z0-9]|[.,]\d)"
        text = re.sub(alone, " " * len(phrase), text)
    return text


def compute(derived: Derived, table: Table) -> float | None:
    """The derived number recomputed from the table, or None when its column or rows do not exist."""
    if derived.operation == "count":
        return None if table.extent == "cut" else float(len(table.rows))
    try:
        position = table.index(derived.column)
        rows = [table.rows[row] for row in derived.rows] if derived.rows else list(table.rows)
    except (StopIteration, IndexError):
        return None
    values = [float(cell) for row in rows if isinstance(cell := row[position], int | float)]
    if not values or not _is_meaningful(derived, table, table.columns[position]):
        return None
    operations: dict[str, Callable[[list[float]], float | None]] = {
        "sum": sum, "mean": fmean, "min": min, "max": max,
        "difference": lambda v: v[-1] - v[0],
        "ratio": lambda v: v[-1] / v[0] if v[0] else None,
    }  # fmt: skip
    return operations[derived.operation](values)


def _is_meaningful(derived: Derived, table: Table, column: ColumnMeaning) -> bool:
    """Whether an operation says something true of its rows: a sum of what adds up, a mean of amounts and not
    of rates, and of all rows only when they are all that was asked about.
    """
    if not derived.rows and table.extent != "all":
        return False
    if derived.operation == "sum":
        summed = tuple(table.rows[row] for row in derived.rows) or table.rows
        return replace(table, rows=summed, extent="all").adds_up(column)
    return derived.operation != "mean" or column.additivity.kind != "none"


def _cells(table: Table) -> list[float]:
    return [
        float(value)
        for row in table.rows
        for value in row
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def _matches(figure: Figure, value: float) -> bool:
    """Equal to the digits shown; a sign may be said in words (`fell by 5`)."""
    slack = figure.tolerance * (1 + 1e-9) + 1e-12
    return abs(figure.value - value) <= slack or (figure.value > 0 and abs(figure.value + value) <= slack)
