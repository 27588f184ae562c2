"""The shapes that most questions have: each equals SQL written by hand over the seeds."""

from __future__ import annotations

import pytest

from agents.analyst.intent import Intent, Mean, Share
from agents.analyst.sql.compile import unnamed
from asked import Project, by, during, every, is_, metric, of, same_rows, top
from warehouse.errors import SemanticError

pytestmark = pytest.mark.integration

VALUE = "sum(if(r.kind = 'refund', -r.value, r.value))"
RIDES = "analytics.rides_raw as r"
PLACED = f"""{RIDES} left join analytics.stations_raw as s on s.station_id = r.station_id
    left join analytics.cities_raw as c on c.city_id = s.city_id"""
CITY = by("station__city__name")
KIND = by("ride__kind")
JANUARY, FEBRUARY = during("2026-01-01", "2026-02-01"), during("2026-02-01", "2026-03-01")
value, rides = metric("value"), metric("rides")

CASES = {
    "a total": (Intent(measures=(value,)), f"select {VALUE} from {RIDES}"),
    "by a dimension two joins away": (
        Intent(measures=(value,), groups=(CITY,)),
        f"select c.name, {VALUE} from {PLACED} group by c.name",
    ),
    "by two": (
        Intent(measures=(value,), groups=(CITY, KIND)),
        f"select c.name, r.kind, {VALUE} from {PLACED} group by c.name, r.kind",
    ),
    "two metrics": (
        Intent(measures=(value, rides), groups=(CITY,)),
        f"select c.name, {VALUE}, count() from {PLACED} group by c.name",
    ),
    "two metrics of two models": (
        Intent(measures=(rides, metric("visits")), groups=(every("month"),)),
        f"""select coalesce(a.m, b.m), coalesce(a.n, 0), coalesce(b.n, 0)
            from (select toStartOfMonth(r.date) as m, count() as n from {RIDES} group by m) as a
            full join (
                select toStartOfMonth(seen) as m, count() as n from analytics.visits_raw group by m
            ) as b on a.m = b.m or (a.m is null and b.m is null)""",
    ),
    "a series": (
        Intent(measures=(value,), groups=(every("week"),)),
        f"select toMonday(r.date) as w, {VALUE} from {RIDES} group by w",
    ),
    "a filter and a window": (
        Intent(measures=(rides,), where=is_("station__city__name", "Ghent", "Liège"), window=JANUARY),
        f"""select count() from {PLACED}
            where c.name in ('Ghent', 'Liège') and r.date >= '2026-01-01' and r.date < '2026-02-01'""",
    ),
    "an open window": (
        Intent(measures=(rides,), window=during("2026-03-01", None)),
        f"select count() from {RIDES} where r.date >= '2026-03-01'",
    ),
    "two periods": (
        Intent(measures=(value,), groups=(KIND,), window=FEBRUARY, against=JANUARY),
        f"""select k, now, past, now - past, toFloat64(now - past) / abs(past) from (
            select r.kind as k,
                sumIf(if(k = 'refund', -r.value, r.value), toStartOfMonth(r.date) = '2026-02-01') as now,
                sumIf(if(k = 'refund', -r.value, r.value), toStartOfMonth(r.date) = '2026-01-01') as past
            from {RIDES} group by k)""",
    ),
    "shares": (
        Intent(measures=(Share(of=value),), groups=(KIND,)),
        f"select r.kind, toFloat64({VALUE}) / (select {VALUE} from {RIDES}) from {RIDES} group by r.kind",
    ),
    "the share of some": (
        Intent(measures=(Share(of=rides, of_which=is_("ride__kind", "guest")),), groups=(CITY,)),
        f"select c.name, countIf(r.kind = 'guest') / count() from {PLACED} group by c.name",
    ),
    "shares of things counted once": (
        Intent(measures=(Share(of=metric("riders")),), groups=(KIND,)),
        f"""select r.kind, uniqExact(r.rider_id) / (select uniqExact(rider_id) from analytics.rides_raw)
            from {RIDES} group by r.kind""",
    ),
    "shares within each month": (
        Intent(
            measures=(Share(of=rides, within=(every("month"),)), rides), groups=(every("month"), KIND)
        ),
        f"""select toStartOfMonth(r.date) as m, r.kind, count() / sum(count()) over (partition by m), count()
            from {RIDES} group by m, r.kind""",
    ),
    "a mean over what has a name": (
        Intent(measures=(Mean(of=rides, per=CITY),)),
        f"select avg(n) from (select c.name, count() n from {PLACED} where c.name != '' group by 1)",
    ),
    "a slice beside the whole": (
        Intent(measures=(of(value, "ride__kind", "guest"), value), groups=(CITY,)),
        f"select c.name, sumIf(r.value, r.kind = 'guest'), {VALUE} from {PLACED} group by c.name",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_it_equals_the_sql_of_a_person(case: str, shop: Project) -> None:
    intent, sql = CASES[case]
    same_rows(shop.ask(intent), shop.sql(sql))


def test_the_first_of_a_ranking_are_in_order_with_the_next_one(shop: Project) -> None:
    statement = shop.statement(Intent(measures=(value,), groups=(CITY,), order=top(value), limit=2))
    rows = shop.sql(statement.sql)
    expected = shop.sql(
        f"""select c.name, {VALUE} as v from {PLACED} where coalesce(c.name, '') <> ''
            group by c.name order by v desc nulls last limit 3"""
    )
    assert (rows, statement.limit) == (expected, 2)


def test_what_has_no_name_is_no_best_one_and_what_it_comes_to_can_be_asked(shop: Project) -> None:
    ranking = Intent(measures=(value,), groups=(CITY,), order=top(value), limit=1)
    left_out = unnamed(ranking)
    assert left_out is not None
    expected = f"select {VALUE} from {PLACED} where coalesce(c.name, '') = ''"
    same_rows(shop.ask(left_out), shop.sql(expected))
    assert unnamed(ranking.model_copy(update={"limit": None})) is None
    in_each = ranking.model_copy(update={"groups": (KIND, CITY), "partition": (KIND,)})
    assert unnamed(in_each) == left_out


def test_one_may_order_by_what_is_not_asked_for(shop: Project) -> None:
    intent = Intent(measures=(rides,), groups=(CITY,), order=top(metric("net_per_ride"), "asc"), limit=1)
    found = shop.sql(
        f"""select c.name, count(), toFloat64(sum(r.value - coalesce(r.fee, 0))) / count() as p
            from {PLACED} group by c.name order by p limit 2"""
    )
    same_rows(shop.ask(intent), found, ordered=True)
    assert [column.role for column in shop.statement(intent).columns] == ["key", "value", "order"]


@pytest.mark.parametrize("part", ["before", "change", "absolute_change", "change_rate"])
def test_two_periods_may_be_ordered_by_any_part(part: str, shop: Project) -> None:
    compared = Intent(measures=(value,), groups=(CITY,), window=FEBRUARY, against=JANUARY)
    rows = shop.ask(compared)
    figures = {
        "before": lambda row: row[2],
        "change": lambda row: row[3],
        "absolute_change": lambda row: abs(row[3]),
        "change_rate": lambda row: row[4],
    }
    by_hand = sorted(rows, key=figures[part], reverse=True)
    assert shop.ask(compared.model_copy(update={"order": top(value, part=part)})) == by_hand


def test_the_earlier_period_before_the_later_turns_the_sign(shop: Project) -> None:
    asked = Intent(measures=(value,), groups=(CITY,), window=FEBRUARY, against=JANUARY)
    there = {row[0]: row[1:4] for row in shop.ask(asked)}
    back = shop.ask(asked.model_copy(update={"window": JANUARY, "against": FEBRUARY}))
    assert {row[0]: (row[2], row[1], -row[3]) for row in back} == there


def test_a_share_of_a_mean_is_refused(shop: Project) -> None:
    with pytest.raises(SemanticError, match="average_value does not add up, so nothing has a share of it"):
        shop.ask(Intent(measures=(Share(of=metric("average_value")),), groups=(CITY,)))


def test_names_that_several_things_have_are_known_with_how_many(shop: Project) -> None:
    found = shop.layer.shared_values("ride__kind", "rider_id", shop.warehouse)
    expected = shop.sql(
        f"select r.kind, uniqExact(r.rider_id) as n from {RIDES} where r.kind <> '' group by 1 having n > 1"
    )
    assert found == dict(expected)
