"""When: the time range asked for, the earlier one to compare with, and the grain of a series."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from agents.analyst.linker import times
from agents.analyst.linker.draft import Draft
from agents.analyst.linker.lattice import Arc
from agents.analyst.linker.signals import Signal
from agents.analyst.linker.times import TimeSpan
from agents.analyst.linker.wording import grain_name, show_range
from warehouse.semantic.model import GRAINS, METRIC_TIME

Range = tuple[datetime, datetime]


@dataclass(frozen=True)
class Periods:
    """The range asked for and the earlier one; None means all the data, and no comparison."""

    current: Range | None
    previous: Range | None


def choose(draft: Draft) -> Periods:
    """Fill in the draft's grain and say which ranges were understood."""
    arcs = [arc for arc in draft.reading.arcs if arc.span]
    spans = _distinct([arc.span for arc in arcs if arc.span])
    if len(spans) == 1 and len({arc.text for arc in arcs}) > 1 and _are_two(draft, arcs):
        # 最近三个月与前三个月: said as two, understood as one.
        raise draft.refuse("periods")
    inner = draft.reading.inner_span()
    if not spans and inner:
        spans = [inner]
    cumulative = any(metric.kind == "cumulative" for metric in draft.metrics)
    current, previous = _pair(draft, spans)
    grain = draft.growth or _grain(draft, current, previous is not None, cumulative)
    if current is not None and current.start is not None:
        if current.start > draft.now:
            raise draft.refuse("future", show_range(current.start, current.end))
        said = next((arc.text for arc in arcs if arc.span == current), draft.reading.folded.strip())
        draft.note("range", said, show_range(current.start, current.end))
    else:
        draft.note("all_time")
    if previous is not None and cumulative:
        raise draft.refuse("two_shapes")
    if previous is not None and previous.start is not None:
        draft.note("compare", show_range(previous.start, previous.end))
        if grain is not None:
            raise draft.refuse("periods")
    if grain is not None:
        _check_grain(draft, grain)
        draft.group_by.insert(0, f"{METRIC_TIME}__{grain}")
    _check_range(draft, current)
    return Periods(current.range if current else None, previous.range if previous else None)


def _distinct(spans: list[TimeSpan]) -> list[TimeSpan]:
    """The spans without repeats and without those that another one makes more precise (March this year)."""
    unique = list(dict.fromkeys(spans))
    return [
        span for span in unique if not any(other is not span and _within(other, span) for other in unique)
    ]


def _are_two(draft: Draft, arcs: list[Arc]) -> bool:
    """Whether times are set against each other or joined, not one made more precise by another."""
    path = draft.reading.arcs
    between = path[path.index(arcs[0]) : path.index(arcs[-1])]
    return _signal(draft, "versus") is not None or any(arc.is_signal("and") for arc in between)


def _within(inner: TimeSpan, outer: TimeSpan) -> bool:
    if inner.start is None or outer.start is None:
        return outer.start is None
    return outer.start <= inner.start and inner.end <= outer.end


def _signal(draft: Draft, kind: str) -> Signal | None:
    return next(
        (
            arc.content
            for arc in draft.reading.arcs
            if isinstance(arc.content, Signal) and arc.content.kind == kind
        ),
        None,
    )


def _pair(draft: Draft, spans: list[TimeSpan]) -> tuple[TimeSpan | None, TimeSpan | None]:
    before, year_ago = _signal(draft, "previous"), _signal(draft, "year_ago")
    change = _signal(draft, "change")
    if len(spans) > 2:
        raise draft.refuse("three_periods")
    if len(spans) == 2:
        if not (_signal(draft, "versus") or change or _signal(draft, "and") or _signal(draft, "mark")):
            raise draft.refuse("three_periods")
        earlier, later = sorted(spans, key=lambda span: span.start or draft.now)
        return later, earlier
    span = spans[0] if spans else None
    if span is not None and _is_set_against(draft, span):
        current = TimeSpan(times.floor(draft.now, span.unit), _end(draft.now, span.unit), span.unit)
        if span == current.previous():
            return current, span
    if before or year_ago:
        unit = before.text if before else ""
        series = _explicit_grain(draft) if before else ""
        if before and not year_ago and (series or (span and unit and span.unit != unit)):
            draft.growth = series or unit
            return span, None
        current = span or _default_period(draft, unit or "month", to_date=year_ago is not None)
        return current, current.year_ago() if year_ago else current.previous()
    if change:
        series = _explicit_grain(draft)
        if series and (span is None or span.unit != series or span.count > 1):
            draft.growth = series
            return span, None
        if span is None or span.start is None or _is_from_to(draft, span):
            raise draft.refuse("periods")
        draft.note("default_previous")
        return span, span.previous()
    return span, None


