"""A dbt project that is not ours: each figure equals what Python makes of the seed's rows, or is refused."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from agents.analyst import Analyst
from agents.analyst.grammar.when import Calendar
from agents.analyst.intent import (
    By,
    Change,
    Every,
    Group,
    Intent,
    Mean,
    Measure,
    MetricOf,
    Period,
    Share,
    Threshold,
)
from agents.analyst.sql import compiled
from agents.runtime.settings import AgentSettings
from bikes import (
    CITIES,
    FILTERED,
    FIXTURES,
    METRICS,
    OF_A_RIDE,
    PLACES,
    RIDES,
    Pick,
    Row,
    city,
    month,
    net,
    present,
    ratio,
    rows,
)
from warehouse.catalogue import Catalogue
from warehouse.clickhouse import DIALECT
from warehouse.client import Warehouse
from warehouse.dbt_runner import DbtError, run_dbt
from warehouse.engines import connect
from warehouse.errors import GuardError, SemanticError
from warehouse.guard import guard
from warehouse.semantic import Filter, MetricQuery, SemanticLayer
from warehouse.settings import WarehouseSettings

pytestmark = pytest.mark.integration

NOW = datetime(2026, 5, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Foreign:
    layer: SemanticLayer
    catalogue: Catalogue
    warehouse: Warehouse
    settings: WarehouseSettings

    def ask(self, *metrics: str, by: tuple[str, ...] = (), where: tuple[Filter, ...] = ()) -> dict[Any, Any]:
        """The figures by group, through the guard as a question's are."""
        sql = self.layer.compile(MetricQuery(metrics, by, where), self.warehouse)
        result = self.warehouse.query(guard(sql, self.catalogue, DIALECT))
        assert result.column_names == [*by, *metrics]
        return {row[: len(by)]: row[len(by) :] for row in result.rows}

    def figures(self, measure: Measure, by: Group, **more: Any) -> dict[Any, tuple[Any, ...]]:
        """The columns of an intent by group, through the guard as a question's are."""
        intent = Intent(measures=(measure,), groups=(by,), **more)
        statement = compiled(intent, self.layer, self.warehouse, Calendar(now=NOW))
        found = self.warehouse.query(guard(statement.sql, self.catalogue, DIALECT)).rows
        return {row[0]: row[1:] for row in found}


@pytest.fixture(scope="module")
def foreign(warehouse_settings: WarehouseSettings, tmp_path_factory: pytest.TempPathFactory) -> Foreign:
    """Built by dbt with a profile that does not lie in the project."""
    settings = warehouse_settings.model_copy(
        update={
            "dbt_project_dir": FIXTURES / "bikes",
            "dbt_target_dir": tmp_path_factory.mktemp("bikes"),
            "dbt_profiles_dir": FIXTURES / "profiles",
        }
    )
    run_dbt(settings, ["build"])
    warehouse = connect(settings)
    layer = SemanticLayer.load(settings.semantic_manifest_path, DIALECT)
    return Foreign(layer, Catalogue.load(settings.manifest_path, warehouse), warehouse, settings)


def groups(found: Iterable[Row], by: Pick) -> dict[Hashable, list[Row]]:
    grouped: dict[Hashable, list[Row]] = {}
    for row in found:
        grouped.setdefault(by(row), []).append(row)
    return grouped


