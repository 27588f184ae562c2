"""What an answer has a row for, and of which rows: each equals SQL written by hand over the seeds."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from agents.analyst.intent import (
    AllOf,
    AnyOf,
    AtPart,
    Compares,
    Intent,
    Mean,
    Missing,
    Not,
    PartOf,
    Periods,
    Threshold,
)
from asked import Project, by, during, every, is_, metric, of, same_rows, top

pytestmark = pytest.mark.integration

VALUE = "sum(if(r.kind = 'refund', -r.value, r.value))"
RIDES = "analytics.rides_raw as r"
PLACED = f"""{RIDES} left join analytics.stations_raw as s on s.station_id = r.station_id
    left join analytics.cities_raw as c on c.city_id = s.city_id"""
CITY, KIND, MONTH = by("station__city__name"), by("ride__kind"), every("month")
value, rides, riders = metric("value"), metric("rides"), metric("riders")
GHENT, GUEST = is_("station__city__name", "Ghent"), is_("ride__kind", "guest")

GROUPS = {
    "weekdays": (
        Intent(measures=(riders, value), groups=(PartOf(part="weekday"),)),
        f"select toDayOfWeek(r.date) as d, uniqExact(r.rider_id), {VALUE} from {RIDES} group by d",
    ),
    "days of the month": (
        Intent(measures=(rides,), groups=(PartOf(part="day_of_month"), KIND)),
        f"select toDayOfMonth(r.date) as d, r.kind, count() from {RIDES} group by d, r.kind",
    ),
    "months of the year": (
        Intent(measures=(metric("net_per_ride"),), groups=(PartOf(part="month_of_year"),)),
        f"""select toMonth(r.date) as m, toFloat64(sum(r.value - coalesce(r.fee, 0))) / count()
            from {RIDES} group by m""",
    ),
    "a mean day of each weekday": (
        Intent(measures=(Mean(of=rides, per=every("day")),), groups=(PartOf(part="weekday"),)),
        f"""select toDayOfWeek(d) as w, avg(n) from
            (select toDate(r.date) as d, count() as n from {RIDES} where r.date is not null group by d)
            group by w""",
    ),
    "named periods": (
        Intent(
            measures=(rides, riders),
            groups=(
                Periods(periods=(during("2026-01-05", "2026-01-12"), during("2026-02-01", "2026-03-01"))),
                KIND,
            ),
        ),
        f"""select if(r.date < '2026-01-20', '2026-01-05/2026-01-11', '2026-02') as p, r.kind, count(),
            uniqExact(r.rider_id) from {RIDES}
            where toDate(r.date) between '2026-01-05' and '2026-01-11'
                or toStartOfMonth(r.date) = '2026-02-01'
            group by p, r.kind""",
    ),
    "a dimension of time": (
        Intent(measures=(rides,), groups=(by("ride__date", "quarter"),)),
        f"select toStartOfQuarter(r.date) as q, count() from {RIDES} group by q",
    ),
    "an entity's key": (
        Intent(measures=(rides,), groups=(by("rider"),)),
        f"select r.rider_id, count() from {RIDES} group by r.rider_id",
    ),
    "the key of an entity one join away": (
        Intent(measures=(rides,), groups=(by("station__city"),), where=is_("ride__kind", "guest", "ride")),
        f"select s.city_id, count() from {PLACED} where r.kind in ('guest', 'ride') group by s.city_id",
    ),
}

CONDITIONS = {
    "one of two joins away": (GHENT, "c.name = 'Ghent'"),
    "not one": (Not(of=GHENT), "c.name is null or c.name <> 'Ghent'"),
    "none of two": (
        Not(of=is_("station__city__name", "Ghent", "Bruges")),
        "c.name is null or c.name not in ('Ghent', 'Bruges')",
    ),
    "both": (AllOf(of=(GHENT, GUEST)), "c.name = 'Ghent' and r.kind = 'guest'"),
    "either": (AnyOf(of=(GHENT, GUEST)), "c.name = 'Ghent' or r.kind = 'guest'"),
    "neither": (
        Not(of=AnyOf(of=(GHENT, GUEST))),
        "(c.name is null or c.name <> 'Ghent') and r.kind <> 'guest'",
    ),
    "either and not": (
        AllOf(of=(AnyOf(of=(GHENT, GUEST)), Not(of=is_("bike__label", "city")))),
        """(c.name = 'Ghent' or r.kind = 'guest') and (r.bike_id is null or r.bike_id not in
            (select bike_id from analytics.bikes_raw where label = 'city'))""",
    ),
    "unlike a value": (
        Compares(dimension="station__city__name", op="!=", value="Ghent"),
        "c.name is null or c.name <> 'Ghent'",
    ),
    "none at all": (Missing(dimension="station__city__region"), "c.region is null or c.region = ''"),
    "some": (Not(of=Missing(dimension="station__city__region")), "c.region <> ''"),
    "without a time": (Missing(dimension="ride__date"), "r.date is null"),
    "a day": (is_("ride__date", date(2026, 1, 5)), "toDate(r.date) = '2026-01-05'"),
    "before a moment at midnight": (
        Compares(dimension="ride__date", op="<", value=datetime(2026, 2, 1)),
        "r.date < '2026-02-01'",
    ),
    "a key above a number": (Compares(dimension="rider", op=">", value=8), "r.rider_id > 8"),
    "a key not above it": (
        Not(of=Compares(dimension="rider", op=">", value=8)),
        "r.rider_id is null or r.rider_id <= 8",
    ),
    "weekends": (AtPart(part="weekday", values=(6, 7)), "toDayOfWeek(r.date) in (6, 7)"),
    "not weekends": (
        Not(of=AtPart(part="weekday", values=(6, 7))),
        "r.date is null or toDayOfWeek(r.date) not in (6, 7)",
    ),
    "the first of the month": (AtPart(part="day_of_month", values=(1,)), "toDayOfMonth(r.date) = 1"),
    "odd values": (
        is_("station__name", "O'Hara \\ {{ x }}", "a\nb", "{{ 1 }}"),
        "s.name in ('O\\'Hara \\\\ {{ x }}', 'a\\nb', '{{ 1 }}')",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GROUPS)
def test_the_groups_equal_the_sql_of_a_person(case: str, shop: Project) -> None:
    intent, sql = GROUPS[case]
    same_rows(shop.ask(intent), shop.sql(sql))


@pytest.mark.parametrize("case", CONDITIONS)
def test_the_rows_are_those_that_a_person_means(case: str, shop: Project) -> None:
    condition, where = CONDITIONS[case]
    found = shop.ask(Intent(measures=(rides, value), where=condition))
    same_rows(found, shop.sql(f"select count(), {VALUE} from {PLACED} where {where}"))
    others = shop.figures(rides, where=Not(of=condition))[()][0]
    assert others + found[0][0] == shop.figures(rides)[()][0]


def test_a_threshold_is_on_the_figures_of_a_group_and_need_not_be_shown(shop: Project) -> None:
    intent = Intent(
        measures=(rides,),
        groups=(CITY, KIND),
        having=(
            Threshold(measure=value, op=">", value=100),
            Threshold(measure=of(rides, "bike__label", "city"), op="!=", value=2),
        ),
    )
    expected = f"""select c.name, r.kind, count() from {PLACED}
        left join analytics.bikes_raw as b on b.bike_id = r.bike_id
        group by c.name, r.kind having {VALUE} > 100 and countIf(b.label = 'city') <> 2"""
    same_rows(shop.ask(intent), shop.sql(expected))


def test_the_first_of_each_part_are_those_of_the_whole(shop: Project) -> None:
    asked = Intent(measures=(value,), groups=(MONTH, CITY), order=top(value))
    parts: dict[object, list[tuple[object, ...]]] = {}
    for row in shop.ask(asked):
        if row[1]:
            parts.setdefault(row[0], []).append(row)
    firsts = asked.model_copy(update={"partition": (MONTH,), "limit": 2})
    assert shop.statement(firsts).limit == 2
    # One more of each, to see ties; and no month that there is not.
    expected = [row for month in sorted(m for m in parts if m) for row in parts[month][:3]]
    assert shop.ask(firsts) == expected


def test_rows_may_be_in_the_order_of_a_group(shop: Project) -> None:
    rows = shop.ask(Intent(measures=(rides,), groups=(MONTH, KIND), order=top(MONTH), limit=4))
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
    assert None not in [row[0] for row in rows]


def test_two_series_are_compared_day_for_day(shop: Project) -> None:
    now, before = during("2026-02-01", "2026-02-11"), during("2026-01-01", "2026-01-11")
    found = shop.figures(rides, by=(every("day"),), window=now, against=before)
    days = dict(shop.sql(f"select toDate(r.date) as d, count() from {RIDES} where d is not null group by d"))
    for (day,), (this, earlier, change, _) in found.items():
        past = days.get(day.replace(month=1), 0)
        assert (this, earlier, change) == (days.get(day, 0), past, days.get(day, 0) - past)
    assert len(found) == 10


def test_a_group_that_only_one_period_has_is_compared_with_nothing(shop: Project) -> None:
    monday, tuesday = during("2026-01-05", "2026-01-06"), during("2026-01-06", "2026-01-07")
    found = shop.figures(rides, metric("average_value"), by=(by("rider"),), window=tuesday, against=monday)
    only = {key: row for key, row in found.items() if not row[0] or not row[1]}
    assert only
    for row in only.values():
        assert (row[0] is not None, row[1] is not None) == (True, True)
        assert row[2] == row[0] - row[1]
        assert row[6] is None, "the change of a mean that there is no mean before of"


def test_weeks_begin_when_the_calendar_says(shop: Project) -> None:
    from agents.analyst.grammar.when import Calendar
    from agents.analyst.sql import compiled

    sundays = Calendar(now=shop.now, week_start=6)
    statement = compiled(
        Intent(measures=(rides,), groups=(every("week"),)), shop.layer, shop.warehouse, sundays
    )
    expected = f"select toStartOfWeek(r.date, 0) as w, count() from {RIDES} where w is not null group by w"
    found = [row for row in shop.sql(statement.sql) if row[0]]
    same_rows(found, shop.sql(expected))
