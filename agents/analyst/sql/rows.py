"""The rows of a leaf: of a metric from the semantic layer, of many figures from a sheet of their own."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from agents.analyst.intent import Every, Group
from agents.analyst.sql.cells import VALUE, Cells, key
from agents.analyst.sql.conditions import compare
from agents.analyst.sql.context import Context
from agents.analyst.sql.figures import Figures
from agents.analyst.sql.leaves import Cell, Folded, Leaf
from agents.analyst.sql.meaning import Meanings, is_of_own_time
from agents.analyst.sql.sheet import Sheet
from warehouse.dialect import column


class Rows:
    """Of one project on one warehouse."""

    def __init__(self, cells: Cells, meanings: Meanings) -> None:
        self._cells, self._meanings = cells, meanings
        self._dialect = cells.dialect

    def sheet(self, groups: Sequence[Group]) -> tuple[Sheet, Figures]:
        sheet = Sheet(groups, self.of, self._dialect)
        return sheet, Figures(sheet, self._meanings, self._dialect, self._cells.calendar)

    def of(self, leaf: Leaf, groups: Sequence[Group]) -> exp.Query:
        """A leaf by some groups."""
        if isinstance(leaf, Cell):
            metric, context = self._meanings.metric(leaf.metric), leaf.context
            return self._cells.rows(metric, groups, context.where, context.window)
        if leaf.of is None and not leaf.having:
            each = self._cells.rows(None, (*groups, leaf.per), leaf.context.where, leaf.context.window)
            return self._fold(leaf, each, groups, exp.null(), [])
        return self._folded(leaf, groups)

    def _folded(self, leaf: Folded, groups: Sequence[Group]) -> exp.Query:
        sheet, figures = self.sheet((*groups, leaf.per))
        context = Context(leaf.context.where, leaf.context.window)
        columns: dict[str, exp.Expr] = {key(at): sheet.key(at) for at in sheet.all}
        if leaf.of is not None:
            columns[VALUE] = figures.figure(leaf.of, context)
        bounds = {f"_t{at}": figures.figure(one.measure, context) for at, one in enumerate(leaf.having)}
        if leaf.of is not None and leaf.how != "count" and isinstance(leaf.per, Every):
            self._fill_periods(leaf, groups, sheet, context)
        conditions = [
            compare(one.op, column(f"_t{at}", "_each"), self._dialect.literal(one.value))
            for at, one in enumerate(leaf.having)
        ]
        each = sheet.select({**columns, **bounds})
        return self._fold(leaf, each, groups, column(VALUE, "_each"), conditions)

    def _fold(
        self,
        leaf: Folded,
        each: exp.Query,
        groups: Sequence[Group],
        value: exp.Expr,
        conditions: Sequence[exp.Expr],
    ) -> exp.Query:
        keys = [column(key(at), "_each") for at in range(len(groups))]
        last = column(key(len(groups)), "_each")
        folded = (
            exp.select(*keys, self._come_to(leaf, value, last).as_(VALUE, quoted=True))
            .from_(each.subquery("_each"))
            .where(last.is_(exp.null()).not_(), *conditions)
        )
        return folded.group_by(*keys) if keys else folded

    def _come_to(self, leaf: Folded, value: exp.Expr, last: exp.Expr) -> exp.Expr:
        if leaf.how == "count":
            return exp.Count(this=last.copy())
        if leaf.how == "quantile":
            return self._dialect.quantile(value, leaf.q)
        mean = exp.Avg(this=self._dialect.as_float(value))
        if isinstance(leaf.per, Every):
            # Of a level that nobody took in one of the periods there is no mean.
            known = exp.Count(this=value.copy()).eq(exp.Count(this=exp.Star()))
            return exp.case().when(known, mean)
        return mean

    def _fill_periods(self, leaf: Folded, groups: Sequence[Group], sheet: Sheet, context: Context) -> None:
        """A day without an order from Poland counts, as long as there was an order from anywhere."""
        assert leaf.of is not None
        metrics = [self._meanings.metric(one) for one in dict.fromkeys(self._meanings.metrics(leaf.of))]
        times = [at for at, group in enumerate(groups) if is_of_own_time(group)]
        others = [at for at in range(len(groups)) if at not in times]
        if not others and not context.where:
            return
        periods = [groups[at] for at in times]
        days = (
            exp.union(
                *(self._cells.rows(one, (*periods, leaf.per), (), context.window) for one in metrics),
                distinct=False,
            )
            if len(metrics) > 1
            else self._cells.rows(metrics[0], (*periods, leaf.per), (), context.window)
        )
        day = column(key(len(times)), "_days")
        shown = [column(key(at), "_days") for at in range(len(times))]
        each_day = (
            exp.select(*shown, day).distinct().from_(days.subquery("_days")).where(day.is_(exp.null()).not_())
        )
        if not others:
            sheet.add_rows(each_day)
            return
        found = [self._cells.rows(one, groups, context.where, context.window) for one in metrics]
        all_groups = exp.union(*found, distinct=False) if len(found) > 1 else found[0]
        each_group = (
            exp.select(*(column(key(at), "_groups") for at in range(len(groups))))
            .distinct()
            .from_(all_groups.subquery("_groups"))
        )
        keys: list[exp.Expr] = [column(key(at), "_group") for at in range(len(groups))]
        keys.append(column(key(len(times)), "_day").as_(key(len(groups)), quoted=True))
        same = [
            exp.EQ(this=column(key(at), "_group"), expression=column(key(index), "_day"))
            for index, at in enumerate(times)
        ]
        made = exp.select(*keys).from_(each_group.subquery("_group"))
        if same:
            made = made.join(each_day.subquery("_day"), on=exp.and_(*same), join_type="inner")
        else:
            made = made.join(each_day.subquery("_day"), join_type="cross")
        sheet.add_rows(made)
