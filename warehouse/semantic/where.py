"""Filters and time ranges as MetricFlow's WHERE templates, with every value quoted."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from warehouse.dialect import Dialect
from warehouse.errors import SemanticError
from warehouse.semantic.model import GRAINS, METRIC_TIME, Dimension, Filter, Value
from warehouse.semantic.selection import BRACES, split

_STEPS = {
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
    "millisecond": timedelta(milliseconds=1),
    "microsecond": timedelta(microseconds=1),
}
_TICKS_ENOUGH = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def where_filter(condition: Filter, dimension: Dimension, dialect: Dialect) -> str:
    """One condition as a template. Raises `SemanticError` for a wrong number of values."""
    if not condition.values or (condition.op not in ("in", "not in") and len(condition.values) != 1):
        raise SemanticError(
            f"The filter on {condition.dimension} with {condition.op!r} has {len(condition.values)} values; "
            "it takes one, or with 'in' and 'not in' at least one."
        )
    values = ", ".join(_quote(value, dialect) for value in condition.values)
    if condition.op in ("in", "not in"):
        values = f"({values})"
    if dimension.type == "time":
        grain = "second" if isinstance(condition.values[0], datetime) else "day"
        reference = _time_dimension(dimension.name, grain)
    else:
        own, path = split(dimension.name)
        reference = f"{{{{ Dimension('{own}', entity_path={path}) }}}}"
    return f"{reference} {condition.op} {values}"


def where_dated(item: str) -> str:
    """The rows that have a time, for a group-by item such as `metric_time__month`."""
    name, _, grain = item.rpartition("__")
    return f"{_time_dimension(name, grain)} IS NOT NULL"


def where_time(
    time_range: tuple[datetime | None, datetime | None], grains: Collection[str], dialect: Dialect
) -> list[str]:
    """A half-open range on metric_time, at the coarsest grain that both ends fall on; an end may be open.

    `grains` are those that the metrics are kept by. Where an end lies between two ticks of the finest, the
    range takes in the whole tick: the last one always, since data later than "now" does not exist; the first
    one only in a range of ten ticks or more, where it matters little. A shorter one raises `SemanticError`.
    """
    start, end = (_utc(moment) if moment else None for moment in time_range)
    if start and end and start >= end:
        raise SemanticError(f"The time range from {start} to {end} is empty.")
    ends = [moment for moment in (start, end) if moment]
    grain = _grain(ends, grains) if ends else "day"
    step = _STEPS[grain]
    column = _time_dimension(METRIC_TIME, grain)
    conditions = []
    if start:
        into = (start - _EPOCH) % step
        if into and end and end - start < _TICKS_ENOUGH * step:
            raise SemanticError(
                f"The metric is kept by the {grain}, so a range of {end - start} from {start} cannot be cut "
                f"from it. Start the range at a whole {grain}."
            )
        conditions.append(f"{column} >= {_tick(start - into, grain, dialect)}")
    if end:
        conditions.append(f"{column} < {_tick(end + -(end - _EPOCH) % step, grain, dialect)}")
    return conditions


def _tick(moment: datetime, grain: str, dialect: Dialect) -> str:
    return _quote(moment.date() if grain == "day" else moment, dialect)


def _time_dimension(name: str, grain: str) -> str:
    own, path = split(name)
    return f"{{{{ TimeDimension('{own}', '{grain}', entity_path={path}) }}}}"


def _grain(ends: Iterable[datetime], grains: Collection[str]) -> str:
    usable = [grain for grain in reversed(GRAINS) if grain in grains and grain in _STEPS]
    if not usable:
        raise SemanticError(
            "The metric is kept by the week or coarser, so a time range cannot be cut from it."
        )
    for grain in usable:
        if not any((moment - _EPOCH) % _STEPS[grain] for moment in ends):
            return grain
    return usable[-1]


def _quote(value: Value, dialect: Dialect) -> str:
    return dialect.render(dialect.literal(value)).translate(BRACES)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
