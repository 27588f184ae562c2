"""Measures made of others: each equals SQL written by hand over the seeds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.analyst.intent import (
    AllOf,
    AtPart,
    By,
    Change,
    CountOf,
    Difference,
    Intent,
    Mean,
    QuantileOf,
    Ratio,
    Running,
    Share,
    Slice,
    Threshold,
)
from asked import Project, by, during, every, is_, metric, of, same_rows

pytestmark = pytest.mark.integration

VALUE = "sum(if(r.kind = 'refund', -r.value, r.value))"
NET = "sum(r.value - coalesce(r.fee, 0))"
RIDES = "analytics.rides_raw as r"
PLACED = f"""{RIDES} left join analytics.stations_raw as s on s.station_id = r.station_id
    left join analytics.cities_raw as c on c.city_id = s.city_id"""
CITY, KIND, MONTH, DAY = by("station__city__name"), by("ride__kind"), every("month"), every("day")
RIDER = by("rider")
JANUARY = during("2026-01-01", "2026-02-01")
value, rides, riders, net = metric("value"), metric("rides"), metric("riders"), metric("net")
guests = is_("ride__kind", "guest")


def per_day(amount: str, where: str = "true") -> str:
    """Of each kind the mean of an amount over the days on which there was any ride."""
    return f"""select r.kind, toFloat64(sumIf({amount}, {where}))
            / (select uniqExact(toDate(date)) from analytics.rides_raw where date is not null)
        from {RIDES} where r.date is not null group by r.kind having countIf({where}) > 0"""


CASES = {
    "a ratio of decimals": (
        (Ratio(numerator=net, denominator=rides),),
        (KIND,),
        f"select r.kind, toFloat64({NET}) / count() from {RIDES} group by r.kind",
    ),
    "a ratio of whole numbers": (
        (Ratio(numerator=riders, denominator=rides),),
        (KIND,),
        f"select r.kind, uniqExact(r.rider_id) / count() from {RIDES} group by r.kind",
    ),
    "a ratio by nothing": (
        (Ratio(numerator=rides, denominator=of(rides, "ride__kind", "no such kind")),),
        (),
        "select null",
    ),
    "a ratio of differences": (
        (
            Ratio(
                numerator=Difference(left=value, right=net),
                denominator=Difference(left=rides, right=of(rides, "ride__kind", "guest")),
            ),
        ),
        (CITY,),
        f"""select c.name, toFloat64({VALUE} - {NET}) / countIf(r.kind <> 'guest')
            from {PLACED} group by c.name""",
    ),
    "one slice less another": (
        (Difference(left=of(value, "ride__kind", "guest"), right=of(value, "ride__kind", "refund")),),
        (CITY,),
        f"""select c.name, sumIf(r.value, r.kind = 'guest') + sumIf(r.value, r.kind = 'refund')
            from {PLACED} where r.kind in ('guest', 'refund') group by c.name""",
    ),
    "a slice of a slice": (
        (Slice(of=of(rides, "station__city__name", "Ghent"), where=guests, window=JANUARY),),
        (),
        f"""select count() from {PLACED}
            where c.name = 'Ghent' and r.kind = 'guest' and toStartOfMonth(r.date) = '2026-01-01'""",
    ),
    "a slice of a derived metric": (
        (Slice(of=metric("net_per_ride"), where=guests), metric("margin")),
        (CITY,),
        f"""select c.name, if(countIf(r.kind = 'guest') = 0, null,
                toFloat64(sumIf(r.value - coalesce(r.fee, 0), r.kind = 'guest')) / countIf(r.kind = 'guest')),
            {NET} - sum(r.count) from {PLACED} group by c.name""",
    ),
    "a mean a day, quiet days too": (
        (Mean(of=value, per=DAY),),
        (KIND,),
        per_day("if(r.kind = 'refund', -r.value, r.value)"),
    ),
    "a mean a day of a slice": (
        (Slice(of=Mean(of=rides, per=DAY), where=is_("bike__label", "city")),),
        (KIND,),
        per_day("1", "r.bike_id in (select bike_id from analytics.bikes_raw where label = 'city')"),
    ),
    "a mean a day in each month": (
        (Mean(of=rides, per=DAY),),
        (MONTH, KIND),
        f"""select a.m, a.k, a.n / b.days from
            (select toStartOfMonth(r.date) as m, r.kind as k, count() as n from {RIDES}
                where r.date is not null group by m, k) as a
            join (select toStartOfMonth(r.date) as m, uniqExact(toDate(r.date)) as days
                from {RIDES} group by m) as b on b.m = a.m""",
    ),
    "a mean of what is counted once": (
        (Mean(of=riders, per=MONTH),),
        (),
        f"""select avg(n) from (select uniqExact(r.rider_id) as n from {RIDES}
            where r.date is not null group by toStartOfMonth(r.date))""",
    ),
    "a mean for each of an entity": (
        (Mean(of=value, per=RIDER),),
        (KIND,),
        f"""select r.kind, toFloat64({VALUE}) / uniqExact(r.rider_id) from {RIDES}
            where r.rider_id is not null group by r.kind""",
    ),
    "a level's mean": (
        (Mean(of=metric("bikes_there"), per=DAY),),
        (),
        "select avg(n) from (select sum(count) as n from analytics.stock_raw group by day)",
    ),
    "a median of single values": (
        (QuantileOf(of=value), QuantileOf(of=metric("largest_fee"), q=0.9)),
        (KIND,),
        f"""select r.kind, quantileExactInclusive(0.5)(toFloat64(if(r.kind = 'refund', -r.value, r.value))),
            quantileExactInclusive(0.9)(toFloat64(r.fee)) from {RIDES} group by r.kind""",
    ),
    "a median of the days": (
        (QuantileOf(of=value, per=DAY),),
        (),
        f"""select quantileExactInclusive(0.5)(toFloat64(n)) from
            (select {VALUE} as n from {RIDES} where r.date is not null group by toDate(r.date))""",
    ),
    "a median of the days with quiet ones": (
        (QuantileOf(of=rides, per=DAY, q=0.8),),
        (KIND,),
        """select k.kind, quantileExactInclusive(0.8)(toFloat64(coalesce(n.n, 0))) from
            (select distinct kind from analytics.rides_raw) as k
            cross join (
                select distinct toDate(date) as d from analytics.rides_raw where date is not null) as d
            left join (select kind, toDate(date) as d, count() as n from analytics.rides_raw group by kind, d)
                as n on n.kind = k.kind and n.d = d.d
            group by k.kind""",
    ),
    "a median of the riders": (
        (QuantileOf(of=rides, per=RIDER),),
        (CITY,),
        f"""select name, quantileExactInclusive(0.5)(toFloat64(n)) from
            (select c.name as name, r.rider_id as who, count() as n from {PLACED}
                where r.rider_id is not null group by name, who) group by name""",
    ),
    "how many there are": (
        (CountOf(of="rider", among="rides"), CountOf(of="station__city", among="rides")),
        (KIND,),
        f"select r.kind, uniqExact(r.rider_id), uniqExact(s.city_id) from {PLACED} group by r.kind",
    ),
    "how many values there are": (
        (CountOf(of="station__city__name", among="refunds"),),
        (),
        f"select uniqExact(c.name) from {PLACED} where r.kind = 'refund'",
    ),
    "how many there are of its own": (
        (CountOf(of="bike"),),
        (),
        "select uniqExact(bike_id) from analytics.bikes_raw",
    ),
    "how many have so many": (
        (
            CountOf(
                of="rider",
                among="rides",
                having=(
                    Threshold(measure=rides, op=">=", value=3),
                    Threshold(measure=of(value, "ride__kind", "guest"), op=">", value=20),
                ),
            ),
        ),
        (MONTH,),
        f"""select m, countIf(n >= 3 and g > 20) from (
            select toStartOfMonth(r.date) as m, r.rider_id as who, count() as n,
                sumIf(r.value, r.kind = 'guest') as g
            from {RIDES} group by m, who) where who is not null group by m""",
    ),
    "rides for each rider": (
        (Ratio(numerator=rides, denominator=CountOf(of="rider", among="rides")),),
        (CITY,),
        f"select c.name, count() / uniqExact(r.rider_id) from {PLACED} group by c.name",
    ),
    "a share of a slice": (
        (Share(of=of(rides, "ride__kind", "guest")),),
        (CITY,),
        f"""select c.name, countIf(r.kind = 'guest')
                / (select count() from analytics.rides_raw where kind = 'guest')
            from {PLACED} group by c.name having countIf(r.kind = 'guest') > 0""",
    ),
    "the share of some within each month": (
        (Share(of=rides, of_which=guests, within=(MONTH,)),),
        (MONTH, CITY),
        f"""select toStartOfMonth(r.date) as m, c.name,
            countIf(r.kind = 'guest') / sum(count()) over (partition by m)
            from {PLACED} group by m, c.name""",
    ),
    "from one month to the next": (
        (value, Change(of=value), Change(of=rides, form="difference")),
        (MONTH,),
        f"""select m, v, if(m is null or m = '2026-01-01', null, toFloat64(v - p) / abs(p)),
                if(m is null or m = '2026-01-01', null, n - q) from
            (select m, v, n, lagInFrame(v) over (order by m) as p, lagInFrame(n) over (order by m) as q from
                (select toStartOfMonth(r.date) as m, {VALUE} as v, count() as n from {RIDES} group by m))""",
    ),
    "so far": (
        (Running(of=value), Running(of=rides, since="month")),
        (DAY,),
        f"""select d, if(d is null, null, sum(v) over (order by d)),
                if(d is null, null, sum(n) over (partition by toStartOfMonth(d) order by d)) from
            (select toDate(r.date) as d, {VALUE} as v, count() as n from {RIDES} group by d)""",
    ),
    "so far in each city": (
        (Running(of=Difference(left=rides, right=metric("guests"))),),
        (MONTH, CITY),
        f"""select m, name, if(m is null, null, sum(n) over (partition by name order by m)) from
            (select toStartOfMonth(r.date) as m, c.name as name, countIf(r.kind <> 'guest') as n
                from {PLACED} group by m, name)""",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_equals_the_sql_of_a_person(case: str, shop: Project) -> None:
    measures, groups, sql = CASES[case]
    same_rows(shop.ask(Intent(measures=measures, groups=groups)), shop.sql(sql))


def test_growth_reaches_back_before_the_window(shop: Project) -> None:
    whole = shop.figures(Change(of=value), by=(MONTH,))
    march = during("2026-03-01", "2026-04-01")
    found = shop.figures(Change(of=value), by=(MONTH,), window=march)
    [(month,)] = found
    assert f"{month:%Y-%m}" == "2026-03"
    assert found[month,] == whole[month,]


def test_a_month_with_nothing_is_zero_before_and_makes_no_row(shop: Project) -> None:
    # Rider 1 has days without a ride between others.
    ridden = {day: n for (day,), (n,) in shop.figures(rides, by=(DAY,), where=is_("rider", 1)).items() if day}
    changes = shop.figures(
        Change(of=rides, form="difference"), Change(of=rides), by=(DAY,), where=is_("rider", 1)
    )
    days = sorted(ridden)
    assert {day for (day,) in changes if day} == set(ridden)
    assert changes[days[0],] == (None, None)
    for day in days[1:]:
        before = next((ridden[one] for one in days if (day - one).days == 1), 0)
        rate = (ridden[day] - before) / before if before else None
        assert changes[day,] == (ridden[day] - before, rate)


def test_a_running_total_is_of_today_and_of_the_end_of_a_longer_period(shop: Project) -> None:
    days = dict(shop.sql(f"select toDate(r.date) as d, {NET} from {RIDES} where d is not null group by d"))
    so_far = metric("net_so_far")
    by_day = {day: figure for (day,), (figure,) in shop.figures(so_far, by=(DAY,)).items()}
    assert max(by_day) == shop.now.date()
    assert all(by_day[day] == sum(days[one] for one in days if one <= day) for day in by_day)
    for month in shop.figures(so_far, by=(MONTH,)).items():
        ((start,), (figure,)) = month
        last = max(day for day in by_day if day.replace(day=1) == start)
        assert figure == by_day[last]
    january = shop.figures(so_far, window=JANUARY)[()]
    assert january == (by_day[max(day for day in by_day if day.month == 1)],)
    assert shop.figures(so_far)[()] == (by_day[max(by_day)],)


def test_a_total_of_the_last_days_is_that_of_today_without_a_time(shop: Project) -> None:
    days = dict(shop.sql(f"select toDate(r.date) as d, {NET} from {RIDES} where d is not null group by d"))
    week = sum(days.get(shop.now.date() - timedelta(days=one), 0) for one in range(7))
    assert shop.figures(metric("net_of_week"))[()] == (week or None,)
    kinds = shop.figures(metric("net_of_week"), by=(KIND,), window=JANUARY)
    expected = f"""select r.kind, {NET} from {RIDES}
        where toDate(r.date) between '2026-01-25' and '2026-01-31' group by r.kind"""
    same_rows([(*key, *row) for key, row in kinds.items()], shop.sql(expected))


def test_no_row_lies_ahead(shop: Project) -> None:
    for name in ("net_growth", "net_so_far", "net_of_week"):
        months = [key[0] for key in shop.figures(metric(name), by=(MONTH,))]
        assert max(month for month in months if month) <= shop.now.date(), name


def test_the_same_columns_may_be_meant_in_several_ways(shop: Project) -> None:
    statement = shop.statement(
        Intent(measures=(of(rides, "ride__kind", "guest"), of(rides, "ride__kind", "ride")), groups=(CITY,))
    )
    assert [column.name for column in statement.columns] == ["station__city__name", "rides", "rides_2"]
    assert isinstance(statement.columns[0].meaning, By)


def test_units_follow_from_what_is_computed(shop: Project) -> None:
    intent = Intent(
        measures=(Share(of=rides), CountOf(of="rider", among="rides"), Mean(of=rides, per=DAY)),
        groups=(CITY,),
    )
    units = {column.name: column.unit for column in shop.statement(intent).columns}
    assert units["rides_share"] == "ratio"
    assert units["rider_count"] == "count"
    assert units["rides_per_day"] == shop.layer.metrics["rides"].unit


def test_what_looks_back_by_itself_looks_beyond_the_window(shop: Project) -> None:
    whole = shop.figures(metric("net_growth"), by=(MONTH,))
    february = shop.figures(metric("net_growth"), by=(MONTH,), window=during("2026-02-01", "2026-03-01"))
    assert february == {key: row for key, row in whole.items() if key[0] and key[0].month == 2}


def test_a_level_is_that_of_the_last_day_of_the_window(shop: Project) -> None:
    found = shop.figures(metric("bikes_there"), by=(by("station__name"),), window=JANUARY)
    expected = """select s.name, sum(t.count) from analytics.stock_raw as t
        left join analytics.stations_raw as s on s.station_id = t.station_id
        where t.day = (select max(day) from analytics.stock_raw where day < '2026-02-01') group by s.name"""
    same_rows([(*key, *row) for key, row in found.items()], shop.sql(expected))


def test_a_mean_of_working_days_is_of_these_days_alone(shop: Project) -> None:
    """A day without a guest counts, a Sunday does not; an hour of the day leaves no day out."""
    working = AtPart(part="weekday", values=(1, 2, 3, 4, 5))
    asked = Intent(measures=(Mean(of=rides, per=DAY),), where=AllOf(of=(guests, working)), window=JANUARY)
    expected = f"""select countIf(r.kind = 'guest') / uniqExact(toDate(r.date)) from {RIDES}
        where r.date >= '2026-01-01' and r.date < '2026-02-01' and toDayOfWeek(r.date) <= 5"""
    same_rows(shop.ask(asked), shop.sql(expected))


def test_who_has_a_part_in_a_figure_is_who_is_counted(shop: Project) -> None:
    """Riders with a guest's ride in it are those of which it is not 0; they are the riders of these rides."""
    asked = Intent(measures=(CountOf(of="rider", among="guests"),))
    expected = f"select uniqExactIf(r.rider_id, r.kind = 'guest') from {RIDES}"
    same_rows(shop.ask(asked), shop.sql(expected))


def test_a_count_of_things_by_the_day_has_a_mean(shop: Project) -> None:
    asked = Intent(measures=(Mean(of=CountOf(of="rider", among="rides"), per=DAY),), where=guests)
    days = f"select uniqExact(toDate(r.date)) from {RIDES} where r.date is not null"
    expected = f"""select sum(n) / ({days}) from (
        select toDate(r.date) as d, uniqExact(r.rider_id) as n from {RIDES}
        where r.kind = 'guest' and r.date is not null group by d)"""
    same_rows(shop.ask(asked), shop.sql(expected))


@pytest.mark.parametrize(
    ("numerator", "denominator", "unit"),
    [("guests", "rides", "ratio"), ("rides", "visits", ""), ("riders", "rides", "")],
)
def test_only_a_part_of_the_same_things_is_a_percentage(
    numerator: str, denominator: str, unit: str, shop: Project
) -> None:
    asked = Intent(measures=(Ratio(numerator=metric(numerator), denominator=metric(denominator)),))
    assert [column.unit for column in shop.statement(asked).columns] == [unit]
