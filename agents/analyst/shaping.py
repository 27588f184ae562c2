"""What MetricFlow does not say about a metric: its share of the total, its mean a period, its growth from
one period to the next, and thresholds on it, as SQL around a compiled metric query.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from agents.analyst.linker.plan import Shape
from warehouse.semantic import MetricQuery
from warehouse.semantic.expressions import as_float, quoted
from warehouse.semantic.model import METRIC_TIME


def shaped_sql(query: MetricQuery, shape: Shape, compile_query: Callable[[MetricQuery], str]) -> str:
    """The query's SQL with its shape around it.

    Columns: the group-by items, then for each metric `<m>` and what the shape adds: `<m>_share`,
    `<m>_change_rate`, or `<m>_per_<grain>` in the metric's place.
    """
    inner = replace(query, order_by=(), limit=None)
    part = next((item for item in query.filters if item.dimension == shape.share_of), None)
    if part is not None:
        others = tuple(item for item in query.filters if item is not part)
        inner = replace(inner, filters=others, group_by=(*query.group_by, part.dimension))
    if shape.average_per:
        inner = replace(inner, group_by=(f"{METRIC_TIME}__{shape.average_per}", *query.group_by))
    sql = compile_query(inner)
    keys = [*query.group_by] if part is None else [*query.group_by, part.dimension]
    if shape.average_per:
        sql = _average(sql, keys, query.metrics, shape.average_per)
    elif shape.share:
        sql = _share(sql, keys, query.metrics)
    elif shape.growth:
        sql = _growth(sql, keys, query.metrics)
    conditions = [f"_shaped.{quoted(item.metric)} {item.op} {item.value!r}" for item in shape.thresholds]
    if part is not None:
        values = ", ".join(exp.Literal.string(str(value)).sql(dialect="clickhouse") for value in part.values)
        conditions.append(f"_shaped.{quoted(part.dimension)} IN ({values})")
    lines = [f"SELECT * FROM ({sql}) AS _shaped"]
    if conditions:
        lines.append(f"WHERE {' AND '.join(conditions)}")
    order = [
        f"_shaped.{quoted(shape.column(name))} {direction.upper()}" for name, direction in query.order_by
    ]
    order += [f"_shaped.{quoted(key)}" for key in keys if key not in dict(query.order_by)]
    if order:
        lines.append(f"ORDER BY {', '.join(order)}")
    if query.limit is not None:
        lines.append(f"LIMIT {query.limit}")
    return "\n".join(lines)


# The layer's names begin with a letter, so what begins with an underscore here cannot be one of them.


def _average(sql: str, keys: list[str], metrics: tuple[str, ...], grain: str) -> str:
    """Every group's sum over the number of periods that any group has: a day without an order counts."""
    means = [
        f"{as_float(f'sum(_counted.{quoted(name)})')} / nullIf(max(_counted._periods), 0) "
        f"AS {quoted(f'{name}_per_{grain}')}"
        for name in metrics
    ]
    period = quoted(f"{METRIC_TIME}__{grain}")
    counted = f"SELECT *, uniqExact(_base.{period}) OVER () AS _periods FROM ({sql}) AS _base"
    group = f" GROUP BY {', '.join(_of('_counted', keys))}" if keys else ""
    return f"SELECT {', '.join([*_kept('_counted', keys), *means])} FROM ({counted}) AS _counted{group}"


def _share(sql: str, keys: list[str], metrics: tuple[str, ...]) -> str:
    """Shares within each period where there are periods, else of everything."""
    times = [key for key in keys if key.startswith(f"{METRIC_TIME}__")]
    window = f"PARTITION BY {', '.join(_of('_base', times))}" if times else ""
    columns = _kept("_base", keys)
    for name in metrics:
        value = f"_base.{quoted(name)}"
        share = f"{as_float(value)} / nullIf(sum({value}) OVER ({window}), 0)"
        columns += [f"{value} AS {quoted(name)}", f"{share} AS {quoted(f'{name}_share')}"]
    return f"SELECT {', '.join(columns)} FROM ({sql}) AS _base"


def _growth(sql: str, keys: list[str], metrics: tuple[str, ...]) -> str:
    columns = _kept("_base", keys)
    for name in metrics:
        value = f"_base.{quoted(name)}"
        before = f"lagInFrame(toNullable({value})) OVER (ORDER BY _base.{quoted(keys[0])})"
        rate = f"{as_float(f'{value} - {before}')} / nullIf(abs({before}), 0)"
        columns += [f"{value} AS {quoted(name)}", f"{rate} AS {quoted(f'{name}_change_rate')}"]
    return f"SELECT {', '.join(columns)} FROM ({sql}) AS _base"


def _of(alias: str, keys: list[str]) -> list[str]:
    return [f"{alias}.{quoted(key)}" for key in keys]


def _kept(alias: str, keys: list[str]) -> list[str]:
    return [f"{column} AS {quoted(key)}" for column, key in zip(_of(alias, keys), keys, strict=True)]
