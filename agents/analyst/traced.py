"""Every number of a text traced to a cell of the result, or to a declared computation over its columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from agents.analyst.table import Table

Operation = Literal["sum", "mean", "min", "max", "count", "difference", "ratio"]
# A figure: sign, currency, digits with separators, decimals, and what scales it.
_FIGURE = re.compile(
    r"(?<![\w.])([-−+]?)\s?([$¥€]?)([-−]?)(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s?(%|百分|[kKmMbB万亿](?![\w])|亿|万)?"
)
_SCALES = {"%": 0.01, "k": 1e3, "m": 1e6, "b": 1e9, "万": 1e4, "亿": 1e8}
_DATES = re.compile(r"\d{4}-\d\d(?:-\d\d)?(?:[T ]\d\d:\d\d(?::\d\d)?)?|\d{4} Q[1-4]|\b\d\d:\d\d\b")
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


def figures(text: str, known: Iterable[str] = ()) -> list[Figure]:
    """The numbers of a text, without dates, list markers and the `known` texts (values such as `501
    Jeans`).
    """
    bare = _LIST_MARKERS.sub(lambda match: " " * len(match.group()), text)
    for phrase in sorted((item for item in known if re.search(r"\d", item)), key=len, reverse=True):
        bare = bare.replace(phrase, " " * len(phrase))
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
    text: str, table: Table, derived: Sequence[Derived] = (), context: Sequence[str] = ()
) -> list[str]:
    """The dates and numbers of a text that are in no cell, no declared computation and not in `context`."""
    times = table.of_role("time")
    shown = {
        table.shown(column, value) for column in times for value in table.values(column) if value is not None
    }
    surrounding = " ".join(context)
    dates = _DATES.findall(text)
    missing = [date for date in dates if date not in shown and date not in surrounding]
    names = [str(v) for column in table.of_role("category") for v in table.values(column) if v is not None]
    labels = [column.label for column in table.columns]
    cells = _cells(table)
    computed = [value for item in derived if (value := compute(item, table)) is not None]
    allowed = [figure.value for figure in figures(surrounding)]
    for figure in figures(_DATES.sub(" ", text), [*names, *labels]):
        sources = (cells, computed, allowed)
        if not any(_matches(figure, value) for values in sources for value in values):
            missing.append(figure.text)
    return missing


def compute(derived: Derived, table: Table) -> float | None:
    """The derived number recomputed from the table, or None when its column or rows do not exist."""
    if derived.operation == "count":
        return float(len(table.rows))
    try:
        column = table.index(derived.column)
        rows = [table.rows[row] for row in derived.rows] if derived.rows else list(table.rows)
    except (StopIteration, IndexError):
        return None
    values = [float(row[column]) for row in rows if isinstance(row[column], int | float)]  # type: ignore[arg-type]
    if not values:
        return None
    operations: dict[str, Callable[[list[float]], float]] = {
        "sum": sum, "mean": fmean, "min": min, "max": max,
        "difference": lambda v: v[-1] - v[0],
        "ratio": lambda v: v[-1] / v[0] if v[0] else 0.0,
    }  # fmt: skip
    return operations[derived.operation](values)


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
