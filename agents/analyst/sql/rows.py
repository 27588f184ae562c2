"""The rows of a leaf: of a metric from the semantic layer, of many figures from a sheet of their own."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from agents.analyst.intent import AllOf, AtPart, By, Condition, Every, Group, MetricOf, Not
from agents.analyst.sql.cells import VALUE, Cells, key, keys_of
from agents.analyst.sql.conditions import compare
from agents.analyst.sql.context import Context
from agents.analyst.sql.figures import Figures
from agents.analyst.sql.leaves import Cell, Folded, Leaf
from agents.analyst.sql.meaning import Meanings, is_of_own_time
from agents.analyst.sql.sheet import Sheet
from warehouse.dialect import column
from warehouse.errors import SemanticError
from warehouse.semantic.model import GRAINS

_EACH, _COUNTS = "_each", "_counts"


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
            return self._of_cell(leaf, groups)
        _check(leaf, groups)
        each = self._each(leaf, (*groups, leaf.per))
        keys = [column(key(at), _EACH) for at in range(len(groups))]
        folded = exp.select(
            *keys_of(_EACH, len(groups)),
            self._come_to(leaf, len(groups), _COUNTS in each.named_selects).as_(VALUE, quoted=True),
        )
        folded = folded.from_(each.subquery(_EACH))
        folded = folded.where(column(key(len(groups)), _EACH).is_(exp.null()).not_())
        return folded.group_by(*keys) if keys else folded

    def _of_cell(self, cell: Cell, groups: Sequence[Group]) -> exp.Query:
        metric, context = self._meanings.metric(cell.metric), cell.context
        return self._cells.rows(metric, groups, context.where, context.window, cell.q)

    def _each(self, leaf: Folded, groups: Sequence[Group]) -> exp.Query:
        """The figure of each of what is folded, and whether it counts."""
        context = Context(leaf.context.where, leaf.context.window)
        if leaf.of is None and not leaf.having:
            return self._cells.rows(None, groups, context.where, context.window)
        sheet, figures = self.sheet(groups)
        columns: dict[str, exp.Expr] = {key(at): sheet.key(at) for at in sheet.all}
        if leaf.of is not None:
            columns[VALUE] = figures.figure(leaf.of, context)
        bounds = [
            compare(one.op, figures.figure(one.measure, context), self._dialect.literal(one.value))
            for one in leaf.having
        ]
        if leaf.of is not None and isinstance(leaf.per, By):
            # Who only cancelled has no part in what was earned, but 0 of what was sent back.
            seen = self._meanings.counts(leaf.of)
            if seen == "amount" and isinstance(leaf.of, MetricOf):
                amount = sheet.value(Cell(leaf.of.name, context, sheet.all, 0.5)).is_(exp.null()).not_()
                columns[VALUE] = exp.case().when(amount, columns[VALUE])
                bounds.append(amount.copy())
            elif seen == "zero" and leaf.how == "count":
                bounds.append(columns[VALUE].copy().neq(0))
        if bounds:
            columns[_COUNTS] = exp.and_(*bounds)
        if leaf.how != "count" and isinstance(leaf.per, Every):
            self._fill_periods(sheet, leaf.per)
        return sheet.select(columns, only_wanted=True)

    def _come_to(self, leaf: Folded, last: int, bounded: bool) -> exp.Expr:
        value: exp.Expr = column(VALUE, _EACH)
        if leaf.how == "count":
            each: exp.Expr = column(key(last), _EACH)
            return exp.Count(this=exp.case().when(column(_COUNTS, _EACH), each) if bounded else each)
        if isinstance(leaf.per, By) and not leaf.per.grain:
            # What has no name is no one thing.
            name = self._dialect.as_text(column(key(last), _EACH))
            named = exp.Coalesce(this=name, expressions=[exp.Literal.string("")]).neq("")
            value = exp.case().when(named, value)
        if leaf.how == "quantile":
            return self._dialect.quantile(value, leaf.q)
        mean = exp.Avg(this=self._dialect.as_float(value))
        if not isinstance(leaf.per, Every):
            return mean
        # Of a level that nobody took in one of the periods there is no mean.
        return exp.case().when(exp.Count(this=value.copy()).eq(exp.Count(this=exp.Star())), mean)

    def _fill_periods(self, sheet: Sheet, per: Every) -> None:
        """A row for each group and each of the periods, the last group, in which there are data of anything:
        a day without an order from Poland counts, as long as there was one from anywhere. Of weekdays alone,
        only those count.
        """
        *groups, period = sheet.groups
        times = [at for at, group in enumerate(groups) if is_of_own_time(group)]
        cells = [cell for leaf in sheet.leaves for cell in _cells(leaf)]
        if not cells or (len(times) == len(groups) and not any(cell.context.where for cell in cells)):
            return
        of_time = [*(groups[at] for at in times), period]
        unfiltered = [
            Cell(one.metric, Context(_of_time(one.context.where, per), one.context.window), (), one.q)
            for one in cells
        ]
        days = _combinations([self._of_cell(one, of_time) for one in dict.fromkeys(unfiltered)], len(of_time))
        days = days.where(column(key(len(times)), _EACH).is_(exp.null()).not_())
        found = _combinations([self._of_cell(one, groups) for one in cells], len(groups))
        day = column(key(len(times)), "_day").as_(key(len(groups)), quoted=True)
        alike = [
            exp.EQ(this=column(key(at), "_group"), expression=column(key(index), "_day"))
            for index, at in enumerate(times)
        ]
        made = exp.select(*keys_of("_group", len(groups)), day).from_(days.subquery("_day"))
        if not groups:
            sheet.add_rows(made)
        elif alike:
            sheet.add_rows(made.join(found.subquery("_group"), on=exp.and_(*alike), join_type="inner"))
        else:
            sheet.add_rows(made.join(found.subquery("_group"), join_type="cross"))


def _cells(leaf: Leaf) -> list[Cell]:
    """Whose rows tell when there were data: the metric itself, or that among whose rows is counted."""
    if isinstance(leaf, Cell):
        return [leaf]
    return [Cell(leaf.of.name, leaf.context, leaf.level)] if isinstance(leaf.of, MetricOf) else []


def _of_time(where: Sequence[Condition], per: Every) -> tuple[Condition, ...]:
    """Of which periods is spoken, whatever happened in them: working days. Hours leave no day out."""
    found: list[Condition] = []
    for one in where:
        at = one.of if isinstance(one, Not) else one
        if isinstance(one, AllOf):
            found += _of_time(one.of, per)
        elif isinstance(at, AtPart) and (at.part != "hour_of_day" or per.grain in ("hour", "minute")):
            found.append(one)
    return tuple(found)


def _combinations(queries: Sequence[exp.Query], count: int) -> exp.Select:
    """The different keys of some rows; one empty one where there are none."""
    stacked = exp.union(*queries, distinct=False) if len(queries) > 1 else queries[0]
    return (
        exp.select(*(keys_of(_EACH, count) or [exp.Literal.number(1)]))
        .distinct()
        .from_(stacked.subquery(_EACH))
    )


def _check(leaf: Folded, groups: Sequence[Group]) -> None:
    """Raises `SemanticError` where there is nothing to fold: days of each day."""
    for group in groups:
        own = group == leaf.per
        if isinstance(group, Every) and isinstance(leaf.per, Every):
            own = GRAINS.index(group.grain) <= GRAINS.index(leaf.per.grain)
        if own:
            what = leaf.per.grain if isinstance(leaf.per, Every) else leaf.per.dimension
            raise SemanticError(
                f"A figure of all the {what}s says nothing by something that is no larger. Ask for it by "
                f"something larger than the {what}, or for the figures themselves."
            )
