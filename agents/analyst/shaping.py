"""What MetricFlow does not say about a metric: its share of the total, its mean a period, its growth from
one period to the next, and thresholds on it, as SQL around a compiled metric query.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlglot import exp

from agents.analyst.linker.plan import Shape
from warehouse.errors import SemanticError
from warehouse.semantic import Metric, MetricQuery
from warehouse.semantic.expressions import as_float, quoted
from warehouse.semantic.model import METRIC_TIME


def shaped_sql(
    query: MetricQuery, shape: Shape, known: Mapping[str, Metric], compile_query: Callable[[MetricQuery], str]
) -> str:
    """The query's SQL with its shape around it; `known` are the metrics by name.

    Columns: the group-by items, then for each metric `<m>` and what the shape adds: `<m>_share`,
    `<m>_change_rate`, or `<m>_per_<grain>` in the metric's place. Raises `SemanticError` for shares of what
    does not add up and means over the periods of what has no amount in each.
    """
    inner = replace(query, order_by=(), limit=None)
    part = next((item for item in query.filters if item.dimension == shape.share_of), None)
    if part is not None:
        others = tuple(item for item in query.filters if item is not part)
        inner = replace(inner, filters=others, group_by=(*query.group_by, part.dimension))
    if shape.average_per:
        inner = replace(inner, group_by=(f"{METRIC_TIME}__{shape.average_per}", *query.group_by))
    sql = compile_query(inner)
    everything = (
        compile_query(replace(inner, group_by=inner.group_by[:1], filters=())) if shape.average_per else ""
    )
    keys = [*query.group_by] if part is None else [*query.group_by, part.dimension]
    metrics = [known[name] for name in query.metrics]
    if shape.average_per:
        sql = _average(sql, everything, keys, metrics, shape.average_per)
    elif shape.share:
        sql = _share(sql, keys, metrics)
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


def _average(sql: str, everything: str, keys: list[str], metrics: list[Metric], grain: str) -> str:
    """Every group's sum over the number of periods that `everything`, the query without its filters, has: a
    day without an order from Poland counts. What is unknown where it has no row has the periods of the
    groups, and needs a row in every one.
    """
    period = quoted(f"{METRIC_TIME}__{grain}")
    means = []
    for metric in metrics:
        if not metric.has_amounts:
            raise SemanticError(f"{metric.name} has no amount in each {grain} to take the mean of.")
        value = f"_counted.{quoted(metric.name)}"
        total, periods = f"sum({value})", "max(_counted._every_period)"
        if not metric.zero_without_rows:
            periods = "max(_counted._periods)"
            total = f"if(count({value}) = {periods}, {total}, NULL)"
        mean = f"{as_float(total)} / nullIf({periods}, 0)"
        means.append(f"{mean} AS {quoted(f'{metric.name}_per_{grain}')}")
    # What has no time is in no period.
    every = f"SELECT uniqExact(_all.{period}) FROM ({everything}) AS _all WHERE _all.{period} IS NOT NULL"
    counted = (
        f"SELECT *, ({every}) AS _every_period, uniqExact(_base.{period}) OVER () AS _periods "
        f"FROM ({sql}) AS _base WHERE _base.{period} IS NOT NULL"
    )
    group = f" GROUP BY {', '.join(_of('_counted', keys))}" if keys else ""
    return f"SELECT {', '.join([*_kept('_counted', keys), *means])} FROM ({counted}) AS _counted{group}"


def _share(sql: str, keys: list[str], metrics: list[Metric]) -> str:
    """Shares within each period where there are periods, else of everything; none where a part is unknown."""
    times = [key for key in keys if key.startswith(f"{METRIC_TIME}__")]
    parts = [key for key in keys if key not in times]
    window = f"PARTITION BY {', '.join(_of('_base', times))}" if times else ""
    columns = _kept("_base", keys)
    for metric in metrics:
        if not metric.additivity.holds_over(parts):
            raise SemanticError(
                f"{metric.name} does not add up over {', '.join(parts)}, so it has no shares there. "
                "Ask for the figures themselves."
            )
        value = f"_base.{quoted(metric.name)}"
        total = f"sum({value}) OVER ({window})"
        if not metric.zero_without_rows:
            total = f"if(count({value}) OVER ({window}) = count() OVER ({window}), {total}, NULL)"
        share = f"{as_float(value)} / nullIf({total}, 0)"
        columns += [f"{value} AS {quoted(metric.name)}", f"{share} AS {quoted(f'{metric.name}_share')}"]
    return f"SELECT {', '.join(columns)} FROM ({sql}) AS _base"


def _growth(sql: str, keys: list[str], metrics: tuple[str, ...]) -> str:
    """Each period against the one right before it; none where that one has no row."""
    columns = _kept("_base", keys)
    time, grain = f"_base.{quoted(keys[0])}", keys[0].removeprefix(f"{METRIC_TIME}__")
    follows = f"lagInFrame(toNullable({time})) OVER (ORDER BY {time}) = {time} - INTERVAL 1 {grain}"
    for name in metrics:
        value = f"_base.{quoted(name)}"
        before = f"if({follows}, lagInFrame(toNullable({value})) OVER (ORDER BY {time}), NULL)"
        rate = f"{as_float(f'{value} - {before}')} / nullIf(abs({before}), 0)"
        columns += [f"{value} AS {quoted(name)}", f"{rate} AS {quoted(f'{name}_change_rate')}"]
    return f"SELECT {', '.join(columns)} FROM ({sql}) AS _base"


def _of(alias: str, keys: list[str]) -> list[str]:
    return [f"{alias}.{quoted(key)}" for key in keys]


def _kept(alias: str, keys: list[str]) -> list[str]:
    return [f"{column} AS {quoted(key)}" for column, key in zip(_of(alias, keys), keys, strict=True)]
