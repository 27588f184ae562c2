"""What says nothing is refused, with the reason and what to ask instead."""

from __future__ import annotations

import pytest

from agents.analyst.intent import (
    Change,
    CountOf,
    Intent,
    Mean,
    PartOf,
    Periods,
    QuantileOf,
    Running,
    Share,
    Slice,
)
from asked import Project, by, during, every, is_, metric, top
from warehouse.errors import SemanticError

pytestmark = pytest.mark.integration

CITY, MONTH, DAY = by("station__city__name"), every("month"), every("day")
value, rides, riders, mean = metric("value"), metric("rides"), metric("riders"), metric("average_value")
JANUARY, FEBRUARY = during("2026-01-01", "2026-02-01"), during("2026-02-01", "2026-03-01")

CASES = {
    "shares of means": (Intent(measures=(Share(of=mean),), groups=(CITY,)), "does not add up"),
    "shares of a ratio": (
        Intent(measures=(Share(of=metric("refund_rate"), of_which=is_("ride__kind", "guest")),)),
        "does not add up",
    ),
    "shares of a level over time": (
        Intent(measures=(Share(of=metric("bikes_there")),), groups=(MONTH,)),
        "bikes_there does not add up over metric_time__month",
    ),
    "a share without groups": (Intent(measures=(Share(of=value),)), "needs groups that have one each"),
    "a share within what is not there": (
        Intent(measures=(Share(of=value, within=(MONTH,)),), groups=(CITY,)),
        "is no group of the answer",
    ),
    "a running mean": (Intent(measures=(Running(of=mean),), groups=(DAY,)), "no running total"),
    "a running count of different ones": (
        Intent(measures=(Running(of=riders),), groups=(DAY,)),
        "no running total",
    ),
    "a running level": (
        Intent(measures=(Running(of=metric("bikes_there")),), groups=(DAY,)),
        "no running total",
    ),
    "a running total along nothing": (
        Intent(measures=(Running(of=value),), groups=(CITY,)),
        "one kind of period to go along",
    ),
    "a running total anew each day by the month": (
        Intent(measures=(Running(of=value, since="day"),), groups=(MONTH,)),
        "cannot begin anew each day",
    ),
    "change along weekdays": (
        Intent(measures=(Change(of=value),), groups=(PartOf(part="weekday"),)),
        "one kind of period to go along",
    ),
    "change compared": (
        Intent(measures=(Change(of=value),), groups=(DAY,), window=FEBRUARY, against=JANUARY),
        "is a comparison already",
    ),
    "a mean of means": (Intent(measures=(Mean(of=mean, per=DAY),)), "is no amount"),
    "a mean of a running total": (Intent(measures=(Mean(of=metric("net_so_far"), per=DAY),)), "is no amount"),
    "a mean month of each day": (Intent(measures=(Mean(of=value, per=MONTH),), groups=(DAY,)), "no larger"),
    "a median of counts": (Intent(measures=(QuantileOf(of=rides),)), "not made of single values"),
    "a median of a ratio": (Intent(measures=(QuantileOf(of=metric("net_per_ride")),)), "single values"),
    "by an hour that is not kept": (
        Intent(measures=(rides,), groups=(PartOf(part="hour_of_day"),)),
        "kept by the day, so nothing is known of it by the hour",
    ),
    "a window in hours": (
        Intent(measures=(rides,), groups=(every("hour"),)),
        "kept by the day, so nothing is known of it by the hour",
    ),
    "two slices of other times": (
        Intent(measures=(Slice(of=rides, window=JANUARY),), window=FEBRUARY),
        "2026-02 and 2026-01 have no time in common",
    ),
    "a comparison without a time": (Intent(measures=(rides,), against=JANUARY), "needs a time of its own"),
    "named periods compared": (
        Intent(
            measures=(rides,),
            groups=(Periods(periods=(JANUARY, FEBRUARY)),),
            window=FEBRUARY,
            against=JANUARY,
        ),
        "side by side already",
    ),
    "weeks that do not begin alike": (
        Intent(measures=(rides,), groups=(every("week"),), window=FEBRUARY, against=JANUARY),
        "do not begin alike",
    ),
    "an order by no group": (
        Intent(measures=(rides,), groups=(CITY,), order=top(MONTH)),
        "no group of the answer",
    ),
    "an order by no change": (
        Intent(measures=(rides,), groups=(CITY,), order=top(rides, part="change")),
        "Nothing is compared",
    ),
    "a part of no group": (
        Intent(measures=(rides,), groups=(CITY,), partition=(MONTH,), limit=1),
        "no group of the answer",
    ),
    "a group twice": (Intent(measures=(rides,), groups=(CITY, CITY)), "there twice"),
    "who there were at a time": (
        Intent(measures=(CountOf(of="rider"),), window=JANUARY),
        "something that happened",
    ),
    "what is counted twice": (Intent(measures=(rides,), groups=(by("rider__plan"),)), "rider_id = 4"),
    "filtered by what is counted twice": (
        Intent(measures=(rides,), where=is_("rider__plan", "plus")),
        "rider_id = 4",
    ),
    "no such metric": (Intent(measures=(metric("profit"),)), "no metric 'profit'"),
    "no such dimension": (
        Intent(measures=(rides,), groups=(by("ride__color"),)),
        "no dimension 'ride__color'",
    ),
    "a dimension of others": (
        Intent(measures=(metric("signups"),), groups=(CITY,)),
        "no dimension 'station__city__name'",
    ),
    "a running total by the weekday": (
        Intent(measures=(metric("net_so_far"),), groups=(PartOf(part="weekday"),)),
        "has no weekday",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_with_the_reason(case: str, shop: Project) -> None:
    intent, reason = CASES[case]
    with pytest.raises(SemanticError, match=reason):
        shop.statement(intent)
