"""What is known of a measure's figures before any is computed: unit, over what they add up, whether nothing
there means 0, and a name for their column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agents.analyst import units
from agents.analyst.intent import (
    By,
    Change,
    CountOf,
    Difference,
    Every,
    Group,
    Mean,
    Measure,
    MetricOf,
    PartOf,
    Periods,
    QuantileOf,
    Ratio,
    Running,
    Share,
    Slice,
)
from agents.analyst.sql.statement import UNPROVEN
from warehouse.errors import UnknownMetricError
from warehouse.names import nearest
from warehouse.semantic import Additivity, Item, Metric, SemanticLayer
from warehouse.semantic.model import METRIC_TIME

_RANK = ("additive", "semi-additive", "distinct", "none")


class Meanings:
    """Of the measures over one project."""

    def __init__(self, semantic: SemanticLayer) -> None:
        self._semantic = semantic

    def metric(self, name: str) -> Metric:
        known = self._semantic.metrics
        if name not in known:
            raise UnknownMetricError(name, nearest(name, known, 5))
        return known[name]

    def runs(self, name: str) -> bool:
        """Whether a metric is a running total or made of one."""
        metric = self.metric(name)
        return metric.kind == "cumulative" or any(
            self.runs(one) for one in metric.inputs if one in self._semantic.metrics
        )

    def counts(self, measure: Measure) -> str:
        """How it is seen that something had a part in a figure: by one that is not `zero`, by an `amount` of
        its own, be it 0, or, empty, by its rows.
        """
        if not isinstance(measure, MetricOf):
            return ""
        metric = self.metric(measure.name)
        if metric.sums_some:
            return "amount"
        return "zero" if metric.aggregation in ("count", "count_distinct", "sum_boolean") else ""

    def additivity(self, measure: Measure) -> Additivity:
        match measure:
            case MetricOf(name=name):
                return self.metric(name).additivity
            case Slice(of=of):
                return self.additivity(of)
            case Difference(left=left, right=right):
                return _weaker(self.additivity(left), self.additivity(right))
            case CountOf():
                return Additivity("distinct")
            case Running(of=of):
                found = self.additivity(of)
                return _weaker(found, Additivity("semi-additive", (METRIC_TIME,)))
        return UNPROVEN

    def is_zero_without_rows(self, measure: Measure) -> bool:
        match measure:
            case MetricOf(name=name):
                return self.metric(name).zero_without_rows
            case Slice(of=of):
                return self.is_zero_without_rows(of)
            case Difference(left=left, right=right):
                return self.is_zero_without_rows(left) and self.is_zero_without_rows(right)
            case CountOf():
                return True
        return False

    def unit(self, measure: Measure) -> str:
        match measure:
            case MetricOf(name=name):
                return self.metric(name).unit
            case CountOf():
                return "count"
            case Share():
                return "ratio"
            case Change(of=of, form=form):
                return "ratio" if form == "rate" else self.change_unit(of)
            case Difference(left=left, right=right):
                return self.change_unit(left) if self.unit(left) == self.unit(right) else ""
            case Ratio(numerator=numerator, denominator=denominator):
                above, below = self.unit(numerator), self.unit(denominator)
                if above == below == "count" and self._counted(numerator) != self._counted(denominator):
                    # 3.4 calls a run, and no 340 %.
                    return ""
                if above == below:
                    return "ratio" if above else ""
                return above if below == "count" else ""
            case Slice(of=of) | Mean(of=of) | QuantileOf(of=of) | Running(of=of):
                return self.unit(of)

    def _counted(self, measure: Measure) -> tuple[str, ...]:
        """The things that it counts, and where; what counts rows counts what these are keyed by."""
        match measure:
            case CountOf(of=of):
                return (of,)
            case MetricOf(name=name):
                metric = self.metric(name)
                found = metric.counts or metric.counts_some
                if not found and metric.aggregation in ("count", "sum_boolean"):
                    keyed = (
                        one for one in self._semantic.entities.values() if set(metric.tables) & set(one.keyed)
                    )
                    found = next((one.name for one in keyed), "")
                return (found,) if found else metric.tables
            case Slice(of=of):
                return self._counted(of)
        return ()

    def change_unit(self, measure: Measure) -> str:
        unit = self.unit(measure)
        return units.unit(unit).changes_by or unit

    def metrics(self, measure: Measure) -> Iterator[str]:
        """The metrics that it is computed from."""
        match measure:
            case MetricOf(name=name):
                yield name
            case CountOf(among=among):
                if among:
                    yield among
            case Ratio(numerator=left, denominator=right) | Difference(left=left, right=right):
                yield from self.metrics(left)
                yield from self.metrics(right)
            case _:
                yield from self.metrics(measure.of)


def is_of_own_time(group: Group) -> bool:
    """Whether it depends on the metrics' own time alone."""
    return isinstance(group, Every | PartOf | Periods)


def item(group: Group) -> Item:
    """What the semantic layer is asked for, or, of periods, what additivity is asked about."""
    match group:
        case By(dimension=name, grain=grain):
            return Item(name, grain or "")
        case Every(grain=grain):
            return Item(METRIC_TIME, grain)
        case PartOf(part="hour_of_day"):
            return Item(METRIC_TIME, "hour")
        case PartOf(part=part):
            return Item(METRIC_TIME, part=part)
        case Periods():
            return Item(METRIC_TIME, "period")


def group_name(group: Group) -> str:
    """A name for its column."""
    match group:
        case PartOf(part=part):
            return part
        case Periods():
            return "period"
    return item(group).column


def measure_name(measure: Measure) -> str:
    """A name for its column; what tells two slices apart is in the column's meaning."""
    match measure:
        case MetricOf(name=name):
            return name
        case CountOf(of=of):
            return f"{of}_count"
        case Ratio(numerator=numerator, denominator=denominator):
            return f"{measure_name(numerator)}_per_{measure_name(denominator)}"
        case Difference(left=left):
            return f"{measure_name(left)}_difference"
        case Slice(of=of):
            return measure_name(of)
        case Share(of=of):
            return f"{measure_name(of)}_share"
        case Mean(of=of, per=per):
            return f"{measure_name(of)}_per_{per.grain if isinstance(per, Every) else group_name(per)}"
        case QuantileOf(of=of, q=q):
            return f"{measure_name(of)}_{'median' if q == 0.5 else f'p{q * 100:g}'.replace('.', '_')}"
        case Change(of=of, form=form):
            return f"{measure_name(of)}_change{'_rate' if form == 'rate' else ''}"
        case Running(of=of):
            return f"{measure_name(of)}_so_far"


def distinct_names(names: Sequence[str]) -> list[str]:
    """The names, numbered where one is there before."""
    found: list[str] = []
    for name in names:
        numbered, number = name, 2
        while numbered in found:
            numbered, number = f"{name}_{number}", number + 1
        found.append(numbered)
    return found


def _weaker(one: Additivity, other: Additivity) -> Additivity:
    kind = max(one.kind, other.kind, key=_RANK.index)
    return Additivity(kind, tuple(dict.fromkeys((*one.never_over, *other.never_over))))
