"""A built dbt project that intents are asked of, and short words to write intents in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import isclose
from typing import Any

from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import By, Every, Group, Intent, Is, Measure, MetricOf, Order, Period, Slice, Value
from agents.analyst.sql import Statement, compiled
from warehouse.catalogue import Catalogue
from warehouse.client import Warehouse
from warehouse.guard import guard
from warehouse.semantic import SemanticLayer

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Project:
    """A project in a warehouse, on one day."""

    layer: SemanticLayer
    catalogue: Catalogue
    warehouse: Warehouse
    now: datetime

    def statement(self, intent: Intent) -> Statement:
        return compiled(intent, self.layer, self.warehouse, Calendar(now=self.now))

    def ask(self, intent: Intent) -> Rows:
        """The rows of an intent, through the guard as a question's are."""
        statement = self.statement(intent)
        result = self.warehouse.query(guard(statement.sql, self.catalogue, self.warehouse.dialect))
        assert result.column_names == [column.name for column in statement.columns]
        return result.rows

    def figures(self, *measures: Measure, by: Sequence[Group] = (), **more: Any) -> dict[Any, Any]:
        """The figures by group."""
        rows = self.ask(Intent(measures=measures, groups=tuple(by), **more))
        return {row[: len(by)]: row[len(by) :] for row in rows}

    def sql(self, text: str) -> Rows:
        """The rows of SQL written by hand."""
        return self.warehouse.query(text).rows


def same_rows(found: Rows, expected: Rows, ordered: bool = False) -> None:
    """That the rows are those expected; figures to nine places."""
    if not ordered:
        found, expected = sorted(found, key=_shown), sorted(expected, key=_shown)
    assert len(found) == len(expected), f"{found} are not {expected}"
    for left, right in zip(found, expected, strict=True):
        assert len(left) == len(right), f"{left} is not {right}"
        assert all(same(*pair) for pair in zip(left, right, strict=True)), f"{left} is not {right}"


def same(left: Any, right: Any) -> bool:
    numbers = (int, float, Decimal)
    if isinstance(left, numbers) and isinstance(right, numbers):
        return isclose(float(left), float(right), rel_tol=1e-9, abs_tol=1e-9)
    return bool(left == right)


def _shown(row: tuple[Any, ...]) -> list[str]:
    return [f"{float(one):.6f}" if isinstance(one, int | float | Decimal) else str(one) for one in row]


def metric(name: str) -> MetricOf:
    return MetricOf(name=name)


def by(name: str, grain: Any = None) -> By:
    return By(dimension=name, grain=grain)


def every(grain: Any) -> Every:
    return Every(grain=grain)


def is_(dimension: str, *values: Value) -> Is:
    return Is(dimension=dimension, values=values)


def of(measure: Measure, dimension: str, *values: Value) -> Slice:
    """A measure of only what has one of these values."""
    return Slice(of=measure, where=is_(dimension, *values))


def during(start: str | None, end: str | None) -> Period:
    """From the beginning of one day to the beginning of another."""
    first, last = (datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None for day in (start, end))
    return Period(start=first, end=last)


def top(measure: Measure | Group, direction: Any = "desc", part: Any = "value") -> Order:
    return Order(by=measure, direction=direction, part=part)