def same(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return left is right
    return float(left) == pytest.approx(float(right), rel=1e-9, abs=1e-9)


def differences(found: Mapping[Any, Any], expected: Mapping[Any, Any]) -> Iterator[str]:
    for key in {*found, *expected}:
        if not same(found.get(key), expected.get(key)):
            yield f"{key}: {found.get(key)} is not {expected.get(key)}"


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_by_every_dimension_equals_the_seeds_rows(metric: str, foreign: Foreign) -> None:
    for name, by in OF_A_RIDE.items():
        found = {key: row[0] for (key,), row in foreign.ask(metric, by=(name,)).items()}
        expected = {key: METRICS[metric](group) for key, group in groups(RIDES, by).items()}
        assert not list(differences(found, expected)), f"{metric} by {name}"


@pytest.mark.parametrize(
    "dimension", [name for name in OF_A_RIDE if "date" not in name and "time" not in name]
)
def test_every_metric_filtered_by_every_dimension_equals_the_seeds_rows(
    dimension: str, foreign: Foreign
) -> None:
    by = OF_A_RIDE[dimension]
    values = sorted(set(present(by(row) for row in RIDES)))
    for value in (values[0], values[-1]):
        passing = [row for row in RIDES if by(row) == value]
        for metric, compute in METRICS.items():
            found = foreign.ask(metric, where=(Filter(dimension, "=", (value,)),))[()]
            expected = compute(passing)
            if metric in FILTERED and expected is None:
                # The total of nothing is none at all; only a group of nothing is missing.
                expected = 0
            assert same(found[0], expected), f"{metric} where {dimension} = {value}"


OF_A_RIDER = ("rider__name", "rider__plan", "rider__joined__month")


@pytest.mark.parametrize("metric", [*METRICS, "visits", "net_so_far", "visit_to_ride"])
def test_what_would_be_counted_twice_is_refused_with_the_key(metric: str, foreign: Foreign) -> None:
    for name in OF_A_RIDER:
        with pytest.raises(SemanticError, match=r"rider .* model riders, .* rider_id = 4 is there 2 times"):
            foreign.ask(metric, by=(name,))
    with pytest.raises(SemanticError, match="rider_id = 4"):
        foreign.ask(metric, where=(Filter("rider__plan", "!=", ("basic",)),))


def test_a_repeated_key_does_not_matter_where_nothing_is_joined(foreign: Foreign) -> None:
    signups = {key: len(group) for key, group in groups(rows("riders"), lambda row: row["plan"]).items()}
    found = {key: row[0] for (key,), row in foreign.ask("signups", by=("rider__plan",)).items()}
    assert found == signups


def test_a_key_that_begins_to_repeat_is_seen_and_one_that_ends_to(foreign: Foreign) -> None:
    assert foreign.ask("rides", by=("bike__label",))
    foreign.warehouse.execute("INSERT INTO analytics.bikes VALUES (3, 'city')")
    with pytest.raises(SemanticError, match="bike_id = 3 is there 2 times"):
        foreign.ask("rides", by=("bike__label",))
    run_dbt(foreign.settings, ["run"], select="bikes")
    assert foreign.ask("rides", by=("bike__label",))


def test_a_level_is_taken_at_its_last_day(foreign: Foreign) -> None:
    stock = rows("stock")
    for name, by in PLACES.items():
        found = {key: row[0] for (key,), row in foreign.ask("bikes_there", by=(name,)).items()}
        latest = max(row["day"] for row in stock)
        last = groups((row for row in stock if row["day"] == latest), by)
        assert found == {key: sum(row["count"] for row in group) for key, group in last.items()}, name


def test_running_totals_are_of_what_has_a_time(foreign: Foreign) -> None:
    days = groups([row for row in RIDES if row["date"]], lambda row: row["date"])
    found = foreign.ask("net_so_far", "net_of_week", by=("metric_time__day",))
    for day in days:
        so_far = sum((net(group) for other, group in days.items() if other <= day), Fraction())
        week = sum((net(group) for other, group in days.items() if 0 <= (day - other).days < 7), Fraction())
        assert same(found[day,][0], so_far), day
        assert same(found[day,][1], week), day


def test_growth_is_against_the_month_before(foreign: Foreign) -> None:
    months = {key: net(group) for key, group in groups(RIDES, month).items() if key}
    found = foreign.ask("net_growth", by=("metric_time__month",))
    for key, now in months.items():
        before = months.get((key.replace(day=1) - timedelta(days=1)).replace(day=1))
        assert same(found[key,][0], ratio(now - before, before) if before else None), key


def test_conversions_are_counted_once(foreign: Foreign) -> None:
    visits = rows("visits")
    converted = sum(
        any(
            row["rider_id"] == ride["rider_id"] and 0 <= (ride["date"] - row["seen"]).days < 7
            for row in visits
        )
        for ride in RIDES
        if ride["date"] and ride["rider_id"]
    )
    assert same(foreign.ask("visit_to_ride")[()][0], ratio(converted, len(visits)))


VALUE, KIND = MetricOf(name="value"), By(dimension="ride__kind")


def values(by: Pick, found: Iterable[Row] = RIDES) -> dict[Any, Any]:
    return {key: METRICS["value"](group) for key, group in groups(found, by).items()}


def test_two_periods_of_decimals_are_compared_in_full(foreign: Foreign) -> None:
    january, february = (
        Period(start=datetime(2026, month, 1, tzinfo=UTC), end=datetime(2026, month + 1, 1, tzinfo=UTC))
        for month in (1, 2)
    )
    place = By(dimension="station__city__name")
    found = foreign.figures(VALUE, place, window=february, against=january)
    assert found
    for name, (value, earlier, _, rate) in found.items():
        of_city = values(month, [ride for ride in RIDES if city("name")(ride) == name])
        now, before = (of_city.get(one.start.date(), 0) for one in (february, january) if one.start)
        assert same(value, now)
        assert same(earlier, before)
        assert same(rate, ratio(now - before, abs(before)))


def test_shares_of_decimals_are_in_full(foreign: Foreign) -> None:
    expected = values(OF_A_RIDE["ride__kind"])
    whole = sum(expected.values())
    found = foreign.figures(Share(of=VALUE), KIND)
    assert not list(
        differences(
            {key: share for key, (share,) in found.items()},
            {key: ratio(value, whole) for key, value in expected.items()},
        )
    )


def test_growth_of_decimals_is_in_full(foreign: Foreign) -> None:
    of_month = {key: value for key, value in values(month).items() if key}
    found = foreign.figures(Change(of=VALUE), Every(grain="month"))
    for (_, before), (key, value) in pairwise(sorted(of_month.items())):
        assert same(found[key][0], ratio(value - before, abs(before))), key


def test_means_of_decimals_are_in_full(foreign: Foreign) -> None:
    dated = [ride for ride in RIDES if ride["date"]]
    days = len({ride["date"] for ride in dated})
    found = foreign.figures(Mean(of=VALUE, per=Every(grain="day")), KIND)
    for key, value in values(OF_A_RIDE["ride__kind"], dated).items():
        assert same(found[key][0], ratio(value, days)), key


def test_a_threshold_on_decimals_keeps_what_is_above_it(foreign: Foreign) -> None:
    found = foreign.figures(VALUE, KIND, having=(Threshold(measure=VALUE, op=">", value=0),))
    assert set(found) == {key for key, value in values(OF_A_RIDE["ride__kind"]).items() if value > 0}


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("net by month", "Net went from 1,550.09 (2026-02) to 2,034.30 (2026-03)."),
        ("net by month", "In none of the months, without a date: Net 651.29."),
        ("cost by month", "1. without a date: Cost 157.50"),
        ("cost last month", "There is data, but none of it has a date."),
        ("cost", "Cost: **157.50**."),
        ("rides by name", "1. Rides by name (station)\n2. Rides by name (city)"),
        ("rides by rider name", "rider_id = 4 is there 2 times"),
        ("rides by station city name", "Liège has the highest rides: **37**."),
        ("top 2 station city names by rides", "without name (city), and so not ranked: Rides 28"),
    ],
)
def test_an_answer_tells_what_has_no_date_and_what_it_refuses(
    question: str, words: str, foreign: Foreign, tmp_path: Path
) -> None:
    analyst = Analyst(foreign.warehouse, foreign.layer, foreign.catalogue, AgentSettings(state_dir=tmp_path))
    assert words in analyst.ask(question, now=NOW).text


