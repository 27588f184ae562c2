"""What the semantic layer compiles must give the same rows as SQL written by hand, on the real server."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from warehouse.catalogue import Catalogue, Table
from warehouse.clickhouse import DIALECT
from warehouse.client import Warehouse
from warehouse.guard import guard
from warehouse.semantic import Filter, MetricQuery, SemanticLayer

pytestmark = pytest.mark.integration

FEBRUARY_TO_MARCH = (datetime(2026, 2, 1), datetime(2026, 4, 1))
WITHIN = "created_at >= '2026-02-01' AND created_at < '2026-04-01'"
ITEMS = "dwd.dwd_order_items"
JOINED = f"{ITEMS} AS i LEFT JOIN dwd.dwd_users AS u ON i.user_id = u.user_id"
SOLD = f"{ITEMS} AS i LEFT JOIN dwd.dwd_products AS p ON i.product_id = p.product_id"
BY_MONTH = f"SELECT toStartOfMonth(created_at) AS m, sum(sale_price) AS r FROM {ITEMS} GROUP BY m"
BY_DAY = f"SELECT toDate(created_at) AS d, sum(sale_price) AS r FROM {ITEMS} GROUP BY d"

CASES: dict[str, tuple[MetricQuery, str]] = {
    "simple, by month": (
        MetricQuery(("revenue",), ("metric_time__month",), time_range=FEBRUARY_TO_MARCH),
        "SELECT toStartOfMonth(created_at) AS m, sum(sale_price) "
        f"FROM {ITEMS} WHERE {WITHIN} GROUP BY m ORDER BY m",
    ),
    "simple, by day and week": (
        MetricQuery(
            ("order_items",), ("metric_time__week", "metric_time__day"), time_range=FEBRUARY_TO_MARCH
        ),
        "SELECT toMonday(created_at) AS w, toDate(created_at) AS d, count() "
        f"FROM {ITEMS} WHERE {WITHIN} GROUP BY w, d ORDER BY w, d",
    ),
    "count distinct, average, largest": (
        MetricQuery(("orders", "average_price", "largest_price"), ("order_item__status",)),
        "SELECT status, uniqExact(order_id), avg(sale_price), max(sale_price) "
        f"FROM {ITEMS} GROUP BY status ORDER BY status",
    ),
    "median": (
        MetricQuery(("median_price",), ("product__category",)),
        "SELECT category, quantileExactInclusive(0.5)(sale_price) "
        f"FROM {SOLD} GROUP BY category ORDER BY category",
    ),
    "ratio, joined, filtered, top": (
        MetricQuery(
            ("return_rate",),
            ("user__country",),
            (Filter("user__country", "in", ("China", "it's {{ odd }}")),),
            FEBRUARY_TO_MARCH,
            (("return_rate", "desc"),),
            1,
        ),
        f"SELECT country, countIf(status = 'Returned') / count() AS r FROM {JOINED} "
        f"WHERE {WITHIN} AND country IN ('China', 'it\\'s {{{{ odd }}}}') "
        "GROUP BY country ORDER BY r DESC, country LIMIT 1",
    ),
    "derived": (
        MetricQuery(("net_revenue",), ("product__category",), time_range=FEBRUARY_TO_MARCH),
        f"SELECT category, sumIf(sale_price, status != 'Returned') FROM {SOLD} "
        f"WHERE {WITHIN} GROUP BY category ORDER BY category",
    ),
    "offset": (
        MetricQuery(("revenue_growth",), ("metric_time__month",), time_range=FEBRUARY_TO_MARCH),
        f"SELECT a.m AS m, (a.r - b.r) / b.r FROM ({BY_MONTH}) AS a "
        f"JOIN ({BY_MONTH}) AS b ON a.m - INTERVAL 1 MONTH = b.m "
        "WHERE m IN ('2026-02-01', '2026-03-01') ORDER BY m",
    ),
    "month to date": (
        MetricQuery(("revenue_month_to_date",), ("metric_time__day",), time_range=FEBRUARY_TO_MARCH),
        f"SELECT d, sum(r) OVER (PARTITION BY toStartOfMonth(d) ORDER BY d) FROM ({BY_DAY}) "
        "WHERE d >= '2026-02-01' AND d < '2026-04-01' ORDER BY d",
    ),
    "running total": (
        MetricQuery(
            ("revenue_all_time",),
            ("metric_time__day",),
            time_range=(datetime(2026, 3, 1), datetime(2026, 3, 4)),
        ),
        f"SELECT d, total FROM (SELECT d, sum(r) OVER (ORDER BY d) AS total FROM ({BY_DAY})) "
        "WHERE d >= '2026-03-01' AND d < '2026-03-04' ORDER BY d",
    ),
    "window of seven days": (
        MetricQuery(
            ("revenue_seven_days",),
            ("metric_time__day",),
            time_range=(datetime(2026, 3, 1), datetime(2026, 3, 4)),
        ),
        "SELECT d, t FROM (SELECT d, sum(r) OVER (ORDER BY d ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS t "
        f"FROM ({BY_DAY})) "
        "WHERE d >= '2026-03-01' AND d < '2026-03-04' ORDER BY d",
    ),
    "filled from the time spine": (
        MetricQuery(
            ("new_customers_filled",),
            ("metric_time__day",),
            time_range=(datetime(2026, 1, 1), datetime(2026, 1, 6)),
        ),
        "SELECT toDate('2026-01-01') + number, if(number % 3 = 0, 1, 0) FROM numbers(5) ORDER BY number",
    ),
    "two metrics of different tables": (
        MetricQuery(("revenue", "new_customers"), ("metric_time__month",)),
        f"SELECT coalesce(a.m, b.m) AS m, r, c FROM ({BY_MONTH}) AS a FULL JOIN "
        "(SELECT toStartOfMonth(signed_up_at) AS m, count() AS c FROM dwd.dwd_users GROUP BY m) AS b "
        "USING (m) ORDER BY m",
    ),
    "percentile, last half hour by stage": (
        MetricQuery(
            ("duration_p95", "failure_rate"),
            ("span__stage",),
            time_range=(
                datetime(2026, 4, 10, 10, 20, 7, 250000, UTC),
                datetime(2026, 4, 10, 10, 50, 7, 250000, UTC),
            ),
        ),
        "SELECT stage, quantileExactInclusive(0.95)(duration_ms), countIf(status = 'error') / count() "
        "FROM dwd.dwd_spans WHERE started_at >= '2026-04-10 10:20:07.250' "
        "AND started_at < '2026-04-10 10:50:07.250' GROUP BY stage ORDER BY stage",
    ),
    "discrete percentile": (
        MetricQuery(("duration_middle",), ("span__stage",)),
        "SELECT stage, min(duration_ms) FROM "
        "(SELECT stage, duration_ms, count() OVER (PARTITION BY stage) AS n, "
        "count() OVER (PARTITION BY stage ORDER BY duration_ms) AS up_to FROM dwd.dwd_spans) "
        "WHERE up_to >= 0.5 * n GROUP BY stage ORDER BY stage",
    ),
    "by minute": (
        MetricQuery(
            ("tool_calls",),
            ("metric_time__minute", "span__tool"),
            (Filter("span__tool", "like", ("run%",)),),
            (datetime(2026, 4, 10, 10), datetime(2026, 4, 10, 10, 5)),
        ),
        "SELECT toStartOfMinute(started_at) AS m, tool, count() FROM dwd.dwd_spans "
        "WHERE tool = 'run_sql' AND started_at < '2026-04-10 10:05:00' GROUP BY m, tool ORDER BY m",
    ),
    "a time dimension that is not metric_time": (
        MetricQuery(
            ("revenue",),
            ("user__signed_up_at__month",),
            (Filter("user__signed_up_at", ">=", (date(2026, 2, 1),)),),
        ),
        f"SELECT toStartOfMonth(signed_up_at) AS m, sum(sale_price) FROM {JOINED} "
        "WHERE signed_up_at >= '2026-02-01' GROUP BY m ORDER BY m",
    ),
}


def close(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return left == pytest.approx(right)
    return bool(left == right)


def same(left: list[tuple[Any, ...]], right: list[tuple[Any, ...]]) -> bool:
    return len(left) == len(right) and all(
        len(a) == len(b) and all(close(x, y) for x, y in zip(a, b, strict=True))
        for a, b in zip(left, right, strict=True)
    )


@pytest.mark.parametrize("case", CASES)
def test_equals_hand_written_sql(case: str, shop: Warehouse, shop_layer: SemanticLayer) -> None:
    query, by_hand = CASES[case]
    result = shop.query(shop_layer.compile(query, shop))
    expected = shop.query(by_hand)
    assert expected.rows, "the comparison is of something"
    assert same(result.rows, expected.rows)
    assert result.column_names == [*query.group_by, *query.metrics]


@pytest.mark.parametrize("case", CASES)
def test_passes_the_guard_unchanged_in_meaning(case: str, shop: Warehouse, shop_layer: SemanticLayer) -> None:
    query, _ = CASES[case]
    sql = shop_layer.compile(query, shop)
    names = ["dwd.dwd_users", "dwd.dwd_products", "dwd.dwd_order_items", "dwd.dwd_spans", "dws.time_spine"]
    tables = [Table(*name.split("."), "", "", "", ()) for name in names]
    assert same(shop.query(guard(sql, Catalogue(tables), DIALECT)).rows, shop.query(sql).rows)


def test_time_columns_are_dates_from_the_day_up_and_times_below(
    shop: Warehouse, shop_layer: SemanticLayer
) -> None:
    grains = ["minute", "hour", "day", "week", "month", "quarter", "year"]
    query = MetricQuery(("tool_calls",), tuple(f"metric_time__{grain}" for grain in grains), limit=1)
    row = shop.query(shop_layer.compile(query, shop)).rows[0]
    assert [type(value) for value in row[:2]] == [datetime, datetime]
    assert row[2:7] == (
        date(2026, 4, 10),
        date(2026, 4, 6),
        date(2026, 4, 1),
        date(2026, 4, 1),
        date(2026, 1, 1),
    )


def test_no_rows_give_null_and_not_zero_or_nan(shop: Warehouse, shop_layer: SemanticLayer) -> None:
    metrics = ("average_price", "largest_price", "median_price", "return_rate")
    query = MetricQuery(metrics, time_range=(datetime(2020, 1, 1), datetime(2020, 2, 1)))
    assert shop.query(shop_layer.compile(query, shop)).rows == [(None, None, None, None)]


def test_values_are_listed_by_frequency(shop: Warehouse, shop_layer: SemanticLayer) -> None:
    assert set(shop_layer.values("user__country", shop)) == {"China", "Brasil", "it's {{ odd }}"}
    assert shop_layer.values("order_item__status", shop)[0] == "Complete"
    assert shop_layer.values("order_item__status", shop, limit=1) == ["Complete"]


def test_a_range_ending_now_includes_today_for_a_metric_kept_by_day(
    shop: Warehouse, shop_layer: SemanticLayer
) -> None:
    noon = datetime(2026, 3, 5, 12, 34, 56)
    until_noon = MetricQuery(("order_items",), time_range=(datetime(2026, 3, 1), noon))
    whole = MetricQuery(("order_items",), time_range=(datetime(2026, 3, 1), datetime(2026, 3, 6)))
    rows = shop.query(shop_layer.compile(until_noon, shop)).rows
    assert rows == shop.query(shop_layer.compile(whole, shop)).rows


def test_what_is_said_to_add_up_adds_up(shop: Warehouse, shop_layer: SemanticLayer) -> None:
    proved = set()
    only_along_time = {"revenue_month_to_date", "revenue_seven_days"}
    for metric in (one for one in shop_layer.metrics.values() if one.name not in only_along_time):
        for item in (f"metric_time__{metric.grains[-1]}", "metric_time__month", *metric.dimensions):
            if metric.additivity.holds_over([item]):
                parts = shop.query(shop_layer.compile(MetricQuery((metric.name,), (item,)), shop)).rows
                [[whole]] = shop.query(shop_layer.compile(MetricQuery((metric.name,)), shop)).rows
                assert sum(part for *_, part in parts if part) == pytest.approx(whole), (metric.name, item)
                proved.add(metric.name)
    assert {"revenue", "returned_items", "net_revenue", "revenue_all_time"} <= proved
    assert not proved & {"orders", "average_price", "return_rate", "revenue_growth"}
