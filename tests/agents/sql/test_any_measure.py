"""Generated intents: their figures equal what Python makes of the seeds' rows, and hold what always holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.analyst.intent import (
    AllOf,
    AnyOf,
    AtPart,
    By,
    Condition,
    Difference,
    Every,
    Group,
    Intent,
    Is,
    Measure,
    MetricOf,
    Missing,
    Not,
    PartOf,
    Period,
    Ratio,
    Share,
    Slice,
)
from asked import Project, by, every, metric, of, same, top
from bikes import METRICS, OF_A_RIDE, RIDES, Row

pytestmark = pytest.mark.integration

Pick = Callable[[Row], Any]
SOME = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
ADDITIVE = ("value", "fee", "count", "net", "docks", "rides", "guests", "margin")
OTHERS = ("riders", "average_value", "largest_fee", "net_per_ride", "fee_rate")
ZERO = {*ADDITIVE, "riders"}
PICKS: dict[Group, Pick] = {
    **{
        by(name): OF_A_RIDE[name]
        for name in ("station__city__name", "station__distance", "bike__label", "ride__kind", "ride__size")
    },
    every("month"): OF_A_RIDE["metric_time__month"],
    every("day"): lambda row: row["date"],
    PartOf(part="weekday"): lambda row: row["date"] and row["date"].isoweekday(),
    by("rider"): lambda row: row["rider_id"],
}
VALUES = {
    group: sorted({pick(row) for row in RIDES if pick(row) not in (None, "")})
    for group, pick in PICKS.items()
    if isinstance(group, By)
}

dimensions = st.sampled_from(list(VALUES))
leaves: st.SearchStrategy[Condition] = st.one_of(
    dimensions.flatmap(
        lambda one: st.lists(st.sampled_from(VALUES[one]), min_size=1, max_size=3).map(
            lambda values: Is(dimension=one.dimension, values=tuple(values))
        )
    ),
    dimensions.map(lambda one: Missing(dimension=one.dimension)),
    st.sets(st.integers(1, 7), min_size=1, max_size=3).map(
        lambda days: AtPart(part="weekday", values=tuple(sorted(days)))
    ),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(lambda one: Not(of=one)),
        st.tuples(inner, inner).map(lambda two: AllOf(of=two)),
        st.tuples(inner, inner).map(lambda two: AnyOf(of=two)),
    ),
    max_leaves=4,
)
months = st.integers(1, 3).map(
    lambda month: Period(
        start=datetime(2026, month, 1, tzinfo=UTC), end=datetime(2026, month + 1, 1, tzinfo=UTC)
    )
)
additive: st.SearchStrategy[Measure] = st.sampled_from([metric(name) for name in ADDITIVE])
measures: st.SearchStrategy[Measure] = st.recursive(
    st.one_of(additive, st.sampled_from([metric(name) for name in OTHERS])),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: Ratio(numerator=two[0], denominator=two[1])),
        st.tuples(inner, inner).map(lambda two: Difference(left=two[0], right=two[1])),
        st.tuples(inner, conditions).map(lambda two: Slice(of=two[0], where=two[1])),
        st.tuples(inner, months).map(lambda two: Slice(of=two[0], window=two[1])),
    ),
    max_leaves=3,
)
groups = st.lists(st.sampled_from(list(PICKS)), max_size=2, unique=True).map(tuple)


def holds(condition: Condition, row: Row) -> bool:
    match condition:
        case Is(dimension=name, values=values):
            return PICKS[by(name)](row) in values
        case Missing(dimension=name):
            return PICKS[by(name)](row) in (None, "")
        case AtPart(values=values):
            return bool(row["date"]) and row["date"].isoweekday() in values
        case Not(of=one):
            return not holds(one, row)
        case AllOf(of=parts):
            return all(holds(one, row) for one in parts)
        case AnyOf(of=parts):
            return any(holds(one, row) for one in parts)
    raise AssertionError(condition)


def within(period: Period | None, row: Row) -> bool:
    if period is None:
        return True
    assert period.start
    assert period.end
    return bool(row["date"]) and period.start.date() <= row["date"] < period.end.date()


def computed(measure: Measure, rows: list[Row], seen: list[Row]) -> Any:
    """The figure of some rows; those that any metric is computed from are put into `seen`."""
    match measure:
        case MetricOf(name=name):
            seen.extend(rows)
            return METRICS[name](rows) if rows else 0 if name in ZERO else None
        case Slice(of=inner, where=where, window=window):
            kept = [row for row in rows if (where is None or holds(where, row)) and within(window, row)]
            return computed(inner, kept, seen)
        case Ratio(numerator=above, denominator=below):
            over, under = computed(above, rows, seen), computed(below, rows, seen)
            return None if over is None or not under else float(over) / float(under)
        case Difference(left=left, right=right):
            one, other = computed(left, rows, seen), computed(right, rows, seen)
            if one is None or other is None:
                return None
            return float(one) - float(other)
    raise AssertionError(measure)


def overlap(measure: Measure, window: Period | None = None) -> bool:
    """Whether the periods of slices in slices have time in common."""
    match measure:
        case Slice(of=inner, window=own):
            if own and window and own != window:
                return False
            return overlap(inner, own or window)
        case Ratio(numerator=one, denominator=other) | Difference(left=one, right=other):
            return overlap(one, window) and overlap(other, window)
    return True


@SOME
@given(measure=measures.filter(overlap), by_=groups, where=st.one_of(st.none(), conditions))
def test_it_equals_what_python_makes_of_the_rows(
    measure: Measure, by_: tuple[Group, ...], where: Condition | None, shop: Project
) -> None:
    found = shop.figures(measure, by=by_, where=where)
    grouped: dict[tuple[Any, ...], list[Row]] = {} if by_ else {(): []}
    for row in RIDES:
        if where is None or holds(where, row):
            grouped.setdefault(tuple(PICKS[one](row) for one in by_), []).append(row)
    expected = {}
    for key, rows in grouped.items():
        seen: list[Row] = []
        figure = computed(measure, rows, seen)
        if seen or not by_:
            expected[key] = figure
    assert found.keys() == expected.keys()
    for key, figure in expected.items():
        shown = None if figure is None else float(figure)
        assert same(found[key][0], shown), f"{key}: {found[key][0]} is not {shown}"


@SOME
@given(measure=additive, where=st.one_of(st.none(), conditions), one=dimensions)
def test_shares_add_up_to_the_whole(
    measure: Measure, where: Condition | None, one: By, shop: Project
) -> None:
    shares = [row[0] for row in shop.figures(Share(of=measure), by=(one,), where=where).values()]
    known = [share for share in shares if share is not None]
    assert not known or same(sum(known), 1)


@SOME
@given(measure=additive, one=dimensions, month=months)
def test_slices_by_all_values_add_up_to_the_whole(
    measure: Measure, one: By, month: Period, shop: Project
) -> None:
    parts = [of(measure, one.dimension, value) for value in VALUES[one][:5]]
    rest = Slice(of=measure, where=Not(of=Is(dimension=one.dimension, values=tuple(VALUES[one][:5]))))
    found = [float(shop.figures(part, window=month)[()][0]) for part in (*parts, rest, measure)]
    assert same(sum(found[:-1]), found[-1])


@SOME
@given(measure=measures.filter(lambda one: overlap(one) and "Period" not in repr(one)), by_=groups)
def test_before_and_after_exchanged_turn_the_sign(
    measure: Measure, by_: tuple[Group, ...], shop: Project
) -> None:
    january, february = (
        Period(start=datetime(2026, month, 1, tzinfo=UTC), end=datetime(2026, month + 1, 1, tzinfo=UTC))
        for month in (1, 2)
    )
    by_ = tuple(one for one in by_ if not isinstance(one, Every))
    there = shop.figures(measure, by=by_, window=february, against=january)
    back = shop.figures(measure, by=by_, window=january, against=february)
    assert there.keys() == back.keys()
    for key, (now, before, change, _) in there.items():
        assert same(back[key][0], before)
        assert same(back[key][1], now)
        assert same(back[key][2], None if change is None else -change)


@SOME
@given(measure=additive, parts=st.sampled_from(list(PICKS)), one=dimensions, limit=st.integers(1, 3))
def test_the_first_of_each_part_are_those_of_the_whole(
    measure: Measure, parts: Group, one: By, limit: int, shop: Project
) -> None:
    if parts == one:
        return
    asked = Intent(measures=(measure,), groups=(parts, one), order=top(measure))
    whole: dict[Any, list[Any]] = {}
    for row in shop.ask(asked):
        if row[1] not in (None, "") and (row[0] is not None or isinstance(parts, By)):
            whole.setdefault(row[0], []).append(row)
    firsts = shop.ask(asked.model_copy(update={"partition": (parts,), "limit": limit}))
    assert sorted(firsts, key=str) == sorted(
        (row for rows in whole.values() for row in rows[: limit + 1]), key=str
    )