def test_a_saved_query_is_answered_by_its_name_as_what_it_stands_for(
    foreign: Foreign, tmp_path: Path
) -> None:
    analyst = Analyst(foreign.warehouse, foreign.layer, foreign.catalogue, AgentSettings(state_dir=tmp_path))
    answer = analyst.ask("Show me the Flanders board in February and March 2026", now=NOW)
    assert answer.status == "unclear", answer.text
    answer = analyst.ask("Flanders board since February 2026", now=NOW)
    assert answer.checks["proven"], answer.text
    kept = [
        ride
        for ride in RIDES
        if city("region")(ride) == "Flanders"
        and ride["kind"] not in (None, "", "refund", "guest")
        and ride["date"]
        and ride["date"].isoformat() >= "2026-02-01"
    ]
    expected = groups(kept, lambda ride: (month(ride).isoformat(), ride["kind"]))
    assert {(row[0], row[1]): row[2] for row in answer.rows} == {k: len(of) for k, of in expected.items()}
    for date, kind, _, per_ride in answer.rows:
        of = expected[date, kind]
        assert per_ride == pytest.approx(float(net(of) / len(of)), abs=0.005)
    refused = analyst.ask("odd board", now=NOW)
    assert (refused.status, "“Odd board” has a filter" in refused.text) == ("declined", True)


