"""The figures of one metric by some groups, as MetricFlow computes them, in columns that are numbered.

What MetricFlow has no grouping for is made here: hours of the day, weeks that begin on another day, named
periods; and a running total at the end of what it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlglot import exp

from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import AtPart, Condition, Every, Group, PartOf, Period, Periods
from agents.analyst.sql.conditions import tree
from agents.analyst.sql.context import both, shown
from agents.analyst.sql.meaning import is_of_own_time, item
from warehouse.dialect import Dialect, column
from warehouse.errors import SemanticError
from warehouse.semantic import Item, Metric, Selection, SemanticLayer
from warehouse.semantic.joins import JoinedKey
from warehouse.semantic.model import METRIC_TIME

VALUE = "_v"
_DAY = Item(METRIC_TIME, "day")
_FINER = ("hour", "minute")


def key(position: int) -> str:
    """The name of the column of the group at a position."""
    return f"_k{position}"


def keys_of(table: str, count: int) -> list[exp.Expr]:
    """The columns of groups, each under its own name: where two tables are read, ClickHouse gives a bare one
    its table's too.
    """
    return [column(key(at), table).as_(key(at), quoted=True) for at in range(count)]


class Cells:
    """Of one project. `keys` are those that have to be unique for what was asked of it to be right."""

    def __init__(self, semantic: SemanticLayer, dialect: Dialect, calendar: Calendar) -> None:
        self._semantic, self.dialect, self.calendar = semantic, dialect, calendar
        self.keys: list[JoinedKey] = []

    def rows(
        self,
        metric: Metric | None,
        groups: Sequence[Group],
        where: Sequence[Condition],
        window: Period | None,
        q: float | None = None,
    ) -> exp.Query:
        """A row for each combination of the groups: `_k0`, `_k1`, ..., and the figure `_v`, or that quantile
        of what it is made of. Without a metric, the combinations that there are.
        """
        for position, group in enumerate(groups):
            if isinstance(group, Periods):
                others = [*groups[:position], *groups[position + 1 :]]
                parts = [
                    self._with_key(
                        self.rows(metric, others, where, both(window, one), q),
                        len(others),
                        position,
                        exp.Literal.string(shown(one)),
                    )
                    for one in group.periods
                ]
                return exp.union(*parts, distinct=False)
        conditions = tuple(tree(one, self._semantic, self.dialect) for one in where)
        asked = Selection(metric.name if metric else "", (), conditions, quantile=q)
        if metric and metric.kind == "cumulative":
            return self._running(metric, groups, asked, window)
        ends: tuple[datetime | None, datetime | None] = (window.start, window.end) if window else (None, None)
        if metric is None and (any(ends) or any(is_of_own_time(group) for group in groups)):
            raise SemanticError(
                "Which of them there are at a time is not known without something that happened to them. "
                "Say what: those with an order in it, or what else there is of them."
            )
        if metric and self._spans_calendar(metric) and any(isinstance(one, Every) for one in groups):
            ends = self._until_now(window)
        asked = replace(asked, window=ends)
        finer = [group for group in groups if self._is_made_here(group)]
        if metric and finer and (q or not metric.additivity.holds_over([f"{METRIC_TIME}__hour"])):
            return self._hour_by_hour(metric, groups, where, window, finer[0], q)
        return self._cells(metric, groups, asked, finer)

    def start_of(self, grain: str, moment: exp.Expr) -> exp.Expr:
        """The first day of the period that a moment lies in; weeks begin when the calendar's do."""
        shift = self.calendar.week_start if grain == "week" else 0
        if not shift:
            return self.dialect.start_of(grain, moment)
        monday = self.dialect.start_of("week", self.dialect.shifted(moment, "day", -shift))
        return self.dialect.shifted(monday, "day", shift)

    def _cells(
        self, metric: Metric | None, groups: Sequence[Group], asked: Selection, finer: Sequence[Group]
    ) -> exp.Query:
        if not finer:
            return self._named(metric, groups, asked)
        items = [_DAY if one in finer and isinstance(one, Every) else item(one) for one in groups]
        query = self._selected(replace(asked, items=tuple(dict.fromkeys(items))))
        keys = [
            self._key_of(group, column(one.column, "_cell")) for group, one in zip(groups, items, strict=True)
        ]
        value = exp.Sum(this=column(metric.name, "_cell")) if metric else exp.Literal.number(1)
        named = [one.as_(key(position), quoted=True) for position, one in enumerate(keys)]
        made = exp.select(*named, value.as_(VALUE, quoted=True)).from_(query.subquery("_cell"))
        return made.group_by(*keys)

    def _named(self, metric: Metric | None, groups: Sequence[Group], asked: Selection) -> exp.Query:
        """What MetricFlow computes, with the columns' names of here."""
        items = tuple(item(one) for one in groups)
        query = self._selected(replace(asked, items=items))
        names = [*(key(position) for position in range(len(items))), *([VALUE] if metric else [])]
        for selected, name in zip(query.selects, names, strict=True):
            selected.set("alias", exp.to_identifier(name, quoted=True))
        return query

    def _selected(self, asked: Selection) -> exp.Query:
        query, keys = self._semantic.select(asked)
        self.keys.extend(keys)
        return query

    def _is_made_here(self, group: Group) -> bool:
        of_own_weeks = isinstance(group, Every) and group.grain == "week" and self.calendar.week_start != 0
        return of_own_weeks or group == PartOf(part="hour_of_day")

    def _key_of(self, group: Group, found: exp.Expr) -> exp.Expr:
        match group:
            case PartOf(part="hour_of_day"):
                return self.dialect.part("hour_of_day", found)
            case Every(grain="week") if self._is_made_here(group):
                return self.start_of("week", found)
        return found

    def _hour_by_hour(
        self,
        metric: Metric,
        groups: Sequence[Group],
        where: Sequence[Condition],
        window: Period | None,
        group: Group,
        q: float | None,
    ) -> exp.Query:
        """What does not add up from hour to hour is computed for each hour of the day by itself."""
        if not isinstance(group, PartOf):
            raise SemanticError(
                f"{metric.name} does not add up from day to day, and is kept by weeks that begin on a Monday "
                "only. Ask for it by the day or the month."
            )
        position = list(groups).index(group)
        others = [*groups[:position], *groups[position + 1 :]]
        parts = [
            self._with_key(
                self.rows(metric, others, (*where, AtPart(part=group.part, values=(hour,))), window, q),
                len(others),
                position,
                exp.Literal.number(hour),
            )
            for hour in range(24)
        ]
        stacked = exp.union(*parts, distinct=False)
        if others:
            return stacked
        # A total is a row even of an hour in which nothing ever was.
        value = column(VALUE, "_hour")
        found = exp.select(*keys_of("_hour", 1), value.as_(VALUE, quoted=True))
        found = found.from_(stacked.subquery("_hour")).where(value.is_(exp.null()).not_())
        return found.where(value.neq(0)) if metric.zero_without_rows else found

    def _running(
        self, metric: Metric, groups: Sequence[Group], asked: Selection, window: Period | None
    ) -> exp.Query:
        """A running total goes on as long as MetricFlow's calendar: here until today, and of a longer period
        what it has come to at its end.
        """
        if any(isinstance(one, PartOf) for one in groups):
            raise SemanticError(
                f"{metric.name} is a running total, which has no weekday or hour. Ask for it by the day."
            )
        grains = [one.grain for one in groups if isinstance(one, Every)]
        if len(grains) > 1:
            raise SemanticError(f"{metric.name} is a running total: ask for it by {' or by '.join(grains)}.")
        begin, end = self._until_now(window)
        if grains and (grains[0] == metric.min_grain or grains[0] in _FINER):
            return self._named(metric, groups, replace(asked, window=(begin, end)))
        if not grains:
            begin = end - timedelta(days=1)
        items = [_DAY if isinstance(one, Every) else item(one) for one in groups]
        asked = replace(asked, items=tuple(dict.fromkeys([*items, _DAY])), window=(begin, end))
        query = self._selected(asked)
        keys = [
            self.start_of(group.grain, column(one.column, "_day"))
            if isinstance(group, Every)
            else column(one.column, "_day")
            for group, one in zip(groups, items, strict=True)
        ]
        order = exp.Order(expressions=[exp.Ordered(this=column(_DAY.column, "_day"), desc=True)])
        latest = exp.Window(this=exp.RowNumber(), partition_by=keys, order=order)
        named = [one.copy().as_(key(position), quoted=True) for position, one in enumerate(keys)]
        of_day = column(metric.name, "_day").as_(VALUE, quoted=True)
        ranked = exp.select(*named, of_day, latest.as_("_latest", quoted=True)).from_(query.subquery("_day"))
        value: exp.Expr = column(VALUE, "_cell")
        if not groups:
            # One row, of nothing where there is none: the largest of none would be 0 on ClickHouse.
            value = exp.Max(this=exp.case().when(column("_latest", "_cell").eq(1), value))
        return (
            exp.select(*keys_of("_cell", len(groups)), value.as_(VALUE, quoted=True))
            .from_(ranked.subquery("_cell"))
            .where(column("_latest", "_cell").eq(1))
        )

    def _spans_calendar(self, metric: Metric) -> bool:
        known = self._semantic.metrics
        inputs = [known[name] for name in metric.inputs if name in known]
        return metric.spans_calendar or any(self._spans_calendar(one) for one in inputs)

    def _until_now(self, window: Period | None) -> tuple[datetime | None, datetime]:
        begin, end = (window.start, window.end) if window else (None, None)
        end = min(end, self.calendar.tomorrow) if end else self.calendar.tomorrow
        if begin and begin >= end:
            raise SemanticError(f"{begin:%Y-%m-%d} lies ahead. Ask for a time that has begun.")
        return begin, end

    def _with_key(self, query: exp.Query, count: int, position: int, value: exp.Expr) -> exp.Query:
        """The rows with one more key, the same in all, at a position among the `count` there are."""
        keys = [
            column(key(one), "_part").as_(key(one + (one >= position)), quoted=True) for one in range(count)
        ]
        keys.insert(position, value.as_(key(position), quoted=True))
        return exp.select(*keys, column(VALUE, "_part").as_(VALUE, quoted=True)).from_(
            query.subquery("_part")
        )
