"""Two periods of one query set side by side in one statement."""

from __future__ import annotations

from collections.abc import Collection

from warehouse.errors import SemanticError
from warehouse.semantic.expressions import as_float, quoted
from warehouse.semantic.model import MetricQuery

ABS_CHANGE = "abs_change"


def comparison_sql(query: MetricQuery, current: str, previous: str, zeros: Collection[str]) -> str:
    """Both compiled periods, stacked and folded by the group-by items.

    Stacking keeps groups that only one period has, and groups whose key is NULL, without a full join. In a
    group that one period lacks, the metrics in `zeros` are 0 there and any other is NULL.
    """
    keys = [quoted(name) for name in query.group_by]
    _check_columns(query)
    # The layer's names begin with a letter, so these cannot be one of them.
    folded = [f"_periods.{key} AS {key}" for key in keys]
    columns = [f"_folded.{key} AS {key}" for key in keys]
    for metric in query.metrics:
        now, before = quoted(metric), quoted(f"{metric}_previous")
        for alias, period in ((now, 1), (before, 0)):
            value = f"max(if(_periods._is_current = {period}, _periods.{now}, NULL))"
            folded.append(f"{f'coalesce({value}, 0)' if metric in zeros else value} AS {alias}")
        change = f"_folded.{now} - _folded.{before}"
        columns += [
            f"_folded.{now} AS {now}",
            f"_folded.{before} AS {before}",
            f"{change} AS {quoted(f'{metric}_change')}",
            f"{as_float(change)} / nullIf(abs(_folded.{before}), 0) AS {quoted(f'{metric}_change_rate')}",
        ]
    group = ", ".join(f"_periods.{key}" for key in keys)
    lines = [
        f"SELECT {', '.join(columns)}",
        f"FROM (SELECT {', '.join(folded)}",
        f"FROM (SELECT *, 1 AS _is_current FROM ({current}) AS _current",
        f"UNION ALL SELECT *, 0 AS _is_current FROM ({previous}) AS _previous) AS _periods",
        f"{f'GROUP BY {group}' if keys else ''}) AS _folded",
    ]
    order = [f"{_order_expression(name, query)} {direction.upper()}" for name, direction in query.order_by]
    order += [quoted(name) for name in query.group_by if name not in dict(query.order_by)]
    if order:
        lines.append(f"ORDER BY {', '.join(order)}")
    if query.limit is not None:
        lines.append(f"LIMIT {query.limit}")
    return "\n".join(lines)


def _columns(query: MetricQuery) -> list[str]:
    suffixes = ("", "_previous", "_change", "_change_rate")
    return [*query.group_by, *(f"{metric}{suffix}" for metric in query.metrics for suffix in suffixes)]


def _check_columns(query: MetricQuery) -> None:
    columns = _columns(query)
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise SemanticError(
            f"{', '.join(twice)} would be the name of two columns. Compare these metrics one by one."
        )


def _order_expression(name: str, query: MetricQuery) -> str:
    if name == ABS_CHANGE:
        return f"abs({quoted(f'{query.metrics[0]}_change')})"
    known = _columns(query)
    if name not in known:
        raise SemanticError(
            f"A comparison cannot be ordered by {name!r}. Use one of: {', '.join([*known, ABS_CHANGE])}."
        )
    return quoted(name)
