"""The days that there is data of: a figure of no such day is unknown, not 0."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from sqlglot import exp

from agents.analyst.intent import Period
from warehouse import Warehouse
from warehouse.dialect import column
from warehouse.semantic import MetricQuery, SemanticLayer
from warehouse.semantic.model import GRAINS, METRIC_TIME

_TTL_SECONDS = 300.0


class Days:
    """The first and the last day with a row for a metric; asked once in five minutes, by any thread."""

    def __init__(self, semantic: SemanticLayer, warehouse: Warehouse) -> None:
        self._semantic, self._warehouse = semantic, warehouse
        self._known: dict[str, tuple[float, tuple[date, date] | None, bool]] = {}
        self._lock = threading.Lock()

    def of(self, metric: str) -> tuple[date, date] | None:
        """None where the metric has no time, or no rows at all."""
        return self._days(metric)[1]

    def of_any(self, metrics: Iterable[str]) -> tuple[date, date] | None:
        """The first and the last day with a row for any of them."""
        found = [days for metric in metrics if (days := self.of(metric))]
        return (min(first for first, _ in found), max(last for _, last in found)) if found else None

    def undated(self, metrics: Iterable[str]) -> bool:
        """Whether there are rows, and none of them has a time."""
        found = [self._days(metric) for metric in metrics]
        return any(rows for _, _, rows in found) and all(days is None for _, days, _ in found)

    def outside(self, metric: str, period: Period) -> bool:
        """Whether a period lies wholly before the first day or after the last."""
        days = self.of(metric)
        if days is None:
            return False
        first, last = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days)
        begins_after = period.start is not None and period.start >= last + timedelta(days=1)
        return begins_after or (period.end is not None and period.end <= first)

    def _days(self, metric: str) -> tuple[float, tuple[date, date] | None, bool]:
        with self._lock:
            known = self._known.get(metric)
            if known is None or known[0] < time.monotonic():
                known = (time.monotonic() + _TTL_SECONDS, *self._asked(metric))
                self._known[metric] = known
        return known

    def _asked(self, metric: str) -> tuple[tuple[date, date] | None, bool]:
        """The days, and whether there are rows at all."""
        grains = self._semantic.metrics[metric].grains
        grain = next((one for one in ("day", *GRAINS) if one in grains), None)
        if grain is None:
            return None, False
        name = f"{METRIC_TIME}__{grain}"
        query = MetricQuery((metric,), group_by=(name,))
        inner = self._warehouse.dialect.parse(self._semantic.compile(query, self._warehouse))
        day, figure = column(name, "_days"), column(metric, "_days")
        asked = (
            exp.select(exp.Min(this=day), exp.Max(this=day), exp.Count(this=day.copy()), "count(*)")
            .from_(inner.subquery("_days"))
            .where(figure.is_(exp.null()).not_())
        )
        first, last, days, rows = self._warehouse.query(asked).rows[0]
        return ((_day(first), _day(last)) if days else None), rows > 0


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value
