"""A measure as an expression over the leaves that it is made of."""

from __future__ import annotations

from sqlglot import exp

from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import (
    By,
    Change,
    CountOf,
    Difference,
    Every,
    Mean,
    Measure,
    MetricOf,
    QuantileOf,
    Ratio,
    Running,
    Share,
    Slice,
)
from agents.analyst.sql.context import Context
from agents.analyst.sql.leaves import Cell, Folded, Leaf, Level
from agents.analyst.sql.meaning import Meanings, item
from agents.analyst.sql.sheet import Sheet
from warehouse.dialect import Dialect
from warehouse.errors import SemanticError
from warehouse.semantic.model import GRAINS, METRIC_TIME

_ZERO = exp.Literal.number(0)


class Figures:
    """On one sheet."""

    def __init__(self, sheet: Sheet, meanings: Meanings, dialect: Dialect, calendar: Calendar) -> None:
        self._sheet, self._meanings = sheet, meanings
        self._dialect, self._calendar = dialect, calendar

    def figure(self, measure: Measure, context: Context, level: Level | None = None) -> exp.Expr:
        """The measure by the sheet's groups, or by those of a level. Raises `SemanticError` for what says
        nothing: a share of what does not add up, a change along no time.
        """
        level = self._sheet.all if level is None else level
        match measure:
            case MetricOf(name=name):
                self._check_running(name, level)
                # A calendar that ends before today has no row for a running total, which is no zero.
                zero = self._meanings.is_zero_without_rows(measure) and not self._meanings.runs(name)
                return self._filled(Cell(name, context, level), zero)
            case Slice(of=of, where=where, window=window):
                return self.figure(of, context.sliced(where, window), level)
            case Ratio(numerator=numerator, denominator=denominator):
                above = self.figure(numerator, context, level)
                return self._dialect.ratio(exp.paren(above), self.figure(denominator, context, level))
            case Difference(left=left, right=right):
                return exp.paren(
                    exp.Sub(
                        this=self.figure(left, context, level), expression=self.figure(right, context, level)
                    )
                )
            case CountOf():
                return self._filled(self._count(measure, context, level), True)
            case QuantileOf(of=of, q=q, per=None):
                return self._of_values(of, q, context, level)
            case QuantileOf() | Mean():
                return self._sheet.value(self._folded(measure, context, level))
            case Share():
                return self._share(measure, context)
            case Change():
                return self._change(measure, context)
            case Running():
                return self._running(measure, context)

    def _check_running(self, name: str, level: Level) -> None:
        """Only of a whole running total is it known what it has come to at the end of a month."""
        if self._meanings.metric(name).kind == "cumulative" or not self._meanings.runs(name):
            return
        if not any(self._sheet.groups[at] == Every(grain="day") for at in level):
            raise SemanticError(
                f"{name} is made of a running total, so it is known for single days only. Ask for it by "
                "the day."
            )

    def _filled(self, leaf: Leaf, zero: bool) -> exp.Expr:
        value = self._sheet.value(leaf)
        if not zero:
            return value
        if not leaf.level:
            # A total is a row, with or without rows beneath it.
            return exp.Coalesce(this=value, expressions=[_ZERO.copy()])
        filled = exp.case().when(self._sheet.has(leaf), value)
        if leaf.context.shift and leaf.context.shift.in_series:
            # Nothing is known of the time before there were data.
            time = self._sheet.key(self._sheet.series())
            first = self._sheet.over(exp.Min(this=exp.case().when(self._sheet.has(leaf), time.copy())), ())
            return filled.when(exp.GTE(this=time, expression=first), _ZERO.copy())
        return filled.else_(_ZERO.copy())

    def _count(self, measure: CountOf, context: Context, level: Level) -> Leaf:
        of = MetricOf(name=measure.among) if measure.among else None
        return Folded("count", of, By(dimension=measure.of), context, level, measure.having)

    def _of_values(self, of: Measure, q: float, context: Context, level: Level) -> exp.Expr:
        match of:
            case Slice(of=whole, where=where, window=window):
                return self._of_values(whole, q, context.sliced(where, window), level)
            case MetricOf(name=name):
                self._meanings.metric(name)
                return self._sheet.value(Cell(name, context, level, q))
        raise SemanticError(
            f"{self._named(of)} is computed from other figures and has no single values. Ask for the "
            "quantile of its figures in each day, or for each of something."
        )

    def _folded(self, measure: QuantileOf | Mean, context: Context, level: Level) -> Leaf:
        assert measure.per is not None
        if isinstance(measure, QuantileOf):
            return Folded("quantile", measure.of, measure.per, context, level, q=measure.q)
        runs = any(self._meanings.runs(one) for one in self._meanings.metrics(measure.of))
        if runs or self._meanings.additivity(measure.of).kind == "none":
            raise SemanticError(
                f"{self._named(measure.of)} is no amount of which there is a part in each "
                f"{item(measure.per).column}, so it has no mean over them. Ask for the figure itself."
            )
        return Folded("mean", measure.of, measure.per, context, level)

    def _share(self, measure: Share, context: Context) -> exp.Expr:
        of, groups = measure.of, self._sheet.groups
        if not set(groups).issuperset(measure.within):
            raise SemanticError("What a share is within is no group of the answer. Group by it too.")
        within: Level = tuple(groups.index(one) for one in measure.within)
        part: Measure = Slice(of=of, where=measure.of_which) if measure.of_which else of
        if measure.of_which and not within:
            within = self._sheet.all
        if within == self._sheet.all and not measure.of_which:
            raise SemanticError("A share needs groups that have one each. Ask for it by something.")
        value = self.figure(part, context)
        return self._dialect.ratio(exp.paren(value), self._whole(of, value, context, within))

    def _whole(self, of: Measure, value: exp.Expr, context: Context, within: Level) -> exp.Expr:
        """The figure of all groups that are alike in some."""
        additivity = self._meanings.additivity(of)
        over = [item(group).column for at, group in enumerate(self._sheet.groups) if at not in within]
        if additivity.kind == "none":
            raise SemanticError(
                f"{self._named(of)} does not add up, so nothing has a share of it. Ask for the figures "
                "themselves."
            )
        if within == self._sheet.all or not additivity.holds_over(over):
            if additivity.kind != "distinct" and within != self._sheet.all:
                raise SemanticError(
                    f"{self._named(of)} does not add up over {', '.join(over)}, so it has no shares there. "
                    "Ask for the figures themselves."
                )
            return self._sheet.spread(self.figure(of, context, within), within)
        return self._total(of, context, within)

    def _total(self, of: Measure, context: Context, within: Level) -> exp.Expr:
        value = self._plain(of, context)
        total: exp.Expr = self._sheet.over(exp.Sum(this=value), within)
        if self._meanings.is_zero_without_rows(of):
            return total
        known = self._sheet.over(exp.Count(this=value.copy()), within)
        everything = self._sheet.over(exp.Count(this=exp.Star()), within)
        return exp.case().when(known.eq(everything), total)

    def _change(self, measure: Change, context: Context) -> exp.Expr:
        grain = self._sheet.grain()
        unit, count = ("year", 1) if measure.back == "year" else (grain, 1)
        if measure.back == "year" and grain == "week":
            unit, count = "week", 52
        if measure.back == "year" and grain in GRAINS[: GRAINS.index("day")]:
            raise SemanticError(f"A year back is counted by the day or longer, not by the {grain}.")
        value = self.figure(measure.of, context)
        before = self.figure(measure.of, context.back(unit, count, grain, self._calendar))
        difference = exp.paren(exp.Sub(this=value, expression=before))
        if measure.form == "difference":
            return difference
        return self._dialect.ratio(difference, exp.Abs(this=before.copy()))

    def _running(self, measure: Running, context: Context) -> exp.Expr:
        series = self._sheet.series()
        time = item(self._sheet.groups[series]).column
        if not self._meanings.additivity(measure.of).holds_over([time, f"{METRIC_TIME}__day"]):
            raise SemanticError(
                f"{self._named(measure.of)} does not add up over time, so it has no running total. Ask for "
                "the figures themselves."
            )
        others = tuple(position for position in self._sheet.all if position != series)
        total = self._sheet.over(
            exp.Sum(this=self._plain(measure.of, context)), others, self._sheet.key(series)
        )
        if measure.since:
            if GRAINS.index(measure.since) <= GRAINS.index(self._sheet.grain()):
                raise SemanticError(
                    f"A running total by the {self._sheet.grain()} cannot begin anew each {measure.since}."
                )
            since = self._dialect.start_of(measure.since, self._sheet.key(series))
            total.set("partition_by", [*total.args["partition_by"], since])
        # What has no time comes after the last.
        dated = self._sheet.key(series).is_(exp.null()).not_()
        return exp.case().when(dated, total)

    def _plain(self, of: Measure, context: Context) -> exp.Expr:
        """A measure to be summed, in which no other window may stand."""
        found = self.figure(of, context)
        if not found.find(exp.Window):
            return found
        if context.shift and isinstance(of, MetricOf | CountOf):
            return self._sheet.value(self._leaf(of, context))
        raise SemanticError(f"{self._named(of)} cannot be summed once more. Ask for one of both.")

    def _leaf(self, of: MetricOf | CountOf, context: Context) -> Leaf:
        if isinstance(of, MetricOf):
            return Cell(of.name, context, self._sheet.all)
        return self._count(of, context, self._sheet.all)

    def _named(self, measure: Measure) -> str:
        return " and ".join(dict.fromkeys(self._meanings.metrics(measure))) or "This"