def test_what_there_is_no_data_of_is_no_zero_in_the_chart(foreign: Foreign, tmp_path: Path) -> None:
    analyst = Analyst(foreign.warehouse, foreign.layer, foreign.catalogue, AgentSettings(state_dir=tmp_path))
    answer = analyst.ask("cost last month", now=NOW)
    assert (answer.status, answer.rows) == ("answered", [])
    assert "{'value': '–'}" in str(answer.chart)


@pytest.mark.parametrize(
    "value", ["O'Hara \\ {{ x }}", "100% Namur", "a\nb", "\\'", "‘x’ -- /*", "{{ 1 }}", "\t$1?"]
)
def test_any_value_may_be_filtered_by(value: str, foreign: Foreign) -> None:
    for name in ("station__name", "station__city__name"):
        found = foreign.ask("rides", where=(Filter(name, "=", (value,)),))[()][0]
        assert found == sum(PLACES[name](row) == value for row in RIDES)


def test_values_are_those_of_the_column(foreign: Foreign) -> None:
    assert set(foreign.layer.values("station__city__name", foreign.warehouse)) == {
        row["name"] for row in CITIES.values()
    }
    assert set(foreign.layer.values("station__distance", foreign.warehouse)) == {"near", "far"}


def test_metrics_asked_together_are_what_they_are_alone(foreign: Foreign) -> None:
    together = ("value", "fee", "count", "net", "docks", "rides", "fee_p90", "refund_rate")
    found = foreign.ask(*together, by=("ride__kind",))
    for key, group in groups(RIDES, OF_A_RIDE["ride__kind"]).items():
        expected = [METRICS[metric](group) for metric in together]
        assert all(same(*pair) for pair in zip(found[key,], expected, strict=True)), (
            key,
            found[key,],
            expected,
        )


def test_the_first_of_some_periods_has_a_date(foreign: Foreign) -> None:
    days = {key: len(group) for key, group in groups(RIDES, lambda row: row["date"]).items()}
    assert max(days, key=days.__getitem__) is None
    for item in ("metric_time__day", "ride__date__day"):
        query = MetricQuery(("rides",), (item,), order_by=(("rides", "desc"),), limit=1)
        sql = guard(foreign.layer.compile(query, foreign.warehouse), foreign.catalogue, DIALECT)
        [[day, count]] = foreign.warehouse.query(sql).rows
        assert count == days[day] == max(count for key, count in days.items() if key)


def test_metrics_that_would_share_a_name_inside_are_refused(foreign: Foreign) -> None:
    with pytest.raises(SemanticError, match="fee would mean two things"):
        foreign.ask("fee_rate", "margin")


def test_only_what_the_manifest_lays_open_is_read(foreign: Foreign) -> None:
    assert {table.database for table in foreign.catalogue.tables.values() if table.readable} == {"analytics"}
    with pytest.raises(GuardError):
        guard("SELECT * FROM dwd.dwd_users", foreign.catalogue, DIALECT)


def test_a_layer_that_the_project_has_not_is_no_success(foreign: Foreign) -> None:
    with pytest.raises(DbtError, match="path:models/dwd"):
        run_dbt(foreign.settings, ["build"], select="path:models/dwd")