def _is_set_against(draft: Draft, span: TimeSpan) -> bool:
    """`compared to last year`, 和上个月比: the only period that is named is the earlier one."""
    arcs = [arc for arc in draft.reading.arcs if not arc.is_signal("stop", "and", "of")]
    for index, arc in enumerate(arcs):
        if arc.span == span:
            chinese = draft.reading.units[arc.start].chinese
            beside = arcs[index + 1 : index + 2] if chinese else arcs[:index][-1:]
            return any(other.is_signal("versus") for other in beside)
    return False


def _is_from_to(draft: Draft, span: TimeSpan) -> bool:
    """`from September to October`, 九月到十月: two periods to compare, or one that holds both."""
    said = [arc.text for arc in draft.reading.arcs if arc.span == span]
    return any(re.search(r"\bto\b|\buntil\b|[-–~到至]", text) for text in said)


def _explicit_grain(draft: Draft) -> str:
    """The unit that a series is asked by, such as monthly; not `trend`, which leaves it open."""
    return next(
        (
            arc.content.text
            for arc in draft.reading.arcs
            if isinstance(arc.content, Signal) and arc.content.kind == "grain" and arc.content.text != "auto"
        ),
        "",
    )


def _default_period(draft: Draft, unit: str, to_date: bool) -> TimeSpan:
    """What "month over month" and "year over year" compare when no period is named: the current month with
    the one before, and its days so far with the same days a year ago.
    """
    start = times.floor(draft.now, unit)
    end = times.floor(draft.now, "day") + timedelta(days=1) if to_date else _end(draft.now, unit)
    draft.note("default_period", show_range(start, end))
    return TimeSpan(start, end, unit)


def _end(now: datetime, unit: str) -> datetime:
    """Where the current unit ends."""
    inside = {"day": 1, "week": 7, "month": 32, "quarter": 95, "year": 367}[unit]
    later = times.floor(now, unit) + timedelta(days=inside)
    return times.floor(later, unit)


def _grain(draft: Draft, current: TimeSpan | None, compared: bool, cumulative: bool) -> str | None:
    named = [
        arc.content.text
        for arc in draft.reading.arcs
        if isinstance(arc.content, Signal) and arc.content.kind == "grain"
    ]
    explicit = [grain for grain in named if grain != "auto"]
    if compared and current is not None:
        # "Compare monthly revenue of this month and last" names the periods' own unit.
        explicit = [grain for grain in explicit if grain != current.unit]
    if explicit:
        return explicit[0]
    if "auto" in named and not compared:
        return _fitting_grain(draft, current)
    return "day" if cumulative and not compared else None


def _fitting_grain(draft: Draft, current: TimeSpan | None) -> str:
    finest = max(GRAINS.index(metric.min_grain) for metric in draft.metrics)
    if current is None or current.start is None:
        return GRAINS[max(finest, GRAINS.index("month"))]
    length = min(current.end, draft.now) - current.start
    for grain, most in (("minute", 0.1), ("hour", 3), ("day", 62), ("week", 190)):
        if length <= timedelta(days=most) and GRAINS.index(grain) >= finest:
            return grain
    return "month"


def _check_grain(draft: Draft, grain: str) -> None:
    for metric in draft.metrics:
        if grain not in metric.grains:
            raise draft.refuse(
                "grain", draft.label(metric), grain_name(grain, draft.language),
                grain_name(metric.min_grain, draft.language),
            )  # fmt: skip


def _check_range(draft: Draft, current: TimeSpan | None) -> None:
    """Hours cannot be cut out of figures that are kept by the day."""
    if current is None or current.start is None or current.unit not in ("second", "minute", "hour"):
        return
    for metric in draft.metrics:
        if GRAINS.index(metric.min_grain) > GRAINS.index(current.unit):
            raise draft.refuse(
                "grain", draft.label(metric), grain_name(current.unit, draft.language),
                grain_name(metric.min_grain, draft.language),
            )  # fmt: skip
