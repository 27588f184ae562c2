"""What is asked of a figure beyond the figure: its share of the total, its mean a period, a threshold."""

from __future__ import annotations

from agents.analyst import units
from agents.analyst.linker.draft import Draft
from agents.analyst.linker.lattice import Arc
from agents.analyst.linker.periods import Periods
from agents.analyst.linker.plan import Shape, Threshold
from agents.analyst.linker.signals import Signal
from agents.analyst.linker.wording import grain_name
from warehouse.semantic.model import METRIC_TIME


def choose(draft: Draft, periods: Periods) -> Shape:
    """The shape that the question asks for; refuses what cannot be computed, and two shapes at once."""
    thresholds = tuple(_threshold(draft, arc, signal) for arc, signal in _found(draft, "threshold"))
    share, average = _found(draft, "share"), _average(draft)
    if sum((bool(share), bool(average), bool(draft.growth), bool(thresholds))) > 1 or (
        periods.previous is not None and (share or average or thresholds)
    ):
        raise draft.refuse("two_shapes")
    if thresholds and not draft.group_by:
        raise draft.refuse("threshold_group")
    if share:
        return _share(draft)
    if average:
        return Shape(average_per=average)
    if draft.growth and draft.group_by != [f"{METRIC_TIME}__{draft.growth}"]:
        raise draft.refuse("growth_split")
    return Shape(growth=bool(draft.growth), thresholds=thresholds)


def _found(draft: Draft, kind: str) -> list[tuple[Arc, Signal]]:
    return [
        (arc, arc.content)
        for arc in draft.reading.arcs
        if isinstance(arc.content, Signal) and arc.content.kind == kind
    ]


def _share(draft: Draft) -> Shape:
    """Of the groups; or, without groups, of the values that the one filter names."""
    groups = [item for item in draft.group_by if not item.startswith(f"{METRIC_TIME}__")]
    parts = [item for item in draft.filters if item.op in ("=", "in")]
    named = next((item for item in parts if [item.dimension] == groups), None)
    if named is not None:
        # "Share from China and Japan" is of all the countries, not of the two.
        draft.group_by.remove(named.dimension)
        groups, parts = [], [named]
    if not groups and len(parts) != 1:
        raise draft.refuse("share_group")
    over = groups or [parts[0].dimension]
    for metric in draft.metrics:
        if not metric.additivity.holds_over(over):
            raise draft.refuse(f"share_of_{metric.additivity.kind}", draft.label(metric))
    return Shape(share=True) if groups else Shape(share=True, share_of=parts[0].dimension)


def _average(draft: Draft) -> str:
    """The grain to average over, taken out of what the result is split by; empty when none is asked for."""
    signals = [signal for _, signal in _found(draft, "average")]
    if not signals or not any(metric.has_amounts for metric in draft.metrics):
        # "Average conversion rate per week" is the rate itself, by week.
        return ""
    times = [item for item in draft.group_by if item.startswith(f"{METRIC_TIME}__")]
    grain = next((signal.text for signal in signals if signal.text), "")
    grain = grain or (times[0].removeprefix(f"{METRIC_TIME}__") if times else "")
    others = [item for item in times if item != f"{METRIC_TIME}__{grain}"]
    if not grain or others or not all(metric.has_amounts for metric in draft.metrics):
        raise draft.refuse("average")
    if grain not in draft.metrics[0].grains:
        raise draft.refuse("average")
    draft.group_by[:] = [item for item in draft.group_by if item not in times]
    draft.note("average_over", grain_name(grain, draft.language))
    return grain


def _threshold(draft: Draft, arc: Arc, signal: Signal) -> Threshold:
    """The condition on the metric that stands nearest, in the metric's own unit."""
    metric = draft.metrics[0]
    if draft.metric_arcs:
        near = min(draft.metric_arcs, key=lambda a: min(abs(a.start - arc.end), abs(arc.start - a.end)))
        metric = draft.metrics[draft.metric_arcs.index(near)]
    value = signal.value
    if signal.unit and signal.unit != metric.unit:
        raise draft.refuse("threshold_unit", arc.text, draft.label(metric))
    scale = units.unit(metric.unit).scale
    if not signal.unit and scale > 1 and value > 1:
        # "Above 12" of a figure that is written in percent.
        value /= scale
    return Threshold(metric.name, signal.text, value)
