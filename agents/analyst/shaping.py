"""What MetricFlow does not say about a metric: its share of the total, its mean a period, its growth from
one period to the next, and thresholds on it, as SQL around a compiled metric query.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlglot import exp

from agents.analyst.linker.plan import Shape
from warehouse.dialect import Dialect, column, ordered
from warehouse.errors import SemanticError
from warehouse.semantic import Metric, MetricQuery
from warehouse.semantic.model import METRIC_TIME

_COMPARE = {">": exp.GT, ">=": exp.GTE, "<": exp.LT, "<=": exp.LTE}


def shaped_sql(
    query: MetricQuery,
    shape: Shape,
    known: Mapping[str, Metric],
    compile_query: Callable[[MetricQuery], str],
    dialect: Dialect,
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
    tree = dialect.parse(compile_query(inner))
    keys = [*query.group_by] if part is None else [*query.group_by, part.dimension]
    metrics = [known[name] for name in query.metrics]
    if shape.average_per:
        everything = compile_query(replace(inner, group_by=inner.group_by[:1], filters=()))
        tree = _average(tree, dialect.parse(everything), keys, metrics, shape.average_per, dialect)
    elif shape.share:
        tree = _share(tree, keys, metrics, dialect)
    elif shape.growth:
        tree = _growth(tree, keys, query.metrics, dialect)
    shaped = exp.select("*").from_(tree.subquery("_shaped"))
    for item in shape.thresholds:
        threshold = dialect.literal(item.value)
        shaped = shaped.where(_COMPARE[item.op](this=column(item.metric, "_shaped"), expression=threshold))
    if part is not None:
        values = [dialect.literal(str(value)) for value in part.values]
        shaped = shaped.where(column(part.dimension, "_shaped").isin(*values))
    order = [(shape.column(name), direction) for name, direction in query.order_by]
    order += [(key, "asc") for key in keys if key not in dict(query.order_by)]
    if order:
        shaped = shaped.order_by(*(ordered(column(name, "_shaped"), direction) for name, direction in order))
    if query.limit is not None:
        shaped = shaped.limit(query.limit)
    return dialect.render(shaped, pretty=True)


# The layer's names begin with a letter, so what begins with an underscore here cannot be one of them.


def _average(
    tree: exp.Query,
    everything: exp.Query,
    keys: list[str],
    metrics: list[Metric],
    grain: str,
    dialect: Dialect,
) -> exp.Query:
    """Every group's sum over the number of periods that `everything`, the query without its filters, has: a
    day without an order from Poland counts. What is unknown where it has no row has the periods of the
    groups, and needs a row in every one.
    """
    period = f"{METRIC_TIME}__{grain}"
    means = []
    for metric in metrics:
        if not metric.has_amounts:
            raise SemanticError(f"{metric.name} has no amount in each {grain} to take the mean of.")
        value = column(metric.name, "_counted")
        total: exp.Expr = exp.Sum(this=value)
        periods = exp.Max(this=column("_every_period", "_counted"))
        if not metric.zero_without_rows:
            periods = exp.Max(this=column("_periods", "_counted"))
            total = exp.case().when(exp.Count(this=value.copy()).eq(periods), total)
        means.append(dialect.ratio(total, periods).as_(f"{metric.name}_per_{grain}", quoted=True))
    # What has no time is in no period.
    all_periods, own = column(period, "_all"), column(period, "_base")
    every = (
        exp.select(_distinct(all_periods)).from_(everything.subquery("_all")).where(_is_there(all_periods))
    )
    counted = (
        exp.select(
            "*",
            every.subquery("_every_period"),
            exp.Window(this=_distinct(own)).as_("_periods"),
        )
        .from_(tree.subquery("_base"))
        .where(_is_there(own))
    )
    kept = [column(key, "_counted") for key in keys]
    return exp.select(*kept, *means).from_(counted.subquery("_counted")).group_by(*kept)


def _share(tree: exp.Query, keys: list[str], metrics: list[Metric], dialect: Dialect) -> exp.Query:
    """Shares within each period where there are periods, else of everything; none where a part is unknown."""
    times = [key for key in keys if key.startswith(f"{METRIC_TIME}__")]
    parts = [key for key in keys if key not in times]

    def over(call: exp.Expr) -> exp.Expr:
        return exp.Window(this=call, partition_by=[column(key, "_base") for key in times])

    columns: list[exp.Expr] = [column(key, "_base") for key in keys]
    for metric in metrics:
        if not metric.additivity.holds_over(parts):
            raise SemanticError(
                f"{metric.name} does not add up over {', '.join(parts)}, so it has no shares there. "
                "Ask for the figures themselves."
            )
        value = column(metric.name, "_base")
        total = over(exp.Sum(this=value.copy()))
        if not metric.zero_without_rows:
            all_known = over(exp.Count(this=value.copy())).eq(over(exp.Count(this=exp.Star())))
            total = exp.case().when(all_known, total)
        columns += [value, dialect.ratio(value, total).as_(f"{metric.name}_share", quoted=True)]
    return exp.select(*columns).from_(tree.subquery("_base"))


def _growth(tree: exp.Query, keys: list[str], metrics: tuple[str, ...], dialect: Dialect) -> exp.Query:
    """Each period against the one right before it; none where that one has no row."""
    columns: list[exp.Expr] = [column(key, "_base") for key in keys]
    time, grain = columns[0], keys[0].removeprefix(f"{METRIC_TIME}__")
    follows = dialect.previous(time, time).eq(dialect.shifted(time, grain, -1))
    for name in metrics:
        value = column(name, "_base")
        before = exp.case().when(follows, dialect.previous(value, time))
        rate = dialect.ratio(value - before, exp.Abs(this=before))
        columns += [value, rate.as_(f"{name}_change_rate", quoted=True)]
    return exp.select(*columns).from_(tree.subquery("_base"))


def _distinct(value: exp.Expr) -> exp.Expr:
    return exp.Count(this=exp.Distinct(expressions=[value.copy()]))


def _is_there(value: exp.Expr) -> exp.Expr:
    return value.is_(exp.null()).not_()
